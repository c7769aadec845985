"""Basic Auth at the edge: the Lambda@Edge function, its published version and its role. us-east-1 only, no environment variables.

The function's code carries its configuration and, through a NoEcho parameter, the password's hash. `AWS::Lambda::Version` is
create-only, so a version is published anew when the code changes (its digest is in the logical id) and when the credential changes (the
secret's version id, no secret itself, is in the description).
"""

from __future__ import annotations

from troposphere import GetAtt, Ref, Sub, awslambda, iam

from environments.model import Environment
from policies import runtime, trust
from policies.statements import arn
from stacks import headers
from stacks.edge_code import PASSWORD_HASH_PATTERN, EdgeConfig, basic_auth_code, basic_auth_digest
from stacks.template import RETAIN, StackTemplate, suppressed

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
        strict_transport_security=headers.strict_transport_security(env),
    )


def build(env: Environment) -> StackTemplate:
    """The template."""
    template = StackTemplate(env, "edge", f"Basic Auth for {env.domain} on Lambda@Edge")
    password_hash = template.input(
        "BasicAuthPasswordHash", "scrypt hash of the Basic Auth password, from Secrets Manager", pattern=PASSWORD_HASH_PATTERN, no_echo=True
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
            Description=f"Basic Auth and routing of {env.prefix}",
            Runtime=RUNTIME,
            Handler="index.handler",
            Architectures=["x86_64"],
            MemorySize=MEMORY_MB,
            Timeout=TIMEOUT_SECONDS,
            Role=GetAtt(role, "Arn"),
            Code=awslambda.Code(ZipFile=basic_auth_code(config, password_hash)),
            LoggingConfig=LoggingConfig(LogFormat="JSON", ApplicationLogLevel=env.basic_auth.log_level, SystemLogLevel="WARN"),
            Metadata={"Edge": True, **suppressed({"I1022": "Fn::Sub would read the template literals of the JavaScript as its own"})},
            DeletionPolicy=RETAIN,
            UpdateReplacePolicy=RETAIN,
        )
    )
    version = template.add(
        awslambda.Version(
            f"Version{basic_auth_digest(config)}",
            FunctionName=Ref(function),
            Description=Sub("credential ${Version}", Version=version_id),
            DeletionPolicy=RETAIN,
            UpdateReplacePolicy=RETAIN,
        )
    )
    template.output("FunctionName", "Name of the edge function", Ref(function))
    template.output("FunctionArn", "ARN of the edge function, without a version", GetAtt(function, "Arn"))
    template.output("FunctionVersionArn", "ARN of the published version that CloudFront replicates", Ref(version))
    template.output("RoleArn", "ARN of the edge function's role", GetAtt(role, "Arn"))
    return template
