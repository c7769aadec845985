"""An environment whose alarms reach nobody is told so."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from doctor.checks.alarms import alarm_recipient
from doctor.deployment import _CODES
from stacks.synthesis import synthesise
from tests.environments_fixture import changed, environments


@pytest.mark.parametrize(("email", "level"), [(None, "warning"), ("ops@example.org", "ok")])
def test_by_the_template(email: str | None, level: str) -> None:
    env = changed(environments()["dev"], {"monitoring": {"alarm_email": email}})
    context: Any = SimpleNamespace(local=False, templates=synthesise(env).templates, environment="dev")
    (found,) = alarm_recipient.run(context)
    assert getattr(found, "level") == level  # noqa: B009
    assert alarm_recipient.deployment and alarm_recipient.code in _CODES, "plan tells it too"


def test_a_rehearsal_is_not_told() -> None:
    context: Any = SimpleNamespace(local=True, templates=synthesise(environments()["dev"]).templates, environment="dev")
    assert not list(alarm_recipient.run(context))
