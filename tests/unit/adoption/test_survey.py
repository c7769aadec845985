"""What exists is matched, compared, judged; what would hurt is refused."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from adoption.by_hand import NotUnderstood
from adoption.report import AdoptionReport, Row
from adoption.terraform import Managed, State, together
from adoption.text import checked, lines
from aws.errors import AccessDenied, BadRequest
from gateways.existing import Found
from gateways.live import Unsupported
from review.wrapping import wrapped
from templates.values import Known
from tests.golden_files import assert_golden
from tests.unit.adoption.stage import Account, adopted, assembly, state, terraformed

NOTHING = State(resources=())
BUCKET = ("AWS::S3::Bucket", "dev-kimmyai-web-public")
DISTRIBUTION = ("AWS::CloudFront::Distribution", "E1DEVKIMMYAI01")


def account(environment: str = "dev", **more: Any) -> Account:
    return Account(live_properties=terraformed(environment), **more)


def row(report: AdoptionReport, name: str) -> Row:
    return next(each for each in report.rows if f"{each.stack}.{each.logical_id}" == name)


def changed(key: tuple[str, str], **properties: Any) -> Account:
    found = account()
    found.live_properties[key] = {**found.live_properties[key], **properties}
    return found


# --- found and matched --------------------------------------------------------------------------------------------


def test_what_terraform_made_goes_to_its_place() -> None:
    dev = adopted("dev", account())
    assert [f"{each.stack}.{each.logical_id}" for each in dev.to_take_over] == [
        "certificate.Certificate",
        "site.Bucket",
        "site.BucketPolicy",
        "site.Distribution",
    ]
    taken = row(dev, "site.Distribution").taken()
    assert (dict(taken.identifier), taken.source) == (
        {"Id": "E1DEVKIMMYAI01"},
        "terraform module.cloudfront.aws_cloudfront_distribution.this",
    )
    assert not dev.refused


def test_what_the_distribution_uses_is_taken_over_under_another_name_and_aligned_later() -> None:
    prod = adopted("prod", account("prod"))
    control = row(prod, "site.OriginAccessControl")
    assert control.fate == "take_over"
    assert {each.path: (each.live, each.ours) for each in control.differences}["OriginAccessControlConfig.Name"] == (
        Known(text="prod-kimmyai-oac"),
        Known(text="kimmyai-web-prod-site"),
    )
    assert row(prod, "site.ResponseHeadersPolicy").fate == "take_over"


def test_what_another_name_or_a_create_only_property_keeps_out_is_made_new_beside_it() -> None:
    prod = adopted("prod", account("prod"))
    check = row(prod, "dns.HealthCheck")
    assert (check.fate, [each.path for each in check.differences if each.replaces]) == ("made_new", ["HealthCheckConfig.MeasureLatency"])
    assert {each.source.rpartition(".")[2]: each.why for each in prod.left}["routes"] == "superseded"


def test_values_of_what_is_taken_over_are_known_to_the_comparison() -> None:
    dev = adopted("dev", account())
    paths = {each.path for each in row(dev, "site.Distribution").differences}
    assert "DistributionConfig.ViewerCertificate.AcmCertificateArn" not in paths, "the certificate is the one that is taken over"
    policy = {each.path: each.ours for each in row(dev, "site.BucketPolicy").differences}
    assert "distribution/E1DEVKIMMYAI01" in msgspec.json.encode(policy["PolicyDocument.Statement[CloudFrontReads]"]).decode()


def test_a_bucket_of_a_derived_name_is_found_without_a_state() -> None:
    there = {(kind, name): Found(physical_id=name) for kind in ("AWS::S3::Bucket", "AWS::S3::BucketPolicy") for name in (BUCKET[1],)}
    report = adopted("dev", account(there=there), of=NOTHING)
    assert [(f"{each.stack}.{each.logical_id}", each.source) for each in report.to_take_over] == [
        ("site.Bucket", "derived name"),
        ("site.BucketPolicy", "derived name"),
    ]


def test_what_is_named_by_hand_wins_over_what_was_found() -> None:
    found = account()
    found.live_properties["AWS::CloudFront::Distribution", "EOTHER"] = found.live_properties[DISTRIBUTION]
    report = adopted("dev", found, "Distribution=EOTHER")
    chosen = row(report, "site.Distribution")
    assert (chosen.fate, dict(chosen.identifier), chosen.source) == ("take_over", {"Id": "EOTHER"}, "--resource Distribution=EOTHER")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Bucket", "LogicalId=IDENTIFIER"),
        ("Bucket=", "LogicalId=IDENTIFIER"),
        ("=x", "LogicalId=IDENTIFIER"),
        ("Bukcet=x", "no stack of the environment has 'Bukcet'"),
        ("Bucket=a\nb", "LogicalId=IDENTIFIER"),
        ("Ipv4Record=x", "SetIdentifier"),
        ("edge.Function=x", "code"),
        ("AlarmTopicPolicy=x", "CloudFormation cannot import"),
    ],
)
def test_what_is_not_understood_by_hand(text: str, words: str) -> None:
    with pytest.raises(NotUnderstood, match=words):
        adopted("dev", account(), text)


# --- refused ------------------------------------------------------------------------------------------------------


def test_two_for_one_place_are_refused_until_one_is_named() -> None:
    found = account()
    double = state("dev")
    second = [
        type(each)(address="aws_cloudfront_distribution.old", type=each.type, provider="aws", attributes={**each.attributes, "id": "EOLD"})
        for each in double.resources
        if each.type == "aws_cloudfront_distribution"
    ]
    found.live_properties["AWS::CloudFront::Distribution", "EOLD"] = found.live_properties[DISTRIBUTION]
    report = adopted("dev", found, of=State(resources=(*double.resources, *second)))
    refused = row(report, "site.Distribution")
    assert refused.fate == "refused"
    assert "EOLD" in refused.message and "E1DEVKIMMYAI01" in refused.message
    assert refused.command == "python deploy.py adopt --env dev --resource site.Distribution=E1DEVKIMMYAI01"


def again(kind: str, **attributes: str) -> State:
    """The state of dev, in which everything of that type is there once more with other attributes."""
    of = state("dev")
    second = [
        type(each)(address=f"{kind}.old", type=kind, provider="aws", attributes={**each.attributes, **attributes})
        for each in of.resources
        if each.type == kind
    ]
    return State(resources=(*second, *of.resources))


def test_what_is_gone_is_no_choice() -> None:
    """A state that is older than what somebody has made anew by hand."""
    report = adopted("dev", account(), of=again("aws_cloudfront_distribution", id="EGONE"))
    chosen = row(report, "site.Distribution")
    assert (chosen.fate, chosen.identifier) == ("take_over", {"Id": "E1DEVKIMMYAI01"})


def test_a_certificate_of_another_region_is_no_choice() -> None:
    arn = "arn:aws:acm:eu-west-1:111111111111:certificate/for-a-load-balancer"
    found = account()
    found.live_properties["AWS::CertificateManager::Certificate", arn] = {"CertificateArn": arn, "DomainName": "kimmyai.io"}
    chosen = row(adopted("dev", found, of=again("aws_acm_certificate", arn=arn, id=arn)), "certificate.Certificate")
    assert (chosen.fate, "us-east-1" in chosen.identifier["CertificateArn"]) == ("take_over", True)


def test_beside_what_is_found_here_the_state_of_another_account_is_refused_as_such() -> None:
    """Not offered for a choice."""
    arn = "arn:aws:acm:us-east-1:999999999999:certificate/theirs"
    refused = row(adopted("dev", account(), of=again("aws_acm_certificate", arn=arn, id=arn)), "certificate.Certificate")
    assert (refused.fate, "is in account 999999999999" in refused.message) == ("refused", True)
    assert "take the state of dev" in refused.command


@pytest.mark.attack
def test_a_state_of_thousands_for_one_place_is_told_in_a_few_words_and_asks_little() -> None:
    many = [each for number in range(3_000) for each in again("aws_cloudfront_distribution", id=f"E{number}").resources[:1]]
    found = account()
    for number in range(3_000):
        found.live_properties["AWS::CloudFront::Distribution", f"E{number}"] = found.live_properties[DISTRIBUTION]
    refused = row(adopted("dev", found, of=State(resources=tuple(many))), "site.Distribution")
    assert (refused.fate, len(refused.message) < 1_500) == ("refused", True)
    assert len(found.asked) < 50


def test_what_another_stack_has_is_refused_and_what_its_own_stack_has_is_not() -> None:
    refused = row(adopted("dev", account(owners={"dev-kimmyai-web-public": "their-stack"})), "site.Bucket")
    assert (refused.fate, "their-stack" in refused.message) == ("refused", True)
    own = next(stack.stack_name for stack in assembly("dev")[0].stacks if stack.id == "site")
    assert row(adopted("dev", account(owners={"dev-kimmyai-web-public": own})), "site.Bucket").fate == "take_over"


@pytest.mark.parametrize(
    ("tags", "refused"),
    [
        ([{"Key": "project", "Value": "kimmyai-web"}, {"Key": "environment", "Value": "prod"}], True),
        ([{"Key": "project", "Value": "other"}, {"Key": "environment", "Value": "dev"}], True),
        ([{"Key": "Environment", "Value": "prod"}], True),
        ([{"Key": "env", "Value": "sit"}], True),
        ([{"Key": "Environment", "Value": "development"}], False),
        ([{"Key": "Environment", "Value": "DEV"}], False),
        ([{"Key": "Owner", "Value": "prod"}], False),
        ([], False),
    ],
)
def test_what_is_tagged_as_another_environments_is_refused(tags: list[dict[str, str]], refused: bool) -> None:
    assert row(adopted("dev", changed(BUCKET, Tags=tags)), "site.Bucket").fate == ("refused" if refused else "take_over")


def test_the_state_of_another_account_is_refused() -> None:
    report = adopted("dev", account(), of=state("prod"))
    assert row(report, "certificate.Certificate").fate == "refused"
    assert "is in account 333333333333" in row(report, "certificate.Certificate").message
    assert not report.to_take_over


def test_what_is_in_another_region_is_refused() -> None:
    moved = State(
        resources=tuple(
            type(each)(address=each.address, type=each.type, provider="aws", attributes={**each.attributes, "region": "eu-central-1"})
            for each in state("dev").resources
        )
    )
    refused = row(adopted("dev", account(), of=moved), "site.Bucket")
    assert (refused.fate, "is in eu-central-1" in refused.message) == ("refused", True)


def test_a_bucket_of_another_name_is_refused_since_it_would_be_replaced() -> None:
    found = account()
    found.live_properties["AWS::S3::Bucket", "other"] = {**found.live_properties[BUCKET], "BucketName": "other"}
    refused = row(adopted("dev", found, "site.Bucket=other"), "site.Bucket")
    assert (refused.fate, "BucketName" in refused.message) == ("refused", True)


@pytest.mark.attack
@pytest.mark.parametrize("by_hand", [(), ("Distribution=E1DEVKIMMYAI01",)])
def test_a_distribution_of_another_site_is_refused_whatever_a_state_says(by_hand: tuple[str, ...]) -> None:
    config = {**terraformed("dev")[DISTRIBUTION]["DistributionConfig"], "Aliases": ["shop.example.org"]}
    refused = row(adopted("dev", changed(DISTRIBUTION, DistributionConfig=config), *by_hand), "site.Distribution")
    assert (refused.fate, "shop.example.org" in refused.message) == ("refused", True)
    bare = {**config, "Aliases": []}
    assert row(adopted("dev", changed(DISTRIBUTION, DistributionConfig=bare), *by_hand), "site.Distribution").fate == "take_over"


def test_what_may_not_be_read_is_not_taken_for_the_same() -> None:
    found = account()
    found.live_properties[BUCKET] = AccessDenied("no s3:GetEncryptionConfiguration", code="AccessDeniedException")
    unknown = row(adopted("dev", found), "site.Bucket")
    assert (unknown.fate, unknown.compared) == ("unknown", False)
    report = adopted("dev", found)
    assert row(report, "site.Bucket") in report.refused
    assert any("site.Bucket:" in each for each in report.unmanaged), "nor for managed"


def test_a_type_that_cannot_be_read_cannot_be_imported() -> None:
    found = account()
    found.live_properties[DISTRIBUTION] = Unsupported("no READ", code="UnsupportedActionException")
    assert row(adopted("dev", found), "site.Distribution").fate == "made_new"


def test_what_the_state_has_and_aws_has_not_is_made_new() -> None:
    found = account()
    del found.live_properties[BUCKET]
    report = adopted("dev", found)
    assert row(report, "site.Bucket").fate == "gone"
    assert not any("site.Bucket:" in each for each in report.unmanaged)


def test_a_certificate_that_others_use_stays_its_owners() -> None:
    arn = next(key[1] for key in terraformed("dev") if key[0] == "AWS::CertificateManager::Certificate")
    ours, theirs = (f"arn:aws:cloudfront::111111111111:distribution/{name}" for name in ("E1DEVKIMMYAI01", "ETHEIRS"))
    alone = row(adopted("dev", account(users={arn: [ours]})), "certificate.Certificate")
    shared = row(adopted("dev", account(users={arn: [ours, theirs]})), "certificate.Certificate")
    assert (alone.fate, shared.fate) == ("take_over", "used")
    assert "ETHEIRS" in shared.message and f"certificate.arn: {arn}" in shared.command


# --- shown --------------------------------------------------------------------------------------------------------


@pytest.mark.attack
def test_no_secret_is_shown_in_any_form() -> None:
    for environment in ("dev", "prod"):
        report = adopted(environment, account(environment))
        told = msgspec.json.encode(report).decode() + "\n".join([*lines(report, 60), *lines(report, 300), *checked(report)]) + repr(report)
        assert "NOT_TO_BE_SHOWN" not in told
    origin = {each.path: each.live for each in row(adopted("dev", account()), "site.Distribution").differences}
    assert (
        '"HeaderName": "X-Origin", "HeaderValue": "(hidden)"'
        in msgspec.json.decode(msgspec.json.encode(origin))["DistributionConfig.Origins[S3-website]"]["text"]
    )


def test_legacy_shapes_are_told_with_their_way_out() -> None:
    dev = adopted("dev", account())
    codes = [each.code for each in row(dev, "site.Distribution").legacy]
    assert codes == ["origin_access_identity", "forwarded_values", "standard_logging", "old_tls", "edge_function_version"]
    assert "adopt.origin_access_identity: E2OAIKIMMYDEV1 in environments/dev.yaml" in row(dev, "site.Distribution").legacy[0].way_out
    assert not row(adopted("prod", account("prod")), "site.Distribution").legacy
    config = json.loads(json.dumps(terraformed("dev")[DISTRIBUTION]["DistributionConfig"]))
    config["Origins"] = [{"Id": "w", "DomainName": "dev-kimmyai-web-public.s3-website-eu-west-1.amazonaws.com", "CustomOriginConfig": {}}]
    website = row(adopted("dev", changed(DISTRIBUTION, DistributionConfig=config)), "site.Distribution")
    assert website.legacy[0].code == "website_endpoint"
    old = changed(BUCKET, OwnershipControls={}, PublicAccessBlockConfiguration={}, WebsiteConfiguration={"IndexDocument": "index.html"})
    assert [each.code for each in row(adopted("dev", old), "site.Bucket").legacy] == ["acl_ownership", "website_bucket", "public_bucket"]


def test_a_path_that_leads_elsewhere_is_not_lost_in_silence() -> None:
    """An API behind the same name: the platform's distribution has none, and its path would be answered by the site."""
    config = json.loads(json.dumps(terraformed("dev")[DISTRIBUTION]["DistributionConfig"]))
    same = {"Id": "again", "DomainName": "dev-kimmyai-web-public.s3.amazonaws.com"}
    api = {"Id": "api", "DomainName": "api.example.org", "CustomOriginConfig": {}}
    group = {"Id": "both", "Members": {"Quantity": 2, "Items": [{"OriginId": "api"}, {"OriginId": "again"}]}}

    def told(**behaviours: str) -> Row:
        paths = [{"PathPattern": f"/{path}/*", "TargetOriginId": target} for path, target in behaviours.items()]
        more = {"Origins": [*config["Origins"], same, api], "CacheBehaviors": paths, "OriginGroups": {"Quantity": 1, "Items": [group]}}
        return row(adopted("dev", changed(DISTRIBUTION, DistributionConfig={**config, **more})), "site.Distribution")

    assert told(assets="again", other="S3-website").fate == "take_over"
    for target in ("api", "both"):
        refused = told(assets="again", v1=target)
        assert (refused.fate, refused.message[:31]) == ("refused", "leads /v1/* to api.example.org,")
        assert refused.command.endswith("take /v1/* out of the distribution, then python deploy.py adopt --env dev")


