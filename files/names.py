"""Which files of a folder are published, and what is wrong with their names.

In: paths, what is to be left out. Out: `Selection`. Never: opens a file.
"""

from __future__ import annotations

import fnmatch
import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from files.types import PRECOMPRESSED, known_type
from guards.text import printable
from pages.findings import Finding

KEY_LIMIT = 1024
"""Bytes of an object key in UTF-8 (Amazon S3 User Guide, object keys)."""

LITTER = (".ds_store", "._*", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", ".directory", ".gitkeep", ".keep", ".nojekyll")
"""What file managers and version control leave in a folder, in lower case; nobody means to publish it."""

SECRET_NAMES = (
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.ppk", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*"),
    *("*.env", "credentials", "*.tfstate", "*.kdbx"),
)

_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What of a folder is published."""

    files: Mapping[str, str]
    """Path, and the file itself, which differs for a link to another file of the folder."""
    findings: tuple[Finding, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    """Path and what is wrong with it, where no allowance helps: S3 would not take it, or nobody could ask for it."""
    notes: tuple[str, ...] = ()


def left_out(exclude: Iterable[str]) -> Callable[[str], bool]:
    """For `walk`: litter, and what the patterns say. A pattern that ends with /* takes the whole folder."""
    patterns = tuple(exclude)
    return lambda path: is_litter(path) or _matches(path, patterns)


def idle(exclude: Iterable[str], left: Iterable[str]) -> tuple[str, ...]:
    """The patterns that left out nothing: slips, where somebody has just typed them."""
    passed = tuple(left)
    return tuple(pattern for pattern in exclude if not any(_matches(path, (pattern,)) for path in passed))


def is_litter(path: str) -> bool:
    """A file, or a folder with a slash behind it, that a machine left there."""
    name = path.rstrip("/").rsplit("/", 1)[-1]
    return name == "__MACOSX" or (not path.endswith("/") and any(fnmatch.fnmatchcase(name.lower(), pattern) for pattern in LITTER))


def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


def select(listed: Mapping[str, str], left: tuple[str, ...], prefix: str) -> Selection:
    """The files that are published, and everything worth saying about the names of all; `left` were passed by already."""
    findings: list[Finding] = []
    problems: list[tuple[str, str]] = []
    files = dict(listed)
    twins = [path for path in files if path.endswith(PRECOMPRESSED) and os.path.splitext(path)[0] in files]  # noqa: PTH122
    for path in twins:
        del files[path]
    for path in list(files):
        impossible = _impossible(path, prefix)
        if impossible:
            problems.append((path, impossible))
            del files[path]
        else:
            findings += _of_name(path)
    findings += _case_twins(files)
    litter = [path for path in left if is_litter(path)]
    excluded = [path for path in left if not is_litter(path)]
    notes = [
        *named("left out as litter", litter),
        *named("left out as excluded", excluded),
        *named("left out as precompressed twins, since CloudFront compresses by itself", twins),
        *_unknown(files),
    ]
    return Selection(files=files, findings=tuple(findings), problems=tuple(problems), notes=tuple(notes))


def _impossible(path: str, prefix: str) -> str:
    try:
        length = len((prefix + path).encode())
    except UnicodeEncodeError:
        return "the name is not UTF-8; rename it, or leave it out: --exclude PATTERN"
    if length > KEY_LIMIT:
        return f"the path has {length} bytes; an object key may have {KEY_LIMIT}"
    if any(unicodedata.category(character) == "Cc" for character in path) or "\\" in path:
        return "control characters and backslashes have no place in a URL; rename it, or leave it out: --exclude PATTERN"
    return ""


def _of_name(path: str) -> Iterator[Finding]:
    parts = path.split("/")
    if "+" in path:
        text = "S3 reads a + in a URL as a space, so that only pages that ask for %2B get it"
        yield Finding(code="plus-sign", file=path, text=text, remedy="rename the file")
    if any(part.startswith(".") for part in (parts if parts[0] != ".well-known" else parts[1:])):
        yield Finding(code="dotfile", file=path, text="a dotfile", remedy="leave it out: --exclude PATTERN, or publishing.exclude")
    elif path.endswith(".map"):
        text = "a source map shows the source to everybody"
        yield Finding(code="source-map", file=path, text=text, remedy="vite: build.sourcemap 'hidden' or false; or --exclude '*.map'")
    elif any(fnmatch.fnmatchcase(parts[-1].lower(), pattern) for pattern in SECRET_NAMES):
        yield Finding(code="secret-name", file=path, text="looks like a file with secrets")
    if unicodedata.normalize("NFC", path) != path:
        text = "the name is not in Unicode's composed form (NFC): a page that writes it composed, as keyboards do, gets a 404"
        yield Finding(code="name-form", file=path, text=text, remedy="rename the file", note=True)


def _case_twins(files: Iterable[str]) -> Iterator[Finding]:
    alike: dict[str, list[str]] = defaultdict(list)
    for path in files:
        alike[folded(path)].append(path)
    for same in alike.values():
        for path in same[1:]:
            text = f"differs from {printable(same[0])} by case or Unicode form only: on macOS and Windows one takes the other's place"
            yield Finding(code="case-twins", file=path, text=text, remedy="rename one", note=True)


def folded(path: str) -> str:
    """Equal for names that a person takes for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _unknown(files: Iterable[str]) -> Iterator[str]:
    unknown: dict[str, list[str]] = defaultdict(list)
    for path in files:
        if not known_type(path):
            unknown[os.path.splitext(path)[1].lower() or "no extension"].append(path)  # noqa: PTH122
    for suffix, paths in sorted(unknown.items()):
        yield from named(
            f"Content-Type not known ({printable(suffix)}), served as application/octet-stream, which browsers download", paths
        )


def named(what: str, paths: list[str]) -> Iterator[str]:
    """What is so, and the first few of the files that are; nothing if none is."""
    if paths:
        more = f" and {len(paths) - _SHOWN:,} more" if len(paths) > _SHOWN else ""
        yield f"{what}: {', '.join(printable(path) for path in sorted(paths)[:_SHOWN])}{more}"


def misspelt(path: str, paths: Iterable[str]) -> str:
    """The file that was meant by a path that is not there: its name in another Unicode form or case; "" if there is none."""
    wanted = folded(path)
    found = next((each for each in paths if folded(each) == wanted), "")
    if not found:
        return ""
    if unicodedata.normalize("NFC", found) == unicodedata.normalize("NFC", path):
        form = "decomposed (NFD)" if unicodedata.normalize("NFC", found) != found else "composed (NFC)"
        return f": the file's name is the same, but in another Unicode form, {form}; keys are compared byte by byte"
    return f": there is {printable(found)}, which differs by case; keys are compared byte by byte"
