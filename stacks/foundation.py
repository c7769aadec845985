"""What has to be there before anything else in an account: artifacts, lock, and the roles that everything later runs with.

Deployed with an administrator's own credentials, once, and again when it changes: the roles made here cannot change themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from awacs.aws import PolicyDocument
from troposphere import GetAtt, Ref, dynamodb, iam

from environments.model import Environment, Organization
from environments.regions import OPT_IN_REGIONS
from policies import approval, buckets, deployment, planning, provisioning, runtime, stacksets, trust
from policies.statements import GITHUB_ISSUER
from stacks.storage import private_bucket
from stacks.template import RETAIN, RETAIN_ONCE_MADE, StackTemplate, accepted


def service_role_name(env: Environment) -> str:
    """Role that CloudFormation works with."""
    return f"{env.prefix}-cloudformation"


def administration_role_name(env: Environment | Organization) -> str:
    """Role that a StackSet's administration works with."""
    return f"{env.prefix}-stackset-administration"


def execution_role_name(env: Environment) -> str:
    """Role that a StackSet's instances are made with."""
    return f"{env.prefix}-stackset-execution"


def deploy_role_name(env: Environment) -> str:
    """Role that `deploy.py` and the repository's workflows work with."""
    return f"{env.prefix}-deploy"


def plan_role_name(env: Environment) -> str:
    """Role that plans and changes nothing, with the code of the branch."""
    return f"{env.prefix}-plan"


def pull_request_role_name(env: Environment) -> str:
    """Role that plans and changes nothing, with code that nobody has reviewed."""
    return f"{env.prefix}-pull-request"


@dataclass(frozen=True)
class Maker:
    """A role that CloudFormation makes stacks with."""

    role: str
    policies: tuple[dict[str, Any], ...]
    """Its policy documents, as the template has them."""
    where: str
    """The function to which a permission is added."""


def makers(env: Environment) -> dict[str, Maker]:
    """The roles that make the other stacks, by name."""
    found = build(env).to_dict()["Resources"]

    def documents(title: str) -> list[dict[str, Any]]:
        return [policy["PolicyDocument"] for policy in found[title]["Properties"]["Policies"]]

    service, execution = service_role_name(env), execution_role_name(env)
    domains = found["ServiceDomainPolicy"]["Properties"]["PolicyDocument"]
    return {
        service: Maker(service, (*documents("ServiceRole"), domains), "policies/provisioning.py, service_role"),
        execution: Maker(execution, tuple(documents("StackSetExecutionRole")), "policies/stacksets.py, stackset_execution"),
    }


def build(env: Environment) -> StackTemplate:
    """The template."""
    template = StackTemplate(env, "foundation", f"artifacts, lock and roles of account {env.account_id}")
    _artifacts(template, env)
    _roles(template, env)
    return template


def build_administration(organization: Organization, targets: tuple[Environment, ...]) -> StackTemplate:
    """What the management account needs to bring the foundation elsewhere: artifacts, lock, the administration role if self-managed."""
    template = StackTemplate(
        organization, "administration", f"artifacts, lock and StackSet administration of account {organization.account_id}"
    )
    _artifacts(template, organization)
    if organization.permission_model == "SELF_MANAGED":
        role = template.add(
            iam.Role(
                "StackSetAdministrationRole",
                RoleName=administration_role_name(organization),
                Description=f"StackSets of {organization.prefix} reach the accounts with it",
                AssumeRolePolicyDocument=trust.stackset_administration(organization.prefix, _opt_in(env.home_region for env in targets)),
                Policies=[
                    iam.Policy(
                        PolicyName="assume",
                        PolicyDocument=stacksets.stackset_administration(
                            organization.execution_role_name, accounts=tuple(sorted({env.account_id for env in targets}))
                        ),
                    )
                ],
            )
        )
        template.output("StackSetAdministrationRoleArn", "Role for StackSet administration", GetAtt(role, "Arn"))
    return template


def _artifacts(template: StackTemplate, env: Environment | Organization) -> None:
    bucket = private_bucket(
        template,
        "ArtifactBucket",
        env.artifacts.bucket,
        buckets.tls_only(env.artifacts.bucket),
        noncurrent_days=env.artifacts.retention_days,
    )
    table = template.add(
        dynamodb.Table(
            "LockTable",
            TableName=env.artifacts.lock_table,
            AttributeDefinitions=[dynamodb.AttributeDefinition(AttributeName="LockID", AttributeType="S")],
            KeySchema=[dynamodb.KeySchema(AttributeName="LockID", KeyType="HASH")],
            BillingMode="PAY_PER_REQUEST",
            DeletionProtectionEnabled=True,
            PointInTimeRecoverySpecification=dynamodb.PointInTimeRecoverySpecification(PointInTimeRecoveryEnabled=True),
            # A rollback could not delete it either: it is protected against deletion.
            DeletionPolicy=RETAIN,
            UpdateReplacePolicy=RETAIN,
        )
    )
    template.output("ArtifactBucketName", "Bucket of templates, assemblies and records", Ref(bucket))
    template.output("ArtifactBucketArn", "ARN of the artifact bucket", GetAtt(bucket, "Arn"))
    template.output("LockTableName", "Table of the deployment lock", Ref(table))
    template.output("LockTableArn", "ARN of the lock table", GetAtt(table, "Arn"))


