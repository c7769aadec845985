"""The review as Markdown, for a comment on a pull request.

In: a `Plan`, the most characters a comment may have. Out: one text that fits.
Never: longer than the limit (details go first, then whole sections, and it says so), lets a value act as Markdown, HTML or a mention.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from assembly import commands
from changes.model import PropertyChange, ResourceChange, Widening
from guards.text import plural, printable, split_lines
from planning.model import AnyStackPlan, Plan, StackPlan, StackSetPlan
from review import content_view, meaning_view, removal_view, shown, summary, takeover_view

LIMIT = 65_536
"""Characters that GitHub takes in the body of a comment."""

_VALUE_LIMITS = (4_000, 600, 120, 0)
"""Characters shown of a value, by level of shortening; at 0 properties are left out."""
_FILES = {4_000: 200, 600: 100, 120: 40, 0: 0}
"""Files of the content that are shown, by the same levels."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]#+!|~$])")
_LINKED = re.compile(r"(@|#(?=\d)|GH-(?=\d)|\bwww(?=\.)|\b(?:mailto|xmpp|https?|ftp):)", re.IGNORECASE)
"""Where GitHub makes a mention, a reference or a link out of text, after Markdown is through with it: a backslash or an entity does not
help there, a zero-width space does."""


def render(plan: Plan, *, limit: int = LIMIT) -> str:
    """The most detailed form that fits."""
    for most in _VALUE_LIMITS:
        text = "\n".join(_lines(plan, most)) + "\n"
        if len(text) <= limit:
            return text
    return _cut(text, limit)


def _cut(text: str, limit: int) -> str:
    """Only what fits, whole lines, with the summary and a word about what is missing."""
    note = "\n\n**Too long for a comment: the rest is left out.** `deploy.py plan --format html` shows all of it.\n"
    kept = text[: max(0, limit - len(note) - 200)].rpartition("\n")[0]
    fence = "" if kept.count("\n```") % 2 == 0 else "\n" + _last_fence(kept)
    opened = len(re.findall("^<details", kept, re.MULTILINE)) - len(re.findall("^</details>", kept, re.MULTILINE))
    return f"{kept}{fence}{chr(10) + '</details>' * opened if opened > 0 else ''}{note}"[:limit]


def _last_fence(text: str) -> str:
    return str(re.findall(r"^(`{3,})", text, re.MULTILINE)[-1])


def _escaped(text: str) -> str:
    """As it is, whatever is in it: on one line, nothing in it is markup, a mention, a reference or a link."""
    return _LINKED.sub(r"\1&#8203;", _SPECIAL.sub(r"\\\1", _html(text))).replace("://", ":&#47;&#47;")


def _told(text: str) -> str:
    """As `_escaped`, where Markdown is not read: inside of an HTML element."""
    return _LINKED.sub(r"\1&#8203;", _html(text))


def _html(text: str) -> str:
    """Text inside of an HTML element, on one line."""
    return html.escape(printable(" ".join(text.split())), quote=False)


def _code(text: str) -> str:
    """Inline code that nothing in the text can end."""
    text = printable(" ".join(text.split()))
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") or longest else ""
    return f"{ticks}{pad}{text}{pad}{ticks}" if text else "``"


def _fenced(lines: list[str], language: str = "diff") -> Iterator[str]:
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    ticks = "`" * max(3, longest + 1)
    yield f"{ticks}{language}"
    yield from (printable(line) for line in lines)
    yield ticks


def _lines(plan: Plan, most: int) -> Iterator[str]:
    yield f"## Plan for {_escaped(plan.environment)}"
    yield ""
    yield f"**{_escaped(summary.last_line(plan))}**"
    yield from _warnings(plan)
    yield from _findings(plan)
    yield ""
    for title, text in meaning_view.lines(plan):
        yield f"- **{title}** {_escaped(text)}"
    if plan.consequences is not None:
        yield ""
    yield "| stack | region | account | what | changes |"
    yield "|---|---|---|---|---|"
    for stack in plan.stacks:
        cells = (stack.stack, stack.region, stack.account_id, summary.operation_text(stack), summary.stack_counts(stack))
        yield "| " + " | ".join(_escaped(cell) for cell in cells) + " |"
    for stack in shown.detailed(plan):
        yield from _stack(stack, most)
    yield from _content(plan, most)
    if plan.superseded:
        yield ""
        yield f"{summary.SUPERSEDED}:"
        yield ""
        yield from (f"- {_escaped(line)}" for line in summary.superseded_lines(plan))
    yield from _removals(plan)
    yield from _widenings(plan, most)
    marks = summary.legend(plan)
    if marks:
        yield ""
        yield ", ".join(f"{_code(symbol)} {_escaped(meaning)}" for symbol, meaning in marks)
    yield ""
    command = summary.next_command(plan)
    if command:
        yield f"Next: {_code(command)}"
        yield ""
    if most < _VALUE_LIMITS[0]:
        yield "Shortened to fit; `deploy.py plan --format html` shows all of it."
        yield ""
    yield f"<sub>plan {plan.digest[:12]}, assembly {plan.assembly_digest[:12]}, made {plan.created_at} by {_escaped(plan.created_by)}</sub>"


