"""What of the local AWS is out of order at the moment, by the wish of a person or a test.

In: `outages.json` in the server's directory, written by whoever owns it.
Out: calls that are refused, dropped or never answered; resources of stacks that fail; replicas that come late or never.
Never: switched by a request (a product that is tested cannot reach the switches), and nothing of it is left when the file is empty.
"""

from __future__ import annotations

from pathlib import Path


def install(directory: Path) -> None:
    """Stand before every service and resource type; after every other plug-in. Imports MiniStack."""
    from outages import answers, replication, resources
    from outages.store import Current

    current = Current(directory)
    replication.install()
    answers.install(current)
    resources.install(current)
