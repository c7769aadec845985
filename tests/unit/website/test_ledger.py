"""The ledger of a site bucket: what counts as an entry, which number is next, and when the list of releases is not believed."""

from __future__ import annotations

import pytest

from tests.unit.website.stores import release, state
from website.errors import WebsiteError
from website.ledger import Ledger, entry_key, verified_key

ONE, TWO, THREE = (release(number, days=9 - number) for number in (1, 2, 3))
A = "a" * 64


def ledger(*entries: object) -> Ledger:
    return Ledger(frozenset((each.number, each.manifest) for each in entries))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("key", "counts"),
    [
        (entry_key("", 1, A), True),
        (entry_key("", 999_999_999_999, A), True),
        (verified_key("", 1, A), False),
        (f".releases/0-{A}", False),
        (f".releases/01-{A}", False),
        (f".releases/1000000000000-{A}", False),
        (f".releases/1-{A}0", False),
        (f".releases/1-{'A' * 64}", False),
        (f"x.releases/1-{A}", False),
        (f"releases/1-{A}", False),
        (f"1-{A}", False),
    ],
)
def test_only_what_a_publish_writes_is_an_entry(key: str, counts: bool) -> None:
    assert bool(Ledger.of("", [key, "index.html"]).entries) is counts


def test_entries_lie_below_the_prefix_of_the_site() -> None:
    assert entry_key("buy/", 7, A) == f"buy/.releases/7-{A}" and verified_key("buy/", 7, A) == f"buy/.releases/7-{A}.verified"
    found = Ledger.of("buy/", [entry_key("buy/", 7, A), entry_key("", 8, A)])
    assert found.entries == {(7, A)} and found.manifests == {A}


def test_the_live_release_is_the_last_of_the_list_or_the_list_is_not_believed() -> None:
    ledger(ONE, TWO).refuse_unless_agreed(state(ONE, TWO), TWO)
    ledger(ONE).refuse_unless_agreed(state(ONE, TWO), TWO)
    ledger().refuse_unless_agreed(state(), ONE)
    with pytest.raises(WebsiteError, match="release 2 was begun in dev"):
        ledger(ONE, TWO).refuse_unless_agreed(state(TWO, ONE), ONE)


def test_a_release_that_the_list_hides_is_named_if_it_is_later_than_the_target() -> None:
    with pytest.raises(WebsiteError, match="release 3 was begun in dev"):
        ledger(ONE, TWO, THREE).refuse_unless_agreed(state(ONE, TWO), ONE)
    other = release(2, manifest="another")
    with pytest.raises(WebsiteError, match="release 2 was begun") as refused:
        ledger(ONE, other).refuse_unless_agreed(state(ONE, TWO), ONE)
    assert "releases --env dev" in refused.value.command and "rollback-release --env dev --to NUMBER" in refused.value.command
    ledger(other, THREE).refuse_unless_agreed(state(TWO, THREE), THREE)
    ledger(other, TWO, THREE).refuse_unless_agreed(state(TWO, THREE), TWO)


def test_the_next_number_is_one_that_nobody_had_or_its_own_that_was_cut_off() -> None:
    assert ledger().next_number(state(), A) == 1
    assert ledger(ONE, TWO).next_number(state(ONE, TWO), A) == 3 == ledger(ONE).next_number(state(ONE, TWO), A)
    assert ledger(ONE, TWO, THREE).next_number(state(ONE, TWO), THREE.manifest) == 3, "begun, cut off, and begun again"
    assert ledger(ONE, TWO, THREE).next_number(state(ONE, TWO), A) == 4, "another content never takes that number"
    assert ledger(ONE, TWO).next_number(state(ONE, TWO), TWO.manifest) == 3, "what is released is done"


def test_the_newest_is_what_was_begun_last() -> None:
    assert ledger().newest == frozenset() and ledger(ONE, THREE, TWO).newest == {THREE.manifest}
    assert Ledger(frozenset({(1, A), (2, "b" * 64), (2, "c" * 64)})).newest == {"b" * 64, "c" * 64}


def test_a_release_is_believed_if_the_bucket_says_so_or_a_person_gives_its_whole_digest() -> None:
    ledger(ONE).refuse_unless_published(ONE, "dev")
    ledger().refuse_unless_published(ONE, "dev", digest=ONE.manifest)
    for found, digest in ((ledger(), ""), (ledger(TWO), ""), (ledger(), ONE.manifest[:12]), (Ledger(frozenset({(2, ONE.manifest)})), "")):
        with pytest.raises(WebsiteError, match=f"release 1 of dev is not believed.* {ONE.manifest[:12]} was") as refused:
            found.refuse_unless_published(ONE, "dev", digest=digest)
        assert "rollback-release --env dev --to DIGEST" in refused.value.command
