"""How long a publish takes, beside `aws s3 sync` and boto3's threads: python benchmarks/publish.py [--files 500] [--megabytes 20]

Every contender is a whole process against the same server in another process, which answers every request 25 ms late and keeps objects in
memory. Medians; only the ratios of one run mean anything. With --memory N: the peak memory of a publish of N files.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parent.parent
DELAY = 0.025
ACCOUNT = "123456789012"


class Server(asyncio.Protocol):
    """As much of S3 and STS as the contenders use."""

    objects: ClassVar[dict[str, tuple[str, bytes]]] = {}
    keep: ClassVar[bool] = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.buffer = bytearray()
        self.head: tuple[str, str, dict[str, str]] | None = None

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            if self.head is None:
                end = self.buffer.find(b"\r\n\r\n")
                if end < 0:
                    return
                first, *lines = bytes(self.buffer[:end]).decode("latin-1").split("\r\n")
                del self.buffer[: end + 4]
                method, target, _ = first.split(" ")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                self.head = (method, target, headers)
                if headers.get("expect", "").lower() == "100-continue":
                    self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            method, target, headers = self.head
            chunked = "chunked" in headers.get("content-encoding", "") or headers.get("transfer-encoding") == "chunked"
            length = int(headers.get("content-length", 0))
            if len(self.buffer) < length:
                return
            body = bytes(self.buffer[:length])
            del self.buffer[:length]
            self.head = None
            if chunked:
                body = _dechunked(body)
            asyncio.get_running_loop().call_later(DELAY, self.answer, method, target, body)

    def answer(self, method: str, target: str, body: bytes) -> None:
        status, sent, reply = self.made(method, target, body)
        lines = [f"HTTP/1.1 {status}", *(f"{k}: {v}" for k, v in sent.items()), f"Content-Length: {len(reply)}", "", ""]
        self.transport.write("\r\n".join(lines).encode() + (b"" if method == "HEAD" else reply))

    def made(self, method: str, target: str, body: bytes) -> tuple[str, dict[str, str], bytes]:
        split = urlsplit(target)
        path, query = unquote(split.path), parse_qs(split.query)
        xml = {"Content-Type": "text/xml"}
        if method == "POST":
            identity = f"<Account>{ACCOUNT}</Account><Arn>arn:aws:iam::{ACCOUNT}:root</Arn><UserId>x</UserId>"
            text = f"<GetCallerIdentityResponse><GetCallerIdentityResult>{identity}</GetCallerIdentityResult></GetCallerIdentityResponse>"
            return "200 OK", xml, text.encode()
        if method == "PUT":
            etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
            self.objects[path] = (etag, body if self.keep or "-artifacts-" in path else b"")
            return "200 OK", {"ETag": f'"{etag}"'}, b""
        if "list-type" in query:
            return "200 OK", xml, self.listing(path.strip("/"), query)
        found = self.objects.get(path)
        if found is None:
            return "404 Not Found", xml, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>"
        return "200 OK", {"ETag": f'"{found[0]}"', "Last-Modified": "Mon, 23 Nov 2026 00:00:00 GMT"}, found[1]

    def listing(self, bucket: str, query: dict[str, list[str]]) -> bytes:
        start = query.get("continuation-token", [""])[0]
        prefix = f"/{bucket}/" + query.get("prefix", [""])[0]
        keys = sorted(k for k in self.objects if k.startswith(prefix) and k > start)
        page = keys[:1000]
        items = "".join(
            f"<Contents><Key>{escape(k[len(bucket) + 2 :])}</Key><LastModified>2126-11-23T00:00:00.000Z</LastModified>"
            f"<ETag>&quot;{self.objects[k][0]}&quot;</ETag><Size>{len(self.objects[k][1])}</Size></Contents>"
            for k in page
        )
        more = len(keys) > len(page)
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        return (
            f'<?xml version="1.0"?><ListBucketResult><Name>{bucket}</Name><KeyCount>{len(page)}</KeyCount>'
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{items}</ListBucketResult>"
        ).encode()


def _dechunked(body: bytes) -> bytes:
    parts: list[bytes] = []
    at = 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].split(b";")[0], 16)
        if not size:
            return b"".join(parts)
        parts.append(body[end + 2 : end + 2 + size])
        at = end + 4 + size


async def serve(port_file: Path, keep: bool) -> None:
    """Until killed."""
    Server.keep = keep
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    draft = port_file.with_suffix(".new")
    draft.write_text(str(server.sockets[0].getsockname()[1]))
    draft.replace(port_file)
    await server.serve_forever()


BOTO3_THREADS = """
import sys, os, boto3
from botocore.config import Config
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
root = Path(sys.argv[1])
client = boto3.client("s3", config=Config(max_pool_connections=32, s3={"addressing_style": "path"}))
with ThreadPoolExecutor(16) as pool:
    list(pool.map(lambda p: client.upload_file(str(p), "threads", str(p.relative_to(root))), [p for p in root.rglob("*") if p.is_file()]))
