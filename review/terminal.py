"""The review for a terminal.

In: a `Plan`, a width in columns, whether to use colour. Out: one text.
Never: prints, asks what kind of terminal there is, shows a value that the plan hides.
"""

from __future__ import annotations

import difflib
import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from assembly import commands
from changes.model import PropertyChange, ResourceChange
from guards.text import ours, plural, printable, split_lines
from planning.model import AnyStackPlan, Finding, Plan, StackPlan, StackSetPlan
from review import content_view, meaning_view, removal_view, shown, summary, takeover_view
from review.spread import spread
from website.content_plan import Change

if TYPE_CHECKING:
    from rich.text import Text

_STYLES = {
    "add": "green",
    "modify": "yellow",
    "replace": "bold red",
    "maybe_replace": "bold magenta",
    "remove": "red",
    "import": "cyan",
    "sync": "cyan",
    "dynamic": "magenta",
    "unlisted": "bold magenta",
}
_OPERATION = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "import": (">", "cyan"),
    "settings": ("~", "yellow"),
    "instances": ("~", "yellow"),
}
_CONTENT: Mapping[Change, str] = {"add": "green", "modify": "yellow", "headers": "cyan"}
_LONG = 60
"""Characters from which on two values stand below each other instead of side by side."""
_MOST = 12
"""Lines shown of one long value; the other forms of the review have all of them."""


def render(plan: Plan, *, width: int = 100, colour: bool = False, verbose: bool = False) -> str:
    """The review; lines may be longer than `width` where a value cannot be broken. `verbose`: with all that is folded otherwise."""
    from rich.console import Console

    out = io.StringIO()
    console = Console(
        file=out,
        width=max(40, width),
        color_system="standard" if colour else None,
        force_terminal=colour,
        no_color=not colour,
        highlight=False,
        emoji=False,
        markup=False,
        soft_wrap=True,
    )
    for line in _lines(plan, verbose=verbose):
        console.print(line)
    return ours("\n".join(line.rstrip() for line in out.getvalue().rstrip("\n").split("\n")) + "\n")


def _text(*parts: str | tuple[str, str]) -> Text:
    from rich.text import Text

    return Text.assemble(*(printable(p) if isinstance(p, str) else (printable(p[0]), p[1]) for p in parts))


def _lines(plan: Plan, *, verbose: bool) -> Iterator[Text]:
    protected = ", protected" if plan.protected else ""
    yield _text(("Plan for ", "bold"), (plan.environment, "bold"), f" ({plan.project}, account {plan.account_id}{protected})")
    yield _text((f"assembly {plan.assembly_digest[:12]}, made {plan.created_at} by {plan.created_by}", "dim"))
    asked = ["reverting drift"] if plan.options.revert_drift else []
    asked += ["importing existing resources"] if plan.options.import_existing else []
    asked += [f"only {', '.join(plan.options.only)}"] if plan.options.only else []
    asked += ["local AWS"] if plan.options.local else []
    if asked:
        yield _text((", ".join(asked), "dim"))
    found = summary.further_findings(plan)
    yield from _emptied(plan)
    yield from _dangers(plan)
    yield from _findings(found, "Findings")
    yield _text()
    yield from _overview(plan)
    yield from _meaning(plan)
    details = [*_details(plan, verbose=verbose)]
    yield from details
    marks = summary.legend(plan)
    yield _text()
    if marks:
        yield _text(("   ".join(f"{symbol} {meaning}" for symbol, meaning in marks), "dim"))
    if len(details) > shown.SCREEN and shown.repeated(found):
        yield from _findings(shown.repeated(found), "Once more, from the top")
        yield _text()
    yield _text((summary.last_line(plan), "bold red" if plan.blocked else "bold"))
    command = summary.next_command(plan)
    if command:
        yield _text("next: ", (command, "cyan"))


def _meaning(plan: Plan) -> Iterator[Text]:
    found = list(meaning_view.lines(plan))
    if found:
        yield _text()
    loud = meaning_view.loud(plan)
    for title, text in found:
        yield _text((f"  {title:<8}  ", "dim"), (text, "bold red" if loud and title in ("visitors", "security") else ""))


def _details(plan: Plan, *, verbose: bool) -> Iterator[Text]:
    for stack in shown.detailed(plan):
        yield from _stack(stack, verbose=verbose)
    yield from _content(plan)
    yield from _superseded(plan)
    yield from _removals(plan)
    yield from _widenings(plan, verbose=verbose)


def _superseded(plan: Plan) -> Iterator[Text]:
    if plan.superseded:
        yield _text()
        yield _text((f"{summary.SUPERSEDED}:", "bold"))
    for line in summary.superseded_lines(plan):
        yield _text(("  - ", "red"), line)


def _removals(plan: Plan) -> Iterator[Text]:
    if plan.removals:
        yield _text()
        yield _text((removal_view.headline(plan), "bold" if plan.options.remove else "bold yellow"))
    for line in removal_view.lines(plan):
        yield _text(("  " + line, "red" if line.startswith("- ") and plan.options.remove else ""))


