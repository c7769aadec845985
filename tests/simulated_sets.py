"""One StackSet that lives in memory, with boto3's methods and a clock that only sleeping moves: thousands of instances, exact sequences.

In: which instances fail, how many an operation works on in a second, what else goes wrong. Out: answers of the service model's shapes, in
pages of 100; a list of the calls.
Never: knows regions, tolerance or order (the local AWS does), or takes time.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from aws.errors import Conflict, NotFound

PAGE = 100
Where = tuple[str, str]


@dataclass
class Operation:
    """One operation over some instances, in the order they are worked on."""

    id: str
    action: str
    targets: list[Where]
    begun: float
    per_second: float
    fails: frozenset[Where]
    stopped_at: float | None = None
    own: bool = True
    failing: tuple[int, ...] = ()
    """Positions of those that fail."""

    def __post_init__(self) -> None:
        self.failing = tuple(n for n, where in enumerate(self.targets) if where in self.fails)


@dataclass
class SimulatedSet:
    """The set, or nothing until it is made."""

    per_second: float = 1_000_000.0
    fails: set[Where] = field(default_factory=set)
    stops_at_failure: bool = False
    """No tolerance: what comes after the first failure is cancelled."""
    now: float = 1_000_000.0
    description: dict[str, Any] | None = None
    instances: dict[Where, dict[str, Any]] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    before: dict[str, Callable[[dict[str, Any]], None]] = field(default_factory=dict)
    """Method to what happens before it answers; may raise."""
    pauses: int = 0

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self._guard = threading.Lock()
        self._listed: list[Any] = []
        self._read: list[tuple[Where, str]] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(type(self), f"do_{name}", None)
        if found is None:
            raise AttributeError(name)

        def call(**arguments: Any) -> Any:
            with self._guard:
                self.calls.append((name, arguments))
                if name in self.before:
                    self.before[name](arguments)
                return found(self, **arguments)

        return call

    def sleep(self, seconds: float) -> None:
        self.pauses += 1
        self.now += seconds

    def counted(self) -> Counter[str]:
        """Calls by method."""
        return Counter(name for name, _ in self.calls)

    def begun(self) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        """(method, accounts, regions) of the calls that begin an operation, in order."""
        return [
            (name, tuple(a.get("Accounts", a.get("DeploymentTargets", {}).get("Accounts", ()))), tuple(a.get("Regions", ())))
            for name, a in self.calls
            if "OperationId" in a and not name.startswith(("describe_", "list_", "stop_"))
        ]

    def put(self, template: str, wheres: Iterable[Where], *, parameters: dict[str, str] | None = None, **settings: Any) -> None:
        """There before anything else."""
        self.description = {
            "StackSetName": "s",
            "StackSetId": "s:1",
            "StackSetARN": "arn:aws:cloudformation:us-east-1:123456789012:stackset/s:1",
            "Status": "ACTIVE",
            "TemplateBody": template,
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in (parameters or {}).items()],
            "PermissionModel": "SELF_MANAGED",
            **settings,
        }
        for where in wheres:
            self.instances[where] = self._instance(where, "CURRENT", "SUCCEEDED")

    @staticmethod
    def _instance(where: Where, status: str, detailed: str, reason: str = "", operation: str = "") -> dict[str, Any]:
        return {
            "Account": where[0],
            "Region": where[1],
            "StackId": f"arn:aws:cloudformation:{where[1]}:{where[0]}:stack/StackSet-s-1/1",
            "Status": status,
            "StackInstanceStatus": {"DetailedStatus": detailed},
            "StatusReason": reason,
            "DriftStatus": "NOT_CHECKED",
            "LastOperationId": operation,
        }

    # --- the set ----------------------------------------------------------------------------------------------------

    def do_describe_stack_set(self, StackSetName: str, CallAs: str) -> Any:
        if self.description is None:
            raise NotFound("StackSet not found", code="StackSetNotFoundException")
        return {"StackSet": dict(self.description)}

    def do_create_stack_set(self, **request: Any) -> Any:
        self.put(request["TemplateBody"], ())
        self._settle(request)
        return {"StackSetId": "s:1"}

    def _settle(self, request: dict[str, Any]) -> None:
        assert self.description is not None
        names = ("Description", "TemplateBody", "Capabilities", "Tags", "AdministrationRoleARN", "ExecutionRoleName", "ManagedExecution")
        self.description |= {name: request[name] for name in names if name in request}
        old = {p["ParameterKey"]: p["ParameterValue"] for p in self.description["Parameters"]}
        self.description["Parameters"] = [
            {"ParameterKey": p["ParameterKey"], "ParameterValue": p.get("ParameterValue", old.get(p["ParameterKey"], ""))}
            for p in request.get("Parameters", [])
        ]

    def do_update_stack_set(self, **request: Any) -> Any:
        answer = self._begin("UPDATE", request, self._targets(request) or list(self.instances))
        for instance in self.instances.values():
            instance["Status"] = "OUTDATED"
        self._settle(request)
        return answer

    # --- instances --------------------------------------------------------------------------------------------------

    def _targets(self, request: dict[str, Any]) -> list[Where]:
        accounts = request.get("Accounts") or request.get("DeploymentTargets", {}).get("Accounts", [])
        return [(account, region) for region in request.get("Regions", []) for account in accounts]

    def do_create_stack_instances(self, **request: Any) -> Any:
        answer = self._begin("CREATE", request, self._targets(request))
        for where in self._targets(request):
            self.instances.setdefault(where, self._instance(where, "OUTDATED", "PENDING"))
        return answer

    def do_update_stack_instances(self, **request: Any) -> Any:
        return self._begin("UPDATE", request, self._targets(request))

    def do_delete_stack_instances(self, **request: Any) -> Any:
        return self._begin("DELETE", request, self._targets(request))

    def do_list_stack_instances(self, StackSetName: str, CallAs: str, NextToken: str = "") -> Any:
        if not NextToken:
            self._catch_up()
            self._listed = [*self.instances.values()]
        return self._paged(self._listed, NextToken)

    def do_describe_stack_instance(self, StackInstanceAccount: str, StackInstanceRegion: str, **_: Any) -> Any:
        found = self.instances.get((StackInstanceAccount, StackInstanceRegion))
        if found is None:
            raise NotFound("no such instance", code="StackInstanceNotFoundException")
        return {"StackInstance": found}

    # --- operations -------------------------------------------------------------------------------------------------

    def _begin(self, action: str, request: dict[str, Any], targets: list[Where]) -> Any:
        known = next((o for o in self.operations if o.id == request["OperationId"]), None)
        if known is None:
            busy = [o for o in self.operations if self._status(o) == "RUNNING"]
            if busy:
                raise Conflict("Another Operation is in progress", code="OperationInProgressException")
            self._catch_up()
            self.operations.append(
                Operation(
                    id=request["OperationId"],
                    action=action,
                    targets=targets,
                    begun=self.now,
                    per_second=self.per_second,
                    fails=frozenset(self.fails),
                )
            )
        return {"OperationId": request["OperationId"]}

    def somebody_begins(self, seconds: float, action: str = "DETECT_DRIFT") -> str:
        """An operation of somebody else's that takes so long."""
        count = max(1, int(seconds * self.per_second))
        made = Operation(
            id=f"other-{next(self._numbers)}",
            action=action,
            targets=[("0", str(n)) for n in range(count)],
            begun=self.now,
            per_second=self.per_second,
            fails=frozenset(),
            own=False,
        )
        self.operations.append(made)
        return made.id

    def _done(self, operation: Operation) -> int:
        until = self.now if operation.stopped_at is None else operation.stopped_at
        done = min(len(operation.targets), int((until - operation.begun) * operation.per_second))
        if self.stops_at_failure:
            first = next((n for n, where in enumerate(operation.targets) if where in operation.fails), len(operation.targets))
            done = min(done, first + 1)
        return done

    def _failed(self, operation: Operation) -> bool:
        done = self._done(operation)
        return self.stops_at_failure and done > 0 and operation.targets[done - 1] in operation.fails

    def _status(self, operation: Operation) -> str:
        if self._failed(operation):
            return "FAILED"
        if self._done(operation) == len(operation.targets):
            return "SUCCEEDED"
        return "STOPPED" if operation.stopped_at is not None else "RUNNING"

    def _catch_up(self) -> None:
        """Bring the instances to where their operations are."""
        for operation in self.operations:
            if not operation.own:
                continue
            for where, status in self._results(operation):
                if where not in self.instances:
                    continue
                if operation.action == "DELETE" and status == "SUCCEEDED":
                    del self.instances[where]
                    continue
                good = status == "SUCCEEDED"
                self.instances[where] = self._instance(
                    where, "CURRENT" if good else "OUTDATED", status, "" if good else status, operation.id
                )

    def _results(self, operation: Operation) -> list[tuple[Where, str]]:
        done, over = self._done(operation), self._status(operation) in ("FAILED", "STOPPED")
        return [
            (where, ("FAILED" if where in operation.fails else "SUCCEEDED") if n < done else "CANCELLED" if over else "PENDING")
            for n, where in enumerate(operation.targets)
        ]

    def do_describe_stack_set_operation(self, StackSetName: str, OperationId: str, CallAs: str) -> Any:
        operation = self._operation(OperationId)
        failed = sum(1 for n in operation.failing if n < self._done(operation))
        return {
            "StackSetOperation": {
                "OperationId": OperationId,
                "Action": operation.action,
                "Status": self._status(operation),
                "StatusDetails": {"FailedStackInstancesCount": failed},
            }
        }

    def _operation(self, operation_id: str) -> Operation:
        found = next((o for o in self.operations if o.id == operation_id), None)
        if found is None:
            raise NotFound("Operation not found", code="OperationNotFoundException")
        return found

    def do_list_stack_set_operations(self, StackSetName: str, CallAs: str, NextToken: str = "") -> Any:
        rows = [{"OperationId": o.id, "Action": o.action, "Status": self._status(o)} for o in reversed(self.operations)]
        return self._paged(rows, NextToken)

    def do_list_stack_set_operation_results(
        self, StackSetName: str, OperationId: str, CallAs: str, NextToken: str = "", Filters: Any = ()
    ) -> Any:
        if not NextToken:
            wanted = {f["Values"] for f in Filters}
            self._read = [r for r in self._results(self._operation(OperationId)) if not wanted or r[1] in wanted]
        rows = self._read
        start = int(NextToken or 0)
        page = [
            {"Account": a, "Region": r, "Status": status, "StatusReason": f"no room in {r}" if status == "FAILED" else ""}
            for (a, r), status in rows[start : start + PAGE]
        ]
        more = {"NextToken": str(start + PAGE)} if start + PAGE < len(rows) else {}
        return {"Summaries": page, **more}

    def do_stop_stack_set_operation(self, StackSetName: str, OperationId: str, CallAs: str) -> Any:
        self._operation(OperationId).stopped_at = self.now

    @staticmethod
    def _paged(rows: list[Any], token: str) -> Any:
        start = int(token or 0)
        more = {"NextToken": str(start + PAGE)} if start + PAGE < len(rows) else {}
        return {"Summaries": rows[start : start + PAGE], **more}
