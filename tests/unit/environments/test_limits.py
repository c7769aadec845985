"""Both sides of each limit of the environment files: what is just allowed, and the one thing that is wrong beyond it."""

from __future__ import annotations

from pathlib import Path

import pytest

from environments.loader import load
from environments.model import CSP_CHARACTERS
from environments.names import bucket_name_problem
from environments.problems import EnvironmentProblems
from environments.routing import REDIRECTS
from tests.environments_fixture import environments
from tests.unit.environments.test_environments import COMMON, DEV, ORGANIZATION, problems

START = "artifacts:\n"


def of(tmp_path: Path, text: str, *, replacing: str = START, common: str = COMMON, **others: str) -> list[str]:
    """The problems once `text` stands before (or, with `replacing`, in the place of) a part of dev.yaml, without file and line."""
    dev = DEV.replace(replacing, f"{text}\n{START}" if replacing == START else text, 1)
    assert dev != DEV
    return [problem.split(": ", 1)[1] for problem in problems(tmp_path, dev, common, **others)]


ALLOWED = {
    "failover": "failover: {dns_name: lb.eu-central-1.elb.amazonaws.com, hosted_zone_id: Z215JYRZR1TBD5}",
    "a firewall with one rule": "firewall: {rate: 'off', core_rules: 'off'}",
    "a firewall that only counts": "firewall: {rate: count, core_rules: count, known_bad_inputs: count}",
    "both ids": "github: {owner_id: '1', repository_id: '2'}",
    "no repository": "github: {repository: null}",
    "an entry below a folder with a dot": "app: {entry_path: /v1.0/buy}",
    "as many redirects as there may be": f"redirects: [{', '.join(f'{{path: /a{number}, to: /b}}' for number in range(REDIRECTS))}]",
    "forty-six tags": f"tags: {{{', '.join(f'k{number}: v' for number in range(46))}}}",
    "failover named like a website": "failover: {dns_name: my-s3-website-lb.example.com, hosted_zone_id: Z215JYRZR1TBD5}",
}

