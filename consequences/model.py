"""What a plan means for those who wait, visit, defend and pay: values of the plan.

In: nothing but its own fields; every type here is a frozen value that `plan.json` holds. Out: `Consequences`.
Never: AWS, files, a secret; text for one kind of reader (that is `review/`).
"""

from __future__ import annotations

from typing import Literal

from assembly.model import Frozen

# --- how long -----------------------------------------------------------------------------------------------------


class StackDuration(Frozen, frozen=True, kw_only=True):
    """How long one stack's operation is expected to take."""

    stack: str
    seconds: float
    source: Literal["history", "documented"]
    """`history`: the median of what this environment's applies took; `documented`: figures of `consequences.duration`."""
    because: str = ""
    """The slowest part, where it is a documented figure: a resource type."""


class Duration(Frozen, frozen=True, kw_only=True):
    """How long apply is expected to take, stacks side by side as far as their order allows. Waiting for a person is not in it."""

    seconds: float
    stacks: tuple[StackDuration, ...]
    """The chain that takes longest, in order."""
    source: Literal["history", "documented", "mixed"]


# --- who notices --------------------------------------------------------------------------------------------------

VisitorKind = Literal[
    "site_appears",
    "site_disappears",
    "site_replaced",
    "authentication_off",
    "authentication_on",
    "authentication_changed",
    "name_added",
    "name_removed",
    "dns_added",
    "dns_changed",
    "dns_removed",
    "origin_changed",
    "origin_group_changed",
    "firewall_blocks",
    "routing_changed",
    "headers_changed",
    "old_clients_refused",
    "edge_locations_changed",
    "distribution_changed",
    "content_emptied",
    "content_published",
]


class VisitorEffect(Frozen, frozen=True, kw_only=True):
    """One thing that a visitor of the site notices, or may notice."""

    stack: str
    logical_id: str
    kind: VisitorKind
    certain: bool = True
    """False: only if the visitor, or CloudFormation's choice, is so."""
    before: str = ""
    after: str = ""


# --- what defends -------------------------------------------------------------------------------------------------

PostureKind = Literal[
    "replication_off",
    "alarms_unheard",
    "authentication_off",
    "header_removed",
    "header_weakened",
    "csp_loosened",
    "hsts_shortened",
    "indexing_on",
    "public_access",
    "encryption_weakened",
    "plaintext_allowed",
    "tls_lowered",
    "retention_shortened",
    "protection_lifted",
    "logging_off",
]


class PostureChange(Frozen, frozen=True, kw_only=True):
    """One way in which something is defended less than before. Policies that allow more are `changes.model.Widening`."""

    stack: str
    logical_id: str
    resource_type: str
    kind: PostureKind
    subject: str
    """What of it: a header's name, a path pattern, a property."""
    before: str = ""
    after: str = ""


# --- what it costs ------------------------------------------------------------------------------------------------


class CostDifference(Frozen, frozen=True, kw_only=True):
    """List prices a month in US dollars, without taxes, of the planned stacks before and after. An estimate (`prices/`)."""

    before: float
    after: float
    requests: int
    """HTTPS requests a month that it is reckoned with."""
    gigabytes: float
    """Delivered to visitors a month."""
    as_of: str
    """Date of the oldest price used, ISO 8601."""
    left: float = 0.0
    """Of `after`, what stacks cost that are no more wanted, as long as nobody deletes them."""

    @property
    def difference(self) -> float:
        """Positive where it becomes dearer."""
        return round(self.after - self.before, 2)


class Consequences(Frozen, frozen=True, kw_only=True):
    """What a plan means."""

    duration: Duration
    visitors: tuple[VisitorEffect, ...] = ()
    """Empty: nobody notices anything."""
    posture: tuple[PostureChange, ...] = ()
    cost: CostDifference | None = None


# --- what a reader has to know beside -----------------------------------------------------------------------------


class Consequence(Frozen, frozen=True, kw_only=True):
    """Of one stack, what its changes do to others or ask of people; a finding of the plan."""

    severity: Literal["error", "warning", "note"]
    code: Literal["leaned_on", "unconfirmed_recipient"]
    message: str
    command: str = ""
