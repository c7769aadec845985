"""CloudFormation's own resources: nested stacks, StackSets, waiting. Source: CloudFormation API Reference (CreateStackSet, CreateStack)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from environments.regions import REGIONS
from refusals.values import At, Deployment, Problem, Resource, at_most, between, exclude, fits, once, one_of, refusal
from refusals.words import CHINA_AND_GOVERNMENT

_API = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference"
_SET = "AWS::CloudFormation::StackSet"
_S3_URL = re.compile(r"https://[^/]*s3[.-][^/]*amazonaws\.com(\.cn)?/.+|https://s3\.amazonaws\.com/.+|s3://.+")


@refusal("E9710", _SET, f"{_API}/API_CreateStackSet.html")
def stack_set(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A StackSet has the settings of its permission model, one template, and tolerances that fit.

    SELF_MANAGED: roles and accounts; SERVICE_MANAGED: units, AutoDeployment. Of a number and a percentage one; at most one more at once
    than may fail, unless SOFT_FAILURE_TOLERANCE.
    """
    given = resource.properties
    model, managed = given.at("PermissionModel"), given.at("PermissionModel").value == "SERVICE_MANAGED"
    yield from fits(given.at("StackSetName"), re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}"), "name of a StackSet")
    for name in ("AdministrationRoleARN", "ExecutionRoleName"):
        if managed and given.at(name).there:
            yield given.at(name).path, f"{name} is for SELF_MANAGED"
    automatic = given.at("AutoDeployment")
    if model.known and not managed and automatic.there:
        yield automatic.path, "AutoDeployment is for SERVICE_MANAGED"
    if automatic.at("Enabled").true and not automatic.at("RetainStacksOnAccountRemoval").there:
        yield automatic.at("RetainStacksOnAccountRemoval").path, "AutoDeployment needs RetainStacksOnAccountRemoval"
    if [given.at(name).there for name in ("TemplateURL", "TemplateBody")].count(True) != 1:
        yield given.at("TemplateURL").path, "TemplateURL or TemplateBody, one of them"
    yield from fits(given.at("TemplateURL"), _S3_URL, "URL of an object in S3")
    yield from _template(given.at("TemplateBody"))
    regions_seen = given.items("StackInstancesGroup")
    for group in regions_seen:
        targets = group.at("DeploymentTargets")
        yield from once(group.items("Regions"), "region")
        for region in group.items("Regions"):
            yield from one_of(region, REGIONS | CHINA_AND_GOVERNMENT, "region")
        yield from once(targets.items("Accounts"), "account")
        if managed and not targets.at("OrganizationalUnitIds").there:
            yield targets.path, "SERVICE_MANAGED deploys to OrganizationalUnitIds"
        if model.known and not managed and targets.at("OrganizationalUnitIds").there:
            yield targets.at("OrganizationalUnitIds").path, "OrganizationalUnitIds is for SERVICE_MANAGED"
        for account in targets.items("Accounts"):
            yield from fits(account, re.compile(r"\d{12}"), "account of twelve digits")
    operation = given.at("OperationPreferences")
    yield from exclude(operation, "FailureToleranceCount", "FailureTolerancePercentage")
    yield from exclude(operation, "MaxConcurrentCount", "MaxConcurrentPercentage")
    least, most = operation.at("FailureToleranceCount"), operation.at("MaxConcurrentCount")
    strict = operation.at("ConcurrencyMode").value != "SOFT_FAILURE_TOLERANCE"
    if (
        strict
        and most.number is not None
        and most.number > (least.number or 0) + 1
        and (least.number is not None or not least.there)
        and not operation.at("FailureTolerancePercentage").there
    ):
        yield most.path, f"at most {(least.number or 0) + 1:.0f} at once, one more than may fail"


@refusal("E9711", ("AWS::CloudFormation::Stack", "AWS::CloudFormation::WaitCondition"), f"{_API}/API_CreateStack.html")
def nested(resource: Resource, deployment: Deployment) -> Iterator[Problem]:
    """A nested stack's template lies in S3, and waiting ends.

    An https URL of S3; a wait of at most 12 hours on a handle.
    """
    given = resource.properties
    yield from fits(given.at("TemplateURL"), _S3_URL, "URL of an object in S3")
    yield from between(given.at("TimeoutInMinutes"), 1, 43200)
    if resource.kind.endswith("WaitCondition"):
        yield from between(given.at("Timeout"), 0, 43200)
    yield from at_most(given.at("NotificationARNs"), 5, "topics")


def _template(body: At) -> Iterator[Problem]:
    if body.text is None or "${?}" in body.text:
        return
    try:
        # Composed, not loaded: functions such as !Sub are tags that no loader knows.
        tree = yaml.compose(body.text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        yield body.path, f"neither JSON nor YAML: {str(error).splitlines()[0]}"
        return
    keys = {str(key.value) for key, _ in tree.value} if isinstance(tree, yaml.MappingNode) else set()
    if "Resources" not in keys:
        yield body.path, "no template: there is no mapping Resources at its top level"
