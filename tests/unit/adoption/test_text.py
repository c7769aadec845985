"""The report as text: how a value, a head and an address are written."""

from __future__ import annotations

from typing import Any

import pytest

from adoption.comparison import Difference
from adoption.report import AdoptionReport, Left, Row, StateFile
from adoption.text import VALUE, WIDE, lines
from templates.values import Known, Redacted


def row(*differences: Difference, **more: Any) -> Row:
    usual: dict[str, Any] = {
        "stack": "site",
        "logical_id": "Bucket",
        "type": "AWS::S3::Bucket",
        "identifier": {"BucketName": "b"},
        "source": "terraform aws_s3_bucket.this",
        "account_id": "1",
        "region": "eu-west-1",
        "fate": "take_over",
        "compared": True,
    }
    return Row(**{**usual, "differences": differences, **more})


def told(*rows: Row, width: int = 80, **more: Any) -> list[str]:
    return [line.strip() for line in lines(AdoptionReport(environment="dev", rows=rows, **more), width)]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "(absent)"),
        (Redacted(), "(hidden)"),
        (Known(text="x" * VALUE), "x" * VALUE),
        (Known(text="x" * (VALUE + 1)), "x" * VALUE + f"... ({VALUE + 1} characters)"),
    ],
)
def test_a_value_is_shown_hidden_absent_or_cut_with_its_length(value: Any, words: str) -> None:
    found = told(row(Difference(path="A", live=value, ours=Known(text="o"))))
    assert found[found.index("A") + 1 : found.index("A") + 3] == [f"live  {words}", "ours  o"]


def test_a_wide_terminal_shows_more_of_a_value_and_what_cannot_be_changed_is_marked() -> None:
    long = Known(text="x" * (WIDE - 20))
    found = told(row(Difference(path="A", live=long, ours=None, replaces=True)), width=WIDE)
    assert "A (cannot be changed)" in found and f"live  {long.text}" in found


def test_a_block_tells_type_identifier_and_source_where_there_is_no_table() -> None:
    one = row(Difference(path="A", live=None, ours=None))
    narrow, wide = told(one), told(one, width=WIDE)
    assert narrow[1:6] == [
        "site: 1 eu-west-1",
        "Bucket: take over, 1 property differs",
        "AWS::S3::Bucket",
        "b",
        "by terraform aws_s3_bucket.this",
    ]
    assert wide[0].split()[0] == "RESOURCE" and "AWS::S3::Bucket" not in wide
    assert "Bucket: take over, 2 properties differ" in told(row(*one.differences * 2))
    assert "Bucket: take over, the same" in told(row()) and "Bucket: gone" in told(row(fate="gone", compared=False))
    assert told(row(), width=WIDE)[2:] == ["", "dev: 1 take over"], "nothing more to tell of it than the table has"


def test_of_what_is_left_the_address_is_told_once_and_whether_it_is_gone() -> None:
    def left(**more: Any) -> Left:
        usual: dict[str, Any] = {"what": "aws_x", "identifier": "E1", "source": "terraform aws_x.this", "why": "superseded", "message": "m"}
        return Left(**{**usual, **more})

    assert "aws_x.this E1: m" in told(left=(left(),)) and "aws_x.this E1 (gone): m" in told(left=(left(there=False),))
    assert "aws_x.this E1: m" in told(left=(left(there=True),)) and "aws_x.this: m" in told(left=(left(identifier=""),))
    assert "aws_x.this: m" in told(left=(left(identifier="aws_x.th"),)), "the address has it already"
    assert "aws_x.this E1" in told(left=(left(why="setting"),)) and "aws_x.this E1" in told(left=(left(why="nothing"),))


def test_commands_of_several_states_say_where_they_are_run() -> None:
    one, other, none = StateFile(file="a", state_rm=("x.y",)), StateFile(file="b", state_rm=("z[0]",)), StateFile(file="c", state_rm=())
    alone, both = told(row(), states=(one,)), told(row(), states=(one, other, none))
    assert "next: terraform state rm x.y" in alone and not any("workspace" in line for line in alone)
    assert [line for line in both if "workspace" in line or "state rm" in line] == [
        "in the directory and workspace of a:",
        "next: terraform state rm x.y",
        "in the directory and workspace of b:",
        "next: terraform state rm 'z[0]'",
    ]
    assert any(line.startswith("a stack has these") for line in told(row(fate="in_place"), states=(one,)))
    assert any(line.startswith("to leave the Terraform state before") for line in alone)
    assert not any("Terraform" in line for line in told(row()))


def test_a_table_is_shown_where_it_fits_to_the_character() -> None:
    long = row(identifier={"BucketName": "b" * WIDE})
    table = [line for line in lines(AdoptionReport(environment="dev", rows=(long,)), 400) if line.startswith(("RESOURCE", "site.Bucket"))]
    width = max(map(len, table))
    assert len(table) == 2 and width > WIDE
    for given, shown in ((width, True), (width - 1, False)):
        assert (table[0] in lines(AdoptionReport(environment="dev", rows=(long,)), given)) is shown


@pytest.mark.parametrize(
    ("kind", "fate", "compared", "replaces"),
    [
        ("AWS::Route53::RecordSet", "made_new", True, True),
        ("AWS::Route53::RecordSet", "made_new", False, False),
        ("AWS::Route53::RecordSet", "refused", True, False),
        ("AWS::S3::Bucket", "made_new", True, False),
    ],
)
def test_records_that_stand_where_ours_are_made_are_replaced(kind: str, fate: str, compared: bool, replaces: bool) -> None:
    report = AdoptionReport(environment="dev", rows=(row(type=kind, fate=fate, compared=compared),))
    assert report.replaces_records is replaces
