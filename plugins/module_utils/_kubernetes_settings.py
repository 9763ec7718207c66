# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What people write of a hub in a cluster, beside profiles and Dask options."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._images import image
from ansible_collections.planetary.hub.plugins.module_utils._values import (
    InputError,
    boolean,
    mapping,
    quote,
    text,
    texts,
    wrong,
)

INGRESS = ("enabled", "class", "annotations", "tls_secret")
HTTP_ROUTE = ("enabled", "gateway", "annotations")
GATEWAY = ("name", "namespace", "sectionName")
PUBLIC = ("enabled", "port", "annotations", "allowed_sources")
RESOURCES = ("hub", "proxy", "traefik", "gateway", "controller", "gateway_traefik", "user_scheduler", "small")
AMOUNTS = ("cpu", "memory")
# Those that are read here, and those that come along from the role infrastructure.
VOLUME = ("name", "mount_path", "share", "claim", "storage_account_id", "quota", "read_only")
# What says where a share of Azure Files is.
SHARE = ("share", "storage_account_id")
_CLAIM = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_VOLUME_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,56}[a-z0-9])?")
# A quantity as Kubernetes writes it.
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|[KMGT]i?|k)?")


def check_settings(settings: Mapping[str, Any], volume_secrets: Mapping[str, str] | None) -> None:
    """Check settings whose entries no argument specification can name in a sentence.

    :param settings: daskhub_ingress, daskhub_resources, daskhub_data_volumes, daskhub_hub_image; each may be missing
    :param volume_secrets: data volume -> Secret with its key; None as long as nobody knows
    :raises InputError: one sentence
    """
    _check_ingress(settings.get("daskhub_ingress") or {})
    _check_http_route(settings.get("daskhub_http_route") or {})
    _check_public(settings.get("daskhub_dask_gateway_public") or {})
    _check_resources(settings.get("daskhub_resources") or {})
    _check_volumes(settings.get("daskhub_data_volumes") or [], volume_secrets)
    _check_ranges("daskhub_network_policies_not_internet", settings.get("daskhub_network_policies_not_internet") or [])
    if settings.get("daskhub_hub_image"):
        image("daskhub_hub_image", settings["daskhub_hub_image"])


def _check_ingress(value: Any) -> None:
    ingress = mapping("daskhub_ingress", value, INGRESS)
    boolean("daskhub_ingress: enabled", ingress.get("enabled", False))
    for key in ("class", "tls_secret"):
        if ingress.get(key) is not None and not isinstance(ingress[key], str):
            raise wrong(f"daskhub_ingress: {key}", ingress[key], "a name")
    _check_texts("daskhub_ingress: annotations", ingress.get("annotations") or {})


def _check_http_route(value: Any) -> None:
    route = mapping("daskhub_http_route", value, HTTP_ROUTE)
    boolean("daskhub_http_route: enabled", route.get("enabled", False))
    gateway = mapping("daskhub_http_route: gateway", route.get("gateway") or {}, GATEWAY)
    _check_texts("daskhub_http_route: gateway", gateway)
    _check_texts("daskhub_http_route: annotations", route.get("annotations") or {})


def _check_public(value: Any) -> None:
    public = mapping("daskhub_dask_gateway_public", value, PUBLIC)
    boolean("daskhub_dask_gateway_public: enabled", public.get("enabled", False))
    port = public.get("port", 443)
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
        raise wrong("daskhub_dask_gateway_public: port", port, "a port such as 443")
    _check_texts("daskhub_dask_gateway_public: annotations", public.get("annotations") or {})
    _check_ranges("daskhub_dask_gateway_public: allowed_sources", public.get("allowed_sources") or [])


def _check_ranges(where: str, value: Any) -> None:
    for index, source in enumerate(texts(where, value, "ranges such as 192.0.2.0/24")):
        try:
            ipaddress.ip_network(source)
        except ValueError:
            raise wrong(f"{where}[{index}]", source, "a range such as 192.0.2.0/24") from None


def _check_texts(where: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise wrong(where, value, "a mapping of texts")
    for key, item in value.items():
        if not isinstance(item, str):
            raise wrong(f"{where}.{key}", item, 'a text, in quotes, such as "true"')


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
