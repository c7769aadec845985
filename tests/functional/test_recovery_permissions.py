"""The deploy role and disaster recovery over HTTP with IAM enforced: it may look, copy, promote, publish there and go back.

Slow for a reason: only a role of the real stacks shows what its policy lacks; an environment with a function at the edge takes most.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from local_aws.server import LocalAws
from tests.functional import frontend
from tests.functional.accounts import Site, own_zone, sites
from tests.functional.harness import CommandLine, answer

pytestmark = [pytest.mark.functional, pytest.mark.xdist_group("accounts")]


@pytest.fixture
def site(guarded_aws: LocalAws, new_account: Callable[[], str], tmp_path: Path) -> Site:
    """dev with disaster recovery, applied by the administrator."""
    account = new_account()
    bucket = f"dev-kimmyai-web-public-{account}-replica"
    extra = f"{own_zone('dev.kimmyai.io')}disaster_recovery: {{region: eu-west-2, bucket: {bucket}}}\n"
    made = sites(guarded_aws, tmp_path, {"dev": account}, dev=extra)["dev"]
    made.plan(made.administrator())
    applied = made.apply(made.administrator())
    assert applied.code == 0, applied
    return made


def done(site: Site, line: CommandLine, *words: str) -> str:
    """What it prints; it ends well, and nobody was refused anything on the way."""
    ended = site.run(line, *words)
    assert ended.code == 0 and "AccessDenied" not in ended.stdout + ended.stderr, ended
    return ended.stdout


def test_the_deploy_role_looks_copies_promotes_publishes_and_goes_back(site: Site, tmp_path: Path) -> None:
    role, app = site.deploy_role(), frontend.built(tmp_path / "app")
    done(site, role, "publish", "--content", str(app), "--yes")
    states = answer(done(site, role, "dr", "status", "--json"))["health"]
    assert states and not [each for each in states.values() if each.startswith("not known")], states
    done(site, role, "dr", "backfill")
    assert "no rehearsal" in done(site, role, "dr", "rehearse", "--end")
    done(site, role, "dr", "promote", "--planned", "--yes")
    frontend.rebuilt(app, "published while promoted")
    done(site, role, "publish", "--content", str(app), "--yes")
    done(site, role, "dr", "failback", "--yes")
    assert answer(done(site, role, "dr", "status", "--json"))["phase"] == "home"