"""


def site(folder: Path, files: int, octets: int) -> None:
    """A page and hashed assets of random bytes, half scripts and half pictures."""
    rng = random.Random(7)
    (folder / "assets").mkdir(parents=True)
    each = max(1, octets // files)
    for number in range(files - 1):
        data = rng.randbytes(each)
        suffix = "webp" if number % 2 else "js"
        (folder / "assets" / f"c{number:05d}-{hashlib.sha256(data).hexdigest()[:8]}.{suffix}").write_bytes(data)
    first = min((folder / "assets").iterdir()).name
    (folder / "index.html").write_text(f'<!doctype html><script type="module" src="/assets/{first}"></script>')


def assembly(dist: Path) -> None:
    """An environment whose site bucket is `bench`."""
    sys.path.insert(0, str(ROOT))
    from tests.functional import frontend

    frontend.write(frontend.synthesised("dev", ACCOUNT), dist)


def timed(command: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Seconds of wall and of processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    subprocess.run(command, env=env, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--megabytes", type=float, default=20)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--memory", type=int, metavar="N", help="peak memory of a publish of N files of 100 bytes instead")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--forget", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        asyncio.run(serve(args.serve, not args.forget))
        return 0
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        assembly(home / "dist")
        if args.memory:
            memory(home, args.memory)
        else:
            compare(home, args)
    return 0


def started(home: Path, *more: str) -> tuple[subprocess.Popen[bytes], dict[str, str]]:
    """A fresh server, and the environment that points at it."""
    port_file = home / "port"
    port_file.unlink(missing_ok=True)
    server = subprocess.Popen([sys.executable, __file__, "--serve", str(port_file), *more])
    while not port_file.exists():
        time.sleep(0.02)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port_file.read_text()}",
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return server, env


def publish(home: Path) -> list[str]:
    """Ours."""
    return [
        *(sys.executable, "deploy.py", "publish", "--env", "dev", "--dist", str(home / "dist")),
        *("--content", str(home / "site"), "--yes"),
    ]


def aws_command() -> str:
    """The AWS CLI itself: behind a shim of pyenv it would be slower than it is."""
    found = shutil.which("aws") or "aws"
    if "shims" not in Path(found).parts:
        return found
    asked = subprocess.run(["pyenv", "which", "aws"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or found


def touch(folder: Path, moment: int) -> None:
    """As a build leaves it: every file with the same new time."""
    for path in folder.rglob("*"):
        os.utime(path, (moment, moment))


def compare(home: Path, args: argparse.Namespace) -> None:
    """First publish, nothing changed, rebuilt (new times, same bytes)."""
    site(home / "site", args.files, int(args.megabytes * 1e6))
    sync = [aws_command(), "s3", "sync", "--only-show-errors", str(home / "site"), "s3://sync/"]
    threads = [sys.executable, "-c", BOTO3_THREADS, str(home / "site")]
    ours = publish(home)
    contenders: dict[str, list[str]] = {"aws s3 sync": sync, "boto3 upload_file x16": threads, "deploy.py publish": ours}
    seen: dict[tuple[str, str], list[tuple[float, float]]] = {}

    def measure(step: str, only: Callable[[str], bool] = lambda _: True) -> None:
        for contender, command in contenders.items():
            if only(contender):
                seen.setdefault((step, contender), []).append(timed(command, env))

    for _ in range(args.runs):
        server, env = started(home)
        touch(home / "site", 1_600_000_000)
        try:
            measure("first")
            measure("unchanged", lambda c: "boto3" not in c)
            touch(home / "site", 4_990_000_000)
            measure("rebuilt", lambda c: "boto3" not in c)
        finally:
            server.kill()
            server.wait()
    from aws.transfer import crt_installed

    print(f"{args.files} files, {args.megabytes} MB, {DELAY * 1000:.0f} ms; transfer by {'the AWS CRT' if crt_installed() else 'threads'}")
    for step in ("first", "unchanged", "rebuilt"):
        floor = statistics.median(wall for wall, _ in seen[(step, "aws s3 sync")])
        for contender in contenders:
            if (step, contender) in seen:
                wall = statistics.median(w for w, _ in seen[(step, contender)])
                cpu = statistics.median(c for _, c in seen[(step, contender)])
                print(f"{step:<10} {contender:<22} {wall:5.2f} s  (processor {cpu:5.2f} s)  {wall / floor:4.2f}x of aws s3 sync")


def memory(home: Path, files: int) -> None:
    """Peak resident size of the first publish and of one that changes nothing."""
    site(home / "site", files, files * 100)
    server, env = started(home, "--forget")
    watch = (
        "import resource as r, subprocess, sys; subprocess.run(sys.argv[1:], check=True); print(r.getrusage(r.RUSAGE_CHILDREN).ru_maxrss)"
    )
    try:
        for step in ("first", "unchanged"):
            begun = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-c", watch, *publish(home)], env=env, cwd=ROOT, check=True, capture_output=True, text=True
            )
            peak = int(done.stdout.split()[-1]) / 1024
            print(f"{files} files, {step}: peak {peak:.0f} MB, {time.perf_counter() - begun:.1f} s")
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    sys.exit(main())
