"""The edge functions in one long-lived Node.js process.

In: functions and events. Out: what a function returned, as JSON; or `FunctionFailed` with what went wrong, for the terminal.
Never: takes more than a function's time-out (the process is then ended and started anew, as Lambda does), hands its environment on.

What keeps a function from the machine is Node's permission model (Node.js documentation, "Permissions"): no files, no processes, threads,
addons, debugger; from Node.js 25 on no network either. It guards against mistakes and curiosity, and is no sandbox for hostile code.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from guards import documents
from guards.processes import child_environment
from preview.model import Function

OLDEST_NODE = (20, 12)
"""`crypto.hash` of the edge code is in Node.js 20.12 and newer."""
LINE_LIMIT = 32 * 1024 * 1024
PERMISSION_STABLE = ((22, 13), (23, 5))
"""From which minor version of a major one the flag is called --permission; in every later major version as well."""
HEAP_MEGABYTES = 512
"""Of JavaScript objects; Lambda@Edge gives 128 to everything."""
START_SECONDS = 20.0
LOAD_SECONDS = 10.0
_ATTEMPTS = 3

_RUNNER = Path(__file__).with_name("runner.cjs")

Log = Callable[[str, str], None]
"""Takes the function's name and a line that it printed."""


class NodeError(Exception):
    """Node.js cannot be used; the message says what to do."""


@dataclass(frozen=True)
class FunctionFailed(Exception):
    """A function gave no result. `why`: "timeout", "crash", or "load" for code that does not even start."""

    why: Literal["timeout", "crash", "load"]
    message: str
    stack: str = ""

    def __str__(self) -> str:
        return self.message


class _Interrupted(Exception):
    """The process was ended because another call hung, before this one was answered or even begun; it may try again."""


