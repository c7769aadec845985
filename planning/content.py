"""The site's content among the stacks of a plan: what stands in its way.

In: a content plan and the plans of the stacks. Out: findings.
Never: publishes (that is `rollout.content_step`), reads a file or AWS.
"""

from __future__ import annotations

from collections.abc import Iterable

from assembly.commands import deploy
from planning.model import AnyStackPlan, Finding
from website.content_plan import ContentPlan

CONTENT = "content"
"""What the step is called among the stacks, in progress and charts."""

SITE_BUCKET = "AWS::S3::Bucket"


def findings(content: ContentPlan, stacks: Iterable[AnyStackPlan]) -> tuple[Finding, ...]:
    """What a reader must know about content and stacks together."""
    by_id = {stack.stack: stack for stack in stacks}
    wanted = sorted({ref.partition(".")[0] for ref in content.known_after} - by_id.keys())
    if wanted:
        return (
            Finding(
                severity="error",
                code="content_without_site",
                message=f"there is nowhere to publish to: {', '.join(wanted)} is not deployed, and not part of the plan",
                command=f"{deploy('plan', content.environment)} {content.option}",
            ),
        )
    replaced = [
        f"{stack.stack}.{change.logical_id}"
        for stack in by_id.values()
        for change in stack.resources
        if change.resource_type == SITE_BUCKET and change.endangers_data and change.physical_id == content.bucket
    ]
    if not replaced:
        return ()
    return (
        Finding(
            severity="warning",
            code="content_bucket_replaced",
            message=f"the content was compared with {content.bucket}, which {', '.join(replaced)} replaces or removes: if it is not the"
            " same bucket after the stacks, apply leaves the content alone",
            command=f"once the stacks are applied:\n{deploy('plan', content.environment)} {content.option}",
        ),
    )
