# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What people write of a hub in a cluster, beside profiles and Dask options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._images import image
from ansible_collections.planetary.hub.plugins.module_utils._kubernetes_exposure import check_exposure, check_ranges
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError, mapping, quote, text, wrong

RESOURCES = ("hub", "proxy", "traefik", "gateway", "controller", "gateway_traefik", "user_scheduler", "small")
AMOUNTS = ("cpu", "memory")
CHARTS = ("jupyterhub", "dask-gateway")
# Those that are read here, and those that come along from the role infrastructure.
VOLUME = ("name", "mount_path", "share", "claim", "storage_account_id", "quota", "read_only")
# What says where a share of Azure Files is.
SHARE = ("share", "storage_account_id")
_CLAIM = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_VOLUME_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,56}[a-z0-9])?")
# A quantity as Kubernetes writes it.
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|[KMGT]i?|k)?")

_SIZE = r"[0-9]+([.][0-9]+)?([KMGTP]i?|k)?"
_SIZE_WORDS = "a size as Kubernetes does, such as 15Gi"
_CRON = r"@[a-z]+|[0-9A-Za-z*/,-]+( +[0-9A-Za-z*/,-]+){4}"
_CRON_WORDS = "the five fields of cron, such as 17 * * * * for each hour"
#: Texts: what they match as a whole, and what to write.
TEXTS = {
    "daskhub_base_url": (r"/([A-Za-z0-9._~-]+/)*", "a path with a slash at both ends, as in /compute/"),
    "daskhub_release": (
        r"[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?",
        "at most 53 lowercase letters, digits and hyphens, with a letter or a digit at both ends",
    ),
    "daskhub_namespace": (
        r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
        "at most 63 lowercase letters, digits and hyphens, with a letter or a digit at both ends",
    ),
    "daskhub_test_user": (r"\S+", "the name of a user without spaces"),
    "daskhub_home_size": (_SIZE, _SIZE_WORDS),
    "daskhub_database_copy_size": (_SIZE, _SIZE_WORDS),
    "daskhub_shared_memory": (f"(enabled|{_SIZE})?", "enabled, a size such as 8Gi, or nothing"),
    "daskhub_database_copy_schedule": (_CRON, _CRON_WORDS),
    "daskhub_home_snapshots_schedule": (_CRON, _CRON_WORDS),
}
#: Whole numbers, the least that each may be.
NUMBERS = {
    "daskhub_culling_every": 1,
    "daskhub_culling_max_age": 0,
    "daskhub_culling_notice": 0,
    "daskhub_culling_timeout": 1,
    "daskhub_database_copy_keep": 1,
    "daskhub_deploy_timeout": 1,
    "daskhub_history_max": 0,
    "daskhub_home_snapshots_keep": 1,
    "daskhub_placeholders": 0,
    "daskhub_start_timeout": 1,
    "daskhub_verify_timeout": 0,
}


def check_settings(
    settings: Mapping[str, Any], volume_secrets: Mapping[str, str] | None = None, address_later: bool = False
) -> None:
    """Check settings that no argument specification can name in a sentence.

    :param settings: variables of the role daskhub, of the types of its argument specification; each may be missing
    :param volume_secrets: data volume -> Secret with its key; None as long as nobody knows
    :param address_later: whether Azure will give the hub a name
    :raises InputError: one sentence
    """
    for name, (pattern, wanted) in TEXTS.items():
        if name in settings and not re.fullmatch(pattern, str(settings[name])):
            raise wrong(name, settings[name], wanted)
    for name, least in NUMBERS.items():
        if name in settings and int(settings[name]) < least:
            raise wrong(name, settings[name], f"a whole number from {least} on")
    check_exposure(settings, address_later)
    _check_resources(settings.get("daskhub_resources") or {})
    _check_volumes(settings.get("daskhub_data_volumes") or [], volume_secrets)
    check_ranges("daskhub_network_policies_not_internet", settings.get("daskhub_network_policies_not_internet") or [])
    if settings.get("daskhub_hub_image"):
        image("daskhub_hub_image", settings["daskhub_hub_image"])
    repositories = settings.get("daskhub_chart_repositories", CHARTS)
    if {*repositories} != {*CHARTS}:
        raise InputError(
            f"daskhub_chart_repositories has the keys {', '.join(repositories) or 'of nothing'}; write where"
            " jupyterhub and dask-gateway come from, and nothing else."
        )


def _check_resources(value: Any) -> None:
    for name, asked in mapping("daskhub_resources", value, RESOURCES).items():
        where = f"daskhub_resources: {name}"
        for key, amount in mapping(where, asked, AMOUNTS).items():
            if isinstance(amount, bool) or not _QUANTITY.fullmatch(str(amount)):
                raise wrong(f"{where}.{key}", amount, "an amount as Kubernetes writes it, such as 500m or 1Gi")


def _check_volumes(value: Any, secrets: Mapping[str, str] | None) -> None:
    if not isinstance(value, list):
        raise wrong("daskhub_data_volumes", value, "a list of volumes, each with name and mount_path")
    seen: set[str] = set()
    for index, item in enumerate(value):
        named = isinstance(item, dict) and isinstance(item.get("name"), str)
        where = f"daskhub_data_volumes[{index}]" + (f" {quote(item['name'])}" if named else "")
        volume = mapping(where, item, VOLUME)
        name = volume.get("name")
        if not isinstance(name, str) or not _VOLUME_NAME.fullmatch(name):
            raise wrong(f"{where}: name", name, "at most 58 lowercase letters, digits and hyphens")
        path = text(f"{where}: mount_path", volume.get("mount_path"), 'a path such as "/data"')
        if not path.startswith("/"):
            raise wrong(f"{where}: mount_path", path, 'an absolute path such as "/data"')
        if name in seen:
            raise InputError(f"{where} has the name of another one; give each a name of its own.")
        seen.add(name)
        if "claim" in volume:
            _check_claim(where, volume)
        elif secrets is not None and name not in secrets:
            raise InputError(
                f"{where} has no Secret with the key of its share; name it in secrets_data_volumes too, with its"
                " storage_account_id."
            )


def _check_claim(where: str, volume: Mapping[str, Any]) -> None:
    claim = volume["claim"]
    if not isinstance(claim, str) or not _CLAIM.fullmatch(claim):
        raise wrong(f"{where}: claim", claim, "the name of a PersistentVolumeClaim in the hub's namespace")
    other = next((key for key in SHARE if key in volume), "")
    if other:
        raise InputError(f"{where} has both claim and {other}; keep one of them.")
