# mypy: allow-untyped-calls
"""CloudFormation in a late AWS: a resource fails where what it names, made a moment ago, is not known yet to the service that it is for.

In: MiniStack's resource handlers. Out: the same, which note what they make, and fail as AWS's handlers have been seen to.
Never: fails for something of the same stack but for roles and policies: CloudFormation waits for what it made itself ("eventual consistency
check", CloudFormation User Guide, "Understand CloudFormation stack creation events"), and reports of failures all the same are about IAM.

Sources: "The role defined for the function cannot be assumed by Lambda.": pulumi-aws-native issue 148, terraform-provider-aws issue 44517;
InvalidViewerCertificate of a certificate just issued: terraform-provider-aws, aws_cloudfront_distribution, which tries again for a minute;
"The function must be in an Active state": aws-samples/cloudfront-authorization-at-edge issue 245; permissions of a new role:
terraform-provider-aws issue 33367, superwerker issue 171; a StackSet's roles: terraform-provider-aws issue 15165.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ministack.core import responses
from ministack.services.cloudformation import provisioners

from emulator.stacksets import engine
from late.answers import ROLES
from late.visibility import Identity, Visibility

OWN_ODDS = 0.15
"""How often a role or policy of the same stack is not known yet although CloudFormation has looked."""
DENIED_ODDS = 0.1
"""How often a resource meets a service that does not know the permissions of the stack's new role."""

_ROLE_NAME = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/(?:.*/)?([^/]+)")
_BUCKET = "AWS::S3::Bucket"


def install(visibility: Visibility) -> None:
    """Wrap every resource type, and the look for a StackSet's roles."""
    table: Any = provisioners._RESOURCE_HANDLERS
    for kind, handlers in table.items():
        if "create" in handlers:
            handlers["create"] = _create(visibility, kind, handlers["create"])
        if "update" in handlers:
            handlers["update"] = _update(visibility, kind, handlers["update"])
        if "delete" in handlers:
            handlers["delete"] = _delete(visibility, kind, handlers["delete"])
    roles_problem: Callable[..., str] = vars(engine)["roles_problem"]

    def late_roles_problem(stack_set: Any, instance: Any) -> str:
        name = stack_set.administration_role.rsplit("/", 1)[-1]
        execution = stack_set.execution_role
        if visibility.hides(Identity("AWS::IAM::Role", instance.account, execution), instance.region):
            return f"Account {instance.account} should have '{execution}' role with trust relationship to Role '{name}'."
        return roles_problem(stack_set, instance)

    vars(engine)["roles_problem"] = late_roles_problem


def service_of(kind: str) -> str:
    """MiniStack's name of the service that has that resource type."""
    return {"certificatemanager": "acm", "cloudwatch": "monitoring"}.get(name := kind.split("::")[1].lower(), name)


def _create(visibility: Visibility, kind: str, create: Callable[..., Any]) -> Callable[..., Any]:
    def late(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        _refuse(visibility, kind, props, stack_name)
        made = create(logical_id, props, stack_name)
        account = responses.get_account_id()
        name = made[0]
        visibility.changed(service_of(kind))
        if kind == "AWS::IAM::ManagedPolicy" or (kind == "AWS::Lambda::Version" and not str(name).startswith("arn:")):
            name = made[1].get("PolicyArn", made[1].get("FunctionArn", name))
        visibility.made(Identity(kind, account, str(name)), stack_name)
        if kind == "AWS::IAM::Role":
            visibility.made(Identity("permissions", account, str(name)), stack_name)
        return made

    return late


def _update(visibility: Visibility, kind: str, update: Callable[..., Any]) -> Callable[..., Any]:
    def late(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, *more: Any, **named: Any) -> Any:
        _refuse(visibility, kind, new, stack_name)
        visibility.changed(service_of(kind))
        return update(physical_id, old, new, stack_name, *more, **named)

    return late


def _delete(visibility: Visibility, kind: str, delete: Callable[..., Any]) -> Callable[..., Any]:
    def late(physical_id: str, *more: Any, **named: Any) -> Any:
        answer = delete(physical_id, *more, **named)
        visibility.changed(service_of(kind))
        visibility.gone(Identity(kind, responses.get_account_id(), physical_id))
        return answer

    return late


def _refuse(visibility: Visibility, kind: str, props: dict[str, Any], stack: str) -> None:
    problem = next(_problems(visibility, kind, props, stack), "")
    if problem:
        raise ValueError(f'Resource handler returned message: "{problem}" (RequestToken: late, HandlerErrorCode: InvalidRequest)')


def _problems(visibility: Visibility, kind: str, props: dict[str, Any], stack: str) -> Iterator[str]:
    account = responses.get_account_id()
    role = _ROLE_NAME.fullmatch(ROLES.get((account, stack), ""))
    if role and visibility.hides(Identity("permissions", role[1], role[2]), kind, DENIED_ODDS):
        service = service_of(kind)
        who = f"arn:aws:sts::{account}:assumed-role/{role[2]}/AWSCloudFormation"
        yield f"User: {who} is not authorized to perform: {service}:Create because no identity-based policy allows the action"
    name = str(props.get("Role", "")).rpartition("/")[2] if kind == "AWS::Lambda::Function" else ""
    if name and _new(visibility, Identity("AWS::IAM::Role", account, name), "lambda", stack):
        yield "The role defined for the function cannot be assumed by Lambda. (Service: Lambda, Status Code: 400, Request ID: late)"
    if kind == "AWS::S3::BucketPolicy" and _new(visibility, Identity(_BUCKET, account, str(props.get("Bucket"))), "s3", stack, own=0):
        yield "The specified bucket does not exist (Service: S3, Status Code: 404, Request ID: late)"
    if kind == "AWS::CloudFront::Distribution":
        yield from _of_distribution(visibility, account, props, stack)
    if kind == "AWS::IAM::Role":
        for arn in (*props.get("ManagedPolicyArns", ()), props.get("PermissionsBoundary")):
            if arn and _new(visibility, Identity("AWS::IAM::ManagedPolicy", account, str(arn)), "iam", stack):
                yield f"Policy {arn} does not exist or is not attachable. (Service: Iam, Status Code: 404, Request ID: late)"


def _of_distribution(visibility: Visibility, account: str, props: dict[str, Any], stack: str) -> Iterator[str]:
    text = json.dumps(props, default=str)
    for arn in re.findall(r"arn:aws:acm:[^\"]+", text):
        if _new(visibility, Identity("AWS::CertificateManager::Certificate", account, arn), "cloudfront", stack, own=0):
            yield (
                "Invalid request provided: AWS::CloudFront::Distribution: The specified SSL certificate doesn't exist, isn't in"
                " us-east-1 region, isn't valid, or doesn't include a valid certificate chain. (Service: CloudFront, Status Code: 400)"
            )
    for arn in re.findall(r"arn:aws:lambda:[^\"]+:\d+", text):
        if _new(visibility, Identity("AWS::Lambda::Version", account, arn), "cloudfront", stack, own=0):
            yield (
                f"Invalid request provided: AWS::CloudFront::Distribution: The function must be in an Active state. The current state for"
                f" function {arn} is Pending (Service: CloudFront, Status Code: 400, Request ID: late)"
            )


def _new(visibility: Visibility, thing: Identity, reader: str, stack: str, *, own: float = OWN_ODDS) -> bool:
    """Whether the reader does not know it yet; of the stack's own only with the odds `own`."""
    maker = visibility.maker(thing)
    return visibility.hides(thing, reader, own) if maker == stack else visibility.hides(thing, reader)
