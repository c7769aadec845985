"""Doctor: every check in each of its answers, every stuck state with its fix, and fixes that refuse what was not shown."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assembly.model import Assembly, BasicAuthSecret, Placeholder
from aws.errors import AccessDenied, AwsError, CredentialsExpired, NotFound
from doctor.check import CheckContext
from doctor.checks.caa import amazon_may_issue, caa_of, caa_tag
from doctor.engine import AT_AWS_ONLY, CHANGES, examine
from doctor.fixes import carry_out
from doctor.text import NOTHING_CHECKED, fix_lines, report_lines
from doctor.values import CheckResult, Fix
from operations.public_dns import Caa, DnsError
from tests.golden_files import assert_golden
from tests.scripted import Scripted, ScriptedAws
from tests.simulated import ACCOUNT, Small, small_assembly, stackset

HASH = "$scrypt$ln=14,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
ARN = f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/demo-test-site/1"
SITE = {
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": "demo-site"}},
        "Distribution": {"Type": "AWS::CloudFront::Distribution", "Properties": {}},
        "Headers": {"Type": "AWS::CloudFront::ResponseHeadersPolicy", "Properties": {}},
    }
}


LOCKS = b'{"Resources": {"Locks": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "demo-locks"}}}}'


class Dns:
    """A public DNS that says what it is told; a name in `silent` is not answered."""

    def __init__(self, ns: dict[str, tuple[str, ...]], caa: dict[str, tuple[Caa, ...]] | None = None, silent: bool = False) -> None:
        self.ns, self.records, self.silent = ns, caa or {}, silent

    def name_servers(self, name: str) -> tuple[str, ...]:
        if self.silent:
            raise DnsError(f"NS of {name}: timed out")
        return self.ns.get(name, ())

    def caa(self, name: str) -> tuple[Caa, ...]:
        if self.silent:
            raise DnsError(f"CAA of {name}: timed out")
        return self.records.get(name, ())


def issue(value: str, tag: str = "issue", critical: bool = False) -> Caa:
    return Caa(critical=critical, tag=tag, value=value)


DELEGATED = Dns({"example.org": ("ns-1.example.net", "ns-2.example.net")})


def stack(status: str, **more: Any) -> dict[str, Any]:
    return {
        "Stacks": [{"StackName": "demo-test-site", "StackId": ARN, "StackStatus": status, "CreationTime": "2026-11-22T10:00:00Z", **more}]
    }


GONE = NotFound("Stack with id demo-test-site does not exist", code="ValidationError")


def resources(*found: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "StackResourceSummaries": [
            {"LogicalResourceId": i, "PhysicalResourceId": f"{i.lower()}-1", "ResourceType": t, "ResourceStatus": s} for i, t, s in found
        ]
    }


DISTRIBUTION = resources(("Distribution", "AWS::CloudFront::Distribution", "CREATE_COMPLETE"))


def healthy(**clients: Any) -> ScriptedAws:
    """An account in which all is well and the site is deployed."""
    well: dict[str, Any] = {
        "sts": Scripted(get_caller_identity={"Arn": f"arn:aws:iam::{ACCOUNT}:role/deploy"}),
        "account": Scripted(
            list_regions={"Regions": [{"RegionName": r, "RegionOptStatus": "ENABLED"} for r in ("eu-west-1", "us-east-1")]}
        ),
        "service-quotas": Scripted(get_service_quota={"Quota": {"Value": 20.0}}),
        "iam": Scripted(get_account_summary={"SummaryMap": {"GlobalEndpointTokenVersion": 2}}),
        "cloudfront": cloudfront(),
        "route53": Scripted(
            list_hosted_zones_by_name={"HostedZones": [{"Name": "example.org.", "Id": "/hostedzone/Z1"}], "IsTruncated": False},
            get_hosted_zone={"DelegationSet": {"NameServers": ["ns-2.example.net", "ns-1.example.net."]}},
        ),
        "secretsmanager": secret(f'{{"username": "admin", "password_hash": "{HASH}"}}'),
        "s3": Scripted(head_bucket={}, get_bucket_tagging={"TagSet": []}, list_objects_v2={"IsTruncated": False}),
        "dynamodb": Scripted(get_item={}),
        "cloudformation": formation(),
    }
    return ScriptedAws(well | clients)


def formation(**script: Any) -> Scripted:
    return Scripted(
        **{
            "describe_stacks": stack("CREATE_COMPLETE"),
            "list_change_sets": {"Summaries": []},
            "list_stack_resources": DISTRIBUTION,
            "describe_stack_events": {"StackEvents": []},
            "describe_stack_resources": GONE,
            "describe_account_limits": {"AccountLimits": [{"Name": "StackLimit", "Value": 2000}]},
            "list_stack_sets": {"Summaries": []},
            "list_stacks": {"StackSummaries": [{"StackName": "a", "StackStatus": "CREATE_COMPLETE"}]},
            **script,
        }
    )


def cloudfront(conflicts: tuple[tuple[str, str], ...] = (), aliases: dict[str, list[str]] | None = None, policies: int = 1) -> Scripted:
    found = {"distribution-1": ["example.org"]} if aliases is None else aliases

    def listed(items: list[dict[str, Any]]) -> dict[str, Any]:
        return {"Quantity": len(items), "Items": items}

    distributions = [{"Id": i, "DomainName": "d", "Status": "Deployed", "Aliases": {"Items": a}} for i, a in found.items()]
    return Scripted(
        list_distributions={"DistributionList": listed(distributions)},
        list_response_headers_policies={"ResponseHeadersPolicyList": listed([{}] * policies)},
        list_conflicting_aliases={"ConflictingAliasesList": listed([{"AccountId": a, "DistributionId": d} for a, d in conflicts])},
    )


def secret(text: str | None) -> Scripted:
    missing = NotFound("Secrets Manager can't find the specified secret.", code="ResourceNotFoundException")
    return Scripted(describe_secret={} if text is not None else missing, get_secret_value={"SecretString": text})


def assembly(**changes: Any) -> tuple[Assembly, dict[str, bytes]]:
    made, templates = small_assembly(Small(id="site", template=SITE))
    contract = msgspec.structs.replace(made.site, domain="example.org", certificate_names=("example.org", "*.example.org"))
    wanted = BasicAuthSecret(secret="demo/basic-auth", region="us-east-1", username="admin")
    return msgspec.structs.replace(made, **{"contract": contract, "basic_auth_secret": wanted, **changes}), templates


def context(aws: ScriptedAws, resolver: Any = DELEGATED, waiting: frozenset[str] = frozenset(), **changes: Any) -> CheckContext:
    made, templates = assembly(**changes)
    return CheckContext(assembly=made, templates={**templates, "base": LOCKS}, aws=aws, gateways=aws, resolver=resolver, waiting=waiting)  # type: ignore[arg-type]


def found(report: Any, code: str) -> list[CheckResult]:
    return [c for c in report.checks if c.code == code]


def only(report: Any, code: str) -> CheckResult:
    checks = found(report, code)
    assert len(checks) == 1, checks
    return checks[0]


# --- preconditions ------------------------------------------------------------------------------------------------


def test_an_environment_in_which_all_is_well_has_nothing_but_ok_golden() -> None:
    report = examine(context(healthy()))
    assert {c.level for c in report.checks} == {"ok"}
    assert (report.fixes, report.exit_status) == ((), 0)
    assert_golden("doctor/well.txt", "\n".join(report_lines(report)) + "\n")


def test_everything_that_can_be_wrong_is_told_with_what_to_type_golden() -> None:
    aws = healthy(
        account=Scripted(list_regions={"Regions": []}, get_region_opt_status={"RegionOptStatus": "DISABLED"}),
        iam=Scripted(get_account_summary={"SummaryMap": {}}),
        cloudfront=cloudfront(conflicts=(("******999999", "*******OTHER"),), policies=20),
        secretsmanager=secret('{"username": "somebody", "password_hash": "' + HASH + '"}'),
        s3=Scripted(head_bucket=AccessDenied("Forbidden", code="403"), list_objects_v2=AccessDenied("Forbidden", code="403")),
        dynamodb=Scripted(get_item=NotFound("Requested resource not found", code="ResourceNotFoundException")),
        cloudformation=formation(
            describe_stacks=stack("UPDATE_ROLLBACK_FAILED", StackStatusReason="The following resource(s) failed to update: [Bucket]."),
            list_stack_resources=resources(
                ("Bucket", "AWS::S3::Bucket", "UPDATE_FAILED"), ("Distribution", "AWS::CloudFront::Distribution", "UPDATE_COMPLETE")
            ),
            describe_account_limits={"AccountLimits": [{"Name": "StackLimit", "Value": 1}]},
        ),
    )
    resolver = Dns({"example.org": ("ns.elsewhere.net",)}, {"example.org": (issue("letsencrypt.org"), issue(";", "issuewild"))})
    report = examine(context(aws, resolver))
    assert report.exit_status == 1
    assert all(c.command for c in report.checks if c.level == "problem")
    assert_golden("doctor/ill.txt", "\n".join((*report_lines(report), "", *fix_lines(report.fixes))) + "\n")


def test_what_aws_refuses_to_tell_is_never_called_ok() -> None:
    denied = AccessDenied("User is not authorized", code="AccessDenied")
    aws = healthy(
        account=Scripted(list_regions=denied),
        iam=Scripted(get_account_summary=denied),
        cloudfront=denied,
        route53=Scripted(list_hosted_zones_by_name=denied),
        secretsmanager=Scripted(describe_secret=denied),
        dynamodb=Scripted(get_item=denied),
    )
    report = examine(context(aws, Dns({}, silent=True)))
    for code in ("regions", "sts_tokens", "quotas", "hosted_zone", "caa", "alias", "secret", "lock_table"):
        assert found(report, code), code
        refused = [c for c in found(report, code) if not c.message.startswith("CloudFormation stacks")]
        assert all(c.level == "unknown" for c in refused), refused
    assert len([c for c in found(report, "quotas") if c.level == "unknown"]) == 2, "each is asked for by itself"


def test_the_public_dns_that_does_not_answer_is_not_taken_for_a_missing_delegation() -> None:
    assert only(examine(context(healthy(), Dns({}, silent=True))), "delegation").level == "unknown"
    assert only(examine(context(healthy(), Dns({}))), "delegation").level == "problem"
    assert only(examine(context(healthy(), None)), "delegation").level == "unknown"


NO_ZONE = Scripted(list_hosted_zones_by_name={"HostedZones": [], "IsTruncated": False})
ELSEWHERE = Dns({"example.org": ("ns.prod.example.net",), "org": ("a0.org",)})


def test_a_zone_is_only_to_be_made_where_the_name_is_nobodys() -> None:
    def advice(resolver: Dns | None) -> CheckResult:
        return only(examine(context(healthy(route53=NO_ZONE), resolver)), "hosted_zone")

    assert advice(Dns({})).command.startswith("aws route53 create-hosted-zone")
    assert advice(None).command.startswith("aws route53 create-hosted-zone")
    taken = advice(ELSEWHERE)
    assert (taken.level, "elsewhere: ns.prod.example.net" in taken.message) == ("problem", True)
    assert taken.command.startswith("edit environments/test.yaml: hosted_zone.account_id and .role_arn")
    unsure = advice(Dns({}, silent=True))
    assert (unsure.level, unsure.command) == ("problem", "python deploy.py doctor --env test")


def test_a_name_that_leads_elsewhere_is_never_to_be_taken_from_there() -> None:
    for resolver in (ELSEWHERE, Dns({"example.org": ("ns-1.example.net", "ns.prod.example.net")})):
        check = only(examine(context(healthy(), resolver)), "delegation")
        assert check.level == "problem"
        assert "registrar" not in check.message + check.command
        assert "hosted_zone.name of a zone of its own below it" in check.command


def test_a_name_that_leads_nowhere_is_delegated_where_its_parent_lives() -> None:
    wanted = "delegate example.org to: ns-1.example.net ns-2.example.net"
    nowhere = only(examine(context(healthy(), Dns({"org": ("a0.org",)}))), "delegation")
    assert nowhere.command == f"in the zone org (at the registrar, if that is a top-level domain) {wanted}"
    partly = only(examine(context(healthy(), Dns({"example.org": ("ns-1.example.net",)}))), "delegation")
    assert (partly.level, partly.command.endswith(wanted)) == ("warning", True)


def test_a_new_account_may_have_to_be_verified_which_cloudfront_tells_only_in_the_end() -> None:
    fresh = only(examine(context(healthy(cloudfront=cloudfront(aliases={})))), "account_verified")
    assert (fresh.level, "Your account must be verified" in fresh.command) == ("unknown", True)
    assert only(examine(context(healthy())), "account_verified").level == "ok"


@pytest.mark.parametrize(("answer", "level"), [(1000.0, "ok"), (100.0, "ok"), (10.0, "warning"), (None, "unknown")])
def test_a_new_account_may_run_few_edge_functions_at_once(answer: float | None, level: str) -> None:
    quotas = Scripted(get_service_quota={"Quota": {"Value": answer}} if answer else AccessDenied("no", code="AccessDenied"))
    made, templates = assembly()
    edge = {**templates, "site": json.dumps({"Resources": {"F": {"Type": "AWS::Lambda::Function"}}}).encode()}
    aws: Any = healthy(**{"service-quotas": quotas})
    report = examine(CheckContext(assembly=made, templates=edge, aws=aws, gateways=aws, resolver=DELEGATED))
    check = found(report, "quotas")[0]
    assert check.level == level
    assert ("--quota-code L-B99A9384 --desired-value 1000 --region us-east-1" in check.command) is (level == "warning")


def test_advice_on_caa_forbids_nobody_what_is_allowed_today() -> None:
    assert caa_tag("*.example.org", (issue("letsencrypt.org"),)) == "issue"
    assert caa_tag("*.example.org", (issue("letsencrypt.org"), issue(";", "issuewild"))) == "issuewild"
    assert caa_tag("example.org", (issue(";", "issuewild"), issue(";"))) == "issue"


@given(
    name=st.sampled_from(["example.org", "*.example.org"]),
    records=st.lists(st.builds(issue, st.sampled_from([";", "letsencrypt.org"]), st.sampled_from(["issue", "issuewild"])), max_size=4),
)
def test_what_is_advised_on_caa_lets_amazon_issue(name: str, records: list[Caa]) -> None:
    if not amazon_may_issue(name, records):
        assert amazon_may_issue(name, [*records, issue("amazon.com", caa_tag(name, records))])


def test_credentials_that_have_run_out_are_the_problem_and_nothing_else_is_asked() -> None:
    aws = ScriptedAws({"sts": CredentialsExpired("Token has expired", hint="aws sso login --profile dev")})
    report = examine(context(aws))
    assert only(report, "credentials").level == "problem"
    assert only(report, "credentials").command == "aws sso login --profile dev"
    assert {c.code for c in report.checks} == {"placeholders", "credentials"}


def test_who_answers_in_the_place_of_aws_is_told_whoever_is_asking() -> None:
    aws = ScriptedAws({"sts": CredentialsExpired("Token has expired")}, elsewhere=("AWS_ENDPOINT_URL leads to http://127.0.0.1:4566",))
    told = examine(context(aws)).checks[0]
    assert (told.level, told.message) == ("warning", "this is not AWS itself: AWS_ENDPOINT_URL leads to http://127.0.0.1:4566")


@pytest.mark.parametrize(
    "refusal",
    [
        AwsError("1 validation error detected: Value 'x' failed to satisfy constraint", code="ValidationError"),
        AwsError("Could not connect to the endpoint URL", code="EndpointConnectionError"),
    ],
)
def test_where_nothing_could_be_checked_nothing_is_healthy(refusal: AwsError) -> None:
    report = examine(context(ScriptedAws({"sts": Scripted(get_caller_identity=refusal)})))
    assert {c.level for c in report.checks} == {"ok", "unknown"}, "nothing is a problem, and no placeholder is left"
    assert (report.exit_status, report.anything_checked) == (1, False)
    assert report_lines(report)[-1] == NOTHING_CHECKED


def test_an_account_that_answers_but_tells_nothing_is_not_healthy_either() -> None:
    denied = AccessDenied("User is not authorized", code="AccessDenied")
    throttled = AwsError("Rate exceeded", code="Throttling")
    services = ("account", "service-quotas", "iam", "cloudfront", "route53", "secretsmanager", "dynamodb", "cloudformation")
    aws = healthy(**dict.fromkeys(services, denied), s3=throttled)
    aws.clients[("sts", "eu-west-1")] = throttled
    report = examine(context(aws, Dns({}, silent=True)))
    assert only(report, "credentials").level == "ok"
    assert (report.exit_status, report.anything_checked) == (1, False), report.checks


def test_one_answer_among_many_refusals_is_something_checked() -> None:
    report = examine(context(healthy(cloudfront=AccessDenied("no", code="AccessDenied"))))
    assert (report.exit_status, report.anything_checked) == (0, True)
    assert NOTHING_CHECKED not in report_lines(report)


def test_a_home_region_that_is_off_is_not_taken_for_bad_credentials() -> None:
    off = Scripted(get_caller_identity=CredentialsExpired("The security token included in the request is invalid"))
    aws = healthy(
        account=Scripted(
            list_regions={"Regions": [{"RegionName": "us-east-1", "RegionOptStatus": "ENABLED"}]},
            get_region_opt_status={"RegionOptStatus": "DISABLED"},
        )
    )
    aws.clients[("sts", "eu-west-1")] = off
    report = examine(context(aws))
    assert only(report, "credentials").level == "ok"
    assert (only(report, "sts_endpoint").level, only(report, "regions").level) == ("problem", "problem")
    assert only(report, "regions").command == "aws account enable-region --region-name eu-west-1"


def test_placeholders_are_problems_and_a_placeholder_account_is_not_asked() -> None:
    held = (Placeholder(key="account_id", value="1" * 12, file="environments/test.yaml", meaning="the account's twelve digits"),)
    made, templates = assembly(placeholders=held, account_id="1" * 12)
    moved = msgspec.structs.replace(
        made,
        hosted_zone=msgspec.structs.replace(made.zone, account_id="1" * 12),
        stacks=tuple(msgspec.structs.replace(s, account_id="1" * 12) for s in made.stacks),
    )
    aws: Any = ScriptedAws()
    report = examine(CheckContext(assembly=moved, templates=templates, aws=aws, gateways=aws, resolver=DELEGATED))
    assert only(report, "placeholders").level == "problem"
    assert only(report, "credentials").level == "unknown"
    assert report.exit_status == 1


@pytest.mark.parametrize(
    ("text", "level", "words"),
    [
        (None, "problem", "there is no secret"),
        ('{"username": "admin"}', "problem", "not a JSON object of exactly"),
        ('{"username": "admin", "password_hash": "plain"}', "problem", "not of the form"),
        ('{"username": "root", "password_hash": "' + HASH + '"}', "problem", "another user name"),
        ('{"username": "admin", "password_hash": "' + HASH + '"}', "ok", "holds a hash"),
    ],
)
def test_the_secret_is_there_well_formed_and_of_the_configured_user(text: str | None, level: str, words: str) -> None:
    check = only(examine(context(healthy(secretsmanager=secret(text)))), "secret")
    assert (check.level, words in check.message) == (level, True), check
    assert HASH not in check.message
    assert "root" not in check.message


def test_a_quota_that_is_used_up_is_only_a_problem_while_something_is_yet_to_be_made() -> None:
    full = {"AccountLimits": [{"Name": "StackLimit", "Value": 1}]}
    there = {"StackSummaries": [{"StackName": "demo-test-site", "StackStatus": "CREATE_COMPLETE"}]}
    deployed = examine(
        context(healthy(cloudfront=cloudfront(policies=20), cloudformation=formation(describe_account_limits=full, list_stacks=there)))
    )
    assert [c.level for c in found(deployed, "quotas")] == ["ok", "warning", "warning"]
    fresh = formation(describe_account_limits=full, describe_stacks=GONE)
    before = examine(context(healthy(cloudfront=cloudfront(policies=20), cloudformation=fresh)))
    assert [c.level for c in found(before, "quotas")] == ["ok", "problem", "problem"]
    assert "--quota-code L-CF0D4FC5 --desired-value 40" in found(before, "quotas")[1].command


def test_without_basic_auth_no_secret_is_asked_for() -> None:
    assert only(examine(context(healthy(secretsmanager=Scripted()), basic_auth_secret=None)), "secret").level == "ok"


@pytest.mark.parametrize(
    ("conflicts", "aliases", "level"),
    [
        ((), None, "ok"),
        ((("******456789", "****bution-1"),), None, "ok"),
        ((("******999999", "*******OTHER"),), None, "problem"),
        ((), {"OTHER": ["example.org"]}, "problem"),
    ],
)
def test_an_alias_elsewhere_is_a_problem_and_the_own_distribution_is_not(conflicts: Any, aliases: Any, level: str) -> None:
    aws = healthy(cloudfront=cloudfront(conflicts, aliases))
    assert only(examine(context(aws)), "alias").level == level


def test_before_the_first_deployment_a_bucket_name_that_is_taken_is_found() -> None:
    absent = formation(describe_stacks=GONE, describe_stack_resources=GONE, list_stacks={"StackSummaries": []})
    forbidden = AccessDenied("Forbidden", code="403", operation="HeadBucket")
    taken = healthy(cloudformation=absent, s3=Scripted(head_bucket=forbidden, list_objects_v2=NotFound("no such bucket")))
    assert only(examine(context(taken)), "stands_already").level == "problem"
    tags = {"TagSet": [{"Key": "project", "Value": "demo"}, {"Key": "environment", "Value": "test"}]}
    ours = healthy(cloudformation=absent, s3=Scripted(head_bucket={}, get_bucket_tagging=tags, list_objects_v2={"IsTruncated": False}))
    left = only(examine(context(ours)), "stands_already")
    assert (left.level, "taken over" in left.message) == ("warning", True)
    assert left.command.startswith("python deploy.py plan --env test")
    free = healthy(cloudformation=absent, s3=Scripted(head_bucket=NotFound("Not Found", code="404"), list_objects_v2=NotFound("none")))
    report = examine(context(free))
    assert found(report, "stands_already") == []
    assert only(report, "artifact_bucket").level == "ok"


def test_the_lock_that_somebody_holds_is_told_with_its_id() -> None:
    held = {
        "Item": {
            "LockID": {"S": "demo/test"},
            "Id": {"S": "abc123"},
            "Owner": {"S": "arn:aws:iam::1:user/eve"},
            "Since": {"N": "0"},
            "Expires": {"N": "60"},
        }
    }
    check = only(examine(context(healthy(dynamodb=Scripted(get_item=held)))), "lock_table")
    assert check.level == "warning"
    assert "eve" in check.message
    assert check.command == "python deploy.py unlock --env test"


def test_a_local_aws_is_not_asked_for_what_it_has_not() -> None:
    """No line about what can never be checked there; one below the report says what that is."""
    nothing = Scripted()
    aws = healthy(**{"service-quotas": nothing, "iam": nothing, "cloudfront": cloudfront(conflicts=(("9", "**elsewhere"),))})
    report = examine(dataclasses.replace(context(aws, resolver=None), local=True))
    assert {c.level for c in report.checks} == {"ok"}
    assert not {"quotas", "caa", "sts_tokens", "delegation"} & {c.code for c in report.checks}
    assert report_lines(report)[-2:] == (f"not looked at: {CHANGES}", f"not looked at: {AT_AWS_ONLY}")
    assert AT_AWS_ONLY not in examine(context(healthy())).not_looked_at


# --- CAA ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "records", "allowed"),
    [
        ("example.org", (), True),
        ("example.org", (issue("amazon.com"),), True),
        ("example.org", (issue("AmazonTrust.com; validationmethods=dns-01"),), True),
        ("example.org", (issue("letsencrypt.org"), issue("awstrust.com")), True),
        ("example.org", (issue("letsencrypt.org"),), False),
        ("example.org", (issue(";"),), False),
        ("example.org", (issue("notamazon.com"),), False),
        ("example.org", (issue("mailto:a@example.org", "iodef"),), True),
        ("example.org", (issue("letsencrypt.org", "issuewild"),), True),
        ("*.example.org", (issue("amazon.com"), issue("letsencrypt.org", "issuewild")), False),
        ("*.example.org", (issue("letsencrypt.org"), issue("amazonaws.com", "issuewild")), True),
        ("*.example.org", (issue("amazon.com"),), True),
        ("example.org", (issue("amazon.com"), issue("x", "future", critical=True)), False),
        ("example.org", (issue("amazon.com"), issue("x", "future")), True),
    ],
)
def test_caa_lets_amazon_issue_as_rfc_8659_says(name: str, records: tuple[Caa, ...], allowed: bool) -> None:
    assert amazon_may_issue(name, records) is allowed


def test_the_nearest_ancestor_with_caa_records_counts() -> None:
    dns = Dns({}, {"org": (issue("a"),), "example.org": (issue("b"),)})
    assert caa_of("*.www.example.org", dns) == ("example.org", (issue("b"),))
    assert caa_of("other.org", dns) == ("org", (issue("a"),))
    assert caa_of("example.net", dns) == ("", ())


@given(st.lists(st.sampled_from(["letsencrypt.org", ";", "digicert.com", "amazon.com.evil.org"]), min_size=1))
def test_no_list_of_other_authorities_lets_amazon_issue(values: list[str]) -> None:
    assert not amazon_may_issue("example.org", tuple(issue(v) for v in values))


# --- stuck stacks -------------------------------------------------------------------------------------------------

LISTED = resources(("Bucket", "AWS::S3::Bucket", "DELETE_FAILED"), ("Role", "AWS::IAM::Role", "CREATE_COMPLETE"))


@pytest.mark.parametrize(
    ("status", "action", "names"),
    [
        ("ROLLBACK_COMPLETE", "delete", ()),
        ("ROLLBACK_FAILED", "delete", ()),
        ("DELETE_FAILED", "delete_retaining", ("Bucket",)),
        ("UPDATE_ROLLBACK_FAILED", "continue_rollback", ()),
        ("CREATE_FAILED", "roll_back", ()),
        ("UPDATE_FAILED", "roll_back", ()),
        ("UPDATE_IN_PROGRESS", "wait", ()),
        ("CREATE_IN_PROGRESS", "wait", ()),
    ],
)
def test_every_stuck_state_has_a_safe_action(status: str, action: str, names: tuple[str, ...]) -> None:
    aws = healthy(cloudformation=formation(describe_stacks=stack(status), list_stack_resources=LISTED))
    report = examine(context(aws))
    (fix,) = report.fixes
    assert (fix.action, fix.names, fix.status) == (action, names, status)
    check = next(c for c in report.checks if c.stack == "site")
    assert check.level == ("warning" if status.endswith("_IN_PROGRESS") else "problem")
    assert check.command == "python deploy.py doctor --env test --fix"
    changing = {"delete_stack", "delete_change_set", "continue_update_rollback", "rollback_stack", "update_termination_protection"}
    client: Any = aws.clients["cloudformation"]
    assert not changing & {name for name, _ in client.calls}


@pytest.mark.parametrize(("policy", "fixes"), [("Retain", ["delete"]), ("RetainExceptOnCreate", ["delete"]), ("Delete", []), (None, [])])
def test_a_stack_whose_import_got_stuck_is_deleted_only_if_it_keeps_everything(policy: str | None, fixes: list[str]) -> None:
    body = {"Type": "AWS::S3::Bucket", **({"DeletionPolicy": policy} if policy else {})}
    client = formation(
        describe_stacks=stack("IMPORT_ROLLBACK_FAILED"),
        list_stack_resources=resources(("Bucket", "AWS::S3::Bucket", "IMPORT_COMPLETE")),
        get_template={"TemplateBody": {"Resources": {"Bucket": body}}},
    )
    report = examine(context(healthy(cloudformation=client)))
    assert [fix.action for fix in report.fixes] == fixes
    assert all("keeps Bucket" in " ".join(fix.does) for fix in report.fixes)
    check = next(c for c in report.checks if c.code == "stack_import_rollback_failed")
    assert "--fix" in check.command if fixes else "describe-stack-events" in check.command


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"])
def test_a_protected_stack_is_not_offered_for_deletion(status: str) -> None:
    live = stack(status, EnableTerminationProtection=True)
    report = examine(context(healthy(cloudformation=formation(describe_stacks=live, list_stack_resources=LISTED))))
    assert report.fixes == ()
    assert "update-termination-protection" in next(c for c in report.checks if c.stack == "site").command


def change_sets(*names: str, execution: str = "AVAILABLE") -> dict[str, Any]:
    return {
        "Summaries": [
            {"ChangeSetId": f"arn:{n}", "ChangeSetName": n, "Status": "CREATE_COMPLETE", "ExecutionStatus": execution} for n in names
        ]
    }


def test_an_empty_stack_of_a_forgotten_plan_is_offered_for_deletion_with_its_change_set() -> None:
    aws = healthy(cloudformation=formation(describe_stacks=stack("REVIEW_IN_PROGRESS"), list_change_sets=change_sets("plan-test-1-a")))
    (fix,) = examine(context(aws)).fixes
    assert (fix.action, fix.names) == ("delete_reviewed", ("arn:plan-test-1-a",))


def test_the_saved_plan_is_not_taken_for_a_leftover() -> None:
    aws = healthy(cloudformation=formation(describe_stacks=stack("REVIEW_IN_PROGRESS"), list_change_sets=change_sets("plan-test-1-a")))
    report = examine(context(aws, waiting=frozenset({"arn:plan-test-1-a"})))
    assert report.fixes == ()
    assert only(report, "stack").level == "ok"


def test_somebody_elses_change_set_is_left_alone() -> None:
    for status in ("REVIEW_IN_PROGRESS", "CREATE_COMPLETE"):
        aws = healthy(cloudformation=formation(describe_stacks=stack(status), list_change_sets=change_sets("by-hand")))
        report = examine(context(aws))
        assert report.fixes == ()
        assert only(report, "foreign_change_set").level == "warning"


def test_change_sets_left_on_a_live_stack_are_offered_but_executed_ones_are_history() -> None:
    left = examine(context(healthy(cloudformation=formation(list_change_sets=change_sets("plan-test-1-a", "plan-test-2-b")))))
    assert [f.action for f in left.fixes] == ["delete_change_sets"]
    done = change_sets("plan-test-1-a", execution="EXECUTE_COMPLETE")
    assert examine(context(healthy(cloudformation=formation(list_change_sets=done)))).fixes == ()


def test_inoperable_and_outdated_instances_of_a_stack_set_are_told_one_by_one() -> None:
    made, templates = small_assembly(
        Small(id="logs", template={"Resources": {}}, region="us-east-1", more={"stackset": stackset("eu-west-1")})
    )
    aws: Any = healthy(
        cloudformation=formation(
            describe_stack_set={"StackSet": {"StackSetName": "demo-test-logs", "Status": "ACTIVE"}},
            list_stack_set_operations={"Summaries": []},
            list_stack_instances={
                "Summaries": [
                    {"Account": ACCOUNT, "Region": "eu-west-1", "Status": "INOPERABLE", "StatusReason": "stack is stuck"},
                    {"Account": ACCOUNT, "Region": "eu-west-2", "Status": "OUTDATED"},
                    {"Account": ACCOUNT, "Region": "us-east-1", "Status": "CURRENT"},
                ]
            },
        )
    )
    report = examine(CheckContext(assembly=made, templates=templates, aws=aws, gateways=aws, resolver=DELEGATED))
    told = [c for c in report.checks if c.stack == "logs"]
    assert [c.level for c in told] == ["problem", "warning"]
    assert "--retain-stacks" in told[0].command


# --- fixes --------------------------------------------------------------------------------------------------------


def fix(action: Any, status: str, names: tuple[str, ...] = ()) -> Fix:
    return Fix(
        action=action,
        stack="site",
        stack_name="demo-test-site",
        account_id=ACCOUNT,
        region="eu-west-1",
        role_arn=None,
        arn=ARN,
        status=status,
        does=("do it",),
        names=names,
    )


@pytest.mark.parametrize(
    ("wanted", "states", "call", "done"),
    [
        (fix("delete", "ROLLBACK_COMPLETE"), ["ROLLBACK_COMPLETE", "ROLLBACK_COMPLETE", "DELETE_IN_PROGRESS", None], "delete_stack", True),
        (fix("delete", "ROLLBACK_COMPLETE"), ["ROLLBACK_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_FAILED"], "delete_stack", False),
        (
            fix("continue_rollback", "UPDATE_ROLLBACK_FAILED"),
            ["UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"],
            "continue_update_rollback",
            True,
        ),
        (
            fix("continue_rollback", "UPDATE_ROLLBACK_FAILED"),
            ["UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"],
            "continue_update_rollback",
            False,
        ),
        (fix("continue_rollback", "UPDATE_ROLLBACK_FAILED"), ["UPDATE_ROLLBACK_FAILED"], "continue_update_rollback", False),
        (
            fix("roll_back", "UPDATE_FAILED"),
            ["UPDATE_FAILED", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"],
            "rollback_stack",
            True,
        ),
        (fix("wait", "UPDATE_IN_PROGRESS"), ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"], "", True),
    ],
)
def test_a_fix_is_done_and_waited_for(wanted: Fix, states: list[str | None], call: str, done: bool) -> None:
    client = formation(
        describe_stacks=[GONE if s is None else stack(s) for s in states], delete_stack={}, continue_update_rollback={}, rollback_stack={}
    )
    fixed = carry_out(wanted, ScriptedAws({"cloudformation": client}), nonce="n", sleep=lambda _: None)
    assert fixed.done is done, fixed
    assert [name for name, _ in client.calls if name in ("delete_stack", "continue_update_rollback", "rollback_stack")] == [call] * bool(
        call
    )


def test_a_fix_for_a_stack_that_has_moved_on_is_not_done() -> None:
    client = formation(describe_stacks=stack("UPDATE_COMPLETE"), delete_stack={})
    fixed = carry_out(fix("delete", "ROLLBACK_COMPLETE"), ScriptedAws({"cloudformation": client}), nonce="n", sleep=lambda _: None)
    assert not fixed.done
    assert "nothing was done" in fixed.message
    assert client.called("delete_stack") == []


def test_deleting_a_half_deleted_stack_keeps_exactly_what_was_shown() -> None:
    client = formation(describe_stacks=[stack("DELETE_FAILED"), stack("DELETE_IN_PROGRESS"), GONE], delete_stack={})
    wanted = fix("delete_retaining", "DELETE_FAILED", ("Bucket",))
    assert carry_out(wanted, ScriptedAws({"cloudformation": client}), nonce="n", sleep=lambda _: None).done
    assert client.called("delete_stack")[0]["RetainResources"] == ["Bucket"]


def test_an_empty_stack_with_a_new_change_set_is_not_deleted() -> None:
    client = formation(
        describe_stacks=stack("REVIEW_IN_PROGRESS"), list_change_sets=change_sets("plan-test-1-a", "plan-test-9-new"), delete_stack={}
    )
    wanted = fix("delete_reviewed", "REVIEW_IN_PROGRESS", ("arn:plan-test-1-a",))
    assert not carry_out(wanted, ScriptedAws({"cloudformation": client}), nonce="n", sleep=lambda _: None).done
    assert client.called("delete_stack") == []


def test_aws_refusing_a_fix_is_told_in_its_words() -> None:
    client = formation(describe_stacks=stack("ROLLBACK_COMPLETE"), delete_stack=AwsError("Stack is protected", code="ValidationError"))
    fixed = carry_out(fix("delete", "ROLLBACK_COMPLETE"), ScriptedAws({"cloudformation": client}), nonce="n", sleep=lambda _: None)
    assert (fixed.done, "Stack is protected" in fixed.message) == (False, True)
