# mypy: allow-untyped-calls
"""The APIs of a late AWS: what is new is not found yet, a read may tell what was true a moment ago.

In: requests as MiniStack's dispatcher hands them to a service.
Out: the service's answer, the one before it, or a refusal in the service's words.
Never: refuses a write about what is there for long enough; makes a strongly consistent read stale.

Sources: IAM User Guide, "Troubleshoot IAM" (changes are not always immediately visible); DynamoDB API, DescribeTable
(ResourceNotFoundException right after CreateTable); S3 User Guide, "Amazon S3 data consistency model" (bucket configurations are eventually
consistent); Route 53 API, GetChange (PENDING); the conditions on which Terraform's AWS provider tries again: its issues 22834 (a service
role that "is invalid or cannot be assumed"), 15165 (roles of a StackSet), 49960 (a bucket not found after its creation).
That CloudFormation's reads may be stale is assumed: no document promises anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from ministack import app
from ministack.core import responses
from ministack.services.cloudformation import changesets, handlers, stacks

from late.visibility import Identity, Reply, Visibility

Handler = Callable[[str, str, dict[str, str], bytes, dict[str, Any]], Awaitable[Any]]

_STALE = {
    "account": "GetRegionOptStatus ListRegions",
    "acm": "DescribeCertificate ListCertificates",
    "cloudformation": "DescribeChangeSet DescribeEvents DescribeStackEvents DescribeStackInstance DescribeStackSet"
    " DescribeStackSetOperation DescribeStacks ListChangeSets ListStackInstances ListStackResources ListStackSetOperationResults"
    " ListStackSetOperations ListStackSets ListStacks",
    "cloudfront": "GET",
    "dynamodb": "DescribeTable ListTables",
    "iam": "GetRole ListOpenIDConnectProviders ListRoles",
    "lambda": "GET",
    "logs": "DescribeDeliveries DescribeLogGroups",
    "monitoring": "DescribeAlarms",
    "route53": "GET",
    "secretsmanager": "DescribeSecret GetSecretValue ListSecrets",
    "ssm": "",
}
"""Reads that may be stale, by service; GET: every read of a service whose actions are paths. Not S3's objects and DynamoDB's items."""

_REQUEST_ID = re.compile(rb"<RequestId>[^<]*</RequestId>|<(Marker|NextToken)>[^<]*</")
_DISTRIBUTION = re.compile(r"/[0-9-]+/distribution/([A-Z0-9]+)(/.*)?")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/(?:.*/)?([^/]+)")


@dataclass(frozen=True, kw_only=True)
class ApiCall:
    """One request, as far as lateness goes."""

    service: str
    action: str
    """The API's action; for a service whose actions are paths, the method."""
    path: str
    account: str
    region: str
    given: Mapping[str, str] = field(default_factory=dict)
    text: bytes = b""

    @property
    def question(self) -> tuple[str, ...]:
        """What tells it from other reads."""
        return (self.account, self.region, self.service, self.action, self.path, self.text.decode("latin-1"), json.dumps(dict(self.given)))

    @property
    def about(self) -> str:
        """The stack that it is about, or the service."""
        name = self.given.get("StackName", "") if self.service == "cloudformation" else ""
        return name.split("/")[1] if name.startswith("arn:") else name or self.service

    @property
    def may_be_stale(self) -> bool:
        return self.action in _STALE.get(self.service, "").split()

    def thing(self, kind: str, name: str) -> Identity:
        """Something of the caller's account."""
        return Identity(kind, self.account, name)


def install(visibility: Visibility) -> None:
    """Stand before every service of MiniStack's dispatcher."""
    add_event = stacks._add_event

    def event(stack_id: str, stack_name: str, *more: Any, **named: Any) -> None:
        add_event(stack_id, stack_name, *more, **named)
        visibility.changed(stack_name)

    for module in (stacks, changesets, handlers):
        vars(module)["_add_event"] = event
    table: dict[str, Handler] = app.SERVICE_HANDLERS
    for service, handler in list(table.items()):
        table[service] = _late(visibility, service, handler)


