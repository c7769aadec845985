"""The private parts of MiniStack that the plug-ins lean on are where they were; a version that moves them is refused by name."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from emulator import seams
from local_aws.server import ROOMS
from tests.functional.harness import ROOT

pytestmark = pytest.mark.functional


def in_a_process(code: str) -> subprocess.CompletedProcess[str]:
    """MiniStack reads its environment and opens files when it is imported, so it is kept out of this process."""
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_pinned_version_is_the_one_the_plugins_were_written_for() -> None:
    assert importlib.metadata.version("ministack") == seams.VERSION
    assert f"ministack=={seams.VERSION}" in Path(ROOT / "setup.cfg").read_text()


def test_every_seam_is_where_it_was() -> None:
    listed = "seams._PARTS, PARTS, stack_policies.PARTS, outages.PARTS, api_rules.PARTS"
    imports = "import api_rules, outages, stack_policies; from emulator import seams; from resource_import.parts import PARTS"
    done = in_a_process(f"{imports}\nfor each in ({listed}): seams.check(each)")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("move", "told"),
    [
        ("import ministack.services.cloudformation.handlers as m; del m._ACTION_HANDLERS", "handlers._ACTION_HANDLERS is gone"),
        ("import ministack.services.cloudformation.provisioners as m; del m._RESOURCE_HANDLERS", "_RESOURCE_HANDLERS is gone"),
        (
            "import ministack.services.cloudformation.helpers as m; m._xml = lambda status, inner: None",
            r"helpers._xml now takes (status, inner)",
        ),
        ("import sys; sys.modules['ministack.services.organizations'] = None", "ministack.services.organizations cannot be imported"),
    ],
)
def test_a_seam_that_moved_is_named(move: str, told: str) -> None:
    done = in_a_process(f"{move}\nfrom emulator import seams\nseams.check()")
    assert done.returncode != 0
    assert "SeamsMoved: the plug-ins were written for MiniStack" in done.stderr
    assert told in done.stderr


def test_the_plugins_use_no_private_part_that_is_not_checked() -> None:
    """Every private name that a room of the local AWS takes from MiniStack stands in a list that is held against the installed one."""
    code = (
        "import ast, pathlib\n"
        "from emulator import seams\n"
        "from local_aws.server import ROOMS\n"
        "from resource_import.parts import PARTS\n"
        "import api_rules, outages, stack_policies\n"
        "listed = (seams._PARTS, PARTS, stack_policies.PARTS, outages.PARTS, api_rules.PARTS)\n"
        "known = {n.partition('(')[0] for parts in listed for names in parts.values() for n in names}\n"
        "used = set()\n"
        "for path in [each for room in ROOMS for each in pathlib.Path(room).rglob('*.py')]:\n"
        "    tree = ast.parse(path.read_text())\n"
        "    modules = {a.asname or a.name.split('.')[-1] for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom))\n"
        "               for a in n.names if 'ministack' in (getattr(n, 'module', '') or a.name)}\n"
        "    for n in ast.walk(tree):\n"
        "        if isinstance(n, ast.ImportFrom) and (n.module or '').startswith('ministack'):\n"
        "            used |= {a.name for a in n.names if a.name.startswith('_')}\n"
        "        if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id in modules and n.attr.startswith('_'):\n"
        "            used.add(n.attr)\n"
        "assert len(used) > 50\n"
        "print(sorted(used - known))\n"
    )
    done = in_a_process(code)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_every_room_that_takes_from_ministack_is_one_of_the_local_aws() -> None:
    """Its code decides whether a server that an older checkout started is replaced."""
    taking = {
        path.relative_to(ROOT).parts[0] for path in ROOT.glob("[a-z]*/**/*.py") if "from ministack" in path.read_text(encoding="utf-8")
    }
    assert taking - {"tests", "benchmarks"} <= set(ROOMS)
