# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""A person at a plain browser: follows pages and forms, keeps no scripts."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class Form(HTMLParser):
    """The first form of a page.

    :ivar action: where it is sent; ``fields`` what it holds, by name
    :ivar text: all text of the page
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = values["action"]
        elif tag == "input":
            self.fields[values["name"]] = values.get("value", "")

    def handle_data(self, data: str) -> None:
        self.text += data


def sign_in(address: str, user: str, password: str) -> requests.Response:
    """Open a page, fill in its form, send it; the answer is the provider's, not yet followed."""
    page = requests.get(address, timeout=30)
    form = Form(page.text)
    assert page.status_code == 200 and set(form.fields) >= {"username", "password"}, page.text
    given = {**form.fields, "username": user, "password": password}
    return requests.post(urljoin(page.url, form.action), given, timeout=30, allow_redirects=False)
