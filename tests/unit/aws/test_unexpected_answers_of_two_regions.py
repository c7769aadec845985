"""Whatever an endpoint answers, and whatever stands where their documents should, disaster recovery ends in a value or one line."""

from __future__ import annotations

import copy
import functools
import itertools
import json
import operator
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aws.dynamodb import Condition
from aws.errors import AwsError
from gateways.origins import failover
from guards.caller import Caller
from promotion import carrying, fence, records, steps
from promotion.lock_items import ObjectItems
from promotion.places import Place
from promotion.target import Entry, NotNext, Register, Target, Unreadable
from recovery import backfill, closing, comparing, rehearsal, status
from recovery import settings as replication
from recovery.following import Following
from recovery.origins import Origin, Origins
from tests.unit.aws.model_answers import HTML, Wire, answers
from tests.unit.aws.test_unexpected_answers import ACCOUNT, ANSWERS, AWS, GATEWAYS, NOW, REGION, Endless, operation_model
from tests.unit.promotion import two_regions
from website.errors import WebsiteError
from website.run import Run

S3, BUCKETS = GATEWAYS["s3"], GATEWAYS["origins"]
ORIGINS = Origins(
    environment="prod",
    primary=Origin(bucket="site", account_id=ACCOUNT, region=REGION),
    replica=Origin(bucket="replica", account_id=ACCOUNT, region=REGION),
)
HOME, STANDBY = (
    Place(region=REGION, bucket=name, artifacts="records", origin=name, s3=S3, buckets=BUCKETS) for name in ("site", "replica")
)
CALLER = Caller(arn="arn:aws:iam::111111111111:role/r", host="h", machine="m", pid=1, process="p")
RUN = Run(caller=CALLER, token="t" * 16, now=lambda: NOW, sleep=lambda _: None, report=lambda _: None, replica_seconds=1.0)
REGISTER = Register(S3, "records", "prod")
LOCK = ObjectItems(S3, "lock.json")
FOLLOWING = partial(Following, origins=ORIGINS, primary=S3, replica=S3, copies=BUCKETS)
MOVING = steps.PromotionGateways(
    origins=ORIGINS, register=REGISTER, home=HOME, standby=STANDBY, put_first=lambda _: True, index_key="index.html", run=RUN
)
MINE = Condition(equal={"LockID": "x"}, below=("ExpiresAt", 5))

CALLS: dict[str, tuple[str, Callable[[], object]]] = {
    "replication": ("replication", lambda: replication.problems(ORIGINS, BUCKETS, BUCKETS)),
    "both buckets": ("list", lambda: comparing.read_both((S3, "site"), (S3, "replica"))),
    "back-fill": ("list copy", lambda: backfill.fill(ORIGINS, S3, S3, BUCKETS, RUN)),
    "catch up": ("list copy", lambda: FOLLOWING().catch_up({"a": "0"}, RUN, lambda: None)),
    "forget": ("list copy", lambda: FOLLOWING().forget((), RUN)),
    "end of rehearsals": ("policy", lambda: rehearsal.end(BUCKETS, ORIGINS, sleep=lambda _: None)),
    "closure": ("policy", lambda: status.closure(BUCKETS.policy("site"), "prod", NOW)),
    "policies": ("policy", lambda: status.policy_problems(BUCKETS.policy("site"), BUCKETS.policy("replica"), ORIGINS)),
    "closing": ("policy", lambda: closing.closed(BUCKETS.policy("site") or {}, "arn:a", "arn:d", identity="0" * 8, until=NOW)),
    "fence": ("policy", lambda: fence.lifted(fence.fenced(BUCKETS.policy("replica"), "arn:b"))),
    "failover": ("distribution", lambda: status.failover_of(failover(AWS, account_id=ACCOUNT, distribution_id="D"), "D", ORIGINS)),
    "register": ("get", REGISTER.read),
    "register changed": ("get", lambda: REGISTER.change(Entry(target=Target(environment="prod"), etag=None), "promoting")),
    "since when": ("get", lambda: steps.since_of(REGISTER.read())),
    "lock read": ("get", lambda: LOCK.get("records", {})),
    "lock taken": ("get", lambda: LOCK.put("records", {"LockID": "x"}, MINE)),
    "lock renewed": ("get", lambda: LOCK.update("records", {}, {"ExpiresAt": 7}, MINE)),
    "lock freed": ("get", lambda: LOCK.delete("records", {}, MINE)),
    "load": ("list", lambda: carrying.load(HOME, STANDBY, NOW, "index.html")),
    "carry": (
        "list copy",
        lambda: carrying.carry(carrying.load(HOME, STANDBY, NOW, "index.html"), HOME, STANDBY, "index.html", lambda _: None),
    ),
    "unequal": ("list", lambda: carrying.unequal(HOME, STANDBY, NOW)),
    "records copied": ("list copy", lambda: records.copy_records(HOME, STANDBY, "prod")),
    "records mirrored": ("list get copy", lambda: records.mirror(HOME, STANDBY, "prod", allowed=lambda: True, now=NOW)),
    "list carried": ("get", lambda: records.carry_list(STANDBY, HOME, "prod", NOW)),
    "promote": ("get policy", lambda: steps.promote(MOVING, plan="p", distribution="D", planned=False)),
    "failback": ("get list copy policy", lambda: steps.failback(MOVING, plan="p")),
}
SILENT = ("catch up", "forget")
"""They warn, and never raise."""

