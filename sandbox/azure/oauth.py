# Copyright (c) planetary.hub contributors
# SPDX-License-Identifier: MIT
"""What providers of OAuth 2 have in common: a person signs in by a form, the application redeems a code.

Sources: https://www.rfc-editor.org/rfc/rfc6749#section-4.1, https://www.rfc-editor.org/rfc/rfc7636 (PKCE)
"""

from __future__ import annotations

import base64
import hashlib
import html
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus, urlencode

from .keys import encode
from .web import Answer, Request

if TYPE_CHECKING:
    from .cloud import Cloud

#: Seconds for which a code can be redeemed.
LIFETIME = 600.0
#: Parameters of the form itself; all others are the application's.
OWN = ("username", "password")
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<main>
<h1>{title}</h1>
{content}
</main>
</body>
</html>
"""


@dataclass
class Code:
    """What a code stands for.

    :ivar provider: who gave it
    :ivar person: object id of who has signed in
    :ivar challenge: PKCE's, with its ``method``; "" for none
    :ivar expires: seconds since 1970
    :ivar redeemed: whether it has been used
    """

    provider: str
    client: str
    redirect_uri: str
    scope: str
    person: str
    expires: float
    nonce: str = ""
    challenge: str = ""
    method: str = ""
    redeemed: bool = False


def give(cloud: Cloud, code: Code) -> str:
    """A new code; those that have expired are forgotten."""
    held = cloud.store.fact("codes")
    for key in [key for key, one in held.items() if one["expires"] < cloud.now()]:
        del held[key]
    text = secrets.token_urlsafe(32)
    held[text] = asdict(code)
    cloud.store.touch("codes")
    return text


def look(cloud: Cloud, text: str) -> Code | None:
    """What a code stands for; None when it is unknown or has expired."""
    found = cloud.store.fact("codes").get(text)
    return Code(**found) if found and found["expires"] >= cloud.now() else None


def redeem(cloud: Cloud, text: str) -> None:
    """Mark a code as used."""
    cloud.store.fact("codes")[text]["redeemed"] = True
    cloud.store.touch("codes")


def proves(challenge: str, method: str, verifier: str) -> bool:
    """Whether a verifier is the one that PKCE's challenge was made of.

    >>> proves("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "S256", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    True
    """
    if method.upper() == "S256":
        verifier = encode(hashlib.sha256(verifier.encode()).digest())
    return secrets.compare_digest(challenge.encode(), verifier.encode())


def client_of(request: Request) -> tuple[str, str | None]:
    """Id and secret of the application: of the header Authorization (Basic), else of the form."""
    kind, _, content = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(content).decode().partition(":")
        except ValueError:
            return "", None
        return unquote_plus(name), unquote_plus(secret)
    form = request.form()
    return form.get("client_id", ""), form.get("client_secret")


def page(title: str, content: str, status: int = 200) -> Answer:
    """A page for a person; ``content`` is HTML."""
    text = _PAGE.format(title=html.escape(title), content=content)
    return Answer(status, headers={"Content-Type": "text/html; charset=utf-8"}, content=text.encode())


def _hidden(values: Mapping[str, str]) -> str:
    return "\n".join(
        f'<input type="hidden" name="{html.escape(key)}" value="{html.escape(value)}">' for key, value in values.items()
    )


def _table(shown: Mapping[str, str]) -> str:
    rows = "\n".join(f"<li>{html.escape(name)}: <code>{html.escape(word)}</code></li>" for name, word in shown.items())
    return f"<p>Nothing here is real; sign in as</p>\n<ul>{rows}</ul>" if rows else ""


def form(
    title: str, action: str, asked: Mapping[str, str], message: str = "", shown: Mapping[str, str] | None = None
) -> Answer:
    """The form by which a person signs in; what the application has asked goes along.

    :param shown: names with the passwords that anybody may use
    """
    hint = html.escape(asked.get("username") or asked.get("login_hint", ""))
    alert = f'<p role="alert">{html.escape(message)}</p>\n' if message else ""
    content = f"""{alert}<form method="post" action="{html.escape(action)}">
{_hidden({key: value for key, value in asked.items() if key not in OWN})}
<label>User <input type="text" name="username" value="{hint}" autocomplete="username" required></label>
<label>Password <input type="password" name="password" autocomplete="current-password" required></label>
<button type="submit">Sign in</button>
</form>
{_table(shown or {})}"""
    return page(title, content)


def back(asked: Mapping[str, str], result: Mapping[str, str]) -> Answer:
    """Lead the browser back to the application, with a code or an error and the application's state."""
    address = asked["redirect_uri"]
    values = {**result, **({"state": asked["state"]} if "state" in asked else {})}
    mode = asked.get("response_mode", "query")
    if mode == "form_post":
        content = f"""<form method="post" action="{html.escape(address)}">
{_hidden(values)}
<button type="submit">Go on</button>
</form>
<script>document.forms[0].submit()</script>"""
        return page("Working...", content)
    sign = "#" if mode == "fragment" else ("&" if "?" in address else "?")
    return Answer(302, headers={"Location": f"{address}{sign}{urlencode(values)}"}, content=b"")
