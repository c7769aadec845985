"""Cloud Control as AWS has it, for the local AWS: GetResource tells what stands, in the shape of the type's provider schema.

In: MiniStack's stores. Out: GetResource of the platform's types; UnsupportedActionException for every other one.
Never: changes anything, tells a write-only property; known to any room but `local_aws/`.
"""

from __future__ import annotations


def install() -> None:
    """Answer GetResource from what stands. Imports MiniStack."""
    from cloud_control import answers

    answers.install()
