"""What every form of the review says alike: symbols, counts, sentences.

In: a `Plan`. Out: plain values and texts, without any markup.
Never: decides on colour or layout, shows more of a value than the plan holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import msgspec

from assembly import commands
from changes.model import PropertyChange, ResourceChange, Widening
from changes.stack_policy import sentences
from guards.text import plural, printable
from planning.model import AnyStackPlan, Finding, InstanceAction, InstancePlan, Plan, SettingChange, StackPlan, StackSetPlan
from planning.site_bucket import EMPTIED
from review import content_view, removal_view, shown, takeover_view
from rollout.stackset_operations import canary_region
from templates.resources import DATA_HOLDING_TYPES
from templates.values import Redacted, Value

Kind = Literal["add", "modify", "replace", "maybe_replace", "remove", "import", "sync", "dynamic", "unlisted"]

SYMBOLS: Mapping[Kind, str] = {
    "add": "+",
    "modify": "~",
    "replace": "-/+",
    "maybe_replace": "~?",
    "remove": "-",
    "import": ">",
    "sync": "<>",
    "dynamic": "?",
    "unlisted": "!",
}
MEANINGS: Mapping[Kind, str] = {
    "add": "add",
    "modify": "modify in place",
    "replace": "replace: a new one is made, the old one goes",
    "maybe_replace": "modify, perhaps replace",
    "remove": "remove",
    "import": "take over an existing resource",
    "sync": "bring back what drifted",
    "dynamic": "only known at execution",
    "unlisted": "differs, but CloudFormation does not list it",
}
VERBS: Mapping[Kind, str] = {
    "add": "to add",
    "modify": "to modify",
    "replace": "to replace",
    "maybe_replace": "perhaps to replace",
    "remove": "to remove",
    "import": "to import",
    "sync": "to bring back",
    "dynamic": "to be seen",
    "unlisted": "not listed",
}
INFERRED = "inferred from the provider schema"

OPERATIONS: Mapping[str, str] = {
    "create": "create",
    "update": "update",
    "import": "take over, then update",
    "settings": "settings only",
    "instances": "instances only",
    "none": "no changes",
    "blocked": "BLOCKED",
}
INSTANCE_SYMBOLS: Mapping[InstanceAction, str] = {"create": "+", "update": "~", "remove": "-", "retain": "o", "adopt": ">", "none": "="}


def kind_of(change: ResourceChange) -> Kind:
    """How a change is shown."""
    if not change.in_change_set:
        return "unlisted"
    if change.action == "modify":
        return {"no": "modify", "maybe": "maybe_replace", "yes": "replace"}[change.replacement.verdict]  # type: ignore[return-value]
    return change.action


def is_replaced(change: ResourceChange) -> bool:
    """Certainly or perhaps, and CloudFormation lists it."""
    return kind_of(change) in ("replace", "maybe_replace")


def replaced_because(change: ResourceChange) -> str:
    """The properties that replace the resource, "A, B"; empty where nothing does."""
    return ", ".join(change.replacement.because) if is_replaced(change) else ""


def is_inferred(change: ResourceChange) -> bool:
    """Whether it is replaced was read from the provider schema; CloudFormation left it open."""
    return change.replacement.by == "schema" and kind_of(change) != "add"


def old_resource(change: ResourceChange) -> str:
    """What the template's policy does with the resource that goes, "Retain"; empty where none goes."""
    return (change.policy_action or "") if change.action == "remove" or is_replaced(change) else ""


def property_label(item: PropertyChange) -> str:
    """ "BucketName", "Tags", "Metadata.Note"."""
    return item.path if item.attribute == "Properties" and item.path else f"{item.attribute}.{item.path}".rstrip(".")


RECREATION: Mapping[str, str] = {"never": "", "conditionally": "may replace", "always": "replaces"}


def causes(item: PropertyChange) -> str:
    """ "via parameter Domain": where a change comes from that the template's text does not show; else empty."""
    return f"via {', '.join(item.because_of)}" if item.because_of else ""


def kinds_used(plan: Plan) -> tuple[Kind, ...]:
    """Every kind that the review shows, in the legend's order."""
    used = {kind_of(change) for stack in plan.stacks for change in shown.resources(stack)}
    if any(takeover_view.takes(stack) for stack in plan.stacks):
        used.add("import")
    return tuple(kind for kind in SYMBOLS if kind in used)


