"""What lives from the start of a preview to its end: Node.js, the cache, and the site as it was last read.

In: what to serve and how (`Settings`). Out: outcomes of requests, lines for the terminal through `say`.
Never: ends because of a template or a folder that cannot be read any more; the site is then the earlier one.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from assembly.files import AssemblyError
from preview import source
from preview.bucket import Invalidated
from preview.cloudfront.cache import Cache
from preview.cloudfront.exchange import Outcome
from preview.cloudfront.pipeline import CloudFront
from preview.content import Content, Folder
from preview.interpreter.deployed import SecretValues
from preview.interpreter.site import InterpretError, interpret
from preview.messages import Request
from preview.model import Site
from preview.node import FunctionFailed, Node
from preview.origin_faults import NO_FAULTS, OriginFaults
from preview.requests import line
from preview.sockets import CONNECTIONS, UNREAD_SECONDS
from website.content import read as check
from website.errors import SourceError

PROBLEMS = 20
"""Reasons of publish to refuse the content that are said at once."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What to serve and where. A port of 0 is any free one."""

    directory: Path
    """The built assembly, `dist/<env>`."""
    secrets: Callable[[source.Built], SecretValues]
    """The value of each secret parameter, for the assembly as it is now."""
    port: int
    folder: Path | None
    """The site's files; None if `content` has them."""
    content: Content | None = None
    https: bool = False
    http_port: int | None = None
    """Beside HTTPS: a plain port, whose requests are what redirects are for."""
    authority_file: Callable[[int], Path] | None = None
    """By port: where to write the certificate that clients of HTTPS have to trust. Each preview makes its own."""
    connections: int = CONNECTIONS
    """At a time and port."""
    unread_seconds: float = UNREAD_SECONDS
    """That a client may leave its answer unread."""
    faults: OriginFaults = NO_FAULTS
    """How the buckets answer."""
    invalidations: Callable[[], tuple[Invalidated, ...]] | None = None
    """With `content`: every invalidation there has been, oldest first; blocking."""
    say: Callable[[str], None]
    now: Callable[[], datetime]
    monotonic: Callable[[], float] = time.monotonic
    node: str = "node"


class Preview:
    """Everything that lives from start to end: Node, cache, and the site as it was last read."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.node = Node(self._printed, settings.node)
        self.cache = Cache(settings.monotonic)
        self._began = settings.monotonic()
        self._seen: frozenset[str] | None = None
        self._notes: tuple[str, ...] = ()
        self._refused: frozenset[str] = frozenset()
        self._content: Content
        self._cloudfront: CloudFront

    @property
    def site(self) -> Site:
        """The site as it was last read."""
        return self._cloudfront.site

    async def start(self) -> None:
        """Read everything and load the functions. Raises AssemblyError, InterpretError, NodeError, OSError."""
        self._take(await asyncio.to_thread(self._read))
        await self._check()
        await self._functions()

    def wants_body(self, request: Request) -> bool:
        """Whether a function of the request's behaviour is handed the body."""
        return self._cloudfront.wants_body(request)

    async def handle(self, request: Request, *, https: bool, https_port: int | None = None) -> Outcome:
        """One request through the distribution."""
        return await self._cloudfront.handle(request, https=https, https_port=https_port)

    async def reload(self) -> None:
        """Read assembly and content again; what cannot be read leaves the site as it was."""
        settings = self._settings
        try:
            self._take(await asyncio.to_thread(self._read))
        except (AssemblyError, InterpretError) as error:
            for problem in error.problems:
                settings.say(f"cannot reload, the site is still the earlier one: {line(problem)}")
            return
        except OSError as error:
            settings.say(f"cannot reload, the site is still the earlier one: {error.filename}: {error.strerror}")
            return
        self.cache.clear()
        settings.say("reloaded; the cache is empty")
        await self._check()
        await self._functions()

    async def stop(self) -> None:
        """End Node, and what still asks for newer objects."""
        if hasattr(self, "_cloudfront"):
            await self._cloudfront.stop()
        await self.node.stop()

    async def follow_invalidations(self) -> None:
        """Forget what the invalidations since the last look name. Those from before the start found an empty cache."""
        listed = self._settings.invalidations
        if listed is None:
            return
        every = await asyncio.to_thread(listed)
        new = [each for each in every if self._seen is not None and each.id not in self._seen]
        self._seen = frozenset(each.id for each in every)
        for each in new:
            gone = self.cache.forget(each.paths)
            self._settings.say(f"invalidation {line(each.id)}: {gone} objects forgotten")

    def _read(self) -> tuple[source.Built, Site, Content]:
        """Runs in a thread: a slow disk holds up no request."""
        settings = self._settings
        built = source.read(settings.directory)
        site = interpret(built, settings.secrets(built))
        content = settings.content
        if content is None:
            assert settings.folder is not None
            content = Folder(settings.folder, built.assembly.site, settings.now())
        return built, site, content

    def _take(self, read: tuple[source.Built, Site, Content]) -> None:
        self._built, site, content = read
        for note in site.notes:
            if note not in self._notes:
                self._settings.say(f"note: {line(note)}")
        self._notes = site.notes
        self._cloudfront = CloudFront(
            site,
            content,
            self.node,
            self.cache,
            lambda: uuid.uuid4().hex,
            faults=self._settings.faults,
            elapsed=lambda: self._settings.monotonic() - self._began,
        )

    async def _check(self) -> None:
        """Say what publish would refuse, as far as it was not said before."""
        folder = self._settings.folder
        if folder is None:
            return
        refused = await asyncio.to_thread(_refused, folder, self._built)
        new = [problem for problem in refused if problem not in self._refused]
        for problem in new[:PROBLEMS]:
            self._settings.say(f"note: publish would refuse this: {line(problem)}")
        if len(new) > PROBLEMS:
            self._settings.say(f"note: publish would refuse {len(new) - PROBLEMS:,} more")
        self._refused = frozenset(refused)

    async def _functions(self) -> None:
        functions = [function for function in self.site.functions if not function.broken]
        if not functions:
            return
        await self.node.start()
        for runtime in sorted({f.runtime for f in functions if f.kind == "lambda"}):
            if runtime != f"nodejs{self.node.version.partition('.')[0]}.x":
                self._settings.say(f"note: Lambda@Edge functions run on {runtime} at the edge and on Node.js {self.node.version} here")
        for function in functions:
            try:
                await self.node.load(function)
            except FunctionFailed as failed:
                self._settings.say(f"error: function {function.name} does not start: {line(failed.message)}")

    def _printed(self, name: str, printed: str) -> None:
        self._settings.say(f"  {name or 'node'}: {line(printed)}")


def _refused(folder: Path, built: source.Built) -> tuple[str, ...]:
    try:
        check(folder, built.assembly.site)
    except SourceError as error:
        return error.problems
    except OSError as error:
        return (f"{error.filename}: {error.strerror}",)
    return ()
