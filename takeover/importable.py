"""Which resources CloudFormation takes over, and why not.

In: a resource that is to be taken over, its place in the template, the type's schema. Out: a reason, or nothing.
Never: AWS.

CloudFormation imports types that the Cloud Control API can read (user guide, "Resource type support"); which those are, the
provider schemas say. Where that is wrong, CloudFormation refuses the change set while the plan is made, and nothing has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from takeover.live import identifier_of
from takeover.model import Taken
from templates.schemas import Schema

NEVER: Mapping[str, str] = {
    "AWS::Lambda::Version": "a version is made anew of the function's code; the distribution then uses the new one",
    "AWS::Lambda::Function": "AWS does not hand out its code in the shape of a template, and its versions cannot be taken over",
    "AWS::Route53::RecordSet": "a simple record lacks the SetIdentifier that its identifier is made of; plan --replace-records replaces it",
}
"""Types that are not taken over, and what happens instead."""


def why_not(taken: Taken, written: Mapping[str, Any] | None, schema: Schema | None) -> str:  # noqa: PLR0911
    """Why it cannot be taken over; empty if it can. `written`: the resource in the template, None if it has none of that name."""
    if written is None:
        return "the template has no such resource"
    if written.get("Type") != taken.type:
        return f"the template has a {written.get('Type')} there"
    if taken.type in NEVER:
        return NEVER[taken.type]
    if schema is None:
        return "nothing is known of that type"
    if not schema.importable:
        return "CloudFormation cannot read such a resource, so it imports none"
    unknown = sorted({*taken.identifier} - {*schema.identifier})
    if unknown or not identifier_of(schema, taken.identifier):
        return f"it is identified by {', '.join(schema.identifier)}, not by {', '.join(sorted(taken.identifier)) or 'nothing'}"
    return ""
