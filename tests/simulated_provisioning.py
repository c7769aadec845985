"""A simulated CloudFormation whose resources have physical ids and attributes, and whose change sets are computed as documented.

In: templates and parameters. Out: change sets with property values, and stacks whose outputs are real values.
Never: knows what a service does with a property. Where it gives no values (`Faults.no_values`) it lists every reference to a modified
resource, as stand-ins for CloudFormation do. An update in place keeps the physical id and the attributes in `STABLE`; every other one gets
a new value with every update. A replacement changes all of them.

Sources: API ResourceChangeDetail (ChangeSource, Evaluation, CausingEntity: a Ref to a resource that is not replaced is no detail, a GetAtt
of a modified one is); user guide, "Update behaviors of stack resources" (an update in place keeps the physical id).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from templates.intrinsics import references, resolved_outputs, resolved_resources
from templates.schemas import Schemas, bundled
from tests.simulated import ACCOUNT, Faults, Simulated, SimulatedGateways

OPEN = "{{changeSet:KNOWN_AFTER_APPLY}}"
STABLE = ("Arn", "Id", "DomainName", "RegionalDomainName", "FunctionARN", "TopicArn", "TopicName", "HealthCheckId", "PolicyArn", "RoleId")
"""Attributes that a service gives once; the rest counts the updates here, which is worse than most services are."""
ATTRIBUTES = ("Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy")
_SUB = re.compile(r"\$\{([^!][^}]*)\}")
_ACTIONS = {"Retain": "Retain", "RetainExceptOnCreate": "Retain", "Snapshot": "Snapshot"}


@dataclass
class Made:
    """A resource as it stands."""

    type: str
    properties: Mapping[str, Any]
    physical_id: str
    updates: int = 0

    def attribute(self, name: str, region: str) -> str:
        """What Fn::GetAtt answers."""
        stays = name in STABLE
        text = _ARN.format(region=region, id=self.physical_id) if name.lower().endswith("arn") else f"{name}.{self.physical_id}"
        return text if stays or not self.updates else f"{text}.{self.updates}"


_ARN = f"arn:aws:x:{{region}}:{ACCOUNT}:{{id}}"


def leaves(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The leaves that differ, list items by position, as CloudFormation compares them."""
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping) and not any(_intrinsic(side) for side in (before, after)):
        for key in sorted({*before, *after}):
            yield from leaves(before.get(key), after.get(key), f"{path}/{key}")
    elif isinstance(before, list) and isinstance(after, list):
        for i in range(max(len(before), len(after))):
            yield from leaves(before[i] if i < len(before) else None, after[i] if i < len(after) else None, f"{path}/{i}")
    else:
        yield path, before, after