def _emptied(plan: Plan) -> Iterator[Text]:
    for number, finding in enumerate(summary.emptied(plan)):
        if number == 0:
            yield _text()
            yield _text(("VISITORS GET ERRORS", "bold white on red"))
        yield _text(("  !! ", "bold red"), (f"{finding.stack}: {finding.message}", "bold red"))
        yield from _steps(finding.command)


def _dangers(plan: Plan) -> Iterator[Text]:
    found = summary.dangers(plan)
    if not found:
        return
    yield _text()
    yield _text(("DATA AT RISK", "bold white on red"))
    for danger in found:
        yield _text(("  !! ", "bold red"), (f"{danger.stack}: {danger.sentence}", "bold red" if danger.lost else "magenta"))


def _overview(plan: Plan) -> Iterator[Text]:
    name = max((len(s.stack) for s in plan.stacks), default=0)
    where = max((len(s.region) for s in plan.stacks), default=0)
    said = max((len(summary.operation_text(s)) for s in plan.stacks), default=0)
    for stack in plan.stacks:
        symbol, style = _OPERATION.get(stack.operation, ("x", "bold red") if stack.operation == "blocked" else ("=", "dim"))
        text, numbers = summary.operation_text(stack), summary.stack_counts(stack)
        line = _text((f"  {symbol} {stack.stack:<{name}}", style), f"  {stack.region:<{where}}  ", (text, style))
        if numbers:
            line.append(" " * (said - len(text) + 2) + numbers)
        yield line


def _stack(stack: AnyStackPlan, *, verbose: bool) -> Iterator[Text]:
    yield _text()
    kind = "StackSet " if isinstance(stack, StackSetPlan) else ""
    yield _text((stack.stack, "bold"), f": {kind}{stack.stack_name} in {summary.place(stack)}: {summary.operation_text(stack)}")
    if stack.waits_for:
        yield _text(
            "  waits for ", (", ".join(stack.waits_for), "magenta"), "; apply makes the real change set then and compares it with this one"
        )
    yield from _takes(stack)
    changed = [p for p in stack.parameters if p.changed]
    for parameter in changed:
        yield from _change(
            parameter.name, summary.text(parameter.before), summary.text(parameter.after), "  parameter ", source=parameter.source
        )
    yield from _resources(stack, verbose=verbose)
    if isinstance(stack, StackPlan):
        for output in stack.outputs:
            if output.change == "remove" or (output.change in ("modify", "maybe") and stack.operation in ("update", "import")):
                yield from _change(output.name, summary.text(output.before), summary.text(output.after), f"  output ({output.change}) ")
        for setting in stack.settings:
            yield from _change(setting.setting.replace("_", " "), *summary.setting_sides(setting), "  setting ")
        for forbidden in stack.policy_forbids:
            yield _text((f"  {forbidden}: the stack policy in force forbids this change", "bold red"))
    else:
        yield from _instances(stack)


def _takes(stack: AnyStackPlan) -> Iterator[Text]:
    for number, each in enumerate(takeover_view.takes(stack)):
        if number == 0:
            yield _text((f"  {takeover_view.FIRST}:", "bold"))
        yield _text((f"  {summary.SYMBOLS['import']:<3} ", "cyan"), takeover_view.line(each))
    if takeover_view.then(stack):
        if kept_no_more := takeover_view.no_more_kept(stack):
            yield _text((f"  {kept_no_more}.", "yellow"))
        yield _text((f"  {takeover_view.then(stack)}{':' if stack.resources else ''}", "bold"))


def _resources(stack: AnyStackPlan, *, verbose: bool) -> Iterator[Text]:
    for tag in stack.tags if isinstance(stack, StackPlan) else ():
        yield from _change(tag.path, summary.text(tag.before), summary.text(tag.after), "  tag of the stack ")
    for change in stack.resources if verbose else shown.resources(stack):
        yield from _resource(change, verbose=verbose)
    for folded in (shown.retagged_line(stack), shown.kept_line(stack)):
        if folded and not verbose:
            yield _text((f"      {folded} ({shown.VERBOSE})", "dim"))


def _instances(stack: StackSetPlan) -> Iterator[Text]:
    for setting in stack.settings_changed:
        yield _text(f"  setting of the set: {setting}")
    for regions, instances in summary.instances_by_region(stack):
        yield _text(f"  {', '.join(regions)}: {summary.instances_text(instances)}")
        told = [i for i in instances if i.reason and i.reason != "the set changes"]
        for instance in told[:_MOST]:
            yield _text((f"      {instance.account_id or instance.organizational_unit}: {instance.reason}", "dim"))
        if len(told) > _MOST:
            yield _text((f"      and {len(told) - _MOST:,} more (--format html shows all)", "dim"))
    order = summary.order_text(stack)
    if order:
        yield _text((f"  {order}", "dim"))


