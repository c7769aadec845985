"""The plan and its outcome as lines for a person."""

from __future__ import annotations

from assembly import commands
from guards.text import plural
from operations.destroy.values import DestroyOutcome, DestroyPlan
from planning.removals import RetainedResource


def plan_lines(plan: DestroyPlan) -> tuple[str, ...]:
    """The plan for a person: what is deleted and in which order, what is kept, what stands in the way."""
    lines = [f"destroy {plan.environment}, account {plan.account_id}"]
    if plan.removals:
        lines += ["", "deleted, in this order:"]
    for number, removal in enumerate(plan.removals, 1):
        what = "never created" if removal.status == "REVIEW_IN_PROGRESS" else plural(removal.resources, "resource")
        if removal.kind == "stackset":
            what = f"StackSet, {plural(removal.resources, 'instance')} in {plural(len(removal.regions), 'region')}"
        lines.append(f"  {number}. {removal.stack_name} ({removal.region}): {what}")
        lines += [f"     drops the change set {name}, which waits to be applied" for name in removal.change_sets]
        if removal.protected and plan.lift_protection:
            lines.append("     its termination protection is lifted first")
    for fate, title in (
        ("delete", "deleted for good, with all that they hold:"),
        ("clean_up", "deleted as soon as CloudFront has taken back its replicas (some hours after the distribution is gone):"),
        ("keep", "kept:"),
    ):
        chosen = [each for each in plan.leftovers if each.fate == fate]
        if chosen:
            lines += ["", title, *_leftover_lines(chosen, plan)]
    notes = [f for f in plan.findings if f.severity == "note"]
    if notes:
        lines += ["", "not known:", *(f"  {finding.message}" for finding in notes)]
    errors = [f for f in plan.findings if f.severity == "error"]
    if errors:
        lines += ["", "in the way:"]
    for finding in errors:
        lines += [f"  {finding.message}", *(f"    {line}" for line in commands.told(finding.command))]
    if plan.nothing_to_do:
        lines += ["", f"nothing to delete in {plan.environment}"]
    elif not plan.blocked:
        going = {(each.resource_type, each.physical_id) for each in plan.leftovers if each.fate != "keep"}
        kept = {(each.resource_type, each.physical_id) for each in plan.leftovers if each.fate == "keep"} - going
        lines += ["", f"{plural(len(plan.removals), 'stack')} and {plural(len(going), 'resource')} left behind to delete, {len(kept)} kept"]
    return tuple(lines)


def _leftover_lines(chosen: list[RetainedResource], plan: DestroyPlan) -> list[str]:
    lines = []
    groups: dict[tuple[str, str], list[RetainedResource]] = {}
    for each in chosen:
        groups.setdefault((each.resource_type, each.physical_id), []).append(each)
    for (resource_type, physical_id), members in groups.items():
        where = members[0].region if len(members) == 1 else f"{len(members)} regions"
        holds = f": {members[0].holds}" if members[0].holds else ""
        lines.append(f"  {physical_id} ({resource_type}, {where}){holds}")
        if plan.delete_data and any(m.fate == "keep" for m in members):
            reason = members[0].because or (
                "it is not known that a stack of this environment made it"
                if not members[0].proven
                else "this command does not delete resources of that type"
            )
            lines.append(f"    kept although --delete-data is given: {reason}")
        elif members[0].because:
            lines.append(f"    {members[0].because}")
    return lines


def outcome_lines(outcome: DestroyOutcome) -> tuple[str, ...]:
    """What became of it, and what to type next."""
    # The same name in several regions is one line.
    lines = [*dict.fromkeys(f"deleted {name}" for name in outcome.deleted), *dict.fromkeys(f"kept {name}" for name in outcome.kept)]
    for each in outcome.pending:
        lines += [
            f"waits: {each.physical_id} ({each.resource_type}): {each.reason}",
            f"  come back after {each.come_back_at}",
            *(f"  {line}" for line in commands.told(outcome.command)),
        ]
    if outcome.failed:
        lines += [f"failed: {outcome.failed}", "  when the cause is gone:", *(f"  {line}" for line in commands.told(outcome.command))]
    elif not outcome.pending:
        lines.append(f"{outcome.environment}: nothing is left to delete")
    return tuple(lines)