def _steps(command: str) -> Iterator[tuple[str, str, str]]:
    return (line.partition(" ") for line in commands.told(command))


def _warnings(plan: Plan) -> Iterator[str]:
    for finding in summary.emptied(plan):
        yield ""
        yield "> [!CAUTION]"
        steps = "".join(f"<br>{label} {_code(words)}" for label, _, words in _steps(finding.command))
        yield f"> **Visitors get errors: {_escaped(finding.message)}**{steps}"
    for danger in summary.dangers(plan):
        yield ""
        yield "> [!CAUTION]"
        yield f"> **{_escaped(danger.stack)}: {_escaped(danger.sentence)}**"


def _findings(plan: Plan) -> Iterator[str]:
    found = summary.further_findings(plan)
    if found:
        yield ""
        yield "### Findings"
        yield ""
        for finding in found:
            where = f"{_escaped(finding.stack)}: " if finding.stack else ""
            command = "".join(f"<br>{label} {_code(words)}" for label, _, words in _steps(finding.command))
            yield f"- **{finding.severity}** {where}{_escaped(finding.message)}{command}"


def _removals(plan: Plan) -> Iterator[str]:
    if plan.removals:
        yield ""
        yield f"{_escaped(removal_view.headline(plan))}"
        yield ""
        yield from (
            f"{line[:2] if line.startswith('- ') else '  - '}{_escaped(line.strip().removeprefix('- '))}"
            for line in removal_view.lines(plan)
        )


def _stack(stack: AnyStackPlan, most: int) -> Iterator[str]:
    changes = "; ".join(part for part in (summary.operation_text(stack), summary.stack_counts(stack)) if part)
    yield ""
    yield f"<details><summary><b>{_told(stack.stack)}</b>: {_told(changes)}</summary>"
    yield ""
    kind = "StackSet " if isinstance(stack, StackSetPlan) else ""
    yield f"{kind}{_code(stack.stack_name)} in {_escaped(summary.place(stack))}."
    if stack.waits_for:
        yield f"Waits for {', '.join(_code(ref) for ref in stack.waits_for)}; apply compares the real change set with this one."
    for number, each in enumerate(takeover_view.takes(stack)):
        if number == 0:
            yield ""
            yield f"{_escaped(takeover_view.FIRST)}:"
            yield ""
        yield f"- {_escaped(takeover_view.line(each))}"
    if takeover_view.then(stack):
        if kept_no_more := takeover_view.no_more_kept(stack):
            yield ""
            yield f"**{_escaped(kept_no_more)}.**"
        yield ""
        yield f"{_escaped(takeover_view.then(stack))}{':' if stack.resources else '.'}"
    yield ""
    yield from _fenced(list(_diff(stack, most)))
    yield ""
    yield "</details>"


def _diff(stack: AnyStackPlan, most: int) -> Iterator[str]:
    for parameter in stack.parameters:
        if parameter.changed:
            yield f"! parameter {parameter.name}" + (f" ({parameter.source})" if parameter.source != "literal" else "")
            yield from _values(parameter.before, parameter.after, most)
    if isinstance(stack, StackPlan):
        for tag in stack.tags:
            yield f"! tag of the stack {tag.path}"
            yield from _values(tag.before, tag.after, most)
    for change in shown.resources(stack):
        yield from _resource(change, most)
    yield from (f"  {line}" for line in (shown.retagged_line(stack), shown.kept_line(stack)) if line)
    if isinstance(stack, StackPlan):
        for output in stack.outputs:
            if output.change == "remove" or (output.change != "add" and stack.operation in ("update", "import")):
                yield f"! output {output.name} ({output.change})"
                yield from _values(output.before, output.after, most)
        for setting in stack.settings:
            yield f"! setting {setting.setting.replace('_', ' ')}"
            yield from _sides(*summary.setting_sides(setting), most)
        yield from (f"- the stack policy in force forbids to change {logical_id}" for logical_id in stack.policy_forbids)
    else:
        yield from (f"! setting of the set: {name}" for name in stack.settings_changed)
        for regions, instances in summary.instances_by_region(stack):
            yield f"  {', '.join(regions)}: {summary.instances_text(instances)}"
        order = summary.order_text(stack)
        if order:
            yield f"  {order}"