def _opt_in(regions: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(regions) & OPT_IN_REGIONS))


def _scope(env: Environment) -> provisioning.Scope:
    standby = (env.disaster_recovery.bucket, env.standby_artifact_bucket) if env.disaster_recovery else ()
    return provisioning.Scope(
        prefix=env.prefix,
        buckets=(env.bucket, env.access_log_bucket, env.firewall_log_bucket, *standby),
        former=(f"{env.bucket}-*", f"{env.artifacts.bucket}-*"),
        hosts=env.hosts,
        certificate_names=env.certificate_names,
        zone_id=env.hosted_zone.id,
        boundary_name=f"{env.prefix}-boundary",
        website=env.adopt.website_endpoint is not None,
    )


def _roles(template: StackTemplate, env: Environment) -> None:
    recovery, scope = env.disaster_recovery, _scope(env)
    limits = runtime.boundary(env.edge_function_name, env.bucket, recovery.bucket if recovery else None)
    boundary = _policy(
        template, "RuntimeBoundary", scope.boundary_name, "The most that a role made by the platform's stacks can do", limits
    )
    domains = _policy(
        template,
        "ServiceDomainPolicy",
        f"{env.prefix}-cloudformation-domains",
        "What CloudFormation may do by domain name: certificate and records",
        provisioning.service_role_domains(scope),
    )
    service = template.add(
        iam.Role(
            "ServiceRole",
            RoleName=service_role_name(env),
            Description=f"CloudFormation makes the resources of {env.prefix} with it",
            AssumeRolePolicyDocument=trust.cloudformation(),
            Policies=[iam.Policy(PolicyName="resources", PolicyDocument=provisioning.service_role(scope))],
            ManagedPolicyArns=[Ref(domains)],
            **accepted("ServiceRole"),
        )
    )
    regions = (env.home_region, *env.basic_auth.log_regions, *([recovery.region] if recovery else []))
    administration = template.add(
        iam.Role(
            "StackSetAdministrationRole",
            RoleName=administration_role_name(env),
            Description=f"StackSets of {env.prefix} reach their targets with it",
            AssumeRolePolicyDocument=trust.stackset_administration(env.prefix, _opt_in(regions)),
            Policies=[iam.Policy(PolicyName="assume", PolicyDocument=stacksets.stackset_administration(execution_role_name(env)))],
        )
    )
    execution = template.add(
        iam.Role(
            "StackSetExecutionRole",
            RoleName=execution_role_name(env),
            Description=f"StackSet instances of {env.prefix} are made with it",
            AssumeRolePolicyDocument=trust.stackset_execution(GetAtt(administration, "Arn")),
            Policies=[iam.Policy(PolicyName="instances", PolicyDocument=stacksets.stackset_execution(scope, env.edge_function_name))],
        )
    )
    for title, role, description in (
        ("ServiceRoleArn", service, "Role for CloudFormation"),
        ("StackSetAdministrationRoleArn", administration, "Role for StackSet administration"),
        ("StackSetExecutionRoleArn", execution, "Role for StackSet instances"),
    ):
        template.output(title, description, GetAtt(role, "Arn"))
    template.output("StackSetExecutionRoleName", "Name of the role for StackSet instances", Ref(execution))
    template.output("RuntimeBoundaryArn", "Boundary of the roles that stacks make", Ref(boundary))
    if env.github.repository is not None:
        _deploy_role(template, env, env.github.repository)


def _deployment(env: Environment) -> deployment.Deployment:
    recovery = env.disaster_recovery
    return deployment.Deployment(
        prefix=env.prefix,
        environment=env.name,
        site_bucket=env.bucket,
        artifact_bucket=env.artifacts.bucket,
        lock_table=env.artifacts.lock_table,
        home_region=env.home_region,
        secret=env.basic_auth_secret,
        edge_function_name=env.edge_function_name,
        access_log_bucket=env.access_log_bucket,
        service_role_name=service_role_name(env),
        administration_role_name=administration_role_name(env),
        deploy_role_name=deploy_role_name(env),
        zone_role_arn=env.hosted_zone.role_arn,
        firewall=env.firewall is not None,
        standby=deployment.Standby(recovery.bucket, env.standby_artifact_bucket) if recovery else None,
    )


