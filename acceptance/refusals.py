"""Where an acceptance run has no business: it takes everything away again.

In: the assembly, the stacks that are there. Out: what speaks against it, a sentence each. Never: changes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from acceptance.state import State
from assembly.model import Assembly


def in_the_assembly(assembly: Assembly) -> tuple[str, ...]:
    """What can be told without asking AWS."""
    found = []
    if assembly.contract is None:
        found.append(f"{assembly.environment} has no site of its own")
    if assembly.protected:
        found.append(f"{assembly.environment} is protected, so somebody relies on it; protected environments are not for trying out")
    return tuple(found)


def in_the_run(assembly: Assembly, state: State | None, *, clean_up: bool) -> tuple[str, ...]:
    """What an earlier run says: the account was looked at when it began, and is not looked at again.

    So a run that never began, or began elsewhere, is no leave to take away what stands there.
    """
    if clean_up and state is None:
        return (f"no run has begun here, so nothing of {assembly.environment} is one's to take away",)
    if state is not None and state.account not in ("", assembly.account_id):
        return (
            f"the run began in account {state.account}, and {assembly.environment} is of account {assembly.account_id} by now: "
            "what stands there is taken away with that account in its file again",
        )
    return ()


def in_the_account(assembly: Assembly, there: Mapping[tuple[str, str], Iterable[str]], *, others_allowed: bool) -> tuple[str, ...]:
    """`there`: names of the stacks by account and region."""
    own = {(stack.account_id, stack.region, stack.stack_name) for stack in assembly.stacks}
    mine, others = [], []
    for (account, region), names in sorted(there.items()):
        for name in sorted(names):
            if (account, region, name) in own:
                mine.append(f"{name} ({region})")
            elif name.startswith(f"{assembly.project}-"):
                others.append(f"{name} ({region})")
    found = []
    if mine:
        found.append(f"{assembly.environment} is deployed already, and the run would take it away: {', '.join(mine)}")
    if others and not others_allowed:
        found.append(f"the account holds other stacks of {assembly.project}: {', '.join(others)}")
    return tuple(found)