def _resource(change: ResourceChange, most: int) -> Iterator[str]:
    kind = summary.kind_of(change)
    sign = {"add": "+", "import": "+", "remove": "-", "replace": "-"}.get(kind, "!")
    because = f" because of {summary.replaced_because(change)}" if summary.replaced_because(change) else ""
    inferred = " *" if summary.is_inferred(change) else ""
    data = f" HOLDS DATA: {_escaped(summary.holder(change))}" if change.endangers_data else ""
    policy = f" ({summary.old_resource(change)})" if summary.old_resource(change) else ""
    symbol = "" if summary.SYMBOLS[kind] == sign else f"{summary.SYMBOLS[kind]} "
    yield f"{sign} {symbol}{change.logical_id} {change.resource_type}{because}{inferred}{policy}{data}"
    if most and change.action not in ("add", "remove", "import"):
        for item in shown.properties(change):
            yield from _property(item, most)


def _property(item: PropertyChange, most: int) -> Iterator[str]:
    note = f" ({summary.RECREATION[item.recreation]})" if item.recreation != "never" else ""
    why = f" {summary.causes(item)}" if item.because_of else ""
    yield f"!     {summary.property_label(item)}{note}{why}{' (drifted)' if item.drifted else ''}"
    if item.before is not None or item.after is not None:
        yield from _values(item.before, item.after, most)


def _values(before: object, after: object, most: int) -> Iterator[str]:
    return _sides(summary.text(before), summary.text(after), most)  # type: ignore[arg-type]


def _sides(before: str, after: str, most: int) -> Iterator[str]:
    for sign, text in (("-", before), ("+", after)):
        if text == "(none)":
            continue
        shown = text if len(text) <= max(most, 60) else f"{text[: max(most, 60)]}... ({len(text) - max(most, 60):,} more characters)"
        for line in split_lines(shown) or [""]:
            yield f"{sign}         {line}"


def _content(plan: Plan, most: int) -> Iterator[str]:
    content = plan.content
    if content is None:
        return
    yield ""
    yield f"<details><summary><b>content</b>: {_told(content_view.counts(content))}</summary>"
    yield ""
    yield f"{_escaped(content_view.headline(content))}; to {_escaped(content_view.place(content))}."
    shown = content_view.ordered(content)[: _FILES[most]]
    if content.changes and most:
        yield ""
        signs = {"add": "+", "modify": "!", "headers": "! h"}
        lines = [f"{signs[c.change]} {c.key}  {content_view.size(c)}  {content_view.headers(c)}" for c in shown]
        left = len(content.changes) - len(shown)
        yield from _fenced([*lines, *([f"  and {left:,} more"] if left else [])])
    beside = content_view.lists(content)
    if beside or content.notes:
        yield ""
    for title, keys in beside:
        yield f"- {_escaped(title)}: {_escaped(content_view.some(keys, 20 if most else 3))}"
    yield from (f"- **warning** {_escaped(note)}" for note in content.notes)
    yield ""
    yield "</details>"


def _widenings(plan: Plan, most: int) -> Iterator[str]:
    found, folded = shown.policies(plan)
    yield from _widening_list("Policies that allow more than before", found, (), most)
    lines = tuple(folded.lines())
    if lines:
        yield from _widening_list("Policies of new stacks, and those that follow a replacement", shown.quiet(plan), lines, most)


def _widening_list(title: str, widenings: tuple[Widening, ...], lines: tuple[str, ...], most: int) -> Iterator[str]:
    if not widenings:
        return
    yield ""
    opened = "" if lines else " open"
    yield f"<details{opened}><summary><b>{title}</b>: {plural(len(widenings), 'widened permission')}</summary>"
    yield ""
    yield from (f"- {_escaped(line)}" for line in lines)
    for stack, where, found in summary.widening_groups(widenings):
        yield f"- {_escaped(stack)}: {_escaped(where)}"
        if not most:
            yield f"  - {plural(len(found), 'widened permission')}"
            continue
        for widening in found:
            text = _escaped(summary.widening_text(widening, most=12 if most >= _VALUE_LIMITS[1] else 4))
            yield f"  - {'**GRANTS EVERYTHING** ' if widening.grants_everything else ''}{text}"
    yield ""
    yield "</details>"