def legend(plan: Plan) -> tuple[tuple[str, str], ...]:
    """(symbol, meaning) of what is in use."""
    found = [(SYMBOLS[kind], MEANINGS[kind]) for kind in kinds_used(plan)]
    if any(is_inferred(change) for stack in plan.stacks for change in shown.resources(stack)):
        found.append(("*", INFERRED))
    return tuple(found)


def counts(changes: Iterable[ResourceChange]) -> str:
    """ "2 to add, 1 to modify"; empty if there are none."""
    found = Counter(kind_of(change) for change in shown.changing(changes))
    return ", ".join(f"{found[kind]} {VERBS[kind]}" for kind in SYMBOLS if found[kind])


def last_line(plan: Plan) -> str:
    """The line that counts."""
    by_operation = Counter(stack.operation for stack in plan.stacks)
    words = {
        "create": "to create",
        "update": "to update",
        "import": "to take over what exists and update",
        "settings": "with settings to change",
        "instances": "with instances to change",
        "none": "unchanged",
        "blocked": "blocked",
    }
    stacks = ", ".join(f"{by_operation[op]} {word}" for op, word in words.items() if by_operation[op])  # type: ignore[index]
    resources = counts(change for stack in plan.stacks for change in stack.resources)
    instances = Counter(i.action for stack in plan.stacks if isinstance(stack, StackSetPlan) for i in stack.instances)
    words = {
        "create": "to create",
        "adopt": "to adopt",
        "update": "to update",
        "remove": "to remove",
        "retain": "to let go of (their stacks stay)",
    }
    of_sets = ", ".join(f"{instances[action]} {word}" for action, word in words.items() if instances[action])  # type: ignore[index]
    if not plan.has_changes and not plan.blocked:
        live = "; content live already" if plan.content is not None else ""
        live += f"; {removal_view.count(plan)}" if plan.removals else ""
        return f"No changes: {plural(len(plan.stacks), 'stack')} as the assembly wants {'it' if len(plan.stacks) == 1 else 'them'}{live}."
    parts = [f"{plural(len(plan.stacks), 'stack')}: {stacks}"] if stacks else []
    if resources:
        parts.append(f"resources: {resources}")
    if of_sets:
        parts.append(f"StackSet instances: {of_sets}")
    risky, wider = len(dangers(plan)), len(shown.policies(plan)[0])
    parts += [f"{risky} of them endangering data"] if risky else []
    parts += [plural(wider, "widened permission")] if wider else []
    parts += [f"{plural(len(plan.superseded), 'replaced resource')} to remove"] if plan.superseded else []
    parts += [removal_view.count(plan)] if plan.removals else []
    parts += [f"content: {content_view.counts(plan.content)}"] if plan.content is not None else []
    head = "Plan cannot be applied" if plan.blocked else "Plan"
    return f"{head}: {'; '.join(parts)}."


def emptied(plan: Plan) -> tuple[Finding, ...]:
    """What leaves visitors without a site: said before everything else."""
    return tuple(finding for finding in plan.all_findings if finding.code == EMPTIED)


# --- dangers ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Danger:
    """A replacement or removal of something that holds data."""

    stack: str
    change: ResourceChange
    lost: bool
    """False: the old one is kept, outside of the stack."""

    @property
    def sentence(self) -> str:
        """What happens, in capitals where it hurts."""
        change = self.change
        what = f"{change.logical_id} ({change.resource_type})"
        because = f" because of {', '.join(change.replacement.because)}" if change.replacement.because else ""
        happens = "is REMOVED" if change.action == "remove" else f"is REPLACED{because}"
        if change.action != "remove" and change.replacement.verdict == "maybe":
            happens = f"may be REPLACED{because}"
        holds = DATA_HOLDING_TYPES.get(change.resource_type, "its data")
        if not self.lost:
            return f"{what} {happens}; the old one, {holder(change)}, but no stack knows it any more"
        verb = "WOULD BE LOST" if change.replacement.verdict == "maybe" else "WILL BE LOST"
        kept = " but for a snapshot" if change.policy_action in ("Snapshot", "ReplaceAndSnapshot") else ""
        return f"{what} {happens}: {holds} {verb}{kept}"


