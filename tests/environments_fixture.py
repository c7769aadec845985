"""Environments for tests: those of tests/environments/, which are the tests' own, and any variation of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from environments.loader import load
from environments.model import Environment

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / "tests" / "environments"
"""Whatever a team writes into environments/, the tests are about these."""
NAMES = ("dev", "sit", "prod")

RECOVERY = {"disaster_recovery": {"region": "eu-west-2", "bucket": "prod-kimmyai-web-public-replica"}}
FAILOVER = {"failover": {"dns_name": "dualstack.standby-1234567890.eu-west-1.elb.amazonaws.com", "hosted_zone_id": "Z32O12XQLNTSW2"}}
FOREIGN_ZONE = {
    "hosted_zone": {"name": "kimmyai.io", "account_id": "444444444444", "role_arn": "arn:aws:iam::444444444444:role/zone-records"}
}


def environments() -> dict[str, Environment]:
    """dev, sit and prod as they stand in tests/environments/."""
    return {name: env for name, env in load(ENVIRONMENTS, NAMES).environments.items() if name in NAMES}


ZONE_RIVALS = load(ENVIRONMENTS, NAMES).zone_rivals


def changed(env: Environment, changes: Mapping[str, Any]) -> Environment:
    """The environment with other values, validated like a file; mappings are merged one level deep."""
    data = msgspec.to_builtins(env)
    for key, value in changes.items():
        data[key] = {**data[key], **value} if isinstance(value, Mapping) and isinstance(data[key], dict) else value
    return msgspec.convert(data, Environment)
