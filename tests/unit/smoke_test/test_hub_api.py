# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from ansible_collections.planetary.hub.plugins.module_utils import _hub_api as hub_api
from ansible_collections.planetary.hub.plugins.module_utils._hub_api import Hub, HubError, LoginForm

FORM = """
<form action="/search"><input name="q"></form>
<form action="/compute/hub/login?next=" method="post" role="form">
  <input type="hidden" name="_xsrf" value="a&amp;b"/>
  <input id="username_input" type="text" name="username" autofocus="autofocus" />
  <input type="password" name="password"><input type="submit" value="Sign in">
</form>
<form action="/other"><input type="hidden" name="later" value="x"><input type="text" name="elsewhere"></form>
"""


def test_the_form_with_the_password_is_found() -> None:
    form = LoginForm(FORM)
    assert form.usable
    assert form.action == "/compute/hub/login?next="
    assert form.hidden == {"_xsrf": "a&b"}
    assert (form.user_field, form.password_field) == ("username", "password")


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<a href='/hub/oauth_login'>Sign in with GitHub</a>",
        "<form><input name='q'></form>",
        "<input type=password>",
    ],
)
def test_a_page_without_such_a_form(html: str) -> None:
    assert not LoginForm(html).usable


@pytest.mark.parametrize(
    ("root", "parts", "url"),
    [
        ("http://h:8000", ("hub", "login"), "http://h:8000/hub/login"),
        ("http://h:8000/", ("hub", "login"), "http://h:8000/hub/login"),
        ("https://h/compute/", ("hub", "api"), "https://h/compute/hub/api"),
        ("https://h/", ("hub", "users", "a@b.org"), "https://h/hub/users/a@b.org"),
        ("https://h/", ("hub", "users", "a b/c?d"), "https://h/hub/users/a%20b%2Fc%3Fd"),
    ],
)
def test_hub_url(root: str, parts: tuple[str, ...], url: str) -> None:
    assert hub_api.hub_url(root, *parts) == url


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://h/compute/", "https://H/services/x?y", True),
        ("https://h/", "http://h/", False),
        ("https://h/", "https://h:8443/", False),
        ("https://h/", "https://h.evil.org/", False),
    ],
)
def test_same_origin(one: str, other: str, same: bool) -> None:
    assert hub_api.same_origin(one, other) is same


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"status": 400, "message": "smoke-test is already running"}', "smoke-test is already running"),
        ('{"error": "two\\n lines"}', "two lines"),
        ('["list"]', ""),
        ("<!DOCTYPE html><h1>502</h1>", ""),
        ("plain words", "plain words"),
        ("", ""),
    ],
)
def test_said(body: str, words: str) -> None:
    assert hub_api.said(body) == words


def test_events_tell_of_time_too() -> None:
    lines = [b'data: {"progress": 0, "message": "Server requested"}', b"", b"data: broken", b"", b"data: [1]", b": hi"]
    assert list(hub_api.events(iter(lines))) == [{"progress": 0, "message": "Server requested"}, {}, {}, {}, {}, {}]


@pytest.mark.parametrize(
    ("event", "kept"),
    [
        ({"message": "Server requested"}, True),
        ({"message": "a", "raw_event": {"lastTimestamp": "2026-11-23T09:59:59Z"}}, False),
        ({"message": "a", "raw_event": {"lastTimestamp": "2026-11-23T10:00:00Z"}}, True),
        ({"message": "a", "raw_event": {"lastTimestamp": None, "eventTime": "2026-11-23T09:59:58.123456Z"}}, False),
        ({"message": "a", "raw_event": {"lastTimestamp": None, "eventTime": "2026-11-23T10:00:01.123456Z"}}, True),
        ({"message": "a", "raw_event": {"lastTimestamp": None}}, True),
        ({"message": "a", "raw_event": {"lastTimestamp": "soon"}}, True),
        ({"message": "a", "raw_event": "none"}, True),
        ({"failed": True, "message": "no"}, True),
    ],
)
def test_events_of_an_earlier_pod_are_passed_over(event: dict[str, Any], kept: bool) -> None:
    asked = hub_api.clock({"Date": "Mon, 23 Nov 2026 10:00:00 GMT"})
    assert list(hub_api.of_start(iter([event]), asked)) == [event if kept else {}]
    assert list(hub_api.of_start(iter([event]), hub_api.clock({}))) == [event]


