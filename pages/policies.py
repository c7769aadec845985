"""Does the Content-Security-Policy let the page work?

In: a judged page. Out: findings with the line that would allow what is forbidden. Never: judges what only a running page does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from pages.document import Kind
from pages.findings import Finding
from pages.judged import Judged
from pages.policy import Policy, host_source, source_hash

_INLINE: Mapping[Kind, str] = {
    "script": "script-src-elem",
    "handler": "script-src-attr",
    "style": "style-src-elem",
    "style-attribute": "style-src-attr",
}
_STYLED = {"import": "style-src-elem", "font": "font-src", "image": "img-src"}
_INSTEAD: Mapping[Kind, str] = {
    "script": "move it into a file",
    "handler": "use addEventListener in a script",
    "style": "move it into a style sheet",
    "style-attribute": "use a class",
}


def check(judged: Judged) -> Iterator[Finding]:
    """Against every policy: of the headers and of the page."""
    policy = judged.base_forbidden
    if judged.document.base and policy:
        text = f'<base href="{judged.document.base}"> is forbidden by base-uri {_sources(policy, "base-uri")}, so browsers pass it by'
        source = host_source(judged.document.base) if urlsplit(judged.document.base).netloc else "'self'"
        yield judged.finding("csp-base", judged.document.base_line, text, _allowing(judged, policy, "base-uri", source))
    for policy in judged.policies:
        yield from _loaded(judged, policy)
        yield from _inline(judged, policy)
        yield from _styled(judged, policy)


def _loaded(judged: Judged, policy: Policy) -> Iterator[Finding]:
    for reference, url in judged.loaded:
        if _mixed(judged, url) or (reference.rel in ("apple-touch-icon", "mask-icon", "prefetch")):
            continue
        if not policy.loads(reference.directive, _upgraded(judged, url), judged.around.origin, nonce=reference.nonce):
            yield _source(judged, policy, reference.directive, url, at=reference.line)
    for action, at in judged.document.forms:
        try:
            url = judged.url(action)
        except ValueError:
            continue
        if urlsplit(url).scheme in ("http", "https") and not policy.loads("form-action", url, judged.around.origin):
            yield _source(judged, policy, "form-action", url, at=at)


def _styled(judged: Judged, policy: Policy) -> Iterator[Finding]:
    for each, url, file in judged.styled:
        directive = _STYLED[each.kind]
        if not _mixed(judged, url) and not policy.loads(directive, _upgraded(judged, url), judged.around.origin):
            yield _source(judged, policy, directive, url, at=each.line, file=file)


def _inline(judged: Judged, policy: Policy) -> Iterator[Finding]:
    for inline in judged.document.inline:
        directive = _INLINE[inline.kind]
        if policy.runs_inline(directive, inline.code, nonce=inline.nonce):
            continue
        name = policy.deciding(directive)
        attribute = inline.kind in ("handler", "style-attribute")
        sources = (*(("'unsafe-hashes'",) if attribute else ()), source_hash(inline.code))
        text = f"{inline.what} inside of the page is forbidden by {name} {_sources(policy, name)}"
        remedy = f"{_allowing(judged, policy, name, *sources)}; or {_INSTEAD[inline.kind]}"
        yield judged.finding("csp-inline", inline.line, text, remedy)


def connections(judged: Judged, url: str) -> tuple[str, str] | None:
    """What forbids the page to talk to a host, and what would allow it; None if nothing does."""
    for policy in judged.policies:
        if not policy.loads("connect-src", url, judged.around.origin):
            name = policy.deciding("connect-src")
            return f"{name} {_sources(policy, name)}", _allowing(judged, policy, name, host_source(url))
    return None


def _source(judged: Judged, policy: Policy, directive: str, url: str, *, at: int, file: str = "") -> Finding:
    name = policy.deciding(directive)
    shown = url if len(url) <= 120 else url[:117] + "..."
    text = f"{shown} is forbidden by {name} {_sources(policy, name)}"
    source = "'self'" if judged.around.local(url) is not None else host_source(url)
    return judged.finding("csp-source", at, text, _allowing(judged, policy, name, source), file=file)


def _allowing(judged: Judged, policy: Policy, name: str, *sources: str) -> str:
    """The line that would allow it."""
    wanted = ", ".join(f'"{source}"' for source in sources)
    if policy.line:
        return f"the policy stands in line {policy.line} of the page: add {' '.join(sources)} to its {name}"
    wider = "" if name != "default-src" else " (default-src decides for more than this)"
    return f"{judged.around.policy_file}, security_headers.content_security_policy: {{{name}: [{wanted}]}}{wider}"


def _sources(policy: Policy, name: str) -> str:
    return " ".join(policy.directives.get(name, ())) or "with no source"


def _mixed(judged: Judged, url: str) -> bool:
    """Refused for its scheme already (loading.py)."""
    upgraded = any("upgrade-insecure-requests" in policy.directives for policy in judged.policies)
    return urlsplit(url).scheme == "http" and judged.around.origin.startswith("https:") and not upgraded


def _upgraded(judged: Judged, url: str) -> str:
    return "https:" + url.removeprefix("http:") if url.startswith("http:") and judged.around.origin.startswith("https:") else url
