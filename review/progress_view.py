"""Progress and outcome of an apply for a person: live lines on a terminal, plain lines elsewhere, a chart at the end.

In: events and `Applied` values; a stream. Out: text on that stream. rich is imported for a terminal only.
Never: decides anything, reads AWS, colours what is not a terminal or has NO_COLOR.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from assembly import commands
from guards.stream import below
from guards.text import as_lines, printable
from planning.content import CONTENT
from review import removal_view
from rollout.outcome import ContentOutcome, Outcome
from rollout.progress import ApplyProgress, Event, Finished, Instances, Line, Note, Report, Resource, Started

if TYPE_CHECKING:
    from rich.table import Table

    from rollout.apply import Applied

_STACK_TYPE = "AWS::CloudFormation::Stack"
BAR_COLUMNS = 40
INSTANCE_BAR = 20
TOLD_ONE_BY_ONE = 50
"""Up to so many instances of a StackSet have lines of their own."""

FAILURES_SHOWN = 20


def duration(seconds: float) -> str:
    """ "0.4 s", "12 s", "3 min 05 s", "1 h 02 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def _about(before: str, seconds: float | None) -> str:
    """What is expected, if it is worth a word: a stack of the local AWS takes no second."""
    return f"{before}about {duration(seconds)}" if seconds and seconds >= 1 else ""


@contextmanager
def shown(stacks: tuple[str, ...], stream: TextIO, *, live: bool, colour: bool, now: Callable[[], float]) -> Iterator[Report]:
    """Show events on the stream while the block runs; the block gets what to report them to."""
    progress = ApplyProgress(stacks)
    if not live:
        yield _plain(progress, stream)
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(file=below(stream), force_terminal=True, no_color=not colour, highlight=False)
    with Live(get_renderable=lambda: _table(progress, now()), console=console, refresh_per_second=4) as display:

        def report(event: Event) -> None:
            progress.tell(event)
            text = _aside(event)
            if text:
                display.console.print(as_lines((text,)), markup=False)

        yield report


def _plain(progress: ApplyProgress, stream: TextIO) -> Report:
    guard = threading.Lock()

    def report(event: Event) -> None:
        progress.tell(event)
        text = _sentence(event, progress)
        if text:
            with guard:
                stream.write(as_lines((text,)) + "\n")
                stream.flush()

    return report


def _aside(event: Event) -> str:
    """What is worth a line of its own above the live lines."""
    if isinstance(event, Note):
        return f"{event.stack}: {event.text}" if event.stack else event.text
    if isinstance(event, Resource) and event.status.endswith("FAILED") and event.resource_type != _STACK_TYPE:
        return f"{event.stack}: {event.logical_id} {event.status}: {event.reason}"
    return ""


def _sentence(event: Event, progress: ApplyProgress) -> str:
    line = progress.lines.get(event.stack)
    match event:
        case Started():
            expected = _about(", ", event.expected_seconds)
            counted = f" ({event.resources} to change{expected})" if event.resources else ""
            return f"{event.stack}: {'following' if event.resumed else event.operation}{counted}"
        case Resource() if line is not None and event.resource_type != _STACK_TYPE and not event.status.endswith(("_IN_PROGRESS", "ING")):
            of = f"{min(len(line.done), line.total)}/{line.total} " if line.total else ""
            reason = f": {event.reason}" if event.reason and "FAILED" in event.status else ""
            return f"{event.stack}: {of}{event.logical_id} {event.status}{reason}"
        case Instances() if line is not None and line.total > TOLD_ONE_BY_ONE:
            return f"{event.stack}: {_instances(line)}" if _next_tenth(line) else ""
        case Finished():
            took = f" after {duration(event.seconds)}" if event.seconds else ""
            return "" if event.result == "unchanged" else f"{event.stack}: {event.result.replace('_', ' ')}{took}"
    return _aside(event)


def _next_tenth(line: Line) -> bool:
    """Whether the last reading took it over a tenth of the whole."""
    before = line.progress[-2][1] if len(line.progress) > 1 else -1
    return before < 0 or line.finished * 10 // line.total > before * 10 // line.total


def _instances(line: Line) -> str:
    """ "5,200/13,000 [########------------] 3 failed, 40 running, 12.1/s, about 10 min 45 s left"."""
    filled = line.finished * INSTANCE_BAR // line.total if line.total else 0
    parts = [f"{line.counts[name]:,} {name.lower()}" for name in ("FAILED", "CANCELLED", "RUNNING") if line.counts.get(name)]
    parts += [f"{line.rate:.1f}/s"] if line.rate else []
    parts += [f"{left} left"] if (left := _about("", line.remaining_seconds)) else []
    return f"{line.finished:,}/{line.total:,} [{'#' * filled}{'-' * (INSTANCE_BAR - filled)}] {', '.join(parts)}".rstrip()


_STYLES = {
    "succeeded": "green",
    "unchanged": "dim",
    "failed": "bold red",
    "refused": "bold red",
    "running": "yellow",
    "not_started": "dim",
    "interrupted": "yellow",
}


def _table(progress: ApplyProgress, now: float) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for line in progress.lines.values():
        word = line.result.replace("_", " ") or (("rolling back" if line.rolling_back else line.operation) if line.started else "waiting")
        style = _STYLES.get(line.result, "bold red" if line.rolling_back else "cyan" if line.started else "dim")
        counted = f"{min(line.finished, line.total):,}/{line.total:,}" if line.started and line.total else ""
        if line.counts and not line.result:
            counted = _instances(line)
        current = Text(printable(line.current), style="dim")
        table.add_row(Text(line.stack), Text(word, style=style), Text(counted), Text(_times(line, now)), current)
    return table