def test_shown_hides_the_query() -> None:
    assert hub_api.shown("https://h/user/a/lab?token=secret#x") == "https://h/user/a/lab"


def test_the_token_goes_to_the_hub_alone() -> None:
    hub = Hub("https://hub.example.org/compute/")
    assert hub.headers("https://hub.example.org/user/x") == {}
    hub.token = "t0ken"
    assert hub.headers("https://hub.example.org/user/x") == {"Authorization": "token t0ken"}
    assert hub.headers("https://dask.example.org/status") == {}


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ({"url": "/compute/user/x/"}, "https://h/compute/user/x/"),
        ({"url": "/user/x/", "full_url": None}, "https://h/user/x/"),
        ({"url": "/user/x/", "full_url": "https://x.h/user/x/"}, "https://x.h/user/x/"),
    ],
)
def test_server_address(server: dict[str, Any], url: str) -> None:
    assert Hub("https://h/compute").server_address(server) == url


Answer = tuple[int, str]
Serve = Callable[[dict[str, Answer]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A web server that knows these requests ("GET /path") and answers 404 to all others; returns its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(answers: dict[str, Answer]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                status, body = answers.get(f"{self.command} {self.path.partition('?')[0]}", (404, ""))
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, *_: Any) -> None:
                """Be quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({}, "GET {url}hub/login answered HTTP 404"),
        ({"GET /hub/login": (503, '{"message": "Service Unavailable"}')}, "answered HTTP 503: Service Unavailable"),
        (
            {"GET /hub/login": (200, "<p>Sign in with GitHub")},
            "has no form for a name and a password: give smoke_test_tok",
        ),
        (
            {"GET /hub/login": (200, FORM), "POST /compute/hub/login": (403, "Invalid username or password")},
            "the hub refuses user name ann with this password (HTTP 403)",
        ),
        (
            {"GET /hub/login": (200, FORM), "POST /compute/hub/login": (200, "<p>try again")},
            "POST {url}compute/hub/login answered HTTP 200",
        ),
    ],
    ids=["no hub", "hub is down", "another way to sign in", "wrong password", "no redirect"],
)
def test_signing_in_fails_with_a_sentence(serve: Serve, answers: dict[str, Answer], sentence: str) -> None:
    url = serve(answers)
    with pytest.raises(HubError) as caught:
        Hub(url).sign_in("ann", "pass-word", 60, "note")
    assert sentence.replace("{url}", url) in str(caught.value)
    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("answers", "name", "sentence"),
    [
        ({"GET /hub/api/user": (403, "")}, "", "the hub does not accept the API token"),
        ({"GET /hub/api/user": (200, '{"kind": "service", "name": "x"}')}, "", "belongs to service x, not to a user"),
        ({"GET /hub/api/user": (200, '{"kind": "user", "name": "x"}')}, "y", "belongs to user x, not to user y"),
    ],
    ids=["unknown", "of a service", "of somebody else"],
)
def test_a_wrong_token(serve: Serve, answers: dict[str, Answer], name: str, sentence: str) -> None:
    hub = Hub(serve(answers))
    with pytest.raises(HubError, match=sentence):
        hub.sign_in_with_token("t0ken", name)
    assert hub.token == ""


@pytest.mark.parametrize(
    ("servers", "found"),
    [
        ("{}", None),
        ('{"": {"ready": true, "pending": null}}', {"ready": True, "pending": None}),
        ('{"": {"ready": false, "pending": "stop"}}', {"ready": False, "pending": "stop"}),
        ('{"": {"ready": false, "pending": null, "stopped": true}}', None),
        ('{"named": {"ready": true}}', None),
    ],
)
def test_the_default_server(serve: Serve, servers: str, found: dict[str, Any] | None) -> None:
    hub = Hub(serve({"GET /hub/api/users/ann": (200, f'{{"servers": {servers}}}')}))
    hub.user = "ann"
    assert hub.server() == found


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
        with pytest.raises(HubError) as caught:
            Hub(url).api("GET", "user")
    assert str(caught.value) == f"GET {url}hub/api/user got no answer: connection refused"


def test_no_tls_there(serve: Serve) -> None:
    url = serve({}).replace("http:", "https:")
    with pytest.raises(HubError, match="got no answer: no TLS there"):
        Hub(url).api("GET", "user")


def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(HubError, match="got no answer: its name is not known"):
        Hub("http://hub.invalid/").api("GET", "user")
