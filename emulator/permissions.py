# mypy: allow-untyped-calls
"""What IAM enforcement needs to know of CloudFormation and CloudFront, and of the transport.

In: requests under IAM enforcement. Out: the stack set, the change set's stack or the distribution that a request is about, as IAM sees
it; a role that is passed on needs iam:PassRole; the loopback counts as TLS, so that the buckets' own policies hold and can be kept.
Never: allows what no policy allows.

Sources: Service Authorization Reference, AWS CloudFormation (resource types stack and stackset); IAM user guide, "Grant a user permissions
to pass a role to an AWS service".
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import cloudformation

_passed: ContextVar[str] = ContextVar("passed_role", default="")
_ROLES = ("RoleARN", "AdministrationRoleARN")


def install() -> None:
    """Wrap the three questions that MiniStack's front door asks."""
    resource_of, enforce, origin = iam_actions.extract_resource_arn, iam_evaluator.enforce, iam_evaluator.pin_request_origin

    def extract_resource_arn(  # noqa: PLR0917  (MiniStack's own signature)
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
        region: str,
        account_id: str,
    ) -> str:
        found = str(resource_of(service, method, path, headers, body, query_params, region, account_id))
        if service != "cloudformation":
            _passed.set("")
            asked = _first(query_params, "DistributionId") if service == "cloudfront" and found == "*" else ""
            return f"arn:aws:cloudfront::{account_id}:distribution/{asked}" if asked else found
        _passed.set(next((role for role in (_first(query_params, name) for name in _ROLES) if role), ""))
        return found if found != "*" else _stack_set_or_change_set(query_params, region, account_id)

    def enforced(  # noqa: PLR0917  (MiniStack's own signature)
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        denied = enforce(access_key_id, iam_action, service, region, resource_arn, service_context)
        role = _passed.get() if service == "cloudformation" else ""
        if denied or not role:
            return denied
        context = {"iam:PassedToService": "cloudformation.amazonaws.com"}
        refused = enforce(access_key_id, "iam:PassRole", "iam", region, role, context)
        if not refused:
            return None
        who = getattr(refused, "principal_arn", "")
        return iam_evaluator.AuthError("AccessDenied", f"User: {who} is not authorized to perform: iam:PassRole on resource: {role}")

    iam_actions.extract_resource_arn = extract_resource_arn
    iam_evaluator.enforce = enforced
    vars(app)["pin_request_origin"] = lambda source_ip, _: origin(source_ip, True)


def _first(params: Mapping[str, Any], name: str) -> str:
    value = params.get(name, "")
    return str(value[0] if isinstance(value, list) else value) if value else ""


def _stack_set_or_change_set(params: Mapping[str, Any], region: str, account_id: str) -> str:
    name = _first(params, "StackSetName")
    if name:
        return f"arn:aws:cloudformation:{region}:{account_id}:stackset/{name.split(':')[0]}:*"
    change_set = cloudformation._change_sets.get(_first(params, "ChangeSetName"))
    return str(change_set.get("StackId", "*")) if change_set else "*"
