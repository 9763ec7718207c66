# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A JupyterHub as its users reach it: login form, REST API, their own server, their Dask clusters.

Every failure is a :class:`HubError` with one sentence for people; no sentence holds a secret.
"""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from ansible_collections.planetary.hub.plugins.module_utils._network_error import why

REQUESTS_ERROR: str | None = None
try:
    import requests
except ImportError:
    REQUESTS_ERROR = traceback.format_exc()

REQUEST_TIMEOUT = 30.0  # seconds for one answer of the hub


class HubError(Exception):
    """What went wrong, in one sentence."""


class LoginForm(HTMLParser):
    """The form with a password field of a login page: where it goes and what it sends unasked."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.hidden: dict[str, str] = {}
        self.user_field = ""
        self.password_field = ""
        self._open = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.password_field and not self._open:
            return
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open, self.action, self.hidden, self.user_field = True, given.get("action", ""), {}, ""
        elif tag == "input" and self._open:
            kind, name = given.get("type", "text"), given.get("name", "")
            if kind == "hidden":
                self.hidden[name] = given.get("value", "")
            elif kind == "password":
                self.password_field = name
            elif kind in ("text", "email") and name:
                self.user_field = self.user_field or name

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False

    @property
    def usable(self) -> bool:
        return bool(self.user_field and self.password_field)


