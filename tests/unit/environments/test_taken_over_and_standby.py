"""Both sides of what an environment says of what stood before the platform, of its replica and standby; and where a problem is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from environments.loader import load, names
from environments.new import new_environment
from environments.problems import EnvironmentProblems
from environments.reading import parse
from environments.routing import Redirect, _leads_into
from tests.environments_fixture import ENVIRONMENTS
from tests.unit.environments.test_environments import COMMON, DEV, ORGANIZATION, problems
from tests.unit.environments.test_limits import told, with_keys

IDENTITY = "origin_access_identity: E1ABCDEF2GHIJ"
ARN = "arn:aws:acm:us-east-1:{}:certificate/12345678-1234-1234-1234-123456789012"
REPLICA = "disaster_recovery: {{region: eu-central-1, bucket: dev-kimmyai-web-public-replica{}}}"
LOAD_BALANCER = "failover: {dns_name: lb.example.com, hosted_zone_id: Z215JYRZR1TBD5}"


def owned(account: str, more: str = "") -> str:
    """A certificate that is not made here."""
    return f"certificate: {{arn: '{ARN.format(account)}', domain_name: kimmyai.io, subject_alternative_names: ['*.kimmyai.io'{more}]}}"


RIGHT = {
    "an identity that reads the bucket": f"adopt: {{{IDENTITY}}}",
    "an identity, and the step after it": f"adopt: {{{IDENTITY}, origin: private}}",
    "a website endpoint": "adopt: {website_endpoint: {}}",
    "a website endpoint in a region that is opted into": "home_region: af-south-1\nadopt: {website_endpoint: {}}",
    "let go, which is no way to the bucket, with a replica": f"adopt: {{let_go: true}}\n{REPLICA.format('')}",
    "a certificate of this account": owned("111111111111"),
    "a certificate of this account for a host that redirects": owned("111111111111") + "\nredirect_hosts: [www.kimmyai.io]",
    "a certificate of others, with more and longer names than would be asked for": owned(
        "111111111111", "".join(f", n{number}.example.org" for number in range(20))
    ),
    "a replica": REPLICA.format(""),
    "a replica that is promised within its alarm": REPLICA.format(", replication_time_control: true, lag_minutes: 15"),
    "a replica without the promise": REPLICA.format(", lag_minutes: 5"),
    "a standby": LOAD_BALANCER,
    "a page at the root of a folder": "app: {index_document: /pages/start.html}",
}

WRONG: dict[str, tuple[str, list[str]]] = {
    "two ways to one bucket": (
        f"adopt: {{{IDENTITY}, website_endpoint: {{}}}}",
        ["adopt: origin_access_identity and website_endpoint exclude each other: name the one that the distribution uses"],
    ),
    "an identity where identities do not work": (
        f"home_region: af-south-1\nadopt: {{{IDENTITY}}}",
        [
            "adopt.origin_access_identity: works in no region that an account opts into, such as af-south-1; the distribution must come"
            " otherwise: look again"
        ],
    ),
    "the second step without the first": (
        "adopt: {origin: private}",
        [
            "adopt.origin: private is how every distribution reads; it is for the step after origin_access_identity or website_endpoint",
        ],
    ),
    "a replica of a bucket that lets an old way in": (
        f"adopt: {{website_endpoint: {{}}}}\n{REPLICA.format('')}",
        ["adopt: goes before disaster_recovery: change to the private way first, take adopt out of the file, then add the replica"],
    ),
    "a certificate of another account": (
        owned("222222222222"),
        ["certificate.arn: is a certificate of account 222222222222; a distribution takes one of its own account only, here 111111111111"],
    ),
    "a host that the certificate of others does not name": (
        owned("111111111111") + "\nredirect_hosts: [www.kimmyai.io, www.old.kimmyai.io]",
        ['redirect_hosts[1]: "www.old.kimmyai.io" is on no name of the certificate, which is not made here: ask its owner for the name'],
    ),
    "a replica beside the bucket": (
        REPLICA.format("").replace("eu-central-1", "eu-west-1"),
        ['disaster_recovery.region: "eu-west-1" is the home region, and would be lost together with it; choose another one'],
    ),
    "a replica whose name may be of others": (
        "disaster_recovery: {region: eu-central-1, bucket: dev-kimmyai-web-publicreplica}",
        [
            'disaster_recovery.bucket: "dev-kimmyai-web-publicreplica" does not begin with "dev-kimmyai-web-public-": it may be another'
            " environment's, and once disaster recovery is switched off, CloudFormation may clean up names of this beginning only; for"
            " example dev-kimmyai-web-public-replica"
        ],
    ),
    "an alarm below what is promised": (
        REPLICA.format(", replication_time_control: true, lag_minutes: 14"),
        [
            "disaster_recovery.lag_minutes: 14 is less than the 15 minutes that replication time control promises, so it would sound in"
            " ordinary times"
        ],
    ),
    "a standby that is the site": (
        LOAD_BALANCER.replace("lb.example.com", "dev.kimmyai.io"),
        [
            'failover.dns_name: "dev.kimmyai.io" is a name of the site itself, which leads to its distribution; Route 53 cannot fail over'
            " to what has failed, name a load balancer"
        ],
    ),
    "a standby without HTTPS": (
        LOAD_BALANCER.replace("lb.example.com", "b.s3-website-eu-west-1.amazonaws.com"),
        [
            "failover.dns_name: is an S3 website endpoint, which does not speak HTTPS, while browsers that were here before insist on it"
            " (HSTS); name a load balancer or another endpoint that has a certificate for the domain"
        ],
    ),
    "a page in a folder with a dot": (
        "app: {index_document: /v1.0/start}",
        ['app.index_document: "/v1.0/start" is no file; expected for example /index.html'],
    ),
    "an alarm later than a day": (
        REPLICA.format(", lag_minutes: 1441"),
        ['disaster_recovery.lag_minutes: is "1441"; expected at most 1440'],
    ),
    "a document whose key is too long": (
        f"adopt: {{website_endpoint: {{index_document: {'a' * 81}{'b' * 175}}}}}",
        [f'adopt.website_endpoint.index_document: is "{"a" * 75}..."; expected at most 255 characters'],
    ),
}


@pytest.mark.parametrize("case", RIGHT)
def test_what_is_right_is_no_problem(case: str, tmp_path: Path) -> None:
    assert told(tmp_path, RIGHT[case]) == []


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_the_only_problem(case: str, tmp_path: Path) -> None:
    text, wanted = WRONG[case]
    assert told(tmp_path, text) == wanted


def test_the_artifacts_of_the_standby_region_need_room_in_the_name(tmp_path: Path) -> None:
    longest = 63 - len("-eu-central-1")
    artifacts = (
        f"artifacts: {{{{bucket: {{}}, lock_table: bbws-web-locks-dev}}}}\n{REPLICA.format('').replace('{', '{{').replace('}', '}}')}"
    )
    assert told(tmp_path, artifacts.format("a" * longest)) == []
    [problem] = told(tmp_path, artifacts.format("a" * (longest + 1)))
    assert problem.startswith(
        f'artifacts.bucket: "{"a" * (longest + 1)}" has {longest + 1} characters; with disaster_recovery at most {longest}'
    )
    assert told(tmp_path, artifacts.format("a" * 64)) == [
        f'artifacts.bucket: "{"a" * 64}": a bucket name has 3 to 63 characters, this one 64'
    ], "one problem, not two, for a name that no bucket may have"


# --- where a problem is told --------------------------------------------------------------------------------------


def test_a_missing_key_is_told_at_the_mapping_that_should_hold_it_and_without_one_at_the_top(tmp_path: Path) -> None:
    text = with_keys("failover: {dns_name: lb.example.com}")
    line = next(number for number, each in enumerate(text.splitlines(), 1) if each.startswith("failover"))
    assert [problem.split(": ")[:2] for problem in problems(tmp_path, text)] == [[f"dev.yaml:{line}", "failover.hosted_zone_id"]]
    lacking = "\n".join(each for each in DEV.splitlines() if not each.startswith("bucket:"))
    assert [problem.split(": ")[:2] for problem in problems(tmp_path, lacking)] == [["dev.yaml:1", "bucket"]]


def test_one_wrong_item_of_a_list_hides_nothing_that_is_wrong_elsewhere(tmp_path: Path) -> None:
    found = told(tmp_path, "redirect_hosts: ['a b', www.example.org]\nbasic_auth: {log_regions: [us-east-1], log_canary_region: eu-west-1}")
    assert [problem.split(":")[0] for problem in found] == ["redirect_hosts[0]", "redirect_hosts[1]", "basic_auth.log_canary_region"]


def test_a_file_that_is_its_own_part_comes_to_an_end(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text("tags: &again\n  more: *again\n")
    found: list[object] = []
    document = parse(tmp_path / "dev.yaml", found)  # type: ignore[arg-type]
    assert document is not None and ["nested too deeply" in str(problem) for problem in found] == [True]
    value, levels = document.data, 0
    while isinstance(value, dict) and levels < 100:
        value, levels = next(iter(value.values())), levels + 1
    assert 4 < levels < 100


def test_one_unreadable_file_is_that_one_problem(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, DEV, "a: [1, 2")
    assert "common.yaml:" in problem and "not YAML" in problem


def test_several_unknown_names_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text(DEV)
    (tmp_path / "common.yaml").write_text(COMMON)
    with pytest.raises(EnvironmentProblems) as raised:
        load(tmp_path, ("dev", "a", "b"))
    assert [Path(problem.file).name for problem in raised.value.problems] == ["a.yaml", "b.yaml"]
    (tmp_path / "a.yml").write_text(DEV)
    with pytest.raises(EnvironmentProblems, match=r"a\.yml is not read, name it a\.yaml"):
        load(tmp_path, ("a",))


# --- a further environment ----------------------------------------------------------------------------------------


def test_what_aws_gives_out_once_gets_the_new_name_where_the_old_one_is_no_part_of_it(tmp_path: Path) -> None:
    text = with_keys(
        "domain: shop.kimmyai.io\nbucket: shop-web-public\nartifacts:\n  bucket: shop-web-artifacts\n  lock_table: shop-web-locks\n"
        "disaster_recovery:\n  region: eu-central-1\n  bucket: shop-web-public-replica"
    )
    for name, content in (("dev", text), ("common", COMMON)):
        (tmp_path / f"{name}.yaml").write_text(content)
    (tmp_path / "qa.yaml").write_text(new_environment(tmp_path, "qa", "dev", account_id="123412341234", domain="qa.kimmyai.io").text)
    made = load(tmp_path, names(tmp_path)).environments["qa"]
    assert (made.domain, made.bucket) == ("qa.kimmyai.io", "shop-web-public-qa")
    assert (made.artifacts.bucket, made.artifacts.lock_table) == ("shop-web-artifacts-qa", "shop-web-locks-qa")
    assert made.disaster_recovery is not None and made.disaster_recovery.bucket == "shop-web-public-qa-replica"


# --- what follows from the keys -----------------------------------------------------------------------------------


def test_every_first_visit_is_a_401_where_there_is_a_password_and_the_alarm_waits_for_more(tmp_path: Path) -> None:
    def percent(text: str) -> float:
        for name, content in (("dev", with_keys(text)), ("common", COMMON)):
            (tmp_path / f"{name}.yaml").write_text(content)
        return load(tmp_path, ("dev",)).environments["dev"].error_rate_4xx_percent

    assert percent("monitoring: {}") == 60.0
    assert percent("monitoring: {}\nbasic_auth: {enabled: false}") == 15.0
    assert percent("monitoring: {error_rate_4xx_percent: 1}") == 1.0
    assert told(tmp_path, "monitoring: {error_rate_4xx_percent: 0}") == [
        'monitoring.error_rate_4xx_percent: is "0"; expected more than 0.0'
    ], "an alarm that always sounds"


def test_names_are_made_of_others(tmp_path: Path) -> None:
    text = "redirect_hosts: [www.kimmyai.io, old.www.kimmyai.io]\n"
    text += "certificate: {domain_name: kimmyai.io, subject_alternative_names: ['*.kimmyai.io']}"
    for name, content in (("dev", with_keys(text)), ("common", COMMON)):
        (tmp_path / f"{name}.yaml").write_text(content)
    env = load(tmp_path, ("dev",)).environments["dev"]
    assert env.hosts == ("dev.kimmyai.io", "www.kimmyai.io", "old.www.kimmyai.io")
    assert env.certificate_names == ("kimmyai.io", "*.kimmyai.io", "old.www.kimmyai.io")
    assert (env.standby_artifact_bucket, env.zone_is_foreign, env.makes_records) == ("", False, True)


def test_the_longest_of_the_buckets_that_are_made_has_to_fit(tmp_path: Path) -> None:
    for logs, longest in (("none", 63 - len("-access-logs")), ("bucket", 63 - len("aws-waf-logs-"))):
        text = "bucket: {}\nfirewall: {{" + ("logs: bucket" if logs == "bucket" else "") + "}}"
        assert told(tmp_path, text.format("b" * longest)) == []
        [problem] = told(tmp_path, text.format("b" * (longest + 1)))
        assert f"at most {longest}, since" in problem


def test_an_organization_has_the_tags_and_names_that_aws_takes(tmp_path: Path) -> None:
    text = ORGANIZATION.replace("[dev, sit, prod]", "[dev]", 1)
    assert problems(tmp_path, organization=text + "tags: {team: web}\n") == []
    [tags] = problems(tmp_path, organization=text + "tags: {project: web}\n")
    assert 'every stack has the tag "project" already' in tags
    [long] = problems(
        tmp_path, organization="\n".join(each for each in text.splitlines() if "project:" not in each) + f"\nproject: {'p' * 28}\n"
    )
    assert "make the name prefix" in long and "at most 40 fit into IAM role names" in long


def test_an_account_gets_its_provider_where_a_repository_deploys(tmp_path: Path) -> None:
    def provider(text: str, common: str = COMMON) -> bool:
        for name, content in (("dev", with_keys(text)), ("common", common)):
            (tmp_path / f"{name}.yaml").write_text(content)
        return load(tmp_path, ("dev",)).environments["dev"].github.makes_provider

    without = "\n".join(line for line in COMMON.splitlines() if "github" not in line and "repository" not in line)
    assert provider("") and not provider("github: {create_provider: false}") and not provider("", without)


@pytest.mark.parametrize("text", ["? [a, b]\n: c", "2: c", "true: c", "bucket: twice"])
def test_a_key_that_cannot_be_one_is_told_at_its_line(text: str, tmp_path: Path) -> None:
    line = len(DEV.splitlines()) + 1
    [problem] = problems(tmp_path, DEV + text + "\n")
    assert problem.startswith(f"dev.yaml:{line}:")


@pytest.mark.parametrize(("length", "allowed"), [(243, True), (244, False)])
def test_the_records_of_a_failover_stand_below_the_domain_and_need_room(length: int, allowed: bool, tmp_path: Path) -> None:
    zone = ".kimmyai.io"
    domain = f"{('a' * 50 + '.') * 4}{'b' * (length - 4 * 51 - len(zone))}{zone}"
    text = f"domain: {domain}\ncertificate: {{domain_name: kimmyai.io, subject_alternative_names: [{domain}]}}\n"
    assert len(domain) == length and told(tmp_path, text) == []
    found = told(tmp_path, text + LOAD_BALANCER)
    wanted = f"domain: has {length} characters; at most 243 with failover, whose records stand below it"
    assert found == ([] if allowed else [wanted])


def test_what_is_built_for_an_organization_is_decided_by_the_files_of_its_members(tmp_path: Path) -> None:
    for name, content in (("dev", DEV), ("common", COMMON), ("organization", ORGANIZATION.replace("[dev, sit, prod]", "[dev]", 1))):
        (tmp_path / f"{name}.yaml").write_text(content)
    platform = load(tmp_path, ("dev",))
    assert platform.files_of("organization") == ("organization", "dev") and platform.files_of("dev") == ("dev",)


@pytest.mark.parametrize(
    ("to", "other", "leads"),
    [
        ("/b", "/b", True),
        ("/b", "/b*", True),
        ("/b", "/bc", False),
        ("/b", "/b/*", False),
        ("/b/*", "/b/*", True),
        ("/b/*", "/b*", True),
        ("/b/*", "/b/c*", True),
        ("/b/*", "/b/c", True),
        ("/b/*", "/b", False),
        ("/b/*", "/c*", False),
        ("/b/*", "/c/b", False),
    ],
)
def test_where_a_redirect_may_be_redirected_again(to: str, other: str, leads: bool) -> None:
    assert _leads_into(Redirect(path="/a/*", to=to), Redirect(path=other, to="/z")) is leads


def test_names_of_what_is_made_in_an_account(tmp_path: Path) -> None:
    for name, content in (("dev", with_keys("basic_auth: {function_suffix: two}")), ("common", COMMON)):
        (tmp_path / f"{name}.yaml").write_text(content)
    env = load(tmp_path, ("dev",)).environments["dev"]
    assert (env.firewall_name, env.edge_function_name) == (f"{env.prefix}-site", f"{env.prefix}-basic-auth-two")
    assert (env.firewall_log_bucket, env.basic_auth_secret) == (f"aws-waf-logs-{env.bucket}", f"{env.project}/dev/basic-auth")


@pytest.mark.parametrize(("value", "shown"), [("[a]", "a list"), ("{a: b}", "a mapping"), ("true", "true"), ("", "empty"), ("7", '"7"')])
def test_a_value_is_told_by_what_it_is(value: str, shown: str, tmp_path: Path) -> None:
    [problem] = told(tmp_path, f"price_class: {value}")
    assert problem.startswith(f"price_class: is {shown}; expected ")


def test_what_cannot_be_read_is_told_in_the_words_of_its_reader_and_a_tab_in_ours(tmp_path: Path) -> None:
    [tab] = problems(tmp_path, DEV + "\tkey: value\n")
    assert "a tab; YAML takes spaces only" in tab
    for text in ("key: 'open\n", "a: b: c\n", "key: %x\n"):
        [problem] = problems(tmp_path, DEV + text)
        assert "not YAML: " in problem and "a tab" not in problem


def test_a_standby_that_is_the_site_of_another_environment_is_cloudfront_as_well(tmp_path: Path) -> None:
    sit = (ENVIRONMENTS / "sit.yaml").read_text()
    for name, wrong in (("sit.kimmyai.io", True), ("lb.sit.kimmyai.io", False)):
        dev = with_keys(f"failover: {{dns_name: {name}, hosted_zone_id: Z215JYRZR1TBD5}}")
        found = [each.split(": ", 1)[1] for each in problems(tmp_path, dev, sit=sit)]
        told = (
            "failover.dns_name: is the site of environment sit, which is CloudFront; Route 53 cannot fail over between two distributions,"
            " name a load balancer"
        )
        assert found == ([told] if wrong else [])
