"""A folder's pages, judged with the environment's headers before anything is published.

In: checked `Content`, the environment's contract. Out: findings. Never: reads more of a page than `PAGE_LIMIT`, or the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from assembly.model import SiteContract
from files.names import misspelt
from files.types import content_type
from guards.text import printable
from pages.findings import Allowances, Finding
from pages.model import Page, Served, SiteContext, addresses
from website.folder import FolderFile

PAGE_LIMIT = 4 << 20
"""Bytes of a page that are judged."""

PAGES_LIMIT = 8 << 20
"""Bytes of all pages that are judged: at some 1 MB a second, a folder of thousands of pages would take minutes."""

BODY_LIMIT = 32 << 20
"""Bytes of a script or style sheet that are read."""

ERROR_PAGES = ("404.html", "error.html")
"""Shown at whatever address was wrong."""


def surroundings(
    contract: SiteContract, files: Mapping[str, FolderFile], generated: Mapping[str, bytes], cached: Mapping[str, str]
) -> SiteContext:
    """The site as it will be. `files` and `generated` by key; `cached`: Cache-Control by key."""
    prefix = contract.index_document.strip("/").rpartition("/")[0]

    def find(path: str) -> Served | None:
        key = path.lstrip("/")
        if key in generated:
            return Served(name=key, content_type=content_type(key), cache_control=cached[key], body=lambda: generated[key])
        file = files.get(key)
        if file is None:
            return None
        name = key.removeprefix(f"{prefix}/")
        return Served(name=name, content_type=content_type(key), cache_control=cached[key], body=lambda: read_some(file, BODY_LIMIT))

    def known(path: str) -> str:
        key = path.lstrip("/")
        return misspelt(key, files) or _base_hint(key, f"{prefix}/" if prefix else "", files)

    return SiteContext(
        origin=f"https://{contract.domain}",
        headers=contract.response_headers,
        basic_auth=contract.basic_auth,
        indexed="noindex" not in contract.response_headers.get("x-robots-tag", ""),
        find=find,
        known=known,
        policy_file="the environment's file",
        configured=contract.config_json or {},
        entry_path=contract.entry_path,
    )


def judged(contract: SiteContract, around: SiteContext, files: Mapping[str, FolderFile], *, limit: int = PAGES_LIMIT) -> Iterator[Finding]:
    """Findings of the index document first, then of the other pages."""
    from pages.judge import judge

    index = contract.index_document.lstrip("/")
    prefix = index.rpartition("/")[0]
    pages = [key for key in files if content_type(key).startswith("text/html")]
    left = limit
    passed: list[str] = []
    for key in sorted(pages, key=lambda each: (each != index, each)):
        text = read_some(files[key], PAGE_LIMIT).decode(errors="replace")
        left -= len(text)
        if left < 0:
            passed.append(key)
            continue
        name = key.removeprefix(f"{prefix}/")
        paths = addresses(contract.entry_path) if key == index else (f"/{key}",)
        if name in ERROR_PAGES:
            paths = (*paths, "/no/such-page")
        yield from judge(Page(name=name, text=text, paths=paths), around)
    if passed:
        text = f"{len(passed):,} further pages were not looked at: the others have {limit >> 20} MB already"
        yield Finding(code="missing-file", file=passed[0], text=text, note=True)


def read_some(file: FolderFile, limit: int) -> bytes:
    """No more of a file than that; none of one that has gone meanwhile, which the digests tell."""
    try:
        with file.open() as handle:
            return handle.read(limit)
    except OSError:
        return b""


def _base_hint(key: str, prefix: str, keys: Iterable[str]) -> str:
    """The usual reason: the app was built for another base path than the one it is published under."""
    parts = key.split("/")
    known = frozenset(keys)
    for cut in range(len(parts)):
        if prefix + "/".join(parts[cut:]) in known:
            built = "/" + "/".join(parts[:cut])
            return (
                f": the app was built for base {built.rstrip('/')}/ but is published under /{prefix} (app.index_document, or vite --base)"
            )
    return ""


# --- in words -----------------------------------------------------------------------------------------------------


def refusal(finding: Finding, folder: str) -> str:
    """One line: where, what, what mends it, and how to say "I know"."""
    remedy = f"; {finding.remedy}" if finding.remedy else ""
    said = f"{_place(finding, folder)}: {printable(finding.text)}{printable(remedy)}"
    return f"{said}; to publish it all the same: --allow {_quoted(printable(finding.allowance))}"


def _quoted(text: str) -> str:
    """In quotes for a shell: the line is there to be pasted, and the name of a file is its maker's choice."""
    escaped = text.replace("'", "'\"'\"'")
    return f"'{escaped}'"


def note(finding: Finding) -> str:
    """The same for what is no reason to refuse."""
    remedy = f"; {finding.remedy}" if finding.remedy and not finding.text.startswith("allowed: ") else ""
    return f"{_place(finding, '')}: {printable(finding.text)}{printable(remedy)} ({finding.code})"


def _place(finding: Finding, folder: str) -> str:
    line = f":{finding.line}" if finding.line else ""
    return f"{printable(f'{folder}/{finding.file}' if folder else finding.file)}{line}"


def allowances(contract: SiteContract, more: Iterable[str]) -> Allowances:
    """Of the environment and of the command line. Raises ValueError."""
    return Allowances.of((*contract.publishing_allow, *more))
