# mypy: allow-untyped-calls
"""The stack of an instance: found, deployed and deleted through CloudFormation's own actions, and why it failed.

Everything here runs in the scope of the instance's account and region.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from uuid import uuid4

from ministack.services import cloudformation
from ministack.services.cloudformation.handlers import _ACTION_HANDLERS

from emulator.stacksets.state import Instance, Operation, StackSet

POLL_SECONDS = 0.02


async def deploy(stack_set: StackSet, operation: Operation, instance: Instance) -> str:
    """Create or update the stack; the problem, or ""."""
    if instance.status == "INOPERABLE":
        return "The stack instance is INOPERABLE and is excluded from updates"
    if operation.overrides is not None:
        instance.overrides = dict(operation.overrides)
    stack = stack_of(instance)
    if stack is not None and stack["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"):
        problem = await delete(instance)
        if problem:
            return problem
        stack = None
    if stack is None:
        instance.stack_name = f"StackSet-{stack_set.name}-{uuid4()}"
    known = set(_parameter_names(stack_set.template))
    values = {key: value for key, value in {**stack_set.parameters, **instance.overrides}.items() if key in known}
    request = {
        "StackName": [instance.stack_name],
        "TemplateBody": [stack_set.template],
        **_numbered("Parameters", values, "ParameterKey", "ParameterValue"),
        **_numbered("Tags", stack_set.tags, "Key", "Value"),
        **({"RoleARN": [f"arn:aws:iam::{instance.account}:role/{stack_set.execution_role}"]} if stack_set.execution_role else {}),
        **{f"Capabilities.member.{number}": [name] for number, name in enumerate(stack_set.capabilities, 1)},
    }
    refusal = act("CreateStack" if stack is None else "UpdateStack", request)
    if "No updates are to be performed" in refusal:
        return ""
    if refusal:
        return refusal
    stack = await _terminal_stack(instance)
    instance.stack_id = stack["StackId"] if stack else ""
    if stack is not None and stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return ""
    return _root_cause(stack) if stack else "the stack vanished"


def stack_of(instance: Instance) -> dict[str, Any] | None:
    """The stack of an instance, seen from its own account and region; None if there is none."""
    stack: dict[str, Any] | None = cloudformation._stacks.get(instance.stack_name) if instance.stack_name else None
    return None if stack is None or stack["StackStatus"] == "DELETE_COMPLETE" else stack


async def _terminal_stack(instance: Instance) -> dict[str, Any] | None:
    """The stack in a terminal state; None when it is gone.

    Waits before the first poll: MiniStack sets DELETE_IN_PROGRESS in a task of its own.
    """
    while True:
        await asyncio.sleep(POLL_SECONDS)
        stack = stack_of(instance)
        if stack is None or not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack


async def delete(instance: Instance) -> str:
    """Delete the stack, if there is one; the problem, or ""."""
    if stack_of(instance) is None:
        return ""
    refusal = act("DeleteStack", {"StackName": [instance.stack_name]})
    if refusal:
        return refusal
    stack = await _terminal_stack(instance)
    return _root_cause(stack) if stack else ""


def act(action: str, request: dict[str, list[str]]) -> str:
    """Run one of CloudFormation's own actions; its refusal, or ""."""
    status, _, body = _ACTION_HANDLERS[action]({"Action": [action], **request})
    if status < 300:
        return ""
    text = body.decode() if isinstance(body, bytes) else str(body)
    match = re.search(r"<Message>(.*?)</Message>", text, re.DOTALL)
    return match[1] if match else text


def _numbered(prefix: str, values: dict[str, str], key: str, value: str) -> dict[str, list[str]]:
    request: dict[str, list[str]] = {}
    for number, (name, content) in enumerate(values.items(), 1):
        request[f"{prefix}.member.{number}.{key}"] = [name]
        request[f"{prefix}.member.{number}.{value}"] = [content]
    return request


def _parameter_names(template: str) -> list[str]:
    """Parameters that a JSON template declares; of a YAML one, the keys one level below `Parameters:`."""
    try:
        return [*json.loads(template).get("Parameters", {})]
    except ValueError:
        section = re.search(r"^Parameters:\s*\n((?:[ \t]+.*\n|\s*\n)*)", template + "\n", re.MULTILINE)
        return re.findall(r"^ {2}([A-Za-z0-9]+):", section[1], re.MULTILINE) if section else []


def _root_cause(stack: dict[str, Any]) -> str:
    """The first failed resource of the last operation, in the form of a stack instance's StatusReason; else the stack's own reason."""
    events = cloudformation._stack_events.get(stack["StackId"], [])
    begun = max((number for number, event in enumerate(events) if event["ResourceStatusReason"] == "User Initiated"), default=0)
    failed = [event for event in events[begun:] if event["ResourceStatus"].endswith("_FAILED")]
    for event in failed:
        if event["ResourceType"] != "AWS::CloudFormation::Stack":
            return (
                f"ResourceLogicalId:{event['LogicalResourceId']}, ResourceType:{event['ResourceType']}, "
                f"ResourceStatusReason:{event['ResourceStatusReason']}."
            )
    return str(failed[0]["ResourceStatusReason"] if failed else stack["StackStatus"])
