"""What a page loads and holds, read as the HTML standard says.

In: the text of a page. Out: `Document`, with the pages that stand in its frames (srcdoc). Never: looks into comments or noscript, which a
browser with scripts leaves alone, or loads what stands in a template that is no shadow root.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

LOADED_LINKS: Mapping[str, str] = {
    "stylesheet": "style-src-elem",
    "modulepreload": "script-src-elem",
    "icon": "img-src",
    "apple-touch-icon": "img-src",
    "mask-icon": "img-src",
    "manifest": "manifest-src",
    "prefetch": "default-src",
}
"""Kinds of links that load something, and the directive that decides."""

PRELOADS: Mapping[str, str] = {
    **dict.fromkeys(("script", "serviceworker", "sharedworker", "worker"), "script-src-elem"),
    "style": "style-src-elem",
    "font": "font-src",
    "image": "img-src",
    "fetch": "connect-src",
    "track": "media-src",
}
"""`as` of a preload."""

_JAVASCRIPT = frozenset(
    (
        *("", "module", "importmap", "speculationrules"),
        *("text/javascript", "text/ecmascript", "text/x-javascript", "text/x-ecmascript", "text/jscript", "text/livescript"),
        *("application/javascript", "application/ecmascript", "application/x-javascript", "application/x-ecmascript"),
    )
)
"""Types of script elements that a browser runs; the others are data."""

_SOURCES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "img": (("src", "img-src"),),
    "video": (("src", "media-src"), ("poster", "img-src")),
    "audio": (("src", "media-src"),),
    "track": (("src", "media-src"),),
    "embed": (("src", "object-src"),),
    "object": (("data", "object-src"),),
    "iframe": (("src", "frame-src"),),
    "frame": (("src", "frame-src"),),
    "image": (("href", "img-src"), ("xlink:href", "img-src")),
    "feimage": (("href", "img-src"), ("xlink:href", "img-src")),
    "use": (("href", "img-src"), ("xlink:href", "img-src")),
}

_DEEPEST = 3
"""Frames in frames that are read: a page may hold one in another without end."""
_OF_TABS = frozenset(("manifest", "icon", "apple-touch-icon", "mask-icon"))
"""Links that a browser loads for a tab, and not for a frame."""

Kind = Literal["script", "style", "handler", "style-attribute"]


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One URL that the page loads by itself."""

    url: str
    line: int
    directive: str
    """Of the Content-Security-Policy, the most special one."""
    element: str
    rel: str = ""
    crossorigin: str | None = None
    """None: the attribute is not there."""
    integrity: str = ""
    nonce: str = ""
    module: bool = False
    as_: str = ""


@dataclass(frozen=True, kw_only=True)
class Inline:
    """Code or style inside of the page."""

    kind: Kind
    code: str
    line: int
    what: str
    """As a person finds it: `<script>`, `onclick=`."""
    nonce: str = ""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the page says that it lives: canonical, og:url."""

    url: str
    line: int
    what: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """A page."""

    base: str = ""
    base_line: int = 0
    references: tuple[Reference, ...] = ()
    inline: tuple[Inline, ...] = ()
    policies: tuple[tuple[str, int], ...] = ()
    """Content-Security-Policy in meta elements."""
    addresses: tuple[Address, ...] = ()
    forms: tuple[tuple[str, int], ...] = ()


def parse(text: str, *, depth: int = 0) -> Document:
    """The page; whatever stands in it, as every text is HTML. `depth` is that of the frame that it stands in."""
    from justhtml import JustHTML

    parsed = JustHTML(text, track_node_locations=True, sanitize=False, scripting_enabled=True)
    reader = _Reader()
    for node in _elements(parsed.root):
        reader.read(node)
        if node.name.lower() == "iframe" and depth < _DEEPEST:
            reader.frame(node, depth + 1)
        # Chromium holds the attributes inside of a template to the policy as well, though nothing there is loaded or run.
        for inner in _inside(node):
            reader.attributes(inner)
    return Document(
        base=reader.base,
        base_line=reader.base_line,
        references=tuple(dict.fromkeys(reader.references)),
        inline=tuple(reader.inline),
        policies=tuple(reader.policies),
        addresses=tuple(reader.addresses),
        forms=tuple(reader.forms),
    )


def _elements(root: Any) -> Iterator[Any]:
    """In document order, without the insides of templates: they hang on the template, not below it. Those of a declarative shadow root a
    browser loads and runs like the page around it (HTML standard, "shadowrootmode")."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if not node.name.startswith(("#", "!")):
            yield node
        waiting.extend(reversed(node.children or ()))
        if _is_shadow_root(node):
            waiting.append(node.template_content)