def _late(visibility: Visibility, service: str, handler: Handler) -> Handler:
    async def late(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        asked = _asked(service, method, path, headers, body, query)
        refused = _refusal(visibility, asked)
        if refused is not None:
            return refused
        answer = await handler(method, path, headers, body, query)
        if not asked.may_be_stale or not isinstance(answer[2], bytes):
            if answer[0] < 300 and asked.action not in ("GET", "HEAD"):
                visibility.changed(asked.about)
                _remember(visibility, asked, answer)
            return answer
        status, sent, content = visibility.told(asked.question, _REQUEST_ID.sub(b"", answer[2]), answer, asked.about)
        return status, dict(sent), content

    return late


def _asked(  # noqa: PLR0917  (MiniStack's own signature)
    service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
) -> ApiCall:
    place: dict[str, Any] = {"service": service, "account": responses.get_account_id(), "region": responses.get_region(), "path": path}
    target = headers.get("x-amz-target", "")
    if target:
        document = json.loads(body or b"{}")
        given = {name: value for name, value in document.items() if isinstance(value, str)}
        return ApiCall(action=target.rpartition(".")[2], given=given, text=body, **place)
    if b"Action=" in body:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        return ApiCall(action=form.get("Action", ""), given=form, **place)
    return ApiCall(action=method, given={name: str(value) for name, value in query.items()}, text=body if service != "s3" else b"", **place)


# --- not there yet ----------------------------------------------------------------------------------------------------


def _refusal(visibility: Visibility, asked: ApiCall) -> Reply | None:
    hidden = _HIDDEN.get(asked.service)
    return hidden(visibility, asked) if hidden else None


def _cloudformation(visibility: Visibility, asked: ApiCall) -> Reply | None:
    role = _ROLE.fullmatch(asked.given.get("RoleARN", "") or asked.given.get("AdministrationRoleARN", ""))
    if role and visibility.hides(Identity("AWS::IAM::Role", role[1], role[2]), asked.region):
        return _xml("ValidationError", f"Role {role[0]} is invalid or cannot be assumed")
    change_set = asked.given.get("ChangeSetName", "")
    if asked.action == "DescribeChangeSet" and visibility.hides(asked.thing("ChangeSet", change_set), asked.region):
        return _xml("ChangeSetNotFound", f"ChangeSet [{change_set}] does not exist", 404)
    name = asked.given.get("StackSetName", "")
    if name and asked.action != "CreateStackSet" and visibility.hides(asked.thing("StackSet", name), asked.region):
        return _xml("StackSetNotFoundException", f"StackSet {name} not found", 404)
    operation = asked.given.get("OperationId", "")
    reads = ("DescribeStackSetOperation", "ListStackSetOperationResults")
    if asked.action in reads and visibility.hides(asked.thing("Operation", operation), asked.region):
        return _xml("OperationNotFoundException", f"Operation {operation} not found", 404)
    return None


def _s3(visibility: Visibility, asked: ApiCall) -> Reply | None:
    bucket = unquote(asked.path).strip("/").split("/")[0]
    if not bucket or not visibility.hides(asked.thing("AWS::S3::Bucket", bucket), asked.region):
        return None
    body = b"<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>"
    return 404, {"Content-Type": "application/xml"}, b"" if asked.action == "HEAD" else body


def _dynamodb(visibility: Visibility, asked: ApiCall) -> Reply | None:
    if not visibility.hides(asked.thing("AWS::DynamoDB::Table", asked.given.get("TableName", "")), asked.region):
        return None
    return _json("ResourceNotFoundException", "Requested resource not found")


def _iam(visibility: Visibility, asked: ApiCall) -> Reply | None:
    name = asked.given.get("RoleName", "")
    if asked.action != "GetRole" or not visibility.hides(asked.thing("AWS::IAM::Role", name), "iam"):
        return None
    return _xml("NoSuchEntity", f"The role with name {name} cannot be found.", 404)


def _sts(visibility: Visibility, asked: ApiCall) -> Reply | None:
    role = _ROLE.fullmatch(asked.given.get("RoleArn", ""))
    if not role or not visibility.hides(Identity("AWS::IAM::Role", role[1], role[2]), "sts"):
        return None
    who = f"arn:aws:iam::{asked.account}:root"
    return _xml("AccessDenied", f"User: {who} is not authorized to perform: sts:AssumeRole on resource: {role[0]}", 403)


def _secrets(visibility: Visibility, asked: ApiCall) -> Reply | None:
    secret, version = asked.given.get("SecretId", ""), asked.given.get("VersionId", "")
    if version and visibility.hides(asked.thing("SecretVersion", version), asked.region):
        return _json("ResourceNotFoundException", f"Secrets Manager can't find the specified secret value for VersionId: {version}")
    if asked.action not in ("DescribeSecret", "GetSecretValue") or not visibility.hides(asked.thing("Secret", secret), asked.region):
        return None
    return _json("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")


def _acm(visibility: Visibility, asked: ApiCall) -> Reply | None:
    arn = asked.given.get("CertificateArn", "")
    if not visibility.hides(asked.thing("AWS::CertificateManager::Certificate", arn), "acm"):
        return None
    return _json("ResourceNotFoundException", f"Could not find certificate {arn}.")


def _cloudfront(visibility: Visibility, asked: ApiCall) -> Reply | None:
    found = _DISTRIBUTION.fullmatch(asked.path)
    if not found or not visibility.hides(asked.thing("AWS::CloudFront::Distribution", found[1]), "cloudfront"):
        return None
    return _xml("NoSuchDistribution", "The specified distribution does not exist.", 404)


_HIDDEN: Mapping[str, Callable[[Visibility, ApiCall], Reply | None]] = {
    "acm": _acm,
    "cloudformation": _cloudformation,
    "cloudfront": _cloudfront,
    "dynamodb": _dynamodb,
    "iam": _iam,
    "s3": _s3,
    "secretsmanager": _secrets,
    "sts": _sts,
}


def _xml(code: str, message: str, status: int = 400) -> Reply:
    inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return status, {"Content-Type": "text/xml"}, f"<ErrorResponse>{inner}<RequestId>late</RequestId></ErrorResponse>".encode()


def _json(code: str, message: str) -> Reply:
    return 400, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps({"__type": code, "message": message}).encode()


# --- what calls make --------------------------------------------------------------------------------------------------

_BEGUN = (
    "CreateStackInstances",
    "DeleteStackInstances",
    "DetectStackSetDrift",
    "ImportStacksToStackSet",
    "UpdateStackInstances",
    "UpdateStackSet",
)


def _remember(visibility: Visibility, asked: ApiCall, answer: Any) -> None:
    """What a successful call has made is new."""
    given = asked.given
    match (asked.service, asked.action):
        case ("cloudformation", "CreateChangeSet"):
            found = re.search(rb"<Id>([^<]+)</Id>", answer[2])
            for name in (given["ChangeSetName"], found[1].decode() if found else ""):
                visibility.made(asked.thing("ChangeSet", name))
            ROLES[asked.account, given["StackName"]] = given.get("RoleARN", "")
        case ("cloudformation", "CreateStackSet"):
            visibility.made(asked.thing("StackSet", given["StackSetName"]))
        case ("cloudformation", action) if action in _BEGUN:
            visibility.made(asked.thing("Operation", given.get("OperationId", "")))
        case ("iam", "CreateRole"):
            visibility.made(asked.thing("AWS::IAM::Role", given["RoleName"]))
        case ("secretsmanager", "CreateSecret"):
            visibility.made(asked.thing("Secret", given["Name"]))
        case ("secretsmanager", "PutSecretValue"):
            visibility.made(asked.thing("SecretVersion", json.loads(answer[2])["VersionId"]))


ROLES: dict[tuple[str, str], str] = {}
"""The service role of a stack, by account and stack name: MiniStack does not keep it."""