def test_a_function_of_cloudfront_is_told_before_ours_takes_its_place() -> None:
    config = json.loads(json.dumps(terraformed("prod")["AWS::CloudFront::Distribution", "E3PRODKIMMYAI3"]["DistributionConfig"]))
    association = {"EventType": "viewer-request", "FunctionARN": "arn:aws:cloudfront::333333333333:function/old-redirects"}
    config["DefaultCacheBehavior"]["FunctionAssociations"] = [association]
    there = account("prod")
    there.live_properties["AWS::CloudFront::Distribution", "E3PRODKIMMYAI3"]["DistributionConfig"] = config
    (shape,) = row(adopted("prod", there), "site.Distribution").legacy
    assert (shape.code, shape.what) == ("cloudfront_function", "the function old-redirects of CloudFront answers for it")


def test_a_key_that_encrypts_the_bucket_is_told_and_outlives_terraform() -> None:
    """Objects keep the key that they were written with, so `terraform destroy` of it would end every page that was not written anew."""
    arn = "arn:aws:kms:eu-west-1:111111111111:key/f00"

    def told(algorithm: str, **key: str) -> list[str]:
        default = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm, **key}}
        found = changed(BUCKET, BucketEncryption={"ServerSideEncryptionConfiguration": [default]})
        return [each.what for each in row(adopted("dev", found), "site.Bucket").legacy]

    assert told("AES256") == []
    assert told("aws:kms") == ["its objects are encrypted with the key aws/s3 of KMS"]
    assert told("aws:kms:dsse", KMSMasterKeyID=arn) == [f"its objects are encrypted with the key {arn} of KMS"]
    key = Managed(address="aws_kms_key.site", type="aws_kms_key", provider="aws", attributes={"key_id": "f00"})
    report = adopted("dev", account(), of=State(resources=(key, *state("dev").resources)))
    (left,) = (each for each in report.left if each.what == "aws_kms_key")
    assert (left.why, "can be read by nobody" in left.message, key.address in report.state_rm) == ("used", True, True)
    assert not adopted("dev", account(), of=State(resources=(key,))).state_rm


