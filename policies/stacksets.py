"""What CloudFormation may do for StackSets: the administration role, and the execution role in each account."""

from __future__ import annotations

from awacs import sts
from awacs.aws import Action, Allow, PolicyDocument, Statement

from policies.provisioning import Scope
from policies.statements import allow, arn, document

_INSTANCE_STACKS = (
    "CreateStack",
    "UpdateStack",
    "DeleteStack",
    "DescribeStacks",
    "DescribeStackEvents",
    "DescribeStackResources",
    "DescribeStackResource",
    "GetTemplate",
    "GetTemplateSummary",
    "ListStackResources",
    "SetStackPolicy",
    "TagResource",
    "UntagResource",
    "DetectStackDrift",
    "DetectStackResourceDrift",
    "DescribeStackResourceDrifts",
    "CancelUpdateStack",
    "ContinueUpdateRollback",
)

_LOG_GROUPS = (
    "CreateLogGroup",
    "DeleteLogGroup",
    "PutRetentionPolicy",
    "DeleteRetentionPolicy",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
    "GetDataProtectionPolicy",
)


def stackset_administration(execution_role_name: str, *, accounts: tuple[str, ...] = ("${AWS::AccountId}",)) -> PolicyDocument:
    """Assume the execution role in the target accounts; by default in this one."""
    return document(
        Statement(
            Sid="AssumeExecution",
            Effect=Allow,
            Action=[sts.AssumeRole],
            Resource=[arn("iam", f"role/{execution_role_name}", account=account) for account in accounts],
        ),
    )


def stackset_execution(scope: Scope, function_name: str) -> PolicyDocument:
    """What an instance of the edge-logs StackSet needs: its own stack and the edge function's log groups.

    Source: CloudFormation User Guide, minimum permissions of AWSCloudFormationStackSetExecutionRole, narrowed to the platform.
    """
    groups = [
        arn("logs", f"log-group:/aws/lambda/us-east-1.{function_name}", region="*"),
        arn("logs", f"log-group:/aws/lambda/us-east-1.{function_name}:*", region="*"),
    ]
    return document(
        allow(
            "InstanceStacks",
            "cloudformation",
            _INSTANCE_STACKS,
            arn("cloudformation", f"stack/StackSet-{scope.prefix}-*/*", region="*"),
        ),
        # None of these takes a resource. The log group's read handler calls the three of Logs; the two of CloudFormation detect drift.
        Statement(
            Sid="Describe",
            Effect=Allow,
            Action=[
                Action("logs", "DescribeIndexPolicies"),
                Action("logs", "DescribeLogGroups"),
                Action("logs", "DescribeResourcePolicies"),
                Action("cloudformation", "BatchDescribeTypeConfigurations"),
                Action("cloudformation", "DescribeStackDriftDetectionStatus"),
            ],
            Resource=["*"],
        ),
        allow(
            "LogGroups",
            "logs",
            _LOG_GROUPS,
            *groups,
        ),
    )
