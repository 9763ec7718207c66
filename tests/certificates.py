# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Certificates for tests: an authority, one below it, and what they issue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAYS = 90

# What a key of an authority is for: to sign certificates.
SIGNS = x509.KeyUsage(False, False, False, False, False, True, False, False, False)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True)
class Authority:
    """A certificate that signs others.

    :ivar above: the one that signed it; None for a root
    """

    key: Any
    certificate: x509.Certificate
    above: Authority | None = None

    @classmethod
    def root(cls, text: str) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        return cls(key, _signed(key, name(text), key.public_key(), name(text), x509.BasicConstraints(True, None)))

    def below(self, text: str) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        subject, issuer = name(text), self.certificate.subject
        limits = x509.BasicConstraints(True, None)
        return Authority(key, _signed(self.key, issuer, key.public_key(), subject, limits), self)

    def issue(self, key: Any, host: str, days: int = DAYS) -> x509.Certificate:
        """A server's certificate."""
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        return _signed(self.key, self.certificate.subject, key.public_key(), name(host), names, days)

    def chain(self) -> list[x509.Certificate]:
        """It and all above it, the root last."""
        return [self.certificate, *(self.above.chain() if self.above else [])]


def _signed(
    key: Any, issuer: x509.Name, public: Any, subject: x509.Name, more: Any, days: int = DAYS
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer, subject, public, x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + timedelta(days=days))
    # Python 3.13 checks certificates as strictly as RFC 5280 reads.
    authority = isinstance(more, x509.BasicConstraints)
    builder = builder.add_extension(more, critical=authority)
    if authority:
        builder = builder.add_extension(SIGNS, critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return builder.add_extension(above, critical=False).sign(key, hashes.SHA256())
