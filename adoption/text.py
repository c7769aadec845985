"""The report as text: a table where the terminal is wide, a block for each resource where it is not.

In: an `AdoptionReport`, columns. Out: lines. Never: cuts an address or a command; of an ARN the table has the part that names the resource.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from adoption.comparison import Difference
from adoption.report import AdoptionReport, Left, Row, StateFile
from assembly import commands
from guards.text import columns
from templates.values import Redacted, Value

WIDE = 140
"""Columns from which on it is a table."""

VALUE = 60
"""Characters of a value; --json has it whole."""

FATES = {
    "take_over": "take over",
    "in_place": "in place",
    "refused": "REFUSED",
    "made_new": "made new",
    "gone": "gone",
    "used": "used, not owned",
    "unknown": "NOT KNOWN",
}

_KEPT = {
    "superseded": "superseded: to be deleted after the plan that aligns, if nothing else uses it",
    "used": "used, not owned",
    "setting": "settings of what is told above",
    "content": "content",
    "nothing": "in the Terraform state only",
    "left_alone": "not the platform's: left alone",
}


def lines(report: AdoptionReport, width: int) -> tuple[str, ...]:
    """All of it: rows by stack, what is left, what has to leave the Terraform state, the count."""
    found: list[str] = []
    rows = [row for row in report.rows if row.fate != "in_place" or row.source != "its stack"]
    table = _table(rows) if rows else []
    wide = width >= WIDE and max(map(len, table), default=0) <= width
    if wide:
        found += table
    for stack in dict.fromkeys(row.stack for row in rows):
        of_stack = [row for row in rows if row.stack == stack]
        told = [line for row in of_stack for line in _block(row, wide=wide, width=width)]
        if told:
            found += ["", f"{stack}: {of_stack[0].account_id} {of_stack[0].region}", *told]
    found += _left(report.left)
    found += _leaving(report)
    found += _unknown(report)
    return (*found, "", *counted(report))


def _table(rows: Sequence[Row]) -> list[str]:
    head = ("RESOURCE", "TYPE", "FOUND", "BY", "WHAT FOLLOWS")
    cells = [
        (
            f"{r.stack}.{r.logical_id}",
            r.type.rpartition("::")[2],
            " ".join(value.split(":", 5)[5] if value.startswith("arn:") else value for value in r.identifier.values()),
            r.source.removeprefix("terraform "),
            FATES[r.fate] + _count(r),
        )
        for r in rows
    ]
    return columns((head, *cells))


def _count(row: Row) -> str:
    number = len(row.differences)
    return f", {number} {'property differs' if number == 1 else 'properties differ'}" if number else ", the same" if row.compared else ""


def _block(row: Row, *, wide: bool, width: int) -> list[str]:
    detail = bool(row.message or row.differences or row.legacy or row.beside)
    if wide and not detail:
        return []
    head = f"  {row.logical_id}: {FATES[row.fate]}{_count(row)}"
    found = [head] if wide else [head, f"    {row.type}", f"    {' '.join(row.identifier.values())}", f"    by {row.source}"]
    if row.message:
        found.append(f"    {row.message}")
    found += [f"    {line}" for line in (commands.told(row.command) if row.command else ())]
    for each in row.differences:
        found += _difference(each, width)
    if row.beside:
        found.append(f"    set there, not in the template, and left as it is: {', '.join(row.beside)}")
    for shape in row.legacy:
        found += [f"    legacy: {shape.what}", f"      way out: {shape.way_out}"]
    return found


def _difference(each: Difference, width: int) -> list[str]:
    longest = max(VALUE, width - 20)
    create_only = " (cannot be changed)" if each.replaces else ""
    return [f"    {each.path}{create_only}", f"      live  {_value(each.live, longest)}", f"      ours  {_value(each.ours, longest)}"]


def _value(value: Value | None, longest: int) -> str:
    match value:
        case None:
            return "(absent)"
        case Redacted():
            return "(hidden)"
    return value.text if len(value.text) <= longest else f"{value.text[:longest]}... ({len(value.text)} characters)"


def _left(left: Sequence[Left]) -> list[str]:
    found: list[str] = []
    for why, words in _KEPT.items():
        of_kind = [each for each in left if each.why == why]
        if of_kind:
            found += ["", f"{words}:"]
        for each in of_kind:
            gone = " (gone)" if each.there is False else ""
            address = each.source.removeprefix("terraform ")
            what = f"{address} {each.identifier}" if each.identifier and each.identifier not in address else address
            found.append(f"  {what}{gone}" + ("" if why in ("setting", "nothing") else f": {each.message}"))
    return found


def _leaving(report: AdoptionReport) -> list[str]:
    if not report.state_rm:
        return []
    return [
        "",
        "to leave the Terraform state before the import is applied, and no `terraform apply` in between:"
        if report.to_take_over
        else "a stack has these, and they are in the Terraform state still:",
        *_commands(report),
        "what stays in that state, `terraform destroy` deletes: a hosted zone, too",
    ]


def state_rm(address: str) -> str:
    """The command, as a shell takes it."""
    return f"terraform state rm {shlex.quote(address)}"


def _commands(report: AdoptionReport) -> list[str]:
    found = []
    for each in report.states:
        if len(report.states) > 1 and each.state_rm:
            found.append(f"  {where(each)}")
        found += [f"  {line}" for address in each.state_rm for line in commands.told(state_rm(address))]
    return found


def where(of: StateFile) -> str:
    """Of several states: Terraform changes that of the directory and workspace in which it runs."""
    return f"in the directory and workspace of {of.file}:"


def _unknown(report: AdoptionReport) -> list[str]:
    return [f"not known: {note}" for note in (*report.notes, *(f"{each}: left out" for each in report.left_out))]


def counted(report: AdoptionReport) -> tuple[str, ...]:
    """The last line: how many of which fate."""
    numbers = {words: sum(row.fate == fate for row in report.rows) for fate, words in FATES.items()}
    told = [f"{number} {words}" for words, number in numbers.items() if number]
    if report.made_new:
        told.append(f"{report.made_new} without anything that exists (made by the ordinary plan)")
    return (f"{report.environment}: {', '.join(told) or 'nothing was found'}",)


def checked(report: AdoptionReport) -> tuple[str, ...]:
    """The answer of --check."""
    unmanaged = report.unmanaged
    notes = _unknown(report)
    if report.state_rm:
        number = len(report.state_rm)
        whose = "one of them is" if number == 1 else f"{number} of them are"
        what = "it" if number == 1 else "them"
        notes += [
            f"{whose} in the Terraform state still, so that `terraform destroy` would delete {what}:",
            *_commands(report),
        ]
    notes += [
        f"the hosted zone {each.identifier} is in the Terraform state: `terraform destroy` would delete it"
        for each in report.left
        if each.why == "used" and each.what == "aws_route53_zone"
    ]
    if unmanaged:
        return (*notes, f"{report.environment}: {len(unmanaged)} of the old stay unmanaged:", *(f"  {each}" for each in unmanaged))
    if report.state_rm:
        return (*notes, f"{report.environment}: nothing of the old stays unmanaged, but Terraform manages it as well")
    return (*notes, f"{report.environment}: nothing of the old stays unmanaged")
