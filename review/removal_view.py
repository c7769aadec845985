"""Stacks that are no more wanted, as every form of the review and of an apply's end says them.

In: a plan, or what came of it. Out: lines. Never: decides on markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assembly import commands
from guards.text import plural
from planning.model import Plan
from planning.removal_checks import remove_command
from planning.removals import Removal, RetainedResource
from rollout.outcome import StackRemoved

MOST = 6
"""Resources of a kind that are named."""


def headline(plan: Plan) -> str:
    """What becomes of them, in one sentence; empty where there are none."""
    if not plan.removals:
        return ""
    number = plural(len(plan.removals), "stack")
    if plan.options.remove:
        return f"No more wanted, and deleted last of all, in this order ({number}):"
    return f"No more wanted, and left as {'it is' if len(plan.removals) == 1 else 'they are'} ({number} that the assembly does not have):"


def lines(plan: Plan) -> Iterator[str]:
    """One line a stack, and below it what is deleted and what is kept."""
    for each in plan.removals:
        yield f"- {each.stack}: {what(each)}"
        if each.protected:
            lifted = plan.options.remove and plan.options.lift_protection
            yield f"    it has termination protection{', which is lifted first' if lifted else ''}"
        drops, deletes, keeps, cleans = ("drops", "deletes", "keeps", "cleans up")
        if not plan.options.remove:
            drops, deletes, keeps, cleans = "would drop", "would delete", "would keep", "would clean up"
        yield from (f"    {drops} the change set {name}, which waits to be applied" for name in each.change_sets)
        shown = max(MOST, sum("), with " in line for line in each.deletes))
        yield from (f"    {deletes} {line}" for line in each.deletes[:shown])
        if len(each.deletes) > shown:
            yield f"    {deletes} {len(each.deletes) - shown} more"
        if each.status != "DELETE_COMPLETE":
            yield from (f"    {keeps} {line}" for line in _left(each.leftovers, "keep"))
        for line in _left(each.leftovers, "clean_up"):
            yield f"    {cleans} {line}, as soon as AWS lets go of it (replicas at the edge: some hours)"
    if plan.removals and not plan.options.remove:
        for line in commands.told(remove_command(plan.environment)):
            yield f"    to delete {'it' if len(plan.removals) == 1 else 'them'}, {line}"


def what(each: Removal) -> str:
    """The stack, and how much of it goes."""
    place = f"{each.stack_name} in {each.region}, account {each.account_id}"
    if each.status == "DELETE_COMPLETE":
        return f"{place}: gone, but for what it has left"
    if each.status == "REVIEW_IN_PROGRESS":
        return f"{place}: never created"
    if each.kind == "stackset":
        return f"StackSet {place}: {plural(each.resources, 'instance')} in {plural(len(each.regions), 'region')} with their stacks"
    return f"{place}: {plural(each.resources, 'resource')}"


def count(plan: Plan) -> str:
    """For the line that counts; empty where there is nothing to say."""
    if not plan.removals:
        return ""
    return f"{plural(len(plan.removals), 'stack')} no more wanted, {'to delete' if plan.options.remove else 'left alone'}"


def outcome_lines(removals: Iterable[StackRemoved], environment: str) -> Iterator[str]:
    """What became of them."""
    found = tuple(removals)
    for each in found:
        kept = f"; it left {', '.join(dict.fromkeys(each.kept))}" if each.kept else ""
        match each.result:
            case "removed":
                yield f"{each.stack}: deleted {each.stack_name}, which was no more wanted{kept}"
            case "waits":
                yield f"{each.stack}: deleted {each.stack_name}, which was no more wanted{kept}; waits: {each.message}"
                yield from (f"  {line}" for line in commands.told(each.command))
            case "failed":
                yield f"{each.stack}: {each.stack_name}, which is no more wanted, was not deleted: {each.message}"
            case "running":
                yield f"{each.stack}: {each.stack_name}, which is no more wanted: {each.message}"
            case "not_started":
                why = f": {each.message}" if each.message else ""
                yield f"{each.stack}: {each.stack_name}, which is no more wanted, is not deleted yet{why}"
    stays = [each.stack_name for each in found if each.result == "kept"]
    if stays:
        yield f"no more wanted, and left as it is: {', '.join(stays)}"
        yield from (f"  {line}" for line in commands.told(remove_command(environment)))


def _left(found: Iterable[RetainedResource], fate: str) -> Iterator[str]:
    """By type and name, the places together."""
    places: dict[tuple[str, str, str], set[tuple[str, str]]] = {}
    for each in found:
        if each.fate == fate:
            places.setdefault((each.resource_type, each.physical_id, each.holds), set()).add((each.account_id, each.region))
    for (resource_type, name, holds), where in list(places.items())[:MOST]:
        yield f"{name} ({resource_type}{f', {len(where)} regions' if len(where) > 1 else ''}){': ' if holds else ''}{holds}"
    if len(places) > MOST:
        yield f"{len(places) - MOST} more"
