# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Certificates with their keys, as PFX or PEM: read, described, written."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from .model import Vault
from .refusals import Refused


def read_pfx(value: str, password: str | None) -> tuple[Any, Any, list[Any]]:
    """Key, certificate and chain of a PFX (base64) or of PEM texts."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

    secret = password.encode() if password else None
    try:
        if "-----BEGIN" in value:
            chain = x509.load_pem_x509_certificates(value.encode())
            return load_pem_private_key(value.encode(), secret), chain[0], chain[1:]
        key, certificate, rest = pkcs12.load_key_and_certificates(base64.b64decode(value), secret)
    except (ValueError, TypeError, IndexError):
        key = certificate = None
        rest = []
    if key is None or certificate is None:
        raise Refused(
            400,
            "BadParameter",
            "The specified PKCS#12 X.509 certificate content can not be read. Please check if certificate is in valid "
            "PKCS#12 "
            "format.",
        )
    return key, certificate, list(rest)


def _x509_props(certificate: Any) -> dict[str, Any]:
    from cryptography import x509

    names: list[str] = []
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = list(found.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        pass
    days = (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days
    return {
        "subject": certificate.subject.rfc4514_string(),
        "sans": {"dns_names": names},
        "ekus": ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"],
        "key_usage": ["digitalSignature", "keyEncipherment"],
        "validity_months": max(1, round(days / 30.4)),
        "basic_constraints": {"ca": False},
    }


def policy_of(vault: Vault, name: str, key: Any, certificate: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """The policy of an imported certificate: what it is, and what was asked for besides."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    kind = (
        {"kty": "RSA", "key_size": key.key_size}
        if isinstance(key, rsa.RSAPrivateKey)
        else {"kty": "EC", "crv": "P-256"}
    )
    content = (given.get("secret_props") or {}).get("contentType") or "application/x-pkcs12"
    return {
        "id": f"{vault.url}/certificates/{name}/policy",
        "key_props": {"exportable": True, **kind, "reuse_key": False, **(given.get("key_props") or {})},
        "secret_props": {"contentType": content},
        "x509_props": _x509_props(certificate),
        "lifetime_actions": [{"trigger": {"lifetime_percentage": 80}, "action": {"action_type": "EmailContacts"}}],
        "issuer": {"name": "Unknown", "cert_transparency": False},
        "attributes": {"enabled": True, "created": vault.now, "updated": vault.now},
    }


def secret_value(content_type: str, key: Any, certificate: Any, chain: list[Any]) -> str:
    """What the certificate's secret holds: a PFX without password in base64, or the PEM texts."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        pkcs12,
    )

    if content_type == "application/x-pem-file":
        texts = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())]
        texts += [one.public_bytes(Encoding.PEM) for one in (certificate, *chain)]
        return b"".join(texts).decode()
    return base64.b64encode(
        pkcs12.serialize_key_and_certificates(None, key, certificate, chain, NoEncryption())
    ).decode()
