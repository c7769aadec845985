"""Fixtures of the functional tests: a local AWS with and without IAM enforcement, fresh accounts for each test, a spoiling wire.

A server lives for the session and ends with it, even if pytest is killed: it watches its parent. Tests are kept apart by accounts that no
other test uses, which costs nothing; so a test makes no assumption about an account but that it is empty.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aws.session import Aws
from local_aws.server import LocalAws
from tests.functional.harness import SECRET, CommandLine, Hold
from tests.functional.wire import Wire, wire_to

_numbers = itertools.count(1)

# The proxies of the tests hand on what is addressed, and signed, to them.
SETTINGS = {"LOCAL_AWS_SECRET": SECRET, "LOCAL_AWS_ANY_PORT": "1"}

HOLD = "hold"
"""While this file exists in its directory, a server begins no resource, no import and no StackSet instance."""


def _server(directory: Path, **options: bool) -> LocalAws:
    settings = {**SETTINGS, "LOCAL_AWS_HOLD": str(directory / HOLD)}
    return LocalAws.start(directory, bound_to=os.getpid(), persist=False, settings=settings, **options)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A checkout's directory in which `--local` finds a running server."""
    directory = tmp_path_factory.mktemp("home")
    server = LocalAws.start(directory / ".local-aws", bound_to=os.getpid(), persist=False, settings=SETTINGS)
    yield directory
    server.stop()


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """Without IAM enforcement."""
    server = _server(tmp_path_factory.mktemp("local-aws"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def guarded_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """With IAM enforcement: an account id with the server's secret is its root user."""
    server = _server(tmp_path_factory.mktemp("guarded-aws"), auth=True)
    yield server
    server.stop()


@pytest.fixture
def new_account() -> Callable[[], str]:
    """Ids of accounts that are empty."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return lambda: f"{100_000_000_000 + worker * 1_000_000_000 + next(_numbers) * 1_001:012d}"


@pytest.fixture
def account(new_account: Callable[[], str]) -> str:
    """An empty account."""
    return new_account()


@pytest.fixture
def aws(local_aws: LocalAws) -> Aws:
    """Clients for any account, as its root."""
    return Aws(endpoint_url=local_aws.endpoint_url, static_credentials=local_aws.credentials)


@pytest.fixture
def hold(local_aws: LocalAws) -> Iterator[Hold]:
    """What `local_aws` begins waits while the test wants it to."""
    made = Hold(local_aws.state / HOLD)
    yield made
    made.release()


@pytest.fixture
def wire(local_aws: LocalAws) -> Iterator[Wire]:
    """A proxy in front of `local_aws`; spoils what it is told to."""
    with wire_to(local_aws.endpoint_url) as made:
        yield made


@pytest.fixture
def guarded_wire(guarded_aws: LocalAws) -> Iterator[Wire]:
    """A proxy in front of `guarded_aws`."""
    with wire_to(guarded_aws.endpoint_url) as made:
        yield made


@pytest.fixture
def command_line(local_aws: LocalAws, account: str, tmp_path: Path) -> CommandLine:
    """The project's scripts with the credentials of `account` against `local_aws`."""
    return CommandLine(home=tmp_path, endpoint_url=local_aws.endpoint_url, account_id=account)


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    """Put what you start in here; it is killed at the end of the test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
