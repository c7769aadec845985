# mypy: allow-untyped-calls
"""What GetTemplateSummary tells of imports: by which properties each resource of a template could be named.

In: a template. Out: ResourceIdentifierSummaries, of the types that can be imported.
Never: looks whether anything stands.

Source: API reference, ResourceIdentifierSummary; aws/aws-cdk pull request 24439: properties that belong together are one string, by commas.
"""

from __future__ import annotations

from html import escape
from typing import Any

from ministack.services.cloudformation import engine
from ministack.services.cloudformation.handlers import _ACTION_HANDLERS, _resolve_stack
from ministack.services.cloudformation.helpers import _p, _resolve_template

from resource_import import types

_END = b"</GetTemplateSummaryResult>"


def install() -> None:
    """Add the summaries to MiniStack's answer."""
    summary = _ACTION_HANDLERS["GetTemplateSummary"]

    def with_identifiers(params: Any) -> Any:
        status, headers, body = summary(params)
        raw = body if isinstance(body, bytes) else str(body).encode()
        if status >= 300:
            return status, headers, body
        text, _ = _resolve_template(params)
        template = engine._parse_template(text or (_resolve_stack(_p(params, "StackName")) or {}).get("_template_body", "{}"))
        return status, headers, raw.replace(_END, _summaries(template).encode() + _END)

    _ACTION_HANDLERS["GetTemplateSummary"] = with_identifiers


def _summaries(template: Any) -> str:
    held: dict[str, list[str]] = {}
    for logical_id, body in template.get("Resources", {}).items():
        held.setdefault(body.get("Type", ""), []).append(logical_id)
    found = "".join(_summary(kind, held[kind]) for kind in sorted(held) if types.identifiers(kind))
    return f"<ResourceIdentifierSummaries>{found}</ResourceIdentifierSummaries>"


def _summary(kind: str, logical_ids: list[str]) -> str:
    members = "".join(f"<member>{escape(each)}</member>" for each in logical_ids)
    return (
        f"<member><ResourceType>{escape(kind)}</ResourceType><LogicalResourceIds>{members}</LogicalResourceIds>"
        f"<ResourceIdentifiers><member>{','.join(types.identifiers(kind))}</member></ResourceIdentifiers></member>"
    )
