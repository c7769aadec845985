"""Environment files: what is accepted, and that everything that is wrong is said at once, with file and line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assembly.certificate_names import certificate_covers
from environments.__main__ import SCHEMA, schema_text
from environments.loader import load, names
from environments.model import Environment, Organization
from environments.names import bucket_name_problem
from environments.problems import EnvironmentProblems
from environments.regions import DEFAULT_REGIONS, OPT_IN_REGIONS, REGIONS
from stacks.synthesis import synthesise
from tests.environments_fixture import ENVIRONMENTS, environments
from tests.golden_files import assert_golden

DEV = (ENVIRONMENTS / "dev.yaml").read_text()
COMMON = (ENVIRONMENTS / "common.yaml").read_text()


def problems(tmp_path: Path, dev: str = DEV, common: str = COMMON, **others: str) -> list[str]:
    """Every problem of a directory with these files, without the directory's name."""
    for name, text in {"dev": dev, "common": common, **others}.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    try:
        load(tmp_path, ("dev",))
    except EnvironmentProblems as error:
        return [str(problem).replace(f"{tmp_path}/", "") for problem in error.problems]
    return []


def line_of(text: str, needle: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if needle in line)


def test_the_owners_values() -> None:
    envs = environments()
    expected = {
        "dev": ("dev.kimmyai.io", "eu-west-1", "dev-kimmyai-web-public", "PriceClass_100", True),
        "sit": ("sit.kimmyai.io", "eu-west-1", "sit-kimmyai-web-public", "PriceClass_100", True),
        "prod": ("kimmyai.io", "af-south-1", "prod-kimmyai-web-public", "PriceClass_All", False),
    }
    for name, env in envs.items():
        assert (env.domain, env.home_region, env.bucket, env.price_class, env.basic_auth.enabled) == expected[name]
        assert env.hosted_zone.name == "kimmyai.io"
        assert env.hosted_zone.id is None
        assert env.certificate_names == ("kimmyai.io", "*.kimmyai.io")
        assert env.app.entry_path == "/buy"
        assert env.artifacts.bucket.startswith(f"bbws-{name}-")
        assert env.artifacts.lock_table.startswith("bbws-")
        assert env.artifacts.lock_table.endswith(f"-locks-{name}")
        assert len(set(env.account_id)) == 1, "an obvious placeholder"
    assert [envs[name].basic_auth.username for name in ("dev", "sit")] == ["admin", "admin"]
    protection = envs["prod"].protection
    assert (protection.change_approval, protection.termination_protection, protection.stack_policy) == (True, True, True)
    assert len({env.account_id for env in envs.values()}) == 3


def test_environments_are_frozen() -> None:
    with pytest.raises(AttributeError):
        environments()["dev"].domain = "other.kimmyai.io"  # type: ignore[misc]


def test_own_file_wins_and_mappings_are_merged(tmp_path: Path) -> None:
    dev = DEV + "\napp:\n  health_path: /alive\n"
    assert problems(tmp_path, dev) == []
    env = load(tmp_path, ("dev",)).environments["dev"]
    assert (env.app.health_path, env.app.entry_path) == ("/alive", "/buy")


def test_a_second_site_is_one_more_file(tmp_path: Path) -> None:
    shop = (
        DEV.replace("dev.kimmyai.io", "shop.kimmyai.io")
        .replace("dev-kimmyai-web-public", "shop-kimmyai-web-public")
        .replace("bbws-dev-web-artifacts", "bbws-shop-web-artifacts")
        .replace("bbws-web-locks-dev", "bbws-web-locks-shop")
        + "github:\n  create_provider: false\n"
    )
    assert problems(tmp_path, shop=shop) == []
    assert names(tmp_path) == ("dev", "shop")


def test_a_typo_in_the_environment_is_answered_with_a_guess() -> None:
    with pytest.raises(EnvironmentProblems, match=r'no such environment; did you mean "prod"\? there are: dev, organization, prod, sit'):
        load(ENVIRONMENTS, ("prd",))


OWNER = "hosted_zone: {account_id: '333333333333', role_arn: 'arn:aws:iam::333333333333:role/zone-records'}\n"


