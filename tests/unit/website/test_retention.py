"""Which releases stay."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.website.stores import NOW, release, state
from website.releases import (
    Release,
)
from website.retention import retained


def numbers(found: tuple[Release, ...]) -> list[int]:
    """Of releases."""
    return [r.number for r in found]


def test_the_last_ones_stay_whatever_their_age() -> None:
    old = state(*(release(n, days=100 - n, superseded=99 - n) for n in range(1, 7)))
    assert numbers(retained(old, keep=3, grace_days=14, now=NOW)) == [4, 5, 6]


def test_within_the_grace_period_every_release_stays() -> None:
    young = state(release(1, superseded=30), release(2, superseded=13), release(3, superseded=1), release(4))
    assert numbers(retained(young, keep=1, grace_days=14, now=NOW)) == [2, 3, 4]


def test_a_rollback_keeps_what_it_brought_back() -> None:
    back = state(release(1, superseded=50, manifest="a"), release(2, superseded=40, manifest="b"), release(3, manifest="a"))
    assert numbers(retained(back, keep=1, grace_days=14, now=NOW)) == [1, 3]


@given(st.lists(st.integers(0, 60), min_size=1, max_size=12), st.integers(1, 6), st.integers(1, 30))
def test_the_live_release_always_stays(ages: list[int], keep: int, grace: int) -> None:
    ages = sorted(ages, reverse=True)
    made = [release(n, days=age, superseded=age, manifest=str(n % 4)) for n, age in enumerate(ages, 1)]
    found = state(*made[:-1], msgspec.structs.replace(made[-1], superseded_at=""))
    stay = retained(found, keep=keep, grace_days=grace, now=NOW)
    assert found.live in stay
    assert len({r.manifest for r in stay}) >= min(keep, len({r.manifest for r in found.releases}))


def test_the_live_release_stays_whatever_is_asked_for() -> None:
    old, live = release(1, days=90, superseded=80), release(2, days=80)
    for keep in (-1, 0, 1):
        assert retained(state(old, live), keep=keep, grace_days=0, now=NOW) == (live,)


def test_where_nothing_is_overwritten_no_copy_is_kept_and_none_is_told() -> None:
    from types import SimpleNamespace
    from typing import Any

    from website.writing import Writing

    told: list[Any] = []
    nothing: Any = None
    snapshot: Any = SimpleNamespace(state=SimpleNamespace(live=None), manifests={})
    run: Any = SimpleNamespace(report=told.append)
    manifest: Any = SimpleNamespace(files=(SimpleNamespace(immutable=True, sha256="a", size=1),))
    Writing(site=SimpleNamespace(store=None), snapshot=snapshot, claimed=nothing, run=run, file_of=nothing).keep_copies(manifest)  # type: ignore[arg-type]
    assert told == []
