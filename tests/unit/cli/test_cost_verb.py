"""`cost`: from the assembly alone, with its assumptions."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assembly import files
from cli.main import main
from session.context import Context
from stacks.synthesis import synthesise
from tests.environments_fixture import environments


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dev and prod, as built."""
    directory = tmp_path_factory.mktemp("dist")
    for name in ("dev", "prod"):
        made = synthesise(environments()[name])
        bodies = {stack.template.file: made.templates[stack.id] for stack in made.assembly.stacks}
        files.write(directory / name, files.files_of(made.assembly, bodies))
    return directory


def cost(dist: Path, *arguments: str, year: int = 2026) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    now = datetime(year, 12, 24, tzinfo=UTC)
    context = Context(stdin=io.StringIO(), stdout=out, stderr=err, environ={}, now=lambda: now)
    code = main(["cost", "--dist", str(dist), *arguments], ["verbs"], context)
    return code, out.getvalue(), err.getvalue()


def test_positions_add_up_and_say_what_they_assume(dist: Path) -> None:
    code, out, _ = cost(dist, "--env", "dev", "--requests", "5M", "--gb", "200", "--json")
    found = json.loads(out)["data"]
    assert code == 0
    assert found["requests"] == 5_000_000
    assert round(sum(each["usd"] for each in found["positions"]), 1) == round(found["usd_a_month"], 1)
    assert {each["source"][:8] for each in found["positions"]} == {"https://"}
    assert "secret" in {each["what"] for each in found["positions"]}


def test_two_environments_are_compared_at_the_same_use(dist: Path) -> None:
    code, out, _ = cost(dist, "--env", "prod", "--compare", "dev")
    assert code == 0
    assert "dev: about" in out
    assert "-0.60  calls of the edge function" in out
    assert "assumed:\n" in out and "\n  files written: 20 publishes of 100 files\n" in out
    same = cost(dist, "--env", "dev", "--compare", "dev")[1]
    assert "dev costs the same" in same


def test_old_prices_say_so(dist: Path) -> None:
    assert "OLD PRICES" not in cost(dist, "--env", "dev")[1]
    assert "OLD PRICES" in cost(dist, "--env", "dev", year=2028)[1]


@pytest.mark.parametrize("number", ["-1", "5X", "", "1e9", "nan", "9999999999999999", "1.5.2", "٣"])
def test_what_is_no_number_is_refused(dist: Path, number: str) -> None:
    code, _, err = cost(dist, "--env", "dev", f"--requests={number}")
    assert (code, "a number, with K, M or G" in err) == (2, True)
