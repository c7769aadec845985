"""What a plan means, one line each: how long, who notices, what is defended less, what it costs.

In: a `Plan` with its `Consequences`. Out: (title, line) pairs, alike in every form of the review.
Never: markup, colour, printing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import msgspec

from consequences.model import Consequences, PostureChange, PostureKind, VisitorEffect, VisitorKind
from planning.model import Plan
from review.progress_view import duration as spoken

MOST = 4
"""Items in one line; JSON and the HTML page have all."""
SECONDS_A_MINUTE = 60

_VISITORS: Mapping[VisitorKind, str] = {
    "site_appears": "the site appears{at}",
    "site_disappears": "THE SITE DISAPPEARS{was}",
    "site_replaced": "THE DISTRIBUTION IS REPLACED: a new one serves them, with cold caches",
    "authentication_off": "NO PASSWORD IS ASKED any more on {after}",
    "authentication_on": "a password is asked on {after}",
    "authentication_changed": "another function answers first{edge}",
    "name_added": "{after} is answered",
    "name_removed": "{before} IS NOT ANSWERED any more",
    "dns_added": "the DNS has {after}",
    "dns_changed": "the DNS answer of {before} changes; resolvers keep the old one for its TTL",
    "dns_removed": "THE DNS LOSES {before}",
    "origin_changed": "files come from {after}, and came from {before}: what is not there is a 404",
    "routing_changed": "another function chooses the page{edge}",
    "headers_changed": "answers get other headers; a page that the new ones forbid something breaks",
    "origin_group_changed": "{turn}",
    "firewall_blocks": "the firewall's rule {after} refuses requests that it let through",
    "old_clients_refused": "clients below {after} are refused (before: below {before})",
    "edge_locations_changed": "answers come from other edge locations: {before} -> {after}",
    "distribution_changed": "what CloudFront does changes: {after}",
    "content_emptied": "THE BUCKET WITH THE SITE GOES: nothing is served until something is published",
    "content_published": "they get {after}",
}
_POSTURE: Mapping[PostureKind, str] = {
    "authentication_off": "AUTHENTICATION OFF on {subject}",
    "header_removed": "{subject} removed{was}",
    "header_weakened": "{subject} weaker: {before} -> {after}",
    "csp_loosened": "Content-Security-Policy allows more: {subject} {before} -> {after}",
    "hsts_shortened": "HSTS weaker: {before} -> {after}",
    "indexing_on": "search engines may index it",
    "public_access": "{subject} open to the public: {before} -> {after}",
    "encryption_weakened": "{subject}: encryption weaker: {before} -> {after}",
    "plaintext_allowed": "plain HTTP allowed on {subject}: {before} -> {after}",
    "tls_lowered": "TLS lowered: {before} -> {after}",
    "retention_shortened": "{subject} kept shorter: {before} -> {after}",
    "replication_off": "{subject} is not replicated any more",
    "alarms_unheard": "ALARMS REACH NOBODY by mail any more{was}",
    "protection_lifted": "{subject} lifted: {before} -> {after}",
    "logging_off": "{subject} off",
}


def lines(plan: Plan) -> Iterator[tuple[str, str]]:
    """(title, text), nothing where the plan has no consequences."""
    found = plan.consequences
    if found is None:
        return
    yield "takes", ("on AWS " if plan.options.local and found.duration.source != "history" else "") + _takes(found)
    yield "visitors", _joined([visitor_text(each) for each in _alike(found.visitors)]) or "notice nothing"
    yield "security", _security(plan, found)
    if found.cost is not None:
        cost = found.cost
        left = f"; {cost.left:,.2f} of it for what is no more wanted" if cost.left else ""
        used = f"with {cost.requests:,} requests and {cost.gigabytes:g} GB; list prices as of {cost.as_of}"
        if cost.difference:
            yield "costs", f"{cost.difference:+,.2f} USD a month (about {cost.before:,.2f} -> {cost.after:,.2f} {used}){left}"
        else:
            yield "costs", f"as before, about {cost.after:,.2f} USD a month {used}{left}"


def _takes(found: Consequences) -> str:
    chain = found.duration.stacks
    if not chain:
        return "seconds"
    slowest = max(chain, key=lambda each: each.seconds)
    source = {"history": "as it took before", "documented": "by AWS's figures and ours", "mixed": "partly as it took before"}
    parts = ", ".join(each.stack for each in chain)
    because = f" ({slowest.because.rpartition('::')[2]})" if slowest.because else ""
    where = f"longest: {slowest.stack}{because}, {_about(slowest.seconds, slowest.source)}" if len(chain) > 1 else f"{parts}{because}"
    return f"{_about(found.duration.seconds, found.duration.source)}, {source[found.duration.source]}; {where}"


def _about(seconds: float, source: str) -> str:
    """As exact as it is known."""
    if source == "history":
        return f"about {spoken(seconds)}"
    return "under a minute" if seconds < SECONDS_A_MINUTE else f"about {math.ceil(seconds / SECONDS_A_MINUTE)} min"


def _alike(effects: tuple[VisitorEffect, ...]) -> list[VisitorEffect]:
    """Those of one kind as one, with their names in a row."""
    groups: dict[tuple[str, bool], list[VisitorEffect]] = {}
    for effect in effects:
        groups.setdefault((effect.kind, effect.certain), []).append(effect)
    return [
        msgspec.structs.replace(found[0], before=_row([each.before for each in found]), after=_row([each.after for each in found]))
        for found in groups.values()
    ]


def _row(names: list[str]) -> str:
    """ "a A, AAAA, b A": a name once before its record types."""
    told: list[str] = []
    last = ""
    for name in dict.fromkeys(each for each in names if each):
        host, _, kind = name.partition(" ")
        told.append(kind if kind and host == last else name)
        last = host
    return ", ".join(told)


def visitor_text(effect: VisitorEffect) -> str:
    """One effect as a phrase."""
    paths = "all paths" if "*" in effect.after.split(", ") else effect.after
    at, was = (f" at {effect.after}" if effect.after else ""), (f" ({effect.before})" if effect.before else "")
    more = {"turn": _turn(effect), "edge": f": {effect.after}" if effect.after else ""}
    text = _VISITORS[effect.kind].format(before=effect.before or "?", after=paths or "?", at=at, was=was, **more)
    return text if effect.certain else f"perhaps: {text}"


def _turn(effect: VisitorEffect) -> str:
    """What becomes of the origin that stands in for another one."""
    if not effect.after and not effect.before:
        return "where the first origin fails, another one is asked than before"
    return f"where the first origin fails, {effect.after or 'none'} is asked" + (f" (before: {effect.before})" if effect.before else "")


def posture_text(change: PostureChange) -> str:
    """One change as a phrase, without where it is."""
    was = f" (was {change.before})" if change.before else ""
    subject = "all paths" if change.subject == "*" else change.subject
    return _POSTURE[change.kind].format(subject=subject, before=change.before or "(none)", after=change.after or "(none)", was=was)


def posture_groups(plan: Plan) -> Iterator[tuple[str, str]]:
    """("STACK: LogicalId (Type)", phrase) of every change."""
    for change in plan.consequences.posture if plan.consequences is not None else ():
        place = f"{change.stack}: {change.logical_id or 'the stack'} ({change.resource_type})" if change.stack else plan.environment
        yield place, posture_text(change)


def _security(plan: Plan, found: Consequences) -> str:
    # What a new stack allows is new, and nothing was defended there before.
    wider = sum(len(stack.widenings) for stack in plan.stacks if stack.operation != "create")
    opened = {each.logical_id for each in found.posture if each.kind == "authentication_off" and each.subject == "*"}
    # Where every path is open, each by itself is said already.
    posture = [e for e in found.posture if not (e.kind == "authentication_off" and e.logical_id in opened and e.subject != "*")]
    parts = [posture_text(each) for each in posture]
    said = _joined(list(dict.fromkeys(parts)))
    policies = f"{wider} permission{'' if wider == 1 else 's'} widened (below)" if wider else ""
    return "; ".join(part for part in (said, policies) if part) or "nothing is defended less"


def _joined(parts: list[str]) -> str:
    more = [f"and {len(parts) - MOST} more"] if len(parts) > MOST else []
    return "; ".join([*parts[:MOST], *more])


def loud(plan: Plan) -> bool:
    """Somebody has to look twice."""
    found = plan.consequences
    return found is not None and any(each.kind in ("authentication_off", "site_disappears", "content_emptied") for each in found.visitors)
