"""Three environments in three accounts over HTTP with IAM enforced: the administrator's first deployment, then the deploy role's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aws.session import Aws
from local_aws import prepare
from local_aws.server import LocalAws
from tests.environments_fixture import ENVIRONMENTS, NAMES
from tests.functional import frontend
from tests.functional.accounts import Site, sites
from tests.functional.harness import CommandLine, answer
from tests.functional.wire import Wire

pytestmark = [pytest.mark.functional, pytest.mark.xdist_group("accounts")]

STACKS = {
    "dev": ["foundation", "certificate", "edge-logs", "edge", "site", "dns", "monitoring"],
    "sit": ["foundation", "certificate", "edge-logs", "edge", "site", "dns", "monitoring"],
    "prod": ["foundation", "certificate", "firewall", "site", "dns", "monitoring"],
}
HOME = {"dev": "eu-west-1", "sit": "eu-west-1", "prod": "af-south-1"}


@pytest.fixture
def root(guarded_aws: LocalAws) -> Aws:
    """Clients for any account, as its root."""
    return Aws(endpoint_url=guarded_aws.endpoint_url, static_credentials=guarded_aws.credentials)


@pytest.fixture(scope="module")
def three(guarded_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Site]:
    """All environments, built for three accounts that nobody else uses."""
    accounts = {name: f"20000000000{number}" for number, name in enumerate(NAMES)}
    return sites(guarded_aws, tmp_path_factory.mktemp("three"), accounts)


def stacks_of(root: Aws, site: Site) -> dict[str, str]:
    """Every stack of the account but those of StackSet instances, with its status."""
    found = {}
    for region in (HOME[site.environment], "us-east-1"):
        client = root.client("cloudformation", account_id=site.account, region=region)
        for stack in client.describe_stacks()["Stacks"]:
            if not stack["StackName"].startswith("StackSet-"):
                found[stack["StackName"].removeprefix(f"kimmyai-web-{site.environment}-")] = stack["StackStatus"]
    return found


def left(root: Aws, site: Site) -> list[str]:
    """Change sets that nobody has executed."""
    found = []
    for region in (HOME[site.environment], "us-east-1"):
        client = root.client("cloudformation", account_id=site.account, region=region)
        for stack in client.describe_stacks()["Stacks"]:
            summaries = client.list_change_sets(StackName=stack["StackName"])["Summaries"]
            found += [s["ChangeSetId"] for s in summaries if s["ExecutionStatus"] != "EXECUTE_COMPLETE"]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_administrator_deploys_and_the_deploy_role_carries_on(three: dict[str, Site], root: Aws, name: str) -> None:
    site = three[name]
    administrator = site.administrator()

    first = site.plan(administrator)
    assert [s["stack"] for s in first["stacks"]] == STACKS[name]
    assert {s["operation"] for s in first["stacks"]} == {"create"}
    if name == "prod":
        refused = site.run(administrator, "apply", "--yes")
        assert refused.code == 2 and "prod is protected" in refused.stderr, refused
    applied = site.apply(administrator)
    assert applied.code == 0, applied
    assert set(stacks_of(root, site).values()) == {"CREATE_COMPLETE"}
    assert set(stacks_of(root, site)) == {s for s in STACKS[name] if s != "edge-logs"}
    sets = root.client("cloudformation", account_id=site.account, region="us-east-1").list_stack_sets()["Summaries"]
    assert [s["StackSetName"] for s in sets] == (["kimmyai-web-" + name + "-edge-logs"] if name != "prod" else [])

    role = site.deploy_role()
    again = site.plan(role)
    assert {s["operation"] for s in again["stacks"]} == {"none"}
    assert f"assumed-role/kimmyai-web-{name}-deploy/" in again["created_by"]
    assert left(root, site) == []

    site.edit("price_class: PriceClass_", "price_class: PriceClass_200 # was ")
    update = site.plan(role)
    assert {s["stack"]: s["operation"] for s in update["stacks"]}["site"] == "update"
    assert {s["stack"]: s["operation"] for s in update["stacks"]}["foundation"] == "none"
    done = site.apply(role)
    assert done.code == 0, done
    assert stacks_of(root, site)["site"] == "UPDATE_COMPLETE"
    last = site.run(role, "plan")
    assert (last.code, left(root, site)) == (0, []), last


def test_nothing_of_an_environment_is_in_another_ones_account(three: dict[str, Site], root: Aws) -> None:
    for name, site in three.items():
        client = root.client("cloudformation", account_id=site.account, region="us-east-1")
        names = {s["StackName"] for s in client.describe_stacks()["Stacks"]}
        assert names and all(f"kimmyai-web-{name}-" in stack for stack in names)


def done(site: Site, line: CommandLine, *words: str) -> str:
    """What it prints; it ends well, and nobody was refused anything on the way."""
    ended = site.run(line, *words)
    assert ended.code == 0 and "AccessDenied" not in ended.stdout + ended.stderr, ended
    return ended.stdout


def test_the_deploy_role_looks_at_the_replica_promotes_it_publishes_there_and_goes_back(three: dict[str, Site], tmp_path: Path) -> None:
    site = three["dev"]
    path = site.environments / "dev.yaml"
    bucket = f"dev-kimmyai-web-public-{site.account}-replica"
    path.write_text(f"{path.read_text()}disaster_recovery: {{region: eu-west-2, bucket: {bucket}}}\n")
    site.build()
    site.plan(site.administrator())
    applied = site.apply(site.administrator())
    assert applied.code == 0, applied

    role, app = site.deploy_role(), frontend.built(tmp_path / "app")
    done(site, role, "publish", "--content", str(app), "--yes")
    states = answer(done(site, role, "dr", "status", "--json"))["health"]
    assert states and not [each for each in states.values() if each.startswith("not known")], states
    done(site, role, "dr", "backfill")
    done(site, role, "dr", "rehearse", "--end")
    done(site, role, "dr", "promote", "--planned", "--yes")
    frontend.rebuilt(app, "published while promoted")
    done(site, role, "publish", "--content", str(app), "--yes")
    done(site, role, "dr", "failback", "--yes")
    assert answer(done(site, role, "dr", "status", "--json"))["phase"] == "home"


def test_the_credentials_of_another_account_change_nothing(
    guarded_wire: Wire, guarded_aws: LocalAws, root: Aws, new_account: Callable[[], str], tmp_path: Path
) -> None:
    site = sites(guarded_aws, tmp_path, {"dev": new_account()})["dev"]
    stranger = CommandLine(home=tmp_path, endpoint_url=guarded_wire.url, account_id=new_account())

    refused = site.run(stranger, "plan")

    assert refused.code == 1, refused
    assert f"the credentials are those of arn:aws:iam::{stranger.account_id}:root, which may not take on the role" in refused.stderr
    assert "  next: aws sts get-caller-identity" in refused.stderr
    assert refused.stdout == ""
    assert {call.service for call in guarded_wire.calls} == {"sts"}
    assert stacks_of(root, site) == {}


def test_placeholders_are_refused_before_aws_is_asked_anything(guarded_wire: Wire, tmp_path: Path) -> None:
    line = CommandLine(home=tmp_path, endpoint_url=guarded_wire.url, account_id="111111111111")
    assert line.build("--env", "dev", "--out", str(tmp_path / "dist")).code == 0

    for verb in ("plan", "apply", "status", "destroy", "drift"):
        refused = line.deploy(verb, "--env", "dev", "--dist", str(tmp_path / "dist"))
        assert refused.code == 2, refused
        assert "account_id is still the placeholder '111111111111'" in refused.stderr
        assert "ORGANISATION/REPOSITORY" in refused.stderr
        assert (
            "hosted_zone is still the placeholder 'kimmyai.io': other environments want a zone of this name in another account"
            in refused.stderr
        )
        assert "--local" in refused.stderr
    assert guarded_wire.calls == []
    assert (ENVIRONMENTS / "dev.yaml").read_text().count("111111111111") == 1


def trust(account: str) -> str:
    principal = {"AWS": f"arn:aws:iam::{account}:root"}
    return json.dumps({"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]})


def zone_role(root: Aws, zone_account: str, deployer: str) -> None:
    """What the owner of the zone grants: the one stack, and the records of the one zone."""
    iam: Any = root.client("iam", account_id=zone_account, region="us-east-1")
    iam.create_role(RoleName="zone-records", AssumeRolePolicyDocument=trust(deployer))
    statements = [
        {
            "Effect": "Allow",
            "Action": [
                "cloudformation:*ChangeSet*",
                "cloudformation:Describe*",
                "cloudformation:Get*",
                "cloudformation:DeleteStack",
                "cloudformation:TagResource",
            ],
            "Resource": "arn:aws:cloudformation:us-east-1:*:stack/kimmyai-web-dev-dns/*",
        },
        {"Effect": "Allow", "Action": ["route53:ListHostedZonesByName", "route53:GetChange"], "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets", "route53:GetHostedZone"],
            "Resource": "arn:aws:route53:::hostedzone/*",
        },
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName="zone-records", PolicyName="records", PolicyDocument=policy)


def test_a_zone_in_another_account_is_reached_with_its_own_role(
    guarded_wire: Wire, guarded_aws: LocalAws, root: Aws, new_account: Callable[[], str], tmp_path: Path
) -> None:
    zone, account = new_account(), new_account()
    zone_role(root, zone, account)
    text = f'\nhosted_zone:\n  account_id: "{zone}"\n  role_arn: arn:aws:iam::{zone}:role/zone-records\n  records: weighted\n'
    site = sites(guarded_aws, tmp_path, {"dev": account}, dev=text)["dev"]
    zone_id = prepare.hosted_zone(root, name="kimmyai.io", account_id=zone)

    route53 = root.client("route53", account_id=zone, region="us-east-1")
    old = {"Name": "dev.kimmyai.io.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": old}]})

    first = site.plan(site.administrator(), "--replace-records")
    assert {s["stack"]: s["account_id"] for s in first["stacks"]}["dns"] == zone
    applied = site.apply(site.administrator())
    assert applied.code == 0, applied
    assert "validation record _" in applied.stderr and f"written in zone kimmyai.io of account {zone}" in applied.stderr

    assert "set aside the record dev.kimmyai.io A" in applied.stderr and "which stood beside" in applied.stderr
    records = route53.list_resource_record_sets(HostedZoneId=zone_id)
    assert {r.get("Weight") for r in records["ResourceRecordSets"] if r["Name"] == "dev.kimmyai.io." and r["Type"] == "A"} == {1}
    kinds = {(r["Name"], r["Type"]) for r in records["ResourceRecordSets"]}
    assert {("dev.kimmyai.io.", "A"), ("dev.kimmyai.io.", "AAAA"), ("dev.kimmyai.io.", "HTTPS")} <= kinds
    assert any(kind == "CNAME" for _, kind in kinds)

    role = site.deploy_role(guarded_wire.url)
    again = site.run(role, "plan")
    assert again.code == 0, again
    assert "AssumeRole" in guarded_wire.operations("sts")
    status = site.run(role, "status")
    assert status.code == 0, status
