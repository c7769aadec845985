"""The first hour of a second team, in a copy of the checkout: own names, a zone in another account, a further environment, an own stack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.envelopes import envelope
from tests.unit.test_recipes import checkout, follow, run

__all__ = ["checkout"]

COMMON = """\
project: shop
cost_centre: retail
hosted_zone:
  name: example.org
certificate:
  domain_name: example.org
  subject_alternative_names: ["*.example.org"]
app:
  entry_path: /
"""
SIT = """\
account_id: "111122223333"
home_region: eu-west-1
domain: sit.example.org
bucket: shop-sit-public
price_class: PriceClass_100
hosted_zone:
  account_id: "999988887777"
  role_arn: arn:aws:iam::999988887777:role/shop-sit-zone
artifacts:
  bucket: shop-sit-artifacts
  lock_table: shop-sit-locks
"""


def built(checkout: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    ended = run(checkout, "build.py", *arguments, "--json")
    assert ended.returncode == code, ended.stderr
    return envelope(ended.stdout)


def assembly(checkout: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((checkout / "dist" / name / "assembly.json").read_text(encoding="utf-8"))
    return found


def test_the_first_hour(checkout: Path) -> None:
    there = checkout / "environments"
    for file in there.glob("*.yaml"):
        file.unlink()
    (there / "common.yaml").write_text(COMMON, encoding="utf-8")
    (there / "sit.yaml").write_text(SIT, encoding="utf-8")

    made = built(checkout, "new-environment", "qa", "--from", "sit")
    assert made["next"][0].endswith("build.py --env qa")
    assert made["data"]["changed"]["domain"] == "qa.example.org"
    assert built(checkout, "new-environment", "qa", "--from", "sit", code=2)["problems"][0]["code"] == "environments"

    follow("Add a stack", checkout)
    told = built(checkout, "--env", "all")
    assert [each["environment"] for each in told["data"]["environments"]] == ["qa", "sit"]
    qa = {stack["id"]: stack for stack in assembly(checkout, "qa")["stacks"]}
    assert "incidents" in qa and qa["dns"]["account_id"] == "999988887777" and qa["dns"]["stack_name"] == "shop-qa-dns"
    assert assembly(checkout, "qa")["placeholders"] == [] and assembly(checkout, "qa")["deploy_role_name"] == ""

    (there / "qa.yaml").unlink()
    refused = run(checkout, "deploy.py", "plan", "--env", "qa")
    assert refused.returncode == 2 and "environments/qa.yaml is gone" in refused.stderr and "destroy --env qa" in refused.stderr
    gone = built(checkout, "--env", "all")
    assert gone["data"]["removed"] == ["dist/qa"] and not (checkout / "dist" / "qa").exists()
    assert (checkout / "dist" / "sit").exists()
    mistyped = run(checkout, "deploy.py", "plan", "--env", "siit", "--json")
    assert "did you mean sit?" in envelope(mistyped.stdout)["problems"][0]["message"]
