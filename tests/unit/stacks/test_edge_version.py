"""What publishes a new version of the edge function, and what becomes of one that a failed operation made."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from troposphere import GetAtt, awslambda

from environments.model import Environment
from stacks import edge
from stacks.synthesis import synthesise
from tests.environments_fixture import changed, environments

ENVS = environments()


def resources(env: Environment, stack: str, kind: str) -> dict[str, dict[str, Any]]:
    found = json.loads(synthesise(env).templates[stack])["Resources"]
    return {title: resource for title, resource in found.items() if resource["Type"] == kind}


def edge_version(env: Environment) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Logical id and properties of the version, properties of the function."""
    ((title, version),) = resources(env, "edge", "AWS::Lambda::Version").items()
    (function,) = resources(env, "edge", "AWS::Lambda::Function").values()
    return title, version["Properties"], function["Properties"]


@pytest.mark.parametrize("change", [{"realm": "other"}, {"log_level": "DEBUG"}, {"username": "somebody"}])
def test_a_changed_edge_function_publishes_a_new_version_and_back_again(change: dict[str, str]) -> None:
    dev = ENVS["dev"]
    assert edge_version(dev) == edge_version(dev)
    title, _, function = edge_version(dev)
    other, _, changed_function = edge_version(changed(dev, {"basic_auth": change}))
    assert other != title
    assert changed_function["Description"] != function["Description"], "Lambda publishes nothing of a function that is as it was"


FUNCTION = awslambda.Function(
    "Function",
    Runtime="nodejs24.x",
    Handler="index.handler",
    Architectures=["x86_64"],
    MemorySize=128,
    Timeout=5,
    Role=GetAtt("Role", "Arn"),
    Code=awslambda.Code(ZipFile="exports.handler = 0"),
    LoggingConfig=edge.LoggingConfig(LogFormat="JSON", ApplicationLogLevel="INFO", SystemLogLevel="WARN"),
)


@pytest.mark.parametrize(
    "change",
    [
        {"Runtime": "nodejs22.x"},
        {"Handler": "index.other"},
        {"Architectures": ["arm64"]},
        {"MemorySize": 129},
        {"Timeout": 4},
        {"Role": "arn:aws:iam::123456789012:role/other"},
        {"Code": awslambda.Code(ZipFile="exports.handler = 1")},
        {"LoggingConfig": edge.LoggingConfig(LogFormat="JSON", ApplicationLogLevel="INFO", SystemLogLevel="INFO")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_digest_covers_all_that_a_version_freezes(change: dict[str, Any]) -> None:
    """Lambda developer guide, "Manage Lambda function versions": code and nearly all settings are locked."""
    other = copy.deepcopy(FUNCTION)
    for name, value in change.items():
        setattr(other, name, value)
    assert edge.frozen_digest(other) != edge.frozen_digest(FUNCTION)
    assert edge.frozen_digest(copy.deepcopy(FUNCTION)) == edge.frozen_digest(FUNCTION)


def test_what_names_a_version_is_in_the_function_as_well() -> None:
    title, version, function = edge_version(ENVS["dev"])
    assert version["Description"] == function["Description"]
    wording, values = version["Description"]["Fn::Sub"]
    assert values == {"Credential": {"Ref": "CredentialVersion"}}
    assert title.removeprefix("Version") in wording
    assert len(wording) + 64 <= 256, "Lambda API reference, CreateFunction: Description"


def test_a_first_creation_that_fails_leaves_nothing_in_the_way_of_the_next() -> None:
    for stack, kind in (("edge", "AWS::Lambda::Function"), ("edge", "AWS::Lambda::Version"), ("site", "AWS::S3::Bucket")):
        for title, resource in resources(ENVS["dev"], stack, kind).items():
            policies = (resource["DeletionPolicy"], resource["UpdateReplacePolicy"])
            assert policies == ("RetainExceptOnCreate", "Retain"), title
