"""What a plan says of what was applied last: read once, whatever it has to tell."""

from __future__ import annotations

import msgspec
import pytest

from rollout import history
from rollout.whereabouts import find
from tests.simulated import SimulatedGateways, Small, small_assembly
from tests.unit.rollout.test_history import TEMPLATE, Bucket, record

OLD, NEW = (small_assembly(Small(id=name, template=TEMPLATE)) for name in ("a", "b"))


def applied(*, rollback: bool, environment: str = "test") -> Bucket:
    """A bucket whose last record is an apply of `OLD`."""
    bucket = Bucket()
    assembly, templates = OLD
    history.keep(bucket, assembly.artifact_bucket, assembly, templates)
    last = msgspec.structs.replace(record(environment=environment), assembly_digest=assembly.digest, rollback=rollback)
    history.save(bucket, assembly.artifact_bucket, last)
    return bucket


def codes(bucket: Bucket, planned: tuple[object, object] = NEW, *, rolling_back: bool = False) -> list[str]:
    assembly, templates = planned
    return [f.code for f in find(lambda: bucket, assembly, templates, SimulatedGateways(), rolling_back=rolling_back).findings]  # type: ignore[arg-type]


@pytest.mark.parametrize(("rollback", "rolling_back", "said"), [(True, False, True), (False, False, False), (True, True, False)])
def test_a_rollback_that_a_plan_would_undo_is_told(rollback: bool, rolling_back: bool, said: bool) -> None:
    assert codes(applied(rollback=rollback), rolling_back=rolling_back) == ["undoes_rollback"] * said


def test_the_assembly_that_came_back_undoes_nothing() -> None:
    assert codes(applied(rollback=True), OLD) == []


def test_a_damaged_assembly_hides_no_rollback() -> None:
    bucket = applied(rollback=True)
    damaged = next(key for key in bucket.objects if key.endswith(".template.json"))
    bucket.objects[damaged] += b" "
    assert codes(bucket) == ["undoes_rollback"]


def test_without_a_history_nothing_is_told() -> None:
    assert codes(Bucket()) == []