TIME = "2026-11-22T00:00:00Z"
RELEASE = {
    **{"number": 1, "manifest": "m", "content": "c", "action": "publish", "origin": "o", "by": "b", "at": TIME, "files": 1, "size": 1},
    "superseded_at": TIME,
}
CLAIM = {
    **{"id": "i", "action": "publish", "manifest": "m", "by": "b", "host": "h", "pid": 1, "started_at": TIME, "expires_at": TIME},
    "machine": "",
}
DOCUMENTS: tuple[dict[str, Any], ...] = (
    {"format": 1, "environment": "prod", "phase": "promoting", "epoch": 1, "plan": "p", "since": TIME},
    {"format": 1, "environment": "prod", "phase": "failing-back", "epoch": 2, "plan": "p", "since": TIME},
    {"format": 1, "environment": "prod", "bucket": "site", "releases": [RELEASE], "unfinished": {"m": TIME}, "claim": CLAIM},
    {"LockID": "x", "ExpiresAt": 3, "Owner": "o"},
)
STATEMENT = {"Sid": "Rehearsal00000000Until20261122T000000Z", "Effect": "Deny", "Action": ["s3:ReplicateObject"], "Resource": "*"}
POLICY = {"Version": "2012-10-17", "Statement": [STATEMENT, {**STATEMENT, "Sid": fence.SID}]}
ODD: tuple[Any, ...] = (
    None,
    "",
    "x",
    0,
    -1,
    1.5,
    True,
    10**30,
    [],
    ["x", None],
    {},
    {"a": [None]},
    "9999-99-99",
    "Rehearsal00000000Until99999999T999999Z",
)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document."""
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*at, key)
        yield from places(each, (*at, key))


def bent(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The document with one part lost, or something else in its place: every such one."""
    yield document
    for path in places(document):
        for odd in (..., *ODD):
            made = copy.deepcopy(document)
            holder = functools.reduce(operator.getitem, path[:-1], made)
            if odd is ...:
                del holder[path[-1]]
            else:
                holder[path[-1]] = odd
            yield made


def said(status: int, code: str) -> Wire:
    return Wire(status, "application/xml", f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode(), {})


def held(*objects: tuple[str, str, str], more: str = "") -> Wire:
    """A page of a listing."""
    inner = "".join(f"<Contents><Key>{key}</Key><ETag>{etag}</ETag>{time}<Size>1</Size></Contents>" for key, etag, time in objects)
    return Wire(200, "application/xml", f"<R><IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}{inner}</R>".encode(), {})


def head(**fields: str) -> Wire:
    return Wire(
        200, "binary/octet-stream", b"", {"ETag": '"e"', "Content-Length": "1", **{n.replace("_", "-"): v for n, v in fields.items()}}
    )


