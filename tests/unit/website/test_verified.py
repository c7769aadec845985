"""What `verify --record` may say of a release, and which release may be promoted."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aws.errors import AccessDenied
from aws.s3 import Head
from tests.unit.website.stores import NOW, Bucket, release, state
from website.errors import Busy, WebsiteError
from website.ledger import entry_key, verified_key
from website.promotion import promotable, record_verified
from website.releases import Release, State, Store, timestamp
from website.site import Site

AT = timestamp(NOW)


class Hidden(Bucket):
    """Answers 403 for a missing key, as S3 does to those who may not list."""

    def head(self, bucket: str, key: str) -> Head | None:
        if key not in self.objects:
            raise AccessDenied("no", code="403")
        return super().head(bucket, key)


def site(now: State, *published: Release, bucket: Bucket | None = None) -> tuple[Site, Bucket]:
    """Of those releases, of which these are in the ledger."""
    there: Any = bucket or Bucket()
    nothing: Any = None
    store = Store(there, "artifacts", "dev")
    store.write(now, None)
    for each in published:
        there.objects[entry_key("", each.number, each.manifest)] = b""
    contract: Any = _Contract()
    made = Site(
        environment="dev",
        contract=contract,
        behaviours=nothing,
        bucket="site",
        store=store,
        s3=there,
        uploads=nothing,
        cloudfront=nothing,
        distribution_id=nothing,
    )
    return made, there


class _Contract:
    entry_path = "/"
    index_document = "/index.html"


def test_the_live_release_is_recorded_as_verified_and_can_be_promoted() -> None:
    older, live = release(1), release(2)
    where, bucket = site(state(older, live), older, live)
    recorded = record_verified(where, live, by="ann", at=AT)
    assert recorded.releases[0] == older
    assert recorded.live == msgspec.structs.replace(live, verified_at=AT, verified_by="ann")
    assert where.store.state()[0] == recorded
    assert verified_key("", 2, live.manifest) in bucket.objects
    assert promotable(where, "2") == recorded.live


@pytest.mark.parametrize("now", [state(release(1), release(2)), state(release(1, manifest="another")), state()])
def test_a_release_that_was_replaced_while_it_was_verified_is_not_recorded(now: State) -> None:
    seen = release(1)
    where, bucket = site(now, seen)
    with pytest.raises(Busy, match="another release went live") as busy:
        record_verified(where, seen, by="ann", at=AT)
    assert "verify --env dev --record" in busy.value.command
    assert where.store.state()[0] == now
    assert verified_key("", 1, seen.manifest) not in bucket.objects


@pytest.mark.parametrize("kind", [Bucket, Hidden])
def test_a_release_that_the_site_bucket_does_not_know_is_not_recorded(kind: type[Bucket]) -> None:
    where, bucket = site(state(release(1)), bucket=kind())
    with pytest.raises(WebsiteError, match="not believed"):
        record_verified(where, release(1), by="ann", at=AT)
    assert where.store.state()[0] == state(release(1))
    assert verified_key("", 1, release(1).manifest) not in bucket.objects


def verified(number: int, manifest: str = "") -> Release:
    return msgspec.structs.replace(release(number, manifest=manifest), verified_at=AT, verified_by="ann")


def test_only_what_was_verified_can_be_promoted() -> None:
    where, _ = site(state(verified(1), release(2)), verified(1), release(2))
    with pytest.raises(WebsiteError, match=rf"release 2 \({release(2).content[:12]}\) of dev has not been verified there") as refused:
        promotable(where, "2")
    assert "verify --env dev --record" in refused.value.command


@pytest.mark.attack
def test_a_verification_that_only_the_list_of_releases_tells_is_not_believed() -> None:
    where, _ = site(state(verified(1)), verified(1))
    with pytest.raises(WebsiteError, match="not believed"):
        promotable(where, "1")


def test_the_newest_verified_release_of_the_same_content_stands_for_one_that_was_not_verified() -> None:
    one, two, again = verified(1, "same"), verified(2, "same"), release(3, manifest="same")
    where, bucket = site(state(one, two, again), one, two, again)
    for each in (one, two):
        bucket.objects[verified_key("", each.number, each.manifest)] = b""
    assert promotable(where, "3").number == 2
    assert promotable(where, "1").number == 1
