# Copyright (c) planetary.hub contributors
# GNU General Public License v3.0+ (see https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: secret_objects
short_description: The secrets of a hub as Kubernetes Secrets
version_added: 0.1.0
author: planetary.hub contributors (@planetary-hub)
description:
  - Makes of the secrets that a hub needs the list that M(planetary.hub.kubernetes_secrets) takes.
  - These are the hub's own Secret, the chart's Secret C(hub) with the proxy's token alone, and one for the TLS
    certificate and for each data volume.
options:
  _input:
    description: Rows of P(planetary.hub.wanted_secrets#filter).
    type: list
    elements: dict
    required: true
  name:
    description: Name of the hub's own Secret.
    type: str
    required: true
  release:
    description: The Helm release.
    type: str
    required: true
  values:
    description: Key to value in base64.
    type: dict
    required: true
  generate:
    description: Whether what can be generated is generated in the Secret and kept there.
    type: bool
    required: true
  required:
    description: Keys that must be there, with what to do about each that is not.
    type: dict
    default: {}
  tls_name:
    description: Name of the certificate's Secret.
    type: str
    default: ""
  certificates:
    description: Key of a certificate to C(tls.crt) and C(tls.key) in base64.
    type: dict
    default: {}
  volumes:
    description: Data volumes, each with C(name) and C(storage_account_id).
    type: list
    elements: dict
    default: []
  storage_keys:
    description: Id of a storage account to its key in base64.
    type: dict
    default: {}
"""

EXAMPLES = r"""
objects: >-
  {{ __secrets_wanted | planetary.hub.secret_objects(name='hub-secrets', release='dask', values={}, generate=true) }}
"""

RETURN = r"""
_value:
  description: What the option O(planetary.hub.kubernetes_secrets#module:secrets) takes.
  type: list
  elements: dict
"""

from collections.abc import Callable
from typing import Any


def objects(rows: Any, **options: Any) -> list[dict[str, Any]]:
    from ansible_collections.planetary.hub.plugins.module_utils._secret_objects import secret_objects
    from ansible_collections.planetary.hub.plugins.module_utils._values import plain

    return secret_objects(plain(rows), **plain(options))


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"secret_objects": objects}
