"""What a stack is given: its parameters and service role, from live outputs, hosted zones and secrets.

In: a stack of the assembly, its template, the live stack, and what the stacks before it produce. Out: `Inputs`, with values to send and
values to show kept apart.
Never: puts a secret into what is shown; fetches one that has not changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from assembly.commands import deploy
from assembly.model import Assembly, HostedZoneRef, LiteralValue, OutputRef, Parameter, RoleName, SecretRef, SecretVersionRef, Stack
from aws.cloudformation.gateway import CloudFormation
from aws.cloudformation.requests import REDACTED, ParameterValue
from aws.errors import Conflict, NotFound
from gateways.live import LiveResources
from gateways.retained import Retained
from inventory.survey import InventoryGateways
from planning.model import Finding, ParameterPlan
from planning.stackset_survey import SurveyGateways
from templates.intrinsics import after_mark, known_after, secret_mark
from templates.placeholders import placeholder
from templates.values import Known, Redacted, Unknown, Value

SECRETS_REGION = "us-east-1"
"""Where secrets of the edge live (`SecretRef`)."""


class Gateways(SurveyGateways, InventoryGateways, Protocol):
    """What planning needs of AWS (`gateways.by_place.Gateways`)."""

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation: ...

    def retained(self, account_id: str, region: str, role_arn: str | None) -> Retained: ...

    def live(self, account_id: str, region: str, role_arn: str | None = None) -> LiveResources: ...

    def hosted_zone_id(self, name: str, *, account_id: str, role_arn: str | None = None) -> str: ...

    def secret_version(self, secret: str, *, account_id: str, region: str, role_arn: str | None = None) -> str: ...

    def secret_value(self, secret: str, key: str, *, version: str, account_id: str, region: str, role_arn: str | None = None) -> str: ...

    def upload_template(self, bucket: str, body: bytes, *, sha256: str, account_id: str, region: str) -> str | None: ...


@dataclass(frozen=True, kw_only=True)
class Produced:
    """What is known of the outputs of a stack that was planned, or applied."""

    outputs: Mapping[str, str | None]
    """None: only its execution will tell."""
    expressions: Mapping[str, Any] = field(default_factory=dict)
    """Each output's value in the new template."""
    resource_types: Mapping[str, str] = field(default_factory=dict)
    account_id: str = ""
    region: str = ""
    hidden: frozenset[str] = frozenset()
    """Outputs that have a NoEcho parameter in them: to be passed on, never to be shown."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """The parameters and role of one stack."""

    send: tuple[ParameterValue, ...] = ()
    show: tuple[ParameterPlan, ...] = ()
    role_arn: str | None = None
    """None also while the role is not known; then `waits_for` names it."""
    waits_for: tuple[str, ...] = ()
    placeholders: Mapping[str, str] = field(default_factory=dict)
    """Placeholder value to "STACK.OUTPUT"."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Secret values that are sent."""
    before: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the deployed stack to resolve its template with; secrets as marks."""
    after: Mapping[str, str] = field(default_factory=dict)
    """Parameters to resolve the new template with; secrets and unknowns as marks."""
    findings: tuple[Finding, ...] = ()
    """An error among them: the stack cannot be planned."""

    @property
    def no_echo(self) -> tuple[str, ...]:
        """Names of the parameters that must not be shown."""
        return tuple(p.name for p in self.send if p.no_echo)


def resolve_inputs(
    assembly: Assembly,
    stack: Stack,
    template: Mapping[str, Any],
    *,
    live: Mapping[str, str],
    produced: Mapping[str, Produced],
    gateways: Gateways,
    read_only: bool = False,
) -> Inputs:
    """The inputs of a stack. `live` are the parameters that it has now. What is missing becomes findings of severity error.

    `read_only`: no secret's value is read, no role of another account taken on.

    Raises `aws.errors.AwsError` where AWS refuses to answer.
    """
    found = _Collector(assembly, stack, template, live=live, produced=produced, gateways=gateways, read_only=read_only)
    for parameter in stack.parameters:
        found.add(parameter)
    role, waits = found.role()
    declared = template.get("Parameters", {})
    hidden = {name for name, body in declared.items() if isinstance(body, Mapping) and str(body.get("NoEcho", "")).lower() == "true"}
    before = {name: secret_mark(name, "current") if name in hidden or value == REDACTED else value for name, value in found.live.items()}
    return Inputs(
        send=tuple(found.send),
        show=tuple(found.show),
        role_arn=role,
        waits_for=tuple(dict.fromkeys([*found.waits_for, *waits])),
        placeholders=found.placeholders,
        secrets=tuple(found.secrets),
        before=before,
        after=found.after,
        findings=tuple(found.findings),
    )


class _Collector:
    """Goes over the parameters of one stack."""

    def __init__(
        self,
        assembly: Assembly,
        stack: Stack,
        template: Mapping[str, Any],
        *,
        live: Mapping[str, str],
        produced: Mapping[str, Produced],
        gateways: Gateways,
        read_only: bool,
    ) -> None:
        self.assembly, self.stack, self.template, self.live = assembly, stack, template, live
        self.produced, self.gateways, self.read_only = produced, gateways, read_only
        self.send: list[ParameterValue] = []
        self.show: list[ParameterPlan] = []
        self.after: dict[str, str] = {}
        self.waits_for: list[str] = []
        self.placeholders: dict[str, str] = {}
        self.secrets: list[str] = []
        self.findings: list[Finding] = []
        self._versions: dict[str, str | None] = {}

    def add(self, parameter: Parameter) -> None:
        source = parameter.source
        match source:
            case LiteralValue():
                self._known(parameter, source.value, "literal")
            case OutputRef():
                self._output(parameter, source)
            case HostedZoneRef():
                zone = self._zone(source, self.live.get(parameter.name))
                if zone is not None:
                    self._known(parameter, zone, f"hosted zone {source.name}")
            case SecretVersionRef():
                version = self._version(source.secret)
                if version is not None:
                    self._known(parameter, version, f"version of secret {source.secret}")
            case SecretRef():
                self._secret(parameter, source)

    def _known(self, parameter: Parameter, value: str, source: str) -> None:
        if parameter.no_echo:
            self._hidden(parameter, value, source, changed=True)
            return
        before = self.live.get(parameter.name)
        self.send.append(ParameterValue(name=parameter.name, value=value))
        self.after[parameter.name] = value
        self.show.append(
            ParameterPlan(
                name=parameter.name,
                source=source,
                before=None if before is None else Redacted() if before == REDACTED else Known(text=before),
                after=Known(text=value),
                changed=before != value,
            )
        )

    def _hidden(self, parameter: Parameter, value: str | None, source: str, *, changed: bool) -> None:
        there = parameter.name in self.live
        self.send.append(ParameterValue(name=parameter.name, value=value, no_echo=True))
        if value:
            self.secrets.append(value)
        self.after[parameter.name] = secret_mark(parameter.name, "new" if changed else "current")
        self.show.append(
            ParameterPlan(
                name=parameter.name,
                source=source,
                before=Redacted() if there else None,
                after=Redacted(),
                keeps_previous=not changed,
                changed=changed,
            )
        )

    def _output(self, parameter: Parameter, source: OutputRef) -> None:
        reference = f"{source.stack}.{source.output}"
        producer = self.produced.get(source.stack)
        if producer is None and self.read_only:
            # Of another account, where this caller has no way in (`planning.read_only`).
            producer = Produced(outputs={source.output: self.live.get(parameter.name)})
        if producer is None or source.output not in producer.outputs:
            self._missing_output(reference, source)
            return
        value = producer.outputs[source.output]
        if value is not None and source.output in producer.hidden:
            same = self.live.get(parameter.name) == value
            self._hidden(parameter, None if same else value, f"output {reference}", changed=not same)
            return
        if value is not None:
            self._known(parameter, value, f"output {reference}")
            return
        declaration = self.template.get("Parameters", {}).get(parameter.name, {})
        expression, place = producer.expressions.get(source.output), {"account_id": producer.account_id, "region": producer.region}
        value = placeholder(reference, expression, producer.resource_types, declaration, **place)
        if value is None:
            self._error(
                "no_stand_in",
                f"the parameter {parameter.name} takes {reference}, which is not known yet, and accepts no placeholder value for it"
                f" (AllowedPattern {declaration.get('AllowedPattern', '')!r})",
                deploy("apply", self.assembly.environment, "--only", source.stack),
            )
            return
        before = self.live.get(parameter.name)
        self.waits_for.append(reference)
        self.placeholders[value] = reference
        self.send.append(ParameterValue(name=parameter.name, value=value, no_echo=parameter.no_echo))
        self.after[parameter.name] = after_mark(reference)
        shown: Value = Redacted() if parameter.no_echo else Unknown(text=known_after(reference), after=(reference,))
        self.show.append(
            ParameterPlan(
                name=parameter.name,
                source=f"output {reference}",
                before=None if before is None else Redacted() if parameter.no_echo or before == REDACTED else Known(text=before),
                after=shown,
                changed=True,
            )
        )

    def _missing_output(self, reference: str, source: OutputRef) -> None:
        self._error(
            "output_missing",
            f"the stack {source.stack} has no output {source.output} that {self.stack.id} could take ({reference})",
            deploy("plan", self.assembly.environment, "--only", source.stack),
        )

    def role(self) -> tuple[str | None, tuple[str, ...]]:
        source = self.stack.service_role
        if source is None:
            return None, ()
        if isinstance(source, RoleName):
            return f"arn:aws:iam::{self.stack.account_id}:role/{source.name}", ()
        reference = f"{source.stack}.{source.output}"
        producer = self.produced.get(source.stack)
        if producer is None or source.output not in producer.outputs:
            self._missing_output(reference, source)
            return None, ()
        value = producer.outputs[source.output]
        return (value, ()) if value is not None else (None, (reference,))

    def _zone(self, source: HostedZoneRef, deployed: str | None) -> str | None:
        zone = self.assembly.zone
        if zone.id is not None and zone.name.rstrip(".") == source.name.rstrip("."):
            return zone.id
        if self.read_only and zone.role_arn and deployed:
            return deployed
        try:
            return self.gateways.hosted_zone_id(source.name, account_id=zone.account_id, role_arn=zone.role_arn)
        except (NotFound, Conflict) as error:
            several = isinstance(error, Conflict)
            self._error(
                "hosted_zone_ambiguous" if several else "hosted_zone_missing",
                f"{error} (environments/{self.assembly.environment}.yaml, key hosted_zone)",
                deploy("doctor", self.assembly.environment),
            )
            return None

    def _version(self, secret: str) -> str | None:
        if secret not in self._versions:
            try:
                self._versions[secret] = self.gateways.secret_version(
                    secret, account_id=self.stack.account_id, region=SECRETS_REGION, role_arn=self.stack.role_arn
                )
            except NotFound as error:
                self._versions[secret] = None
                self._error("secret_missing", str(error), deploy("set-password", self.assembly.environment))
        return self._versions[secret]

    def _secret(self, parameter: Parameter, source: SecretRef) -> None:
        version = self._version(source.secret)
        if version is None:
            return
        versions = (p.name for p in self.stack.parameters if isinstance(p.source, SecretVersionRef) and p.source.secret == source.secret)
        if parameter.name in self.live and self.live.get(next(versions, "")) == version:
            self._hidden(parameter, None, f"secret {source.secret}", changed=False)
            return
        if self.read_only:
            # The change set keeps the deployed value; that it changes shows in the version beside it.
            self._hidden(parameter, None, f"secret {source.secret}", changed=True)
            return
        try:
            # Of the very version that is sent beside it: two reads of "the current one" may tell of two versions.
            value = self.gateways.secret_value(
                source.secret,
                source.key,
                version=version,
                account_id=self.stack.account_id,
                region=SECRETS_REGION,
                role_arn=self.stack.role_arn,
            )
        except NotFound as error:
            if error.code == "ResourceNotFoundException":
                raise  # DescribeSecret has just named this version: one of the two answers is old, and the stack is planned again.
            self._error("secret_missing", str(error), deploy("set-password", self.assembly.environment))
            return
        self._hidden(parameter, value, f"secret {source.secret}", changed=True)

    def _error(self, code: str, message: str, command: str) -> None:
        self.findings.append(Finding(severity="error", code=code, message=message, command=command, stack=self.stack.id))
