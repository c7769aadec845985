"""The command line of build.py, run as a process."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from build import _write_new
from guards.processes import child_environment
from tests.envelopes import envelope
from tests.environments_fixture import ENVIRONMENTS, ROOT


def build(*arguments: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """`build.py ARGUMENTS`, of the tests' own environments unless others are named."""
    where = () if "--environments" in arguments else ("--environments", str(ENVIRONMENTS))
    return subprocess.run(
        [sys.executable, str(ROOT / "build.py"), *arguments, *where],
        cwd=cwd,
        env=child_environment(**env),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A copy of the environment files."""
    shutil.copytree(ENVIRONMENTS, tmp_path / "environments", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path / "environments"


def content(directory: Path) -> dict[str, bytes]:
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file()}


def test_builds_an_environment(tmp_path: Path) -> None:
    done = build("--env", "prod", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert sorted(content(tmp_path)) == [
        "prod/assembly.json",
        "prod/certificate.template.json",
        "prod/dns.template.json",
        "prod/firewall.template.json",
        "prod/foundation.template.json",
        "prod/monitoring.template.json",
        "prod/site.template.json",
        "prod/sources.json",
    ]
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["stack", "region", "resources", "bytes", "findings"]
    assert any(line.startswith("prod/site") and "af-south-1" in line and line.endswith("clean") for line in lines)
    assert max(map(len, lines)) <= 80


def test_same_bytes_from_anywhere_with_any_hash_seed(tmp_path: Path) -> None:
    here = build("--env", "all", "--out", str(tmp_path / "a"), PYTHONHASHSEED="1")
    there = build("--env", "all", "--out", str(tmp_path / "b"), cwd=tmp_path, PYTHONHASHSEED="4242", TZ="Africa/Johannesburg", LANG="C")
    assert (here.returncode, there.returncode) == (0, 0), here.stderr + there.stderr
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert str(ROOT).encode() not in b"".join(content(tmp_path / "a").values())


def test_json_summary(tmp_path: Path) -> None:
    summary = json.loads(build("--env", "dev", "--out", str(tmp_path), "--json").stdout)
    assert envelope(json.dumps(summary))["ok"] is True
    (environment,) = summary["data"]["environments"]
    assert environment["digest"] == json.loads((tmp_path / "dev" / "assembly.json").read_bytes())["digest"]
    assert [stack["stack"] for stack in environment["stacks"]][:2] == ["foundation", "certificate"]


def test_yaml_beside_json(tmp_path: Path) -> None:
    import yaml

    assert build("--env", "prod", "--out", str(tmp_path), "--format", "yaml").returncode == 0
    text = (tmp_path / "prod" / "site.template.yaml").read_text()
    assert "!Ref" in text

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda loader, suffix, node: suffix)
    assert (
        yaml.load(text, Loader)["Resources"].keys()
        == json.loads((tmp_path / "prod" / "site.template.json").read_text())["Resources"].keys()
    )
    assert build("--env", "prod", "--out", str(tmp_path)).returncode == 0
    assert not (tmp_path / "prod" / "site.template.yaml").exists()


def test_check(tmp_path: Path) -> None:
    missing = build("--env", "dev", "--out", str(tmp_path), "--check")
    assert missing.returncode == 1
    assert not list(tmp_path.iterdir())
    assert build("--env", "dev", "--out", str(tmp_path)).returncode == 0
    assert build("--env", "dev", "--out", str(tmp_path), "--check").returncode == 0
    template = tmp_path / "dev" / "dns.template.json"
    template.write_bytes(template.read_bytes() + b" ")
    changed = build("--env", "dev", "--out", str(tmp_path), "--check")
    assert changed.returncode == 1
    assert "dev/dns.template.json: differs from what would be built" in changed.stderr
    assert re.search(
        rf"build: out of date\n  next: \S+ \S*build\.py --env dev --out {tmp_path} --environments {ENVIRONMENTS}\n", changed.stderr
    )


def test_bad_environments_end_in_status_2_and_nothing_is_written(own: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    dev = own / "dev.yaml"
    dev.write_text(dev.read_text().replace("eu-west-1", "eu-west-9").replace("price_class", "prize_class"))
    done = build("--env", "prod", "--environments", str(own), "--out", str(out))
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert [line.rsplit("/", 1)[1].split(": ")[0] for line in done.stderr.splitlines()[:2]] == ["dev.yaml:1", "dev.yaml:3"]
    assert done.stderr.endswith("problems; nothing was written\n")
    assert not out.exists()
    machine = envelope(build("--env", "prod", "--environments", str(own), "--out", str(out), "--json").stdout)
    assert machine["ok"] is False
    assert len(machine["problems"]) >= 2


@pytest.mark.parametrize("arguments", [["--env", "prd"], ["--env", ""], [], ["--env", "dev", "--format", "toml"], ["--env", "../dev"]])
def test_usage_errors_end_in_status_2(arguments: list[str]) -> None:
    done = build(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_misspelt_word_is_answered_with_the_one_that_was_meant() -> None:
    done = build("new-enviroment", "qa", "--from", "sit")
    assert done.returncode == 2
    assert "did you mean new-environment?" in done.stderr


def test_a_finding_stops_the_build_and_names_the_python_line(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT, tmp_path / "copy", ignore=shutil.ignore_patterns(".*", "dist", "node_modules", "tests", "__pycache__"), symlinks=True
    )
    site = tmp_path / "copy" / "stacks" / "site.py"
    lines = site.read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.strip() == "cloudfront.Distribution(") - 1
    site.write_text("\n".join(lines).replace('"TLSv1.2_2025"', '"TLSv1.1_2016"'))
    done = subprocess.run(
        [sys.executable, "build.py", "--env", "dev", "--environments", str(ENVIRONMENTS)],
        cwd=tmp_path / "copy",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "dev/site: Distribution: E9" in done.stderr
    assert f"(stacks/site.py:{line})" in done.stderr
    assert "nothing was written" in done.stderr
    assert not (tmp_path / "copy" / "dist").exists()


def test_an_unwritable_target_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    done = build("--env", "dev", "--out", str(tmp_path / "out"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "cannot write" in done.stderr


def test_needs_no_home_no_network_no_credentials(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "build.py"), "--env", "dev", "--environments", str(ENVIRONMENTS), "--out", str(tmp_path)],
        env={"HOME": "/nonexistent", "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_never_imports_boto3(tmp_path: Path) -> None:
    code = (
        "import sys, build; status = build.main(['--env', 'dev', '--out', sys.argv[1], '--environments', sys.argv[2]]); "
        "sys.exit(status or ','.join(m for m in sys.modules if m.split('.')[0] in ('boto3', 'botocore', 'rich', 'cfnlint')) or 0)"
    )
    # Verdicts on functions last for the day: where the first pair stands on both sides of midnight, the second does not.
    for _ in range(2):
        build("--env", "dev", "--out", str(tmp_path))
        # Without CI, where no kept verdict is believed and cfn-lint has to be imported.
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path), str(ENVIRONMENTS)],
            cwd=ROOT,
            env=child_environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stderr


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, build\n"
        "try: build.main(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(','.join({m.split('.')[0] for m in sys.modules} & {'troposphere', 'awacs', 'yaml', 'msgspec', 'cfnlint', 'boto3'}) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    assert "examples:" in done.stdout


def test_ctrl_c_leaves_the_last_good_build(tmp_path: Path) -> None:
    assert build("--env", "dev", "--out", str(tmp_path)).returncode == 0
    before = content(tmp_path)
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "build.py"), "--env", "all", "--environments", str(ENVIRONMENTS), "--out", str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(0.12)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=180)
    if process.returncode == 130:
        assert "Traceback" not in errors or "KeyboardInterrupt" not in errors.splitlines()[-1]
    assert {name: data for name, data in content(tmp_path).items() if name.startswith("dev/")} == before


def test_a_new_file_that_cannot_be_written_whole_is_not_left(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        _write_new(tmp_path / "qa.yaml", "account_id: \udc80")
    assert list(tmp_path.iterdir()) == []
