"""How long an apply is expected to take.

In: what each stack does and waits for, what history measured. Out: `Duration`: the chain of stacks that takes longest.
Never: promises; a figure that nobody measured here is AWS's documentation's, or ours where AWS gives none, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from changes.model import ResourceChange
from consequences.model import Duration, StackDuration


@dataclass(frozen=True)
class Figure:
    """How long CloudFormation works on one resource, in seconds."""

    seconds: float
    source: str


ANY = Figure(20, "no figure of AWS's; seconds for most resources, and CloudFormation's own start and end (knowledge, 2026-11)")
SLOW: Mapping[str, Figure] = {
    "AWS::CloudFront::Distribution": Figure(
        300,
        "AWS Networking blog, 'Slashing CloudFront change propagation times in 2020': around five minutes"
        " (https://aws.amazon.com/blogs/networking-and-content-delivery/slashing-cloudfront-change-propagation-times-in-2020-recent-changes"
        "-and-looking-forward/, 2020; read 2026-11-27 in excerpts, the figure from knowledge)",
    ),
    "AWS::CertificateManager::Certificate": Figure(
        300, "ACM waits until it sees the DNS record; minutes as a rule, 72 hours at most (ACM User Guide, DNS validation; knowledge)"
    ),
    "AWS::Route53::RecordSet": Figure(60, "Route 53 Developer Guide: changes reach all name servers within a minute as a rule (knowledge)"),
    "AWS::CloudFront::Function": Figure(30, "no figure of AWS's (knowledge)"),
    "AWS::CloudFront::ResponseHeadersPolicy": Figure(30, "no figure of AWS's (knowledge)"),
    "AWS::IAM::ManagedPolicy": Figure(30, "no figure of AWS's (knowledge)"),
    "AWS::IAM::Role": Figure(30, "no figure of AWS's (knowledge)"),
    "AWS::DynamoDB::Table": Figure(30, "no figure of AWS's (knowledge)"),
    "AWS::Lambda::Function": Figure(30, "no figure of AWS's (knowledge)"),
}
"""Types that take longer than the rest. Resources of one stack are worked on side by side, so that the slowest counts."""
INSTANCES = Figure(120, "a region of a StackSet, whose instances are worked on side by side; no figure of AWS's (knowledge)")
REMOVED = Figure(120, "a stack that is deleted; no figure of AWS's, a distribution in it takes longer (knowledge)")
CONTENT = Figure(90, "upload and an invalidation, which ends within a minute or two as a rule (CloudFront Developer Guide; knowledge)")


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one stack does."""

    stack: str
    operation: str
    depends_on: tuple[str, ...]
    changes: tuple[ResourceChange, ...] = ()
    regions: int = 0
    """Of a StackSet: regions with instances to work on."""


def expected(work: Iterable[Work], measured: Mapping[tuple[str, str], float]) -> Duration:
    """The whole, `measured` by stack and operation in seconds. Stacks that do nothing take no time, and pass on what they wait for."""
    chains: dict[str, tuple[StackDuration, ...]] = {}
    for each in work:
        before = max((chains.get(name, ()) for name in each.depends_on), key=_seconds, default=())
        own = _own(each, measured)
        chains[each.stack] = before if own is None else (*before, own)
    longest = max(chains.values(), key=_seconds, default=())
    sources = {each.source for each in longest}
    source = "mixed" if len(sources) > 1 else next(iter(sources), "documented")
    return Duration(seconds=_seconds(longest), stacks=longest, source=source)  # type: ignore[arg-type]


def _seconds(chain: tuple[StackDuration, ...]) -> float:
    return round(float(sum(each.seconds for each in chain)), 1)


def _worked_on(change: ResourceChange) -> bool:
    """Whether its slow part runs. A policy or note of the template's is CloudFormation's alone, tags are a call of their own, and a
    certificate is only waited for when it is requested.
    """
    if change.action != "modify" or change.replacement.verdict != "no":
        return True
    beside = bool(change.properties) and all(each.attribute != "Properties" or each.keeps for each in change.properties)
    return not beside and change.resource_type != "AWS::CertificateManager::Certificate"


def _own(work: Work, measured: Mapping[tuple[str, str], float]) -> StackDuration | None:
    if work.operation in ("none", "blocked"):
        return None
    known = measured.get((work.stack, work.operation))
    if known is not None:
        return StackDuration(stack=work.stack, seconds=round(known, 1), source="history")
    if work.operation == "settings":
        return StackDuration(stack=work.stack, seconds=2.0, source="documented")
    if work.stack == "content":
        return StackDuration(stack=work.stack, seconds=float(CONTENT.seconds), source="documented")
    if work.operation == "remove":
        return StackDuration(stack=work.stack, seconds=float(REMOVED.seconds), source="documented")
    slowest, figure = "", ANY
    for change in work.changes:
        if change.unaffected:
            continue
        found = SLOW.get(change.resource_type, ANY) if _worked_on(change) else ANY
        if found.seconds > figure.seconds:
            slowest, figure = change.resource_type, found
    seconds = float(figure.seconds) + (ANY.seconds if slowest else 0) + INSTANCES.seconds * work.regions
    return StackDuration(stack=work.stack, seconds=seconds, source="documented", because=slowest)