def test_environments_that_want_one_zone_in_several_accounts_are_told_apart_from_those_that_agree(tmp_path: Path) -> None:
    prod, sit = ((ENVIRONMENTS / f"{name}.yaml").read_text() for name in ("prod", "sit"))

    def rivals(**files: str) -> dict[str, tuple[str, ...]]:
        assert problems(tmp_path, **{"dev": DEV, "sit": sit, "prod": prod, **files}) == []
        return dict(load(tmp_path, ("dev",)).zone_rivals)

    assert rivals() == {"dev": ("prod", "sit"), "prod": ("dev", "sit"), "sit": ("dev", "prod")}, "as the files are shipped"
    assert rivals(dev=DEV + OWNER) == {"sit": ("dev", "prod")}, "dev says that it is prod's: who wants another one is alone to be refused"
    other = OWNER.replace("3" * 12, "4" * 12)
    assert set(rivals(dev=DEV + OWNER, sit=sit + other)) == {"dev", "prod", "sit"}, "two owners are named"
    assert set(rivals(prod=prod + "hosted_zone: {id: Z0123456789ABCDEFGHIJ}\n")) == {"dev", "sit"}, "an id settles it, too"
    assert rivals(dev=DEV + OWNER, sit=sit + OWNER) == {}
    own = "hosted_zone: {name: NAME}\ncertificate: {domain_name: NAME, subject_alternative_names: ['*.NAME']}\n"
    assert rivals(dev=DEV + own.replace("NAME", "dev.kimmyai.io"), sit=sit + own.replace("NAME", "sit.kimmyai.io")) == {}
    assert rivals(dev=DEV.replace("1" * 12, "3" * 12), sit=sit.replace("2" * 12, "3" * 12) + "github: {create_provider: false}\n",
                  prod=prod + "github: {create_provider: false}\n") == {}  # fmt: skip


def test_a_further_environment_that_wants_the_same_zone_leaves_the_assemblies_of_its_neighbours_as_they_are(tmp_path: Path) -> None:
    def digests(**files: str) -> dict[str, str]:
        assert problems(tmp_path, **files) == []
        platform = load(tmp_path, ("dev",))
        return {
            name: synthesise(env, zone_contested=name in platform.zone_rivals).assembly.digest
            for name, env in platform.environments.items()
        }

    qa = DEV.replace("1" * 12, "5" * 12).replace("dev", "qa")
    prod = (ENVIRONMENTS / "prod.yaml").read_text()
    nobodys, settled = digests(dev=DEV, prod=prod), digests(dev=DEV + OWNER, prod=prod)
    assert nobodys != settled
    with_qa = digests(dev=DEV, prod=prod, qa=qa)
    assert {**with_qa, **nobodys} == with_qa
    with_qa = digests(dev=DEV + OWNER, prod=prod, qa=qa)
    assert {**with_qa, **settled} == with_qa


