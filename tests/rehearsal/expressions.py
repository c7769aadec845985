"""The expressions of workflow files, as far as ours use them: contexts, == != && || !, parentheses, texts, status functions.

Source: GitHub, "Evaluate expressions in workflows and actions".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<sign>==|!=|&&|\|\||[!()])|(?P<name>[A-Za-z_][\w.*-]*)(?P<call>\(\))?)")

Status = Mapping[str, Callable[[], bool]]
"""always, success, failure, cancelled."""


class Expression:
    """One expression over contexts."""

    def __init__(self, source: str, contexts: Mapping[str, Any], status: Status) -> None:
        self.contexts, self.status = contexts, status
        self.tokens: list[tuple[str, str]] = []
        at = 0
        source = source.strip()
        while at < len(source):
            found = _TOKEN.match(source, at)
            if found is None:
                raise ValueError(f"no expression that the rehearsal knows: {source!r}")
            kind = "call" if found["call"] else str(found.lastgroup)
            self.tokens.append((kind, found["text"] or found["sign"] or found["name"]))
            at = found.end()

    def value(self) -> Any:
        """What it comes to."""
        found = self._either()
        if self.tokens:
            raise ValueError(f"left over: {self.tokens}")
        return found

    def _take(self, *signs: str) -> str:
        if self.tokens and self.tokens[0] in [("sign", sign) for sign in signs]:
            return self.tokens.pop(0)[1]
        return ""

    def _either(self) -> Any:
        left = self._both()
        while self._take("||"):
            right = self._both()
            left = left or right
        return left

    def _both(self) -> Any:
        left = self._compared()
        while self._take("&&"):
            right = self._compared()
            left = left and right
        return left

    def _compared(self) -> Any:
        left = self._single()
        sign = self._take("==", "!=")
        if not sign:
            return left
        right = self._single()
        return (left == right) == (sign == "==")

    def _single(self) -> Any:
        if self._take("!"):
            return not self._single()
        if self._take("("):
            inside = self._either()
            assert self._take(")"), "a parenthesis is open"
            return inside
        kind, word = self.tokens.pop(0)
        if kind == "text":
            return word[1:-1].replace("''", "'")
        if kind == "call":
            return self.status[word]()
        if word in ("true", "false"):
            return word == "true"
        found: Any = self.contexts
        for part in word.split("."):
            if found is self.contexts and part not in self.contexts:
                raise ValueError(f"the rehearsal knows no context {part!r}")
            found = found.get(part, "") if isinstance(found, Mapping) else ""
        return found


def filled(text: Any, contexts: Mapping[str, Any]) -> str:
    """A text of a workflow with the values of its ${{ expressions }}."""
    if isinstance(text, bool):
        return str(text).lower()
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: _shown(Expression(found[1], contexts, {}).value()), str(text))


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def holds(condition: Any, contexts: Mapping[str, Any], status: Status) -> bool:
    """Whether a job or step runs. Without a status function in it, success is asked for as well."""
    if condition is None:
        return status["success"]()
    source = str(condition).removeprefix("${{").removesuffix("}}")
    asks = re.search(r"\b(always|success|failure|cancelled)\(\)", source)
    return bool((asks or status["success"]()) and Expression(source, contexts, status).value())
