"""Resource import as CloudFormation has it, for the local AWS: what exists already comes into a stack as it is.

In: MiniStack's change sets of type IMPORT and those with ImportExistingResources, the provider schemas. Out: every resource type of the
platform by its primary identifier, with Ref and GetAtt of the live resource; AWS's refusals; drift between a template and what stands.
Never: changes an imported resource; known to any room but `local_aws/`.
"""

from __future__ import annotations


def install() -> None:
    """Register everything; called after the emulator's own plug-ins. `SeamsMoved` if MiniStack is not the one it was written for."""
    from emulator import seams
    from resource_import.parts import PARTS

    seams.check(PARTS)
    from resource_import import change_sets, drift, summary, tags, types

    types.install()
    change_sets.install()
    tags.install()
    summary.install()
    drift.install()
