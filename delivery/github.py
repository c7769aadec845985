"""GitHub's REST API, by `gh`.

In: a path, a body. Out: what GitHub says, as values. Never: repeats a call that would make a second thing.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from guards import documents

BOT = "github-actions[bot]"
"""Author of what a workflow's own token writes. Source: GitHub, "Automatic token authentication"."""
SERVER = "https://github.com"
PAUSES = (2.0, 15.0, 60.0)
"""Seconds before each repetition. The last one is what GitHub asks for after a secondary limit ("Rate limits for the REST API")."""
_FINAL = re.compile(r"\(HTTP 4(?!29)\d\d\)|GH_TOKEN")
"""GitHub has refused, or `gh` has no token to ask with."""
_ANYTHING = re.compile("")
_UNMADE = re.compile(r"rate limit|HTTP 429|error connecting to", re.IGNORECASE)
"""GitHub has not taken the call, or was not found: `gh` says the last one where a name is not resolved."""

Run = Callable[[tuple[str, ...], str], str]
"""Runs `gh` with arguments and a text on its input; its output. Raises `CalledProcessError`."""


@dataclass(frozen=True, kw_only=True)
class GitHub:
    """`run` starts a process; `sleep` waits seconds."""

    run: Run
    sleep: Callable[[float], None]

    def get(self, path: str) -> dict[str, Any]:
        """An object. Raises ValueError for anything else, `CalledProcessError` where GitHub gives none."""
        answer = documents.loads(self._patiently(("api", path)).encode())
        if not isinstance(answer, dict):
            raise ValueError(  # noqa: TRY004  (it is GitHub's, not a caller's)
                f"GitHub's answer to {path} is not as its API describes it"
            )
        return answer

    def every(self, path: str) -> list[dict[str, Any]]:
        """The objects of all pages. Raises as `get` does."""
        pages = documents.loads(
            self._patiently(("api", "--paginate", "--slurp", f"{path}{'&' if '?' in path else '?'}per_page=100")).encode()
        )
        if not isinstance(pages, list) or not all(isinstance(page, list) for page in pages):
            raise ValueError(f"GitHub's answer to {path} is not as its API describes it")
        return [each for page in pages for each in page]

    def change(self, path: str, body: Mapping[str, Any]) -> None:
        """Of what is there; the same again is no harm."""
        self._patiently(("api", "--method", "PATCH", path, "--input", "-"), json.dumps(body))

    def make(self, path: str, body: Mapping[str, Any]) -> None:
        """Something new: whether a call without an answer has made it is not known, so that one is not repeated."""
        self._patiently(("api", "--method", "POST", path, "--input", "-"), json.dumps(body), final=_ANYTHING)

    def compared(self, repository: str, first: str, second: str) -> str:
        """How the second commit stands to the first: ahead, behind, identical, diverged; "" where GitHub does not know `second`.

        Source: GitHub REST API, "Compare two commits". Raises `CalledProcessError` where it does not show `first` either: it says "not
        found" of a repository that the token may not read, too.
        """
        try:
            return str(self.get(f"repos/{repository}/compare/{first}...{second}?per_page=1")["status"])
        except subprocess.CalledProcessError as error:
            if "HTTP 404" not in error.stderr:
                raise
        self.get(f"repos/{repository}/commits/{first}")
        return ""

    def _patiently(self, arguments: tuple[str, ...], text: str = "", *, final: re.Pattern[str] = _FINAL) -> str:
        """What was refused is refused; what the network or GitHub's load has stopped is asked again."""
        for pause in PAUSES:
            try:
                return self.run(arguments, text)
            except subprocess.CalledProcessError as error:
                if final.search(error.stderr) and not _UNMADE.search(error.stderr):
                    raise
            self.sleep(pause)
        return self.run(arguments, text)
