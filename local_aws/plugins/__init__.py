"""What the local AWS has beyond MiniStack, registered inside its process through two private dictionaries (see `seams`).

Separate room: nothing outside `local_aws/` imports it, and the deployer cannot tell it from AWS.
"""

from __future__ import annotations


def install() -> None:
    """Register every plug-in; `SeamsMoved` if this MiniStack is not the one they were written for. Imports MiniStack."""
    from local_aws.plugins import seams

    seams.check()
    from local_aws.plugins import (
        certificates,
        distributions,
        functions,
        in_use,
        pace,
        permissions,
        policy_sizes,
        records,
        resources,
        stacksets,
    )

    resources.install()
    functions.install()
    certificates.install()
    stacksets.install()
    distributions.install()
    in_use.install()
    records.install()
    permissions.install()
    policy_sizes.install()
    pace.install()


def stop() -> None:
    """Let every thread that waits give up; called once, when the server ends."""
    from local_aws.plugins import pace

    pace.stopping.set()
