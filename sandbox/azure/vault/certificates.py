# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Certificates imported, each with the secret that holds its key."""

from __future__ import annotations

import base64
import hashlib
import uuid

from ..web import Answer
from .call import Call
from .content import attributes_of, check_name, put_version
from .model import Vault
from .pfx import policy_of, read_pfx, secret_value
from .rights import action_of


def import_certificate(vault: Vault, call: Call, name: str) -> Answer:
    """A new version of a certificate, and of the secret that holds its key."""
    from cryptography.hazmat.primitives.serialization import Encoding

    check_name(name)
    call.demand(action_of("certificates", "import"), name)
    key, certificate, chain = read_pfx(str(call.body.get("value") or ""), call.body.get("pwd"))
    der = certificate.public_bytes(Encoding.DER)
    policy = policy_of(vault, name, key, certificate, call.body.get("policy") or {})
    version = uuid.uuid4().hex
    life = {
        "nbf": int(certificate.not_valid_before_utc.timestamp()),
        "exp": int(certificate.not_valid_after_utc.timestamp()),
    }
    attributes = attributes_of(vault, {**(call.body.get("attributes") or {}), **life})
    tags = {"tags": call.body["tags"]} if call.body.get("tags") else {}
    content_type = policy["secret_props"]["contentType"]
    bundle = {
        "kid": f"{vault.url}/keys/{name}/{version}",
        "sid": f"{vault.url}/secrets/{name}/{version}",
        # SHA-1 is what the interface calls a thumbprint.
        "x5t": base64.urlsafe_b64encode(hashlib.sha1(der, usedforsecurity=False).digest()).decode().rstrip("="),
        "cer": base64.b64encode(der).decode(),
        "attributes": attributes,
        "policy": policy,
        **tags,
    }
    stored = put_version(vault, "certificates", name, bundle, version)
    secret = {
        "value": secret_value(content_type, key, certificate, chain),
        "contentType": content_type,
        "attributes": attributes,
        "kid": bundle["kid"],
        "managed": True,
        **tags,
    }
    put_version(vault, "secrets", name, secret, version)
    return Answer(200, stored)
