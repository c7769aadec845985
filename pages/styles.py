"""What a style sheet loads.

In: its text. Out: `StyleUrl`s with their lines. Never: follows one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, kw_only=True)
class StyleUrl:
    """One URL."""

    url: str
    line: int
    kind: Literal["import", "font", "image"]


def urls(text: str, *, first_line: int = 1) -> tuple[StyleUrl, ...]:
    """Every URL of a style sheet; not those of @namespace, which load nothing."""
    import tinycss2

    return tuple(dict.fromkeys(_of_rules(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True), first_line - 1)))


def declared(text: str, *, line: int) -> tuple[StyleUrl, ...]:
    """Every URL of a style attribute."""
    import tinycss2

    found = _of_tokens(tinycss2.parse_component_value_list(text), "image", 0)
    return tuple(StyleUrl(url=each.url, line=line, kind=each.kind) for each in found)


def _of_rules(rules: Iterable[Any], above: int) -> Iterator[StyleUrl]:
    import tinycss2

    for rule in rules:
        if rule.type == "at-rule":
            name = rule.lower_at_keyword
            if name == "import":
                first = next((token for token in rule.prelude if token.type in ("string", "url", "function")), None)
                url = "" if first is None else str(first.value).strip() if first.type == "string" else _url(first)
                if url:
                    yield StyleUrl(url=url, line=rule.source_line + above, kind="import")
            elif name != "namespace" and rule.content is not None:
                if name == "font-face":
                    yield from _of_tokens(rule.content, "font", above)
                else:
                    yield from _of_rules(tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True), above)
        elif rule.type == "qualified-rule":
            yield from _of_tokens(rule.content, "image", above)
        elif rule.type == "declaration":
            yield from _of_tokens(rule.value, "image", above)


def _of_tokens(tokens: Iterable[Any], kind: Literal["font", "image"], above: int) -> Iterator[StyleUrl]:
    for token in tokens:
        inner = getattr(token, "arguments", None) or getattr(token, "content", None)
        url = _url(token)
        if url:
            yield StyleUrl(url=url, line=token.source_line + above, kind=kind)
        elif token.type == "function" and token.lower_name in ("image-set", "-webkit-image-set"):
            for each in token.arguments:
                if each.type == "string":
                    yield StyleUrl(url=each.value, line=each.source_line + above, kind=kind)
            yield from _of_tokens(token.arguments, kind, above)
        elif isinstance(inner, list):
            yield from _of_tokens(inner, kind, above)


def _url(token: Any) -> str:
    """What url(...) says; "" for any other token."""
    if token.type == "url":
        return str(token.value).strip()
    if token.type == "function" and token.lower_name in ("url", "src"):
        text = next((each for each in token.arguments if each.type == "string"), None)
        return str(text.value).strip() if text is not None else ""
    return ""
