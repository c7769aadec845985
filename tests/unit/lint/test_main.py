"""python -m lint within this process: what it prints where, what counts, what it ends with."""

from __future__ import annotations

import io
import json
import os
import runpy
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lint.__main__ as command
from lint.__main__ import _line, main
from lint.gate import Finding
from tests.envelopes import envelope
from tests.unit.lint.test_rules import GOOD, edited

BAD = edited(("Description", "no alias zone"), ("Resources/Bucket/Properties/AccessControl", "Private"))


@pytest.fixture(autouse=True)
def no_verdicts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def good(tmp_path: Path) -> str:
    (tmp_path / "good.json").write_text(json.dumps(GOOD))
    return str(tmp_path / "good.json")


@pytest.fixture
def bad(tmp_path: Path) -> str:
    (tmp_path / "bad.json").write_text(json.dumps(BAD, indent=1))
    return str(tmp_path / "bad.json")


def test_the_summary_counts_templates_findings_and_what_was_not_linted(
    good: str, bad: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([good]) == 0
    assert capsys.readouterr() == ("", "lint: templates 1, findings 0, not linted 0\n")
    assert main([good, bad, bad]) == 1
    out, err = capsys.readouterr()
    findings = out.splitlines()
    assert err == f"lint: templates 2, findings {len(findings)}, not linted 0\n" and findings
    assert all(line.startswith(f"{bad}:") for line in findings)
    line_of = next(n for n, text in enumerate(Path(bad).read_text().splitlines(), 1) if "AccessControl" in text)
    assert any(f"{bad}:{line_of}: Bucket: E9402 error: " in line and line.endswith(" at Properties.AccessControl") for line in findings)
    missing = str(tmp_path / "none.json")
    assert main([good, missing]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err == f"{missing}: cannot be read: No such file or directory\nlint: templates 1, findings 0, not linted 1\n"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.json", "{", "not JSON: "),
        ("a.json", "[]", "no CloudFormation template"),
        ("a.json", '{"Resources": []}', "no CloudFormation template"),
        ("a.json", '{"Description": "x"}', "no CloudFormation template"),
        ("a.yaml", "a: [", "not YAML: "),
        ("a.yml", "\t- x", "not YAML: "),
        ("a.json", '{"Resources": {"A": {}, "B": {}, "A": {}}}', "not JSON: the key 'A' stands twice in one mapping"),
        ("a.yaml", "Resources:\n  A: {}\n  B: {}\n  A: {}\n", "not YAML: the key 'A' stands twice in one mapping"),
        ("a.yaml", "Resources:\n  A: !Join ['', [{B: 1, B: 2}]]\n", "not YAML: the key 'B' stands twice in one mapping"),
        ("a.yaml", "Resources: &a\n  A: *a\n", "not YAML: "),
    ],
)
def test_what_is_no_template_is_said(name: str, text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / name).write_text(text)
    assert main([str(tmp_path / name)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and words in err and err.endswith("lint: templates 0, findings 0, not linted 1\n")


def test_findings_for_machines(bad: str, good: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", good]) == 0
    answer = envelope(capsys.readouterr().out)
    assert (answer["ok"], answer["problems"], [t["file"] for t in answer["data"]["templates"]]) == (True, [], [good])
    assert main(["--json", bad, str(tmp_path / "none.json")]) == 2
    answer = envelope(capsys.readouterr().out)
    assert answer["ok"] is False and "not_linted" in {p["code"] for p in answer["problems"]}
    assert {"rule", "level", "message"} <= set(answer["data"]["templates"][0]["findings"][0])
    assert main(["--json", bad]) == 1
    assert envelope(capsys.readouterr().out)["ok"] is False


def test_standard_input_is_a_template_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(BAD).encode())))
    assert main(["-"]) == 1
    assert all(line.startswith("-") for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize("name", ["a.yaml", "B.YML"])
def test_yaml_has_no_lines(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / name
    file.write_text("Resources:\n  Bucket:\n    Type: AWS::S3::Bucket\n    Properties: {BucketName: !Sub '${AWS::AccountId}-x'}\n")
    assert main([str(file)]) == 1
    assert all(line.startswith(f"{file}: ") for line in capsys.readouterr().out.splitlines())


def test_an_unknown_region_is_a_problem_told_once(good: str, bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([good, "--region", "eu-moon-1"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("eu-moon-1") == 1 and err.endswith("lint: templates 1, findings 0, not linted 1\n")
    assert main(["--json", good, "--region", "eu-moon-1"]) == 2
    assert [problem["code"] for problem in envelope(capsys.readouterr().out)["problems"]] == ["not_linted"]


def test_what_is_only_informational_is_shown_on_demand_and_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metadata = {"cfn-lint": {"config": {"ignore_checks": ["E9402"]}}}
    suppressed = json.loads(json.dumps(BAD))
    suppressed["Resources"]["Bucket"].setdefault("Metadata", {}).update(metadata)
    file = tmp_path / "a.json"
    file.write_text(json.dumps(suppressed))
    main([str(file)])
    quiet = capsys.readouterr().out
    main(["-v", str(file)])
    more = set(capsys.readouterr().out.splitlines()) - set(quiet.splitlines())
    assert quiet and [line.partition(": ")[2].partition(": ")[2][:19] for line in more] == ["E9402 informational"]
    main(["--json", str(file)])
    answer = envelope(capsys.readouterr().out)
    told = [each["level"] for each in answer["data"]["templates"][0]["findings"]]
    assert "informational" in told and len(answer["problems"]) == len(told) - told.count("informational") == len(quiet.splitlines())


def test_an_option_is_written_out(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Half of --json would be an answer in lines for whoever reads JSON."""
    assert main(["--js", good]) == 2
    assert "lint: unrecognized arguments: --js" in capsys.readouterr().err


def test_each_template_that_cannot_be_read_is_told_beside_the_findings_of_the_others(
    bad: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([bad, str(tmp_path / "a.json"), str(tmp_path / "b.json"), "--region", "us-east-1", "--region", "eu-moon-1"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and [line.rpartition("/")[2] for line in err.splitlines()] == [
        "a.json: cannot be read: No such file or directory",
        "b.json: cannot be read: No such file or directory",
        "cfn-lint knows no region eu-moon-1",
        "lint: templates 1, findings 0, not linted 3",
    ]
    assert main(["--json", bad, "--region", "eu-moon-1"]) == 2
    [template] = envelope(capsys.readouterr().out)["data"]["templates"]
    assert [finding["rule"] for finding in template["findings"]] == ["E9700"]


def test_either_templates_or_rules(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["--rules", good]):
        assert main(arguments) == 2
        assert "expected either TEMPLATE or --rules" in capsys.readouterr().err
    assert main(["--rules", "--json"]) == 2
    capsys.readouterr()
    assert main(["--rules"]) == 0
    assert capsys.readouterr().out.startswith("#")


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (KeyboardInterrupt(), 130, "lint: interrupted\n"),
        (BrokenPipeError(), 1, ""),
        (OSError(28, "No space left on device"), 1, "lint: input or output: No space left on device\n"),
    ],
)
def test_an_interrupt_a_full_disk_and_a_reader_that_went_away_are_no_tracebacks(
    error: BaseException, status: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Gone(io.TextIOWrapper):
        def write(self, _: str) -> int:
            raise error

    errors = capsys
    monkeypatch.setattr(sys, "stdout", Gone(io.BytesIO()))
    assert main(["--rules"]) == status
    monkeypatch.undo()
    assert errors.readouterr().err == words


def finding(**more: Any) -> Finding:
    given: dict[str, Any] = {
        "stack_id": "a.json",
        "rule": "E1",
        "level": "error",
        "message": "wrong",
        "logical_id": "It",
        "path": ("Resources", "It", "Properties", 0),
        "line": 7,
        "source": "",
    }
    return Finding(**{**given, **more})


def test_a_finding_in_one_line() -> None:
    assert _line(finding()) == "a.json:7: It: E1 error: wrong at Properties.0"
    assert _line(finding(line=None)) == "a.json: It: E1 error: wrong at Properties.0"
    assert _line(finding(stack_id="a.yaml")) == "a.yaml: It: E1 error: wrong at Properties.0"
    assert _line(finding(logical_id=None, path=("Outputs", "X"))) == "a.json:7: -: E1 error: wrong at Outputs.X"
    assert _line(finding(path=())) == "a.json:7: It: E1 error: wrong"
    assert _line(finding(suppressed=True, reason="known")) == "a.json:7: It: E1 error: wrong at Properties.0 [suppressed: known]"
    assert command.WORKERS == 2


# --- as a program -------------------------------------------------------------------------------------------------


@pytest.fixture
def signals() -> Iterator[None]:
    """Whatever the program makes of them is undone."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
def test_a_program_whose_input_is_closed_masks_secrets_and_ends_with_its_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "lint.__main__")
    monkeypatch.setattr(sys, "argv", ["lint", "--json", "a-secret-that-nobody-else-has.json"])
    monkeypatch.setattr(sys, "stdin", None)
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, getattr(sys, stream))
    monkeypatch.setenv("SITE_PASSWORD", "a-secret-that-nobody-else-has")
    monkeypatch.setenv("DEPLOY_VENV_TRIED", "1")
    with pytest.raises(SystemExit) as ended:
        # Where lines are counted (tests/counted.py), what runpy runs has nowhere to count.
        runpy.run_module("lint", {"__counted__": bytearray(1 << 16)}, run_name="__main__")
    assert ended.value.code == 2
    assert sys.stdin is not None, "it is open, and empty, from the beginning"
    assert "DEPLOY_VENV_TRIED" not in os.environ, "the Python that has the packages was looked for"
    out, err = capsys.readouterr()
    assert err.startswith("***.json: cannot be read: ")
    assert [problem["message"] for problem in envelope(out)["problems"]] == ["***.json: cannot be read: No such file or directory"]
