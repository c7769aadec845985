"""What is said about a page or a file, and how somebody says "I know".

In: codes and patterns. Out: `Finding`, `Allowances`. Never: decides what is wrong.

One scheme for all of them: a code, or CODE:PATTERN for files of that path only, with --allow or in `publishing.allow`.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

CODES: Mapping[str, str] = {
    "dotfile": "a file whose name begins with a dot, outside of .well-known",
    "source-map": "a source map, which shows the source to everybody",
    "secret-name": "a file whose name is one of files with secrets",
    "secret": "a file that holds what looks like a secret",
    "plus-sign": "a name with a +, which S3 reads as a space",
    "name-form": "a name that is not in Unicode's composed form (NFC)",
    "case-twins": "names that differ by case only",
    "unknown-type": "an extension whose Content-Type is not known",
    "taken-for-route": "a file that visitors do not get, since the edge takes its path for a route of the app",
    "missing-file": "a page loads a file that is not there",
    "missing-module": "a script imports a file that is not there",
    "relative-base": "a page loads a file by a relative path that fits only some of the addresses it is shown under",
    "nesting": "a page or style sheet that is nested too deeply to be judged",
    "wrong-type": "a script or style sheet whose Content-Type browsers refuse",
    "csp-inline": "inline code or style that the Content-Security-Policy forbids",
    "csp-source": "a host or scheme that the Content-Security-Policy forbids",
    "csp-base": "a <base> that the Content-Security-Policy forbids",
    "csp-connect": "a host in a script or in config.json that connect-src forbids",
    "csp-wasm": "WebAssembly without 'wasm-unsafe-eval' in script-src",
    "integrity": "an integrity= hash that does not match the published bytes, or cannot be checked",
    "mixed-content": "a resource over plain http",
    "embedder-policy": "a resource of another host under Cross-Origin-Embedder-Policy",
    "font-cors": "a font of another host, or preloaded without crossorigin",
    "manifest-credentials": "a web app manifest behind Basic Auth, without crossorigin=use-credentials",
    "service-worker": "a service worker whose file, scope or headers do not fit",
    "foreign-canonical": "a canonical or og:url of another host",
    "source-map-missing": "a source map is referred to and not there",
}
"""Every code, and what it stands for."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong, or worth knowing."""

    code: str
    file: str
    """Path below the folder, or on a live site the path of its URL."""
    line: int = 0
    """0: of the file as a whole."""
    text: str
    """What is wrong."""
    remedy: str = ""
    """What would mend or allow it."""
    note: bool = False
    """True: told, but no reason to refuse."""

    @property
    def allowance(self) -> str:
        """What says "I know" for exactly this file."""
        return f"{self.code}:{self.file}"


@dataclass(frozen=True)
class Allowances:
    """What somebody knows already, as codes with patterns."""

    given: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, texts: Iterable[str]) -> Allowances:
        """Out of CODE or CODE:PATTERN. Raises ValueError, which names the codes."""
        found = []
        for text in texts:
            code, colon, pattern = text.partition(":")
            if code not in CODES or (colon and not pattern):
                raise ValueError(f"{text!r} is no CODE or CODE:PATTERN; the codes are {', '.join(CODES)}")
            found.append((code, pattern or "*"))
        return cls(tuple(found))

    def allows(self, code: str, file: str) -> bool:
        """That code is allowed for that file."""
        return any(_matches(given, code, file) for given in self.given)

    def used(self, findings: Iterable[Finding]) -> frozenset[tuple[str, str]]:
        """Those given that are about any of the findings."""
        return frozenset(given for finding in findings for given in self.given if _matches(given, finding.code, finding.file))

    def sorted(self, findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
        """Refusals and notes, each told once: an allowed refusal becomes a note, an allowed note is dropped."""
        refusals: list[Finding] = []
        notes: list[Finding] = []
        for finding in dict.fromkeys(findings):
            if not self.allows(finding.code, finding.file):
                (notes if finding.note else refusals).append(finding)
            elif not finding.note:
                notes.append(replace(finding, text=f"allowed: {finding.text}", note=True))
        return tuple(refusals), tuple(notes)


def _matches(given: tuple[str, str], code: str, file: str) -> bool:
    known, pattern = given
    # Names of files may hold what a pattern takes for more: [slug].js.
    return known == code and (file == pattern or fnmatch.fnmatchcase(file, pattern))
