"""Planning by somebody who may change nothing: what can be planned, and what is left to others.

In: the selected stacks. Out: those that can be planned, and findings about how, and about each other one.
Never: asks AWS.
"""

from __future__ import annotations

from collections.abc import Iterable

from assembly.model import Stack
from planning.authority import is_unreviewed
from planning.model import Finding, Options
from planning.request import Request


def reachable(stacks: Iterable[Stack], options: Options) -> tuple[tuple[Stack, ...], tuple[Finding, ...]]:
    """All stacks; read-only without those of another account, since the role to assume there may change it."""
    chosen = tuple(stacks)
    if not options.read_only:
        return chosen, ()
    left = [stack for stack in chosen if stack.role_arn]
    findings = tuple(
        Finding(
            severity="warning",
            code="not_in_read_only_plan",
            message=f"{stack.id} is not in this plan: it stands in account {stack.account_id}, behind a role that may change it;"
            " a plan of the deploy role has it",
            stack="",
        )
        for stack in left
    )
    note = Finding(
        severity="note",
        code="read_only",
        message="planned read-only, nothing waits at CloudFormation: apply makes the change sets, and executes what does the same as this",
        stack="",
    )
    return tuple(stack for stack in chosen if not stack.role_arn), (note, *findings)


def withheld(stack: Stack, request: Request) -> bool:
    """Whether its change sets are not for this caller: a parameter of it is a secret, and the caller's code unreviewed."""
    return any(p.no_echo for p in stack.parameters) and is_unreviewed(request.assembly, request.created_by)


def uncompared(stack: Stack, request: Request, *, there: bool) -> tuple[Finding, ...]:
    """Why the changes of a stack that is there are not CloudFormation's word."""
    if not there:
        return ()
    if withheld(stack, request):
        code = "not_asked"
        message = (
            "it takes a secret, so no change set of it is made with the code of a pull request; the changes are our comparison of templates"
        )
    else:
        code, message = "not_previewed", "its template is too large to be planned read-only; the changes are our comparison of templates"
    return (Finding(severity="warning", code=code, message=message, stack=stack.id),)
