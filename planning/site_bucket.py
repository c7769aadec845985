"""A plan that gives the site another bucket: the new one is empty, and what visitors get then.

In: the plans of the stacks and their templates, the content that is planned with them, the gateways. Out: findings.
Never: changes anything; takes a bucket for empty because AWS did not say what it holds.

Why it is refused: CloudFormation makes the new bucket and changes the distribution in one update, the distribution before the bucket's
policy, which names the distribution. CloudFront asks the new bucket as soon as an edge location has the change, and is let in minutes
later. Filling the bucket in time would not help. docs/decisions/0029 has what was considered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from assembly.commands import deploy
from aws.errors import AwsError
from changes.model import ResourceChange
from gateways.retained import BUCKET
from guards import documents
from inventory.survey import InventoryGateways
from planning.model import AnyStackPlan, Finding, StackPlan
from planning.request import Request
from templates.values import Known

DISTRIBUTION = "AWS::CloudFront::Distribution"
EMPTIED = "site_emptied"
"""Code of the finding that a review says before everything else."""


def findings(request: Request, plans: Iterable[AnyStackPlan], gateways: InventoryGateways) -> Iterator[Finding]:
    """One for each bucket that a standing distribution would get instead of the one that it has."""
    for plan in plans:
        if isinstance(plan, StackPlan) and plan.state.exists:
            for change, distribution in _new_origins(plan, documents.loads(request.templates[plan.stack])):
                yield _finding(request, plan, change, distribution, gateways)


def _new_origins(plan: StackPlan, template: Mapping[str, Any]) -> Iterator[tuple[ResourceChange, str]]:
    resources = template.get("Resources", {})
    changes = {change.logical_id: change for change in plan.resources}
    for title, body in resources.items():
        made = changes.get(title)
        if body.get("Type") != DISTRIBUTION or (made is not None and made.action == "add"):
            continue
        for bucket in dict.fromkeys(_attributes_of(body["Properties"]["DistributionConfig"].get("Origins", []))):
            change = changes.get(bucket)
            if change is not None and change.resource_type == BUCKET and _is_new(change):
                yield change, (made.physical_id if made is not None else None) or title


def _is_new(change: ResourceChange) -> bool:
    return change.action == "add" or (change.action == "modify" and change.replacement.verdict != "no")


def _attributes_of(value: Any) -> Iterator[str]:
    """Logical ids that Fn::GetAtt names anywhere in a value."""
    if isinstance(value, Mapping):
        named = value.get("Fn::GetAtt")
        if named is not None:
            yield named.partition(".")[0] if isinstance(named, str) else str(named[0])
        for inner in value.values():
            yield from _attributes_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _attributes_of(inner)


def _finding(request: Request, plan: StackPlan, change: ResourceChange, distribution: str, gateways: InventoryGateways) -> Finding:
    content, environment = request.content, request.assembly.environment
    old, new = _old(plan, change), _new_name(change)
    switched = f"the distribution {distribution} reads from {new} instead of {old or 'the bucket that is gone'}"
    filled = f", and the content is published to it at the end of the apply (files: {content.files})" if content is not None else ""
    if not old or _is_empty(plan, old, gateways):
        why = "is empty, too" if old else "is not there any more"
        until = filled or ": visitors get an error for every page until something is published (--content DIR does it)"
        message = f"{switched}, which {why}; {new} is empty{until}"
        return Finding(severity="warning", code=EMPTIED, message=message, stack=plan.stack)
    fate = "is lost" if change.loses_data else "is kept"
    message = (
        f"every page is an error for some minutes: {switched}, which holds the content and {fate}. {new} is empty, and CloudFront may"
        f" read it only when the distribution is deployed everywhere, since the bucket's policy comes after it{filled}"
    )
    # Where a name is known to go back to, and where the app's files lie.
    keep = f"keep the name that it had (bucket: {old} in environments/{environment}.yaml), then build and plan"
    anew = f"\n{deploy('plan', environment, '--interrupt-site')} {content.option}" if content is not None and content.directory else ""
    asked = keep + anew
    if not request.options.interrupt_site:
        message += ". No visitor sees the bucket's name; or plan with --interrupt-site and, to fill the bucket, with --content DIR"
        return Finding(severity="error", code=EMPTIED, message=message, command=asked, stack=plan.stack)
    if content is None:
        message += ". There is nothing to fill it with: plan with --content DIR as well"
        return Finding(severity="error", code=EMPTIED, message=message, command=asked, stack=plan.stack)
    return Finding(severity="warning", code=EMPTIED, message=message, stack=plan.stack)


def _old(plan: StackPlan, change: ResourceChange) -> str:
    """The bucket that has the content now: the replaced one, or one that leaves the stack."""
    if change.physical_id:
        return change.physical_id
    leaving = [c.physical_id for c in plan.resources if c.resource_type == BUCKET and c.action == "remove" and c.physical_id]
    return leaving[0] if leaving else ""


def _new_name(change: ResourceChange) -> str:
    named = [item.after for item in change.properties if item.path == "BucketName"]
    return named[0].text if named and isinstance(named[0], Known) else "a new bucket"


def _is_empty(plan: StackPlan, bucket: str, gateways: InventoryGateways) -> bool:
    """Only where AWS says so."""
    try:
        return next(iter(gateways.s3(plan.account_id, plan.region, plan.role_arn).list(bucket)), None) is None
    except AwsError:
        return False
