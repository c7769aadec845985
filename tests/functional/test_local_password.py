"""One Basic Auth password for one local AWS: whoever made it, every command says and takes the same."""

from __future__ import annotations

import io
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.main import main
from local_aws.server import LocalAws
from session.context import Context
from tests.functional.harness import answer
from tests.unit.test_build import build

pytestmark = pytest.mark.functional


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


class Here:
    """Commands with --local, whose local AWS is this test's own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def deploy(self, verb: str, *arguments: str, stdin: str = "") -> Said:
        out, err = io.StringIO(), io.StringIO()
        context = Context(stdin=io.StringIO(stdin), stdout=out, stderr=err, environ={}, root=self.root)
        code = main([verb, "--env", "dev", "--dist", str(self.root / "dist"), "--local", *arguments], ("verbs",), context)
        return Said(code, out.getvalue(), err.getvalue())


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    assert build("--env", "dev", "--out", str(tmp_path / "dist")).returncode == 0
    yield Here(tmp_path)
    running = LocalAws.find(tmp_path / ".local-aws")
    if running is not None:
        running.stop()


def test_every_command_knows_the_same_password(here: Here) -> None:
    planned = here.deploy("plan")
    made = re.search(r"user admin, password (\S+)", planned.err)
    assert made is not None, planned
    assert here.deploy("password").out == f"{made[1]}\n"
    kept = here.root / ".local-aws" / "passwords.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600

    other = here.deploy("set-password", "--generate").out.strip()
    assert other != made[1]
    assert answer(here.deploy("password", "--json").out) == {"username": "admin", "password": other}
    explained = here.deploy("preview", "--explain", "/buy", "--json")
    assert explained.code == 0 and other not in explained.out + explained.err

    kept.unlink()
    lost = here.deploy("password")
    assert lost.code == 1 and "next: python deploy.py set-password --env dev --local" in lost.err, lost
    assert here.deploy("preview", "--explain", "/buy").code == 0


def test_of_a_password_at_aws_only_a_hash_is_kept(here: Here) -> None:
    err = io.StringIO()
    code = main(
        ["password", "--env", "dev", "--dist", str(here.root / "dist")], ("verbs",), Context(stderr=err, environ={}, root=here.root)
    )
    assert code == 2
    assert "only a hash is kept" in err.getvalue()
