"""What publishes a plan's content after its stacks: the engine knows only that something does.

In: an opened environment, the plan's content. Out: a step of apply. Never: publishes before it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session.context import Context

if TYPE_CHECKING:
    from rollout.apply import Publish
    from rollout.execution import Run
    from rollout.outcome import ContentOutcome
    from session.opened import Opened
    from session.planned_content import PlannedContent
    from website.run import Outcome as Published
    from website.run import Report as ContentReport


def publisher(context: Context, opened: Opened, content: PlannedContent) -> Publish:
    """What publishes the plan's content after the stacks."""

    def publish(run: Run) -> ContentOutcome:
        from guards.caller import this_process
        from rollout.content_step import publish_step
        from website.run import Run as Publishing

        approved = run.plan.content
        assert approved is not None, "only called for a plan with content"

        def do(report: ContentReport) -> Published:
            publishing = Publishing(
                caller=this_process(opened.caller), token=context.token_hex(8), now=context.now, sleep=context.sleep, report=report
            )
            return content.publish(approved, publishing)

        return publish_step(approved, do, report=run.report, now=run.now)

    return publish