def holder(change: ResourceChange) -> str:
    """The resource that has the data: always the old one, since a new one is empty."""
    name = printable(change.physical_id or change.logical_id)
    return f"{name}, {'lost with it' if change.loses_data else 'is kept'}"


def dangers(plan: Plan) -> tuple[Danger, ...]:
    """Every change that endangers data, those that lose it first."""
    found = [
        Danger(stack=stack.stack, change=change, lost=change.loses_data)
        for stack in plan.stacks
        for change in stack.resources
        if change.endangers_data
    ]
    return tuple(sorted(found, key=lambda d: not d.lost))


# --- policies -----------------------------------------------------------------------------------------------------

_WIDENING: Mapping[str, str] = {
    "statement_added": "new statement: {after}",
    "effect_allowed": "turned from a refusal into a permission: {after}",
    "action_added": "may also {after} (before: {before})",
    "resource_added": "also on {after} (before: {before})",
    "principal_added": "also for {after} (before: {before})",
    "condition_removed": "no longer only if {before}{now}",
    "condition_changed": "under other conditions: {after} (before: {before})",
    "deny_removed": "no longer refused: {before}",
    "deny_narrowed": "refused less: {after} (before: {before})",
    "managed_policy_attached": "managed policy attached: {after}",
    "boundary_removed": "permissions boundary taken away (was {before})",
    "boundary_changed": "permissions boundary changed: {after} (before: {before})",
    "policy_attached": "policy attached to {after}",
    "public_access_unblocked": "public access no longer blocked (before: {before}, now: {after})",
}


def widening_text(widening: Widening, *, most: int = 1_000) -> str:
    """One widening as a phrase, without where it is; `most` items of each list."""
    before, after = shortened(widening.before, most), shortened(widening.after, most)
    now = f"; now if {after}" if after else ""
    text = _WIDENING[widening.kind].format(before=before, after=after, now=now)
    return f"{widening.statement}: {text}" if widening.statement else text


def widening_groups(widenings: Iterable[Widening]) -> Iterator[tuple[str, str, tuple[Widening, ...]]]:
    """(stack, "LogicalId Path (Type)", its widenings), in order."""
    groups: dict[tuple[str, str], list[Widening]] = {}
    for widening in widenings:
        where = f"{widening.logical_id} {widening.path}".strip()
        groups.setdefault((widening.stack, f"{where} ({widening.resource_type})"), []).append(widening)
    for (stack_id, where), found in groups.items():
        yield stack_id, where, tuple(found)


# --- values -------------------------------------------------------------------------------------------------------


def text(value: Value | None) -> str:
    """A value in one piece; "(none)" where there is none, "(hidden)" where it may not be shown."""
    if value is None:
        return "(none)"
    if isinstance(value, Redacted):
        return "(hidden)"
    return value.text if value.text else '""'


def setting_sides(setting: SettingChange) -> tuple[str, str]:
    """Before and after; of a stack policy a sentence for each statement, since its JSON hides in its length what it refuses."""
    if setting.setting != "stack_policy":
        return setting.before or "(none)", setting.after
    return sentences(setting.before) or "(none)", sentences(setting.after)


def superseded_lines(plan: Plan) -> tuple[str, ...]:
    """The plan's last step, one line a resource."""
    return tuple(
        f"{each.stack}: {each.logical_id} ({each.resource_type}) {each.physical_id}, "
        + (f"left since {each.since}{': ' + each.reason if each.reason else ''}" if each.since else "which this plan replaces")
        for each in plan.superseded
    )


SUPERSEDED = "Last, once every stack uses what has taken their place, these are removed"


def place(stack: AnyStackPlan) -> str:
    """Where it is."""
    return f"{stack.region}, account {stack.account_id}"


def operation_text(stack: AnyStackPlan) -> str:
    """What happens to the stack, as a whole."""
    said = OPERATIONS[stack.operation]
    if stack.operation == "none" and any(f.severity != "note" for f in stack.findings):
        return f"{said}, with findings"
    return f"{said}, previewed" if stack.previewed and stack.operation in ("create", "update", "import") else said