class Node:
    """The process; starts at the first use, or with `start`."""

    def __init__(self, log: Log, executable: str = "node") -> None:
        self._log = log
        self._executable = executable
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._loaded: set[str] = set()
        self._begun: set[int] = set()
        self._ids = itertools.count(1)
        self._starting = asyncio.Lock()
        self._loading: dict[str, asyncio.Lock] = {}
        self.version = ""

    async def start(self) -> None:
        """Raises NodeError where Node.js is missing or too old."""
        async with self._starting:
            if self._process is not None and self._process.returncode is None:
                return
            path = shutil.which(self._executable)
            wanted = ".".join(map(str, OLDEST_NODE))
            if path is None:
                raise NodeError(
                    f"the edge functions run in Node.js, which is not on PATH; install Node.js {wanted} or newer (https://nodejs.org)"
                )
            self.version = await _version(path)
            release = tuple(int(part) for part in self.version.split(".")[:2])
            if release < OLDEST_NODE:
                raise NodeError(f"{path} is Node.js {self.version}; the edge code needs {wanted} or newer (https://nodejs.org)")
            self._process = await asyncio.create_subprocess_exec(
                path,
                *_flags(release),
                # As text, so that no file at all has to be readable.
                "--eval",
                _RUNNER.read_text(encoding="utf-8"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=child_environment(),
                cwd="/",
                limit=LINE_LIMIT,
                # Its own session: Ctrl-C in the terminal ends the preview, and that ends Node by closing stdin.
                start_new_session=True,
            )
            _limit(self._process.pid)
            self._loaded.clear()
            ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._waiting = {0: ready}
            self._reader = asyncio.create_task(self._read(self._process, self._waiting))
            try:
                await asyncio.wait_for(ready, START_SECONDS)
            except (TimeoutError, FunctionFailed, _Interrupted) as error:
                await self.stop()
                raise NodeError(f"{path} did not start: {error or 'no answer'}") from error

    async def stop(self) -> None:
        """End the process; pending calls are `_Interrupted`."""
        # Taken before anything is waited for: another call may start the next process meanwhile.
        process, self._process = self._process, None
        reader, self._reader = self._reader, None
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(_Interrupted())
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if reader is not None:
            await reader

    async def load(self, function: Function) -> None:
        """Compile a function, once. Raises FunctionFailed."""
        await self.start()
        key = _key(function)
        async with self._loading.setdefault(key, asyncio.Lock()):
            if key in self._loaded:
                return
            load = {"key": key, "kind": function.kind, "name": function.name, "code": function.code, "handler": function.handler}
            try:
                await self._ask({"load": load}, LOAD_SECONDS)
            except FunctionFailed as error:
                raise FunctionFailed("load", error.message, error.stack) from None
            self._loaded.add(key)

    async def call(self, function: Function, event: Mapping[str, Any]) -> Any:
        """What the function answers to the event. Raises FunctionFailed."""
        # Node is told of the time-out: it can end a CloudFront Function that loops without losing the process.
        message = {"call": _key(function), "event": event, "timeout": int(function.timeout * 1000)}
        for _ in range(_ATTEMPTS):
            try:
                await self.load(function)
                return await self._ask(message, function.timeout + (1.0 if function.kind == "cloudfront" else 0.0))
            except _Interrupted:
                continue
        raise FunctionFailed("crash", "Node.js was restarted again and again, since another function hangs")

    async def _ask(self, message: Mapping[str, Any], timeout: float) -> Any:
        process = self._process
        if process is None or process.stdin is None:
            raise FunctionFailed("crash", "Node.js has ended")
        identifier = next(self._ids)
        waiting = self._waiting
        answer = waiting[identifier] = asyncio.get_running_loop().create_future()
        try:
            process.stdin.write(json.dumps({"id": identifier, **message}).encode() + b"\n")
            await process.stdin.drain()
            return await asyncio.wait_for(answer, timeout)
        except TimeoutError:
            begun = identifier in self._begun
            if process is self._process:
                await self.stop()
            if not begun:
                raise _Interrupted from None
            raise FunctionFailed("timeout", f"no result within {timeout:g} s") from None
        except (BrokenPipeError, ConnectionResetError):
            raise FunctionFailed("crash", "the function ended the Node.js process") from None
        finally:
            waiting.pop(identifier, None)
            self._begun.discard(identifier)

    async def _read(self, process: asyncio.subprocess.Process, waiting: dict[int, asyncio.Future[Any]]) -> None:
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                self._take(line, waiting)
        except ValueError:
            process.kill()
        await process.wait()
        if self._process is process:
            self._process = None
        for future in waiting.values():
            if not future.done():
                future.set_exception(FunctionFailed("crash", "the function ended the Node.js process"))

    def _take(self, line: bytes, waiting: dict[int, asyncio.Future[Any]]) -> None:
        try:
            message = documents.loads(line)
        except ValueError:
            self._log("", line.decode(errors="replace").rstrip())
            return
        if "log" in message:
            self._log(message["log"], message["line"])
            return
        if "begun" in message:
            self._begun.add(message["begun"])
            return
        future = waiting.get(0 if "ready" in message else message.get("id") or -1)
        if future is None or future.done():
            if "error" in message:
                self._log("", f"error outside of a call: {message['error']['message']}")
        elif "error" in message:
            error = message["error"]
            if error["name"] == "Error" and "timed out after" in error["message"]:
                future.set_exception(FunctionFailed("timeout", error["message"]))
            else:
                future.set_exception(FunctionFailed("crash", f"{error['name']}: {error['message']}", error["stack"]))
        else:
            future.set_result(message.get("ready", message.get("result")))


async def _version(path: str) -> str:
    """Such as "22.13.0". Raises NodeError where the program is no Node.js."""
    try:
        process = await asyncio.create_subprocess_exec(
            path,
            "--version",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=child_environment(),
        )
    except OSError as error:
        raise NodeError(f"{path} did not start: {error.strerror}") from error
    try:
        printed, _ = await asyncio.wait_for(process.communicate(), START_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise NodeError(f"{path} --version gave no answer within {START_SECONDS:g} s") from None
    found = re.fullmatch(rb"v(\d+\.\d+\.\d+)\S*\s*", printed)
    if found is None:
        raise NodeError(f"{path} --version says nothing that Node.js would say")
    return found[1].decode()


def _flags(release: tuple[int, ...]) -> tuple[str, ...]:
    """For a release such as (20, 12)."""
    known = next((minimum for minimum in PERMISSION_STABLE if minimum[0] == release[0]), None)
    stable = release >= known if known is not None else release > PERMISSION_STABLE[-1]
    permission = "--permission" if stable else "--experimental-permission"
    return permission, "--no-addons", "--no-warnings", f"--max-old-space-size={HEAP_MEGABYTES}", "--input-type=commonjs"


def _limit(pid: int) -> None:
    """Before it has any code of a function: no file is written, no core dump, few descriptors. Where the system can set it from outside."""
    if sys.platform != "linux":
        return
    import resource

    for what, most in ((resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 256)):
        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(pid, what, (most, most))


def _key(function: Function) -> str:
    return hashlib.sha256(f"{function.kind}\0{function.name}\0{function.handler}\0{function.code}".encode()).hexdigest()
