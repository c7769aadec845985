"""What of the first function is another, by the code that the builds make."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consequences.edge import ASKED, changed
from tests.edit_table import built

AGAIN = ("its code is another",)


def resources(stack: str, **keys: Any) -> dict[str, Any]:
    """Of a built environment; keys ("a.b" as a__b) edited."""
    made = built({name.replace("__", "."): value for name, value in keys.items()})
    found: dict[str, Any] = json.loads(made.templates[stack])["Resources"]
    return found


EDITS: tuple[tuple[dict[str, Any], tuple[str, ...]], ...] = (
    ({}, ()),
    ({"basic_auth__realm": "Staff"}, (ASKED,)),
    ({"basic_auth__username": "guest", "basic_auth__realm": "Staff"}, (ASKED,)),
    ({"basic_auth__log_level": "DEBUG"}, ()),
    ({"security_headers__hsts__preload": True}, ()),
    ({"redirects": [{"path": "/old", "to": "/buy"}]}, ("other paths are redirected",)),
    ({"redirect_hosts": ["www.kimmyai.io"]}, ("other host names are redirected",)),
    ({"app__health_path": "/up"}, ("another path answers without a password",)),
)


@pytest.mark.parametrize(("edit", "words"), EDITS, ids=lambda value: ",".join(value) if isinstance(value, dict) else "")
def test_an_edit_says_what_of_the_function_is_another(edit: dict[str, Any], words: tuple[str, ...]) -> None:
    assert changed(resources("edge"), resources("edge", **edit)) == words
    assert changed(resources("edge", **edit), resources("edge")) == words


def test_without_basic_auth_the_routing_function_is_read() -> None:
    one, other = resources("site", basic_auth__enabled=False), resources("site", basic_auth__enabled=False, app__entry_path="/shop")
    assert changed(one, other) == ("the app is at another path",)
    assert changed(resources("dns"), resources("dns")) is None


def test_a_setting_has_its_word() -> None:
    """A new setting of the function is told at least by its name; that is no sentence for visitors."""
    from consequences.edge import _WORDS, _code, _settings

    function = resources("edge")["Function"]["Properties"]
    assert set(_settings(_code(function, ("Code", "ZipFile"))) or {}) == set(_WORDS)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("Runtime",), "nodejs26.x", AGAIN),
        (("Code", "ZipFile"), "exports.handler = 1;", AGAIN),
        (("Description",), "Basic Auth and routing 1, credential other", (ASKED,)),
        (("MemorySize",), 256, ()),
    ],
)
def test_what_is_beside_the_settings(path: tuple[str, ...], value: Any, words: tuple[str, ...]) -> None:
    before, after = resources("edge"), resources("edge")
    before["Function"]["Properties"]["Description"] = "Basic Auth and routing 1, credential one"
    after["Function"]["Properties"]["Description"] = "Basic Auth and routing 2, credential one"
    place = after["Function"]["Properties"]
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    assert changed(before, after) == words