def _is_shadow_root(node: Any) -> bool:
    if getattr(node, "template_content", None) is None:
        return False
    return (node.attrs.get("shadowrootmode") or "").lower() in ("open", "closed")


def _inside(node: Any) -> Iterator[Any]:
    """The elements of a template, and of templates in it."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        content = getattr(each, "template_content", None)
        for inner in _elements(content) if content is not None and not _is_shadow_root(each) else ():
            yield inner
            waiting.append(inner)


def _text(node: Any) -> str:
    return "".join(child.data or "" for child in node.children or () if child.name == "#text")


class _Reader:
    def __init__(self) -> None:
        self.base = ""
        self.base_line = 0
        self.references: list[Reference] = []
        self.inline: list[Inline] = []
        self.policies: list[tuple[str, int]] = []
        self.addresses: list[Address] = []
        self.forms: list[tuple[str, int]] = []

    def read(self, node: Any) -> None:
        name = node.name.lower()
        line = node.origin_line or 0
        given = {key.lower(): value or "" for key, value in (node.attrs or {}).items()}
        if name == "base" and not self.base and given.get("href", "").strip():
            self.base, self.base_line = given["href"].strip(), line
        elif name == "script":
            of_svg = given.get("href", given.get("xlink:href")) if node.namespace == "svg" else None
            self._script(node, given if of_svg is None else {**given, "src": of_svg}, line)
        elif name == "style":
            self.inline.append(Inline(kind="style", code=_text(node), line=line, what="<style>", nonce=given.get("nonce", "")))
        elif name == "link":
            self._link(given, line)
        elif name == "meta":
            self._meta(given, line)
        elif name == "form" and given.get("action", "").strip():
            self.forms.append((given["action"].strip(), line))
        else:
            self._sources(node, name, given, line)
        self.attributes(node)

    def frame(self, node: Any, depth: int) -> None:
        """What the page inside of a frame loads and holds: the policy and the base that it is held to are those of the page around it.

        Source: HTML standard, "determine navigation params policy container" and "fallback base URL". A base element in there is passed by:
        under `base-uri 'self'` Chromium 156 was seen to load as if it were not there.
        """
        given = {key.lower(): value or "" for key, value in (node.attrs or {}).items()}
        if "srcdoc" not in given:
            return
        inner = parse(given["srcdoc"], depth=depth)
        allowed = given.get("sandbox", "allow-scripts allow-forms").lower().split()
        runs = "allow-scripts" in allowed
        line = node.origin_line or 0
        for reference in inner.references:
            if reference.rel not in _OF_TABS and (runs or reference.directive != "script-src-elem"):
                self.references.append(replace(reference, line=line))
        self.inline += [replace(each, line=line) for each in inner.inline if runs or each.kind not in ("script", "handler")]
        self.forms += [(action, line) for action, _ in inner.forms if "allow-forms" in allowed]

    def _script(self, node: Any, given: Mapping[str, str], line: int) -> None:
        kind = given.get("type", "").split(";")[0].strip().lower()
        # Browsers that know modules pass by what is marked for those that do not.
        if kind not in _JAVASCRIPT or ("nomodule" in given and kind != "module"):
            return
        if "src" not in given:
            code = _text(node)
            if code:
                self.inline.append(Inline(kind="script", code=code, line=line, what="<script>", nonce=given.get("nonce", "")))
        elif given["src"].strip() and kind not in ("importmap", "speculationrules"):
            self._add(given["src"], line, "script-src-elem", "script", given, module=kind == "module")

    def _link(self, given: Mapping[str, str], line: int) -> None:
        rels = given.get("rel", "").lower().split()
        href = given.get("href", "")
        if "canonical" in rels and href.strip():
            self.addresses.append(Address(url=href.strip(), line=line, what="canonical"))
        as_ = given.get("as", "").lower()
        rel = next((each for each in rels if each in LOADED_LINKS or each == "preload"), "")
        if not rel or "dns-prefetch" in rels:
            return
        directive = PRELOADS.get(as_, "default-src") if rel == "preload" else LOADED_LINKS[rel]
        self._add(href, line, directive, "link", given, rel=rel, module=rel == "modulepreload", as_=as_)
        for url in _candidates(given.get("imagesrcset", "")):
            self._add(url, line, directive, "link", given, rel=rel, as_=as_)

    def _meta(self, given: Mapping[str, str], line: int) -> None:
        if given.get("http-equiv", "").strip().lower() == "content-security-policy":
            self.policies.append((given.get("content", ""), line))
        if given.get("property", "").lower() == "og:url" and given.get("content", "").strip():
            self.addresses.append(Address(url=given["content"].strip(), line=line, what="og:url"))

    def _sources(self, node: Any, name: str, given: Mapping[str, str], line: int) -> None:
        # A frame with a page of its own in it loads no other.
        for attribute, directive in _SOURCES.get(name, ()) if "srcdoc" not in given else ():
            self._add(given.get(attribute, ""), line, directive, name, given)
        if name == "input" and given.get("type", "").lower() == "image":
            self._add(given.get("src", ""), line, "img-src", name, given)
        if name in ("button", "input") and given.get("formaction", "").strip():
            self.forms.append((given["formaction"].strip(), line))
        if name == "source":
            inside = node.parent.name.lower() if node.parent is not None else ""
            self._add(given.get("src", ""), line, "img-src" if inside == "picture" else "media-src", name, given)
        if name in ("img", "source"):
            for url in _candidates(given.get("srcset", "")):
                self._add(url, line, "img-src", name, given)

    def attributes(self, node: Any) -> None:
        """Code and style in the attributes of an element."""
        name, line = node.name.lower(), node.origin_line or 0
        given = {key.lower(): value or "" for key, value in (node.attrs or {}).items()}
        for attribute, value in given.items():
            if attribute.startswith("on") and len(attribute) > 2:
                self.inline.append(Inline(kind="handler", code=value, line=line, what=f"<{name} {attribute}=>"))
        if "style" in given:
            self.inline.append(Inline(kind="style-attribute", code=given["style"], line=line, what=f"<{name} style=>"))

    def _add(
        self,
        url: str,
        line: int,
        directive: str,
        element: str,
        given: Mapping[str, str],
        *,
        rel: str = "",
        module: bool = False,
        as_: str = "",
    ) -> None:
        # A URL is stripped of white space around it and of line breaks inside (URL standard, basic URL parser).
        cleaned = url.strip().replace("\n", "").replace("\r", "").replace("\t", "")
        if not cleaned or cleaned.startswith("#"):
            return
        self.references.append(
            Reference(
                url=cleaned,
                line=line,
                directive=directive,
                element=element,
                rel=rel,
                crossorigin=given.get("crossorigin"),
                integrity=given.get("integrity", ""),
                nonce=given.get("nonce", ""),
                module=module,
                as_=as_,
            )
        )


def _candidates(srcset: str) -> Iterator[str]:
    """The URLs of a srcset (HTML standard, parse a srcset attribute): a URL ends at white space, so it may hold commas."""
    at, length = 0, len(srcset)
    while True:
        while at < length and srcset[at] in " \t\n\f\r,":
            at += 1
        if at == length:
            return
        begin = at
        while at < length and srcset[at] not in " \t\n\f\r":
            at += 1
        url = srcset[begin:at]
        yield url.rstrip(",")
        if url.endswith(","):
            continue
        depth = 0
        while at < length and (depth or srcset[at] != ","):
            depth += (srcset[at] == "(") - (srcset[at] == ")" and depth > 0)
            at += 1
