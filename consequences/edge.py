"""What of the function that sees every request first is another one after a change.

In: resolved resources of a stack before and after. Out: phrases for visitors, or None where it cannot be told.
Never: runs the code, knows a password.

The function's settings are one line of its code, `const CONFIG = {...};` or `var`, with one name for each (stacks/edge_code.py), and
its description ends with the version of the password (stacks/edge.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from changes.context import Resources
from guards import documents
from templates.intrinsics import text_of

CODE = {"AWS::Lambda::Function": ("Code", "ZipFile"), "AWS::CloudFront::Function": ("FunctionCode",)}
ASKED = "they are asked for the password again"
_WORDS: Mapping[str, str] = {
    "username": ASKED,
    "realm": ASKED,
    "redirects": "other paths are redirected",
    "redirectHosts": "other host names are redirected",
    "entryPath": "the app is at another path",
    "indexDocument": "another page answers the app's routes",
    "healthPath": "another path answers without a password",
    "domain": "another host name is the site's own",
    "fileExtensions": "other paths are files, the rest are routes of the app",
    "hashedPaths": "other paths are files, the rest are routes of the app",
    "strictTransportSecurity": "",
}
"""By setting; "" where nobody notices: the headers of answers are told by themselves."""
_QUIET = frozenset({"Description", "LoggingConfig", "MemorySize", "Role", "Tags", "Timeout", "FunctionConfig", "AutoPublish"})
_CONFIG = re.compile(r"^(?:const|var) CONFIG = (\{.*\});$", re.MULTILINE)
_SETTINGS = re.compile(r"^(?:const|var) (?:CONFIG|PASSWORD_HASH) = .*$", re.MULTILINE)
_CREDENTIAL = re.compile(r"credential (\S+)$")


def changed(before: Resources, after: Resources) -> tuple[str, ...] | None:
    """Phrases, none where visitors notice nothing; None where no function is on both sides."""
    names = [name for name, body in after.items() if body.get("Type") in CODE and before.get(name, {}).get("Type") == body["Type"]]
    if not names:
        return None
    found = [
        word for name in names for word in _of_function(str(after[name]["Type"]), *(_properties(each[name]) for each in (before, after)))
    ]
    return tuple(dict.fromkeys(word for word in found if word))


def _of_function(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    was, now = (_code(each, CODE[kind]) for each in (old, new))
    one, other = (_settings(each) for each in (was, now))
    if one is None or other is None:
        return ["its code is another"] if was != now else []
    found = [_WORDS.get(key, f"{key} is another") for key in sorted({*one, *other}) if one.get(key) != other.get(key)]
    beside = {key for key in {*old, *new} - _QUIET - {CODE[kind][0]} if old.get(key) != new.get(key)}
    if _SETTINGS.sub("", was) != _SETTINGS.sub("", now) or beside:
        found.append("its code is another")
    credentials = [_CREDENTIAL.search(text_of(each.get("Description", ""))) for each in (old, new)]
    if all(credentials) and credentials[0][1] != credentials[1][1]:  # type: ignore[index]
        found.append(ASKED)
    return found


def _properties(body: Mapping[str, Any]) -> Mapping[str, Any]:
    found = body.get("Properties")
    return found if isinstance(found, Mapping) else {}


def _code(properties: Any, path: tuple[str, ...]) -> str:
    for part in path:
        properties = properties.get(part) if isinstance(properties, Mapping) else None
    joined = properties.get("Fn::Join") if isinstance(properties, Mapping) else None
    parts = joined[1] if isinstance(joined, list) and len(joined) == 2 and isinstance(joined[1], list) else [properties]
    return "".join(part if isinstance(part, str) else text_of(part) for part in parts)


def _settings(code: str) -> dict[str, Any] | None:
    match = _CONFIG.search(code)
    try:
        found = documents.loads(match[1]) if match else None
    except documents.Unreadable:
        return None
    return found if isinstance(found, dict) else None
