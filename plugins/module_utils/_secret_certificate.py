# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A certificate as Key Vault keeps it (PFX in base64, or PEM), as the two files that a web server reads."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ansible_collections.planetary.hub.plugins.module_utils._azure_auth import LibraryMissing, missing_library
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError


@dataclass(frozen=True)
class Certificate:
    """A key and the chain that proves it.

    :ivar chain: PEM, the server's own certificate first, its issuers after it
    :ivar key: PEM, PKCS #8, without password
    :ivar names: DNS names that it is good for
    :ivar expires: its end
    """

    chain: str
    key: str
    names: tuple[str, ...]
    expires: datetime

    def files(self) -> dict[str, str]:
        """What a Secret of type kubernetes.io/tls holds."""
        return {"tls.crt": self.chain, "tls.key": self.key}

    def days(self, now: datetime | None = None) -> int:
        """Whole days until the end; negative after it."""
        return (self.expires - (now or datetime.now(UTC))).days


def read(name: str, value: str) -> Certificate:
    """Read a certificate's secret.

    :param name: what errors call it
    :param value: PFX without password in base64, or PEM texts
    :raises InputError: when it holds no key with its certificate
    """
    try:
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    except ImportError:
        raise LibraryMissing(missing_library("cryptography")) from None
    key, certificates = _pem(name, value) if "-----BEGIN" in value else _pfx(name, value)
    if key is None:
        raise InputError(f"The certificate {name} came without its private key; import it with an exportable one.")
    own = next((one for one in certificates if _public(one) == _public(key)), None)
    if own is None:
        raise InputError(f"The certificate {name} does not belong to its private key; import both again.")
    chain = _ordered(own, [one for one in certificates if one != own])
    return Certificate(
        chain="".join(one.public_bytes(Encoding.PEM).decode() for one in chain),
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        names=_names(own),
        expires=own.not_valid_after_utc,
    )


def _pfx(name: str, value: str) -> tuple[Any, list[Any]]:
    from cryptography.hazmat.primitives.serialization import pkcs12

    try:
        content = base64.b64decode("".join(value.split()), validate=True)
        key, own, others = pkcs12.load_key_and_certificates(content, None)
    except (binascii.Error, ValueError, TypeError):
        raise InputError(
            f"The certificate {name} is neither PEM nor a PFX without password; import it with az keyvault certificate"
            " import, which takes the password away."
        ) from None
    return key, ([own] if own is not None else []) + list(others)


def _pem(name: str, value: str) -> tuple[Any, list[Any]]:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        certificates = x509.load_pem_x509_certificates(value.encode())
        key = load_pem_private_key(value.encode(), None) if "PRIVATE KEY" in value else None
    except (ValueError, TypeError):
        raise InputError(f"The certificate {name} is not readable as PEM; import it again.") from None
    return key, certificates


def _public(holder: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    encoded: bytes = holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


def _ordered(own: Any, others: list[Any]) -> list[Any]:
    """Each certificate before its issuer. The root is left out: whoever trusts it has it."""
    chain = [own]
    while True:
        issuer = next((one for one in others if one.subject == chain[-1].issuer and one not in chain), None)
        if issuer is None or issuer.subject == issuer.issuer:
            return chain
        chain.append(issuer)


def _names(certificate: Any) -> tuple[str, ...]:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(names.get_values_for_type(x509.DNSName))
