"""What a setting holds never stands in a message.

In: the environment, and secrets as they are read (`hide`). Out: a text in which they are `***`.
Never: keeps a secret that is too short to be told from a word, reads a file.

Two nets: values that are known are found whatever is around them, and in the forms in which libraries quote them; and places where a secret
stands by its form (a password in a URL, a signature, a header that was refused) are masked whether its value is known or not.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Mapping

MASK = "***"
SHORTEST = 8
"""Characters. Shorter values are not looked for: "test" is a password on a local AWS and a word everywhere else."""

_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSW|ACCESS_KEY|API_?KEY|PRIVATE_KEY|AUTHORIZATION", re.IGNORECASE)
_PLACE_NAME = re.compile(r"_(?:FILE|PATH|DIR|URL|URI|NAME|ARN|TTL)$", re.IGNORECASE)
"""These say where a secret is, not what it is. A password inside of a URL is found by its form."""

_FORMS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("@", re.compile(r"(?<=://)[^/?#\s\\\"'<>]*@"), f"{MASK}@"),
    ("x-amz-", re.compile(r"(?i)(X-Amz-(?:Signature|Security-Token|Credential)(?:=|%3D|'?\"?: ?b?['\"]?))[^&\s'\",<>)]+"), rf"\1{MASK}"),
    ("signature", re.compile(r"(?i)((?:Signature|Credential)=)[^&\s'\",<>)]+"), rf"\1{MASK}"),
    ("authorization", re.compile(r"(?i)((?:proxy-)?authorization'?\"?: ?b?['\"]?(?:basic|bearer) )[^\s'\",<>]+"), rf"\1{MASK}"),
    # urllib3, http.client, requests and h11 quote a header that they refuse; such a header is usually a token with a line break.
    (
        "header value",
        re.compile(r"(?i)(header value:? )(?:b?'(?:[^'\"\\\n]|\\+.|\"(?![,\s\]}:]|\Z))*'?|b?\\?\"(?:[^\"\\\n]|\\+[^\"\n])*|[^\s\"]+)"),
        rf"\1{MASK}",
    ),
)

_known: dict[str, None] = {}
"""Longest first, so that one that holds another is masked whole."""


def hide(*secrets: str | bytes | None) -> None:
    """These are secrets from now on. Of one with several lines, each line is."""
    found = dict(_known)
    for secret in secrets:
        text = secret.decode("utf-8", "replace") if isinstance(secret, bytes) else secret or ""
        for part in {text, text.strip(), *text.split("\n")}:
            # Emulators of AWS take an account's number for an access key id; it stands in every review.
            if len(part.strip()) >= SHORTEST and not re.fullmatch(r"\d{12}", part):
                forms = {part, urllib.parse.quote(part, safe=""), urllib.parse.quote(part), urllib.parse.quote_plus(part)}
                forms |= {repr(part)[1:-1], json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1]}
                forms |= {part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}
                found.update(dict.fromkeys(forms))
    if len(found) > len(_known):
        ordered = sorted(found, key=len, reverse=True)
        # One assignment: other threads print meanwhile.
        globals()["_known"] = dict.fromkeys(ordered)


def hide_settings(environ: Mapping[str, str]) -> None:
    """All that the environment holds under a secret's name, and the passwords of its URLs."""
    for name, value in environ.items():
        if _SECRET_NAME.search(name) and not _PLACE_NAME.search(name):
            hide(value)
        else:
            hide_url(value)


def hide_url(url: str) -> None:
    """The password of a URL, if it has one; its user name stands in every other message too."""
    user = url.partition("://")[2].rpartition("@")[0]
    if ":" in user or "/" not in user:
        password = user.partition(":")[2]
        hide(user, password, urllib.parse.unquote(password), *password.split("/"))


def masked(text: str) -> str:
    """The text without any secret that is known, or that stands where a secret does."""
    for secret in _known:
        if secret in text:
            text = text.replace(secret, MASK)
    lowered = text.lower()
    for sign, form, instead in _FORMS:
        if sign in lowered:
            text = form.sub(instead, text)
    return text
