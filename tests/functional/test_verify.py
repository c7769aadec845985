"""Verify against a site that keeps every promise, and against sites that break exactly one."""

from __future__ import annotations

import dataclasses
import ssl
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import trustme

from assembly.model import SiteContract
from stacks.synthesis import synthesise
from tests.envelopes import envelope
from tests.environments_fixture import FAILOVER, changed, environments
from tests.functional import breakable, frontend
from tests.functional.harness import CommandLine
from verification.checks.tls import CERTIFICATE_DAYS
from verification.model import Endpoint, Result, Target
from verification.verify import checks, verify

pytestmark = pytest.mark.functional

RECORDS = {
    "A": ("203.0.113.5", "203.0.113.9"),
    "AAAA": ("2001:db8:1::5",),
    "HTTPS": ('1 . alpn="h3,h2"',),
}


def contract_of(name: str) -> SiteContract:
    """Of an environment of the repository, with runtime configuration."""
    found = synthesise(environments()[name]).assembly.contract
    assert found is not None
    return msgspec.structs.replace(found, config_json={"api": "https://api.example"})


class Setting:
    """A site with all that belongs to it."""

    def __init__(self, name: str, ca: trustme.CA, ca_file: Path) -> None:
        self.contract = contract_of(name)
        self.site = breakable.Site(self.contract, frontend.BUILT)
        self.ca = ca
        self.records: dict[tuple[str, str], tuple[str, ...]] = {}
        for kind, values in RECORDS.items():
            self.records[(self.contract.domain, kind)] = values
            self.records[(breakable.DISTRIBUTION, kind)] = values
        self.bucket_open = False
        self.target = Target(
            contract=self.contract,
            username=breakable.USER,
            password=breakable.PASSWORD,
            distribution_domain=breakable.DISTRIBUTION,
            index_sha256=frontend.sha256_of(frontend.BUILT / "index.html"),
            ca_file=str(ca_file),
            timeout=60,
        )

    async def bucket(self, scope: object, receive: object, send: breakable.Send) -> None:
        """The bucket's own address."""
        await send({"type": "http.response.start", "status": 200 if self.bucket_open else 403, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def results(self, target: Target | None = None) -> dict[str, Result]:
        """By id."""
        return {r.id: r for r in verify(target or self.target, now=lambda: datetime.now(UTC))}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    """An authority and its file."""
    ca = breakable.authority()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return ca, path


@pytest.fixture(scope="module", params=["dev", "prod"])
def setting(request: pytest.FixtureRequest, certificates: tuple[trustme.CA, Path]) -> Iterator[Setting]:
    """With Basic Auth and without."""
    made = Setting(request.param, *certificates)
    names = made.contract.certificate_names
    with (
        breakable.served(made.site, breakable.tls(made.ca, *names)) as secure,
        breakable.served(made.site, None) as plain,
        breakable.served(made.bucket, None) as bucket,
        breakable.name_server(made.records) as dns_port,
    ):
        made.target = dataclasses.replace(
            made.target,
            endpoint=Endpoint(host="127.0.0.1", port=secure),
            plain_endpoint=Endpoint(host="127.0.0.1", port=plain),
            bucket_url=f"http://127.0.0.1:{bucket}",
            nameservers=(("127.0.0.1", dns_port),),
        )
        yield made


def failed(results: dict[str, Result]) -> dict[str, str]:
    """Id and detail of what is broken."""
    return {r.id: r.detail for r in results.values() if r.status == "failed"}


def test_a_site_that_keeps_its_contract_passes_every_check(setting: Setting) -> None:
    results = setting.results()
    assert failed(results) == {}
    skipped = {r.id for r in results.values() if r.status == "skipped"}
    wanted = (
        {"edge.compressed"}
        if setting.contract.basic_auth
        else {"edge.compressed"} | {"auth.wrong", "auth.accepted", "auth.everything", "auth.health"}
    )
    assert skipped == wanted


BY_THE_APP = [
    identity
    for identity, _ in checks()
    if identity.split(".")[0] in ("auth", "app", "assets", "cache", "headers") or identity in ("http.redirect", "http.3")
]


@pytest.mark.parametrize("identity", BY_THE_APP)
def test_breaking_one_promise_fails_its_check(setting: Setting, identity: str) -> None:
    if not setting.contract.basic_auth and identity in ("auth.wrong", "auth.accepted", "auth.everything", "auth.health"):
        pytest.skip("a promise of Basic Auth")
    setting.site.broken = identity
    try:
        broken = failed(setting.results())
    finally:
        setting.site.broken = ""
    assert identity in broken, broken
    follows = {
        "app.entry": {"app.deep_link", "app.release", "app.root"}
        | {i for i, _ in checks() if i.split(".")[0] in ("assets", "cache", "headers", "pages")},
        "auth.accepted": set(broken),
        "auth.challenge": set(broken) if not setting.contract.basic_auth else set(),
        "assets.load": {"assets.compressed", "cache.assets"},
        "auth.everything": set(),
    }
    # Checks of the edge and of the page look at the same answers.
    broken = {check: detail for check, detail in broken.items() if not check.startswith(("edge.", "pages.")) or check == identity}
    assert set(broken) <= {identity} | follows.get(identity, set()) | ({"auth.everything"} if identity == "app.entry" else set()), broken


@pytest.mark.parametrize("kind", list(RECORDS))
def test_a_record_that_points_elsewhere_or_is_missing_fails(setting: Setting, kind: str) -> None:
    key, identity = (setting.contract.domain, kind), f"dns.{kind.lower()}"
    other = {"A": ("198.51.100.7",), "AAAA": ("2001:db8:ffff::1",), "HTTPS": ('1 . alpn="h2"',)}
    before = setting.records[key]
    try:
        setting.records[key] = other[kind]
        assert set(failed(setting.results())) == {identity}
        del setting.records[key]
        assert set(failed(setting.results())) == {identity}
    finally:
        setting.records[key] = before


def test_an_open_bucket_fails(setting: Setting) -> None:
    setting.bucket_open = True
    try:
        assert set(failed(setting.results())) == {"bucket.private"}
    finally:
        setting.bucket_open = False


def _served_with(setting: Setting, context: ssl.SSLContext) -> dict[str, str]:
    with breakable.served(setting.site, context) as port:
        return failed(setting.results(dataclasses.replace(setting.target, endpoint=Endpoint(host="127.0.0.1", port=port))))


def test_a_certificate_without_a_configured_name_fails(setting: Setting) -> None:
    assert set(_served_with(setting, breakable.tls(setting.ca, setting.contract.domain, "other.example"))) == {"tls.names"}


def test_a_certificate_that_ends_soon_fails(setting: Setting) -> None:
    soon = datetime.now(UTC) + timedelta(days=CERTIFICATE_DAYS - 1)
    assert set(_served_with(setting, breakable.tls(setting.ca, *setting.contract.certificate_names, expires=soon))) == {"tls.days"}


def test_a_certificate_of_a_stranger_fails(setting: Setting) -> None:
    assert "tls.chain" in _served_with(setting, breakable.tls(breakable.authority(), *setting.contract.certificate_names))


def test_no_http2_fails(setting: Setting) -> None:
    assert set(_served_with(setting, breakable.tls(setting.ca, *setting.contract.certificate_names, alpn=("http/1.1",)))) == {"http.2"}


@pytest.mark.parametrize(
    ("lowest", "highest", "identity"),
    [("TLSv1_1", "TLSv1_3", "tls.old"), ("TLSv1_3", "TLSv1_3", "tls.1.2"), ("TLSv1_2", "TLSv1_2", "tls.1.3")],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_other_tls_versions_than_configured_fail(setting: Setting, lowest: str, highest: str, identity: str) -> None:
    context = breakable.tls(setting.ca, *setting.contract.certificate_names)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion[lowest], ssl.TLSVersion[highest]
    assert set(_served_with(setting, context)) == {identity}


def test_every_check_is_shown_to_fail_somewhere() -> None:
    elsewhere = {"dns.a", "dns.aaaa", "dns.https", "bucket.private", "http.2", "replica.current", "replica.readers"}
    elsewhere |= {"tls.chain", "tls.names", "tls.days", "tls.1.2", "tls.1.3", "tls.old"}
    # Those of the edge and of the page: tests/unit/website/test_checks.py; with a browser: tests/browser/test_pages.py.
    assert {identity for identity, _ in checks() if not identity.startswith(("edge.", "pages.", "browser."))} == elsewhere | set(BY_THE_APP)


def test_a_site_that_is_not_there_is_a_table_of_failures_not_a_traceback(setting: Setting) -> None:
    target = dataclasses.replace(
        setting.target, endpoint=Endpoint(host="127.0.0.1", port=9), plain_endpoint=Endpoint(host="127.0.0.1", port=9)
    )
    broken = failed(setting.results(target))
    assert {"tls.chain", "app.entry", "http.redirect"} <= set(broken)
    assert "Connection" in broken["app.entry"]


def test_the_password_is_not_sent_in_the_clear_to_another_host(setting: Setting) -> None:
    target = dataclasses.replace(setting.target, endpoint=Endpoint(host="192.0.2.1", port=80, tls=False), timeout=0.05)
    results = setting.results(target)
    if setting.contract.basic_auth:
        assert results["auth.accepted"].status == "skipped"
        assert "without TLS" in results["auth.accepted"].detail


def test_no_https_record_is_missed_where_failover_leaves_it_out(setting: Setting) -> None:
    contract = synthesise(changed(environments()["prod"], FAILOVER)).assembly.contract
    assert contract is not None
    domain = setting.contract.domain
    target = dataclasses.replace(setting.target, contract=msgspec.structs.replace(setting.contract, https_record=contract.https_record))
    records = setting.records.pop((domain, "HTTPS"))
    try:
        assert setting.results()["dns.https"].status == "failed"
        assert setting.results(target)["dns.https"].status == "skipped"
    finally:
        setting.records[(domain, "HTTPS")] = records


def test_the_command_line_against_a_resolved_address(
    setting: Setting, certificates: tuple[trustme.CA, Path], tmp_path: Path, command_line: CommandLine
) -> None:
    name = "dev" if setting.contract.basic_auth else "prod"
    synthesis = synthesise(environments()[name])
    frontend.write(synthesis, tmp_path / "dist")
    endpoint, plain = setting.target.endpoint, setting.target.plain_endpoint
    assert endpoint is not None
    assert plain is not None
    junit = tmp_path / "verify.xml"
    password = tmp_path / "password"
    password.write_text(breakable.PASSWORD + "\n")
    arguments = ["verify", "--env", name, "--dist", str(tmp_path / "dist"), "--resolve", f"127.0.0.1:{endpoint.port}"]
    arguments += ["--resolve-http", f"127.0.0.1:{plain.port}", "--ca-file", str(certificates[1]), "--junit", str(junit), "--json"]
    arguments += ["--password-file", str(password)]
    kept = command_line.deploy(*arguments)
    assert kept.code == 0, kept
    assert envelope(kept.stdout)["ok"] is True
    setting.site.broken = "cache.page"
    try:
        ended = command_line.deploy(*arguments)
    finally:
        setting.site.broken = ""
    assert ended.code == 1, ended
    suite = ET.parse(junit).getroot().find("testsuite")
    assert suite is not None
    assert suite.get("failures") == "1"
    failures = [case.get("name") for case in suite if case.find("failure") is not None]
    assert failures == ["The page is served with its cache rule"]
