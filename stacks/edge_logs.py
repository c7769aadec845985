"""Log groups for the edge function in every region that runs it, so that its logs end after a while instead of never.

Replicas log to `/aws/lambda/us-east-1.<function>` in their own region and would make a group without retention. One template, deployed
as a StackSet over the edge regions.
"""

from __future__ import annotations

from troposphere import GetAtt, Ref, logs

from environments.model import Environment
from stacks.template import RETAIN, StackTemplate


def build(env: Environment) -> StackTemplate:
    """The template of one region."""
    template = StackTemplate(env, "edge-logs", f"logs of {env.edge_function_name} in one edge region")
    group = template.add(
        logs.LogGroup(
            "LogGroup",
            LogGroupName=f"/aws/lambda/us-east-1.{env.edge_function_name}",
            RetentionInDays=env.basic_auth.log_retention_days,
            DeletionPolicy=RETAIN,
            UpdateReplacePolicy=RETAIN,
        )
    )
    template.output("LogGroupName", "Name of the log group", Ref(group))
    template.output("LogGroupArn", "ARN of the log group", GetAtt(group, "Arn"))
    return template
