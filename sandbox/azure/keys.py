# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""The key that signs tokens: JSON Web Tokens (RS256), made and read."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    part.replace(path)


def encode(data: bytes) -> str:
    """Base64 as tokens have it: for URLs, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of such a base64 text."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class SigningKey:
    """An RSA key kept in a file of mode 0600, made at the first start."""

    def __init__(self, path: Path) -> None:
        if path.exists():
            key = serialization.load_pem_private_key(path.read_bytes(), None)
            assert isinstance(key, rsa.RSAPrivateKey)
        else:
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            pem = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            write_private(path, pem)
        self._key = key
        numbers = key.public_key().public_numbers()
        self._n = encode(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big"))
        self._e = encode(numbers.e.to_bytes(3, "big"))
        self.id = encode(hashlib.sha256(self._n.encode()).digest()[:20])
        self.claims = lru_cache(maxsize=1024)(self._claims)

    def sign(self, claims: dict[str, Any]) -> str:
        """A token with these claims."""
        header = {"typ": "JWT", "alg": "RS256", "x5t": self.id, "kid": self.id}
        text = ".".join(encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        return f"{text}.{encode(self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def _claims(self, token: str) -> dict[str, Any] | None:
        """The claims of a token of ours; None for any other text. Whether it has expired is the caller's question."""
        try:
            text, _, signature = token.rpartition(".")
            self._key.public_key().verify(decode(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256())
            claims = json.loads(decode(text.split(".")[1]))
        except (InvalidSignature, ValueError, IndexError):
            return None
        return claims if isinstance(claims, dict) else None

    def jwks(self) -> dict[str, Any]:
        """The public part, as key sets are published."""
        key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id, "x5t": self.id, "n": self._n, "e": self._e}
        return {"keys": [key]}
