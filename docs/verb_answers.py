"""What the verbs answer with `--json`, where no room below has a type for it: documentation and schema of `data`.

In: nothing. Out: types, named by each verb's `DATA`. Never: imported by a verb that runs.
"""

from __future__ import annotations

from typing import Literal

from assembly.model import Frozen
from doctor.values import Fixed, Report
from operations.destroy.values import DestroyOutcome, DestroyPlan
from promotion.plan import FailbackPlan, PromotePlan
from promotion.target import Target
from recovery.rehearsal import RehearsalPlan
from recovery.report import Report as Rehearsal
from rollout.history import Record
from rollout.lock import Holder
from runbooks.choice import Listed
from verification.model import Result
from website.content_plan import ContentPlan
from website.releases import Release

Outputs = dict[str, dict[str, str]]
"""By stack, by name."""

History = tuple[Record, ...]
"""The newest first."""


class Nothing(Frozen, frozen=True, kw_only=True):
    """There was nothing to do."""

    environment: str
    result: Literal["no_changes", "nothing_failed"]
    plan_digest: str = ""


class Destroyed(Frozen, frozen=True, kw_only=True):
    """destroy: what it would do, and what became of it."""

    plan: DestroyPlan
    outcome: DestroyOutcome | None
    """null where nothing was done."""


class Examined(Frozen, frozen=True, kw_only=True):
    """doctor: what was found, and with --fix what was mended."""

    report: Report
    fixed: tuple[Fixed, ...]


class Password(Frozen, frozen=True, kw_only=True):
    """password: of the local AWS."""

    username: str
    password: str


class Stored(Frozen, frozen=True, kw_only=True):
    """set-password."""

    secret: str
    version: str
    username: str
    password: str | None
    """With --generate, this once."""


class Serving(Frozen, frozen=True, kw_only=True):
    """preview: where it answers. Printed on one line when it does; the preview goes on."""

    url: str
    port: int
    http_port: int | None
    aliases: tuple[str, ...]
    notes: tuple[str, ...]
    authority: str | None
    """File of the authority that signed its certificate, with --https."""


class Step(Frozen, frozen=True, kw_only=True):
    """One step of a request's way."""

    stage: str
    text: str


class Explained(Frozen, frozen=True, kw_only=True):
    """preview --explain: one request, its steps and its answer without the body."""

    method: str
    path: str
    credentials: bool
    steps: tuple[Step, ...]
    status: int
    headers: tuple[tuple[str, str], ...]
    bytes: int


Explanations = tuple[Explained, ...]


class Prune(Frozen, frozen=True, kw_only=True):
    """prune: what was removed, or would be."""

    removed: bool
    keys: tuple[str, ...]
    bytes: int
    releases: tuple[int, ...]
    """Numbers of releases that cannot come back any more."""


class Published(Frozen, frozen=True, kw_only=True):
    """What is live now."""

    changed: bool
    """False: it was live already."""
    release: Release
    written: int
    written_bytes: int
    invalidation: str
    invalidation_done: bool
    live: bool
    """False: not yet at every edge."""


class Publication(Frozen, frozen=True, kw_only=True):
    """publish, rollback-release: with --dry-run a plan, else an outcome."""

    plan: ContentPlan | None
    outcome: Published | None


class Stopped(Frozen, frozen=True, kw_only=True):
    """stop: one operation."""

    stack: str
    operation: str
    action: str
    status: str
    instances: dict[str, int]
    """By result."""


Stops = tuple[Stopped, ...]


class Lock(Frozen, frozen=True, kw_only=True):
    """unlock."""

    lock: str
    holder: Holder | None
    """null: it is free."""
    removed: str | None
    """Id of the lock that was removed."""


class Verified(Frozen, frozen=True, kw_only=True):
    """verify."""

    environment: str
    domain: str
    incomplete: tuple[str, ...]
    """What the caller could have given."""
    results: tuple[Result, ...]


class Approved(Frozen, frozen=True, kw_only=True):
    """approve."""

    environment: str
    digest: str
    withdrawn: bool
    people: tuple[str, ...]
    """Who has approved by now."""
    wanted: int
    left_out: tuple[str, ...]


class Position(Frozen, frozen=True, kw_only=True):
    """A line of an estimate."""

    stack: str
    resource: str
    what: str
    quantity: float
    unit: str
    usd: float
    assumption: str
    source: str
    read: bool
    """False: the price is from knowledge, nobody has read it at its source."""


class Estimated(Frozen, frozen=True, kw_only=True):
    """cost, for one environment."""

    environment: str
    usd_a_month: float
    free_tier_usd: float
    requests: int
    gigabytes: float
    prices_as_of: str
    old_prices: bool
    unpriced: tuple[str, ...]
    positions: tuple[Position, ...]


class Compared(Estimated, frozen=True, kw_only=True):
    """cost, and with --compare another environment's."""

    compared: Estimated | None = None


class Picture(Frozen, frozen=True, kw_only=True):
    """graph."""

    environment: str
    format: Literal["mermaid", "dot", "svg"]
    text: str
    """Empty where it was written to a file."""


class LocalStatus(Frozen, frozen=True, kw_only=True):
    """local status."""

    runs: bool
    endpoint: str | None
    process: int | None
    enforces_iam: bool | None
    state: str
    """Its directory."""
    bytes: int
    outages: tuple[str, ...] = ()
    """What is out of order, by `local fail`."""


class LocalOutages(Frozen, frozen=True, kw_only=True):
    """local fail, local mend."""

    outages: tuple[str, ...]


class LocalEnded(Frozen, frozen=True, kw_only=True):
    """local stop, local reset."""

    ended: bool
    forgotten: bool
    state: str


class RunbookText(Frozen, frozen=True, kw_only=True):
    """runbook NAME."""

    name: str
    text: str
    alarms: dict[str, str]
    """By logical id, their states; empty where AWS was not asked."""


Runbooks = tuple[Listed, ...]
"""runbook: those whose alarms are on first."""


class Backfilled(Frozen, frozen=True, kw_only=True):
    """dr backfill."""

    environment: str
    objects: int
    """That were copied."""
    bytes: int
    left: tuple[str, ...]
    """Keys that are not the same in the replica yet."""


class Rehearsed(Frozen, frozen=True, kw_only=True):
    """dr rehearse: what it would do, and what it saw."""

    plan: RehearsalPlan | None
    """null with --end."""
    report: Rehearsal | None
    """null where nothing was done."""


class Moved(Frozen, frozen=True, kw_only=True):
    """dr promote, dr failback."""

    plan: PromotePlan | FailbackPlan
    digest: str
    """What is approved."""
    target: Target | None
    """null with --dry-run."""
