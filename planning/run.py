"""One run of planning: what it works with, and what it has made at CloudFormation so far.

In: the request, the gateways, the schemas, an event to stop at. Out: `Planned` for each stack.
Never: leaves a change set behind that was not kept.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from aws.cloudformation.change_sets import CreatedChangeSet
from aws.cloudformation.gateway import CloudFormation
from aws.errors import AwsError
from changes.context import Context
from planning.cleanup import discard
from planning.inputs import Gateways, Produced
from planning.model import AnyStackPlan, Finding, Superseded
from planning.request import Progress, Request, Stopped
from templates.schemas import Schemas


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One stack's plan, and what the stacks after it can take from it."""

    plan: AnyStackPlan
    produced: Produced = field(default_factory=lambda: Produced(outputs={}))
    superseded: tuple[Superseded, ...] = ()
    """What the stack has let go of, or will."""
    context: Context | None = None
    """What its changes were read with; None where it was not compared."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """A change set that one run of planning has made."""

    gateway: CloudFormation
    created: CreatedChangeSet
    made_stack: bool


class PlanningRun:
    """What planning any stack needs, and the record of what this run has made at CloudFormation. May be used from any thread."""

    def __init__(self, request: Request, gateways: Gateways, schemas: Schemas, progress: Progress, stop: threading.Event) -> None:
        self.request, self.gateways, self.schemas, self.progress, self.stop = request, gateways, schemas, progress, stop
        self._lock = threading.Lock()
        self._made: dict[str, Made] = {}
        self._beside: dict[Callable[[], Iterable[Finding]], Future[tuple[Finding, ...]]] = {}
        self._pool = ThreadPoolExecutor(max_workers=3, thread_name_prefix="beside")
        self._measured: Future[Mapping[tuple[str, str], float]] | None = None

    def __enter__(self) -> PlanningRun:
        return self

    def beside(self, look: Callable[[], Iterable[Finding]]) -> None:
        """Look beside the planning; once, however often it is asked for."""
        with self._lock:
            if look not in self._beside:
                self._beside[look] = self._pool.submit(lambda: tuple(look()))

    def looked(self) -> tuple[Finding, ...]:
        """What all those looks found. Raises `AwsError`."""
        return tuple(finding for each in self._beside.values() for finding in each.result())

    def measure(self) -> None:
        """Something changes: look beside the planning how long such things took before; once."""
        with self._lock:
            if self._measured is None:
                self._measured = self._pool.submit(self.request.measured)

    def measured(self) -> Mapping[tuple[str, str], float]:
        """What that found, by stack and operation in seconds; nothing where AWS does not tell, since nothing depends on it."""
        try:
            return {} if self._measured is None else self._measured.result()
        except AwsError:
            return {}

    def __exit__(self, *_: object) -> None:
        """Delete whatever has not been kept. A second interrupt in here is the user's wish, and ends it."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for arn in list(self._made):
            with contextlib.suppress(AwsError):
                self.forget(arn)

    def keep(self) -> None:
        """What was made is named in the plan now."""
        self._made.clear()

    def record(self, made: Made) -> None:
        """It is there at CloudFormation now, and goes unless it is kept."""
        with self._lock:
            self._made[made.created.arn] = made

    def forget(self, arn: str) -> None:
        """Delete it at CloudFormation."""
        with self._lock:
            made = self._made[arn]
        discard(made.gateway, made.created, made_stack=made.made_stack)
        with self._lock:
            self._made.pop(arn, None)

    def check(self) -> None:
        """Raise `Stopped` if planning was interrupted."""
        if self.stop.is_set():
            raise Stopped
