"""What a check is: a function under a code and a label, registered by the decorator above it.

In: a file of `doctor/checks/`. Out: `Check` values that the engine finds in that file.
Never: runs a check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assembly import commands
from assembly.model import Assembly, Stack
from aws.errors import AwsError
from doctor.values import CheckResult, Fix
from operations.public_dns import Resolver
from removal.gateways import RemovalGateways

if TYPE_CHECKING:
    from aws.session import Aws


@dataclass(frozen=True, kw_only=True)
class AccountAccess:
    """Whether an account can be reached."""

    account_id: str
    arn: str = ""
    """Whom AWS takes the caller for there."""
    error: AwsError | None = None
    """None without an `arn`: AWS was not asked, since the account's number is a placeholder."""


@dataclass(frozen=True, kw_only=True)
class CheckContext:
    """What is checked, and with what."""

    assembly: Assembly
    templates: Mapping[str, bytes]
    """By stack id."""
    aws: Aws
    gateways: RemovalGateways
    resolver: Resolver | None
    """None: there is no public DNS to ask (a local AWS)."""
    waiting: frozenset[str] = frozenset()
    """ARNs of the change sets that the saved plan waits with."""
    local: bool = False
    accounts: tuple[AccountAccess, ...] = ()
    """Filled in by the engine."""

    @property
    def environment(self) -> str:
        """The environment's name."""
        return self.assembly.environment

    @property
    def reachable(self) -> frozenset[str]:
        """Ids of the accounts that answer."""
        return frozenset(each.account_id for each in self.accounts if each.arn)

    def command(self, verb: str, *arguments: str) -> str:
        """A command of deploy.py for this environment."""
        return commands.deploy(verb, self.environment, *arguments)

    def hint(self, error: AwsError) -> str:
        """What to type about a refusal; empty where that is this very command."""
        return "" if error.hint == self.command("doctor") else error.hint


Found = Iterable[CheckResult | Fix]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check of the whole environment."""

    code: str
    label: str
    """Names the check where AWS refuses to answer it."""
    order: int
    """Its place in the report; those of the same order stand by code."""
    asks_aws: bool
    """It runs only if the environment's account can be reached."""
    run: Callable[[CheckContext], Found]
    deployment: bool = False
    """`plan` runs it too, before a first creation."""
    at_aws_only: bool = False
    """Of something that no local AWS has."""


@dataclass(frozen=True, kw_only=True)
class StackCheck:
    """One check of each stack, or each StackSet, whose account can be reached. They stand below all others, stack by stack."""

    code: str
    kind: str
    """ "stack" or "stackset"."""
    run: Callable[[CheckContext, Stack], Found]


def check(
    code: str, label: str, *, order: int = 1000, asks_aws: bool = True, deployment: bool = False, at_aws_only: bool = False
) -> Callable[[Callable[[CheckContext], Found]], Check]:
    """Register the function below as a check. A result may have a code of its own; `code` is for what AWS refuses to answer."""
    return lambda run: Check(
        code=code, label=label, order=order, asks_aws=asks_aws, run=run, deployment=deployment, at_aws_only=at_aws_only
    )


def stack_check(code: str, *, kind: str) -> Callable[[Callable[[CheckContext, Stack], Found]], StackCheck]:
    """Register the function below as a check of each stack of that kind."""
    return lambda run: StackCheck(code=code, kind=kind, run=run)


def guarded(code: str, label: str, context: CheckContext, run: Callable[[], Found], stack: str = "") -> Iterator[CheckResult | Fix]:
    """What a check finds; what AWS refuses to it is "could not check", with AWS's words, and nothing that was found before counts."""
    try:
        yield from tuple(run())
    except AwsError as error:
        yield CheckResult(code=code, level="unknown", message=f"{label}: {error}", command=context.hint(error), stack=stack)
