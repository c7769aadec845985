"""The small print of content, releases, paths and words."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from aws.errors import Conflict
from tests.unit.website.stores import NOBODY, NOW, release, state, store
from tests.unit.website.test_content import CONTRACT, problems
from tests.unit.website.test_publish_plan import behaviours, invalidated
from tests.unit.website.visits import TARGET, Visit
from verification.registry import registered
from verification.verify import made
from website import content
from website.content import read
from website.errors import SourceError, WebsiteError
from website.releases import Claim, State, added, find, moment, timestamp
from website.run import Begun, count, size, step_line

# --- the folder ---------------------------------------------------------------------------------------------------


def test_a_file_larger_than_one_object_may_be_is_refused_without_reading_it(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>")
    with (tmp_path / "film.bin").open("wb") as out:
        out.truncate(5 * 2**30 + 1)
    assert "5,368,709,121 bytes; a file may have 5,368,709,120" in problems(tmp_path)


@pytest.mark.parametrize(("limit", "problem"), [(3, ""), (2, "3 bytes; a file may have 2")])
def test_a_file_may_be_as_large_as_an_object(limit: int, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "SIZE_LIMIT", limit)
    (tmp_path / "a.txt").write_text("abc")
    assert content._inspected(tmp_path, "a.txt").problem == problem


def test_no_more_is_read_of_a_file_than_it_had_and_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "log.txt").write_text("abc")
    reads: list[int] = []

    class Growing(io.FileIO):
        def read(self, size: int | None = -1) -> bytes:
            reads.append(1)
            assert len(reads) < 9, "it goes on for ever"
            return b"more"

    monkeypatch.setattr(content, "open_file", lambda root, file: Growing(root / file))
    assert content._inspected(tmp_path, "log.txt").problem == "changed while it was read; is a build still running?"
    assert len(reads) == 1


@pytest.mark.parametrize(
    ("name", "searched"), [("k.js", True), ("K.JSON", True), ("LICENSE", True), ("font.woff2", False), ("a.png", False)]
)
def test_texts_are_searched_for_secrets_and_nothing_else(name: str, searched: bool, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><html lang=en><title>t</title>")
    (tmp_path / name).write_text("sk_live_" + "a" * 24)
    if searched:
        assert "a Stripe secret key" in problems(tmp_path)
    else:
        assert name in read(tmp_path, CONTRACT).files


def test_several_problems_are_one_a_line() -> None:
    assert str(SourceError(("one", "two"))) == "one\ntwo"


@pytest.mark.parametrize(("length", "allowed"), [(1024, True), (1025, False)])
def test_a_path_has_the_length_of_a_key(length: int, allowed: bool, tmp_path: Path) -> None:
    folders = "/".join(["d" * 100] * 10)
    name = folders + "/" + "f" * (length - len("buy/") - len(folders) - 1)
    contract = msgspec.structs.replace(CONTRACT, index_document="/buy/index.html")
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text("x")
    assert (f"the path has {length} bytes; an object key may have 1024" in problems(tmp_path, contract)) != allowed


def test_dotfiles_are_refused_but_for_those_that_are_known(tmp_path: Path) -> None:
    (tmp_path / ".well-known").mkdir()
    (tmp_path / ".well-known" / "security.txt").write_text("x")
    (tmp_path / ".well-known" / ".hidden").write_text("x")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".well-known").write_text("x")
    found = problems(tmp_path)
    assert "security.txt" not in found and found.count("a dotfile") == 2


# --- what a page loads --------------------------------------------------------------------------------------------


# --- releases -----------------------------------------------------------------------------------------------------


def test_a_claim_without_a_time_is_refused() -> None:
    where, _ = store()
    claim = Claim(id="x", action="publish", manifest="m", by="ann", host="h", pid=NOBODY, started_at="yesterday", expires_at=timestamp(NOW))
    where.write(msgspec.structs.replace(state(), claim=claim), None)
    with pytest.raises(WebsiteError, match="'yesterday' is not a time"):
        where.state()


@pytest.mark.parametrize("wrong", [{"format": 99}, {"environment": "sit"}, {"releases": (msgspec.structs.replace(release(1), number=0),)}])
def test_a_list_of_releases_that_cannot_be_reckoned_with_is_refused(wrong: dict[str, object]) -> None:
    where, _ = store()
    where.write(msgspec.structs.replace(state(), **wrong), None)
    with pytest.raises(WebsiteError, match="cannot be read"):
        where.state()


def test_what_names_a_release() -> None:
    there = state(release(1), release(2), release(3, manifest="1"))
    assert find(there, "3").number == 3
    one = release(1)
    assert find(there, one.manifest[:6]).number == 3, "the newest of the same content"
    with pytest.raises(WebsiteError, match="is too short: give a release's number, or at least 6 characters"):
        find(there, one.content[:5])
    with pytest.raises(WebsiteError, match="is too short"):
        find(there, "\u00b2")
    with pytest.raises(WebsiteError, match=r"dev has no release 9999999$"):
        find(there, "9999999")
    with pytest.raises(WebsiteError, match=r"dev has no release zzzzzz$"):
        find(there, "zzzzzz")
    alike = state(
        msgspec.structs.replace(one, content="abcdef1" + "0" * 57), msgspec.structs.replace(release(2), content="abcdef2" + "0" * 57)
    )
    with pytest.raises(WebsiteError, match="abcdef fits more than one release of dev"):
        find(alike, "abcdef")
    assert find(alike, "abcdef1").number == 1
    digits = state(msgspec.structs.replace(one, content="12345678" + "0" * 56))
    assert find(digits, "12345678").number == 1, "eight digits are a digest"


def test_records_of_releases_that_are_long_gone_are_dropped_and_no_others() -> None:
    gone = [release(number, days=400, superseded=300, pruned=True) for number in range(1, 600)]
    made_ = added(state(*gone, release(600)), release(601))
    numbers = [each.number for each in made_.releases]
    assert numbers == list(range(401, 602)), "two hundred before the new one"
    assert added(state(), release(1)).releases == (release(1),)
    kept = added(state(*gone[:5], release(600)), release(601))
    assert len(kept.releases) == 7


def test_a_moment_is_one_in_utc() -> None:
    assert moment(timestamp(NOW)) == NOW
    assert moment("2026-11-23T13:00:00+01:00") == NOW
    assert moment("2026-11-23T12:00:00") == NOW
    for wrong in ("", "now"):
        with pytest.raises(ValueError, match="Invalid isoformat"):
            moment(wrong)


@pytest.mark.parametrize(("races", "written"), [(0, True), (4, True), (5, False)])
def test_a_change_is_made_again_after_each_of_five_races(races: int, written: bool) -> None:
    where, bucket = store()
    where.write(state(), None)
    seen: list[int] = []

    def edit(now: State) -> State:
        seen.append(len(now.releases))
        if len(seen) <= races:
            bucket.objects[where.key("releases.json")] = msgspec.json.encode(state(*(release(n) for n in range(1, len(seen) + 1))))
        return msgspec.structs.replace(now, bucket="site")

    if written:
        assert where.change(edit).bucket == "site" and where.state()[0].bucket == "site"
        assert seen == list(range(races + 1))
    else:
        with pytest.raises(Conflict):
            where.change(edit)
        assert len(seen) == 5 and where.state()[0].bucket == ""


def test_an_edit_that_changes_nothing_writes_nothing() -> None:
    where, bucket = store()
    where.write(state(), None)
    before = dict(bucket.objects)
    assert where.change(lambda now: now) == state() and bucket.objects == before


# --- invalidations ------------------------------------------------------------------------------------------------


def test_single_paths_up_to_a_hundred_and_folders_beyond() -> None:
    known = behaviours(default=True)
    few = [f"a/{number}.txt" for number in range(100)]
    assert len(invalidated(few, known)) == 100
    assert invalidated([*few, "a/more.txt"], known) == ("/a/*",)


def test_no_more_wildcards_than_cloudfront_takes_at_once() -> None:
    known = behaviours(default=True)
    wild = [f"f{number}/a~b.txt" for number in range(15)]
    assert len(invalidated(wild, known)) == 15 and all(path.endswith("/a*") for path in invalidated(wild, known))
    found = invalidated([*wild, "g/a~b.txt"], known)
    assert 0 < len(found) <= 15


# --- words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (9_949, "9.9 kB"),
        (10_000, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (1_500_000, "1.5 MB"),
        (999_500_000, "1.0 GB"),
        (12_345_000_000, "12.3 GB"),
    ],
)
def test_bytes_for_people(octets: int, words: str) -> None:
    assert size(octets) == words


def test_steps_in_words() -> None:
    assert step_line(Begun(step="pages", files=1, size=10)) == "pages: 1 file, 10 B"
    assert step_line(Begun(step="pages", files=2)) == "pages: 2 files"
    assert step_line(Begun(step="waiting")) == "waiting"
    assert count(1_000, "file") == "1,000 files"


def test_without_a_user_name_a_wrong_password_is_tried_for_admin() -> None:
    visit = Visit(target=replace(TARGET, username=""))
    [check] = [each for each in registered() if each.id == "auth.wrong"]
    made(check, visit)
    assert [credentials for _, credentials in visit.asked] == [("admin", "not the password of anybody")]
    assert CONTRACT.domain == visit.contract.domain