WRONG: dict[str, tuple[str, list[str]]] = {
    "a canary outside of the regions": (
        "basic_auth: {log_regions: [us-east-1], log_canary_region: eu-west-1}",
        ['basic_auth.log_canary_region: "eu-west-1" is not among log_regions'],
    ),
    "logs in no region": (
        "basic_auth: {log_regions: [us-east-1, eu-east-9]}",
        ['basic_auth.log_regions[1]: "eu-east-9": not an AWS region; did you mean us-east-2?'],
    ),
    "a region twice": (
        "basic_auth: {log_regions: [us-east-1, us-east-1], log_canary_region: us-east-1}",
        ["basic_auth.log_regions: a region stands twice"],
    ),
    "a name twice": (
        "certificate: {domain_name: kimmyai.io, subject_alternative_names: ['*.kimmyai.io', '*.kimmyai.io']}",
        ["certificate.subject_alternative_names: a name stands twice in the certificate"],
    ),
    "a first name outside of the zone": (
        "certificate: {domain_name: example.com, subject_alternative_names: ['*.kimmyai.io']}",
        ['certificate.domain_name: "example.com" is not in the hosted zone kimmyai.io, so its validation record cannot be written there'],
    ),
    "failover to CloudFront by its name": (
        "failover: {dns_name: d1.cloudfront.net, hosted_zone_id: Z215JYRZR1TBD5}",
        ["failover.dns_name: is CloudFront; Route 53 cannot fail over between two distributions, name a load balancer"],
    ),
    "failover to CloudFront by its zone": (
        "failover: {dns_name: www.example.com, hosted_zone_id: Z2FDTNDATAQYW2}",
        ["failover.dns_name: is CloudFront; Route 53 cannot fail over between two distributions, name a load balancer"],
    ),
    "failover from a foreign zone": (
        "hosted_zone: {account_id: '444444444444', role_arn: 'arn:aws:iam::444444444444:role/dns'}\n"
        "failover: {dns_name: lb.example.com, hosted_zone_id: Z215JYRZR1TBD5}",
        [
            "failover: failover records need a health check in the zone's account; put the zone into this account or leave failover out",
        ],
    ),
    "a role of another account": (
        "hosted_zone: {account_id: '444444444444', role_arn: 'arn:aws:iam::555555555555:role/dns'}",
        ["hosted_zone.role_arn: is a role of another account than the zone's (444444444444)"],
    ),
    "the root as health path": (
        "app: {health_path: /}",
        ['app.health_path: "/" answers without credentials, so it cannot be the app itself; for example /healthz'],
    ),
    "a folder as page": (
        "app: {index_document: /index}",
        ['app.index_document: "/index" is no file; expected for example /index.html'],
    ),
    "a file as entry": (
        "app: {entry_path: /buy.html}",
        ['app.entry_path: "/buy.html" looks like a file; an entry path has no extension, for example /buy'],
    ),
    "an index document whose extension is a route": (
        "routing: {file_extensions: [js]}",
        ['routing.file_extensions: lacks "html", the extension of app.index_document'],
    ),
    "an extension with its dot": (
        "routing: {file_extensions: [html, .js]}",
        ['routing.file_extensions[1]: is ".js"; expected file extension in lower case, without the dot, for example glb.'],
    ),
    "a redirect to another host": (
        "redirects: [{path: /old, to: //evil.example}]",
        [
            'redirects[0].to: is "//evil.example"; expected path with a leading slash, as a browser sends it; one asterisk at its end'
            " stands for the rest."
        ],
    ),
    "a redirect that takes the app's files away": (
        "redirects: [{path: '/assets*', to: /elsewhere}]",
        ['redirects[0].path: "/assets*" takes the site\'s own pages away (/assets/)'],
    ),
    "a redirect that nobody reaches": (
        "redirects: [{path: /a/../b, to: /c}, {path: /d, to: /e%00}, {path: /f%, to: /g}]",
        [
            'redirects[0].path: "/a/../b" is refused by the edge with 400, whoever asks (dot segments, control characters, a lone "%")',
            'redirects[1].to: "/e%00" is refused by the edge with 400, whoever asks (dot segments, control characters, a lone "%")',
            'redirects[2].path: "/f%" is refused by the edge with 400, whoever asks (dot segments, control characters, a lone "%")',
        ],
    ),
    "a redirect in small letters": (
        "redirects: [{path: /caf%c3%A9/x%2d, to: /c}]",
        ['redirects[0].path: "/caf%c3%A9/x%2d" is compared letter by letter, and browsers write capitals: "/caf%C3%A9/x%2D"'],
    ),
    "a redirect that takes the app away": (
        "redirects: [{path: '/*', to: /elsewhere}]",
        [
            'redirects[0].path: "/*" takes the site\'s own pages away (/, /buy, /buy/, /index.html, /healthz, /assets/)',
            'redirects[0].to: "/elsewhere" is redirected again, by "/*"; name where it ends',
        ],
    ),
    "redirects in a circle": (
        "redirects: [{path: /a, to: /b}, {path: /b, to: /a}]",
        [
            'redirects[0].to: "/b" is redirected again, by "/b"; name where it ends',
            'redirects[1].to: "/a" is redirected again, by "/a"; name where it ends',
        ],
    ),
    "one redirect too many": (
        f"redirects: [{', '.join(f'{{path: /a{number}, to: /b}}' for number in range(REDIRECTS + 1))}]",
        ["redirects[200].path: 201 redirects; at most 200"],
    ),
    "a redirect that grows": (
        "redirects: [{path: '/a/*', to: '/a/b/*'}]",
        ['redirects[0].to: "/a/b/*" is redirected again, by "/a/*"; name where it ends'],
    ),
    "a redirect that is never reached": (
        "redirects: [{path: '/a/*', to: /c}, {path: /a/b, to: /d}]",
        ['redirects[1].path: "/a/b" is never reached: an earlier entry takes it; put this one first'],
    ),
    "a rest of nothing": (
        "redirects: [{path: /a, to: '/b/*'}]",
        ['redirects[0].to: "/b/*" has an asterisk, and "/a" has none that could stand for something'],
    ),
    "another status": (
        "redirects: [{path: /a, to: /b, status: 303}]",
        ['redirects[0].status: is "303"; expected one of 301, 302, 307, 308'],
    ),
    "a redirect host of another zone": (
        "redirect_hosts: [www.example.org]",
        [
            'redirect_hosts[0]: "www.example.org" is not in the hosted zone kimmyai.io, so neither its records nor its'
            " certificate can be made",
        ],
    ),
    "the site as its own redirect host": (
        "redirect_hosts: [dev.kimmyai.io]",
        ['redirect_hosts[0]: domain "dev.kimmyai.io" is the domain of this environment already, or derived from it; choose another name'],
    ),
    "a rule that hides others": (
        "publishing: {cache_rules: [{pattern: '*', cache_control: no-cache}, {pattern: '*.js', cache_control: no-store}]}",
        ['publishing.cache_rules[0]: the pattern "*" matches everything, so the rules after it are never used; put it last'],
    ),
    "a hashed path twice": (
        "publishing: {hashed_paths: ['/assets/*', 'assets/*']}",
        ['publishing.hashed_paths[1]: "assets/*" is the path of an earlier entry; keep one'],
    ),
    "a text or a mapping that is empty": (
        "security_headers: {content_security_policy: }",
        ["security_headers.content_security_policy: is empty; expected text. Printable ASCII."],
    ),
    "a number for an optional text": (
        "hosted_zone: {id: 5}",
        ['hosted_zone.id: is "5"; expected text. Hosted zone id, without /hostedzone/.'],
    ),
    "a firewall without a rule": (
        "firewall: {rate: 'off', core_rules: 'off', known_bad_inputs: 'off'}",
        ["firewall: every rule is off, so it would cost money and do nothing; leave the key out"],
    ),
    "one of two ids": (
        "github: {owner_id: '1'}",
        ["github: owner_id and repository_id go together: give both or neither"],
    ),
    "the other of two ids": (
        "github: {repository_id: '2'}",
        ["github: owner_id and repository_id go together: give both or neither"],
    ),
    "a workflow's environment without its repository": (
        "github: {repository: null, environment: live}",
        ["github: names no repository, so no workflow may deploy; add github.repository, or leave github out"],
    ),
    "forty-seven tags": (
        f"tags: {{{', '.join(f'k{number}: v' for number in range(47))}}}",
        ["tags: 47 tags; beside its own a stack takes 46"],
    ),
    "a list for a text": (
        "basic_auth: {username: [ann]}",
        ["basic_auth.username: is a list; expected text. User name; RFC 7617 forbids a colon in it; 1 to 64 characters."],
    ),
}


