"""A report and its fixes as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from assembly import commands
from doctor.values import Fix, Level, Report
from guards.text import painted, plural

NOTHING_CHECKED = "nothing could be checked, so nothing is known to be healthy"

_MARKS: Mapping[Level, str] = {"ok": "ok", "warning": "warning", "problem": "PROBLEM", "unknown": "could not check"}
_COLOURS: Mapping[Level, str] = {"ok": "32", "warning": "33", "problem": "1;31", "unknown": "36"}


def report_lines(report: Report, *, colour: bool = False) -> tuple[str, ...]:
    """One line a check, what to type next below it, a line that counts, and what was not looked at."""
    width = max(len(mark) for mark in _MARKS.values())
    lines = [f"doctor {report.environment}, account {report.account_id}", ""]
    for check in report.checks:
        mark = _MARKS[check.level].ljust(width)
        shown = painted(mark, _COLOURS[check.level]) if colour else mark
        lines.append(f"{shown}  {check.message}")
        if check.command:
            lines += [f"{' ' * width}    {line}" for line in commands.told(check.command)]
    counts: dict[Level, int] = {level: sum(c.level == level for c in report.checks) for level in _MARKS}
    words = (
        f"{counts['ok']} ok",
        plural(counts["warning"], "warning"),
        plural(counts["problem"], "problem"),
        f"{counts['unknown']} could not be checked",
    )
    last = [*(f"not looked at: {each}" for each in report.not_looked_at), *(() if report.anything_checked else (NOTHING_CHECKED,))]
    return (*lines, "", f"{report.environment}: {', '.join(words)}", *last)


def fix_lines(fixes: Iterable[Fix]) -> tuple[str, ...]:
    """The dry run."""
    lines = ["what --fix would do:"]
    for number, fix in enumerate(fixes, 1):
        first, *rest = fix.does
        lines += [f"  {number}. {first}", *(f"     {line.strip()}" for line in rest)]
    return tuple(lines)
