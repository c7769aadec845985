"""May Amazon issue the certificate, as far as the public DNS says (CAA, RFC 8659)?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from doctor.check import CheckContext, check
from doctor.relied_on import foreign_arn
from doctor.values import CheckResult
from operations.public_dns import Caa, DnsError, Resolver

AMAZON_AUTHORITIES = frozenset({"amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"})
"""Any of them in a CAA record lets ACM issue. Source: ACM User Guide, "Set up a CAA record"."""


@check("caa", "caa", order=80, deployment=True, at_aws_only=True)
def caa(context: CheckContext) -> Iterator[CheckResult]:
    """Name by name; a certificate of others was issued already."""
    if not context.assembly.contract or foreign_arn(context.assembly):
        return
    names = context.assembly.site.certificate_names
    if context.resolver is None:
        yield CheckResult(code="caa", level="unknown", message="CAA: there is no public DNS beside a local AWS")
        return
    for name in names:
        try:
            at, records = caa_of(name, context.resolver)
        except DnsError as error:
            yield CheckResult(
                code="caa", level="unknown", message=f"the public DNS did not answer: {error}", command=context.command("doctor")
            )
            continue
        if amazon_may_issue(name, records):
            why = f"by the CAA records of {at}" if records else "no CAA record forbids it"
            yield CheckResult(code="caa", level="ok", message=f"Amazon may issue for {name}: {why}")
        else:
            yield CheckResult(
                code="caa",
                level="problem",
                message=f"the CAA records of {at} do not let Amazon issue for {name}",
                command=f'add to {at}: CAA 0 {caa_tag(name, records)} "amazon.com"',
            )


def caa_of(name: str, resolver: Resolver) -> tuple[str, tuple[Caa, ...]]:
    """The CAA records that count for a certificate's name, and whose they are: the nearest ancestor that has any (RFC 8659, 3)."""
    labels = name.removeprefix("*.").rstrip(".").split(".")
    for start in range(len(labels)):
        at = ".".join(labels[start:])
        found = resolver.caa(at)
        if found:
            return at, found
    return "", ()


def caa_tag(name: str, records: Iterable[Caa]) -> str:
    """The property that lets one more authority issue for the name and forbids nobody what is allowed today.

    A first issuewild would count instead of every issue (RFC 8659, 4.3) and so shut out who issues wildcards now.
    """
    return "issuewild" if name.startswith("*.") and any(r.tag == "issuewild" for r in records) else "issue"


def amazon_may_issue(name: str, records: Iterable[Caa]) -> bool:
    """RFC 8659, 4.2 and 4.3: issuewild counts instead of issue for a wildcard, if there is any; no such property forbids nothing."""
    all_records = tuple(records)
    if any(r.critical and r.tag not in ("issue", "issuewild", "iodef", "contactemail", "contactphone") for r in all_records):
        return False
    issue = [r.value for r in all_records if r.tag == "issue"]
    wild = [r.value for r in all_records if r.tag == "issuewild"]
    relevant = wild or issue if name.startswith("*.") else issue
    if not relevant:
        return True
    return any(value.partition(";")[0].strip().lower() in AMAZON_AUTHORITIES for value in relevant)