def with_keys(text: str) -> str:
    """dev.yaml with these keys, in the place of those of their names."""
    dev = DEV
    for key in (line.split(":", 1)[0] for line in text.splitlines() if not line.startswith(" ")):
        if f"\n{key}:" in dev:
            lines = dev.splitlines()
            start = next(number for number, line in enumerate(lines) if line.startswith(f"{key}:"))
            end = next((n for n in range(start + 1, len(lines)) if lines[n] and not lines[n].startswith((" ", "#"))), len(lines))
            dev = "\n".join([*lines[:start], *lines[end:]]) + "\n"
    return dev + text + "\n"


def told(tmp_path: Path, text: str) -> list[str]:
    """The problems of dev.yaml with these keys, without file and line."""
    return [problem.split(": ", 1)[1] for problem in problems(tmp_path, with_keys(text))]


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_the_only_problem(case: str, tmp_path: Path) -> None:
    text, wanted = WRONG[case]
    assert told(tmp_path, text) == wanted


@pytest.mark.parametrize("case", ALLOWED)
def test_what_is_allowed_is_no_problem(case: str, tmp_path: Path) -> None:
    assert of(tmp_path, ALLOWED[case]) == []


def test_the_last_rule_may_match_everything(tmp_path: Path) -> None:
    rules = "publishing: {cache_rules: [{pattern: '*.js', cache_control: no-store}, {pattern: '*', cache_control: no-cache}]}"
    assert of(tmp_path, rules) == []


@pytest.mark.parametrize(("length", "allowed"), [(64, True), (65, False)])
def test_the_first_name_of_a_certificate_is_short(length: int, allowed: bool, tmp_path: Path) -> None:
    first = "a" * 20 + "." + "b" * (length - 20 - 1 - len(".kimmyai.io")) + ".kimmyai.io"
    assert len(first) == length
    found = of(tmp_path, f"certificate: {{domain_name: {first}, subject_alternative_names: ['*.kimmyai.io']}}")
    assert len(found) == (0 if allowed else 1)
    if not allowed:
        assert f"certificate.domain_name: has {length} characters; the first name of a certificate has at most 64" in found[0]


