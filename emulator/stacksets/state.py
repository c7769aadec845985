# mypy: allow-untyped-calls
"""What is kept of StackSets: sets, instances, operations and their results.

Source of the fields: CloudFormation API reference (StackSet, StackInstance, StackSetOperation, StackSetOperationPreferences).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ministack.core.responses import now_iso

Target = tuple[str, str]
"""Account and region."""

UNFINISHED_RESULTS = ("PENDING", "RUNNING")
UNDER_WAY = ("RUNNING", "QUEUED", "STOPPING")


@dataclass(kw_only=True)
class Instance:
    """One account and region of a set, and the stack there."""

    account: str
    region: str
    unit: str = ""
    """Organizational unit through which a SERVICE_MANAGED instance came."""
    stack_name: str = ""
    stack_id: str = ""
    overrides: dict[str, str] = field(default_factory=dict)
    status: str = "OUTDATED"
    detailed: str = "PENDING"
    reason: str = ""
    drift: str = "NOT_CHECKED"
    drift_checked: str = ""
    last_operation: str = ""

    @property
    def target(self) -> Target:
        return (self.account, self.region)


@dataclass(kw_only=True)
class Preferences:
    """StackSetOperationPreferences with AWS's defaults."""

    region_concurrency_type: str = "SEQUENTIAL"
    region_order: list[str] = field(default_factory=list)
    failure_tolerance_count: int | None = None
    failure_tolerance_percentage: int | None = None
    max_concurrent_count: int | None = None
    max_concurrent_percentage: int | None = None
    concurrency_mode: str = "STRICT_FAILURE_TOLERANCE"

    def tolerance(self, accounts: int) -> int:
        """Accounts of one region that may fail; a percentage is rounded down."""
        if self.failure_tolerance_percentage is not None:
            return accounts * self.failure_tolerance_percentage // 100
        return self.failure_tolerance_count or 0

    def concurrency(self, accounts: int) -> int:
        """Accounts worked on at once in one region; a percentage is rounded down but is at least one."""
        if self.max_concurrent_percentage is not None:
            wanted = max(1, accounts * self.max_concurrent_percentage // 100)
        else:
            wanted = self.max_concurrent_count or 1
        if self.concurrency_mode == "STRICT_FAILURE_TOLERANCE":
            return min(wanted, self.tolerance(accounts) + 1)
        return wanted


@dataclass(kw_only=True)
class Result:
    """What an operation did to one instance."""

    account: str
    region: str
    unit: str = ""
    status: str = "PENDING"
    reason: str = ""


@dataclass(kw_only=True)
class Operation:
    """One operation over a set."""

    id: str
    action: str
    request: str
    """Fingerprint of the request, to know a retry by."""
    targets: list[Target]
    preferences: Preferences
    status: str = "RUNNING"
    reason: str = ""
    created: str = ""
    ended: str = ""
    retain: bool = False
    overrides: dict[str, str] | None = None
    """New parameter overrides of the targets; None leaves them."""
    units: dict[str, str] = field(default_factory=dict)
    """Organizational unit of each account."""
    deployment_targets: dict[str, Any] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)

    @property
    def failed(self) -> int:
        return sum(result.status == "FAILED" for result in self.results)

    def result(self, target: Target) -> Result:
        return next(result for result in self.results if (result.account, result.region) == target)


@dataclass(kw_only=True)
class StackSet:
    """A set with everything that belongs to it."""

    name: str
    id: str
    account: str
    region: str
    template: str
    description: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    capabilities: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    administration_role: str = ""
    execution_role: str = ""
    permission_model: str = "SELF_MANAGED"
    auto_deployment: bool = False
    retain_on_removal: bool = False
    managed_execution: bool = False
    status: str = "ACTIVE"
    instances: list[Instance] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    drift: dict[str, Any] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:cloudformation:{self.region}:{self.account}:stackset/{self.id}"

    def instance(self, target: Target) -> Instance | None:
        return next((instance for instance in self.instances if instance.target == target), None)

    def under_way(self) -> list[Operation]:
        return [operation for operation in self.operations if operation.status in UNDER_WAY]


class Store:
    """Every set of every account."""

    def __init__(self) -> None:
        self.sets: list[StackSet] = []

    def active(self, account: str, region: str) -> list[StackSet]:
        return [each for each in self.sets if (each.account, each.region, each.status) == (account, region, "ACTIVE")]

    def dump(self) -> list[dict[str, Any]]:
        """For MiniStack's persistence."""
        return [asdict(each) for each in self.sets]

    def load(self, saved: list[dict[str, Any]]) -> None:
        """From MiniStack's persistence; what was under way when the server ended has failed."""
        self.sets = [_restored(each) for each in saved]


def _restored(saved: dict[str, Any]) -> StackSet:
    operations = []
    for each in saved["operations"]:
        operation = Operation(
            **{
                **each,
                "targets": [(account, region) for account, region in each["targets"]],
                "preferences": Preferences(**each["preferences"]),
                "results": [Result(**result) for result in each["results"]],
            }
        )
        if operation.status in UNDER_WAY:
            operation.status, operation.reason, operation.ended = "FAILED", "the local AWS ended while it ran", now_iso()
        operations.append(operation)
    return StackSet(**{**saved, "operations": operations, "instances": [Instance(**each) for each in saved["instances"]]})


store = Store()
"""The one of this process."""
