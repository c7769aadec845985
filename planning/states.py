"""What a stack's status means for whoever wants to change it.

In: a `StackDescription`. Out: a `Finding` that stands in the way, with the safe next command, or None.
Never: acts. Source of the states: CloudFormation user guide, "Understand stack creation events" and "Troubleshooting".
"""

from __future__ import annotations

from assembly.commands import deploy
from aws.cloudformation.stacks import StackDescription
from planning.model import Finding

CHANGEABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"})
"""States in which CloudFormation takes an update."""

_STUCK: dict[str, str] = {
    "ROLLBACK_COMPLETE": "its creation failed and was rolled back; such a stack can only be deleted and made again (it holds nothing but"
    " resources that were retained)",
    "ROLLBACK_FAILED": "its creation failed, and so did the rollback; it has to be deleted, keeping what cannot be",
    "CREATE_FAILED": "its creation failed and was not rolled back",
    "UPDATE_FAILED": "its last update failed and was not rolled back",
    "UPDATE_ROLLBACK_FAILED": "the rollback of its last update failed; it has to be continued once the cause is gone",
    "DELETE_FAILED": "its deletion failed half-way",
    "IMPORT_ROLLBACK_FAILED": "the rollback of an import failed; nothing that was to be taken over was changed. CloudFormation lets such a"
    " stack only be deleted, which is safe where it keeps all that it has",
}


def in_the_way(environment: str, stack_id: str, live: StackDescription | None) -> Finding | None:
    """Why no change set can be made for the stack now; None if one can. A stack that does not exist, or is empty, can be made."""
    if live is None or live.under_review or live.status in CHANGEABLE or live.status == "DELETE_COMPLETE":
        return None
    reason = f" ({live.status_reason})" if live.status_reason else ""
    if live.status in _STUCK:
        return Finding(
            severity="error",
            code=f"stack_{live.status.lower()}",
            message=f"{live.name} is {live.status}: {_STUCK[live.status]}{reason}",
            command=deploy("doctor", environment, "--fix"),
            stack=stack_id,
        )
    return Finding(
        severity="error",
        code="stack_busy",
        message=f"{live.name} is {live.status} since {live.changed_at}: somebody is changing it{reason}; wait until that is done",
        command=deploy("status", environment),
        stack=stack_id,
    )
