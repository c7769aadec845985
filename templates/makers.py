"""Which stacks of an assembly make something by its name.

In: templates by stack id. Out: stack ids.
Never: resolves a name that a parameter gives.
"""

from __future__ import annotations

from collections.abc import Mapping

from guards import documents

_TABLES = ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable")


def makers_of_table(table: str, templates: Mapping[str, bytes]) -> frozenset[str]:
    """Stack ids whose template has that DynamoDB table."""
    return frozenset(
        stack
        for stack, body in templates.items()
        if table.encode() in body
        for resource in documents.loads(body).get("Resources", {}).values()
        if resource.get("Type") in _TABLES and resource.get("Properties", {}).get("TableName") == table
    )
