"""What stands in the account before an environment is made, and what it leaves behind: plan says what follows, and apply gets there."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from aws.errors import NotFound
from aws.route53 import Record, Route53
from aws.session import Aws
from local_aws import prepare
from tests.environments_fixture import ENVIRONMENTS
from tests.functional.accounts import own_zone
from tests.functional.distributions import certified, distribution_config
from tests.functional.frontend import built
from tests.functional.harness import TIMEOUT, CommandLine, Ended, answer
from tests.functional.wire import Wire

pytestmark = pytest.mark.functional

DOMAIN = "dev.kimmyai.io"
HOME = "eu-west-1"
EDGE = "us-east-1"


@dataclass(frozen=True, kw_only=True)
class Site:
    """The environment dev of the repository in an account of its own."""

    line: CommandLine
    aws: Aws
    account: str
    environments: Path
    dist: Path

    def client(self, service: str, region: str = EDGE) -> Any:
        return self.aws.client(service, account_id=self.account, region=region)

    def __call__(self, verb: str, *more: str) -> Ended:
        return self.line.deploy(verb, "--env", "dev", "--dist", str(self.dist), *more)

    def edit(self, old: str, new: str, file: str = "dev.yaml") -> None:
        path = self.environments / file
        text = path.read_text()
        assert old in text, text
        path.write_text(text.replace(old, new))

    def write(self, text: str) -> None:
        """Add to the environment's file, and build."""
        path = self.environments / "dev.yaml"
        path.write_text(f"{path.read_text()}{text}\n")
        self.build()

    def build(self) -> None:
        built = self.line.build("--env", "dev", "--environments", str(self.environments), "--out", str(self.dist))
        assert built.code == 0, built

    def found(self, *more: str) -> dict[str, list[dict[str, Any]]]:
        """Findings of a plan by code."""
        planned = self("plan", "--json", *more)
        found: dict[str, list[dict[str, Any]]] = {}
        document = answer(planned.stdout)["plan"]
        for each in [*document["findings"], *(f for s in document["stacks"] for f in s["findings"])]:
            found.setdefault(each["code"], []).append(each)
        return found

    def applied(self, *more: str) -> Ended:
        planned = self("plan", *more)
        assert planned.code == 3, planned
        ended = self("apply", "--yes")
        assert ended.code == 0, ended
        return ended

    def objects(self) -> dict[str, str]:
        """What the site's bucket holds."""
        listed = self.client("s3", HOME).list_objects_v2(Bucket=f"dev-kimmyai-web-public-{self.account}")
        return {each["Key"]: each["ETag"] for each in listed.get("Contents", [])}

    def delete_by_hand(self, stack: str, region: str) -> None:
        """As somebody at the console would."""
        name = f"kimmyai-web-dev-{stack}"
        formation = self.client("cloudformation", region)
        formation.update_termination_protection(StackName=name, EnableTerminationProtection=False)
        arn = formation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        formation.delete_stack(StackName=name)
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            status = formation.describe_stacks(StackName=arn)["Stacks"][0]["StackStatus"]
            if status == "DELETE_COMPLETE":
                return
            assert status == "DELETE_IN_PROGRESS", formation.describe_stack_events(StackName=arn)["StackEvents"][:6]
            time.sleep(0.05)
        raise AssertionError(f"{name} was not deleted")