def test_what_has_to_leave_the_state_is_all_that_a_stack_gets_and_no_more() -> None:
    dev = adopted("dev", account())
    assert 'module.acm.aws_route53_record.validation["*.kimmyai.io"]' in dev.state_rm, "or ACM could not renew after terraform destroy"
    assert "module.s3_website.aws_s3_bucket_versioning.website" in dev.state_rm
    assert 'module.route53.aws_route53_record.site["A"]' in dev.state_rm
    stays = {each.address for each in state("dev").resources} - set(dev.state_rm)
    assert stays == {
        "module.cloudfront.aws_cloudfront_origin_access_identity.this",
        "module.lambda_edge[0].aws_cloudwatch_log_group.edge",
        "module.lambda_edge[0].aws_iam_role.edge",
        "module.lambda_edge[0].aws_iam_role_policy_attachment.basic",
        "module.lambda_edge[0].aws_lambda_function.basic_auth",
        "module.lambda_edge[0].random_password.basic_auth",
    }
    prod = adopted("prod", account("prod"))
    assert "aws_route53_zone.primary" not in prod.state_rm
    assert "module.s3_website.aws_s3_object.robots" in prod.state_rm, "terraform destroy would delete the object"


def test_the_check_counts_what_no_stack_has_and_what_is_still_there() -> None:
    found = account()
    old = ("AWS::Lambda::Function", "dev-kimmyai-basic-auth")
    found.live_properties[old] = {"FunctionName": "dev-kimmyai-basic-auth"}
    report = adopted("dev", found, check=True)
    there = {each.identifier: each.there for each in report.left if each.why == "superseded"}
    assert there["dev-kimmyai-basic-auth"] is not None
    assert any("site.Bucket" in each for each in report.unmanaged)
    assert any("dev-kimmyai-basic-auth" in each for each in report.unmanaged)
    del found.live_properties[old]
    assert not any(each.startswith("aws_lambda_function") for each in adopted("dev", found, check=True).unmanaged)
    found.live_properties[old] = BadRequest("?", code="ValidationException")
    assert adopted("dev", found, check=True).notes


