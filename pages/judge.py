"""A page with its style sheets, scripts, headers and routing, judged as a browser will meet it.

In: `Page`, `SiteContext`. Out: `Finding`s. Never: goes to AWS or the network, decides what is allowed.
"""

from __future__ import annotations

from pages import loading, policies, scripting
from pages.findings import Finding
from pages.judged import Judged
from pages.model import Page, SiteContext


def judge(page: Page, around: SiteContext) -> tuple[Finding, ...]:
    """Everything that is wrong with a page, and what is worth knowing, by line; what stands in other files after it."""
    judged = Judged(page, around)
    try:
        found = [finding for check in (loading.check, policies.check, scripting.check) for finding in check(judged)]
    except RecursionError:
        # Of the libraries that parse it, thousands of levels down. No bundler writes that.
        text = "the page, or a style or style sheet of it, is nested too deeply to be judged"
        return (judged.finding("nesting", 0, text),)
    return tuple(sorted(dict.fromkeys(found), key=lambda each: (each.file != page.name, each.file, each.line)))
