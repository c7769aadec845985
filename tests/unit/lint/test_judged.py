"""One template to its findings: told once and in the order of the template; when cfn-lint is loaded, and in how many processes."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lint import gate
from lint.gate import POOL_THRESHOLD, Finding, Job, _judge, _lines, _plain, _source, cfn_lint_version, forks, lint

TEMPLATE = {"Description": "x", "Resources": {"A": {"Type": "AWS::SNS::Topic"}, "B": {"Type": "AWS::SNS::Topic"}}}


def match(rule: str, *path: Any, message: str = "m", parent: str | None = None) -> Any:
    return SimpleNamespace(rule=SimpleNamespace(id=rule, severity="error"), message=message, path=list(path), parent_id=parent)


def judged(template: Any, *matches: Any, indent: int | None = 1) -> tuple[Finding, ...]:
    """With rules that find what is given."""
    rules: Any = SimpleNamespace(run=lambda *_: iter(matches))
    return _judge(json.dumps(template, indent=indent).encode(), ["us-east-1"], rules, None)


def test_findings_stand_in_the_order_of_the_template_and_each_once() -> None:
    twice = [match("E2", "Resources", "B"), match("E2", "Resources", "B")]
    found = judged(
        TEMPLATE,
        match("E3", "Resources", "B"),
        *twice,
        match("E2", "Resources", "B", message="another"),
        match("E9", "Resources", "A", "Type"),
        match("E1", "Outputs"),
        match("E1", "Resources", "A"),
    )
    assert [(each.rule, each.path, each.message, each.line) for each in found] == [
        ("E1", ("Outputs",), "m", None),
        ("E1", ("Resources", "A"), "m", 4),
        ("E9", ("Resources", "A", "Type"), "m", 5),
        ("E2", ("Resources", "B"), "another", 7),
        ("E2", ("Resources", "B"), "m", 7),
        ("E3", ("Resources", "B"), "m", 7),
    ]
    # All in one line: what has no line stands before it.
    found = judged(TEMPLATE, match("E1", "Description"), match("E1", "Outputs"), indent=None)
    assert [each.line for each in found] == [None, 1]


def test_what_another_finding_led_to_is_not_told() -> None:
    assert [each.rule for each in judged(TEMPLATE, match("E1"), match("E2", parent="E1"))] == ["E1"]


def test_a_suppression_is_used_where_it_hides_something_and_told_where_it_does_not() -> None:
    told = {"cfn-lint": {"config": {"ignore_checks": ["E1", "E2"]}}, "Suppressed": {"E1": "why", "E2": "why"}}
    template = {**TEMPLATE, "Resources": {**TEMPLATE["Resources"], "A": {"Type": "AWS::SNS::Topic", "Metadata": told}}}  # type: ignore[dict-item]
    found = judged(template, match("E1", "Resources", "A"), match("E2", "Resources", "B"))
    assert [(each.rule, each.logical_id, each.suppressed, each.level) for each in found] == [
        ("E1", "A", True, "informational"),
        ("I9704", "A", False, "informational"),
        ("E2", "B", False, "error"),
    ]
    assert all(each.line for each in found)
    # An output of the same name is another thing.
    outputs = {**template, "Outputs": {"A": {"Value": "x"}}}
    found = judged(outputs, match("E1", "Outputs", "A"), match("E2", "Resources", "A"))
    assert [(each.rule, each.level) for each in found] == [("E2", "informational"), ("I9704", "informational"), ("E1", "error")]


def test_a_template_that_cannot_be_transformed_says_why() -> None:
    found = judged({"Transform": "AWS::LanguageExtensions", "Resources": {"Fn::ForEach::X": ["a"]}}, match("E1"))
    assert [each.rule for each in found] == ["E0001"]
    assert [each.rule for each in judged({**TEMPLATE, "Transform": "AWS::LanguageExtensions"}, match("E1"))] == ["E1"]


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"{", "not JSON: "), (b"\xff", "not JSON: "), (b"[" * 100_000, "not JSON: "), (b"[]", "a template is a JSON object")],
    ids=["cut off", "no text", "deep", "no object"],
)
def test_what_is_no_template_is_one_finding_of_no_place(data: bytes, words: str) -> None:
    [found] = _judge(data, ["us-east-1"], SimpleNamespace(), None)  # type: ignore[arg-type]
    assert found.message.startswith(words)
    assert (found.rule, found.level, found.source, found.path, found.suppressed) == ("E0000", "error", "cfn-lint", (), False)


def test_what_cfn_lint_trips_over_is_a_finding() -> None:
    def trips(*_: Any) -> Any:
        raise KeyError("Type")

    rules: Any = SimpleNamespace(run=trips)
    [found] = _judge(json.dumps(TEMPLATE).encode(), ["us-east-1"], rules, None)
    assert (found.rule, found.message) == ("E0002", "cfn-lint could not read the template: KeyError: 'Type'")


@pytest.mark.parametrize(("rule", "ours"), [("E9102", True), ("I9704", True), ("E3012", False), ("W1290", False), ("E0002", False)])
def test_a_rule_is_ours_by_the_first_digit(rule: str, ours: bool) -> None:
    assert _source(rule) == _plain(rule, "x").source == ("ours" if ours else "cfn-lint")


def test_a_place_that_the_template_does_not_have_has_the_line_of_what_is_there() -> None:
    template = {"L": [{"x": 1}, [5, {"y": 2}]], "N": 7, "T": "text"}
    data = json.dumps(template, indent=1).encode()
    line, texts = _lines(data), data.decode().splitlines()

    def at(*path: Any) -> str:
        return texts[(line(path) or 0) - 1].strip()

    assert at("L", 0, "x") == '"x": 1' and at("L", 1, 1, "y") == '"y": 2'
    assert at("L", 0) == '"x": 1' and at("L", 1) == at("L", 1, 0)
    for missing in (("L", 7), ("L", 7, 0, "x"), ("L", "x"), ("L", "x", 0, "x"), ("L", 2)):
        assert at(*missing) == '"L": ['
    assert at("N", 0) == '"N": 7,' and at("T", 0) == at("T", 0, 0) == at("T", "x") == '"T": "text"'
    assert line(("M",)) is None
    assert _lines(b'{"a": null}')(("a",)) is None or _lines(b'{"a": null}')(("a",)) == 1
    assert _lines(b"\xff")(("a",)) is None


# --- what is loaded, and how often --------------------------------------------------------------------------------


def test_a_verdict_that_is_kept_does_not_load_cfn_lint(tmp_path: Path) -> None:
    cache = tmp_path / ".cache" / "web-platform" / "lint"
    job = Job(stack_id="x", template=b"[]", regions=("us-east-1",))
    first = lint([job], cache=cache, workers=1, day="2026-02-28")
    before = gate._checker.cache_info()
    assert lint([job], cache=cache, workers=1, day="2026-02-28") == first
    assert gate._checker.cache_info() == before


def test_what_is_collected_after_the_rules_were_loaded_is_as_before() -> None:
    gate.load_rules()
    try:
        for collecting in (False, True):
            (gc.enable if collecting else gc.disable)()
            gate._checker.__wrapped__()
            assert gc.isenabled() is collecting
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("jobs", "workers", "platform", "several"),
    [
        (POOL_THRESHOLD, 2, "linux", True),
        (POOL_THRESHOLD - 1, 2, "linux", False),
        (POOL_THRESHOLD, 1, "linux", False),
        (POOL_THRESHOLD, 8, "darwin", False),
    ],
)
def test_several_processes_lint_many_templates_and_only_on_linux(jobs: int, workers: int, platform: str, several: bool) -> None:
    assert forks(jobs, workers, platform) is several


def test_a_version_is_that_of_the_first_folder_that_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    for name in ("cfn_lint-7.data", "other-1.dist-info", "cfn_lint_extra-3.dist-info"):
        (tmp_path / "a" / name).mkdir()
    (tmp_path / "b" / "cfn_lint-1.2.dist-info").mkdir()
    (tmp_path / "c" / "cfn_lint-9.dist-info").mkdir()
    missing, a, b, c = (str(tmp_path / name) for name in ("none", "a", "b", "c"))
    assert cfn_lint_version([missing, a, b, c]) == "1.2"
    # "" is the folder of the process, which an interpreter looks into first.
    monkeypatch.chdir(c)
    assert cfn_lint_version(["", b]) == "9"
    # Of an installation that was broken off nobody knows which one is used.
    (tmp_path / "b" / "cfn_lint-1.3.dist-info").mkdir()
    assert cfn_lint_version([b]) not in ("1.2", "1.3")
