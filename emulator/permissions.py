# mypy: allow-untyped-calls
"""What IAM enforcement needs to know of CloudFormation and CloudFront, and of the transport.

In: requests under IAM enforcement. Out: the stack set, the change set's stack or the distribution that a request is about, as IAM sees
it; a role that is passed on needs iam:PassRole; the loopback counts as TLS, so that the buckets' own policies hold and can be kept.
Never: allows what no policy allows.

Sources: Service Authorization Reference, AWS CloudFormation (resource types stack and stackset); IAM user guide, "Grant a user permissions
to pass a role to an AWS service";
CloudFront Developer Guide, "Set up IAM permissions and roles for Lambda@Edge" (who updates a distribution).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import replace
from itertools import count, product
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator, responses
from ministack.services import cloudformation, iam

_passed: ContextVar[str] = ContextVar("passed_role", default="")
_named: ContextVar[Mapping[str, str] | None] = ContextVar("condition_keys", default=None)
_edge: ContextVar[list[str]] = ContextVar("functions_at_the_edge", default=[])  # noqa: B039  (only read)
_FUNCTION = re.compile(r"<LambdaFunctionARN>([^<]+)")
_TO_ASSOCIATE = ("GetFunction", "EnableReplication*")
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
        _named.set(_condition_keys(query_params) if service == "cloudformation" else {})
        if service != "cloudformation":
            _passed.set("")
            _edge.set(_FUNCTION.findall(body.decode()) if service == "cloudfront" and method == "PUT" else [])
            return found if found != "*" else _named_elsewhere(service, headers, body, query_params, region, account_id)
        _passed.set(next((role for role in (first(query_params, name) for name in _ROLES) if role), ""))
        return found if found != "*" else _stack_set_or_change_set(query_params, region, account_id)

    def enforced(  # noqa: PLR0917  (MiniStack's own signature)
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        named = (_named.get() if service == "cloudformation" else None) or {}
        denied = enforce(access_key_id, iam_action, service, region, resource_arn, {**(service_context or {}), **named})
        if not denied and "cloudformation:createaction" in named:
            denied = enforce(access_key_id, "cloudformation:TagResource", service, region, resource_arn, dict(named))
        for function, name in product(_edge.get() if iam_action == "cloudfront:UpdateDistribution" else (), _TO_ASSOCIATE):
            denied = denied or enforce(access_key_id, f"lambda:{name}", "lambda", "us-east-1", function, {})
        role = _passed.get() if service == "cloudformation" else ""
        if denied or not role:
            return denied
        context = {"iam:PassedToService": "cloudformation.amazonaws.com"}
        refused = enforce(access_key_id, "iam:PassRole", "iam", region, role, context)
        if not refused:
            return None
        who = getattr(refused, "principal_arn", "")
        return iam_evaluator.AuthError("AccessDenied", f"User: {who} is not authorized to perform: iam:PassRole on resource: {role}")

    first_match: Any = iam_evaluator._first_match

    def matched(ctx: Any, statements: Any, *more: Any, **named: Any) -> Any:
        return first_match(ctx, [_with_variables(each, ctx) for each in statements], *more, **named)

    vars(iam_evaluator)["_first_match"] = matched
    iam_actions.extract_resource_arn = extract_resource_arn
    iam_evaluator.enforce = enforced
    vars(app)["pin_request_origin"] = lambda source_ip, _: origin(source_ip, True)
    handlers: Any = iam._IAM_HANDLERS
    handlers["SimulatePrincipalPolicy"] = _simulate


def _named_elsewhere(  # noqa: PLR0917  (as it is asked)
    service: str, headers: Mapping[str, str], body: bytes, params: Mapping[str, Any], region: str, account_id: str
) -> str:
    """The resource where MiniStack does not look for it; of several alarms the first, all of them where none is named."""
    if service == "monitoring" and headers.get("x-amz-target", "").endswith(".DescribeAlarms"):
        alarm = (json.loads(body).get("AlarmNames") or ["*"])[0]
        return f"arn:aws:cloudwatch:{region}:{account_id}:alarm:{alarm}"
    asked = first(params, "DistributionId") if service == "cloudfront" else ""
    simulated = first(params, "PolicySourceArn") if service == "iam" else ""
    return f"arn:aws:cloudfront::{account_id}:distribution/{asked}" if asked else simulated or "*"


def _condition_keys(params: Mapping[str, Any]) -> dict[str, str]:
    """Service Authorization Reference, AWS CloudFormation, condition keys."""
    given = {
        "cloudformation:changesetname": first(params, "ChangeSetName"),
        "cloudformation:rolearn": first(params, "RoleARN"),
        "cloudformation:createaction": first(params, "Action") if first(params, "Tags.member.1.Key") else "",
    }
    return {key: value for key, value in given.items() if value}


def _with_variables(statement: Any, ctx: Any) -> Any:
    """The statement with the caller's id where a resource has `${aws:userid}` (IAM User Guide, policy variables)."""
    if not any("${aws:userid}" in each for each in statement.resources):
        return statement
    caller = str(ctx.principal_keys.get("aws:userid", ""))
    return replace(statement, resources=[each.replace("${aws:userid}", caller) for each in statement.resources])


