"""What the guides tell can be done: the zone's role is a template that the gate takes and that holds what the deployer asks for."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from lint.gate import Job, lint
from lint.verdicts import today
from policies import deployment
from tests import hints
from tests.golden_files import ROOT

GUIDES = ROOT / "docs" / "guides"


@pytest.fixture(scope="module")
def role() -> dict[str, Any]:
    text = (GUIDES / "zone-in-another-account.md").read_text(encoding="utf-8")
    found = re.search(r"^```json title=zone-role\.template\.json\n(.*?)^```", text, re.S | re.M)
    assert found is not None
    template: dict[str, Any] = json.loads(found[1])
    return template


def test_the_zone_role_passes_the_gate(role: dict[str, Any]) -> None:
    job = Job(stack_id="zone-role", template=json.dumps(role).encode(), regions=("us-east-1",))
    found = lint([job], cache=None, workers=1, day=today())["zone-role"]
    assert not [(f.rule, f.message) for f in found if f.level == "error"]


def test_the_zone_role_may_do_with_its_stack_what_a_deployer_does(role: dict[str, Any]) -> None:
    (policy,) = role["Resources"]["ZoneRole"]["Properties"]["Policies"]
    statements = {s["Sid"]: s for s in policy["PolicyDocument"]["Statement"]}
    assert set(statements["OneStack"]["Action"]) == {f"cloudformation:{name}" for name in deployment._STACKS}
    assert "route53:ChangeResourceRecordSetsNormalizedRecordNames" in json.dumps(statements["ItsRecords"]["Condition"])
    (trust,) = role["Resources"]["ZoneRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["ArnLike"]["aws:PrincipalArn"], "not everybody of the account"


@pytest.mark.parametrize("guide", sorted(GUIDES.glob("*.md")), ids=lambda path: path.stem)
def test_the_commands_of_the_guides_are_taken_by_the_parsers(guide: Any) -> None:
    lines = re.findall(r"^    (\.venv/bin/python (?:deploy|build)\.py [^#\n|]*)", guide.read_text(encoding="utf-8"), re.M)
    bad = [problem for line in lines if not re.search(r"\b[A-Z]{3,}\b", line) for problem in hints.problems(line.strip())]
    assert not bad