def _times(line: Line, now: float) -> str:
    if line.started is None:
        return ""
    return duration(line.elapsed(now)) + ("" if line.result else _about(" of ", line.expected_seconds))


# --- the end --------------------------------------------------------------------------------------------------------


def chart(applied: Applied) -> list[str]:
    """What took how long, one line a stack, drawn to scale; nothing for what was not begun."""
    content = applied.content
    steps = [(o.started, o.seconds, o.stack) for o in applied.stacks]
    steps += [(content.started, content.seconds, CONTENT)] if content is not None else []
    drawn = [step for step in steps if step[0] and step[1]]
    if not drawn:
        return []
    begin = min(started for started, _, _ in drawn)
    span = max(started + seconds for started, seconds, _ in drawn) - begin or 1.0
    width = max(len(name) for _, _, name in drawn)
    lines = []
    for started, seconds, name in sorted(drawn, key=lambda step: step[0]):
        left = int((started - begin) / span * BAR_COLUMNS)
        length = max(1, round(seconds / span * BAR_COLUMNS))
        bar = (" " * left + "#" * length)[:BAR_COLUMNS]
        lines.append(f"  {name:<{width}}  {bar:<{BAR_COLUMNS}}  {duration(seconds)}")
    return lines


def _content(content: ContentOutcome) -> list[str]:
    """What became of the content."""
    if not content.ok:
        return [f"{CONTENT}: {content.result.replace('_', ' ')}{': ' if content.message else ''}{content.message}"]
    name = f"release {content.release} ({content.content[:12]})"
    if not content.invalidation:
        forgotten = ""
    else:
        forgotten = f"; invalidation {content.invalidation} {'done' if content.invalidation_done else 'STILL UNDER WAY'}"
    if content.result == "unchanged":
        return [f"{CONTENT}: {name} is live already{forgotten}"]
    return [
        f"{CONTENT}: {name} is live in s3://{content.bucket}: {content.written:,} files written ({content.written_bytes:,} bytes),"
        f" {content.kept:,} kept{forgotten}",
    ]


def _failure(outcome: Outcome) -> list[str]:
    found = outcome.diagnosis
    status = f" ({outcome.status})" if outcome.status else ""
    lines = [f"{outcome.stack}: {outcome.result.replace('_', ' ')}{status}{': ' if outcome.message else ''}{outcome.message}"]
    lines += [f"    {difference}" for difference in outcome.differences]
    for instance in outcome.instances[:FAILURES_SHOWN]:
        lines.append(f"    {instance.account_id} {instance.region}: {instance.status}{': ' + instance.reason if instance.reason else ''}")
        lines += [f"      its stack: {instance.event}"] if instance.event else []
    left = len(outcome.instances) - FAILURES_SHOWN
    lines += [f"    and {left:,} more (--json has them all)"] if left > 0 else []
    if found is not None:
        lines += [f"    then {o.logical_id} ({o.resource_type}): {o.reason}" for o in found.others]
        if found.cancelled:
            lines.append(f"    {found.cancelled} other resource{'s were' if found.cancelled > 1 else ' was'} cancelled because of it")
        if found.explanation:
            lines.append(f"    {outcome.stack_name} is {found.status}: {found.explanation}")
    return lines


def summary(applied: Applied) -> str:
    """The end of an apply as text: chart, what went wrong, a line that counts, and what to type."""
    lines = chart(applied)
    if lines:
        lines.append("")
    for outcome in applied.stacks:
        if not outcome.ok:
            lines += _failure(outcome)
    still = [o.stack_name for o in applied.stacks if o.result == "running"]
    if still:
        lines.append(f"still running at AWS, which goes on without us: {', '.join(still)}")
    if applied.content is not None:
        lines += _content(applied.content)
    lines += [f"{r.stack}: removed {r.physical_id}, which was replaced" for r in applied.superseded if r.result == "removed"]
    kept = [r for r in applied.superseded if r.result == "kept"]
    lines += [f"{r.stack}: {r.physical_id}, which was replaced, stays for now: {r.message}" for r in kept]
    if kept:
        lines += [f"  {line}" for line in commands.told(commands.deploy("plan", applied.environment))]
    lines += removal_view.outcome_lines(applied.removals, applied.environment)
    if applied.problem:
        lines.append(applied.problem)
    lines.append(last_line(applied))
    if applied.result != "succeeded" and applied.command:
        lines += [f"  {line}" for line in commands.told(applied.command)]
    return as_lines(lines)


def last_line(applied: Applied) -> str:
    """The count."""
    words = {
        "succeeded": "applied",
        "unchanged": "unchanged",
        "failed": "failed",
        "refused": "refused",
        "running": "still running",
        "not_started": "not started",
    }
    counts = {result: sum(1 for o in applied.stacks if o.result == result) for result in words}
    told = ", ".join(f"{count} {words[result]}" for result, count in counts.items() if count)
    gone = sum(1 for each in applied.removals if each.result in ("removed", "waits"))
    told += f"{', ' if told and gone else ''}{f'{gone} deleted' if gone else ''}"
    if applied.content is not None:
        said = {"succeeded": "published", "unchanged": "unchanged"}.get(applied.content.result, applied.content.result.replace("_", " "))
        told += f"{'; ' if told else ''}{CONTENT} {said}"
    verb = {"succeeded": "Applied", "failed": "Failed", "interrupted": "Interrupted"}[applied.result]
    return f"{verb} after {duration(applied.seconds)}: {told or 'nothing to do'}."
