"""A CloudFormation that lives in memory, with boto3's methods: for what the local AWS cannot do on demand.

In: what it should do wrong. Out: answers of the shapes that the service model has, over as many pages as one likes.
Never: pretends to know provider logic; a resource is what its template says.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from assembly import files
from assembly.model import (
    FORMAT,
    Assembly,
    HostedZone,
    LiteralValue,
    OperationPreferences,
    OutputRef,
    Parameter,
    SiteContract,
    Stack,
    StackSet,
    Targets,
    Template,
)
from aws.cloudformation.gateway import CloudFormation
from aws.errors import AccessDenied, AwsError, BadRequest, Conflict, NotFound
from aws.iam import Role
from aws.route53 import PublicZone
from gateways.existing import Found
from gateways.organizations import Member
from templates.intrinsics import Scope, resolved_outputs, resolved_resources

ACCOUNT = "123456789012"
NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)


@dataclass
class Faults:
    """What goes wrong."""

    page: int = 1_000
    """Items a page."""
    drop_with_values: set[str] = field(default_factory=set)
    """Logical ids that the read with property values leaves out."""
    drop_always: set[str] = field(default_factory=set)
    refuse: dict[str, str] = field(default_factory=dict)
    """Stack name to the reason its change set fails for."""
    errors: dict[tuple[str, str], AwsError] = field(default_factory=dict)
    """(method, stack name) to the error it raises."""
    pending: int = 0
    """Looks at a change set before it is made."""
    no_values: bool = False
    before_call: Callable[[str, Mapping[str, Any]], None] = lambda *_: None
    validations: dict[str, list[dict[str, str]]] = field(default_factory=dict)


class Simulated:
    """One region of one account; the keyword arguments are boto3's."""

    def __init__(self, region: str, faults: Faults | None = None) -> None:
        self.region = region
        self.faults = faults or Faults()
        self.stacks: dict[str, dict[str, Any]] = {}
        self.change_sets: dict[str, dict[str, Any]] = {}
        self.sets: dict[str, dict[str, Any]] = {}
        self.deleted: list[dict[str, Any]] = []
        """Stacks that are gone, with their events, the latest first."""
        self.owned: dict[str, str] = {}
        self.owned_type = "AWS::S3::Bucket"
        """Physical id to the stack that has it, of resources that no stack of the simulation made."""
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._numbers: Counter[str] = Counter()

    def _unique(self, stack: str) -> str:
        """Last part of an ARN; the same whatever is made of other stacks meanwhile, as they are planned side by side."""
        self._numbers[stack] += 1
        return f"{stack}-{self._numbers[stack]}"

    def __getattribute__(self, name: str) -> Any:
        found = object.__getattribute__(self, name)
        if name.startswith("_") or name == "deploy" or not callable(found):
            return found

        def call(**arguments: Any) -> Any:
            self.calls.append((name, arguments))
            self.faults.before_call(name, arguments)
            error = self.faults.errors.get((name, str(arguments.get("StackName", arguments.get("StackSetName", "")))))
            if error is not None:
                raise error
            return found(**arguments)

        return call

    # --- stacks -----------------------------------------------------------------------------------------------

    def _stack(self, name: str) -> dict[str, Any]:
        for stack in self.stacks.values():
            if name in (stack["StackName"], stack["StackId"]) and stack["StackStatus"] != "DELETE_COMPLETE":
                return stack
        raise NotFound(f"Stack with id {name} does not exist", code="ValidationError")

    def describe_stacks(self, StackName: str) -> Any:
        return {"Stacks": [{k: v for k, v in self._stack(StackName).items() if not k.startswith("_")}]}

    def list_stacks(self, StackStatusFilter: Sequence[str] = ()) -> Any:
        """Of deleted ones only `deleted` is left."""
        wanted = [s for s in self.stacks.values() if not StackStatusFilter or s["StackStatus"] in StackStatusFilter]
        deleted = self.deleted if "DELETE_COMPLETE" in StackStatusFilter else []
        told = [{k: s[k] for k in ("StackName", "StackId", "StackStatus")} for s in (*reversed(wanted), *deleted)]
        return {"StackSummaries": told}

    def describe_stack_resources(self, PhysicalResourceId: str) -> Any:
        if PhysicalResourceId not in self.owned:
            raise NotFound(f"Stack for {PhysicalResourceId} does not exist", code="ValidationError")
        found = {"StackName": self.owned[PhysicalResourceId], "PhysicalResourceId": PhysicalResourceId, "ResourceType": self.owned_type}
        return {"StackResources": [found]}

    def list_stack_resources(self, StackName: str) -> Any:
        resources = json.loads(self._stack(StackName)["_body"]).get("Resources", {})
        return {
            "StackResourceSummaries": [
                {"LogicalResourceId": title, "PhysicalResourceId": f"{title}-physical", "ResourceType": body["Type"]}
                for title, body in resources.items()
            ]
        }

    def list_stack_sets(self, Status: str) -> Any:
        return {"Summaries": [{"StackSetName": name} for name in self.sets]}

    def get_template(self, StackName: str, TemplateStage: str = "") -> Any:
        return {"TemplateBody": json.loads(self._stack(StackName)["_body"])}

    def get_stack_policy(self, StackName: str) -> Any:
        policy = self._stack(StackName).get("_policy")
        return {"StackPolicyBody": policy} if policy else {}

    def delete_stack(self, StackName: str) -> Any:
        stack = self._stack(StackName)
        del self.stacks[stack["StackName"]]
        self.change_sets = {arn: c for arn, c in self.change_sets.items() if c["StackId"] != stack["StackId"]}

    def describe_stack_events(self, StackName: str, NextToken: str = "") -> Any:
        gone = next((each for each in self.deleted if each["StackId"] == StackName), None)
        return self._paged((gone or self._stack(StackName)).get("_events", []), "StackEvents", NextToken)

    def describe_events(self, ChangeSetName: str = "", StackName: str = "", NextToken: str = "") -> Any:
        stack = self.change_sets[ChangeSetName]["StackName"] if ChangeSetName else self._stack(StackName)["StackName"]
        return self._paged(self.faults.validations.get(stack, []), "OperationEvents", NextToken)

    def _paged(self, items: list[Any], key: str, token: str) -> Any:
        start = int(token or 0)
        end = start + self.faults.page
        return {key: items[start:end], **({"NextToken": str(end)} if end < len(items) else {})}

    # --- change sets ------------------------------------------------------------------------------------------

    def create_change_set(self, **request: Any) -> Any:
        name, kind = request["StackName"], request["ChangeSetType"]
        stack = self.stacks.get(name)
        new = stack is None
        if kind in ("CREATE", "IMPORT") and stack is None:
            stack = self.stacks[name] = self._made(name, "REVIEW_IN_PROGRESS")
        reviewed = stack is not None and stack["StackStatus"] == "REVIEW_IN_PROGRESS"
        if stack is None or (kind == "CREATE" and not reviewed) or (kind == "UPDATE" and reviewed):
            raise BadRequest(f"Stack [{name}] cannot take a {kind} change set", code="ValidationError")
        if any(c["ChangeSetName"] == request["ChangeSetName"] and c["StackName"] == name for c in self.change_sets.values()):
            raise Conflict("ChangeSet already exists", code="AlreadyExistsException")
        template = json.loads(request.get("TemplateBody") or "{}")
        old = {p["ParameterKey"]: p["ParameterValue"] for p in stack["_parameters"]}
        values = {
            p["ParameterKey"]: old[p["ParameterKey"]] if p.get("UsePreviousValue") else p["ParameterValue"] for p in request["Parameters"]
        }
        changes = self._changes(stack, template, values)
        if kind == "IMPORT":
            refusal = self._import_refusal(stack, template, request, changes)
            if refusal:
                if new:
                    del self.stacks[name]
                raise BadRequest(refusal, code="ValidationError")
            for change in changes:
                change["ResourceChange"]["Action"] = "Import"
        arn = f"arn:aws:cloudformation:{self.region}:{ACCOUNT}:changeSet/{request['ChangeSetName']}/{self._unique(name)}"
        reason = self.faults.refuse.get(name, "")
        outputs = json.loads(stack["_body"]).get("Outputs") != template.get("Outputs")
        empty = not changes and not outputs and kind == "UPDATE"
        if empty:
            reason = "The submitted information didn't contain changes. Submit different information to create a change set."
        self.change_sets[arn] = {
            "ChangeSetId": arn,
            "ChangeSetName": request["ChangeSetName"],
            "StackId": stack["StackId"],
            "StackName": name,
            "Status": "FAILED" if reason else "CREATE_COMPLETE",
            "StatusReason": reason,
            "ExecutionStatus": "UNAVAILABLE" if reason else "AVAILABLE",
            "CreationTime": NOW,
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in values.items()],
            "_kind": kind,
            "_ids": {r["LogicalResourceId"]: "|".join(r["ResourceIdentifier"].values()) for r in request.get("ResourcesToImport", ())},
            "_changes": changes,
            "_template": template,
            "_values": values,
            "_looks": self.faults.pending,
        }
        return {"Id": arn, "StackId": stack["StackId"]}

    def _import_refusal(
        self, stack: Mapping[str, Any], template: Mapping[str, Any], request: Mapping[str, Any], changes: list[dict[str, Any]]
    ) -> str:
        """CloudFormation's, for an import that does or says more."""
        before = json.loads(stack["_body"])
        for section in ("Outputs", "Tags"):
            given = request.get("Tags") if section == "Tags" else template.get(section, {}) != before.get(section, {})
            if given:
                return f"As part of the import operation, you cannot modify or add [{section}]"
        wanted = {each["LogicalResourceId"]: each["ResourceType"] for each in request["ResourcesToImport"]}
        done = {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"]["Action"] for c in changes}
        if done != dict.fromkeys(wanted, "Add"):
            return f"You have modified resources that are not imported: {sorted(set(done) - set(wanted))}"
        bare = [each for each in wanted if "DeletionPolicy" not in template["Resources"][each]]
        return f"Resources {bare} are missing DeletionPolicy attribute" if bare else ""

    def _made(self, name: str, status: str) -> dict[str, Any]:
        return {
            "StackName": name,
            "StackId": f"arn:aws:cloudformation:{self.region}:{ACCOUNT}:stack/{name}/{self._unique(name)}",
            "StackStatus": status,
            "CreationTime": NOW,
            "Parameters": [],
            "Outputs": [],
            "_body": "{}",
            "_parameters": [],
        }

    def _scope(self, template: Mapping[str, Any], values: Mapping[str, str], name: str) -> Scope:
        return Scope(template=template, parameters=values, account_id=ACCOUNT, region=self.region, stack_name=name)

    def _changes(self, stack: Mapping[str, Any], template: Mapping[str, Any], values: Mapping[str, str]) -> list[dict[str, Any]]:
        old_values = {p["ParameterKey"]: p["ParameterValue"] for p in stack["_parameters"]}
        before = resolved_resources(self._scope(json.loads(stack["_body"]), old_values, stack["StackName"]))
        after = resolved_resources(self._scope(template, values, stack["StackName"]))
        found: list[dict[str, Any]] = []
        for logical_id in sorted({*before, *after}):
            old, new = before.get(logical_id), after.get(logical_id)
            if old == new:
                continue
            change: dict[str, Any] = {"LogicalResourceId": logical_id, "ResourceType": (new or old or {})["Type"], "Details": []}
            change["Action"] = "Add" if old is None else "Remove" if new is None else "Modify"
            if old is not None:
                change["PhysicalResourceId"] = f"{logical_id}-physical"
            if old is not None and new is not None:
                change["Replacement"] = "Conditional"
                for name in sorted({*old.get("Properties", {}), *new.get("Properties", {})}):
                    left, right = old.get("Properties", {}).get(name), new.get("Properties", {}).get(name)
                    if left != right:
                        target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": "Conditionally"}
                        values_given = {"BeforeValue": left, "AfterValue": right, "Path": f"/Properties/{name}"}
                        texts = {k: v for k, v in values_given.items() if isinstance(v, str)}
                        change["Details"].append({"Target": target | texts, "Evaluation": "Static", "ChangeSource": "DirectModification"})
            found.append({"Type": "Resource", "ResourceChange": change})
        return [c for c in found if c["ResourceChange"]["LogicalResourceId"] not in self.faults.drop_always]

    def _change_set(self, name: str) -> dict[str, Any]:
        if name not in self.change_sets:
            raise NotFound(f"ChangeSet [{name}] does not exist", code="ChangeSetNotFound")
        return self.change_sets[name]

    def describe_change_set(self, ChangeSetName: str, StackName: str, NextToken: str = "", IncludePropertyValues: bool = False) -> Any:
        found = self._change_set(ChangeSetName)
        answer = {k: v for k, v in found.items() if not k.startswith("_")}
        if found["_looks"] > 0:
            found["_looks"] -= 1
            return answer | {"Status": "CREATE_IN_PROGRESS", "StatusReason": "", "Changes": []}
        changes = json.loads(json.dumps(found["_changes"]))
        if IncludePropertyValues:
            changes = [c for c in changes if c["ResourceChange"]["LogicalResourceId"] not in self.faults.drop_with_values]
        if not IncludePropertyValues or self.faults.no_values:
            for change in changes:
                for detail in change["ResourceChange"]["Details"]:
                    for key in ("BeforeValue", "AfterValue", "Path"):
                        detail["Target"].pop(key, None)
        return answer | self._paged(changes, "Changes", NextToken)

    def list_change_sets(self, StackName: str, NextToken: str = "") -> Any:
        stack = self._stack(StackName)
        found = [c for c in self.change_sets.values() if c["StackId"] == stack["StackId"]]
        return self._paged([{k: v for k, v in c.items() if not k.startswith("_")} for c in found], "Summaries", NextToken)

    def delete_change_set(self, ChangeSetName: str, StackName: str) -> Any:
        found = self.change_sets.get(ChangeSetName)
        if found is not None and found["_looks"] > 0:
            raise BadRequest("ChangeSet is being created", code="InvalidChangeSetStatus")
        self.change_sets.pop(ChangeSetName, None)

    def execute_change_set(self, ChangeSetName: str, StackName: str, **_: Any) -> Any:
        found = self._change_set(ChangeSetName)
        stack = self.stacks[found["StackName"]]
        self.deploy(stack["StackName"], found["_template"], found["_values"])
        self.change_sets = {arn: c for arn, c in self.change_sets.items() if c["StackId"] != stack["StackId"]}

    def deploy(self, name: str, template: Mapping[str, Any], values: Mapping[str, str], status: str = "") -> None:
        """Put the stack there as if it had been deployed; a reference to a resource becomes "<logical id>-physical"."""
        fresh = name not in self.stacks or self.stacks[name]["StackStatus"] == "REVIEW_IN_PROGRESS"
        stack = self.stacks.setdefault(name, self._made(name, ""))
        hidden = {k for k, v in template.get("Parameters", {}).items() if v.get("NoEcho")}
        stack |= {
            "StackStatus": status or ("CREATE_COMPLETE" if fresh else "UPDATE_COMPLETE"),
            "_body": json.dumps(template),
            "_parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in values.items()],
            "Parameters": [{"ParameterKey": k, "ParameterValue": "****" if k in hidden else v} for k, v in values.items()],
            "Outputs": [
                {"OutputKey": k, "OutputValue": _produced(v, stack.get("_ids", {}))}
                for k, v in resolved_outputs(self._scope(template, values, name)).items()
            ],
        }

    # --- StackSets --------------------------------------------------------------------------------------------

    def describe_stack_set(self, StackSetName: str, CallAs: str) -> Any:
        if StackSetName not in self.sets:
            raise NotFound("StackSet not found", code="StackSetNotFoundException")
        return {"StackSet": self.sets[StackSetName]["set"]}

    def describe_stack_instance(self, StackSetName: str, StackInstanceAccount: str, StackInstanceRegion: str, CallAs: str) -> Any:
        where = (StackInstanceAccount, StackInstanceRegion)
        found = next((i for i in self.sets[StackSetName]["instances"] if (i["Account"], i["Region"]) == where), None)
        if found is None:
            raise NotFound("not found", code="StackInstanceNotFoundException")
        return {"StackInstance": found}

    def list_stack_instances(self, StackSetName: str, CallAs: str, NextToken: str = "") -> Any:
        self.describe_stack_set(StackSetName=StackSetName, CallAs=CallAs)
        return self._paged(self.sets[StackSetName]["instances"], "Summaries", NextToken)


def _produced(value: Any, ids: Mapping[str, str]) -> str:
    if isinstance(value, Mapping) and len(value) == 1:
        key, inner = next(iter(value.items()))
        if key == "Ref":
            return ids.get(inner, f"{inner}-physical")
        if key == "Fn::GetAtt":
            return f"{inner[0]}-{inner[1]}-physical"
    return str(value)


@dataclass
class Targeted:
    """What the accounts of StackSets have beside CloudFormation: by default the roles of `stackset()`, and every region."""

    regions: tuple[str, ...] = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-south-1", "af-south-1")
    opt_in: frozenset[str] = frozenset({"af-south-1"})
    disabled: set[tuple[str, str]] = field(default_factory=set)
    """Account and region."""
    roles: dict[tuple[str, str], frozenset[str] | None] = field(default_factory=dict)
    """(account, role name) to whom it trusts; None: there is no such role."""
    log_groups: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    units: dict[str, dict[str, bool]] = field(default_factory=dict)
    """Organizational unit to its accounts and whether they are active; empty: no organization."""
    closed: set[str] = field(default_factory=set)
    """Accounts that there are no credentials for."""
    asked: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SimulatedAccount:
    """`gateways.account.Account`, `aws.iam.Iam`, `aws.logs.Logs` and `gateways.organizations.Organizations` of one account in one."""

    gateways: SimulatedGateways
    account_id: str
    region: str = ""

    def __post_init__(self) -> None:
        self.gateways.targets.asked.append(f"{self.account_id} {self.region}".strip())
        if self.account_id in self.gateways.targets.closed:
            raise AccessDenied("not authorized to perform sts:AssumeRole", code="AccessDenied", account=self.account_id)

    def statuses(self, account_id: str | None = None) -> dict[str, str]:
        targets, account = self.gateways.targets, account_id or self.account_id
        return {
            region: "DISABLED" if (account, region) in targets.disabled else "ENABLED" if region in targets.opt_in else "ENABLED_BY_DEFAULT"
            for region in targets.regions
        }

    def role(self, name: str) -> Role | None:
        usual = {"cloudformation.amazonaws.com", *(f"cloudformation.{r}.amazonaws.com" for r in self.gateways.targets.opt_in)}
        trusts = self.gateways.targets.roles.get((self.account_id, name), frozenset({*usual, f"arn:aws:iam::{ACCOUNT}:role/admin"}))
        arn = f"arn:aws:iam::{self.account_id}:role/{name}"
        return None if trusts is None else Role(arn=arn, name=name, trusted=trusts)

    def groups(self, prefix: str) -> tuple[str, ...]:
        found = self.gateways.targets.log_groups.get((self.account_id, self.region), ())
        return tuple(name for name in found if name.startswith(prefix))

    def management_account(self) -> str:
        return ACCOUNT

    def members(self, units: tuple[str, ...]) -> tuple[Member, ...]:
        if not self.gateways.targets.units:
            raise AccessDenied("not in an organization", code="AWSOrganizationsNotInUseException")
        return tuple(
            Member(account_id=a, name=a, unit=unit, active=active)
            for unit in units
            for a, active in self.gateways.targets.units.get(unit, {}).items()
        )

    def accounts(self) -> dict[str, bool]:
        if not self.gateways.targets.units:
            raise AccessDenied("not in an organization", code="AWSOrganizationsNotInUseException")
        return {a: active for unit in self.gateways.targets.units.values() for a, active in unit.items()}


class NoAws:
    """Has nothing."""

    def client(self, *_: object, **__: object) -> Any:
        raise NotFound("there is nothing")


@dataclass(frozen=True)
class SimulatedStanding:
    """`gateways.existing.Standing` without distributions."""

    there: Mapping[tuple[str, str], Found]

    def find(self, resource_type: str, name: str) -> Found | None:
        return self.there.get((resource_type, name))

    def client(self, _: str) -> Any:
        return self

    def list_distributions(self, **_: Any) -> Any:
        return {"DistributionList": {"IsTruncated": False, "Quantity": 0}}


@dataclass(frozen=True)
class SimulatedLive:
    """`gateways.live.LiveResources`."""

    lives: Mapping[tuple[str, str], dict[str, Any]]
    unreadable: bool = False

    def get(self, resource_type: str, identifier: Mapping[str, str], *, service_role_arn: str | None = None) -> dict[str, Any]:
        if self.unreadable:
            raise AccessDenied("not authorized to perform cloudformation:GetResource", service="cloudcontrol")
        found = self.lives.get((resource_type, "|".join(identifier.values())))
        if found is None:
            raise NotFound(f"{resource_type} {identifier} was not found", code="ResourceNotFoundException")
        copied: dict[str, Any] = json.loads(json.dumps(found))
        return copied


@dataclass(frozen=True)
class SimulatedZones:
    """`aws.route53.Route53`, as far as it reads."""

    records: tuple[dict[str, Any], ...]
    zones: Mapping[str, str]

    def find_public_zone(self, name: str) -> PublicZone:
        if name not in self.zones:
            raise NotFound(f"no public hosted zone is called {name}", service="route53")
        return PublicZone(id=self.zones[name], name=name)

    def record_sets(self, _: str, name: str) -> tuple[dict[str, Any], ...]:
        return tuple(each for each in self.records if each["Name"].rstrip(".") == name)


@dataclass
class SimulatedGateways:
    """Gateways over simulated places; secrets and zones as given."""

    faults: Faults = field(default_factory=Faults)
    places: dict[tuple[str, str], Simulated] = field(default_factory=dict)
    zones: dict[str, str] = field(default_factory=lambda: {"example.org": "Z0123456789ABCDEFGHIJ"})
    secrets: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    """Secret to its version and values."""
    bucket: bool = True
    read: list[str] = field(default_factory=list)
    """Secrets whose value was read."""
    targets: Targeted = field(default_factory=Targeted)
    """What is in the target accounts of StackSets."""
    there: dict[tuple[str, str], Found] = field(default_factory=dict)
    """Resources that no stack of the simulation made, by type and name."""
    records: tuple[dict[str, Any], ...] = ()
    """Record sets of every zone."""
    lives: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """Properties of what exists, by type and identifier."""
    unreadable: bool = False
    """Nobody may read those."""

    def at(self, region: str, account_id: str = ACCOUNT) -> Simulated:
        return self.places.setdefault((account_id, region), Simulated(region, self.faults))

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation:
        client: Any = self.at(region, account_id)
        return CloudFormation(client, account_id=account_id, region=region, sleep=lambda _: None)

    @property
    def aws(self) -> Any:
        """There is no history."""
        return NoAws()

    def account(self, account_id: str) -> Any:
        return SimulatedAccount(self, account_id)

    iam = organizations = account

    def logs(self, account_id: str, region: str) -> Any:
        return SimulatedAccount(self, account_id, region)

    def retained(self, account_id: str, region: str, role_arn: str | None) -> Any:
        return SimulatedAccount(self, account_id, region)

    def existing(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
        """What stands there by type and name: `there`."""
        return SimulatedStanding(self.there)

    def live(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
        """Properties of what exists: `lives`."""
        return SimulatedLive(self.lives, self.unreadable)

    def s3(self, account_id: str, region: str, role_arn: str | None = None) -> Any:
        raise AccessDenied("no bucket may be listed here", service="s3")

    def route53(self, account_id: str, role_arn: str | None = None) -> Any:
        return SimulatedZones(self.records, self.zones)

    def hosted_zone_id(self, name: str, *, account_id: str, role_arn: str | None = None) -> str:
        if name not in self.zones:
            raise NotFound(f"no public hosted zone is called {name}", service="route53")
        return self.zones[name]

    def secret_version(self, secret: str, *, account_id: str, region: str, role_arn: str | None = None) -> str:
        if secret not in self.secrets:
            raise NotFound(f"Secrets Manager can't find {secret}", service="secretsmanager")
        return self.secrets[secret][0]

    def secret_value(self, secret: str, key: str, *, version: str, account_id: str, region: str, role_arn: str | None = None) -> str:
        self.read.append(secret)
        return self.secrets[secret][1][key]

    def upload_template(self, bucket: str, body: bytes, *, sha256: str, account_id: str, region: str) -> str | None:
        return f"https://{bucket}.s3.{region}.amazonaws.com/templates/{sha256}.json" if self.bucket else None

    @property
    def left(self) -> list[str]:
        """Every change set, and every stack that is only under review."""
        return sorted(
            [c["ChangeSetId"] for p in self.places.values() for c in p.change_sets.values()]
            + [s["StackId"] for p in self.places.values() for s in p.stacks.values() if s["StackStatus"] == "REVIEW_IN_PROGRESS"]
        )


# --- assemblies ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Small:
    """A stack of a small assembly."""

    id: str
    template: Mapping[str, Any]
    region: str = "eu-west-1"
    parameters: tuple[Parameter, ...] = ()
    depends_on: tuple[str, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


def literal(name: str, value: str) -> Parameter:
    return Parameter(name=name, source=LiteralValue(value=value))


def output(name: str, stack: str, of: str) -> Parameter:
    return Parameter(name=name, source=OutputRef(stack=stack, output=of))


def small_assembly(
    *stacks: Small, environment: str = "test", protected: bool = False, account_id: str = ACCOUNT
) -> tuple[Assembly, dict[str, bytes]]:
    """A sealed assembly of these stacks, and the templates by stack id."""
    bodies = {s.id: files.canonical_json(s.template) for s in stacks}
    made = tuple(
        Stack(
            id=s.id,
            kind="stackset" if "stackset" in s.more else "stack",
            stack_name=f"demo-{environment}-{s.id}",
            description=s.id,
            account_id=account_id,
            region=s.region,
            template=Template(
                file=f"{s.id}.template.json",
                sha256=files.sha256(bodies[s.id]),
                size=len(bodies[s.id]),
                resources=len(s.template.get("Resources", {})),
                upload=len(bodies[s.id]) > 51_200,
            ),
            parameters=s.parameters,
            outputs=tuple(s.template.get("Outputs", {})),
            depends_on=s.depends_on,
            **s.more,
        )
        for s in stacks
    )
    contract = SiteContract(
        domain="example.org",
        entry_path="/",
        index_document="/index.html",
        health_path="/healthz",
        basic_auth=False,
        basic_auth_realm="",
        response_headers={},
        certificate_names=(),
        minimum_protocol_version="TLSv1.2_2021",
        http_versions=(),
        cache_rules=(),
        release_grace_days=1,
        release_keep=1,
    )
    assembly = Assembly(
        format=FORMAT,
        environment=environment,
        project="demo",
        account_id=account_id,
        home_region="eu-west-1",
        deploy_role_name="deploy",
        protected=protected,
        artifact_bucket="demo-artifacts",
        lock_table="demo-locks",
        hosted_zone=HostedZone(name="example.org", id=None, account_id=account_id, role_arn=None),
        basic_auth_secret=None,
        contract=contract,
        stacks=made,
    )
    return files.sealed(assembly), bodies


def stackset(*regions: str, accounts: tuple[str, ...] = (ACCOUNT,)) -> StackSet:
    return StackSet(
        permission_model="SELF_MANAGED",
        targets=Targets(accounts=accounts, regions=regions),
        preferences=OperationPreferences(),
        administration_role_name="admin",
        execution_role_name="execution",
    )
