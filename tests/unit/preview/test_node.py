"""What the edge functions' process can reach of the machine and of the person who started the preview."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from preview import node
from preview.model import Function
from preview.node import Node, NodeError

pytestmark = pytest.mark.attack


def _lambda(body: str) -> Function:
    code = f"exports.handler = async (event) => {{ {body} }};"
    return Function(arn="arn:f", name="f", kind="lambda", code=code, handler="index.handler", runtime="nodejs22.x", timeout=60.0)


EVENT = {"Records": [{"cf": {"config": {"requestId": "x"}}}]}


def _with(use: Callable[[Node], Coroutine[Any, Any, Any]], executable: str = "node") -> Any:
    async def run() -> Any:
        process = Node(lambda name, line: None, executable)
        try:
            await process.start()
            return await use(process)
        finally:
            await process.stop()

    return asyncio.run(run())


def _pid(process: Node) -> int:
    assert process._process is not None
    return process._process.pid


def test_no_credential_and_no_option_of_the_shell_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "marker")
    monkeypatch.setenv("BASIC_AUTH_PASSWORD", "marker")
    monkeypatch.setenv("NODE_OPTIONS", "--no-such-option")
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", "/nonexistent/marker")

    async def environment(process: Node) -> bytes:
        return Path(f"/proc/{_pid(process)}/environ").read_bytes()

    seen = _with(environment)
    assert b"marker" not in seen
    assert b"NODE" not in seen
    assert b"PATH=" in seen


@pytest.mark.parametrize(
    "attempt",
    [
        "require('node:fs').readFileSync('/etc/hostname')",
        "require('node:fs').readFileSync(`/proc/${process.ppid}/environ`)",
        "require('node:fs').readFileSync('/proc/self/environ')",
        "require('node:fs').readdirSync('.')",
        "require('node:fs').writeFileSync('/tmp/left-by-a-function', '')",
        "require('node:child_process').execFileSync('id')",
        "new (require('node:worker_threads').Worker)('1', {eval: true})",
        "require('node:inspector').open(0)",
    ],
)
def test_a_function_has_no_files_processes_threads_or_debugger(attempt: str) -> None:
    function = _lambda(f"try {{ {attempt}; return 'done'; }} catch (error) {{ return error.code; }}")
    assert _with(lambda process: process.call(function, EVENT)) == "ERR_ACCESS_DENIED"


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")
def test_it_can_write_no_file_and_leave_no_core_dump() -> None:
    async def limits(process: Node) -> tuple[tuple[int, int], ...]:
        return tuple(resource.prlimit(_pid(process), what) for what in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE))

    assert _with(limits) == ((0, 0), (0, 0))


@pytest.mark.parametrize(
    ("release", "flag"),
    [
        ((20, 12), "--experimental-permission"),
        ((21, 7), "--experimental-permission"),
        ((22, 12), "--experimental-permission"),
        ((22, 13), "--permission"),
        ((23, 4), "--experimental-permission"),
        ((23, 5), "--permission"),
        ((24, 0), "--permission"),
        ((26, 1), "--permission"),
    ],
)
def test_the_permission_model_is_asked_for_by_the_name_that_each_release_knows(release: tuple[int, int], flag: str) -> None:
    assert node._flags(release)[0] == flag


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("#!/bin/sh\necho hello\n", "says nothing that Node.js would say"),
        ("#!/bin/sh\nexit 1\n", "says nothing that Node.js would say"),
        ("#!/no-such-interpreter\n", "did not start: No such file"),
    ],
)
def test_a_program_that_only_has_the_name_is_refused(script: str, said: str, tmp_path: Path) -> None:
    program = tmp_path / "node"
    program.write_text(script)
    program.chmod(0o755)
    with pytest.raises(NodeError, match=said):
        _with(lambda process: asyncio.sleep(0), str(program))


def test_the_edge_code_s_own_needs_are_met() -> None:
    body = (
        "const {scrypt, hash} = require('node:crypto'); const {isUtf8} = require('node:buffer');"
        "const key = await new Promise((done) => scrypt('a', 'b', 32, {N: 2 ** 14}, (error, key) => done(key.length)));"
        "return [key, hash('sha256', 'a').length, isUtf8(Buffer.from('a'))];"
    )
    assert json.dumps(_with(lambda process: process.call(_lambda(body), EVENT))) == "[32, 64, true]"
