"""An estimate of a month in words and as data. In: `Estimate` values, today. Out: lines, data. Never: prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from prices import table
from prices.estimate import Estimate, Line, free_tier
from prices.table import Price

SMALL = 0.005
"""US dollars below which a position is not shown; JSON has all."""


def lines(environment: str, found: Estimate, *, today: date, other: tuple[str, Estimate] | None = None) -> Iterator[str]:
    """A position a line, the dearest stack first; with `other`, what that environment costs beside it."""
    usage = found.usage
    yield (
        f"{environment}: about {found.usd:,.2f} USD a month with {usage.requests:,} requests and {usage.gigabytes:g} GB to visitors"
        " (list prices, without taxes)"
    )
    for stack, positions in _by_stack(found):
        yield f"  {stack or 'beside the stacks'}: {sum(line.usd for line in positions):,.2f}"
        for alike in _alike(positions):
            yield _position(alike)
    assumptions: dict[str, str] = {}
    for line in found.lines:
        if line.assumption and line.usd >= SMALL:
            assumptions.setdefault(line.assumption, line.what)
    yield from ("assumed:", *(f"  {what}: {assumption}" for assumption, what in assumptions.items())) if assumptions else ()
    free = free_tier(found)
    if free:
        yield f"CloudFront's free share of the account would take off up to {free:,.2f}, if no other distribution uses it"
    if found.unpriced:
        yield f"not in the price table: {', '.join(found.unpriced)}"
    if other is not None:
        name, its = other
        difference = found.usd - its.usd
        more = f"{abs(difference):,.2f} {'more' if difference > 0 else 'less'}" if difference else "the same"
        yield f"{name}: about {its.usd:,.2f} USD a month at the same use; {environment} costs {more}"
        yield from _differences(found, its)
    unread = sum(not price.read for price in {line.price for line in found.lines})
    yield f"prices as of {found.as_of}; {unread} of those used are from knowledge and not from AWS's page (prices/table.py)"
    if any(table.is_old(today, line.price) for line in found.lines):
        yield f"OLD PRICES: the oldest is of {found.as_of}, more than a year ago; compare prices/table.py with AWS's pages"


def _by_stack(found: Estimate) -> list[tuple[str, list[Line]]]:
    groups: dict[str, list[Line]] = {}
    for line in found.lines:
        groups.setdefault(line.stack, []).append(line)
    ordered = sorted(groups.items(), key=lambda group: -sum(line.usd for line in group[1]))
    return [group for group in ordered if sum(line.usd for line in group[1]) >= SMALL]


def _alike(positions: Iterable[Line]) -> list[list[Line]]:
    """Those of one kind and price together, the dearest first."""
    groups: dict[tuple[str, Price], list[Line]] = {}
    for line in positions:
        groups.setdefault((line.what, line.price), []).append(line)
    ordered = sorted(groups.values(), key=lambda group: -sum(line.usd for line in group))
    return [group for group in ordered if sum(line.usd for line in group) >= SMALL]


def _position(alike: list[Line]) -> str:
    line = alike[0]
    who = line.resource if len(alike) == 1 else f"{len(alike)} resources"
    quantity = sum(each.quantity for each in alike)
    return f"    {sum(each.usd for each in alike):>9,.2f}  {who}: {line.what}, {quantity:,.4g} x {line.price.usd:g} per {line.price.unit}"


def _differences(one: Estimate, other: Estimate) -> Iterator[str]:
    """Positions that differ, by what they are: names differ between environments, and say nothing."""
    sums: dict[str, float] = {}
    for sign, found in ((1, one), (-1, other)):
        for line in found.lines:
            sums[line.what] = sums.get(line.what, 0.0) + sign * line.usd
    for what, usd in sorted(sums.items(), key=lambda item: -abs(item[1])):
        if abs(usd) >= SMALL:
            yield f"    {usd:>+9,.2f}  {what}"


def data(environment: str, found: Estimate, *, today: date) -> dict[str, Any]:
    """All of it, for machines."""
    usage = found.usage
    return {
        "environment": environment,
        "usd_a_month": found.usd,
        "free_tier_usd": free_tier(found),
        "requests": usage.requests,
        "gigabytes": usage.gigabytes,
        "prices_as_of": found.as_of,
        "old_prices": any(table.is_old(today, line.price) for line in found.lines),
        "unpriced": list(found.unpriced),
        "positions": [
            {
                "stack": line.stack,
                "resource": line.resource,
                "what": line.what,
                "quantity": line.quantity,
                "unit": line.price.unit,
                "usd": round(line.usd, 4),
                "assumption": line.assumption,
                "source": line.price.source,
                "read": line.price.read,
            }
            for line in found.lines
        ],
    }