def test_the_check_tells_what_terraform_destroy_would_still_delete() -> None:
    report = adopted("dev", account(), check=True)
    told = checked(report)
    assert "  next: terraform state rm module.cloudfront.aws_cloudfront_distribution.this" in told
    assert not any("hosted zone" in line for line in told), "the state has it as a data source only"
    assert any("hosted zone Z08412361KIMMYAIZONE" in line for line in checked(adopted("prod", account("prod"), check=True)))


def test_what_could_not_be_read_of_the_state_is_told_apart_from_what_aws_did_not_tell() -> None:
    of = state("dev")
    report = adopted("dev", account(), of=State(resources=of.resources, problems=("aws_s3_bucket.old: without attributes",)))
    assert (report.notes, report.left_out) == ((), ("aws_s3_bucket.old: without attributes",))
    assert "not known: aws_s3_bucket.old: without attributes: left out" in lines(report, 100)


@pytest.mark.parametrize("environment", ["dev", "prod"])
@pytest.mark.parametrize("width", [60, 200])
def test_the_report_golden(environment: str, width: int) -> None:
    text = "\n".join(lines(adopted(environment, account(environment)), width))
    assert_golden(f"adopt/{environment}_{width}.txt", wrapped(text, width) + "\n")


# --- several states -----------------------------------------------------------------------------------------------