def test_a_bucket_leaves_room_for_the_name_of_its_log_bucket(tmp_path: Path) -> None:
    def named(length: int) -> list[str]:
        return of(tmp_path, f"bucket: {'b' * length}", replacing="bucket: dev-kimmyai-web-public")

    longest = next(length for length in range(63, 3, -1) if not named(length))
    [problem] = named(longest + 1)
    assert problem.startswith(f'bucket: "{"b" * (longest + 1)}" has {longest + 1} characters; at most {longest}, since "')
    [largest] = named(63)
    assert f"has 63 characters; at most {longest}" in largest
    [too_long] = named(64)
    assert too_long.endswith("a bucket name has 3 to 63 characters, this one 64")


@pytest.mark.parametrize(("key", "value", "allowed"), [(128, 256, True), (129, 1, False), (1, 257, False)])
def test_tags_have_the_lengths_that_aws_takes(key: int, value: int, allowed: bool, tmp_path: Path) -> None:
    found = of(tmp_path, f"tags: {{{'k' * key}: {'v' * value}}}")
    assert (found == []) == allowed, found
    assert of(tmp_path, "tags: {'AWS:x': y}") == ['tags.AWS:x: AWS keeps keys that begin with "aws:" to itself']


@pytest.mark.parametrize(("length", "allowed"), [(9, True), (10, False)])
def test_a_prefix_fits_into_the_names_of_roles(length: int, allowed: bool, tmp_path: Path) -> None:
    name = "n" * length
    found = [
        each for each in problems(tmp_path, common=f"{COMMON}\n".replace("kimmyai-web", "p" * 30), **{name: DEV}) if "role names" in each
    ]
    wanted = f'{name}.yaml:1: project and environment make the name prefix "{"p" * 30}-{name}", 41 long; at most 40 fit into IAM role names'
    assert found == ([] if allowed else [wanted])


@pytest.mark.parametrize("longer", [0, 1])
def test_a_content_security_policy_is_as_long_as_cloudfront_takes(longer: int, tmp_path: Path) -> None:
    shortest = len(environments()["dev"].security_headers.csp)
    source = "x" * (CSP_CHARACTERS - shortest - len(" ") + longer)
    text = f"security_headers: {{content_security_policy: {{img-src: [{source}]}}}}"
    wanted = f"security_headers.content_security_policy: makes a policy of {CSP_CHARACTERS + 1:,} characters; at most {CSP_CHARACTERS:,}"
    assert told(tmp_path, text) == ([wanted] if longer else [])


@pytest.mark.parametrize(("name", "allowed"), [("abc", True), ("ab", False), ("a" * 63, True), ("a" * 64, False)])
def test_the_lengths_of_a_bucket_name(name: str, allowed: bool) -> None:
    assert (bucket_name_problem(name) is None) == allowed


# --- the organization ---------------------------------------------------------------------------------------------


def organized(tmp_path: Path, before: str, after: str) -> list[str]:
    text = ORGANIZATION.replace("[dev, sit, prod]", "[dev]", 1)
    changed = text.replace(before, after, 1)
    assert changed != text
    return [problem.split(": ", 1)[1] for problem in problems(tmp_path, organization=changed)]


def test_what_an_organization_cannot_be(tmp_path: Path) -> None:
    units = "SERVICE_MANAGED\norganizational_units: {dev: ou-ab12-11111111}\n#"
    assert organized(tmp_path, "SELF_MANAGED #", f"{units} #") == []
    assert organized(tmp_path, "SELF_MANAGED #", f"{units.removesuffix('#')}delegated_administrator: true\n# #") == []
    assert organized(tmp_path, "environments: [dev]", "environments: [dev]\ndelegated_administrator: true") == [
        "delegated_administrator: a delegated administrator is for permission_model SERVICE_MANAGED"
    ]


def test_an_environment_in_the_management_account_is_out_of_reach_of_service_managed_sets(tmp_path: Path) -> None:
    account = next(line.split('"')[1] for line in ORGANIZATION.splitlines() if line.startswith("account_id:"))
    units = "SERVICE_MANAGED\norganizational_units: {dev: ou-ab12-11111111}\n#"
    organization = ORGANIZATION.replace("[dev, sit, prod]", "[dev]", 1)
    dev = DEV.replace("111111111111", account)
    self_managed = problems(tmp_path, dev, organization=organization)
    service_managed = problems(tmp_path, dev, organization=organization.replace("SELF_MANAGED #", f"{units} #", 1))
    assert not any("management account" in problem for problem in self_managed)
    assert any('environments[0]: "dev" lives in the management account' in problem for problem in service_managed)