def _intrinsic(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class Provisioned(Simulated):
    """One region of one account."""

    def __init__(self, region: str, faults: Faults | None = None, *, bodies: Mapping[str, bytes], schemas: Schemas) -> None:
        super().__init__(region, faults)
        self.schemas = schemas
        self.resources: dict[str, dict[str, Made]] = {}
        self._bodies = bodies
        self._made_ids = 0

    def create_change_set(self, **request: Any) -> Any:
        url = request.pop("TemplateURL", None)
        if url is not None:
            request["TemplateBody"] = self._bodies[url].decode()
        self._tags = sorted(request.get("Tags", []), key=lambda tag: tag["Key"])
        made = super().create_change_set(**request)
        self.change_sets[made["Id"]]["_tags"] = self._tags
        return made

    def execute_change_set(self, ChangeSetName: str, StackName: str, **more: Any) -> Any:
        found = self._change_set(ChangeSetName)
        super().execute_change_set(ChangeSetName=ChangeSetName, StackName=StackName, **more)
        self.stacks[found["StackName"]]["Tags"] = found["_tags"]

    # --- change sets ------------------------------------------------------------------------------------------

    def _changes(self, stack: Mapping[str, Any], template: Mapping[str, Any], values: Mapping[str, str]) -> list[dict[str, Any]]:
        old_values = {p["ParameterKey"]: p["ParameterValue"] for p in stack["_parameters"]}
        body, name = json.loads(stack["_body"]), stack["StackName"]
        before, after = (resolved_resources(self._scope(t, v, name)) for t, v in ((body, old_values), (template, values)))
        moved = {key for key, value in values.items() if old_values.get(key) != value} if before else set()
        details = {i: list(self._direct(before[i], after[i], template["Resources"][i], moved)) for i in {*before} & {*after}}
        if before and stack.get("Tags", []) != self._tags:
            target = {"Attribute": "Tags", "Name": "", "RequiresRecreation": "Never"}
            for listed in details.values():
                listed.append({"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"})
        verdicts: dict[str, str] = {}
        while True:
            now = {
                i: self._verdict(before[i], after[i], [*found, *self._referring(after[i], verdicts)])
                for i, found in details.items()
                if found or self._referring(after[i], verdicts)
            }
            if now == verdicts:
                break
            verdicts = now
        found = []
        for logical_id in sorted({*before, *after}):
            if logical_id not in verdicts and logical_id in details:
                continue
            change: dict[str, Any] = {
                "LogicalResourceId": logical_id,
                "ResourceType": (after.get(logical_id) or before[logical_id])["Type"],
            }
            if logical_id in before:
                change["PhysicalResourceId"] = self.resources[name][logical_id].physical_id
            change["Action"] = "Add" if logical_id not in before else "Remove" if logical_id not in after else "Modify"
            if change["Action"] == "Modify":
                change["Details"] = [*details[logical_id], *self._referring(after[logical_id], verdicts)]
                change["Replacement"] = verdicts[logical_id]
            else:
                change["Details"] = []
            old = before.get(logical_id, {})
            if change["Action"] == "Remove":
                change["PolicyAction"] = _ACTIONS.get(str(old.get("DeletionPolicy")), "Delete")
            elif change["Action"] == "Modify" and verdicts[logical_id] != "False":
                change["PolicyAction"] = f"ReplaceAnd{_ACTIONS.get(str(old.get('UpdateReplacePolicy')), 'Delete')}"
            found.append({"Type": "Resource", "ResourceChange": change})
        return found

    def _recreation(self, resource_type: str, path: str) -> str:
        schema = self.schemas.of(resource_type, self.region)
        said = schema.recreation(re.sub(r"/(\d+)", r"[\1]", path).strip("/").replace("/", ".")) if schema else "never"
        return said.capitalize()

    def _direct(self, old: Mapping[str, Any], new: Mapping[str, Any], raw: Any, moved: set[str]) -> Iterator[dict[str, Any]]:
        kind = str(new["Type"])
        for path, was, now in leaves(old.get("Properties") or {}, new.get("Properties") or {}):
            name = path.split("/")[1] if path else ""
            target: dict[str, Any] = {"Attribute": "Properties", "Name": name, "Path": f"/Properties{path}"}
            target["RequiresRecreation"] = self._recreation(kind, path)
            target["AttributeChangeType"] = "Add" if was is None else "Remove" if now is None else "Modify"
            target |= {} if was is None else {"BeforeValue": OPEN if references(was) else _text(was)}
            target |= {} if now is None else {"AfterValue": OPEN if references(now) else _text(now)}
            raw_value = (raw.get("Properties") or {}).get(name)
            causes = sorted(entity for entity, attribute in references(raw_value) if not attribute and entity in moved)
            evaluation = "Dynamic" if causes else "Static"
            yield {"Target": target, "Evaluation": evaluation, "ChangeSource": "DirectModification"}
            for cause in causes:
                yield {"Target": target, "Evaluation": "Static", "ChangeSource": "ParameterReference", "CausingEntity": cause}
        for attribute in ATTRIBUTES:
            if old.get(attribute) != new.get(attribute):
                target = {"Attribute": attribute, "RequiresRecreation": "Never"}
                yield {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}

    def _referring(self, new: Mapping[str, Any], verdicts: Mapping[str, str]) -> list[dict[str, Any]]:
        found = []
        for name, value in (new.get("Properties") or {}).items():
            for entity, attribute in sorted(references(value)):
                if entity not in verdicts or (not attribute and verdicts[entity] == "False" and not self.faults.no_values):
                    continue
                target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": self._recreation(str(new["Type"]), f"/{name}")}
                source = {"ChangeSource": "ResourceAttribute", "CausingEntity": f"{entity}.{attribute}"}
                if not attribute:
                    source = {"ChangeSource": "ResourceReference", "CausingEntity": entity}
                evaluation = "Static" if verdicts[entity] == "True" else "Dynamic"
                found.append({"Target": target, "Evaluation": evaluation, **source})
        return found

    def _verdict(self, old: Mapping[str, Any], new: Mapping[str, Any], details: list[dict[str, Any]]) -> str:
        said = {(d["Target"]["RequiresRecreation"], d["Evaluation"]) for d in details}
        if old["Type"] != new["Type"] or ("Always", "Static") in said:
            return "True"
        return "Conditional" if any(recreation != "Never" for recreation, _ in said) else "False"

    # --- execution --------------------------------------------------------------------------------------------

    def deploy(self, name: str, template: Mapping[str, Any], values: Mapping[str, str], status: str = "") -> None:
        """Every resource is made or changed in the order of its references; outputs are what comes of it."""
        super().deploy(name, template, values, status)
        old, made = self.resources.get(name, {}), {}
        wanted = resolved_resources(self._scope(template, values, name))

        def one(logical_id: str) -> Made | None:
            if logical_id in wanted and logical_id not in made:
                made[logical_id] = self._made_of(name, logical_id, wanted[logical_id], old.get(logical_id), one)
            return made.get(logical_id)

        for logical_id in wanted:
            one(logical_id)
        self.resources[name] = made
        outputs = resolved_outputs(self._scope(template, values, name))
        self.stacks[name]["Outputs"] = [{"OutputKey": k, "OutputValue": _text(self._actual(v, one))} for k, v in outputs.items()]

    def _made_of(self, stack: str, logical_id: str, body: Mapping[str, Any], old: Made | None, one: Callable[[str], Made | None]) -> Made:
        kind, properties = str(body["Type"]), self._actual(body.get("Properties") or {}, one)
        if old is not None and old.type == kind:
            if old.properties == properties:
                return old
            changed = [re.sub(r"/(\d+)", r"[\1]", path).strip("/").replace("/", ".") for path, _, _ in leaves(old.properties, properties)]
            schema = self.schemas.of(kind, self.region)
            if schema is None or not any(schema.recreation(path) == "always" for path in changed):
                return Made(kind, properties, old.physical_id, old.updates + 1)
        self._made_ids += 1
        return Made(kind, properties, self._name(kind, properties) or f"{stack}-{logical_id}-{self._made_ids}")

    def _name(self, kind: str, properties: Mapping[str, Any]) -> str:
        schema = self.schemas.of(kind, self.region)
        identifier = next(iter(schema.primary_identifier)) if schema and len(schema.primary_identifier) == 1 else ()
        found = properties.get(identifier[0]) if len(identifier) == 1 else None
        return found if isinstance(found, str) else ""

    def _actual(self, value: Any, one: Callable[[str], Made | None]) -> Any:
        """With every reference to a resource replaced by what it answers."""
        if isinstance(value, list):
            return [self._actual(item, one) for item in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            key, inner = next(iter(value.items()))
            if key in ("Ref", "Fn::GetAtt"):
                logical_id, attribute = (inner, "") if key == "Ref" else (inner[0], inner[1])
                return self._answer(logical_id, attribute, one)
            if key == "Fn::Join":
                return inner[0].join(_text(self._actual(part, one)) for part in inner[1])
            if key == "Fn::Sub":
                text, own = inner if isinstance(inner, list) else (inner, {})
                own = {name: _text(self._actual(part, one)) for name, part in own.items()}
                return _SUB.sub(lambda m: own.get(m[1]) or self._answer(m[1].partition(".")[0], m[1].partition(".")[2], one), text)
        return {key: self._actual(inner, one) for key, inner in value.items()}

    def _answer(self, logical_id: str, attribute: str, one: Callable[[str], Made | None]) -> str:
        found = one(logical_id)
        if found is None:
            return f"({logical_id})"
        return found.attribute(attribute, self.region) if attribute else found.physical_id


@dataclass
class ProvisionedGateways(SimulatedGateways):
    """Gateways over provisioned places; templates that are uploaded are kept."""

    bodies: dict[str, bytes] = field(default_factory=dict)
    schemas: Schemas = field(default_factory=bundled)

    def at(self, region: str, account_id: str = ACCOUNT) -> Simulated:
        where = (account_id, region)
        if where not in self.places:
            self.places[where] = Provisioned(region, self.faults, bodies=self.bodies, schemas=self.schemas)
        return self.places[where]

    def upload_template(self, bucket: str, body: bytes, *, sha256: str, account_id: str, region: str) -> str | None:
        url = f"https://{bucket}.s3.{region}.amazonaws.com/templates/{sha256}.json"
        self.bodies[url] = body
        return url
