"""A job that is cancelled (SIGTERM) gives back what it holds, whatever the verb: the next machine begins at once."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from aws.session import Aws
from rollout.lock import lock_name
from tests.functional import frontend
from tests.functional.frontend import Deployed
from tests.functional.harness import CommandLine, eventually
from tests.functional.small_platform import ENV, Platform
from tests.functional.wire import Call, Exchange, Wire

pytestmark = pytest.mark.functional


def terminated(
    line: CommandLine, wire: Wire, processes: list[subprocess.Popen[str]], at: Callable[[Call], bool], *arguments: str
) -> subprocess.Popen[str]:
    """The command, which is told to end while its first request of that kind is on the way; ended."""
    started: list[subprocess.Popen[str]] = []
    once = threading.Event()

    def end(exchange: Exchange) -> None:
        if at(exchange.call) and not once.is_set():
            once.set()
            eventually(lambda: started)[0].send_signal(signal.SIGTERM)
            threading.Event().wait(0.5)
        exchange.send(exchange.forward())

    for service in ("cloudformation", "s3", "secretsmanager"):
        wire.on(service, "*", end, times=1_000_000)
    process = line.start("deploy.py", *arguments)
    started.append(process)
    processes.append(process)
    _, stderr = process.communicate()
    assert once.is_set(), stderr
    assert (process.returncode, "Traceback" in stderr) == (130, False), stderr
    return process


@pytest.fixture
def dev(aws: Aws, account: str, tmp_path: Path) -> Deployed:
    """An environment whose site has two releases."""
    return frontend.deployed(aws, tmp_path / "dist", "dev", account)


@pytest.mark.parametrize(
    ("verb", "at", "more"),
    [
        ("rollback-release", "PutObject", ("--yes", "--to", "2")),
    ],
)
def test_the_claim_of_a_site_is_given_back(
    aws: Aws,
    dev: Deployed,
    command_line: CommandLine,
    wire: Wire,
    processes: list[subprocess.Popen[str]],
    tmp_path: Path,
    verb: str,
    at: str,
    more: tuple[str, ...],
) -> None:
    app = frontend.built(tmp_path / "app")
    common = ("--env", "dev", "--dist", str(dev.dist))
    for number in range(3):
        frontend.rebuilt(app, f"release {number}")
        assert command_line.deploy("publish", *common, "--content", str(app), "--yes").code == 0
    through = CommandLine(home=command_line.home, endpoint_url=wire.url, account_id=command_line.account_id)

    def changes(call: Call) -> bool:
        return call.operation == at and frontend.site_of(aws, dev).store.state()[0].claim is not None

    terminated(through, wire, processes, changes, verb, *common, *more)
    assert frontend.site_of(aws, dev).store.state()[0].claim is None
    again = command_line.deploy(verb, *common, *more)
    assert again.code == 0, again


def test_prune_gives_the_claim_of_a_site_back(
    aws: Aws, account: str, command_line: CommandLine, wire: Wire, processes: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    site = frontend.deployed(aws, tmp_path / "dist", "dev", account, publishing={"release_keep": 2, "release_grace_days": 1})
    app, common = frontend.built(tmp_path / "app"), ("--env", "dev", "--dist", str(site.dist))
    for number in range(3):
        frontend.rebuilt(app, f"release {number}")
        assert command_line.deploy("publish", *common, "--content", str(app), "--yes").code == 0
    frontend.age(aws, site, days=2)
    through = CommandLine(home=command_line.home, endpoint_url=wire.url, account_id=account)
    store = frontend.site_of(aws, site).store
    terminated(through, wire, processes, lambda call: store.state()[0].claim is not None, "prune", *common, "--yes")
    assert store.state()[0].claim is None
    again = command_line.deploy("prune", *common, "--yes")
    assert again.code == 0, again


@pytest.mark.parametrize(
    ("verb", "operation", "more"),
    [
        ("apply", "DescribeStackEvents", ("--yes",)),
        ("destroy", "DeleteStack", ("--approve", ENV)),
        ("plan", "CreateChangeSet", ()),
    ],
)
def test_the_lock_of_an_environment_is_given_back(
    aws: Aws,
    account: str,
    command_line: CommandLine,
    wire: Wire,
    processes: list[subprocess.Popen[str]],
    tmp_path: Path,
    verb: str,
    operation: str,
    more: tuple[str, ...],
) -> None:
    platform = Platform(account=account, dist=tmp_path / "dist", line=command_line)
    platform.build()
    assert platform.apply("--yes").code == 0
    platform.build(one="2")
    through = CommandLine(home=command_line.home, endpoint_url=wire.url, account_id=account)
    common = ("--env", ENV, "--dist", str(platform.dist))
    terminated(through, wire, processes, lambda call: call.operation == operation, verb, *common, *more)
    table = aws.client("dynamodb", account_id=account, region="eu-west-1")
    assert "Item" not in table.get_item(TableName=f"locks-{account}", Key={"LockID": {"S": lock_name("demo", ENV)}})
    again = command_line.deploy(verb, *common, *more)
    assert again.code in (0, 3), again
