"""Somebody who can write to the artifact bucket, and to nothing else, tries to change what a rollback or a promotion serves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aws.s3 import Headers
from aws.session import Aws
from tests.functional import frontend
from tests.functional.frontend import Deployed
from tests.functional.harness import CommandLine, Ended
from website import copies
from website.errors import WebsiteError
from website.releases import State

pytestmark = [pytest.mark.functional, pytest.mark.attack]

EVIL = b"<!doctype html><script src=//evil.example></script>"


def verb(command_line: CommandLine, site: Deployed, name: str, *more: str) -> Ended:
    return command_line.deploy(name, "--env", site.assembly.environment, "--dist", str(site.dist), *more)


class Attacker:
    """Writes to the artifact bucket of one environment."""

    def __init__(self, aws: Aws, site: Deployed) -> None:
        self.client: Any = aws.client("s3", account_id=site.assembly.account_id, region=site.assembly.home_region)
        self.bucket, self.site, self.store = site.assembly.artifact_bucket, site.bucket, frontend.store_of(aws, site)

    def live(self, key: str = "index.html") -> bytes:
        body: bytes = self.client.get_object(Bucket=self.site, Key=key)["Body"].read()
        return body

    def everything(self) -> dict[str, str]:
        """ETags of the site bucket, without the ledger."""
        found = self.client.list_objects_v2(Bucket=self.site).get("Contents", [])
        return {o["Key"]: o["ETag"] for o in found if not o["Key"].startswith(".releases/")}

    def copies(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=self.bucket, Prefix=self.store.content_key(""))["Contents"]
        return [o["Key"] for o in found]

    def put(self, key: str, body: bytes, **more: str) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=body, **more)

    def exchange(self, make: Callable[[bytes], bytes], **more: str) -> None:
        """Every kept copy."""
        for key in self.copies():
            self.put(key, make(self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()), **more)

    def forge(self, edit: Callable[[State], State]) -> None:
        self.store.change(edit)

    def forged_manifest(self, number: int, key: str = "index.html") -> str:
        """A manifest like that of the release, with our page in it; its digest. Every digest in it is right."""
        state, _ = self.store.state()
        manifest = self.store.manifest(next(r.manifest for r in state.releases if r.number == number))
        sha, md5 = hashlib.sha256(EVIL).hexdigest(), hashlib.md5(EVIL, usedforsecurity=False).hexdigest()
        self.put(self.store.content_key(sha), EVIL, ChecksumAlgorithm="SHA256")
        files = tuple(msgspec.structs.replace(e, sha256=sha, md5=md5, size=len(EVIL)) if e.key == key else e for e in manifest.files)
        return self.store.put_manifest(msgspec.structs.replace(manifest, files=files))


def renamed(state: State, number: int, manifest: str) -> State:
    """The state in which that release has another manifest."""
    changed = (msgspec.structs.replace(r, manifest=manifest) if r.number == number else r for r in state.releases)
    return msgspec.structs.replace(state, releases=tuple(changed))


@pytest.fixture
def site(aws: Aws, account: str, tmp_path: Path, command_line: CommandLine) -> Deployed:
    """Three releases, the third is live."""
    made = frontend.deployed(aws, tmp_path / "dist", "dev", account)
    app = frontend.built(tmp_path / "app")
    for text in ("", "second", "third"):
        if text:
            frontend.rebuilt(app, text)
        ended = verb(command_line, made, "publish", "--content", str(app), "--yes")
        assert ended.code == 0, ended
    return made


@pytest.mark.parametrize("checksum", ["SHA256", "CRC32"])
def test_a_kept_copy_with_other_bytes_of_the_same_length_does_not_go_live(
    aws: Aws, site: Deployed, command_line: CommandLine, checksum: str
) -> None:
    attacker = Attacker(aws, site)
    before = attacker.everything()
    attacker.exchange(lambda body: b"x" * len(body), ChecksumAlgorithm=checksum)
    ended = verb(command_line, site, "rollback-release", "--to", "1", "--yes")
    assert ended.code == 1, ended
    assert "the kept copy of index.html, has other bytes than its name says" in ended.stderr
    assert "next: aws s3api list-object-versions" in ended.stderr
    assert attacker.everything() == before
    # Nobody has to clean up after it.
    assert attacker.store.state()[0].claim is None


@pytest.mark.parametrize("versioned", [True, False])
def test_a_copy_that_is_exchanged_between_look_and_copy_does_not_go_live(aws: Aws, site: Deployed, versioned: bool) -> None:
    attacker = Attacker(aws, site)
    opened = frontend.site_of(aws, site)
    entry = attacker.store.manifest(attacker.store.state()[0].releases[0].manifest).by_key["index.html"]
    checked = copies.check(opened, [entry], workers=1)["index.html"]
    if not versioned:
        assert checked.head is not None
        checked = copies.Checked(entry=entry, head=msgspec.structs.replace(checked.head, version_id=None))
    attacker.exchange(lambda body: b"x" * len(body), ChecksumAlgorithm="SHA256")
    before = attacker.live()
    if versioned:
        copies.bring_back(opened, checked, Headers())
        assert hashlib.sha256(attacker.live()).hexdigest() == entry.sha256
    else:
        with pytest.raises(WebsiteError, match="was exchanged while it was copied"):
            copies.bring_back(opened, checked, Headers())
        assert attacker.live() == before


def test_a_copy_without_a_checksum_is_read_and_compared(aws: Aws, site: Deployed, command_line: CommandLine) -> None:
    attacker = Attacker(aws, site)
    page = attacker.client.list_object_versions(Bucket=attacker.site, Prefix="index.html")["Versions"]
    first = min(page, key=lambda v: (v["LastModified"], not v["IsLatest"]))
    attacker.exchange(lambda body: body, ChecksumAlgorithm="CRC32")
    ended = verb(command_line, site, "rollback-release", "--to", "1", "--yes")
    assert ended.code == 0, ended
    expected = attacker.store.manifest(attacker.store.state()[0].releases[0].manifest).by_key["index.html"]
    assert hashlib.sha256(attacker.live()).hexdigest() == expected.sha256
    head = attacker.client.head_object(Bucket=attacker.site, Key="index.html")
    assert (head["ContentType"], head["CacheControl"]) == (expected.content_type, expected.cache_control)
    assert first["Size"] > 0


def test_a_copy_that_is_gone_is_named(aws: Aws, site: Deployed, command_line: CommandLine) -> None:
    attacker = Attacker(aws, site)
    for key in attacker.copies():
        attacker.client.delete_object(Bucket=attacker.bucket, Key=key)
    ended = verb(command_line, site, "rollback-release", "--to", "1", "--yes")
    assert (ended.code, "the kept copy of index.html, is gone" in ended.stderr) == (1, True), ended


def test_a_forged_release_with_a_right_manifest_does_not_go_live(aws: Aws, site: Deployed, command_line: CommandLine) -> None:
    attacker = Attacker(aws, site)
    before = attacker.everything()
    forged = attacker.forged_manifest(1)
    attacker.forge(lambda state: renamed(state, 1, forged))
    ended = verb(command_line, site, "rollback-release", "--to", "1", "--yes")
    assert ended.code == 1, ended
    assert "release 1 of dev is not believed" in ended.stderr
    assert attacker.everything() == before
    # A manifest that was published, under another number, is another release too.
    second = attacker.store.state()[0].releases[1].manifest
    attacker.forge(lambda state: renamed(state, 1, second))
    assert verb(command_line, site, "rollback-release", "--to", "1", "--yes").code == 1


def test_the_whole_digest_from_a_persons_own_log_is_enough(aws: Aws, site: Deployed, command_line: CommandLine) -> None:
    attacker = Attacker(aws, site)
    release = attacker.store.state()[0].releases[0]
    # As in a site whose first releases were made before there was a ledger.
    attacker.client.delete_object(Bucket=attacker.site, Key=f".releases/1-{release.manifest}")
    assert verb(command_line, site, "rollback-release", "--to", release.manifest[:40], "--yes").code == 1
    assert verb(command_line, site, "rollback-release", "--to", release.manifest, "--yes").code == 0


def test_hiding_a_release_does_not_change_what_the_one_before_means(aws: Aws, site: Deployed, command_line: CommandLine) -> None:
    attacker = Attacker(aws, site)
    before = attacker.everything()
    whole, _ = attacker.store.state()
    for left in ((0, 2), (0, 1), (1, 2, 0)):
        attacker.forge(lambda state, left=left: msgspec.structs.replace(whole, releases=tuple(whole.releases[n] for n in left)))  # type: ignore[misc]
        ended = verb(command_line, site, "rollback-release", "--yes")
        assert ended.code == 1, ended
        assert "which release was live before cannot be told" in ended.stderr
    assert attacker.everything() == before
    attacker.forge(lambda _: whole)
    assert verb(command_line, site, "rollback-release", "--yes").code == 0


def test_forged_lists_do_not_make_prune_remove_what_is_live(aws: Aws, account: str, tmp_path: Path, command_line: CommandLine) -> None:
    short = {"release_keep": 2, "release_grace_days": 1}
    site = frontend.deployed(aws, tmp_path / "dist", "dev", account, publishing=short)
    app = frontend.built(tmp_path / "app")
    for text in ("first", "second", "third"):
        frontend.rebuilt(app, text)
        assert verb(command_line, site, "publish", "--content", str(app), "--yes").code == 0
    attacker = Attacker(aws, site)
    frontend.age(aws, site, days=9)
    *old, live = attacker.store.state()[0].releases
    before = msgspec.structs.replace(live, number=1, superseded_at=live.at)
    later = [msgspec.structs.replace(r, number=number, superseded_at=r.superseded_at and r.at) for number, r in enumerate(old, 2)]
    attacker.forge(lambda state: msgspec.structs.replace(state, releases=(before, *later)))
    verb(command_line, site, "prune", "--yes")
    assert {e.key for e in attacker.store.manifest(live.manifest).files} <= attacker.everything().keys()


def test_verified_is_what_the_site_bucket_says(aws: Aws, account: str, tmp_path: Path, command_line: CommandLine) -> None:
    sit = frontend.deployed(aws, tmp_path / "dist", "sit", account)
    prod = frontend.deployed(aws, tmp_path / "dist", "prod", account, foundation=False, publishing={"promote_from": "sit"})
    app = frontend.built(tmp_path / "app")
    assert verb(command_line, sit, "publish", "--content", str(app), "--yes").code == 0
    attacker = Attacker(aws, sit)
    verified = {"verified_at": "2026-01-01T00:00:00Z", "verified_by": "the attacker"}

    def lie(state: State) -> State:
        return msgspec.structs.replace(state, releases=tuple(msgspec.structs.replace(r, **verified) for r in state.releases))

    attacker.forge(lie)
    promote = ("publish", "--release", "sit:1", "--approve", "prod")
    ended = verb(command_line, prod, *promote)
    assert ended.code == 1, ended
    assert "was verified under that number" in ended.stderr
    # What was verified, exchanged afterwards: the manifest, and the content that it is said to have.
    frontend.verified(aws, sit)
    honest, _ = attacker.store.state()
    forged = attacker.forged_manifest(1)
    content = attacker.store.manifest(forged).content
    for edit in (
        lambda state: renamed(state, 1, forged),
        lambda state: msgspec.structs.replace(state, releases=(msgspec.structs.replace(state.releases[0], content=content),)),
    ):
        attacker.forge(lambda _, edit=edit: edit(honest))  # type: ignore[misc]
        ended = verb(command_line, prod, *promote)
        assert ended.code == 1, ended
    assert Attacker(aws, prod).everything() == {}
    attacker.forge(lambda _: honest)
    assert verb(command_line, prod, *promote).code == 0


def test_a_damaged_list_of_releases_is_named(aws: Aws, site: Deployed, command_line: CommandLine) -> None:
    attacker = Attacker(aws, site)
    for body in (b"", b"[]", b"{", b"\xff", b'{"environment": "dev", "releases": [{"number": "one"}]}', b"[" * 100_000):
        attacker.put(attacker.store.key("releases.json"), body)
        for name, more in (("releases", ()), ("releases", ("--json",)), ("rollback-release", ("--yes",))):
            ended = verb(command_line, site, name, *more)
            assert ended.code == 1, ended
            assert "site/dev/releases.json cannot be read" in ended.stderr
            assert "next: aws s3api list-object-versions" in ended.stderr
            assert "Traceback" not in ended.stderr
            if "--json" in more:
                assert json.loads(ended.stdout)["ok"] is False
