"""Is anything in the environment files left to fill in?"""

from __future__ import annotations

from collections.abc import Iterator

from assembly import commands
from doctor.check import CheckContext, check
from doctor.values import CheckResult


@check("placeholders", "placeholders", order=10, asks_aws=False)
def placeholders(context: CheckContext) -> Iterator[CheckResult]:
    """A local AWS takes them as they are."""
    left = context.assembly.placeholders
    if not left:
        yield CheckResult(code="placeholders", level="ok", message="nothing in the environment files is left to fill in")
    for each in left:
        if context.local:
            yield CheckResult(
                code="placeholders", level="ok", message=f"{each.key} is a placeholder, which is good enough for the local AWS"
            )
        else:
            yield CheckResult(
                code="placeholders",
                level="problem",
                message=f"{each.file}: {each.key} is still the placeholder {each.value!r}: {each.meaning}; edit it there, then build",
                command=commands.build(context.environment),
            )
