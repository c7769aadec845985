"""Whose a zone's name is in the public DNS, and what may be advised without taking it from somebody.

In: the zone's name, its name servers if the account has such a zone, a resolver. Out: `Verdict`s in words for a person.
Never: advises to change a delegation that leads elsewhere: another environment, or another company's mail, may live there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from operations.public_dns import DnsError, Resolver

GUIDE = "docs/guides/second-team.md, The zone"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was found, and what to do next, if anything."""

    level: Literal["ok", "problem", "warning", "unknown"]
    message: str
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class Question:
    """Who asks about which name."""

    name: str
    account_id: str
    """Account in which the zone is expected."""
    file: str
    """Environment file that says so."""
    again: str
    """Command that asks once more."""

    @property
    def owner_elsewhere(self) -> str:
        """What to do about a name that belongs to another zone."""
        return (
            f"edit {self.file}: hosted_zone.account_id and .role_arn of the account that has {self.name}, or hosted_zone.name of a zone"
            f" of its own below it ({GUIDE})"
        )


def missing(question: Question, resolver: Resolver | None) -> Verdict:
    """The account has no public zone of that name. One is only to be made where the name is nobody's."""
    name = question.name
    message = f"account {question.account_id} has no public hosted zone {name}"
    create = f"aws route53 create-hosted-zone --name {name} --caller-reference {name}-1"
    if resolver is None:
        return Verdict(level="problem", message=message, command=create)
    try:
        public = resolver.name_servers(name)
    except DnsError as error:
        words = f"{message}, and the public DNS did not say whether another one has it: {error}"
        return Verdict(level="problem", message=words, command=question.again)
    if public:
        words = f"{message}, while the public DNS finds {name} elsewhere: {' '.join(public)}"
        return Verdict(level="problem", message=words, command=question.owner_elsewhere)
    return Verdict(level="problem", message=message, command=create)


def delegated(question: Question, wanted: tuple[str, ...], resolver: Resolver | None) -> Verdict:
    """The account's zone has the name servers `wanted` (sorted, lower case, without last dots): does the public DNS lead there?"""
    name = question.name
    if resolver is None:
        return Verdict(level="unknown", message=f"{name}: there is no public DNS beside a local AWS")
    try:
        public = resolver.name_servers(name)
    except DnsError as error:
        return Verdict(level="unknown", message=f"the public DNS did not answer: {error}", command=question.again)
    if public == wanted:
        return Verdict(level="ok", message=f"{name} is delegated to the zone's name servers")
    if set(public) <= set(wanted):
        found = f"is delegated to some of its name servers only: {' '.join(public)}" if public else "has no name servers in the public DNS"
        above = _above(name, resolver)
        command = f"in the zone {above} (at the registrar, if that is a top-level domain) delegate {name} to: {' '.join(wanted)}"
        return Verdict(level="warning" if public else "problem", message=f"{name} {found}", command=command)
    words = f"{name} is delegated to others: {' '.join(public)}; the zone of account {question.account_id} is never asked"
    return Verdict(level="problem", message=words, command=question.owner_elsewhere)


def _above(name: str, resolver: Resolver) -> str:
    """The nearest ancestor that is a zone in the public DNS; the parent name where nobody says."""
    labels = name.split(".")
    for start in range(1, len(labels)):
        above = ".".join(labels[start:])
        try:
            if resolver.name_servers(above):
                return above
        except DnsError:
            break
    return ".".join(labels[1:]) or name
