"""The page as a browser meets it: what it loads, at any address, and what the headers let it do."""

from __future__ import annotations

from collections.abc import Callable

from guards import documents
from pages.findings import Allowances, Finding
from pages.judged import Judged
from verification.model import Failed, NotApplicable, Skipped
from verification.probe import Probe, seen
from verification.registry import check

SHOWN = 5
MANIFEST = "manifest-credentials"


@check("pages.loads", "What the page loads is there at every address of the app")
def _loads(probe: Probe) -> str:
    return _kept(probe, lambda finding: not finding.code.startswith("csp-") and finding.code != MANIFEST)


@check("pages.policy", "The Content-Security-Policy lets the page work")
def _policy(probe: Probe) -> str:
    if not probe.entry.headers.get("content-security-policy") and "http-equiv" not in probe.page.text.lower():
        raise NotApplicable
    return _kept(probe, lambda finding: finding.code.startswith("csp-"))


@check("pages.manifest", "The web app manifest is there as browsers ask for it")
def _manifest(probe: Probe) -> str:
    judged = Judged(probe.page, probe.around)
    links = [(reference, path) for reference, url in judged.loaded if reference.rel == "manifest" and (path := probe.around.local(url))]
    if not links:
        raise NotApplicable
    reference, path = links[0]
    if probe.contract.basic_auth and _allowances(probe).allows(MANIFEST, probe.page.name):
        raise Skipped(f"publishing.allow has {MANIFEST}")
    # Without crossorigin="use-credentials" a browser leaves the password out (W3C, Web Application Manifest, processing a manifest).
    answer = probe.get(path, credentials=reference.crossorigin == "use-credentials")
    if answer.status == 401:
        raise Failed(f'{path}: 401, since browsers ask for it without the password; add crossorigin="use-credentials" to its <link>')
    try:
        fits = answer.status == 200 and isinstance(documents.loads(answer.body), dict)
    except ValueError:
        fits = False
    if not fits:
        raise Failed(f"{path}: {seen(answer)} (wanted: 200, a JSON object)")
    return f"{path}: {seen(answer)}"


def _kept(probe: Probe, concerned: Callable[[Finding], bool]) -> str:
    refusals, notes = _allowances(probe).sorted(filter(concerned, probe.findings))
    if refusals:
        told = [f"{_place(each)}: {each.text} ({each.code}{f'; {each.remedy}' if each.remedy else ''})" for each in refusals[:SHOWN]]
        more = [f"and {len(refusals) - SHOWN} more"] if len(refusals) > SHOWN else []
        raise Failed("; ".join((*told, *more)))
    return "; ".join(f"{_place(each)}: {each.text}" for each in notes[:SHOWN]) or "nothing is in its way"


def _place(finding: Finding) -> str:
    return f"{finding.file}:{finding.line}" if finding.line else finding.file


def _allowances(probe: Probe) -> Allowances:
    return Allowances.of(probe.contract.publishing_allow)
