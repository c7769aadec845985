"""What the composer promises about the code it hands to the templates; the code itself runs in tests/edge."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from troposphere import Ref

from stacks import edge_code
from stacks.edge_code import EdgeCodeError, EdgeConfig, basic_auth_code, viewer_request_code

CONFIG = EdgeConfig(username="admin", realm="dev", entry_path="/buy", index_document="/index.html", health_path="/healthz")
HASH = Ref("BasicAuthPasswordHash")


def parts(config: EdgeConfig) -> list[object]:
    rendered = json.loads(json.dumps(basic_auth_code(config, HASH).to_dict()))
    assert list(rendered) == ["Fn::Join"]
    separator, values = rendered["Fn::Join"]
    assert separator == ""
    return list(values)


def test_the_reference_to_the_hash_is_all_that_is_not_literal() -> None:
    before, hash_, after = parts(CONFIG)
    assert isinstance(before, str)
    assert isinstance(after, str)
    assert hash_ == {"Ref": "BasicAuthPasswordHash"}
    assert before.endswith('const PASSWORD_HASH = "')
    assert after.startswith('";\n')


def test_composed_code_has_neither_marks_nor_comment_lines_nor_local_modules() -> None:
    basic_auth = "".join(str(part) for part in parts(CONFIG))
    for code in (basic_auth, viewer_request_code(CONFIG)):
        assert not re.search(r"^\s*//", code, re.MULTILINE)
        assert 'require("../' not in code
        assert code.isascii()
    assert "require" not in viewer_request_code(CONFIG)
    assert "module" not in viewer_request_code(CONFIG)


def test_sizes_stay_within_their_limits() -> None:
    assert len(viewer_request_code(CONFIG).encode()) <= edge_code.VIEWER_REQUEST_LIMIT
    assert sum(len(str(part).encode()) for part in parts(CONFIG)) <= edge_code.BASIC_AUTH_LIMIT


def test_code_that_would_be_too_large_is_refused() -> None:
    long_path = "/" + "x" * edge_code.VIEWER_REQUEST_LIMIT
    with pytest.raises(EdgeCodeError, match=r"CloudFront Function has [\d,]+ bytes, 10,240 are allowed"):
        viewer_request_code(replace(CONFIG, entry_path=long_path))
    with pytest.raises(EdgeCodeError, match=r"Basic Auth function has [\d,]+ bytes, 16,384 are allowed"):
        basic_auth_code(replace(CONFIG, realm="x" * edge_code.BASIC_AUTH_LIMIT), HASH)


def test_the_cloudfront_function_knows_nothing_of_basic_auth_or_the_health_path() -> None:
    code = viewer_request_code(replace(CONFIG, username="somebody", realm="somewhere"))
    assert "somebody" not in code
    assert "somewhere" not in code
    assert "/healthz" not in code


@pytest.mark.parametrize("field", ["username", "realm", "entry_path", "index_document", "health_path", "strict_transport_security"])
def test_the_code_follows_every_part_of_the_configuration(field: str) -> None:
    changed = replace(CONFIG, **{field: getattr(CONFIG, field) + "x"})
    assert parts(changed) != parts(CONFIG)
    assert parts(replace(changed, **{field: getattr(CONFIG, field)})) == parts(CONFIG)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"username": ""}, "username"),
        ({"username": "a:b"}, "username"),
        ({"username": "a\nb"}, "username"),
        ({"username": "ä" * 128}, "username"),
        ({"username": "\ud800"}, "username"),
        ({"entry_path": "buy"}, "entry_path"),
        ({"entry_path": "/buy/"}, "entry_path"),
        ({"entry_path": "//evil.com"}, "entry_path"),
        ({"entry_path": "/a/../b"}, "entry_path"),
        ({"entry_path": "/buy\n"}, "entry_path"),
        ({"entry_path": "/b y"}, "entry_path"),
        ({"index_document": "/"}, "index_document"),
        ({"index_document": "index.html"}, "index_document"),
        ({"health_path": "healthz"}, "health_path"),
        ({"health_path": "/"}, "health_path"),
        ({"health_path": "/buy"}, "page of the app"),
        ({"health_path": "/index.html"}, "page of the app"),
        ({"strict_transport_security": "max-age=1\r\nx: y"}, "strict_transport_security"),
        ({"strict_transport_security": ""}, "strict_transport_security"),
    ],
)
def test_configuration_the_edge_could_not_live_with_is_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(EdgeCodeError, match=complaint):
        replace(CONFIG, **changes)


def test_every_problem_of_a_configuration_is_named_at_once() -> None:
    with pytest.raises(EdgeCodeError) as raised:
        EdgeConfig(username="", realm="", entry_path="x", index_document="", health_path="y", strict_transport_security="")
    assert len(raised.value.problems) == 5


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_realm_comes_out_of_the_code_as_it_went_in(realm: str) -> None:
    before = str(parts(replace(CONFIG, realm=realm))[0])
    assert before.isascii()
    line = next(line for line in before.split("\n") if line.startswith("const CONFIG = "))
    assert json.loads(line.removeprefix("const CONFIG = ").removesuffix(";"))["realm"] == realm
    assert "</" not in line


@given(st.from_regex(re.compile(edge_code.PASSWORD_HASH_PATTERN)))
def test_the_allowed_pattern_leaves_no_way_out_of_the_javascript_string(value: str) -> None:
    # Python's "$", like Java's, allows one final line feed: that is a syntax error, which admits nobody.
    assert not set(value.removesuffix("\n")) & set("\"'`\\\n\r\u2028\u2029(){};<>")


@pytest.mark.parametrize(
    "value",
    [
        '";process.exit();"',
        "",
        '$scrypt$ln=14,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$";x="',
        "x$scrypt$ln=14,r=8,p=1$" + "A" * 22 + "$" + "A" * 43,
        "$hmac-sha256$" + "A" * 22,
    ],
)
def test_the_allowed_pattern_refuses_what_is_no_hash(value: str) -> None:
    assert not re.search(edge_code.PASSWORD_HASH_PATTERN, value)


def test_a_source_without_its_build_block_is_refused() -> None:
    block = "// --- build: x ---\nvar x;\n// --- end build ---\n"
    assert edge_code._cut(f"a\n{block}b\n", "s.js") == ("a\n", "b\n")
    for text in ("a\n", block + block):
        with pytest.raises(EdgeCodeError, match=r"s\.js: must have exactly one block"):
            edge_code._cut(text, "s.js")


def test_a_missing_source_is_named() -> None:
    with pytest.raises(EdgeCodeError, match=r"missing\.js: No such file"):
        edge_code._read("missing.js")
