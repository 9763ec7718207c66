# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What Azure allows as names of resources, as a table.

Source: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.planetary.hub.plugins.module_utils._values import InputError, nearest, quote, wrong


class Rule(NamedTuple):
    """What a name may be: its shortest and longest length, its form as a pattern and in words."""

    shortest: int
    longest: int
    form: str
    words: str


_NETWORK = (
    r"[A-Za-z0-9]([\w.-]*\w)?",
    "letters, digits, '_', '.' and '-', beginning with a letter or digit and ending without '.' or '-'",
)
_PLAIN = (
    r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?",
    "letters, digits and '-', beginning and ending with a letter or digit",
)
_IDENTITY = (r"[A-Za-z0-9][\w-]*", "letters, digits, '_' and '-', beginning with a letter or digit")
_GROUP = (r"[\w.()-]*[\w()-]", "letters, digits, '_', '-', '.' and parentheses, not ending with '.'")

# Key of infrastructure_names to its rule.
RULES: dict[str, Rule] = {
    "resource_group": Rule(1, 90, *_GROUP),
    "node_resource_group": Rule(1, 80, *_GROUP),
    "cluster": Rule(
        1,
        63,
        r"[A-Za-z0-9]([\w-]*[A-Za-z0-9])?",
        "letters, digits, '_' and '-', beginning and ending with a letter or digit",
    ),
    "network": Rule(2, 64, *_NETWORK),
    "node_subnet": Rule(1, 80, *_NETWORK),
    "gateway_subnet": Rule(1, 80, *_NETWORK),
    "security_group": Rule(1, 80, *_NETWORK),
    "gateway_security_group": Rule(1, 80, *_NETWORK),
    "public_ip": Rule(1, 80, *_NETWORK),
    "registry": Rule(5, 50, r"[A-Za-z0-9]+", "letters and digits only"),
    "workspace": Rule(4, 63, *_PLAIN),
    "insights": Rule(1, 260, r"[^%&\\?/]*[^%&\\?/. ]", "anything but % & \\ ? /, not ending with a blank or '.'"),
    "data_collection_rule": Rule(3, 44, *_IDENTITY),
    "storage_account": Rule(3, 24, r"[a-z0-9]+", "lower-case letters and digits only"),
    "vault": Rule(
        3,
        24,
        r"[A-Za-z](-?[A-Za-z0-9])*",
        "letters, digits and single '-', beginning with a letter and ending with a letter or digit",
    ),
    "cluster_identity": Rule(3, 128, *_IDENTITY),
    "hub_identity": Rule(3, 128, *_IDENTITY),
    "federated_credential": Rule(3, 120, *_IDENTITY),
}
SHARE = Rule(
    3,
    63,
    r"[a-z0-9](-?[a-z0-9])*",
    "lower-case letters, digits and single '-', beginning and ending with a letter or digit",
)
DNS_LABEL = Rule(
    3,
    63,
    r"[a-z][a-z0-9-]*[a-z0-9]",
    "lower-case letters, digits and '-', beginning with a letter and ending with a letter or digit",
)


def check_name(where: str, value: Any, rule: Rule, remedy: str) -> None:
    """Refuse a name that Azure refuses; ``remedy`` says which variable to change."""
    if not isinstance(value, str) or not value:
        raise wrong(where, value, "a name")
    if not rule.shortest <= len(value) <= rule.longest:
        raise InputError(
            f"{where} is {quote(value, 100)}, {len(value)} characters long; Azure allows {rule.shortest} to "
            f"{rule.longest}, so {remedy}."
        )
    if not re.fullmatch(rule.form, value, flags=re.ASCII):
        raise InputError(f"{where} is {quote(value, 100)}; Azure allows {rule.words}, so {remedy}.")


def check_names(names: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Check the names of all resources. ``given``: those of infrastructure_names; the others follow from the prefix."""
    for key in given:
        if key not in RULES:
            raise InputError(f"infrastructure_names has the unknown key {quote(key)}; {nearest(key, RULES)}")
    for key, rule in RULES.items():
        where = f"infrastructure_names.{key}"
        if key in given:
            check_name(where, given[key], rule, f"change {where}")
        else:
            remedy = f"change infrastructure_prefix, or give {where}"
            check_name(f"The name of {key.replace('_', ' ')}", names[key], rule, remedy)
