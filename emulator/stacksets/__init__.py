# mypy: allow-untyped-calls
"""The StackSets API, and the account API's opt-in regions that it depends on.

In: requests that MiniStack has parsed. Out: XML answers; instances as real stacks in their own accounts and regions, made by operations
that run on while they are asked about.
`api` declares actions; `sets`, `instances`, `operations` and `drift` hold them; `engine` runs operations on `state`.
"""

from __future__ import annotations

from typing import Any

from ministack.services import account as account_service
from ministack.services import cloudformation, organizations

from emulator import pace
from emulator.stacksets import api, auto_deployment, drift, instances, operations, regions, sets
from emulator.stacksets.state import store

DECLARED_IN = (sets, instances, operations, drift)
"""The modules that declare actions as they are imported."""


def install() -> None:
    """Add the actions to MiniStack's tables, and the sets to what it persists and resets."""
    api.install_actions()
    account_service._DISPATCH |= {
        "/enableRegion": lambda payload: regions.switch(payload, "ENABLED"),
        "/disableRegion": lambda payload: regions.switch(payload, "DISABLED"),
        "/getRegionOptStatus": regions.opt_status,
        "/listRegions": regions.list_regions,
    }
    move = organizations._DISPATCH["MoveAccount"]
    organizations._DISPATCH["MoveAccount"] = lambda payload: auto_deployment.account_moved(payload, move(payload))
    reset, get_state, load = cloudformation.reset, cloudformation.get_state, cloudformation.load_persisted_state

    def reset_all() -> None:
        reset()
        store.sets.clear()

    def load_all(saved: dict[str, Any]) -> None:
        pace.settle_restored(saved)
        load(saved)
        store.load(saved.get("stacksets", []))

    cloudformation.reset = reset_all
    cloudformation.get_state = lambda: {**get_state(), "stacksets": store.dump()}
    cloudformation.load_persisted_state = load_all
