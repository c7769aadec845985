"""Real edits of an environment file, and the plan of each against an environment that stands: no process, no network.

In: an edit of the table. Out: its `Plan`, made by the real planner against a simulated CloudFormation.
Never: shares anything that an edit changes; each plan begins from its own copy of the environment.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from environments.model import Environment
from planning.model import Options, Plan, StackPlan, StackSetPlan
from planning.plan import make_plan
from planning.request import Request
from rollout import history
from rollout.orphaned_stacks import OrphanedStacks, find
from stacks.synthesis import Synthesis, synthesise
from templates.schemas import bundled
from tests import edits
from tests.environments_fixture import FAILOVER
from tests.simulated import ACCOUNT, Simulated, Targeted
from tests.simulated_provisioning import Made, Provisioned, ProvisionedGateways
from tests.unit.rollout.test_history import Bucket, record

SCHEMAS = bundled()
REGIONS = ("us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "ap-south-1")
RECOVERY = {"region": "eu-west-2", "bucket": f"site-{ACCOUNT}-replica"}
SECOND = {"disaster_recovery": RECOVERY}
STANDBY = {"failover": FAILOVER["failover"]}
PROTECTED = {"protection.termination_protection": True, "protection.stack_policy": True}
CERTIFICATE = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/0a1b2c3d-1111-2222-3333-444455556666"
ABSENT = None

Edit = tuple[Mapping[str, Any], Mapping[str, Any]]
"""What the environment is like before beside `edits.base`, and what is edited; keys are dotted."""

PASSWORD = "(password)"

WEIGHTED = {"hosted_zone.records": "weighted"}
EDITS: Mapping[str, Edit] = {
    "nothing": ({}, {}),
    "price_class": ({}, {"price_class": "PriceClass_200"}),
    "header": ({}, {"security_headers.permissions_policy": "camera=()"}),
    "header_added": ({}, {"headers": {"Cross-Origin-Opener-Policy": "same-origin"}}),
    "header_removed": ({"headers": {"Cross-Origin-Opener-Policy": "same-origin", "X-Team": "web"}}, {"headers": {"X-Team": "web"}}),
    "content_security_policy": ({}, {"security_headers.content_security_policy": {"connect-src": ["https://api.example.org"]}}),
    "frame_options": ({}, {"security_headers.frame_options": "SAMEORIGIN"}),
    "referrer_policy": ({}, {"security_headers.referrer_policy": "no-referrer"}),
    "hsts_preload": ({}, {"security_headers.hsts.preload": True}),
    "hsts_max_age": ({}, {"security_headers.hsts.max_age_seconds": 31_536_000}),
    "indexing": ({}, {"security_headers.allow_indexing": True}),
    "realm": ({}, {"basic_auth.realm": "Staff"}),
    "username": ({}, {"basic_auth.username": "guest"}),
    "password": ({}, {PASSWORD: "second"}),
    "basic_auth_off": ({}, {"basic_auth.enabled": False}),
    "basic_auth_on": ({"basic_auth.enabled": False}, {"basic_auth.enabled": True}),
    "log_level": ({}, {"basic_auth.log_level": "DEBUG"}),
    "log_retention": ({}, {"basic_auth.log_retention_days": 90}),
    "region_list_longer": ({}, {"basic_auth.log_regions": ["us-east-1", "eu-west-1", "us-west-2"]}),
    "region_list_shorter": ({"basic_auth.log_regions": ["us-east-1", "eu-west-1"]}, {"basic_auth.log_regions": ["us-east-1"]}),
    "entry_path": ({}, {"app.entry_path": "/shop"}),
    "entry_path_root": ({}, {"app.entry_path": "/"}),
    "index_document": ({}, {"app.index_document": "/buy/index.html"}),
    "health_path": ({}, {"app.health_path": "/up"}),
    "config_json": ({}, {"app.config_json": {"api": "https://api.kimmyai.io"}}),
    "hashed_paths": ({}, {"publishing.hashed_paths": ["assets/*", "static/*"]}),
    "hashed_paths_replaced": ({}, {"publishing.hashed_paths": ["/buy/assets/*"]}),
    "cache_rules": ({}, {"publishing.cache_rules": [{"pattern": "*", "cache_control": "max-age=60"}]}),
    "release_grace": ({}, {"publishing.release_grace_days": 30}),
    "release_keep": ({}, {"publishing.release_keep": 10}),
    "promote_from": ({}, {"publishing.promote_from": "sit"}),
    "threshold_4xx": ({}, {"monitoring.error_rate_4xx_percent": 40.0}),
    "threshold_4xx_off": ({"basic_auth.enabled": False}, {"monitoring.error_rate_4xx_percent": ABSENT}),
    "threshold_5xx": ({}, {"monitoring.error_rate_5xx_percent": 5.0}),
    "threshold_latency": ({}, {"monitoring.origin_latency_ms": 2000}),
    "threshold_edge_errors": ({}, {"monitoring.edge_errors": 10}),
    "certificate_days_left": ({}, {"monitoring.certificate_days_left": 20}),
    "access_log_retention": ({}, {"monitoring.access_log_retention_days": 30}),
    "alarm_email_off": ({"monitoring.alarm_email": "ops@example.com"}, {"monitoring.alarm_email": ABSENT}),
    "alarm_email": ({}, {"monitoring.alarm_email": "ops@example.com"}),
    "alarm_email_changed": ({"monitoring.alarm_email": "ops@example.com"}, {"monitoring.alarm_email": "night@example.com"}),
    "tags": ({}, {"tags": {"Team": "web"}}),
    "cost_centre": ({}, {"cost_centre": "ops"}),
    "protection": ({}, {"protection.termination_protection": True, "protection.stack_policy": True}),
    "protection_off": (PROTECTED, {"protection": {}}),
    "approvals": ({}, {"protection.approvals": 2}),
    "approvals_off": ({"protection.approvals": 2, "protection.change_approval": True}, {"protection": {}}),
    "redirects": ({}, {"redirects": [{"path": "/old", "to": "/buy"}]}),
    "redirect_hosts_renamed": ({"redirect_hosts": ["www.kimmyai.io"]}, {"redirect_hosts": ["web.kimmyai.io"]}),
    "file_extensions": ({}, {"routing.file_extensions": ["html", "js", "css", "obj"]}),
    "records_weighted": ({}, {"hosted_zone.records": "weighted"}),
    "records_weighted_off": (WEIGHTED, {"hosted_zone.records": "managed"}),
    "failover_weighted": (WEIGHTED, STANDBY),
    "failover_weighted_off": (WEIGHTED | STANDBY, {"failover": ABSENT}),
    "records_unmanaged": ({}, {"hosted_zone.records": "unmanaged"}),
    "certificate_of_others": ({}, {"certificate.arn": CERTIFICATE}),
    "identity_before_private": ({}, {"adopt": {"origin_access_identity": "E1ABCDEF2GHIJ"}}),
    "failover_off": (STANDBY, {"failover": ABSENT}),
    "failover": ({}, STANDBY),
    "failover_elsewhere": (STANDBY, {"failover.dns_name": "dualstack.other-1234567890.eu-west-1.elb.amazonaws.com"}),
    "disaster_recovery": ({}, SECOND),
    "disaster_recovery_bucket": (SECOND, {"disaster_recovery.bucket": f"site-{ACCOUNT}-second"}),
    "disaster_recovery_off": (SECOND, {"disaster_recovery": ABSENT}),
    "disaster_recovery_region": (SECOND, {"disaster_recovery": {"region": "us-west-2", "bucket": f"site-{ACCOUNT}-replica-two"}}),
    "firewall": ({}, {"firewall": {}}),
    "firewall_off": ({"firewall": {}}, {"firewall": ABSENT}),
    "firewall_counts": ({"firewall": {"rate": "block", "core_rules": "block"}}, {"firewall": {"core_rules": "off"}}),
    "firewall_lets_more_through": ({"firewall": {"rate": "block", "rate_limit": 100}}, {"firewall.rate_window_seconds": 60}),
    "firewall_logs_off": ({"firewall": {"logs": "bucket"}}, {"firewall.logs": "none"}),
    "firewall_blocks": ({"firewall": {}}, {"firewall.rate": "block", "firewall.rate_limit": 100}),
    "bucket": ({}, {"bucket": f"site-{ACCOUNT}-two"}),
    "domain": ({}, {"domain": "dev2.kimmyai.io"}),
    "certificate_names": ({}, {"certificate.subject_alternative_names": ["*.kimmyai.io", "dev.kimmyai.io"]}),
    "home_region": ({}, {"home_region": "eu-central-1"}),
    "project": ({}, {"project": "other-web", PASSWORD: "first"}),
    "lock_table": ({}, {"artifacts.lock_table": "locks-two"}),
    "artifact_bucket": ({}, {"artifacts.bucket": f"bbws-two-{ACCOUNT}"}),
    "artifact_retention": ({}, {"artifacts.retention_days": 90}),
    "repository": ({}, {"github.repository": "example/site"}),
    "repository_off": ({"github.repository": "example/site"}, {"github.repository": ABSENT}),
    "provider_off": ({"github.repository": "example/site"}, {"github.create_provider": False}),
    "github_environment": ({}, {"github.environment": "staging"}),
    "several": ({}, {"price_class": "PriceClass_All", "app.health_path": "/up", "monitoring.error_rate_5xx_percent": 2.0}),
}


def built(keys: Mapping[str, Any]) -> Synthesis:
    """The assembly of `edits.base` with these keys."""
    values = edits.base(ACCOUNT)
    for key, value in keys.items():
        if key != PASSWORD:
            values = edits.edited(values, tuple(key.split(".")), value, ACCOUNT)
    environment = edits.described(values)
    assert isinstance(environment, Environment), environment
    return synthesise(environment)


def plan_of_edit(name: str, *, no_values: bool = False) -> Plan:
    """The plan of an edit; `no_values`: CloudFormation gives no property values, as the local AWS and older answers do."""
    before, edit = EDITS[name]
    gateways = _copy_for(name)
    gateways.faults.no_values = no_values
    return _plan(built({**before, **edit}), gateways, "edit", built(before))


Resources = Mapping[tuple[str, str], Mapping[str, Made]]
"""By region and name of the stack, then by logical id."""


def executed(name: str) -> tuple[Plan, Resources, Resources]:
    """The plan of an edit as a stand-in that lists everything has it, and the resources before and after its change sets ran."""
    before, edit = EDITS[name]
    gateways = _copy_for(name)
    gateways.faults.no_values = True
    made = built({**before, **edit})
    plan = _plan(made, gateways, "edit", built(before))
    first = _resources(gateways)
    _execute(plan, made, gateways)
    return plan, first, _resources(gateways)


def _resources(gateways: ProvisionedGateways) -> Resources:
    return {
        (region, stack): dict(found)
        for (_, region), place in gateways.places.items()
        if isinstance(place, Provisioned)
        for stack, found in place.resources.items()
    }


def _copy_for(name: str) -> ProvisionedGateways:
    before, edit = EDITS[name]
    gateways = copy.deepcopy(_standing(json.dumps(before)), {id(SCHEMAS): SCHEMAS})
    if PASSWORD in edit:
        gateways.secrets = _secrets(str(edit[PASSWORD]))
    return gateways


@cache
def _standing(before: str) -> ProvisionedGateways:
    """An environment as it stands once everything is applied."""
    made = built(json.loads(before))
    gateways = ProvisionedGateways(schemas=SCHEMAS, zones={"kimmyai.io": "Z0123456789ABCDEFGHIJ"}, secrets=_secrets("first"))
    gateways.targets = Targeted(regions=REGIONS, opt_in=frozenset())
    for turn in range(8):
        plan = _plan(made, gateways, str(turn))
        assert not plan.blocked, [f.message for f in plan.all_findings]
        if not plan.has_changes:
            return gateways
        _execute(plan, made, gateways)
    raise AssertionError(f"the environment {before} never settles")


def _secrets(version: str) -> dict[str, tuple[str, dict[str, str]]]:
    return {
        f"{project}/dev/basic-auth": (version, {"username": "admin", "password_hash": f"hash-of-{version}"})
        for project in ("kimmyai-web", "other-web")
    }


def _plan(made: Synthesis, gateways: ProvisionedGateways, nonce: str, before: Synthesis | None = None) -> Plan:
    seen = OrphanedStacks() if before is None else find(lambda: _history(before), made.assembly, made.templates, gateways)
    request = Request(
        assembly=made.assembly,
        templates=made.templates,
        options=Options(),
        created_at="2026-11-22T10:00:00Z",
        created_by=f"arn:aws:iam::{ACCOUNT}:user/somebody",
        nonce=nonce,
        look=lambda: seen.findings,
        removals=lambda: seen.removals,
        leaving=lambda: seen.leaving,
        last=lambda: seen.last,
    )
    return make_plan(request, gateways, SCHEMAS, workers=1)


def _history(before: Synthesis) -> Bucket:
    """As an apply leaves it."""
    bucket, assembly = Bucket(), before.assembly
    history.keep(bucket, assembly.artifact_bucket, assembly, before.templates)
    last = msgspec.structs.replace(record(environment=assembly.environment), assembly_digest=assembly.digest)
    history.save(bucket, assembly.artifact_bucket, last)
    return bucket


def _execute(plan: Plan, made: Synthesis, gateways: ProvisionedGateways) -> None:
    """What can be executed of it; what is previewed comes with the next plan."""
    for stack in plan.stacks:
        place = gateways.at(stack.region)
        if isinstance(stack, StackPlan) and stack.change_set is not None:
            place.execute_change_set(ChangeSetName=stack.change_set.arn, StackName=stack.change_set.stack_arn)
            wanted = next(s for s in made.assembly.stacks if s.id == stack.stack)
            place.stacks[stack.stack_name] |= {"EnableTerminationProtection": wanted.termination_protection, "_policy": wanted.stack_policy}
        elif isinstance(stack, StackSetPlan) and stack.operation in ("create", "update"):
            _make_set(stack, made, place)


def _make_set(plan: StackSetPlan, made: Synthesis, place: Simulated) -> None:
    stack = next(s for s in made.assembly.stacks if s.id == plan.stack)
    assert stack.stackset is not None
    place.sets[stack.stack_name] = {
        "set": {
            "StackSetName": stack.stack_name,
            "StackSetId": f"{stack.stack_name}:1",
            "Status": "ACTIVE",
            "Description": stack.description,
            "TemplateBody": made.templates[stack.id].decode(),
            "Capabilities": list(stack.capabilities),
            "Tags": [{"Key": k, "Value": v} for k, v in stack.tags.items()],
            "AdministrationRoleARN": f"arn:aws:iam::{ACCOUNT}:role/{stack.stackset.administration_role_name}",
            "ExecutionRoleName": stack.stackset.execution_role_name,
            "PermissionModel": stack.stackset.permission_model,
        },
        "instances": [{"Account": i.account_id, "Region": i.region, "Status": "CURRENT"} for i in plan.instances],
    }
