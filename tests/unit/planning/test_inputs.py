"""What a stack is given: every source of a parameter, what is sent, what is shown, and what is said where there is nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from assembly.model import HostedZone, HostedZoneRef, OutputRef, Parameter, RoleName, SecretRef, SecretVersionRef
from aws.cloudformation.requests import REDACTED, ParameterValue
from aws.errors import AccessDenied, Conflict, NotFound
from planning.inputs import Inputs, Produced, resolve_inputs
from planning.model import ParameterPlan
from templates.intrinsics import after_mark, secret_mark
from templates.values import Known, Redacted, Unknown
from tests.simulated import ACCOUNT, SimulatedGateways, Small, literal, output, small_assembly

ZONE = "Z0123456789ABCDEFGHIJ"
PASSWORD = Parameter(name="Password", source=SecretRef(secret="demo/login", key="password"), no_echo=True)
VERSION = Parameter(name="Version", source=SecretVersionRef(secret="demo/login"))


def declared(*parameters: Parameter) -> dict[str, Any]:
    return {"Parameters": {p.name: {"Type": "String", **({"NoEcho": True} if p.no_echo else {})} for p in parameters}}


def inputs(
    *parameters: Parameter,
    live: Mapping[str, str] | None = None,
    produced: Mapping[str, Produced] | None = None,
    gateways: SimulatedGateways | None = None,
    template: dict[str, Any] | None = None,
    zone: HostedZone | None = None,
    read_only: bool = False,
    **more: Any,
) -> Inputs:
    given = declared(*parameters) if template is None else template
    assembly, _ = small_assembly(Small(id="it", template=given, parameters=parameters, more=more))
    if zone is not None:
        assembly = msgspec.structs.replace(assembly, hosted_zone=zone)
    return resolve_inputs(
        assembly,
        assembly.stacks[0],
        given,
        live=live or {},
        produced=produced or {},
        gateways=gateways or SimulatedGateways(),
        read_only=read_only,
    )


def errors(found: Inputs) -> list[tuple[str, str]]:
    assert all(f.severity == "error" and f.stack == "it" for f in found.findings)
    return [(f.code, f.command) for f in found.findings]


# --- literals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("live", "before", "changed"),
    [
        ({}, None, True),
        ({"A": "2"}, Known(text="2"), True),
        ({"A": "1"}, Known(text="1"), False),
        ({"A": REDACTED}, Redacted(), True),
    ],
)
def test_a_literal_beside_what_is_deployed(live: dict[str, str], before: Any, changed: bool) -> None:
    found = inputs(literal("A", "1"), live=live)
    assert found.send == (ParameterValue(name="A", value="1"),) and found.no_echo == () and found.secrets == ()
    assert found.show == (ParameterPlan(name="A", source="literal", before=before, after=Known(text="1"), changed=changed),)
    assert found.after == {"A": "1"} and found.findings == () and found.waits_for == ()


def test_a_hidden_literal_is_sent_and_not_shown() -> None:
    found = inputs(Parameter(name="A", source=literal("A", "word").source, no_echo=True))
    assert found.send == (ParameterValue(name="A", value="word", no_echo=True),)
    assert found.show[0].after == Redacted() and found.show[0].before is None and found.show[0].changed
    assert (found.secrets, found.no_echo) == (("word",), ("A",))
    assert found.after == {"A": secret_mark("A", "new")}


def test_what_the_deployed_template_is_resolved_with_has_no_secret() -> None:
    """By its NoEcho in the new template, however it is spelt, or since CloudFormation hides it."""
    template = {"Parameters": {"A": {"Type": "String", "NoEcho": "True"}, "B": {"Type": "String", "NoEcho": "false"}, "C": {}, "D": 1}}
    found = inputs(template=template, live={"A": "old", "B": "shown", "C": REDACTED, "D": "d", "Gone": "g"})
    assert found.before == {"A": secret_mark("A", "current"), "B": "shown", "C": secret_mark("C", "current"), "D": "d", "Gone": "g"}


# --- outputs of other stacks ----------------------------------------------------------------------------------------


def test_an_output_that_is_known_is_a_value() -> None:
    found = inputs(output("A", "base", "Out"), produced={"base": Produced(outputs={"Out": "v"})}, live={"A": "v"})
    assert found.send == (ParameterValue(name="A", value="v"),)
    assert (found.show[0].source, found.show[0].changed, found.waits_for) == ("output base.Out", False, ())


@pytest.mark.parametrize(("live", "sent", "changed"), [({}, "s", True), ({"A": "other"}, "s", True), ({"A": "s"}, None, False)])
def test_an_output_with_a_secret_in_it_is_passed_on_and_never_shown(live: dict[str, str], sent: str | None, changed: bool) -> None:
    produced = {"base": Produced(outputs={"Out": "s", "Plain": "p"}, hidden=frozenset({"Out"}))}
    found = inputs(output("A", "base", "Out"), output("B", "base", "Plain"), produced=produced, live=live)
    assert found.send == (ParameterValue(name="A", value=sent, no_echo=True), ParameterValue(name="B", value="p"))
    assert (found.show[0].after, found.show[0].changed, found.show[0].keeps_previous) == (Redacted(), changed, not changed)
    assert found.secrets == (("s",) if sent else ()) and found.show[1].after == Known(text="p")
    assert found.after["A"] == secret_mark("A", "new" if changed else "current")


def waiting(live: Mapping[str, str], *, no_echo: bool = False) -> Inputs:
    parameter = Parameter(name="A", source=OutputRef(stack="base", output="Out"), no_echo=no_echo)
    produced = Produced(
        outputs={"Out": None},
        expressions={"Out": {"Ref": "T"}},
        resource_types={"T": "AWS::SNS::Topic"},
        account_id=ACCOUNT,
        region="eu-west-1",
    )
    return inputs(parameter, produced={"base": produced}, live=live)


def test_an_output_that_only_the_execution_tells_gets_a_stand_in() -> None:
    found = waiting({"A": "old"})
    (sent,) = found.send
    assert sent.value is not None and sent.value.startswith(f"arn:aws:sns:eu-west-1:{ACCOUNT}:") and not sent.no_echo
    assert found.placeholders == {sent.value: "base.Out"} and found.waits_for == ("base.Out",)
    assert found.after == {"A": after_mark("base.Out")}
    (shown,) = found.show
    assert (shown.before, shown.changed) == (Known(text="old"), True)
    assert shown.after == Unknown(text="{known after base.Out}", after=("base.Out",))


def test_a_hidden_parameter_that_waits_shows_neither_side() -> None:
    (shown,) = waiting({"A": "old"}, no_echo=True).show
    assert (shown.before, shown.after) == (Redacted(), Redacted())
    assert waiting({}, no_echo=True).show[0].before is None and waiting({}).show[0].before is None
    assert waiting({"A": REDACTED}).show[0].before == Redacted()
    assert waiting({}, no_echo=True).send[0].no_echo


@pytest.mark.parametrize("produced", [{}, {"base": Produced(outputs={"Other": "v"})}])
def test_an_output_that_there_is_not(produced: dict[str, Produced]) -> None:
    found = inputs(output("A", "base", "Out"), produced=produced)
    assert errors(found) == [("output_missing", "python deploy.py plan --env test --only base")]
    assert "base has no output Out that it could take (base.Out)" in found.findings[0].message and found.send == ()


def test_read_only_keeps_what_is_deployed_of_a_stack_that_it_cannot_see() -> None:
    found = inputs(output("A", "elsewhere", "Out"), live={"A": "v"}, read_only=True)
    assert found.send == (ParameterValue(name="A", value="v"),) and not found.show[0].changed
    assert errors(inputs(output("A", "base", "Out"), produced={"base": Produced(outputs={})}, live={"A": "v"}, read_only=True)) == [
        ("output_missing", "python deploy.py plan --env test --only base")
    ]


def test_what_takes_no_stand_in_is_an_error_with_its_pattern() -> None:
    template = {"Parameters": {"A": {"Type": "String", "AllowedPattern": "["}}}
    produced = {"base": Produced(outputs={"Out": None}, expressions={"Out": {"Ref": "T"}}, resource_types={"T": "AWS::SNS::Topic"})}
    found = inputs(output("A", "base", "Out"), produced=produced, template=template)
    assert errors(found) == [("no_stand_in", "python deploy.py apply --env test --only base")]
    assert "(AllowedPattern '[')" in found.findings[0].message and found.send == () and found.waits_for == ()


# --- the service role ---------------------------------------------------------------------------------------------


def test_the_service_role_by_name_by_output_and_while_it_is_not_known() -> None:
    assert (inputs().role_arn, inputs().waits_for) == (None, ())
    assert inputs(service_role=RoleName(name="own")).role_arn == f"arn:aws:iam::{ACCOUNT}:role/own"
    role = OutputRef(stack="base", output="Role")
    known = inputs(service_role=role, produced={"base": Produced(outputs={"Role": "arn:role"})})
    assert (known.role_arn, known.waits_for, known.findings) == ("arn:role", (), ())
    later = inputs(service_role=role, produced={"base": Produced(outputs={"Role": None})})
    assert (later.role_arn, later.waits_for, later.findings) == (None, ("base.Role",), ())
    for produced in ({}, {"base": Produced(outputs={})}):
        missing = inputs(service_role=role, produced=produced)
        assert (missing.role_arn, missing.waits_for) == (None, ())
        assert errors(missing) == [("output_missing", "python deploy.py plan --env test --only base")]


# --- hosted zones ---------------------------------------------------------------------------------------------------


@dataclass
class Zones(SimulatedGateways):
    """Remembers how it was asked for zones."""

    raises: Exception | None = None

    def __post_init__(self) -> None:
        self.asked: list[tuple[str, str, str | None]] = []

    def hosted_zone_id(self, name: str, *, account_id: str, role_arn: str | None = None) -> str:
        self.asked.append((name, account_id, role_arn))
        if self.raises is not None:
            raise self.raises
        return ZONE


def zone(name: str = "example.org", id: str | None = None, role_arn: str | None = None) -> HostedZone:
    return HostedZone(name=name, id=id, account_id="999988887777", role_arn=role_arn)


NAMED = Parameter(name="Zone", source=HostedZoneRef(name="example.org"))


@pytest.mark.parametrize("name", ["example.org", "example.org."])
def test_a_zone_whose_id_is_known_is_not_looked_up(name: str) -> None:
    gateways = Zones()
    found = inputs(NAMED, zone=zone(name, "ZKNOWN"), gateways=gateways)
    assert found.send == (ParameterValue(name="Zone", value="ZKNOWN"),) and gateways.asked == []
    assert found.show[0].source == "hosted zone example.org"


def test_a_zone_of_another_name_or_without_an_id_is_looked_up_in_its_account() -> None:
    for given in (zone("other.org", "ZKNOWN"), zone(), zone(role_arn="arn:zone")):
        gateways = Zones()
        found = inputs(NAMED, zone=given, gateways=gateways, live={"Zone": "ZDEPLOYED"})
        assert found.send == (ParameterValue(name="Zone", value=ZONE),)
        assert gateways.asked == [("example.org", "999988887777", given.role_arn)]


def test_read_only_takes_no_role_for_a_zone_that_is_deployed() -> None:
    for role, live, looked in (("arn:zone", {"Zone": "ZDEPLOYED"}, False), ("arn:zone", {}, True), (None, {"Zone": "ZDEPLOYED"}, True)):
        gateways = Zones()
        found = inputs(NAMED, zone=zone(role_arn=role), gateways=gateways, live=live, read_only=True)
        assert bool(gateways.asked) is looked
        assert found.send[0].value == (ZONE if looked else "ZDEPLOYED")


@pytest.mark.parametrize(
    ("error", "code"), [(NotFound("there is none"), "hosted_zone_missing"), (Conflict("there are two"), "hosted_zone_ambiguous")]
)
def test_a_zone_that_cannot_be_told_is_a_finding(error: Exception, code: str) -> None:
    found = inputs(NAMED, zone=zone(), gateways=Zones(raises=error))
    assert errors(found) == [(code, "python deploy.py doctor --env test")] and found.send == ()
    assert "(environments/test.yaml, key hosted_zone)" in found.findings[0].message


def test_a_zone_that_may_not_be_read_is_no_missing_one() -> None:
    with pytest.raises(AccessDenied):
        inputs(NAMED, zone=zone(), gateways=Zones(raises=AccessDenied("no")))


# --- secrets --------------------------------------------------------------------------------------------------------


@dataclass
class Secrets(SimulatedGateways):
    """Secrets as given, and what is asked of them."""

    raises: Exception | None = None

    def __post_init__(self) -> None:
        self.secrets = {"demo/login": ("v2", {"password": "correct horse"})}
        self.asked: list[str] = []

    def secret_version(self, secret: str, *, account_id: str, region: str, role_arn: str | None = None) -> str:
        self.asked.append(f"version {account_id} {region}")
        return super().secret_version(secret, account_id=account_id, region=region, role_arn=role_arn)

    def secret_value(self, secret: str, key: str, *, version: str, account_id: str, region: str, role_arn: str | None = None) -> str:
        self.asked.append(f"value of {version} {account_id} {region}")
        if self.raises is not None:
            raise self.raises
        return super().secret_value(secret, key, version=version, account_id=account_id, region=region, role_arn=role_arn)


def test_a_secret_is_read_of_the_very_version_that_is_sent_and_the_version_is_asked_for_once() -> None:
    gateways = Secrets()
    found = inputs(PASSWORD, VERSION, gateways=gateways)
    assert gateways.asked == [f"version {ACCOUNT} us-east-1", f"value of v2 {ACCOUNT} us-east-1"]
    assert found.send == (ParameterValue(name="Password", value="correct horse", no_echo=True), ParameterValue(name="Version", value="v2"))
    assert [p.source for p in found.show] == ["secret demo/login", "version of secret demo/login"]
    assert found.secrets == ("correct horse",) and found.show[0].before is None and found.show[0].changed


@pytest.mark.parametrize(
    ("live", "read"),
    [
        ({"Password": REDACTED, "Version": "v2"}, False),
        ({"Password": REDACTED, "Version": "v1"}, True),
        ({"Password": REDACTED}, True),
        ({"Version": "v2"}, True),
    ],
)
def test_a_secret_is_read_only_if_its_version_is_another(live: dict[str, str], read: bool) -> None:
    gateways = Secrets()
    found = inputs(VERSION, PASSWORD, gateways=gateways, live=live)
    shown = {p.name: p for p in found.show}["Password"]
    assert bool(gateways.read) is read
    assert (shown.changed, shown.keeps_previous, shown.before) == (read, not read, Redacted() if "Password" in live else None)
    assert found.after["Password"] == secret_mark("Password", "new" if read else "current")


def test_without_its_version_beside_it_or_with_that_of_another_a_secret_is_always_read() -> None:
    live = {"Password": REDACTED, "Version": "v2"}
    for beside in ((), (Parameter(name="Version", source=SecretVersionRef(secret="demo/other")),)):
        gateways = Secrets()
        gateways.secrets["demo/other"] = ("v2", {})
        inputs(PASSWORD, *beside, gateways=gateways, live=live)
        assert gateways.read == ["demo/login"]


def test_read_only_reads_no_secret_and_says_that_it_changes() -> None:
    gateways = Secrets()
    found = inputs(PASSWORD, VERSION, gateways=gateways, live={"Password": REDACTED, "Version": "v1"}, read_only=True)
    assert gateways.read == [] and found.send[0] == ParameterValue(name="Password", value=None, no_echo=True)
    assert (found.show[0].changed, found.secrets) == (True, ())


def test_a_secret_that_there_is_not_is_told_once() -> None:
    gateways = Secrets()
    gateways.secrets = {}
    found = inputs(PASSWORD, VERSION, gateways=gateways)
    assert errors(found) == [("secret_missing", "python deploy.py set-password --env test")] and found.send == ()


def test_a_secret_without_the_key_is_a_finding_and_one_that_vanished_is_planned_again() -> None:
    found = inputs(PASSWORD, gateways=Secrets(raises=NotFound("no key password")))
    assert errors(found) == [("secret_missing", "python deploy.py set-password --env test")] and found.send == ()
    with pytest.raises(NotFound):
        inputs(PASSWORD, gateways=Secrets(raises=NotFound("can't find", code="ResourceNotFoundException")))


def test_a_secret_is_in_no_representation_of_the_inputs() -> None:
    assert "s3cret" not in repr(Inputs(secrets=("s3cret",)))
