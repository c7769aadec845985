"""How long a verb waits for an AWS that takes its questions and says nothing."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import pytest

from assembly import files
from aws.session import Settings
from cli.parser import parser_of
from session.context import Context
from session.opened import Opened, open_environment
from tests.simulated import Small, small_assembly


def opened(place: Path, *, looks: bool) -> Opened:
    assembly, templates = small_assembly(Small(id="site", template={"Resources": {}}))
    bodies = {stack.template.file: templates[stack.id] for stack in assembly.stacks}
    files.write(place / "test", files.files_of(assembly, bodies))
    args: argparse.Namespace = parser_of("doctor").parse_args(["--env", "test", "--dist", str(place)])
    return open_environment(args, Context(stderr=io.StringIO(), environ={}), looks=looks, diagnoses=True)


@pytest.mark.parametrize(("looks", "seconds"), [(True, 10.0), (False, Settings().read_timeout)])
def test_a_diagnosis_of_aws_itself_waits_for_seconds_unless_it_mends(tmp_path: Path, looks: bool, seconds: float) -> None:
    found = opened(tmp_path, looks=looks)
    assert found.aws._settings.read_timeout == seconds
    assert found.gateways.aws is found.aws
