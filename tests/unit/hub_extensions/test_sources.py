# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""Users' own variables from services that speak the real protocols, well and badly."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

pytest.importorskip("aiohttp", reason="aiohttp is not installed here")

from hub_extensions import certificates
from hub_extensions.user_environment_sources import api_management, azure_token, gather, http
from hub_extensions.user_environment_sources.base import filled
from hub_extensions.user_environment_sources.gather import Gathered, Gatherer
from hub_extensions.user_secrets import slug

from certificates import Authority
from services import HANG, TOKEN, Services, entry

ADA = "ada@example.org"
KEY = {"PC_SDK_SUBSCRIPTION_KEY": "primary-7-5f0c"}
IDENTITY, SUBSCRIPTION, SECRETS = "/id/users/", "GET /subscriptions/", "POST /subscriptions/"
Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def _secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_SECRETS_DIRECTORY", str(tmp_path))
    (tmp_path / "pc-id-token").write_text(TOKEN)


@pytest.fixture(autouse=True)
def _azure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub has its token for Azure; that azure-identity gets one is proven against the stand-in for Azure."""

    async def fetch(_self: Any) -> Any:
        return SimpleNamespace(token="azure", expires_on=time.time() + 3600)

    monkeypatch.setattr(azure_token.AzureToken, "_fetch", fetch)
    monkeypatch.setattr(http, "FIRST_PAUSE", 0.01)


@pytest.fixture
def services() -> Services:
    return Services()


@pytest.fixture
def ask(services: Services) -> Ask:
    """Ask for some users at once."""

    def run(*users: str, **changes: Any) -> Any:
        async def all_of_them() -> list[Gathered]:
            async with services.running():
                asking = Gatherer([entry(services.address, **changes)])
                try:
                    return list(await asyncio.gather(*(asking.gather(user) for user in users)))
                finally:
                    await asking.close()

        found = asyncio.run(all_of_them())
        return found[0] if len(users) == 1 else found

    return run


def test_the_way_to_a_key(ask: Ask, services: Services) -> None:
    assert ask(ADA).values == KEY
    person, *azure = services.asked
    assert person == "GET /id/users/users/ada%40example.org/"
    name = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/apim/subscriptions/"
    assert sorted(azure) == [
        f"GET {name}7-planetarycomputer",
        f"POST {name}7-planetarycomputer/listSecrets",
    ]


@pytest.mark.parametrize(
    "user",
    ["a+b@example.org", "a/b@example.org", "../admin", "zoë@example.org", "o\"neil's", "100%", "a?b=c#d", "with space"],
)
def test_names_of_users_arrive_as_they_are(ask: Ask, services: Services, user: str) -> None:
    services.people = {user: {"pk": 7}}
    assert ask(user).values == KEY


def test_each_gets_their_own(ask: Ask, services: Services) -> None:
    services.latency = 0.05
    ada, bob = ask(ADA, "bob@example.org")
    assert ada.values == KEY
    assert bob.values == {"PC_SDK_SUBSCRIPTION_KEY": "primary-8-5f0c"}


@pytest.mark.parametrize("pk", [7, "7"])
def test_a_field_is_a_number_or_a_text(ask: Ask, services: Services, pk: Any) -> None:
    services.people[ADA] = {"pk": pk}
    assert ask(ADA).values == KEY


def test_without_an_identity_service_the_name_leads_to_the_subscription(ask: Ask, services: Services) -> None:
    services.keys = {"ada%40example.org-hub": {"primaryKey": "one"}}
    assert ask(ADA, identity_url="", subscription="{user}-hub").values == {"PC_SDK_SUBSCRIPTION_KEY": "one"}


# Where, what it does, what the log says, and whether the answer is that there is no key.
FAILURES: list[tuple[str, Any, str, bool]] = [
    (IDENTITY, 404, "the identity service does not know the user", True),
    (IDENTITY, 401, "the identity service refuses the hub's token (401); renew the secret pc-id-token", False),
    (IDENTITY, 403, "the identity service refuses the hub's token (403); renew the secret pc-id-token", False),
    (IDENTITY, 500, "the identity service answered 500", False),
    (IDENTITY, 302, "the identity service answered 302", False),
    (IDENTITY, (429, {"Retry-After": "60"}), "the identity service answered 429", False),
    (IDENTITY, HANG, "the identity service cannot be reached (no answer in time)", False),
    (IDENTITY, '{"pk": ', "the identity service answered something else than JSON", False),
    (IDENTITY, "[7]", "the identity service answered something else than an object of JSON", False),
    (IDENTITY, '{"pk": "' + "x" * 2**20 + '"}', "the identity service answered more than can be meant", False),
    (IDENTITY, "{}", "the answer of the identity service has no field pk", False),
    (IDENTITY, '{"pk": null}', "the answer of the identity service has no field pk", False),
    (IDENTITY, '{"pk": {"a": 1}}', "the answer of the identity service has no field pk", False),
    (SUBSCRIPTION, 404, "the user has no subscription in API Management", True),
    (SECRETS, 404, "the user has no subscription in API Management", True),
    (SECRETS, 403, "API Management does not let the hub read the subscription (403); check its rights", False),
    (SECRETS, 503, "API Management answered 503", False),
    (SECRETS, HANG, "API Management cannot be reached (no answer in time)", False),
    (SECRETS, '{"primaryKey": ""}', "the primaryKey of the user's subscription in API Management is empty", True),
    (SECRETS, "{}", "the primaryKey of the user's subscription in API Management is empty", True),
    (
        SUBSCRIPTION,
        '{"properties": {"state": "suspended"}}',
        "the user's subscription in API Management is suspended, not active",
        True,
    ),
]


@pytest.mark.parametrize(("where", "fault", "sentence", "lasting"), FAILURES)
def test_failures(
    ask: Ask,
    services: Services,
    caplog: pytest.LogCaptureFixture,
    where: str,
    fault: Any,
    sentence: str,
    lasting: bool,
) -> None:
    services.faults = {where: [fault]}
    begin = time.monotonic()
    found = ask(ADA, timeout=0.9)
    assert time.monotonic() - begin < 3
    assert (found.values, found.refused) == ({}, [])
    assert found.unknown == (set() if lasting else {"PC_SDK_SUBSCRIPTION_KEY"})
    (line,) = [record.getMessage() for record in caplog.records if record.name == gather.__name__]
    assert line.startswith("No variables from the source planetary-computer for the user ada@example.org after ")
    assert line.endswith(f": {sentence}; the server starts without.")


def test_where_a_failure_refuses(ask: Ask, services: Services, caplog: pytest.LogCaptureFixture) -> None:
    services.faults = {IDENTITY: [404]}
    assert ask(ADA, on_failure="refuse").refused == ["planetary-computer"]
    assert caplog.messages[-1].endswith("; the server does not start.")


def test_a_service_that_is_down(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> Gathered:
        asking = Gatherer([entry("http://127.0.0.1:9", timeout=1)])
        try:
            return await asking.gather(ADA)
        finally:
            await asking.close()

    assert asyncio.run(run()).unknown == {"PC_SDK_SUBSCRIPTION_KEY"}
    assert "the identity service cannot be reached (ClientConnectorError)" in caplog.text


def test_no_secret_for_the_identity_service(ask: Ask, services: Services, caplog: pytest.LogCaptureFixture) -> None:
    assert not ask(ADA, identity_token="another").values
    assert "The secret another cannot be read (No such file or directory); set it and deploy again" in caplog.text
    assert not services.asked


@pytest.mark.parametrize("fault", [500, 502, 503, 504, 408, 429])
def test_what_passes_is_tried_again(ask: Ask, services: Services, fault: int) -> None:
    services.faults = {SECRETS: [fault, '{"primaryKey": "primary-7-5f0c"}'], IDENTITY: [fault, '{"pk": 7}']}
    assert ask(ADA).values == KEY


def test_the_last_answer_is_said_when_time_runs_out(
    ask: Ask, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    services.faults = {IDENTITY: [503, HANG]}
    assert not ask(ADA, timeout=0.9).values
    assert "the identity service answered 503; the server starts without." in caplog.text


def test_a_connection_that_hangs_is_tried_again(ask: Ask, services: Services) -> None:
    services.faults = {IDENTITY: [HANG, '{"pk": 7}']}
    assert ask(ADA, timeout=1).values == KEY


def test_retry_after_is_waited_for(ask: Ask, services: Services) -> None:
    services.faults = {IDENTITY: [(429, {"Retry-After": "1"}), '{"pk": 7}']}
    begin = time.monotonic()
    assert ask(ADA).values == KEY
    assert 1 <= time.monotonic() - begin < 3


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7), ("0", 0), ("-3", 0), ("", 0), ("soon", 0), (formatdate(60, usegmt=True), 0)]
)
def test_retry_after(value: str, seconds: float) -> None:
    assert http.retry_after(value) == seconds


def test_retry_after_may_be_a_date() -> None:
    assert 50 < http.retry_after(formatdate(time.time() + 60, usegmt=True)) <= 60


def in_turn(services: Services, *steps: Any, **changes: Any) -> Any:
    """Run steps with one gatherer in one loop; a step is a function of it."""

    async def run() -> list[Any]:
        async with services.running():
            asking = Gatherer([entry(services.address, **changes)])
            try:
                return [await step(asking) for step in steps]
            finally:
                await asking.close()

    return asyncio.run(run())


def test_answers_are_kept_for_a_while_then_asked_anew(services: Services) -> None:
    async def ada(asking: Gatherer) -> dict[str, str]:
        return (await asking.gather(ADA)).values

    async def rotate(_asking: Gatherer) -> None:
        services.keys["7-planetarycomputer"]["primaryKey"] = "rotated"

    async def wait(_asking: Gatherer) -> None:
        await asyncio.sleep(0.3)

    first, _, again, _, later = in_turn(services, ada, rotate, ada, wait, ada, cache=0.2)
    assert first == again == KEY
    assert later == {"PC_SDK_SUBSCRIPTION_KEY": "rotated"}
    assert len(services.asked) == 6


def test_without_a_cache_each_start_asks(services: Services) -> None:
    async def ada(asking: Gatherer) -> None:
        await asking.gather(ADA)

    in_turn(services, ada, ada, cache=0)
    assert len(services.asked) == 6


def test_failures_are_not_kept(services: Services) -> None:
    async def ada(asking: Gatherer) -> dict[str, str]:
        return (await asking.gather(ADA)).values

    services.faults = {IDENTITY: [401, '{"pk": 7}']}
    assert in_turn(services, ada, ada) == [{}, KEY]


def test_two_servers_of_one_user_ask_once(services: Services) -> None:
    async def twice(asking: Gatherer) -> Any:
        return await asyncio.gather(asking.gather(ADA), asking.gather(ADA))

    services.latency = 0.05
    ((one, two),) = in_turn(services, twice)
    assert one.values == two.values == KEY
    assert len(services.asked) == 3


def test_a_cancelled_start_takes_nothing_from_others(services: Services) -> None:
    async def cancel_one(asking: Gatherer) -> dict[str, str]:
        cancelled, other = (asyncio.create_task(asking.gather(ADA)) for _ in range(2))
        await asyncio.sleep(0.02)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        return (await other).values

    services.latency = 0.05
    assert in_turn(services, cancel_one) == [KEY]


def test_nothing_of_a_cancelled_start_is_left(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    async def cancel(asking: Gatherer) -> set[Any]:
        task = asyncio.create_task(asking.gather(ADA))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.sleep(0.5)
        return set(asking._asking)

    services.faults = {IDENTITY: [HANG]}
    assert in_turn(services, cancel, timeout=0.2) == [set()]
    assert "never retrieved" not in caplog.text


def test_no_log_line_holds_a_secret(ask: Ask, services: Services, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask(ADA)
    services.faults = {SUBSCRIPTION: [403]}
    found = ask(ADA)
    assert "No variables" in caplog.text
    for secret in (TOKEN, "primary-7-5f0c", "Bearer"):
        assert secret not in caplog.text
        assert secret not in repr(found)


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", ""])
def test_certificates_of_the_environment(
    services: Services, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, key = Authority.root("Company"), rsa.generate_private_key(65537, 2048)
    (tmp_path / "company.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    pem = authority.issue(key, "localhost").public_bytes(Encoding.PEM)
    pem += key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "server.pem").write_bytes(pem)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "server.pem")
    for each in certificates.BUNDLES:
        monkeypatch.delenv(each, raising=False)
    if name:
        monkeypatch.setenv(name, str(tmp_path / "company.pem"))

    async def run() -> Gathered:
        async with services.running(tls):
            address = services.address.replace("127.0.0.1", "localhost")
            asking = Gatherer([entry(address, timeout=1)])
            try:
                return await asking.gather(ADA)
            finally:
                await asking.close()

    assert asyncio.run(run()).values == (KEY if name else {})


def test_a_bundle_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/company.pem")
    assert http.trusted() is True
    assert "The certificates of /nowhere/company.pem cannot be read: No such file or directory." in caplog.text


def test_other_sources(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shared-key").write_text("everybody's\n")
    (tmp_path / "operators_module.py").write_text(
        "import time\n"
        "def plain(user):\n    time.sleep(0.3)\n    return {'greeting': f'hello {user}'}\n"
        "async def later(user):\n    return {'greeting': f'soon {user}'}\n"
        "def broken(user):\n    raise ValueError('hunter2')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    services.secrets = {f"{slug(ADA)}--key": {"value": "from the vault"}}
    common = {"on_failure": "refuse", "timeout": 2, "cache": 0}

    async def run() -> tuple[Gathered, float]:
        async with services.running():
            vault = {"vault": services.address, "variables": {"V": "{slug}--key", "W": "no-{slug}"}}
            asking = Gatherer(
                [
                    {"source": "static", "name": "s", "variables": {"S": "shared-key"}, **common},
                    {"source": "static", "name": "no", "variables": {"N": "no-key"}, **common},
                    *(
                        {
                            **{"source": "callable", "name": name, "function": f"operators_module:{name}"},
                            **{"variables": {name.upper(): "greeting"}, **common},
                        }
                        for name in ("plain", "later", "broken", "absent")
                    ),
                    {**entry(""), "source": "key_vault", "name": "one", **vault, "variables": {"V": "{slug}--key"}},
                    {**entry(""), "source": "key_vault", "name": "two", **vault, **common},
                ]
            )
            begin = time.monotonic()
            found = asyncio.create_task(asking.gather(ADA))
            longest = 0.0
            while not found.done():
                before = time.monotonic()
                await asyncio.sleep(0.005)
                longest = max(longest, time.monotonic() - before)
            assert time.monotonic() - begin >= 0.3
            await asking.close()
            return found.result(), longest

    found, longest = asyncio.run(run())
    assert found.values == {
        "S": "everybody's",
        "PLAIN": "hello ada@example.org",
        "LATER": "soon ada@example.org",
        "V": "from the vault",
    }
    assert found.refused == ["no", "broken", "absent", "two"]
    # The plain function slept in a thread.
    assert longest < 0.25


@pytest.mark.parametrize("value", ["", 7, None, "a\0b"])
def test_values_that_no_variable_can_hold(monkeypatch: pytest.MonkeyPatch, services: Services, value: Any) -> None:
    async def fetch(*_: Any) -> dict[str, Any]:
        return {"PC_SDK_SUBSCRIPTION_KEY": value}

    monkeypatch.setattr(api_management.ApiManagement, "fetch", fetch)

    async def ada(asking: Gatherer) -> Gathered:
        return await asking.gather(ADA)

    (found,) = in_turn(services, ada)
    assert found.values == {} and found.unknown == set()


@pytest.mark.parametrize(
    ("known", "kept"),
    [
        ({}, {"A": "new"}),
        ({"A": "old"}, {"A": "new"}),
        ({"B": "old"}, {"A": "new", "B": "old"}),
        ({"C": "x"}, {"A": "new"}),
    ],
)
def test_what_nobody_could_say_stays_as_it_was(known: dict[str, str], kept: dict[str, str]) -> None:
    assert Gathered({"A": "new"}, {"B"}).merged(known) == kept


@pytest.mark.parametrize("pattern", ["{user.__class__}", "{0}", "{}", "{user!r}"])
def test_patterns_are_no_templates(pattern: str) -> None:
    assert filled(pattern, {"user": "x"}) == pattern