def _deploy_role(template: StackTemplate, env: Environment, repository: str) -> None:
    github = env.github
    if github.makes_provider:
        provider = template.add(
            iam.OIDCProvider(
                "GitHubProvider",
                Url=f"https://{GITHUB_ISSUER}",
                ClientIdList=["sts.amazonaws.com"],
                # An account has one for all: workflows of other environments log in by it, whoever made it.
                DeletionPolicy=RETAIN_ONCE_MADE,
                UpdateReplacePolicy=RETAIN,
            )
        )
        template.output("GitHubProviderArn", "OpenID Connect provider of GitHub Actions", GetAtt(provider, "Arn"))
    names = _deployment(env)
    *policies, boundary = (
        _policy(template, title, f"{env.prefix}-{name}", description, document)
        for title, name, description, document in (
            ("DeployPolicy", "deploy", "What a deployer may do with stacks", deployment.stacks(names)),
            ("DeployContentPolicy", "deploy-content", "What a deployer may read and write beside stacks", deployment.content(names)),
            ("DeployBoundary", "deploy-boundary", "The most that a deployer can do", deployment.boundary(names)),
        )
    )
    order: dict[str, Any] = {"DependsOn": ["GitHubProvider"]} if github.makes_provider else {}
    # With the boundary a policy attached later by hand cannot give the repository more than was reviewed here.
    role = template.add(
        iam.Role(
            "DeployRole",
            RoleName=deploy_role_name(env),
            Description=f"Workflows of {repository} deploy {env.name} with it",
            AssumeRolePolicyDocument=trust.github_deployment(
                repository,
                github.environment or env.name,
                github.branch,
                owner_id=github.owner_id,
                repository_id=github.repository_id,
            ),
            ManagedPolicyArns=[Ref(policy) for policy in policies],
            PermissionsBoundary=Ref(boundary),
            MaxSessionDuration=7200,
            **order,
        )
    )
    template.output("DeployRoleArn", "Role that workflows of the repository assume", GetAtt(role, "Arn"))
    _planning_roles(template, env, repository, names, order)
    _approvers(template, env, names)


def _planning_roles(
    template: StackTemplate, env: Environment, repository: str, names: deployment.Deployment, order: Mapping[str, Any]
) -> None:
    what = "What a planner may read, and the change sets that it deletes again"
    policy = _policy(template, "PlanPolicy", f"{env.prefix}-plan", what, planning.plan(names))
    # That policy is their boundary, too: a policy attached later by hand gives them nothing.
    common = {**order, "ManagedPolicyArns": [Ref(policy)], "PermissionsBoundary": Ref(policy), "MaxSessionDuration": 3600}
    ids = {"owner_id": env.github.owner_id, "repository_id": env.github.repository_id}
    plan = template.add(
        iam.Role(
            "PlanRole",
            RoleName=plan_role_name(env),
            Description=f"Workflows of {repository} plan {env.name} with it and change nothing",
            AssumeRolePolicyDocument=trust.github_planning(repository, env.github.branch, **ids),
            **common,
        )
    )
    pull_request = template.add(
        iam.Role(
            "PullRequestRole",
            RoleName=pull_request_role_name(env),
            Description=f"Pull requests of {repository} plan {env.name} with it and change nothing",
            AssumeRolePolicyDocument=trust.github_pull_request(repository, **ids),
            Policies=[iam.Policy(PolicyName="unreviewed", PolicyDocument=planning.unreviewed(names))],
            **common,
        )
    )
    template.output("PlanRoleArn", "Role that plans and changes nothing", GetAtt(plan, "Arn"))
    template.output("PullRequestRoleArn", "Role that plans for pull requests", GetAtt(pull_request, "Arn"))


def _approvers(template: StackTemplate, env: Environment, names: deployment.Deployment) -> None:
    """What an administrator gives to those who may approve. Nobody has it by the template alone."""
    if not env.protection.approvals:
        return
    what = f"Who has it may approve plans and releases of {env.name}, in their own name"
    policy = _policy(template, "ApprovePolicy", f"{env.prefix}-approve", what, approval.approve(names))
    template.output("ApprovePolicyArn", "Policy of those who may approve", Ref(policy))


def _policy(template: StackTemplate, title: str, name: str, description: str, document: PolicyDocument) -> iam.ManagedPolicy:
    """A managed policy, with what validators find in it and stays."""
    policy = iam.ManagedPolicy(title, ManagedPolicyName=name, Description=description, PolicyDocument=document, **accepted(title))
    return template.add(policy, depth=2)
