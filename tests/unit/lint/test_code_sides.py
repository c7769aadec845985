"""Code in templates: what the runtime of CloudFront Functions has, which code is shown to Node.js, where a handler has to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lint.rules import code
from lint.rules.base import Rule
from templates.view import View
from tests.unit.lint.test_rule_sides import GONE, IMPORTED, either

HANDLER = "function handler(event) { return event.request; }"


def said(rule: type[Rule], *resources: dict[str, Any]) -> list[tuple[str, str]]:
    named = {f"R{number}": resource for number, resource in enumerate(resources)}
    view = View({"Resources": named, "Conditions": {"C": {}}, "Parameters": {"P": {"Type": "String"}}}, ("us-east-1",))
    return [(".".join(map(str, path[1:])).replace(".Properties", ""), words) for path, words in rule().check(view)]


def edge(text: Any, runtime: Any = "cloudfront-js-2.0") -> dict[str, Any]:
    return {"Type": "AWS::CloudFront::Function", "Properties": {"FunctionCode": text, "FunctionConfig": {"Runtime": runtime}}}


def inline(text: Any, **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "nodejs22.x", "Code": {"ZipFile": text}, **more}}


# --- the runtime --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (HANDLER, []),
        ("const handler = async (event) => event.request;", []),
        (f"const crypto = require('crypto');\nimport cf from 'cloudfront';\n{HANDLER}", []),
        (f"const fs = require('fs'), net = require( \"net\" );\n{HANDLER}", ["there is no module fs", "there is no module net"]),
        (f"import {{ a }} from 'fs';\n{HANDLER}", ["there is no module fs"]),
        (f"// Lambda has require('fs') for 'fs'\n/* import x from 'fs'; */\n{HANDLER}", []),
        ("function other(event) {}", ["no function handler"]),
        ("// function handler\nvar text = 'function handler';", ["no function handler"]),
        ("function handlers(event) {}", ["no function handler"]),
        ({"Fn::Sub": f"${{P}} {HANDLER}"}, []),
        ({"Fn::Sub": "${P}"}, []),
        ({"Fn::Sub": "${P}; ${P}"}, []),
        (IMPORTED, []),
        (GONE, []),
        # All in one line, as minifiers write it: the slashes in the pattern begin no comment, its quote no text.
        (f"var clean=u=>u.replace(/\\/\\//g,'/');{HANDLER}", []),
        (f"var clean=u=>u.split(/[/'\"]/);{HANDLER}", []),
        (f"var half=2;var clean=half/2;/* /x/ */{HANDLER}", []),
    ],
)
def test_a_function_has_a_handler_and_takes_modules_that_there_are(text: Any, wanted: list[str]) -> None:
    found = said(code.EdgeRuntime, edge(text))
    assert [(path, words.partition(";")[0].partition(":")[0]) for path, words in found] == [("R0.FunctionCode", words) for words in wanted]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("const a = 1;", "const"),
        ("let [a] = b;", "let"),
        ("async function f() {}", "async"),
        ("class A {}", "class"),
        ("var a = 1;", None),
        ("var letter = event.const;", None),
        ("a.let b", None),
        ("// const a\n", None),
        ("var a = 'let us';", None),
    ],
)
def test_the_first_runtime_lacks_words_that_the_second_has(line: str, word: str | None) -> None:
    wanted = [("R0.FunctionCode", f"cloudfront-js-1.0 has no {word}; use cloudfront-js-2.0")] if word else []
    assert said(code.EdgeRuntime, edge(f"{line} {HANDLER}", "cloudfront-js-1.0")) == wanted
    assert said(code.EdgeRuntime, edge(f"{line} {HANDLER}", either("cloudfront-js-2.0", "cloudfront-js-1.0"))) == wanted
    assert said(code.EdgeRuntime, edge(f"{line} {HANDLER}")) == []


# --- Node.js ------------------------------------------------------------------------------------------------------


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Node.js that takes code with the word good, and repeats the first line of any other."""
    file = tmp_path / "node"
    file.write_text('#!/bin/sh\nread -r line\ncase "$line" in *good*) exit 0;; esac\necho "SyntaxError: $line" >&2\nexit 1\n')
    file.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return file


@pytest.mark.parametrize(
    ("resource", "wanted"),
    [
        (edge("bad 1"), [("R0.FunctionCode", "SyntaxError: bad 1")]),
        (edge("good"), []),
        (edge(IMPORTED), []),
        (edge(GONE), []),
        # The one import that its runtime has is none to a script.
        (edge("import cf from 'cloudfront'; bad 2"), [("R0.FunctionCode", "SyntaxError: bad 2")]),
        (edge("import fs from 'fs'; bad"), [("R0.FunctionCode", "SyntaxError: import fs from 'fs'; bad")]),
        (inline("bad 3"), [("R0.Code.ZipFile", "SyntaxError: bad 3")]),
        (inline("good"), []),
        (inline("bad", Runtime="python3.13"), []),
        (inline("bad", Runtime=IMPORTED), []),
        (inline("bad", Runtime=GONE), []),
        (inline("bad 4", Runtime=either("python3.13", "nodejs22.x")), [("R0.Code.ZipFile", "SyntaxError: bad 4")]),
        (inline(GONE), []),
    ],
)
def test_code_that_is_javascript_is_shown_to_node(node: Path, resource: dict[str, Any], wanted: list[tuple[str, str]]) -> None:
    assert said(code.Parses, resource) == wanted


def test_where_no_node_answers_nothing_is_judged(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert code.syntax_error("bad 5") == "SyntaxError: bad 5" and code.syntax_error("good") is None
    node.write_bytes(b"\x00 no program")
    assert code.syntax_error("bad 6") is None
    node.unlink()
    assert code.syntax_error("bad 5") is None
    monkeypatch.setenv("PATH", "")
    assert code.syntax_error("bad 5") is None


def test_what_node_cannot_read_is_said_by_node(node: Path) -> None:
    assert code.syntax_error("bad \ud800") == "SyntaxError: bad ?"


# --- a handler ----------------------------------------------------------------------------------------------------

TEXT = "exports.handler = 1"


@pytest.mark.parametrize(
    ("handler", "text", "wanted"),
    [
        ("index.handler", TEXT, None),
        ("index.other", TEXT, "the code has no other"),
        ("main.handler", TEXT, "main.handler is in main; inline code is in index"),
        ("handler", TEXT, "handler is in no file; inline code is in index"),
        ("index.a+", "exports.aaa = 1", "the code has no a+"),
        ({"Fn::Sub": "main.${P}"}, TEXT, None),
        ("index.other", IMPORTED, None),
        ("main.handler", GONE, None),
        (IMPORTED, TEXT, None),
        (GONE, TEXT, None),
        ("main.handler", IMPORTED, "main.handler is in main; inline code is in index"),
        ("index.other", either(GONE, TEXT), "the code has no other"),
        (either("index.handler", "index.other"), either(TEXT, "exports.other = 1"), None),
    ],
)
def test_a_handler_is_in_the_file_that_cloudformation_writes(handler: Any, text: Any, wanted: str | None) -> None:
    assert said(code.InlineHandler, inline(text, Handler=handler)) == ([] if wanted is None else [("R0.Handler", wanted)])
