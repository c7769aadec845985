"""Two origins on the local AWS: made equal, one of them lagging, one of them closed and the rehearsal killed.

Slow for a reason: only here is seen over HTTP that CloudFront turns to the replica, and what a killed process leaves.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aws.session import Aws
from gateways.origins import Buckets
from local_aws.server import LocalAws
from outages import store
from outages.model import How, Kind, Outage
from recovery import closing
from tests.functional import frontend
from tests.functional.harness import ROOT, answer, refuse_bad_hints
from tests.unit.test_recipes import LEFT_OUT

pytestmark = [pytest.mark.functional, pytest.mark.xdist_group("recovery")]

ACCOUNT = "123456789012"
SITE, REPLICA = f"dev-site-{ACCOUNT}", f"dev-replica-{ACCOUNT}"
RECOVERY = {"disaster_recovery": {"region": "eu-west-2", "bucket": REPLICA}}


@dataclass
class Place:
    """A checkout with a local AWS of its own."""

    checkout: Path
    app: Path

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.checkout),
            "COLUMNS": "120",
        }
        return subprocess.Popen(
            ["python", "deploy.py", *arguments, "--env", "dev", "--local"],
            cwd=self.checkout,
            env={**environment, "PYTHONWARNINGS": "ignore", "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def deploy(self, *arguments: str, status: int = 0) -> tuple[str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=240)
        refuse_bad_hints([*arguments, "--local"], out, err)
        assert process.returncode == status, f"{arguments}\n{out}\n{err}"
        return out, err

    def told(self, *arguments: str, status: int = 0) -> Any:
        return answer(self.deploy(*arguments, "--json", status=status)[0])

    def write(self, **changes: Any) -> None:
        frontend.write(frontend.synthesised("dev", ACCOUNT, **changes), self.checkout / "dist")

    @property
    def server(self) -> LocalAws:
        found = LocalAws.find(self.checkout / ".local-aws")
        assert found is not None
        return found

    def buckets(self) -> tuple[dict[str, str], dict[str, str]]:
        """ETag by key, of both."""
        s3 = Aws(endpoint_url=self.server.endpoint_url, static_credentials=self.server.credentials).client(
            "s3", account_id=ACCOUNT, region="eu-west-1"
        )
        listings = [s3.list_objects_v2(Bucket=bucket).get("Contents", []) for bucket in (SITE, REPLICA)]
        first, second = ({each["Key"]: each["ETag"] for each in listing} for listing in listings)
        return first, second

    def versioning(self, status: str) -> None:
        """Of the replica, changed by hand."""
        aws = Aws(endpoint_url=self.server.endpoint_url, static_credentials=self.server.credentials)
        client = aws.client("s3", account_id=ACCOUNT, region="eu-west-2")
        client.put_bucket_versioning(Bucket=REPLICA, VersioningConfiguration={"Status": status})

    def closed(self) -> bool:
        aws = Aws(endpoint_url=self.server.endpoint_url, static_credentials=self.server.credentials)
        return bool(closing.found(Buckets.connect(aws, account_id=ACCOUNT, region="eu-west-1").policy(SITE)))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A site that has content, and then disaster recovery."""
    directory = tmp_path_factory.mktemp("recovery")
    made = Place(Path(shutil.copytree(ROOT, directory / "checkout", ignore=LEFT_OUT)), frontend.built(directory / "app"))
    try:
        made.write()
        made.deploy("apply", "--yes", "--content", str(made.app))
        yield made
    finally:
        subprocess.run([sys.executable, "deploy.py", "local", "stop"], cwd=made.checkout, check=False, timeout=180, capture_output=True)


def test_switched_on_for_a_site_that_has_content_the_replica_is_whole_from_the_first_day(place: Place) -> None:
    place.write(**RECOVERY)
    planned = place.told("plan", status=3)["summary"]
    (finding,) = [each for each in planned["findings"] if each["code"] == "replica_backfill"]
    assert f"{REPLICA} lacks 14 objects" in finding["message"] and "kB)" in finding["message"]
    place.deploy("apply", "--yes")
    here, there = place.buckets()
    assert len(here) == 14 and here == there
    status = place.told("dr", "status")
    assert (status["comparison"]["live_same"], status["problems"]) == (13, [])


def test_a_replica_that_lags_is_waited_for_then_warned_of_for_as_long_as_it_does(place: Place) -> None:
    frontend.rebuilt(place.app, "second")
    store.begin(place.server.state, Outage(kind=Kind.REPLICATION, how=How.LAG, bucket=SITE))
    try:
        _, err = place.deploy("publish", "--content", str(place.app), "--yes", "--replica-wait", "1")
        assert "waiting until the replica in eu-west-2 has" in err and "the site goes on" in err
        assert "disaster recovery: the replica has" in place.deploy("status")[0]
        assert place.told("dr", "status", status=1)["comparison"]["missing"]["objects"]
        assert "is not rehearsed" in place.deploy("dr", "rehearse", "--yes", status=1)[1]
        place.deploy("prune", "--yes", "--replica-wait", "1")
    finally:
        store.end(place.server.state)
    place.versioning("Suspended")
    assert f"versioning of {REPLICA} is suspended" in place.deploy("dr", "backfill", status=1)[1]
    place.versioning("Enabled")
    place.deploy("dr", "backfill")
    here, there = place.buckets()
    assert here == there
    assert "disaster recovery" not in place.deploy("status")[0]


@pytest.mark.parametrize("moment", ["closed ", "CloudFront asks the replica"])
def test_killed_in_the_middle_a_rehearsal_is_found_and_undone_by_the_next(place: Place, moment: str) -> None:
    # It gets no further than to the invalidation, however late the signal comes.
    store.begin(place.server.state, Outage(kind=Kind.CONTROL_PLANES, how=How.HANG))
    try:
        process = place.start("dr", "rehearse", "--yes")
        assert process.stderr is not None
        assert any(line.startswith(moment) for line in process.stderr)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    finally:
        store.end(place.server.state)
    # The preview that it had started, which on AWS is none.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    assert place.closed()
    assert "dr rehearse --env dev --local --end" in place.deploy("status")[0]
    assert "dr rehearse --env dev --local --end" in place.deploy("doctor", status=1)[0]
    if moment == "closed ":
        place.deploy("dr", "rehearse", "--end")
        assert not place.closed()
        return
    done = place.told("dr", "rehearse", "--yes")["report"]
    assert (done["result"], done["failed_visits"], done["rpo_objects"]) == ("passed", 0, 0)
    assert done["detected_seconds"] <= done["recovered_seconds"]
    assert {"app.entry", "assets.load", "replica.current"} <= {each["id"] for each in done["checks"] if each["status"] == "passed"}
    assert not place.closed()
    here, there = place.buckets()
    assert here == there, "no beacon is left"
    assert "rehearsed" in place.deploy("history")[0]