def test_what_only_shows_between_files_waits_until_all_of_them_can_be_read(tmp_path: Path) -> None:
    foundation = DEV + "foundation: organization\n"
    told = "is not among the environments of organization.yaml"
    assert any(told in problem for problem in problems(tmp_path, foundation))
    assert not any(told in problem for problem in problems(tmp_path, foundation, sit="a: [1, 2"))
    (tmp_path / "sit.yaml").unlink()
    assert not any(told in problem for problem in problems(tmp_path, foundation, organization="a: [1, 2"))


def test_the_organization_is_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text(DEV)
    (tmp_path / "common.yaml").write_text(COMMON)
    without = load(tmp_path, ("dev",))
    with pytest.raises(KeyError):
        without["organization"]
    (tmp_path / "organization.yaml").write_text(ORGANIZATION.replace("[dev, sit, prod]", "[dev]", 1))
    platform = load(tmp_path, ("dev",))
    assert platform["organization"] is platform.organization and platform["dev"].name == "dev"
    with pytest.raises(KeyError):
        platform["sit"]


# --- words --------------------------------------------------------------------------------------------------------


def test_a_long_value_is_cut_and_a_short_one_is_not(tmp_path: Path) -> None:
    def shown(text: str) -> str:
        [problem] = of(tmp_path, f"price_class: {text}", replacing="price_class: PriceClass_100")
        return problem.split("; expected")[0].removeprefix("price_class: is ")

    assert shown("x" * 78) == f'"{"x" * 78}"'
    assert shown("x" * 79) == f'"{"x" * 75}..."'


def test_the_name_of_an_environment_is_its_file(tmp_path: Path) -> None:
    found = of(tmp_path, "name: dev")
    assert found == ['name: not a key: the environment is named by its file, "dev"']
    [alike] = of(tmp_path, "nam: dev")
    assert alike.startswith("nam: unknown key; the keys here are: project, ")


def test_a_name_in_another_script_is_told_as_dns_has_it(tmp_path: Path) -> None:
    [problem, *_] = of(tmp_path, "domain: bücher.kimmyai.io", replacing="domain: dev.kimmyai.io")
    assert 'in DNS it is "xn--bcher-kva.kimmyai.io"' in problem
    [other, *_] = of(tmp_path, "domain: 'a b'", replacing="domain: dev.kimmyai.io")
    assert "in DNS it is" not in other and "expected lower-case DNS name" in other


def test_an_unknown_environment_is_answered_with_those_that_there_are(tmp_path: Path) -> None:
    (tmp_path / "common.yaml").write_text(COMMON)
    with pytest.raises(EnvironmentProblems, match="no such environment; there are: none"):
        load(tmp_path, ("dev",))
    (tmp_path / "dev.yaml").write_text(DEV)
    with pytest.raises(EnvironmentProblems, match='no such environment; did you mean "dev"'):
        load(tmp_path, ("dve",))
    with pytest.raises(EnvironmentProblems, match="no such environment; there are: dev"):
        load(tmp_path, ("production",))


@pytest.mark.parametrize(("count", "allowed"), [(10, True), (11, False)])
def test_a_certificate_has_ten_names(count: int, allowed: bool, tmp_path: Path) -> None:
    others = ", ".join(["'*.kimmyai.io'", *(f"n{number}.kimmyai.io" for number in range(count - 2))])
    found = of(tmp_path, f"certificate: {{domain_name: kimmyai.io, subject_alternative_names: [{others}]}}")
    wanted = f"certificate.subject_alternative_names: the certificate has {count} names; ACM takes 10"
    assert found == ([] if allowed else [wanted])


@pytest.mark.parametrize("longer", [0, 1])
def test_the_names_of_a_certificate_have_two_thousand_characters_together(longer: int, tmp_path: Path) -> None:
    label = "a" * 60
    others = [f"{number}.{label}.{label}.{label}.{number}{'b' * 30}.kimmyai.io" for number in range(8)]
    rest = 2000 + longer - len("kimmyai.io") - sum(map(len, others))
    last = f"{'c' * (rest - len('.kimmyai.io') - 122)}.{label}.{label}.kimmyai.io"
    names = ", ".join([*others, last])
    text = f"certificate: {{domain_name: kimmyai.io, subject_alternative_names: [{names}]}}\ndomain: {others[0]}"
    wanted = (
        "certificate.subject_alternative_names: the names have 2,001 characters together; at most 2,000 fit into a policy."
        " A wildcard stands for many"
    )
    assert told(tmp_path, text) == ([wanted] if longer else [])
