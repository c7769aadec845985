"""What the local AWS has beyond MiniStack, registered inside its process through two private dictionaries (see `seams`).

In: MiniStack's private parts, the service models. Out: answers and refusals as AWS gives them.
Never: known to any room but `local_aws/`, which runs it in a process of its own; nothing else can tell it from AWS.
"""

from __future__ import annotations


def install() -> None:
    """Register every plug-in; `SeamsMoved` if this MiniStack is not the one they were written for. Imports MiniStack."""
    from emulator import seams

    seams.check()
    import cloud_control
    from emulator import (
        certificates,
        deleted,
        distributions,
        events,
        existing,
        firewall,
        functions,
        in_use,
        pace,
        permissions,
        policy_sizes,
        records,
        resources,
        service_roles,
        stacksets,
        updates,
    )

    resources.install()
    firewall.install()
    functions.install()
    existing.install()
    certificates.install()
    stacksets.install()
    distributions.install()
    in_use.install()
    records.install()
    updates.install()
    permissions.install()
    service_roles.install()
    events.install()
    policy_sizes.install()
    pace.install()
    deleted.install()
    cloud_control.install()


def stop() -> None:
    """Let every thread that waits give up; called once, when the server ends."""
    from emulator import pace

    pace.stopping.set()