def stack_counts(stack: AnyStackPlan) -> str:
    """What changes in it, in numbers."""
    parts = [takeover_view.count(stack), counts(stack.resources)]
    if isinstance(stack, StackPlan):
        parts += [f"{s.setting.replace('_', ' ')}" for s in stack.settings]
        if not stack.resources and stack.operation == "update":
            parts.append("outputs, tags or settings of the stack only")
    else:
        found = Counter(i.action for i in stack.instances)
        parts.append(", ".join(f"{plural(found[a], 'instance')} to {a}" for a in INSTANCE_SYMBOLS if a != "none" and found[a]))
        parts += [", ".join(stack.settings_changed)]
    return "; ".join(p for p in parts if p)


def instances_by_region(stack: StackSetPlan) -> Iterator[tuple[tuple[str, ...], tuple[InstancePlan, ...]]]:
    """The set's instances: regions where the same happens to the same accounts together, with the instances of the first of them."""
    by_region: dict[str, list[InstancePlan]] = {}
    for instance in stack.instances:
        by_region.setdefault(instance.region, []).append(instance)
    alike: dict[tuple[tuple[str, str, str, str], ...], list[str]] = {}
    for region, found in by_region.items():
        alike.setdefault(tuple((i.account_id, i.organizational_unit, i.action, i.reason) for i in found), []).append(region)
    for regions in alike.values():
        yield tuple(regions), tuple(by_region[regions[0]])


def instances_text(instances: Iterable[InstancePlan], most: int = 8) -> str:
    """ "+ 111111111111, ~ 222222222222 and 998 more, 3 left alone": by what happens to them, the first few of each by name."""
    by_action: dict[InstanceAction, list[str]] = {}
    for instance in instances:
        by_action.setdefault(instance.action, []).append(instance.account_id or instance.organizational_unit)
    parts = [
        shortened(", ".join(f"{symbol} {name}" for name in by_action[action]), most)
        for action, symbol in INSTANCE_SYMBOLS.items()
        if action != "none" and action in by_action
    ]
    idle = len(by_action.get("none", ()))
    return ", ".join([*parts, *([f"{idle:,} left alone"] if idle else [])])


def order_text(stack: StackSetPlan) -> str:
    """Which region goes first, alone; empty where all the work is in one region."""
    first = dict.fromkeys(region for region in (canary_region(stack, "update"), canary_region(stack, "create")) if region)
    return f"{', '.join(first)} first, alone; the others when nothing failed there" if first else ""


def shortened(listed: str, most: int = 6) -> str:
    """The first few of a comma-separated list, and how many there are more."""
    parts = listed.split(", ")
    return listed if len(parts) <= most + 1 else f"{', '.join(parts[:most])} and {len(parts) - most} more"


def findings_in_order(plan: Plan) -> tuple[Finding, ...]:
    """Errors, then warnings, then notes."""
    rank = {"error": 0, "warning": 1, "note": 2}
    return tuple(sorted(plan.all_findings, key=lambda f: rank[f.severity]))


def further_findings(plan: Plan) -> tuple[Finding, ...]:
    """In that order, without those that were said before everything else; the same of several stacks is said once, and so is a command that
    several in a row end with.
    """
    groups: dict[tuple[str, str, str, str], list[Finding]] = {}
    for each in findings_in_order(plan):
        if each.code != EMPTIED:
            groups.setdefault((each.severity, each.code, each.message, each.command), []).append(each)
    found = [msgspec.structs.replace(same[0], stack=", ".join(each.stack for each in same if each.stack)) for same in groups.values()]
    again = ((one.severity, one.command) == (other.severity, other.command) for one, other in pairwise(found))
    firsts = (msgspec.structs.replace(each, command="") if same else each for each, same in zip(found, again, strict=False))
    return (*firsts, *found[-1:])


def next_command(plan: Plan) -> str:
    """What to type after having read the review; empty if there is nothing to do."""
    if plan.blocked or not plan.has_changes:
        return ""
    local = ["--local"] if plan.options.local else []
    approve = ["--approve", plan.digest] if plan.protected else []
    return commands.deploy("apply", plan.environment, *local, *approve)