SEEN = f"<LastModified>{TIME}</LastModified>"
ERRORS = (
    *(
        said(status, code)
        for status, code in ((403, "AccessDenied"), (404, "NoSuchBucket"), (404, "NoSuchKey"), (409, "ConditionalRequestConflict"))
    ),
    *(
        said(status, code)
        for status, code in ((412, "PreconditionFailed"), (503, "SlowDown"), (404, "ReplicationConfigurationNotFoundError"))
    ),
    Wire(200, "text/html", HTML, {}),
    Wire(200, "", b"", {}),
)
"""What a gateway makes of any other answer is asked in test_unexpected_answers.py."""
ANY: dict[str, tuple[Wire, ...]] = {
    "ListObjectsV2": (
        *(
            held(),
            held(("a", "0", SEEN), ("sw.js", "1", ""), ("index.html", "2", SEEN)),
            held(("a", "", ""), ("a", "1", SEEN), ("", "x", SEEN)),
        ),
        *(held(("site/prod/releases.json", "0", SEEN)), held(("%41", "0", SEEN), more="<NextContinuationToken>t</NextContinuationToken>")),
    ),
    "GetObject": tuple(
        Wire(200, "application/json", json.dumps(each).encode(), {"ETag": '"e"', "Last-Modified": "Sun, 22 Nov 2026 00:00:00 GMT"})
        for each in (*DOCUMENTS, {})
    ),
    "GetBucketPolicy": (Wire(200, "application/json", json.dumps(POLICY).encode(), {}),),
    "HeadObject": (head(), head(x_amz_replication_status="REPLICA"), head(x_amz_replication_status="OF_2030", Last_Modified="yesterday")),
    "PutObject": (Wire(200, "", b"", {"ETag": '"e"'}),),
    "CopyObject": (Wire(200, "application/xml", b"<R><ETag>e</ETag></R>", {}), said(200, "InternalError")),
    "DeleteObject": (Wire(204, "", b"", {}),),
    "PutBucketPolicy": (Wire(204, "", b"", {}),),
    "GetBucketReplication": tuple(
        Wire(200, "application/xml", f"<R><Role>r</Role>{rules}</R>".encode(), {})
        for rules in (
            "",
            "<Rule/>",
            "<Rule><Status>Enabled</Status><Destination><Bucket>arn:aws:s3:::replica</Bucket></Destination></Rule>",
        )
    ),
    "GetBucketVersioning": (
        Wire(200, "application/xml", b"<R><Status>Enabled</Status></R>", {}),
        Wire(200, "application/xml", b"<R/>", {}),
    ),
}


def wires(operation: str) -> st.SearchStrategy[Wire]:
    """What may come of it."""
    if operation == "GetDistribution":
        return answers(operation_model("cloudfront", operation))
    return st.one_of(st.sampled_from(ERRORS), *([st.sampled_from(ANY[operation])] * 3))


OURS = (AwsError, NotNext, Unreadable, WebsiteError, steps.Refused)
NEEDS: dict[str, tuple[str, ...]] = {
    "list": ("ListObjectsV2", "HeadObject"),
    "get": ("GetObject", "PutObject", "HeadObject"),
    "copy": ("CopyObject", "DeleteObject"),
    "policy": ("GetBucketPolicy", "PutBucketPolicy"),
    "distribution": ("GetDistribution",),
    "replication": ("GetBucketReplication", "GetBucketVersioning"),
}


@pytest.mark.parametrize("what", CALLS)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_answer_ends_in_a_value_or_an_error_of_ours(what: str, data: Any) -> None:
    needs, do = CALLS[what]
    operations = [name for need in needs.split() for name in NEEDS[need]]
    # Drawn before: threads ask in no order that could be drawn again.
    drawn = {
        each: itertools.cycle(data.draw(st.lists(wires(each), min_size=1, max_size=1 if each == "GetDistribution" else 3)))
        for each in operations
    }
    ANSWERS.asked.clear()
    ANSWERS.next = lambda asked: next(drawn[asked[1]])
    try:
        do()
    except OURS as error:
        assert "\n" not in str(error) and what not in SILENT
    except Endless:
        pass  # they ask again with intent, and each such loop has its end


@pytest.mark.parametrize("number", range(len(DOCUMENTS)))
def test_whatever_stands_in_the_register_the_list_or_the_lock(number: int) -> None:
    """Each of them read as each: a document may stand where another one should."""
    for document in bent(DOCUMENTS[number]):
        for key in ("recovery/prod/target.json", "site/prod/releases.json", "lock.json"):
            world = two_regions.Aws()
            for bucket in (two_regions.ARTIFACTS, two_regions.STANDBY):
                world.buckets[bucket][key] = two_regions.Object(json.dumps(document).encode(), world.clock)
            there = two_regions.gateways(world)
            lock = ObjectItems(there.home.s3, key)
            for do in (
                lambda: steps.failback(there, plan="p"),  # noqa: B023
                lambda: steps.promote(there, plan="p", distribution="D", planned=True),  # noqa: B023
                lambda: lock.update(two_regions.ARTIFACTS, {}, {"ExpiresAt": 7}, MINE),  # noqa: B023
            ):
                try:
                    do()
                except OURS as error:
                    assert "\n" not in str(error)


def test_whatever_stands_in_a_bucket_policy() -> None:
    """Rehearsals and the fence read what anybody may have written there."""
    for document in bent(POLICY):
        status.closure(document, "prod", NOW)
        status.policy_problems(document, POLICY, ORIGINS)
        status.policy_problems(POLICY, document, ORIGINS)
        for made in (
            closing.closed(document, "arn:a", "arn:d", identity="0" * 8, until=NOW),
            closing.opened(document),
            fence.fenced(document, "arn:b"),
            fence.lifted(document),
        ):
            json.dumps(made)