def test_of_the_states_of_all_environments_each_has_its_own_and_the_others_are_left_alone() -> None:
    both = together({"dev.tfstate": state("dev"), "prod.tfstate": state("prod")})
    report = adopted("dev", account(), of=both)
    alone = adopted("dev", account())
    assert [(r.logical_id, r.identifier, r.fate) for r in report.rows] == [(r.logical_id, r.identifier, r.fate) for r in alone.rows]
    assert not report.refused
    assert {each.file: each.state_rm for each in report.states} == {"dev.tfstate": alone.state_rm, "prod.tfstate": ()}


def test_another_environments_state_alone_is_still_refused() -> None:
    assert {each.fate for each in adopted("dev", account(), of=together({"prod.tfstate": state("prod")})).refused} == {"refused"}


def test_modules_with_states_of_their_own_each_get_their_lines() -> None:
    whole = state("dev")
    bucket = State(resources=tuple(each for each in whole.resources if "s3" in each.address))
    rest = State(resources=tuple(each for each in whole.resources if "s3" not in each.address), problems=("x.y: odd",))
    report = adopted("dev", account(), of=together({"bucket.tfstate": bucket, "-": rest}))
    assert sorted(report.state_rm) == sorted(adopted("dev", account()).state_rm)
    told = lines(report, 200)
    heads = [told.index(f"  in the directory and workspace of {name}:") for name in ("bucket.tfstate", "-")]
    lines_of_buckets = told[heads[0] + 1 : heads[1]]
    assert lines_of_buckets and all("terraform state rm" in each and "s3" in each for each in lines_of_buckets)
    assert "not known: -: x.y: odd: left out" in told
    assert any("of bucket.tfstate" in each for each in told), "which state a row is from"


def test_one_thing_in_two_states_has_to_leave_both() -> None:
    twice = together({"old.tfstate": state("dev"), "new.tfstate": state("dev")})
    report = adopted("dev", account(), of=twice)
    assert not report.refused
    assert {each.state_rm for each in report.states} == {adopted("dev", account()).state_rm}
