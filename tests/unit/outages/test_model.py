"""Which call meets which outage; the switches' file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outages import store
from outages.model import HOWS, Call, Copying, How, Kind, Outage, copying, met

ACCOUNT, HOME, STANDBY = "111111111111", "af-south-1", "eu-west-1"


def call(service: str, region: str = HOME, action: str = "GET", bucket: str = "", account: str = ACCOUNT) -> Call:
    return Call(service=service, account=account, region=region, action=action, bucket=bucket)


def outage(kind: Kind, how: How | None = None, **more: Any) -> Outage:
    return Outage(kind=kind, how=how or HOWS[kind][0], **more)


LOST, GONE = outage(Kind.REGION, region=HOME), outage(Kind.REGION, region="us-east-1")
FROZEN, DARK = outage(Kind.CONTROL_PLANES), outage(Kind.CONTROL_PLANES, reads=True)
SLOW = outage(Kind.BUCKET, bucket="site")


@pytest.mark.parametrize(
    ("out_of_order", "asked", "meets"),
    [
        (LOST, call("cloudformation", action="DescribeStacks"), True),
        (LOST, call("cloudformation", STANDBY, "DescribeStacks"), False),
        (LOST, call("s3", HOME, bucket="site"), True),
        (LOST, call("cloudfront", HOME, "POST"), False),
        (GONE, call("cloudfront", HOME, "GET"), True),
        (GONE, call("iam", "us-east-1", "GetRole"), True),
        (GONE, call("sts", STANDBY, "AssumeRole"), False),
        (FROZEN, call("cloudfront", action="POST"), True),
        (FROZEN, call("cloudfront", action="GET"), False),
        (FROZEN, call("iam", action="CreateRole"), True),
        (FROZEN, call("iam", action="ListRoles"), False),
        (FROZEN, call("acm", "us-east-1", "RequestCertificate"), True),
        (FROZEN, call("acm", STANDBY, "RequestCertificate"), False),
        (FROZEN, call("sts", "us-east-1", "AssumeRole"), False),
        (FROZEN, call("cloudformation", "us-east-1", "CreateChangeSet"), False),
        (DARK, call("route53", action="GET"), True),
        (SLOW, call("s3", bucket="site", action="PUT"), True),
        (SLOW, call("s3", bucket="other", action="PUT"), False),
        (outage(Kind.REPLICATION, bucket="site"), call("s3", bucket="site", action="PUT"), False),
        (outage(Kind.REGION, region=HOME, account=ACCOUNT), call("sts", account="222222222222"), False),
    ],
)
def test_a_call_meets_what_it_needs(out_of_order: Outage, asked: Call, meets: bool) -> None:
    assert met([out_of_order], asked) == (out_of_order if meets else None)


@pytest.mark.parametrize(
    ("outages", "age", "what"),
    [
        ((), 0.0, Copying.NOW),
        ((LOST,), 0.0, Copying.WAIT),
        ((outage(Kind.REGION, region=STANDBY),), 0.0, Copying.WAIT),
        ((GONE,), 0.0, Copying.NOW),
        ((SLOW,), 0.0, Copying.WAIT),
        ((outage(Kind.REPLICATION, How.LAG, bucket="site"),), 9_999.0, Copying.WAIT),
        ((outage(Kind.REPLICATION, How.LAG, bucket="site", seconds=10),), 9.0, Copying.WAIT),
        ((outage(Kind.REPLICATION, How.LAG, bucket="site", seconds=10),), 10.0, Copying.NOW),
        ((outage(Kind.REPLICATION, How.LAG, bucket="replica"),), 0.0, Copying.NOW),
        ((outage(Kind.REPLICATION, How.FAIL, bucket="site"),), 0.0, Copying.FAILED),
        ((LOST, outage(Kind.REPLICATION, How.FAIL, bucket="site")), 0.0, Copying.WAIT),
        ((outage(Kind.REPLICATION, How.FAIL, bucket="site", account="222222222222"),), 0.0, Copying.NOW),
    ],
)
def test_what_becomes_of_a_replica(outages: tuple[Outage, ...], age: float, what: Copying) -> None:
    assert copying(outages, account=ACCOUNT, source=("site", HOME), target=("replica", STANDBY), age=age) is what


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": Kind.REGION, "how": How.LAG, "region": HOME},
        {"kind": Kind.REGION, "how": How.HANG},
        {"kind": Kind.BUCKET, "how": How.HANG, "region": HOME},
        {"kind": Kind.CONTROL_PLANES, "how": How.HANG, "bucket": "site"},
        {"kind": Kind.REPLICATION, "how": How.FAIL, "bucket": "site", "seconds": 3},
        {"kind": Kind.REPLICATION, "how": How.LAG, "bucket": "site", "seconds": -1},
        {"kind": Kind.REGION, "how": How.HANG, "region": HOME, "reads": True},
    ],
)
def test_what_means_nothing_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"missing|means nothing|only of|none of"):
        Outage(**fields)


@given(st.lists(st.sampled_from([LOST, GONE, FROZEN, DARK, SLOW, outage(Kind.REPLICATION, How.LAG, bucket="b", seconds=3)]), max_size=6))
def test_what_is_switched_on_is_there_once_and_all_of_it_goes(tmp_path_factory: pytest.TempPathFactory, chosen: list[Outage]) -> None:
    directory = tmp_path_factory.mktemp("outages")
    current = store.Current(directory)
    assert current() == ()
    for one in chosen:
        store.begin(directory, one)
        assert one in current()
    assert sorted(map(str, store.read(directory))) == sorted({str(one) for one in chosen})
    store.end(directory)
    assert current() == store.read(directory) == ()


def test_a_file_that_is_none_of_ours_is_said_and_is_no_outage(tmp_path: Path) -> None:
    (tmp_path / store.NAME).write_text('[{"kind": "region"}]')
    with pytest.raises(store.Unreadable, match=r"outages\.json"):
        store.read(tmp_path)
    assert store.Current(tmp_path)() == ()


def test_one_accounts_outages_end_without_the_others(tmp_path: Path) -> None:
    store.begin(tmp_path, outage(Kind.REGION, region=HOME, account=ACCOUNT), LOST)
    store.end(tmp_path, account=ACCOUNT)
    assert store.read(tmp_path) == (LOST,)
