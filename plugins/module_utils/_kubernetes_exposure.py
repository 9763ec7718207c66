# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""How people reach a hub in a cluster: its address, its certificate, and the one thing that is open to them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.planetary.hub.plugins.module_utils._values import (
    InputError,
    boolean,
    mapping,
    quote,
    texts,
    wrong,
)

INGRESS = ("enabled", "class", "annotations", "tls_secret")
HTTP_ROUTE = ("enabled", "gateway", "annotations")
GATEWAY = ("name", "namespace", "sectionName")
PUBLIC = ("enabled", "port", "annotations", "allowed_sources")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", re.I)
_ACME = re.compile(r"https://[^/]+/.+")


def check_exposure(settings: Mapping[str, Any], address_later: bool) -> None:
    """Check what says how people reach the hub.

    :param settings: variables of the role daskhub; each may be missing
    :param address_later: whether Azure will give the hub a name
    :raises InputError: one sentence
    """
    ingress = _ingress(settings.get("daskhub_ingress") or {})
    route = _http_route(settings.get("daskhub_http_route") or {})
    public = _dask_gateway_public(settings.get("daskhub_dask_gateway_public") or {})
    _check_texts("daskhub_service_annotations", settings.get("daskhub_service_annotations") or {})
    url = settings.get("daskhub_url") or ""
    if url:
        _check_url(url, settings.get("daskhub_base_url", "/"))
    hosts = settings.get("daskhub_https_hosts") or []
    for index, host in enumerate(hosts):
        if not _HOST.fullmatch(str(host)):
            raise wrong(f"daskhub_https_hosts[{index}]", host, "a name such as hub.example.org")
    https = settings.get("daskhub_https", "none")
    if https == "letsencrypt":
        _check_acme(settings, bool(url or hosts or address_later))
    _check_one_way(settings.get("daskhub_service_type", "ClusterIP"), https, ingress, route)
    if public and https == "none":
        raise InputError(
            "daskhub_dask_gateway_public is on, but daskhub_https is none; people's tokens would cross the network in"
            " clear, so give the hub HTTPS first."
        )


def _check_url(url: str, base_url: str) -> None:
    try:
        parts = urlsplit(url)
        port_is_one = parts.port != 0
    except ValueError:
        parts, port_is_one = urlsplit(""), False
    if parts.scheme not in ("http", "https") or not _is_host(parts.hostname or "") or not port_is_one:
        raise wrong("daskhub_url", url, "an address such as https://hub.example.org/")
    if parts.query or parts.fragment or parts.username is not None:
        raise wrong("daskhub_url", url, "no more than scheme, host, port and path, such as https://hub.example.org/")
    if parts.path.rstrip("/") + "/" != base_url:
        raise InputError(
            f"daskhub_url is {quote(url)}, but daskhub_base_url is {quote(base_url)}; write the same path at the end"
            " of both."
        )


def _is_host(host: str) -> bool:
    if ":" in host:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            return False
        return True
    return bool(_HOST.fullmatch(host))


def _check_acme(settings: Mapping[str, Any], named: bool) -> None:
    contact = settings.get("daskhub_https_contact_email", "")
    if "@" not in contact:
        raise InputError(
            f"daskhub_https is letsencrypt, and daskhub_https_contact_email is {quote(contact)}; write the e-mail"
            " address of whoever looks after the certificate."
        )
    server = settings.get("daskhub_https_acme_server", "")
    if not _ACME.match(server):
        wanted = "the address of an ACME directory, such as https://acme-v02.api.letsencrypt.org/directory"
        raise wrong("daskhub_https_acme_server", server, wanted)
    if not named:
        raise InputError(
            "daskhub_https is letsencrypt, but the hub has no name; write daskhub_url, or daskhub_https_hosts."
        )


def _check_one_way(service_type: str, https: str, ingress: bool, route: bool) -> None:
    if [service_type == "LoadBalancer", ingress, route].count(True) > 1:
        raise InputError(
            f"The hub would be open in two places: daskhub_service_type is {service_type}, daskhub_ingress is"
            f" {_on(ingress)} and daskhub_http_route is {_on(route)}; keep one of them, with ClusterIP where something"
            " is in front."
        )
    if (ingress or route) and https not in ("none", "offload"):
        raise InputError(
            f"daskhub_https is {https}, but {'daskhub_ingress' if ingress else 'daskhub_http_route'} is what people"
            " reach; write offload, and give the certificate to what is in front."
        )


def _on(is_on: bool) -> str:
    return "on" if is_on else "off"


def _ingress(value: Any) -> bool:
    """Whether there is one."""
    ingress = mapping("daskhub_ingress", value, INGRESS)
    for key in ("class", "tls_secret"):
        if ingress.get(key) is not None and not isinstance(ingress[key], str):
            raise wrong(f"daskhub_ingress: {key}", ingress[key], "a name")
    _check_texts("daskhub_ingress: annotations", ingress.get("annotations") or {})
    return boolean("daskhub_ingress: enabled", ingress.get("enabled", False))


def _http_route(value: Any) -> bool:
    """Whether there is one."""
    route = mapping("daskhub_http_route", value, HTTP_ROUTE)
    enabled = boolean("daskhub_http_route: enabled", route.get("enabled", False))
    gateway = mapping("daskhub_http_route: gateway", route.get("gateway") or {}, GATEWAY)
    _check_texts("daskhub_http_route: gateway", gateway)
    _check_texts("daskhub_http_route: annotations", route.get("annotations") or {})
    if enabled and not gateway.get("name"):
        raise InputError(
            "daskhub_http_route is on, but names no gateway; write gateway with its name, and its namespace."
        )
    return enabled


def _dask_gateway_public(value: Any) -> bool:
    """Whether Dask is reached from outside."""
    public = mapping("daskhub_dask_gateway_public", value, PUBLIC)
    port = public.get("port", 443)
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
        raise wrong("daskhub_dask_gateway_public: port", port, "a port such as 443")
    _check_texts("daskhub_dask_gateway_public: annotations", public.get("annotations") or {})
    check_ranges("daskhub_dask_gateway_public: allowed_sources", public.get("allowed_sources") or [])
    return boolean("daskhub_dask_gateway_public: enabled", public.get("enabled", False))


def check_ranges(where: str, value: Any) -> None:
    """Check a list of ranges of addresses."""
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
