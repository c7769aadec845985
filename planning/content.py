"""The site's content among the stacks of a plan: what stands in its way, and what came of publishing it.

In: a content plan and the plans of the stacks. Out: findings; `ContentOutcome`.
Never: publishes (that is `rollout.content_step`), reads a file or AWS.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from assembly.model import Frozen
from planning.model import AnyStackPlan, Finding
from website.content_plan import ContentPlan

CONTENT = "content"
"""What the step is called among the stacks, in progress and charts."""

SITE_BUCKET = "AWS::S3::Bucket"


class ContentOutcome(Frozen, frozen=True, kw_only=True):
    """What became of the content."""

    result: Literal["succeeded", "unchanged", "failed", "refused", "interrupted", "not_started"]
    """`refused`: it is not what was approved any more; `unchanged`: it was live already."""
    bucket: str = ""
    started: float = 0.0
    """Seconds since the epoch; 0 where it was not begun."""
    seconds: float = 0.0
    release: int = 0
    """Number of the live release; 0 where it did not come to that."""
    content: str = ""
    """Digest of the built files."""
    written: int = 0
    written_bytes: int = 0
    kept: int = 0
    invalidation: str = ""
    """Its id, if there was one."""
    invalidation_done: bool = True
    """False: CloudFront was still at it; the release is live all the same."""
    message: str = ""
    command: str = ""
    """What to type next: to mend it, or to see that it is good."""

    @property
    def ok(self) -> bool:
        """It is live."""
        return self.result in ("succeeded", "unchanged")


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
                command=f"python deploy.py plan --env {content.environment} {content.option}",
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
            command=f"python deploy.py plan --env {content.environment} {content.option}, once the stacks are applied",
        ),
    )
