"""The guide for those who come from Terraform: every name that it gives for something of theirs exists, and nothing is left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache

import pytest
import yaml

from adoption.terraform_types import KINDS
from docs.environment_keys import _rows
from environments.model import Environment
from stacks.synthesis import synthesise
from tests import documents, edits
from tests.environments_fixture import RECOVERY, changed, environments
from tests.golden_files import ROOT

PAGE = ROOT / "docs" / "from-terraform.md"
TEXT = PAGE.read_text(encoding="utf-8")
STATES = sorted((ROOT / "tests" / "terraform").glob("*.tfstate"))
COMMANDS = (
    *("init", "fmt", "validate", "plan -out", "show", "apply", "destroy", "import", "state list", "state show", "state mv", "state rm"),
    *("taint", "output", "graph", "workspace", "force-unlock"),
)
MODULES = ("s3-website", "cloudfront", "route53", "acm", "lambda-edge")


def rows() -> Iterator[tuple[str, str]]:
    """(what is Terraform's, what is here) of every table of the mapping."""
    for line in TEXT.partition("# The way")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 3 and cells[0] not in ("Terraform", "---"):
            yield cells[0], f"{cells[1]} {cells[2]}"


def names(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


@cache
def keys() -> frozenset[str]:
    """Of the environment files, mappings as well."""
    leaves = [key for key, *_ in _rows(Environment, ())] + list(edits.values_of_every_key())
    inner = (
        "firewall",
        "disaster_recovery",
        "failover",
        "adopt.website_endpoint",
        "adopt.origin_access_identity",
        "disaster_recovery.region",
    )
    found = {".".join(key[:length]) for key in leaves for length in range(1, len(key) + 1)}
    fields = {f"disaster_recovery.{name}" for name in ("region", "bucket")}
    return frozenset({*found, *inner, *fields})


@cache
def resources() -> frozenset[str]:
    """`STACK.LogicalId` and `STACK.Output` of dev and prod."""
    found = set()
    for env in (*environments().values(), changed(environments()["prod"], RECOVERY)):
        for stack, body in synthesise(env).templates.items():
            template = json.loads(body)
            found |= {f"{stack}.{name}" for part in ("Resources", "Outputs") for name in template.get(part, {})}
    return frozenset(found)


def problem(name: str) -> str:
    """Why there is no such thing here; empty if there is."""
    if name.startswith(("deploy.py ", "build.py ")):
        judge = documents.wrong_to_type if "--env" in name else documents.wrong_to_mention
        return "; ".join(judge(f"python {name}"))
    if name.startswith("make "):
        target = name.removeprefix("make ")
        return "" if re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), re.M) else "no target"
    if re.fullmatch(r"[A-Z]+=\S+( [A-Z]+=\S+)*", name):
        return ""
    if name.startswith(("plan ", "--")):
        return "; ".join(documents.wrong_to_mention(f"python deploy.py {name if name.startswith('plan') else f'status {name}'}"))
    if name in resources() or name in keys() or (ROOT / name).exists():
        return ""
    return "neither a resource, an output, a key, a command nor a file"


@pytest.mark.parametrize("name", sorted({name for _, here in rows() for name in names(here)} - {"provider"}))
def test_every_name_of_the_mapping_is_one_that_there_is(name: str) -> None:
    assert not problem(name)


def test_the_checker_finds_what_there_is_not() -> None:
    wrong = ("site.Buckets", "site.Bucket.Name", "certificate.arns", "deploy.py import --env prod", "deploy.py plan --env prod -out x")
    assert all(problem(name) for name in (*wrong, "make infra", "stacks/nothing.py", "plan --quick"))


def test_every_line_says_what_is_here() -> None:
    assert len(list(rows())) > 100
    assert [theirs for theirs, here in rows() if not names(here)] == []


def test_everything_that_such_states_hold_is_in_the_mapping() -> None:
    said = {name for theirs, _ in rows() for name in names(theirs)}
    held = {r["type"] for file in STATES for r in json.loads(file.read_text())["resources"] if r["mode"] == "managed"}
    assert STATES and held - said == set()
    assert {name for name in said if name.startswith("aws_") and name in KINDS} > held - {"random_password"}
    assert {name for name in said if name.startswith("aws_") and name.count("_") > 1} - KINDS.keys() <= {"aws_account_id"}


def test_every_module_command_and_check_of_such_a_platform_is_there() -> None:
    said = " ".join(theirs for theirs, _ in rows())
    assert [each for each in MODULES if f"**{each}**" not in said] == []
    assert [each for each in COMMANDS if f"terraform {each}" not in said] == []
    for each in ("aws s3 sync", "create-invalidation", "tfsec", "checkov", "dynamodb_table", "backend `s3`"):
        assert each in said


def test_what_the_way_says_to_write_is_taken() -> None:
    """The values of the table in step 2, and of step 7, each in a file like dev's."""
    said = re.findall(r"\| `([a-z_]+: \{[^`]*\})`", TEXT) + re.findall(r"`(adopt: \{[^`]*origin: private\})`", TEXT)
    assert len(said) == 7
    for text in said:
        arn = f"arn:aws:acm:us-east-1:{'1' * 12}:certificate/0a1b2c3d-1111-2222-3333-444455556666"
        given = yaml.safe_load(text.replace("arn:aws:acm:us-east-1:…", f'"{arn}"'))
        values = edits.base("1" * 12)
        for key, value in given.items():
            values[key] = {**values.get(key, {}), **value}
        assert isinstance(edits.described(values), Environment), edits.described(values)


def test_every_step_says_what_changes_and_how_to_go_back() -> None:
    steps = re.split(r"^## (?=\d)", TEXT, flags=re.M)[1:]
    assert [step[0] for step in steps] == list("12345678")
    for step in (each.partition("\n## ")[0] for each in steps):
        assert "*Changes*" in step, step[:40]
        assert "*Back" in step or step.startswith("3. Look"), step[:40]
