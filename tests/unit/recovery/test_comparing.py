"""Two listings, compared: every object is the same, missing, other or an orphan, and none is two of these."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from recovery.comparing import StoredObject, compare, lacking, orphaned, same, unlike
from tests.unit.recovery.world import START

LISTINGS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("xyz").map(lambda etag: StoredObject(etag=etag, size=ord(etag))))


@given(LISTINGS, LISTINGS)
def test_the_kinds_of_difference_make_up_both_buckets(here: dict[str, StoredObject], there: dict[str, StoredObject]) -> None:
    found = compare(here, there, {key: held.etag for key, held in here.items()}, now=START)
    same = found.live_same
    assert found.objects == same + found.missing.objects + found.other.objects
    assert found.replica_objects == same + found.other.objects + found.orphans.objects
    assert found.equal is (here == there)
    assert found.serves_live is (not lacking(here, there))


def test_what_the_live_release_needs_is_told_by_its_own_digests_not_by_what_the_site_bucket_holds() -> None:
    here = {"a": StoredObject(etag="changed by hand", size=1)}
    there = {"a": StoredObject(etag="released", size=1)}
    assert unlike({"a": "released"}, there) == ()
    assert unlike({"a": "released"}, here) == ("a",)
    found = compare(here, there, {"a": "released"}, now=START)
    assert (found.serves_live, found.equal) == (True, False)


def test_the_lag_is_the_age_of_the_oldest_object_that_the_replica_lacks() -> None:
    here = {
        name: StoredObject(etag=name, size=1, modified=START - timedelta(seconds=age)) for name, age in (("a", 5), ("b", 90), ("c", 900))
    }
    there = {"c": here["c"]}
    assert compare(here, there, {}, now=START).lag_seconds == 90
    assert compare(here, here, {}, now=START).lag_seconds == 0


def test_a_beacon_of_a_rehearsal_is_no_orphan() -> None:
    there = {"buy/.dr/1-1.txt": StoredObject(etag="x", size=1), "old.js": StoredObject(etag="x", size=1)}
    assert orphaned({}, there, "buy/") == ("old.js",)


def test_what_was_uploaded_in_parts_is_told_by_size_and_time() -> None:
    parts = StoredObject(etag="a-2", size=9, modified=START)
    piece = StoredObject(etag="b", size=9, modified=START + timedelta(seconds=1))
    assert same(parts, piece) and not same(piece, parts), "a copy is never older"
    assert not same(parts, replace(piece, size=8)) and not same(parts, None)
    assert not same(replace(parts, etag="a"), piece), "two digests of bytes differ"
    assert not same(parts, replace(piece, modified=None)) and not same(replace(parts, modified=None), piece)
