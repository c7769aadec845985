"""The summaries that people approve by: the last line is there whatever the reviews hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from delivery import summary
from delivery.__main__ import main

DIGEST = "a" * 64


def folder(path: Path, text: str, markdown: str = "## Plan\n") -> Path:
    path.mkdir(parents=True, exist_ok=True)
    (path / "review.txt").write_text(text)
    (path / "review.md").write_text(markdown)
    return path


def test_a_summary_says_what_to_approve_last_of_all(tmp_path: Path) -> None:
    text = summary.of_plan("prod", DIGEST, folder(tmp_path / "plan", "a\n"))
    assert text.splitlines()[-1] == f"**To approve: plan `{DIGEST}` of prod, and no other.**"
    assert "To approve" not in summary.of_plan("prod", "", tmp_path / "plan")


@pytest.mark.attack
@pytest.mark.parametrize("size", [1_100_000, 960_000, 500_000])
def test_what_github_would_not_show_is_left_out_and_not_the_digest(tmp_path: Path, size: int) -> None:
    before = folder(tmp_path / "before", "\n".join(f"old {n}" for n in range(size // 10)))
    after = folder(tmp_path / "after", "\n".join(f"new {n}" for n in range(size // 10)), "ü" * (size // 2))
    text = summary.of_plan("prod", DIGEST, after, before=before)
    assert len(text.encode()) < summary.LIMIT
    assert text.endswith(f"plan `{DIGEST}` of prod, and no other.**")
    assert "nothing was applied" in text


@pytest.mark.attack
@example(["`" * 6, "a"], ["`" * 6, "b"])
@given(st.lists(st.text(alphabet="`~ ab#", max_size=12), max_size=8), st.lists(st.text(alphabet="`~ ab#", max_size=12), max_size=8))
def test_no_line_of_the_plans_ends_the_block_of_their_difference(
    tmp_path_factory: pytest.TempPathFactory, before: list[str], after: list[str]
) -> None:
    home = tmp_path_factory.mktemp("plans")
    text = summary.of_plan(
        "prod", DIGEST, folder(home / "after", "\n".join(after), "REVIEW"), before=folder(home / "before", "\n".join(before))
    )
    block = text[text.index("````") : text.rindex("\n\nREVIEW")].splitlines()
    fence = block[0].removesuffix("diff")
    assert set(fence) == {"`"} and block[-1] == fence
    assert not any(line.strip().startswith(fence) for line in block[1:-1])


def test_a_plan_without_a_review_before_it_is_shown_alone(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    text = summary.of_plan("sit", DIGEST, folder(tmp_path / "plan", "a\n"), before=tmp_path / "before")
    assert "one of the two plans has no review" in text and "## Plan" in text


def test_a_release_is_summed_up_for_those_who_approve_the_next_environment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release = {"number": 3, "content": DIGEST, "files": 5, "size": 1700, "commit": "c" * 40}
    (tmp_path / "published.json").write_text(json.dumps({"data": {"outcome": {"release": release}}}))
    assert main(["released", "--env", "sit", "--of", str(tmp_path / "published.json")]) == 0
    told = capsys.readouterr().out
    assert told.startswith("## Release 3 of sit\n") and DIGEST in told and "c" * 40 in told