@pytest.fixture
def site(command_line: CommandLine, account: str, tmp_path: Path, aws: Aws) -> Site:
    copy = tmp_path / "environments"
    shutil.copytree(ENVIRONMENTS, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for file in copy.glob("*.yaml"):
        text = file.read_text().replace("1" * 12, account).replace("ORGANISATION/REPOSITORY", "acme/web")
        text = re.sub(r"(bucket: \S+)", rf"\1-{account}", text)
        file.write_text(text + (own_zone(DOMAIN) if file.stem == "dev" else ""))
    made = Site(line=command_line, aws=aws, account=account, environments=copy, dist=tmp_path / "dist")
    made.build()
    prepare.hosted_zone(aws, name=DOMAIN, account_id=account)
    assert made("set-password", "--generate").code == 0
    return made


def test_the_provider_of_github_stands_already(site: Site) -> None:
    iam = site.client("iam")
    iam.create_open_id_connect_provider(Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"])
    (found,) = site.found()["stands_already"]
    assert "github.create_provider: false" in found["command"]
    assert "environments/dev.yaml" in found["command"]
    site.write("github: {create_provider: false}")
    site.applied()


def test_a_bucket_name_of_somebody_else_is_refused_before_anything_is_made(site: Site, new_account: Any) -> None:
    name = f"dev-kimmyai-web-public-{site.account}"
    site.aws.client("s3", account_id=new_account(), region=EDGE).create_bucket(Bucket=name)
    (found,) = [f for f in site.found()["stands_already"] if f["stack"] == "site"]
    assert f"the bucket name {name} is taken by another account" in found["message"]
    assert "environments/dev.yaml" in found["command"]


# --- destroyed, and made again ------------------------------------------------------------------------------------


def published(site: Site, tmp_path: Path) -> dict[str, str]:
    """Apply, publish; what the site's bucket holds: key to ETag."""
    site.applied()
    done = site("publish", "--content", str(built(tmp_path / "front")), "--yes")
    assert done.code == 0, done
    return site.objects()


def test_destroy_then_apply_brings_the_environment_back_with_content_releases_and_history(site: Site, tmp_path: Path) -> None:
    before = published(site, tmp_path)
    assert site("plan").code == 0
    saved = site.dist / "dev" / "plan.json"
    assert saved.exists()
    gone = site("destroy", "--approve", "dev")
    assert gone.code == 0, gone
    assert not saved.exists(), "a plan that was saved before is about stacks that are gone"

    again = site("plan")
    assert again.code == 3, again.stdout
    told = " ".join(again.stdout.split())
    assert re.search(rf"dev-kimmyai-web-public-{site.account} is there already \([^)]*\): it is taken over", told), again
    provider = f"arn:aws:iam::{site.account}:oidc-provider/token.actions.githubusercontent.com"
    for kept in (f"bbws-dev-web-artifacts-{site.account}", "bbws-web-locks-dev", provider):
        assert f"{kept} (kept by the deleted stack of this name)" in told, again
    back = site("apply", "--yes")
    assert back.code == 0, back
    assert site.objects() == before
    assert answer(site("releases", "--json").stdout), "what was published is known"
    assert site("history").stdout.count("succeeded") >= 2
    assert site("plan").code == 0
    assert site("drift").code == 0
    assert site("publish", "--content", str(built(tmp_path / "later")), "--yes").code == 0


def test_destroy_drops_the_saved_plan(site: Site) -> None:
    site.applied("--only", "foundation")
    assert site("plan").code == 3
    saved = site.dist / "dev" / "plan.json"
    assert saved.exists()
    assert site("destroy", "--approve", "dev").code == 0
    assert not saved.exists()


STACKS = {"monitoring": EDGE, "dns": EDGE, "site": HOME, "foundation": HOME}
"""And the region of each."""


def test_any_one_stack_that_was_deleted_by_hand_is_made_again_and_takes_over_what_it_kept(site: Site, tmp_path: Path) -> None:
    before = published(site, tmp_path)
    for stack, region in STACKS.items():
        site.delete_by_hand(stack, region)
        planned = site("plan")
        assert planned.code == 3, (stack, planned)
        applied = site("apply", "--yes")
        assert applied.code == 0, (stack, applied)
        assert site("plan").code == 0, stack
    assert site.objects() == before


def test_a_certificate_in_use_whose_stack_was_deleted_by_hand_is_let_go_and_taken_over_again(site: Site) -> None:
    """It has no name of its own: the deleted stack's events tell which it was, and the site never gets another one."""
    site.applied()
    before = certificates(site)
    with pytest.raises(AssertionError, match="DELETE_FAILED"):
        site.delete_by_hand("certificate", EDGE)
    refused = site("plan")
    assert refused.code == 1
    assert re.search(r"next: python deploy.py doctor --env dev .*--fix", refused.stdout), refused
    site("doctor", "--fix", "--yes")
    planned = site("plan")
    assert f">   Certificate  AWS::CertificateManager::Certificate  {before[0]}" in planned.stdout, planned
    # Planned once more, since the stack of the first plan has stood and gone since then: what was kept before it counts all the same.
    site.applied()
    assert site("plan").code == 0
    assert certificates(site) == before


def certificates(site: Site) -> list[str]:
    found = site.aws.client("acm", account_id=site.account, region=EDGE).list_certificates()
    return [each["CertificateArn"] for each in found["CertificateSummaryList"]]


def test_an_edge_function_whose_stack_was_deleted_by_hand_is_refused_with_a_way_that_ends_well(site: Site) -> None:
    site.applied()
    site.delete_by_hand("edge", EDGE)
    refused = site("plan")
    assert refused.code == 1
    assert re.search(r"next: python deploy.py destroy --env dev", refused.stdout), refused
    gone = site("destroy", "--approve", "dev")
    assert gone.code == 0, gone
    site.applied()
    assert site("plan").code == 0


CLASHES = {
    "foundation": ("iam", "GetRole", "kimmyai-web-dev-stackset-execution"),
    "edge": ("iam", "GetRole", "kimmyai-web-dev-edge"),
    "site": ("cloudfront", "ListOriginAccessControls", "kimmyai-web-dev-site"),
    "dns": ("route53", "ListResourceRecordSets", DOMAIN),
    "monitoring": ("sns", "GetTopicAttributes", "kimmyai-web-dev-alarms"),
}
"""A name of each stack's, and the look that would find it."""


@pytest.mark.parametrize("stack", CLASHES)
def test_after_a_first_creation_that_failed_apply_succeeds(site: Site, wire: Wire, stack: str) -> None:
    """Where AWS does not let plan look, CloudFormation finds out; then nothing is in the way of the next attempt."""
    service, operation, name = CLASHES[stack]
    zone = Route53.connect(site.aws, account_id=site.account)
    made, tag, zone_id = "", "", zone.find_public_zone(DOMAIN).id
    remove: Callable[[], Any] = {
        "iam": lambda: site.client("iam").delete_role(RoleName=name),
        "cloudfront": lambda: site.client("cloudfront").delete_origin_access_control(Id=made, IfMatch=tag),
        "route53": lambda: zone.change(zone_id, [("DELETE", r) for r in zone.record_sets(zone_id, name) if r["Type"] == "AAAA"]),
        "sns": lambda: site.client("sns").delete_topic(TopicArn=f"arn:aws:sns:{EDGE}:{site.account}:{name}"),
    }[service]
    if service == "iam":
        site.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
    elif service == "sns":
        site.client("sns").create_topic(Name=name)
    elif service == "route53":
        zone.upsert(zone_id, Record(name=name, type="AAAA", values=("2001:db8::1",), ttl=60))
    else:
        config = {"Name": name, "OriginAccessControlOriginType": "s3", "SigningBehavior": "always", "SigningProtocol": "sigv4"}
        answer = site.client("cloudfront").create_origin_access_control(OriginAccessControlConfig=config)
        made, tag = answer["OriginAccessControl"]["Id"], answer["ETag"]
    blind = replace(site, line=replace(site.line, endpoint_url=wire.url))
    wire.on(service, operation, lambda exchange: exchange.error("AccessDenied", "not yours to see", 403), times=99)
    failed = blind("apply", "--yes")
    assert failed.code == 1, failed
    assert re.search(r"already exist|same name already", failed.stdout), failed
    assert re.search(r"next: python deploy.py (doctor|plan|apply)", failed.stdout), failed
    remove()
    mended = site("doctor", "--fix", "--yes")
    assert "python deploy.py" in mended.stdout + mended.stderr, mended
    site.applied()
    assert site("plan").code == 0


def test_after_destroy_with_data_the_plan_names_what_restores_the_secret_and_the_cycle_ends(site: Site) -> None:
    site.applied()
    gone = site("destroy", "--approve", "dev", "--delete-data")
    assert gone.code == 0, gone
    assert re.search(rf"_[0-9a-f]+\.{re.escape(DOMAIN)} \(AWS::Route53::RecordSet", gone.stdout), gone
    assert "ACM's proof of the domain" in gone.stdout
    assert re.search(rf"(?m)^kept _[0-9a-f]+\.{re.escape(DOMAIN)}$", gone.stdout), gone
    planned = site("plan")
    assert planned.code == 1
    assert "python deploy.py set-password --env dev" in planned.stdout, planned
    assert "marked for deletion" in " ".join(planned.stdout.split()), planned
    assert site("set-password", "--generate").code == 0
    site.applied()


def test_a_destroyed_environment_whose_creation_fails_again_can_be_removed(site: Site, tmp_path: Path) -> None:
    """The bucket of a creation that failed is of no deleted stack that says so: tags, releases and history are evidence too."""
    published(site, tmp_path)
    assert site("destroy", "--approve", "dev").code == 0
    # Another attempt in between, whose stacks kept nothing and say nothing.
    for arn in site.client("cloudformation", HOME).list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]:
        assert arn["StackStatus"] == "DELETE_COMPLETE"
    removed = site("destroy", "--approve", "dev", "--delete-data")
    assert removed.code == 0, removed
    with pytest.raises(NotFound):
        site.objects()


# --- names of others ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["A", "CNAME"])
def test_a_record_that_stands_is_refused_and_then_replaced_as_a_step_of_the_plan(site: Site, kind: str) -> None:
    values = ("192.0.2.7",) if kind == "A" else ("old.example.org",)
    zone = Route53.connect(site.aws, account_id=site.account)
    zone_id = zone.find_public_zone(DOMAIN).id
    name = DOMAIN if kind == "A" else f"buy.{DOMAIN}"
    if kind == "CNAME":
        site.edit(f"domain: {DOMAIN}", f"domain: {name}")
        site.build()
    zone.upsert(zone_id, Record(name=name, type=kind, values=values, ttl=60))
    found = [f for f in site.found()["stands_already"] if f["stack"] == "dns"]
    assert found
    (command,) = {f["command"] for f in found}
    assert command.startswith("python deploy.py plan --env dev ") and command.endswith(" --replace-records")
    assert values[0] in found[0]["message"]
    site.applied("--replace-records")
    records = {r.type: r for r in zone.records(zone_id, name)}
    assert records["A"].alias
    assert "CNAME" not in records
    assert site("plan").code == 0


def test_a_record_is_written_back_if_its_stack_fails(site: Site) -> None:
    zone = Route53.connect(site.aws, account_id=site.account)
    zone_id = zone.find_public_zone(DOMAIN).id
    zone.upsert(zone_id, Record(name=DOMAIN, type="A", values=("192.0.2.7",), ttl=60))
    assert site("plan", "--replace-records").code == 3
    # Somebody writes another one between the plan and its apply.
    zone.upsert(zone_id, Record(name=DOMAIN, type="AAAA", values=("2001:db8::1",), ttl=60))
    failed = site("apply", "--yes")
    assert failed.code == 1, failed
    records = {r.type: r.values for r in zone.records(zone_id, DOMAIN) if r.type in ("A", "AAAA")}
    assert records == {"A": ("192.0.2.7",), "AAAA": ("2001:db8::1",)}
    site("doctor", "--fix", "--yes")
    site.applied("--replace-records")


def test_the_domain_is_an_alias_of_another_distribution(site: Site) -> None:
    front = site.client("cloudfront")
    other = front.create_distribution(
        DistributionConfig=distribution_config("old", DOMAIN, ViewerCertificate=certified(site.client("acm"), DOMAIN))
    )["Distribution"]["Id"]
    (found,) = [f for f in site.found()["stands_already"] if f["stack"] == "site"]
    assert f"{DOMAIN} is an alias of the distribution {other} of this account" in found["message"]
    assert "docs/guides/moving-a-site.md" in found["command"]


def test_everything_in_the_way_is_told_at_once_and_doctor_tells_the_same(site: Site) -> None:
    iam = site.client("iam")
    iam.create_open_id_connect_provider(Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"])
    iam.create_role(RoleName="kimmyai-web-dev-edge", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
    site.client("s3", HOME).create_bucket(
        Bucket=f"dev-kimmyai-web-public-{site.account}", CreateBucketConfiguration={"LocationConstraint": HOME}
    )
    site.client("sns").create_topic(Name="kimmyai-web-dev-alarms")
    site.client("cloudfront").create_distribution(
        DistributionConfig=distribution_config("old", DOMAIN, ViewerCertificate=certified(site.client("acm"), DOMAIN))
    )
    zone = Route53.connect(site.aws, account_id=site.account)
    zone.upsert(zone.find_public_zone(DOMAIN).id, Record(name=DOMAIN, type="A", values=("192.0.2.7",), ttl=60))
    found = {(f["stack"], f["message"]) for f in site.found()["stands_already"]}
    assert {stack for stack, _ in found} == {"foundation", "edge", "site", "dns", "monitoring"}
    checks = answer(site("doctor", "--json").stdout)["report"]["checks"]
    assert {(c["stack"], c["message"]) for c in checks if c["code"] == "stands_already"} == found
    assert all(c["level"] == "problem" for c in checks if c["code"] == "stands_already")
