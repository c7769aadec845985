"""Whether something that exists may be taken over at all, by what is known of it.

In: a place, a candidate, its live properties, its owner. Out: why not, with the remedy; nothing where nothing speaks against it.
Never: asks AWS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from adoption.comparison import Difference
from adoption.matching import Candidate
from adoption.places import Place
from adoption.terraform_types import CERTIFICATE, DISTRIBUTION, RECORD
from assembly.commands import deploy
from assembly.model import Assembly
from inventory.judgement import mine
from templates.resources import DATA_HOLDING_TYPES

Refusal = tuple[str, str]
"""Words and command."""

GLOBAL = ("AWS::CloudFront::", "AWS::IAM::", "AWS::Route53::")
"""Services that are one for all regions."""

MOST = 8
"""Of those that could be one thing, how many are read and told; a site has no more, and a state may say what it likes."""

_BUCKET_DOMAIN = re.compile(r"([a-z0-9.-]+?)\.s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")
"""An endpoint of S3, of whatever form: REST or website, with a dot or a hyphen before the region, which may be missing."""

_LOSING = frozenset({*DATA_HOLDING_TYPES, DISTRIBUTION, CERTIFICATE, RECORD})
"""Types whose replacement visitors notice, or that lose something; another one of the rest is simply made."""


def file_of(assembly: Assembly) -> str:
    """Where the environment is described."""
    return f"environments/{assembly.environment}.yaml"


def tags_of(live: Mapping[str, Any]) -> dict[str, str]:
    """The tags of live properties, whichever form the type has them in."""
    for name in ("Tags", "HealthCheckTags", "HostedZoneTags"):
        found = live.get(name)
        if isinstance(found, Mapping):
            return {str(k): str(v) for k, v in found.items()}
        if isinstance(found, list):
            return {str(each.get("Key")): str(each.get("Value", "")) for each in found if isinstance(each, Mapping)}
    return {}


def elsewhere(assembly: Assembly, place: Place, candidate: Candidate) -> Refusal | None:
    """In another account or region than its stack."""
    stack = place.stack
    if candidate.account_id and candidate.account_id != stack.account_id:
        return (
            f"is in account {candidate.account_id}, and the stack {stack.stack_name} in {stack.account_id}",
            f"take the state of {assembly.environment}, or edit {file_of(assembly)}: account_id",
        )
    one_for_all = place.type.startswith(GLOBAL)
    if candidate.region and not one_for_all and candidate.region != stack.region:
        return (
            f"is in {candidate.region}, and the stack {stack.stack_name} in {stack.region}; CloudFormation imports within a region only",
            f"edit {file_of(assembly)}: home_region, then build again",
        )
    return None


def foreign(assembly: Assembly, place: Place, live: Mapping[str, Any], owner: str) -> Refusal | None:
    """Another stack's, or another environment's."""
    if owner and owner != place.stack.stack_name:
        words = f"is made by the stack {owner}; CloudFormation gives a resource to one stack only"
        if place.type == RECORD:
            return words, f"edit {file_of(assembly)}: hosted_zone.records: unmanaged, if that stack is to keep it, then build again"
        return (
            words,
            f"take it out of {owner} first: DeletionPolicy Retain on it, then remove it from that stack's template",
        )
    tags = tags_of(live)
    if mine(assembly, tags) is False:
        return (
            f"belongs to {tags['project']} {tags['environment']}, by its tags",
            f"if it is this environment's: change its tags environment and project; else build with another name for {place.logical_id}",
        )
    said = next((value for key, value in tags.items() if key.lower() in ("environment", "env", "stage") and value), "")
    if said and not _same_environment(said, assembly.environment):
        return (
            f"is tagged as {said}'s, not as {assembly.environment}'s",
            f"if it is this environment's: change that tag; else build with another name for {place.logical_id}",
        )
    return None


def _same_environment(said: str, ours: str) -> bool:
    """ "production" is prod: the one begins with the other."""
    left, right = said.lower(), ours.lower()
    return left.startswith(right) or right.startswith(left)


def another_site(assembly: Assembly, place: Place, live: Mapping[str, Any]) -> Refusal | None:
    """A distribution that answers for other names, whatever a state or a person says: taken over, it would leave its visitors."""
    if place.type != DISTRIBUTION:
        return None
    theirs, ours = (
        {str(each).lower() for each in (of.get("DistributionConfig") or {}).get("Aliases") or []} for of in (live, place.properties)
    )
    if not theirs or theirs & ours:
        return None
    return (
        f"answers for {', '.join(sorted(theirs))}, and not for {', '.join(sorted(ours))}",
        f"edit {file_of(assembly)}: domain, if that is the site; or name the right one with --resource",
    )


def another_bucket(assembly: Assembly, place: Place, live: Mapping[str, Any], ours: str) -> Refusal | None:
    """A distribution whose pages are in a bucket that nothing takes over: aligned, it would read an empty one, `ours`."""
    if place.type != DISTRIBUTION:
        return None
    config = live.get("DistributionConfig") or {}
    target = (config.get("DefaultCacheBehavior") or {}).get("TargetOriginId")
    domain = next((str(each.get("DomainName", "")) for each in config.get("Origins") or [] if each.get("Id") == target), "")
    found = _BUCKET_DOMAIN.fullmatch(domain)
    if found is None or found[1] == ours:
        return None
    return (
        f"reads the bucket {found[1]}, and the stack would make {ours}, which is empty: every page would be an error once it is aligned",
        f"edit {file_of(assembly)}: bucket: {found[1]}, then build again",
    )


def replaced_later(assembly: Assembly, place: Place, differences: Sequence[Difference]) -> tuple[Refusal, bool] | None:
    """Why its import would only lead to its replacement; and whether that would hurt."""
    paths = [each.path for each in differences if each.replaces]
    if not paths:
        return None
    words = f"differs in what cannot be changed ({', '.join(paths)}): after an import the stack would replace it"
    edit = f"edit {file_of(assembly)} so that {paths[0]} is as it is there, then build again"
    return (words, edit), place.type in _LOSING


def several(assembly: Assembly, place: Place, candidates: Sequence[Candidate]) -> Refusal:
    """Two for one place."""
    told = "; ".join(f"{each.label} ({each.source})" for each in candidates[:MOST])
    many = len(candidates) > MOST
    key = f"{place.stack.id}.{place.logical_id}"
    return (
        f"could be any of {f'more than {MOST}' if many else len(candidates)}: {told}{'; and others' if many else ''}",
        deploy("adopt", assembly.environment, "--resource", f"{key}={candidates[0].label}"),
    )
