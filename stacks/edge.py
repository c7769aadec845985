"""Basic Auth at the edge: the Lambda@Edge function, its published version and its role. us-east-1 only, no environment variables.

The function's code carries its configuration and, through a NoEcho parameter, the password's hash. `AWS::Lambda::Version` is
create-only, so a version is published anew when anything that it freezes changes (a digest of the function is in its logical id) and when
the credential changes (the secret's version id, no secret itself, is in its description). Lambda refuses to publish a function that is as
its last version was, so digest and version id stand in the function's description as well: it changes whenever the version does.
Source: Lambda API reference, PublishVersion.
"""

from __future__ import annotations

import hashlib
import json

from troposphere import GetAtt, Ref, Sub, awslambda, iam

from environments.model import Environment
from policies import runtime, trust
from policies.statements import arn
from stacks import headers
from stacks.edge_code import PASSWORD_HASH_PATTERN, EdgeConfig, basic_auth_code
from stacks.template import RETAIN, RETAIN_ONCE_MADE, StackTemplate, suppressed

RUNTIME = "nodejs24.x"
MEMORY_MB = 128
"""Viewer-request functions get no more (CloudFront Developer Guide, quotas on Lambda@Edge)."""
TIMEOUT_SECONDS = 5


class LoggingConfig(awslambda.LoggingConfig):
    """troposphere's, with the LogFormat that it lacks and that a log level needs."""

    props = {**awslambda.LoggingConfig.props, "LogFormat": (str, False)}  # noqa: RUF012 troposphere's own convention


def edge_config(env: Environment) -> EdgeConfig:
    """What the edge function knows of the environment."""
    return EdgeConfig(
        username=env.basic_auth.username,
        realm=env.basic_auth.realm,
        entry_path=env.app.entry_path,
        index_document=env.app.index_document,
        health_path=env.app.health_path,
        domain=env.domain,
        file_extensions=env.routing.file_extensions,
        hashed_paths=tuple("/" + pattern.removeprefix("/") for pattern in env.publishing.hashed_paths),
        redirects=tuple((redirect.path, redirect.to, redirect.status) for redirect in env.redirects),
        redirect_hosts=env.redirect_hosts,
        strict_transport_security=headers.strict_transport_security(env),
    )


def frozen_digest(function: awslambda.Function) -> str:
    """Twelve hexadecimal digits of everything that a version of the function freezes, for the version's logical id.

    Parameters count by name only: the password's hash is not in it. Tags belong to no version (Lambda developer guide, "Tags").
    """
    properties = {name: value for name, value in function.to_dict()["Properties"].items() if name != "Tags"}
    return hashlib.sha256(json.dumps(properties, sort_keys=True).encode()).hexdigest()[:12]


def build(env: Environment) -> StackTemplate:
    """The template."""
    template = StackTemplate(env, "edge", f"Basic Auth for {env.domain} on Lambda@Edge")
    password_hash = template.input(
        "BasicAuthPasswordHash", "Hash of the Basic Auth password, from Secrets Manager", pattern=PASSWORD_HASH_PATTERN, no_echo=True
    )
    version_id = template.input(
        "CredentialVersion", "Version id of the secret; a new one publishes a new function version", pattern="^[A-Za-z0-9-]{1,64}$"
    )
    config = edge_config(env)
    role = template.add(
        iam.Role(
            "Role",
            RoleName=f"{env.prefix}-edge",
            Description=f"Basic Auth of {env.domain} at the edge",
            AssumeRolePolicyDocument=trust.edge_function(),
            PermissionsBoundary=arn("iam", f"policy/{env.prefix}-boundary"),
            Policies=[iam.Policy(PolicyName="logs", PolicyDocument=runtime.edge_function_logs(env.edge_function_name))],
        )
    )
    function = template.add(
        awslambda.Function(
            "Function",
            FunctionName=env.edge_function_name,
            Runtime=RUNTIME,
            Handler="index.handler",
            Architectures=["x86_64"],
            MemorySize=MEMORY_MB,
            Timeout=TIMEOUT_SECONDS,
            Role=GetAtt(role, "Arn"),
            Code=awslambda.Code(ZipFile=basic_auth_code(config, password_hash)),
            LoggingConfig=LoggingConfig(LogFormat="JSON", ApplicationLogLevel=env.basic_auth.log_level, SystemLogLevel="WARN"),
            Metadata={"Edge": True, **suppressed({"I1022": "Fn::Sub would read the template literals of the JavaScript as its own"})},
            DeletionPolicy=RETAIN_ONCE_MADE,
            UpdateReplacePolicy=RETAIN,
        )
    )
    digest = frozen_digest(function)
    function.Description = Sub(f"Basic Auth and routing {digest}, credential ${{Credential}}", Credential=version_id)
    version = template.add(
        awslambda.Version(
            f"Version{digest}",
            FunctionName=Ref(function),
            Description=function.Description,
            DeletionPolicy=RETAIN_ONCE_MADE,
            UpdateReplacePolicy=RETAIN,
        )
    )
    template.output("FunctionName", "Name of the edge function", Ref(function))
    template.output("FunctionArn", "ARN of the edge function, without a version", GetAtt(function, "Arn"))
    template.output("FunctionVersionArn", "ARN of the published version that CloudFront replicates", Ref(version))
    template.output("RoleArn", "ARN of the edge function's role", GetAtt(role, "Arn"))
    return template