def _resource(change: ResourceChange, *, verbose: bool) -> Iterator[Text]:
    kind = summary.kind_of(change)
    style = _STYLES[kind]
    line = _text((f"  {summary.SYMBOLS[kind]:<3} ", style), (change.logical_id, style), f"  {change.resource_type}")
    if summary.replaced_because(change):
        line.append(f"  because of {summary.replaced_because(change)}", style)
    if summary.is_inferred(change):
        line.append("  *", "dim")
    if summary.old_resource(change):
        line.append(f"  ({change.policy_action})", "bold red" if change.loses_data else "dim")
    if change.endangers_data:
        line.append(f"  HOLDS DATA: {summary.holder(change)}", "bold red")
    yield line
    if change.action not in ("add", "remove", "import"):
        for item in change.properties if verbose else shown.properties(change):
            yield from _property(item)


def _property(item: PropertyChange) -> Iterator[Text]:
    label = summary.property_label(item)
    note = f"  ({summary.RECREATION[item.recreation]})" if item.recreation != "never" else ""
    why = f"  {summary.causes(item)}" if item.because_of else ""
    drift = "  (drifted)" if item.drifted else ""
    if item.before is None and item.after is None:
        kept = "  (keeps its value)" if item.keeps else ""
        yield _text(f"        {label}: may change{note}{why}{drift}{kept}")
        return
    yield from _change(label, summary.text(item.before), summary.text(item.after), "        ", source="", tail=f"{note}{why}{drift}")


def _change(label: str, before: str, after: str, indent: str, *, source: str = "", tail: str = "") -> Iterator[Text]:
    origin = f"  ({source})" if source and source != "literal" else ""
    if len(before) + len(after) <= 2 * _LONG and "\n" not in before + after:
        yield _text(
            f"{indent}{label}: ",
            (before, "red" if before != "(none)" else "dim"),
            " -> ",
            (after, "green" if after != "(none)" else "dim"),
            f"{origin}{tail}",
        )
        return
    if before == after:
        yield _text(f"{indent}{label}: only what is hidden in it changes{origin}{tail}")
        return
    yield _text(f"{indent}{label}:{origin}{tail}")
    pad = " " * (len(indent) - len(indent.lstrip()) + 4)
    for line in _difference(before, after):
        yield _text((f"{pad}{line}", "red" if line.startswith("- ") else "green" if line.startswith("+ ") else "dim"))


def _difference(before: str, after: str) -> list[str]:
    """The lines that differ, those of a JSON structure one below the other; a side that is not there is left out."""
    old, new = ([] if side == "(none)" else split_lines(spread(side)) for side in (before, after))
    if len(old) <= 1 and len(new) <= 1:
        return [*(f"- {line}" for line in old), *(f"+ {line}" for line in new)]
    found = [line for line in difflib.unified_diff(old, new, lineterm="", n=1) if not line.startswith(("---", "+++", "@@"))]
    # Lines that stay are marked too: no line of a value begins a line of ours.
    shown = [f"{line[:1].replace(' ', '|')} {line[1:]}" for line in found]
    left = len(shown) - _MOST
    return [*shown[:_MOST], f"... {plural(left, 'more line')} (--format html shows all)"] if left > 0 else shown


def _content(plan: Plan) -> Iterator[Text]:
    if plan.content is None:
        return
    styles = {f"  {content_view.MARKS[c]} ": style for c, style in _CONTENT.items()}
    yield _text()
    for number, line in enumerate(content_view.lines(plan.content)):
        yield _text((line, "bold" if number == 0 else styles.get(line[:4], "yellow" if line.startswith("  warning") else "")))


def _widenings(plan: Plan, *, verbose: bool) -> Iterator[Text]:
    found, folded = shown.policies(plan, verbose=verbose)
    groups, rest = list(summary.widening_groups(found)), [*folded.lines()]
    if not groups and not rest:
        return
    yield _text()
    yield _text(("Policies that allow more than before" if groups else "Policies", "bold"))
    for stack, where, widenings in groups:
        yield _text(f"  {stack}: {where}")
        for widening in widenings:
            everything = widening.grants_everything
            text = summary.widening_text(widening, most=6)
            yield _text(("    !! " if everything else "    ", "bold red"), (text, "bold red" if everything else "yellow"))
    yield from (_text((f"  {line} ({shown.VERBOSE})", "dim")) for line in rest)


def _findings(found: tuple[Finding, ...], title: str) -> Iterator[Text]:
    if not found:
        return
    styles = {"error": "bold red", "warning": "bold yellow", "note": "dim"}
    yield _text()
    yield _text((title, "bold"))
    for finding in found:
        where = f"{finding.stack}: " if finding.stack else ""
        yield _text(f"  {where}", (finding.severity, styles[finding.severity]), f": {finding.message}")
        yield from _steps(finding.command)


def _steps(command: str) -> Iterator[Text]:
    for label, _, words in (line.partition(" ") for line in commands.told(command)):
        yield _text(f"    {label} ", (words, "cyan"))