CASES: dict[str, tuple[str, str, str, str]] = {
    # name: (what stands in dev.yaml, what replaces it, key, message)
    "unknown key": ("price_class:", "prize_class:", "prize_class", 'unknown key; did you mean "price_class"?'),
    "missing key": ("price_class: PriceClass_100", "", "price_class", "missing; one of PriceClass_100, PriceClass_200, PriceClass_All"),
    "bad choice": ("PriceClass_100", "PriceClass_9", "price_class", 'is "PriceClass_9"; expected one of PriceClass_100'),
    "number for text": ('"111111111111"', "111111111111", "account_id", 'expected text; quote it: "111111111111"'),
    "account": ('"111111111111"', '"1111"', "account_id", 'is "1111"; expected twelve digits'),
    "text for bool": ("enabled: true", "enabled: maybe", "basic_auth.enabled", 'is "maybe"; expected true or false'),
    "list for text": ("domain: dev.kimmyai.io", "domain: [dev.kimmyai.io]", "domain", "is a list; expected text"),
    "text for mapping": ("artifacts:", "tags: here\nartifacts:", "tags", 'is "here"; expected a mapping'),
    "text for keys": (
        "monitoring:\n",
        "monitoring: off\nx:\n",
        "monitoring",
        "is off, which YAML reads as false; expected a mapping with",
    ),
    "region": (
        "home_region: eu-west-1",
        "home_region: eu-west-9",
        "home_region",
        '"eu-west-9": not an AWS region; did you mean eu-west-',
    ),
    "outside the zone": ("domain: dev.kimmyai.io", "domain: dev.example.com", "domain", "is not in the hosted zone kimmyai.io"),
    "outside the certificate": (
        "domain: dev.kimmyai.io",
        "domain: a.dev.kimmyai.io",
        "domain",
        "is not covered by the certificate (kimmyai.io, *.kimmyai.io); a wildcard stands for exactly one label",
    ),
    "upper-case domain": ("domain: dev.kimmyai.io", "domain: Dev.kimmyai.io", "domain", "expected lower-case DNS name"),
    "no region": ("home_region: eu-west-1", "home_region: eu-west1", "home_region", "expected AWS region"),
    "bucket": ("bucket: dev-kimmyai-web-public", "bucket: Dev_Bucket", "bucket", "a bucket name has only a-z, 0-9 and hyphens; not B D _"),
    "edge region": (
        "enabled: true",
        "enabled: true\n  region: eu-west-1",
        "basic_auth.region",
        '"eu-west-1": Lambda@Edge functions are published from us-east-1 only',
    ),
    "edge log region": (
        "enabled: true",
        "enabled: true\n  log_regions: [us-east-1, af-south-1]",
        "basic_auth.log_regions[1]",
        '"af-south-1": Lambda@Edge does not run there',
    ),
    "certificate region": (
        "artifacts:",
        "certificate: {region: eu-west-1}\nartifacts:",
        "certificate.region",
        '"eu-west-1": CloudFront takes certificates from us-east-1 only',
    ),
    "certificate outside the zone": (
        "artifacts:",
        "certificate: {subject_alternative_names: ['*.kimmyai.io', '*.example.com']}\nartifacts:",
        "certificate.subject_alternative_names[1]",
        "is not in the hosted zone kimmyai.io",
    ),
    "foreign zone without role": (
        "artifacts:",
        "hosted_zone: {account_id: '444444444444'}\nartifacts:",
        "hosted_zone.role_arn",
        "missing; the zone belongs to account 444444444444",
    ),
    "zone id with its path": (
        "artifacts:",
        "hosted_zone: {id: /hostedzone/Z123456}\nartifacts:",
        "hosted_zone.id",
        'is "/hostedzone/Z123456"; expected hosted zone id, without /hostedzone/',
    ),
    "failover to CloudFront": (
        "artifacts:",
        "failover: {dns_name: d1.cloudfront.net, hosted_zone_id: Z2FDTNDATAQYW2}\nartifacts:",
        "failover.dns_name",
        "Route 53 cannot fail over between two distributions",
    ),
    "failover to a page without TLS": (
        "artifacts:",
        "failover: {dns_name: s3-website-eu-west-1.amazonaws.com, hosted_zone_id: Z1BKCTXD74EZPE}\nartifacts:",
        "failover.dns_name",
        "is an S3 website endpoint, which does not speak HTTPS, while browsers that were here before insist on it (HSTS)",
    ),
    "failover to a website of a bucket": (
        "artifacts:",
        "failover: {dns_name: standby.s3-website.eu-central-1.amazonaws.com, hosted_zone_id: Z21DNDUVLTQW6Q}\nartifacts:",
        "failover.dns_name",
        "is an S3 website endpoint",
    ),
    "failover to the site itself": (
        "artifacts:",
        "failover: {dns_name: dev.kimmyai.io, hosted_zone_id: Z32O12XQLNTSW2}\nartifacts:",
        "failover.dns_name",
        "is a name of the site itself, which leads to its distribution",
    ),
    "recovery into a bucket that may be another environment's": (
        "artifacts:",
        "disaster_recovery: {region: eu-west-2, bucket: sit-kimmyai-web-public}\nartifacts:",
        "disaster_recovery.bucket",
        'does not begin with "dev-kimmyai-web-public-": it may be another environment\'s',
    ),
    "recovery with a promise that always sounds": (
        "artifacts:",
        "disaster_recovery: {region: eu-west-2, bucket: dev-kimmyai-web-public-2, lag_minutes: 9, replication_time_control: true}"
        "\nartifacts:",
        "disaster_recovery.lag_minutes",
        "9 is less than the 15 minutes that replication time control promises",
    ),
    "recovery in no region": (
        "artifacts:",
        "disaster_recovery: {region: eu-west-7, bucket: dev-kimmyai-web-public-two}\nartifacts:",
        "disaster_recovery.region",
        "not an AWS region",
    ),
    "recovery at home": (
        "artifacts:",
        "disaster_recovery: {region: eu-west-1, bucket: other-bucket}\nartifacts:",
        "disaster_recovery.region",
        '"eu-west-1" is the home region',
    ),
    "open health path": ("artifacts:", "app: {health_path: /buy}\nartifacts:", "app.health_path", "answers without credentials"),
    "twice": ("domain: dev.kimmyai.io", "domain: dev.kimmyai.io\ndomain: x.kimmyai.io", "domain", "stands twice, first in line"),
    "environment name": ("artifacts:", "name: other\nartifacts:", "name", 'not a key: the environment is named by its file, "dev"'),
    "threshold": (
        "error_rate_4xx_percent: 60",
        "error_rate_4xx_percent: 600",
        "monitoring.error_rate_4xx_percent",
        'is "600"; expected at most 100',
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_problem_names_file_line_and_remedy(case: tuple[str, str, str, str], tmp_path: Path) -> None:
    before, after, key, message = case
    dev = DEV.replace(before, after, 1)
    assert dev != DEV
    found = [problem for problem in problems(tmp_path, dev) if f": {key}: " in problem]
    assert len(found) == 1, problems(tmp_path, dev)
    assert message in found[0]
    file, line, _ = found[0].split(":", 2)
    assert file == "dev.yaml"
    if "missing" in message:
        return
    last = key.replace("]", "").replace("[", ".").split(".")[-1]
    text = dev.splitlines()[int(line) - 1]
    assert last.isdigit() or last in text


def test_all_problems_of_all_files_at_once(tmp_path: Path) -> None:
    dev = DEV.replace("eu-west-1", "eu-moon-1").replace("PriceClass_100", "cheap")
    sit = DEV.replace("username: admin", "usrname: admin")
    common = COMMON.replace("cost_centre: bbws", "cost_centre: 7")
    found = problems(tmp_path, dev, common, sit=sit)
    assert {text.split(":")[0] for text in found} == {"dev.yaml", "sit.yaml", "common.yaml"}
    assert any("prize" not in text and "cheap" in text for text in found)
    assert any("usrname" in text and 'did you mean "username"?' in text for text in found)
    assert f'common.yaml:{line_of(common, "cost_centre")}: cost_centre: is "7"' in "\n".join(found)


def test_meaning_is_judged_although_types_are_wrong(tmp_path: Path) -> None:
    dev = (
        DEV.replace("price_class:", "prize_class:")
        .replace("eu-west-1", "eu-west-9")
        .replace("username:", "usr:")
        .replace("dev-kimmyai", "DEV")
    )
    text = "\n".join(problems(tmp_path, dev))
    for part in ("prize_class", "eu-west-9", "usr", "a-z, 0-9"):
        assert part in text
    dev = DEV.replace("username:", "usr:").replace("domain: dev.kimmyai.io", "domain: dev.example.com")
    text = "\n".join(problems(tmp_path, dev))
    assert "usr" in text
    assert "is not in the hosted zone" in text


def test_golden_problems(tmp_path: Path) -> None:
    dev = (
        DEV.replace("price_class:", "prize_class:")
        .replace("eu-west-1", "eu-west-9")
        .replace("username:", "usrname:")
        .replace("dev-kimmyai-web-public", "Dev_Web")
        .replace('"111111111111"', "111111111111")
        .replace("enabled: true", "enabled: maybe")
        + "domain: twice.kimmyai.io\n"
    )
    sit = DEV.replace("dev.kimmyai.io", "dev.example.com").replace("dev-kimmyai", "sit-kimmyai")
    assert_golden("errors/environments.txt", "\n".join(problems(tmp_path, dev, COMMON.replace("/healthz", "/buy"), sit=sit)) + "\n")


def test_semantic_problems_of_one_file_come_together(tmp_path: Path) -> None:
    dev = (
        DEV.replace("eu-west-1", "eu-west-9")
        .replace("bucket: dev-kimmyai-web-public", "bucket: -x-")
        .replace("dev.kimmyai.io\nb", "dev.org\nb")
    )
    text = "\n".join(problems(tmp_path, dev))
    assert "eu-west-9" in text
    assert "begins and ends" in text
    assert "dev.org" in text


def test_clashes_between_environments(tmp_path: Path) -> None:
    text = "\n".join(problems(tmp_path, copy=DEV))
    for kind in ("domain", "bucket", "lock table", "GitHub provider of account"):
        assert f'{kind} "' in text
    assert "is made by environment copy already" in text


def test_a_clash_is_told_where_the_name_stands_and_a_name_that_continues_another_only_in_one_account(tmp_path: Path) -> None:
    common = COMMON + "\ndisaster_recovery: {region: eu-central-1, bucket: dev-kimmyai-web-public-replica}\n"
    (found,) = (each for each in problems(tmp_path, common=common, copy=DEV) if '-replica" is made' in each)
    assert found.startswith(f"common.yaml:{line_of(common, 'disaster_recovery')}: disaster_recovery.bucket: ")
    further = DEV + "project: kimmyai-web-dev\n"
    assert any('begins with "kimmyai-web-dev-"' in each for each in problems(tmp_path, copy=further))
    elsewhere = further.replace("111111111111", "222222222222")
    assert not any("begins with" in each for each in problems(tmp_path, copy=elsewhere))


def test_the_second_provider_of_an_account_is_left_out_in_its_own_file(tmp_path: Path) -> None:
    """In common.yaml, where the repository stands, it would be switched off for every account."""
    (found,) = (each for each in problems(tmp_path, copy=DEV) if "GitHub provider" in each)
    assert found.startswith("dev.yaml:") and "write github.create_provider: false into this file" in found
    mended = DEV + "github:\n  create_provider: false\n"
    assert not [each for each in problems(tmp_path, mended, copy=DEV) if "GitHub provider" in each]


def test_without_a_repository_there_is_no_role_for_workflows(tmp_path: Path) -> None:
    from stacks.synthesis import synthesise

    assert problems(tmp_path) == []
    common = tmp_path / "common.yaml"
    common.write_text("\n".join(line for line in common.read_text().splitlines() if "github" not in line and "repository" not in line))
    built = synthesise(load(tmp_path, ("dev",)).environments["dev"])
    assert built.assembly.deploy_role_name == ""
    assert not {"github.repository"} & {p.key for p in built.assembly.placeholders}
    assert b"DeployRole" not in built.templates["foundation"] and b"OIDCProvider" not in built.templates["foundation"]


def test_ids_without_a_repository_are_a_slip(tmp_path: Path) -> None:
    assert problems(tmp_path) == []
    common = tmp_path / "common.yaml"
    text = "\n".join(line for line in common.read_text().splitlines() if "github" not in line and "repository" not in line)
    common.write_text(text + '\ngithub: {owner_id: "1", repository_id: "2"}\n')
    with pytest.raises(EnvironmentProblems, match="names no repository"):
        load(tmp_path, ("dev",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1, 2", "not YAML"),
        ("\t- x", "not YAML"),
        ("- a\n- b", "the top level must be a mapping"),
        ("just text", "the top level must be a mapping"),
        ("? [a, b]\n: 1\n", "a list or a mapping cannot be a key"),
        ("1: a\n", "keys are text; quote this one: 1"),
        ("a: &x [*x]\n", ""),
        ("!!python/object/apply:os.system ['true']", "not YAML"),
        ("\x00", "not YAML"),
        ("", "missing"),
    ],
)
def test_files_that_are_no_environment(text: str, message: str, tmp_path: Path) -> None:
    found = problems(tmp_path, text)
    assert found
    assert any(message in problem for problem in found)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    problems(tmp_path)
    (tmp_path / "dev.yaml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(EnvironmentProblems, match="not YAML"):
        load(tmp_path, ("dev",))


def test_a_missing_common_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text(DEV)
    with pytest.raises(EnvironmentProblems, match=r"common\.yaml:1: cannot be read: No such file"):
        load(tmp_path, ("dev",))


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(key=st.sampled_from([field.name for field in msgspec.structs.fields(type(environments()["dev"]))]), value=JSONISH)
def test_no_value_makes_the_loader_fall_over(key: str, value: object, tmp_path_factory: pytest.TempPathFactory) -> None:
    tmp_path = tmp_path_factory.mktemp("environments")
    own = [line for line in DEV.splitlines() if not line.startswith(f"{key}:")]
    problems(tmp_path, "\n".join(own) + f"\n{key}: {json.dumps(value)}\n")


def test_the_schema_is_current() -> None:
    assert SCHEMA.read_text() == schema_text(), "environments/schema.json is old; to write it: make schema"


def test_the_schema_accepts_our_files_and_knows_every_key() -> None:
    import jsonschema
    import yaml

    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path in (ENVIRONMENTS).glob("*.yaml"):
        assert list(validator.iter_errors(yaml.safe_load(path.read_text()))) == []
    assert list(validator.iter_errors({"prize_class": "x"}))


def test_regions_are_those_of_botocore() -> None:
    from botocore.session import Session

    assert set(Session().get_available_regions("s3", partition_name="aws")) == REGIONS
    assert not DEFAULT_REGIONS & OPT_IN_REGIONS


@pytest.mark.parametrize(
    ("name", "covers"), [("*.kimmyai.io", False), ("kimmyai.io", True)], ids=["a wildcard does not cover the apex", "the name itself"]
)
def test_certificate_covers_the_apex(name: str, covers: bool) -> None:
    assert certificate_covers(name, "kimmyai.io") is covers


@given(st.from_regex(r"[a-z0-9][a-z0-9-]{1,40}[a-z0-9]", fullmatch=True))
def test_plain_bucket_names_pass(name: str) -> None:
    reserved = name.startswith(("xn--", "sthree-", "amzn-s3-demo-")) or name.endswith(
        ("-s3alias", "--ol-s3", "--x-s3", "--table-s3", "-an")
    )
    assert (bucket_name_problem(name) is not None) is reserved


@pytest.mark.parametrize("name", ["ab", "a" * 64, "a.b.c", "A-bucket", "-abc", "abc-", "under_score", "xn--abc", "abc-s3alias", "ümlaut"])
def test_bucket_names_that_s3_refuses(name: str) -> None:
    assert bucket_name_problem(name)


ORGANIZATION = (ENVIRONMENTS / "organization.yaml").read_text()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("[dev, sit, prod]", "[dev]", ""),
        ("[dev, sit, prod]", "[dev, staging]", 'organization.yaml:9: environments[1]: "staging" is no environment; there are: dev'),
        ("[dev, sit, prod]", "[]", "environments: is a list; expected at least 1"),
        ("[dev, sit, prod]", "[dev]\nregion: us-moon-1", 'region: "us-moon-1": not an AWS region'),
        ("SELF_MANAGED #", "SERVICE_MANAGED #", 'environments[0]: "dev" has no unit'),
        ("[dev, sit, prod]", "[dev]\norganizational_units: {dev: ou-ab12-11111111}", "units are for permission_model SERVICE_MANAGED"),
        ("[dev, sit, prod]", "[dev]\nhosted_zone: {name: a.b}", "hosted_zone: unknown key"),
    ],
)
def test_organization(before: str, after: str, message: str, tmp_path: Path) -> None:
    text = "\n".join(problems(tmp_path, organization=ORGANIZATION.replace(before, after, 1)))
    assert (message in text) if message else (text == "")


def test_an_environment_without_its_own_foundation_must_be_a_member(tmp_path: Path) -> None:
    text = "\n".join(problems(tmp_path, DEV + "foundation: organization\n"))
    assert 'foundation: "organization", but dev is not among the environments of organization.yaml' in text


def patterns_without_words(kind: msgspec.inspect.Type, at: str, *, said: bool = False) -> Iterator[str]:
    match kind:
        case msgspec.inspect.StructType(fields=fields):
            for field in fields:
                yield from patterns_without_words(field.type, f"{at}.{field.name}")
        case msgspec.inspect.UnionType(types=types):
            for each in types:
                yield from patterns_without_words(each, at)
        case msgspec.inspect.Metadata(type=inner, extra_json_schema=schema):
            yield from patterns_without_words(inner, at, said="description" in (schema or {}))
        case msgspec.inspect.VarTupleType(item_type=item):
            yield from patterns_without_words(item, at)
        case msgspec.inspect.DictType(key_type=key, value_type=value):
            yield from patterns_without_words(key, at)
            yield from patterns_without_words(value, at)
        case msgspec.inspect.StrType(pattern=str()) if not said:
            yield at


@pytest.mark.parametrize("kind", [Environment, Organization])
def test_what_a_pattern_allows_is_said_in_words(kind: type[msgspec.Struct]) -> None:
    assert list(patterns_without_words(msgspec.inspect.type_info(kind), kind.__name__)) == []