def hub_url(root: str, *parts: str) -> str:
    """An address below the hub's, each part quoted as JupyterHub quotes user names.

    >>> hub_url("https://hub.example.org/compute/", "hub", "api", "users", "ann@example.org")
    'https://hub.example.org/compute/hub/api/users/ann@example.org'
    """
    return "/".join([root.rstrip("/"), *(quote(part, safe="@~") for part in parts)])


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses belong to one server, so that what signs us in at one may be shown to the other."""
    a, b = urlsplit(one), urlsplit(other)
    return (a.scheme, a.netloc.lower()) == (b.scheme, b.netloc.lower())


def shown(url: str) -> str:
    """An address without its query, which may hold a token."""
    return urlsplit(url)._replace(query="", fragment="").geturl()


def said(text: str) -> str:
    """What the hub's error body says: the `message` of its JSON, otherwise a short text.

    >>> said('{"status": 400, "message": "smoke-test is already running"}')
    'smoke-test is already running'
    """
    try:
        answer = json.loads(text)
    except ValueError:
        line = " ".join(text.split())
        return "" if line.startswith("<") else line[:200]
    if isinstance(answer, dict):
        return " ".join(str(answer.get("message") or answer.get("error") or "").split())
    return ""


def events(lines: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """The JSON objects of an event stream (``data: {...}`` lines).

    Every other line, such as the empty ones that keep the connection open, comes as an empty object: time has passed.
    """
    for line in lines:
        text = line.decode("utf-8", "replace").strip()
        try:
            event = json.loads(text.removeprefix("data:")) if text.startswith("data:") else {}
        except ValueError:
            event = {}
        yield event if isinstance(event, dict) else {}


def clock(headers: Mapping[str, str]) -> datetime | None:
    """What an answer says the time is."""
    try:
        return parsedate_to_datetime(headers["Date"])
    except (KeyError, ValueError):
        return None


def happened(event: Mapping[str, Any]) -> datetime | None:
    """When it happened in the cluster, for the hub's events that come from there.

    >>> happened({"raw_event": {"lastTimestamp": "2026-11-23T10:00:00Z"}}).isoformat()
    '2026-11-23T10:00:00+00:00'
    """
    found = event.get("raw_event")
    seen = (found.get("lastTimestamp") or found.get("eventTime")) if isinstance(found, dict) else None
    try:
        said = datetime.fromisoformat(str(seen))
    except ValueError:
        return None
    return said if said.tzinfo else None


def of_start(events: Iterator[dict[str, Any]], asked: datetime | None) -> Iterator[dict[str, Any]]:
    """Events, without those of an earlier server of the same name: KubeSpawner knows of the start only after its hooks.

    :param asked: when the server was asked for, by the hub's clock; None for all events
    """
    for event in events:
        when = happened(event) if asked else None
        yield {} if when and asked and when < asked else event


class Hub:
    """One user's way into one hub.

    :param url: the hub's address with its base URL, ``https://hub.example.org/compute/``
    :param ca_file: a CA bundle to trust; empty: the environment's or the system's
    """

    def __init__(self, url: str, ca_file: str = "") -> None:
        self.url = url.rstrip("/") + "/"
        self.user = ""
        self.token = ""
        # When its last answer began, by its own clock, in whole seconds.
        self.clock: datetime | None = None
        self.ca_file = ca_file or os.environ.get("REQUESTS_CA_BUNDLE", "") or str(requests.utils.DEFAULT_CA_BUNDLE_PATH)
        self._session = requests.Session()

    # --- requests -----------------------------------------------------------------------------------------------------

    def address(self, *parts: str) -> str:
        return hub_url(self.url, *parts)

    def headers(self, url: str) -> dict[str, str]:
        """What signs a request in; nothing for another server than the hub's."""
        return {"Authorization": f"token {self.token}"} if self.token and same_origin(url, self.url) else {}

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        # Not plain headers: those would lose against an entry for this host in somebody's ~/.netrc.
        for name, value in self.headers(request.url or "").items():
            request.headers.setdefault(name, value)
        return request

    def request(self, method: str, url: str, timeout: float = REQUEST_TIMEOUT, **more: Any) -> requests.Response:
        """One request, signed in with the token if there is one.

        :raises HubError: when there is no answer; any status is an answer
        """
        try:
            # `verify` with every request: the session's own would lose against REQUESTS_CA_BUNDLE.
            response = self._session.request(
                method, url, timeout=max(timeout, 1), auth=self._sign, verify=self.ca_file, **more
            )
        except OSError as error:
            raise HubError(f"{method} {shown(url)} got no answer: {why(error)}") from error
        self.clock = clock(response.headers) if same_origin(url, self.url) else self.clock
        return response

    def api(self, method: str, *parts: str, accept: tuple[int, ...] = (), **more: Any) -> Any:
        """One call of the hub's REST API.

        :param accept: statuses that are fine besides 2xx
        :returns: the answer's JSON, ``None`` when it has none
        """
        response = self.request(method, self.address("hub", "api", *parts), **more)
        if not response.ok and response.status_code not in accept:
            raise HubError(refusal(response))
        try:
            return response.json()
        except ValueError:
            return None

    # --- signing in ---------------------------------------------------------------------------------------------------

    def sign_in(self, name: str, password: str, token_seconds: int, note: str) -> str:
        """Through the login form, then a token of the user's own; the token signs in from then on.

        :param token_seconds: how long the token lives
        :param note: what the hub's token page says about it
        :returns: the token's id, to revoke it
        """
        page = self.request("GET", self.address("hub", "login"))
        form = LoginForm(page.text)
        if not page.ok:
            raise HubError(refusal(page))
        if not form.usable:
            raise HubError(
                f"the login page {shown(page.url)} has no form for a name and a password: "
                "give smoke_test_token_file, an API token of the test user, instead"
            )
        answer = self.request(
            "POST",
            urljoin(page.url, form.action or ""),
            data={**form.hidden, form.user_field: name, form.password_field: password},
            allow_redirects=False,
        )
        if answer.status_code in (401, 403):
            raise HubError(f"the hub refuses user name {name} with this password (HTTP {answer.status_code})")
        if not answer.is_redirect:
            raise HubError(refusal(answer))
        # A page of the hub renews the XSRF cookie for the new session.
        self.request("GET", self.address("hub", "token"))
        # The API token below is asked for with the session's cookie, as the hub's token page does.
        made = self.api(
            "POST",
            "users",
            name,
            "tokens",
            json={"note": note, "expires_in": token_seconds},
            headers={"X-XSRFToken": self._xsrf_token()},
        )
        self.user, self.token = name, made["token"]
        return str(made["id"])

    def sign_in_with_token(self, token: str, name: str) -> None:
        """With an API token; its owner must be ``name``, if that is given."""
        self.token = token
        answer = self.request("GET", self.address("hub", "api", "user"))
        if not answer.ok:
            self.token = ""
            refused = answer.status_code in (401, 403)
            raise HubError("the hub does not accept the API token" if refused else refusal(answer))
        owner = answer.json()
        if owner.get("kind") != "user" or (name and owner["name"] != name):
            self.token = ""
            wanted = f"user {name}" if name else "a user"
            raise HubError(f"the API token belongs to {owner.get('kind')} {owner.get('name')}, not to {wanted}")
        self.user = owner["name"]

    def sign_in_by_service(self, name: str, service_token: str, token_seconds: int, note: str) -> str:
        """As a user without a password: with a token that a service of the hub makes for it.

        :param service_token: of a service with the scope ``tokens!user=<name>``
        :returns: the token's id, to revoke it
        """
        self.token = service_token
        try:
            asked = {"note": note, "expires_in": token_seconds}
            answer = self.request("POST", self.address("hub", "api", "users", name, "tokens"), json=asked)
        finally:
            self.token = ""
        if answer.status_code in (401, 403):
            # The hub does not tell the one from the other.
            raise HubError(f"there is no user {name}, or the service token is not one that may sign in as {name}")
        if not answer.ok:
            raise HubError(refusal(answer))
        made = answer.json()
        self.user, self.token = name, made["token"]
        return str(made["id"])

    def sign_out(self) -> None:
        """End the browser session, if there is one."""
        self.token = ""
        if self._session.cookies:
            self.request("GET", self.address("hub", "logout"))
            self._session.cookies.clear()

    def tokens(self) -> list[dict[str, Any]]:
        """The user's API tokens: ``[{id, note, ...}]``."""
        return list((self.api("GET", "users", self.user, "tokens") or {}).get("api_tokens", []))

    def revoke(self, token_id: str) -> None:
        self.api("DELETE", "users", self.user, "tokens", token_id, accept=(404,))

    def _xsrf_token(self) -> str:
        # JupyterHub sets one for the hub's path; a proxy in front may have set others.
        path = urlsplit(self.address("hub")).path + "/"
        found = {cookie.path: cookie.value or "" for cookie in self._session.cookies if cookie.name == "_xsrf"}
        return found.get(path) or next(iter(found.values()), "")

    # --- the user's server --------------------------------------------------------------------------------------------

    def server(self) -> dict[str, Any] | None:
        """The user's default server as the hub describes it (`ready`, `pending`, `url`), `None` without one."""
        servers: Mapping[str, Any] = (self.api("GET", "users", self.user) or {}).get("servers") or {}
        found = servers.get("")
        return dict(found) if found and (found.get("ready") or found.get("pending")) else None

    def start_server(self, options: Mapping[str, Any], timeout: float) -> None:
        """Ask for a server.

        The hub answers when it runs, after ten seconds that it is still starting, or much later that it failed.
        """
        self.api("POST", "users", self.user, "server", json=dict(options), timeout=timeout)

    def stop_server(self) -> None:
        """Ask for the end of the server, running or starting."""
        self.api("DELETE", "users", self.user, "server", accept=(404,))

    def start_events(self, timeout: float, asked: datetime | None = None) -> Iterator[dict[str, Any]]:
        """What the hub says while the server starts; the last event has `ready` or `failed`.

        :param timeout: seconds without a sign of life (the hub gives one every eight)
        :param asked: when the server was asked for, see :func:`of_start`
        """
        url = self.address("hub", "api", "users", self.user, "server", "progress")
        response = self.request("GET", url, timeout=timeout, stream=True)
        with response:
            if not response.ok:
                # It has ended between two questions; what became of it is asked elsewhere.
                return
            try:
                yield from of_start(events(response.iter_lines(chunk_size=1)), asked)
            except requests.RequestException:
                return

    def server_address(self, server: Mapping[str, Any]) -> str:
        """The server's address, absolute; with a domain for users it is not below the hub's."""
        return urljoin(self.url, str(server.get("full_url") or server["url"])).rstrip("/") + "/"

    # --- Dask ---------------------------------------------------------------------------------------------------------

    def clusters(self, gateway: str) -> list[str]:
        """Names of the user's Dask clusters that have not ended yet, asked from the gateway's own API.

        :param gateway: the gateway's address
        """
        response = self._gateway("GET", gateway, "", params={"status": "pending,running,stopping"})
        if not response.ok:
            raise HubError(refusal(response))
        return sorted(response.json())

    def stop_cluster(self, gateway: str, name: str) -> None:
        response = self._gateway("DELETE", gateway, name)
        if not response.ok and response.status_code != 404:
            raise HubError(refusal(response))

    def _gateway(self, method: str, gateway: str, name: str, **more: Any) -> requests.Response:
        url = hub_url(gateway, "api", "v1", "clusters") + "/" + quote(name)
        # dask-gateway knows JupyterHub's tokens by this word.
        return self.request(method, url, headers={"Authorization": f"jupyterhub {self.token}"}, **more)


def refusal(response: requests.Response) -> str:
    """An answer that is an error, as a sentence."""
    method = response.request.method or "GET"
    reason = said(response.text)
    return f"{method} {shown(response.url)} answered HTTP {response.status_code}" + (f": {reason}" if reason else "")
