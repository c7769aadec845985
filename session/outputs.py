"""The outputs of every stack of an opened environment.

In: an `Opened` environment. Out: what is deployed, by stack. Never: changes anything.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from session.opened import Opened
from session.site import deployed_outputs


def all_outputs(opened: Opened) -> dict[str, dict[str, str]]:
    """By stack; the instances of a StackSet have outputs of their own, which are not read."""
    stacks = [stack.id for stack in opened.assembly.stacks if stack.kind == "stack"]
    with ThreadPoolExecutor(len(stacks) or 1) as pool:
        return dict(zip(stacks, pool.map(lambda stack: deployed_outputs(opened, stack), stacks), strict=True))
