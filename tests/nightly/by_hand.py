"""What people change at AWS by hand between a plan and its apply.

In: an environment on the local AWS, dice. Out: what was done, in words; "" where there was nothing to do it to.
Never: goes through our own code.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from aws.errors import AwsError
from planning.model import Plan, StackPlan
from tests.functional.edited import Edited

PREFIX = "kimmyai-web-dev"
Change = Callable[[Edited, Plan, random.Random], str]

DENY = '{"Statement":[{"Effect":"Deny","Principal":"*","Action":"Update:*","Resource":"*"}]}'


def _stack(plan: Plan, dice: random.Random, *, changing: bool = True) -> StackPlan | None:
    found = [
        s
        for s in plan.stacks
        if isinstance(s, StackPlan) and s.state.exists and s.stack_name.startswith(PREFIX) and (s.operation == "update") == changing
    ]
    return dice.choice(found) if found else None


def update_a_stack(site: Edited, plan: Plan, dice: random.Random) -> str:
    """Another description of an output: a new template, and no resource changes."""
    stack = _stack(plan, dice) or _stack(plan, dice, changing=False)
    if stack is None:
        return ""
    client = site.client("cloudformation", stack.region)
    template = client.get_template(StackName=stack.stack_name)["TemplateBody"]
    body: dict[str, Any] = template if isinstance(template, dict) else json.loads(template)
    body.setdefault("Metadata", {})["ByHand"] = f"{dice.random()}"
    first = next(iter(body["Resources"].values()))
    first.setdefault("Metadata", {})["ByHand"] = f"{dice.random()}"
    client.update_stack(
        StackName=stack.stack_name,
        TemplateBody=json.dumps(body),
        Parameters=[{"ParameterKey": name, "UsePreviousValue": True} for name in body.get("Parameters", {})],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    client.get_waiter("stack_update_complete").wait(StackName=stack.stack_name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
    return f"updated {stack.stack_name} by hand"


def delete_the_change_set(site: Edited, plan: Plan, dice: random.Random) -> str:
    """That of the plan itself."""
    sets = plan.change_sets
    if not sets:
        return ""
    chosen = dice.choice(sets)
    site.client("cloudformation", chosen.arn.split(":")[3]).delete_change_set(ChangeSetName=chosen.arn)
    return f"deleted the change set of {chosen.stack_arn.split('/')[1]}"


def delete_a_stack(site: Edited, plan: Plan, dice: random.Random) -> str:
    """The records: nothing depends on them, and they hold nothing."""
    del dice
    stack = next((s for s in plan.stacks if isinstance(s, StackPlan) and s.stack == "dns" and s.state.exists), None)
    if stack is None:
        return ""
    client = site.client("cloudformation", stack.region)
    client.update_termination_protection(StackName=stack.stack_name, EnableTerminationProtection=False)
    client.delete_stack(StackName=stack.stack_name)
    client.get_waiter("stack_delete_complete").wait(StackName=stack.state.stack_arn, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
    return f"deleted {stack.stack_name}"


def forbid_changes(site: Edited, plan: Plan, dice: random.Random) -> str:
    """A stack policy that refuses every update."""
    stack = _stack(plan, dice)
    if stack is None:
        return ""
    site.client("cloudformation", stack.region).set_stack_policy(StackName=stack.stack_name, StackPolicyBody=DENY)
    return f"forbade changes of {stack.stack_name}"


def change_an_alarm(site: Edited, plan: Plan, dice: random.Random) -> str:
    """Drift that CloudFormation does not see."""
    del plan
    client = site.client("cloudwatch")
    found = [alarm for alarm in client.describe_alarms()["MetricAlarms"] if "MetricName" in alarm]
    if not found:
        return ""
    alarm = dice.choice(found)
    wanted = ("AlarmName", "MetricName", "Namespace", "Dimensions", "Period", "EvaluationPeriods", "ComparisonOperator")
    statistic = {key: alarm[key] for key in ("Statistic", "ExtendedStatistic") if alarm.get(key)}
    client.put_metric_alarm(**{key: alarm[key] for key in wanted}, **statistic, Threshold=alarm["Threshold"] + 1)
    return f"changed the alarm {alarm['AlarmName']}"


def untag_the_bucket(site: Edited, plan: Plan, dice: random.Random) -> str:
    """Drift that CloudFormation does not see either."""
    del plan, dice
    client = site.client("s3", "eu-west-1")
    buckets = [bucket["Name"] for bucket in client.list_buckets()["Buckets"] if bucket["Name"] == f"site-{site.account}"]
    if not buckets:
        return ""
    client.delete_bucket_lifecycle(Bucket=buckets[0])
    return f"deleted the lifecycle rules of {buckets[0]}"


# --- StackSets ----------------------------------------------------------------------------------------------------


def _set(site: Edited) -> str:
    found = site.client("cloudformation").list_stack_sets(Status="ACTIVE")["Summaries"]
    return next((each["StackSetName"] for each in found if each["StackSetName"].startswith(PREFIX)), "")


def _instances(site: Edited, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.client("cloudformation").list_stack_instances(StackSetName=name)["Summaries"]
    return found


def _wait(site: Edited, name: str, operation: str) -> None:
    import time

    client = site.client("cloudformation")
    for _ in range(1800):
        status = client.describe_stack_set_operation(StackSetName=name, OperationId=operation)["StackSetOperation"]["Status"]
        if status not in ("RUNNING", "QUEUED"):
            return
        time.sleep(0.1)
    raise AssertionError(f"{operation} of {name} does not end")


def delete_an_instance(site: Edited, plan: Plan, dice: random.Random) -> str:
    """With its stack."""
    del plan
    name = _set(site)
    instances = _instances(site, name) if name else []
    if not instances:
        return ""
    chosen = dice.choice(instances)
    made = site.client("cloudformation").delete_stack_instances(
        StackSetName=name, Accounts=[chosen["Account"]], Regions=[chosen["Region"]], RetainStacks=False
    )
    _wait(site, name, made["OperationId"])
    return f"deleted the instance of {name} in {chosen['Region']}"


def add_an_instance(site: Edited, plan: Plan, dice: random.Random) -> str:
    """In a region that nobody wants."""
    del plan
    name = _set(site)
    taken = {each["Region"] for each in _instances(site, name)} if name else set()
    free = [region for region in ("us-east-1", "us-west-2", "eu-west-1", "eu-west-3") if region not in taken]
    if not name or not free:
        return ""
    region = dice.choice(free)
    made = site.client("cloudformation").create_stack_instances(StackSetName=name, Accounts=[site.account], Regions=[region])
    _wait(site, name, made["OperationId"])
    return f"added an instance of {name} in {region}"


def change_the_set(site: Edited, plan: Plan, dice: random.Random) -> str:
    """Another template, taken by every instance."""
    del plan
    name = _set(site)
    if not name:
        return ""
    client = site.client("cloudformation")
    body = json.loads(client.describe_stack_set(StackSetName=name)["StackSet"]["TemplateBody"])
    next(iter(body["Resources"].values())).setdefault("Properties", {})["RetentionInDays"] = dice.choice((3, 5))
    made = client.update_stack_set(
        StackSetName=name,
        TemplateBody=json.dumps(body),
        Parameters=[{"ParameterKey": key, "UsePreviousValue": True} for key in body.get("Parameters", {})],
    )
    _wait(site, name, made["OperationId"])
    return f"changed the template of {name}"


CHANGES: Mapping[str, Change] = {
    change.__name__: change
    for change in (
        update_a_stack,
        delete_the_change_set,
        delete_a_stack,
        forbid_changes,
        change_an_alarm,
        untag_the_bucket,
        delete_an_instance,
        add_an_instance,
        change_the_set,
    )
}


def random_change(site: Edited, plan: Plan, dice: random.Random, *, only: str = "") -> str:
    """One of them, or none: what was done, or what AWS said where it refused."""
    name = only or dice.choice(("", "", *CHANGES))
    if not name:
        return ""
    try:
        return CHANGES[name](site, plan, dice)
    except (ClientError, AwsError) as error:
        return f"{name}: refused by AWS ({str(error)[:120]})"
