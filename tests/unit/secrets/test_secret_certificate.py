# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT

from __future__ import annotations

import base64
import ssl
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils._secret_certificate import read
from ansible_collections.planetary.hub.plugins.module_utils._values import InputError
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from certificates import Authority


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.root("Root").below("Intermediate")


def new_key(kind: str) -> Any:
    return ec.generate_private_key(ec.SECP256R1()) if kind == "EC" else rsa.generate_private_key(65537, 2048)


def pfx(key: Any, certificate: Any, chain: list[Any], password: bytes | None = None) -> str:
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    return base64.b64encode(pkcs12.serialize_key_and_certificates(b"hub", key, certificate, chain, lock)).decode()


@pytest.mark.parametrize("kind", ["RSA", "EC"])
@pytest.mark.parametrize("chain", [True, False])
def test_a_pfx_becomes_what_a_server_can_load(tmp_path: Path, authority: Authority, kind: str, chain: bool) -> None:
    key = new_key(kind)
    certificate = authority.issue(key, "hub.example.org")
    # In the order in which nobody wants them, with the root.
    others = list(reversed(authority.chain())) if chain else []
    found = read("hub", pfx(key, certificate, others))
    assert found.names == ("hub.example.org",) and found.days() in (89, 90)
    assert found.chain.count("BEGIN CERTIFICATE") == (2 if chain else 1)
    for name, text in found.files().items():
        (tmp_path / name).write_text(text)
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")


def test_pem_texts_are_read_in_any_order(authority: Authority) -> None:
    key = new_key("EC")
    parts = [authority.chain()[0], authority.issue(key, "hub.example.org")]
    text = "".join(one.public_bytes(Encoding.PEM).decode() for one in parts)
    text += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert read("hub", text).names == ("hub.example.org",)


@pytest.mark.parametrize("wrong", ["nothing", "password", "no key", "another key"])
def test_what_cannot_be_used_is_one_sentence(authority: Authority, wrong: str) -> None:
    key = new_key("EC")
    certificate = authority.issue(key, "hub.example.org")
    value, sentence = {
        "nothing": ("aGVsbG8=", "is neither PEM nor a PFX without password"),
        "password": (pfx(key, certificate, [], b"secret"), "is neither PEM nor a PFX without password"),
        "no key": (certificate.public_bytes(Encoding.PEM).decode(), "came without its private key"),
        "another key": (
            certificate.public_bytes(Encoding.PEM).decode()
            + new_key("EC").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            "does not belong to its private key",
        ),
    }[wrong]
    with pytest.raises(InputError) as error:
        read("hub", value)
    assert sentence in str(error.value) and value[:40] not in str(error.value)