def _simulate(params: Mapping[str, Any]) -> Any:
    """MiniStack's own looks at one resource, without boundary and condition keys (IAM API, SimulatePrincipalPolicy)."""
    principal, account = first(params, "PolicySourceArn"), responses.get_account_id()
    kind, _, name = principal.rpartition(":")[2].partition("/")
    store, gather = (
        (iam._roles, iam_evaluator._gather_role_policies) if kind == "role" else (iam._users, iam_evaluator._gather_user_policies)
    )
    if store.get_scoped(account, None, name) is None:
        return iam._error(404, "NoSuchEntity", f"The principal {principal} cannot be found.", ns="iam")
    context = {
        first(params, f"ContextEntries.member.{i}.ContextKeyName").lower(): first(
            params, f"ContextEntries.member.{i}.ContextKeyValues.member.1"
        )
        for i in _numbers(params, "ContextEntries.member.{}.ContextKeyName")
    }
    results = ""
    for resource in [first(params, f"ResourceArns.member.{i}") for i in _numbers(params, "ResourceArns.member.{}")] or ["*"]:
        for action in [first(params, f"ActionNames.member.{i}") for i in _numbers(params, "ActionNames.member.{}")]:
            asked = iam_evaluator.EvalContext(
                principal_arn=principal,
                principal_type="AssumedRole" if kind == "role" else "User",
                principal_account=account,
                action=action,
                resource_arn=resource,
                region="us-east-1",
                service_context=context,
            )
            found = iam_evaluator.evaluate(asked, gather(name, account), *iam_evaluator._permissions_boundary(store, name, account))
            decision = {"Allow": "allowed", "Deny": "explicitDeny"}.get(found.decision, "implicitDeny")
            results += (
                f"<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}</EvalResourceName>"
                f"<EvalDecision>{decision}</EvalDecision></member>"
            )
    body = f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>"
    return iam._xml(
        200, "SimulatePrincipalPolicyResponse", f"<SimulatePrincipalPolicyResult>{body}</SimulatePrincipalPolicyResult>", ns="iam"
    )


def _numbers(params: Mapping[str, Any], name: str) -> range:
    return range(1, next(i for i in count(1) if not first(params, name.format(i))))


def first(params: Mapping[str, Any], name: str) -> str:
    """The value of a query parameter, or the first of several; empty where there is none."""
    value = params.get(name, "")
    return str(value[0] if isinstance(value, list) else value) if value else ""


def _stack_set_or_change_set(params: Mapping[str, Any], region: str, account_id: str) -> str:
    name = first(params, "StackSetName")
    if name:
        return f"arn:aws:cloudformation:{region}:{account_id}:stackset/{name.split(':')[0]}:*"
    change_set = cloudformation._change_sets.get(first(params, "ChangeSetName"))
    return str(change_set.get("StackId", "*")) if change_set else "*"
