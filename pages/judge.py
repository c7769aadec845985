"""A page with its style sheets, scripts, headers and routing, judged as a browser will meet it.

In: `Page`, `Surroundings`. Out: `Finding`s. Never: goes to AWS or the network, decides what is allowed.
"""

from __future__ import annotations

from pages import loading, policies, scripting
from pages.findings import Finding
from pages.judged import Judged
from pages.model import Page, Surroundings


def judge(page: Page, around: Surroundings) -> tuple[Finding, ...]:
    """Everything that is wrong with a page, and what is worth knowing, by line; what stands in other files after it."""
    judged = Judged(page, around)
    found = (finding for check in (loading.check, policies.check, scripting.check) for finding in check(judged))
    return tuple(sorted(dict.fromkeys(found), key=lambda each: (each.file != page.name, each.file, each.line)))
