"""Finds the checks of `doctor/checks/` and runs them side by side.

In: a `CheckContext`. Out: a `Report`. Never: knows a check by its name.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from doctor import checks
from doctor.accounts import reach
from doctor.check import Check, CheckContext, Found, StackCheck, guarded
from doctor.values import CheckResult, Fix, Report

WORKERS = 8
CHANGES = "whether AWS takes changes now: doctor makes none (runbook us-east-1)"
AT_AWS_ONLY = "public DNS, quotas, token versions, certificates of others and aliases of other accounts: a local AWS has none of these"


def registered() -> tuple[Check | StackCheck, ...]:
    """The checks of every file in the folder, in the report's order."""
    files = [importlib.import_module(f"{checks.__name__}.{found.name}") for found in pkgutil.iter_modules(checks.__path__)]
    found = [value for file in files for value in vars(file).values() if isinstance(value, Check | StackCheck)]
    return tuple(sorted(found, key=lambda each: (each.order if isinstance(each, Check) else 0, each.code)))


def examine(context: CheckContext, *, workers: int = WORKERS, among: Callable[[Check | StackCheck], bool] = lambda _: True) -> Report:
    """Every check, or those `among` all that are meant, several at once.

    What AWS refuses to one of them is "could not check", with AWS's words."""
    context = replace(context, accounts=reach(context))
    found = tuple(filter(among, registered()))
    home = context.assembly.account_id in context.reachable
    jobs: list[tuple[bool, Callable[[], Found]]] = [
        (each.asks_aws, partial(guarded, each.code, each.label, context, partial(each.run, context)))
        for each in found
        if isinstance(each, Check) and (home or not each.asks_aws) and not (each.at_aws_only and context.local)
    ]
    jobs += [
        (True, partial(guarded, each.code, stack.id, context, partial(each.run, context, stack), stack.id))
        for stack in context.assembly.stacks
        for each in found
        if isinstance(each, StackCheck) and each.kind == stack.kind and home and stack.account_id in context.reachable
    ]
    results: list[CheckResult] = []
    fixes: list[Fix] = []
    answered = False
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for (asks_aws, _), told in zip(jobs, pool.map(_done, [job for _, job in jobs]), strict=True):
            some = [each for each in told if isinstance(each, CheckResult)]
            answered = answered or (asks_aws and any(each.level != "unknown" for each in some))
            results += some
            fixes += [each for each in told if isinstance(each, Fix)]
    return Report(
        environment=context.environment,
        account_id=context.assembly.account_id,
        checks=tuple(results),
        fixes=tuple(fixes),
        anything_checked=answered,
        not_looked_at=(CHANGES, AT_AWS_ONLY) if context.local else (CHANGES,),
    )


def _done(job: Callable[[], Iterable[CheckResult | Fix]]) -> tuple[CheckResult | Fix, ...]:
    """A job's whole answer, asked for in the thread that runs it."""
    return tuple(job())
