"""The gate around the rules: cached verdicts that are right or not used, suppression with a reason, the same answer everywhere."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from guards.processes import child_environment
from lint.gate import POOL_THRESHOLD, Finding, Job, cfn_lint_version, environment_digest, lint, rule_sources
from lint.verdicts import ENTRIES, SECRET, Verdicts, place
from tests.environments_fixture import ENVIRONMENTS

ROOT = Path(__file__).resolve().parents[3]
DAY = "2026-02-28"
GOOD = (Path(__file__).parent / "lint_cases" / "good.json").read_bytes()
TOPIC: dict[str, Any] = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alarms"}}


def template(*, description: str | None = "x", name: str = "Topic", **resource: Any) -> bytes:
    """A small clean template, unless `description` is None (E9701)."""
    body: dict[str, Any] = {"Resources": {name: {**TOPIC, **resource}}}
    if description is not None:
        body["Description"] = description
    return json.dumps(body, indent=2, sort_keys=True).encode()


def job(data: bytes, stack_id: str = "site", *regions: str) -> Job:
    return Job(stack_id=stack_id, template=data, regions=regions or ("eu-west-1",))


def rules(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.rule for finding in findings]


PROBE = """
import json, sys
from pathlib import Path
from lint.gate import Job, lint
arguments = json.loads(sys.argv[1])
jobs = [Job(stack_id=str(n), template=t.encode(), regions=("eu-west-1",)) for n, t in enumerate(arguments["templates"])]
cache = Path(arguments["cache"]) if arguments["cache"] else None
found = lint(jobs, cache=cache, workers=1, day='2026-02-28')
text = {k: [[f.rule, f.level, f.message, f.line, list(f.path)] for f in v] for k, v in found.items()}
print(json.dumps({"findings": text, "cfnlint": "cfnlint" in sys.modules, "boto": "boto3" in sys.modules}))
"""


def probe(cache: Path | None, *templates: bytes, cwd: Path = ROOT, path: Path = ROOT, **environment: str) -> dict[str, Any]:
    """Lint in a process of its own."""
    arguments = json.dumps({"cache": str(cache) if cache else None, "templates": [t.decode() for t in templates]})
    done = subprocess.run(
        [sys.executable, "-c", PROBE, arguments],
        cwd=cwd,
        env=child_environment(PYTHONPATH=str(path), **environment),
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


# --- the cache ----------------------------------------------------------------------------------------------------


def test_a_hit_gives_the_same_verdict_and_never_imports_cfn_lint(tmp_path: Path) -> None:
    broken = template(description=None)
    fresh = lint([job(GOOD, "0"), job(broken, "1")], cache=tmp_path, workers=1, day=DAY)
    hit = probe(tmp_path, GOOD, broken)
    assert (hit["cfnlint"], hit["boto"]) == (False, False)
    assert [entry[0] for entry in hit["findings"]["1"]] == rules(fresh["1"]) == ["E9701"]
    assert lint([job(GOOD, "0"), job(broken, "1")], cache=tmp_path, workers=1, day=DAY) == fresh
    assert probe(None, GOOD)["cfnlint"] is True


def directory_instead(entry: Path) -> None:
    entry.unlink()
    entry.mkdir()


SPOILED: dict[str, Callable[[Path], object]] = {
    "empty": lambda entry: entry.write_bytes(b""),
    "cut off": lambda entry: entry.write_bytes(entry.read_bytes()[:-7]),
    "a bit flipped": lambda entry: entry.write_bytes(entry.read_bytes().replace(b"E9701", b"E9702")),
    "not text": lambda entry: entry.write_bytes(b"\xff\x00\n\xff"),
    "findings removed": lambda entry: entry.write_bytes(entry.read_bytes().partition(b"\n")[0] + b"\n[]"),
    "no file": directory_instead,
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_entry_is_a_miss(tmp_path: Path, how: str) -> None:
    broken = job(template(description=None))
    expected = lint([broken], cache=tmp_path, workers=1, day=DAY)
    (entry,) = tmp_path.glob("*.json")
    SPOILED[how](entry)
    assert lint([broken], cache=tmp_path, workers=1, day=DAY) == expected
    if entry.is_file():
        assert b"E9701" in entry.read_bytes()


def test_an_entry_of_another_template_is_a_miss(tmp_path: Path) -> None:
    lint([job(template())], cache=tmp_path / "good", workers=1, day=DAY)
    lint([job(template(description=None))], cache=tmp_path / "bad", workers=1, day=DAY)
    (good,), (bad,) = (tmp_path / "good").glob("*.json"), (tmp_path / "bad").glob("*.json")
    bad.write_bytes(good.read_bytes())
    assert rules(lint([job(template(description=None))], cache=tmp_path / "bad", workers=1, day=DAY)["site"]) == ["E9701"]


def test_a_verdict_depends_on_versions_rules_and_regions(tmp_path: Path) -> None:
    sources = rule_sources()
    base = environment_digest("1.58.0", "3.11", sources)
    assert {"constraints/table.py", "constraints/table.json"} <= set(sources)
    assert {"lint/gate.py", "templates/resources.py", "lint/rules/iam.py", "templates/view.py", "lint/rules/base.py"} <= set(sources)
    assert environment_digest("1.58.0", "3.11", dict(reversed(sources.items()))) == base
    others = [
        environment_digest("1.58.1", "3.11", sources),
        environment_digest("1.58.0", "3.12", sources),
        environment_digest("1.58.0", "3.11", {**sources, "lint/rules/iam.py": sources["lint/rules/iam.py"] + b"\n"}),
        environment_digest("1.58.0", "3.11", {**sources, "lint/rules/new.py": b""}),
    ]
    assert len({base, *others}) == 5
    certificate = json.loads(GOOD)
    for region in ("us-east-1", "eu-west-1"):
        lint([job(json.dumps(certificate).encode(), "site", region)], cache=tmp_path, workers=1, day=DAY)
    assert len(list(tmp_path.glob("*.json"))) == 2


def test_a_verdict_on_a_function_lasts_for_the_day(tmp_path: Path) -> None:
    function = json.loads(GOOD)
    assert any("Runtime" in resource.get("Properties", {}) for resource in function["Resources"].values())
    plain, cache = template(description=None), tmp_path / "cache"
    for day in (DAY, DAY, "2026-03-01"):
        found = lint([job(GOOD, "function"), job(plain, "topic")], cache=cache, workers=1, day=day)
        assert rules(found["topic"]) == ["E9701"]
    # The function twice, what has no runtime once: cfn-lint takes a second to load.
    assert len(list(cache.glob("*.json"))) == 3


def test_a_verdict_depends_on_every_module_that_the_rules_load() -> None:
    show = (
        "import sys; from lint.gate import load_rules; load_rules(); print(*(getattr(m, '__file__', None) for m in sys.modules.values()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", show], cwd=ROOT, env=child_environment(PYTHONPATH=str(ROOT)), capture_output=True, text=True, check=True
    )
    rooms = ("lint/rules/", "refusals/", "constraints/", "templates/", "environments/", "assembly/")
    loaded = {name.removeprefix(f"{ROOT}/") for name in done.stdout.split() if name.startswith(f"{ROOT}/")}
    read = {name for name in loaded if name.startswith(rooms) and not name.endswith("__init__.py")}
    assert len(read) > 40
    assert read <= set(rule_sources())


def test_a_changed_rule_is_applied_at_once(tmp_path: Path) -> None:
    for room in ("lint", "constraints", "templates", "assembly", "guards", "refusals", "environments"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    cache, broken = tmp_path / "cache", template(description=None)
    before = probe(cache, broken, path=tmp_path, cwd=tmp_path)
    rule = tmp_path / "lint" / "rules" / "hygiene.py"
    rule.write_text(rule.read_text().replace("the template has no Description", "say what it is for"))
    after = probe(cache, broken, path=tmp_path, cwd=tmp_path)
    assert before["findings"]["0"][0][2] == "the template has no Description"
    assert after["findings"]["0"][0][2] == "say what it is for"
    assert after["cfnlint"] is True


@pytest.mark.parametrize("where", ["below a file", "a file", "no cache"])
def test_a_cache_that_cannot_be_used_costs_nothing_but_time(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("x")
    cache = {"below a file": tmp_path / "file" / "lint", "a file": tmp_path / "file", "no cache": None}[where]
    assert rules(lint([job(template(description=None))], cache=cache, workers=1, day=DAY)["site"]) == ["E9701"]
    assert (tmp_path / "file").read_text() == "x"


def test_a_directory_that_may_not_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    assert rules(lint([job(template(description=None))], cache=tmp_path, workers=1, day=DAY)["site"]) == ["E9701"]
    assert not list(tmp_path.iterdir())


def test_a_killed_process_leaves_a_cache_that_can_be_used(tmp_path: Path) -> None:
    jobs = [job(template(description=None if n % 2 else "x", name=f"Topic{n}"), str(n)) for n in range(6)]
    endless = (
        "import json, sys, itertools\nfrom pathlib import Path\nfrom lint.gate import Job, lint\n"
        "texts = json.loads(sys.argv[1])\n"
        "for n in itertools.count():\n"
        "    text = texts[n % len(texts)]\n"
        "    job = Job(stack_id='s', template=text.encode(), regions=('eu-west-1',))\n"
        "    lint([job], cache=Path(sys.argv[2]), workers=1, day='2026-02-28')\n"
        "    if n % len(texts) == 2: [p.unlink() for p in Path(sys.argv[2]).glob('*.json')]\n"
    )
    arguments = [sys.executable, "-c", endless, json.dumps([j.template.decode() for j in jobs]), str(tmp_path)]
    child = subprocess.Popen(arguments, env=child_environment(PYTHONPATH=str(ROOT)))
    try:
        while not any(tmp_path.glob("*.json")):
            assert child.poll() is None
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    (tmp_path / ".half.tmp").write_bytes(b"half a verd")
    assert lint(jobs, cache=tmp_path, workers=1, day=DAY) == lint(jobs, cache=None, workers=1, day=DAY)


def test_the_cache_stays_bounded_and_keeps_what_is_new(tmp_path: Path) -> None:
    for number in range(ENTRIES + 10):
        path = tmp_path / (f"{number}.json" if number % 2 else f".{number}.tmp")
        path.touch()
        os.utime(path, (number, number))
    lint([job(template(name="Fresh"))], cache=tmp_path, workers=1, day=DAY)
    left = {path.name for path in tmp_path.iterdir()}
    assert len(left) <= ENTRIES
    assert ".0.tmp" not in left
    assert probe(tmp_path, template(name="Fresh"))["cfnlint"] is False


@pytest.mark.attack
def test_a_verdict_that_somebody_else_made_is_not_believed(tmp_path: Path) -> None:
    broken = job(template(description=None))
    lint([broken], cache=tmp_path / "ours", workers=1, day=DAY)
    (key,) = (path.stem for path in (tmp_path / "ours").glob("*.json"))
    planted = tmp_path / "planted"
    planted.mkdir()
    # What a checkout can bring along: the right name, "clean", and the checksum that anybody can compute.
    (planted / f"{key}.json").write_bytes(hashlib.sha256(key.encode() + b"[]").hexdigest().encode() + b"\n[]")
    assert rules(lint([broken], cache=planted, workers=1, day=DAY)["site"]) == ["E9701"]
    # The same sealed with a secret of the attacker's own folder.
    Verdicts(tmp_path / "theirs").store(key, b"[]")
    shutil.copy(tmp_path / "theirs" / f"{key}.json", planted / f"{key}.json")
    assert rules(lint([broken], cache=planted, workers=1, day=DAY)["site"]) == ["E9701"]


@pytest.mark.attack
def test_a_cache_below_the_checkout_is_never_read(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".*", "dist", "node_modules", "tests", "__pycache__"), symlinks=True)
    (checkout / ".cache").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "home").mkdir()
    done = subprocess.run(
        [sys.executable, "build.py", "--env", "dev", "--environments", str(ENVIRONMENTS), "--out", str(tmp_path / "dist")],
        cwd=checkout,
        env={**os.environ, "CI": "", "HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / "elsewhere").iterdir())
    made = tmp_path / "home" / ".cache" / "web-platform" / "lint"
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.iterdir()} == {0o600}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HOME": "/home/me"}, "/home/me/.cache/web-platform/lint"),
        ({"HOME": "/home/me", "XDG_CACHE_HOME": "/var/cache/me"}, "/var/cache/me/web-platform/lint"),
        ({"HOME": "/home/me", "XDG_CACHE_HOME": "relative"}, "/home/me/.cache/web-platform/lint"),
        ({"HOME": "/home/me", "CI": "false"}, "/home/me/.cache/web-platform/lint"),
        ({"HOME": "/home/me", "CI": "true"}, None),
        ({"HOME": "/home/me", "CI": "1"}, None),
        ({"HOME": "/checkout"}, None),
        ({"HOME": "home"}, None),
        ({}, None),
    ],
)
def test_verdicts_lie_outside_of_the_checkout_and_are_not_used_in_ci(environ: dict[str, str], expected: str | None) -> None:
    assert place(environ, Path("/checkout")) == (None if expected is None else Path(expected))


@pytest.mark.attack
def test_a_folder_that_others_may_enter_is_closed_and_a_link_is_not_used(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    lint([job(template())], cache=tmp_path, workers=1, day=DAY)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    lint([job(template())], cache=tmp_path / "link", workers=1, day=DAY)
    assert not list((tmp_path / "real").iterdir())


@pytest.mark.attack
def test_a_secret_that_others_may_write_is_none(tmp_path: Path) -> None:
    broken = job(template(description=None))
    lint([broken], cache=tmp_path, workers=1, day=DAY)
    (tmp_path / SECRET).chmod(0o666)
    Verdicts(tmp_path).store("x", b"[]")
    assert not list(tmp_path.glob("x.json"))


def test_a_rule_that_breaks_off_is_no_fact_about_the_template_and_is_not_kept(tmp_path: Path) -> None:
    broken = job(template(Metadata=1))
    for _ in range(2):
        assert "E0002" in rules(lint([broken], cache=tmp_path, workers=1, day=DAY)["site"])
        assert not list(tmp_path.glob("*.json"))


def test_equal_templates_for_equal_regions_are_linted_once(tmp_path: Path) -> None:
    jobs = [
        Job(stack_id="dev/dns", template=template(), regions=("eu-west-1", "us-east-1")),
        Job(stack_id="sit/dns", template=template(), regions=("us-east-1", "eu-west-1", "us-east-1")),
    ]
    assert list(lint(jobs, cache=tmp_path, workers=1, day=DAY)) == ["dev/dns", "sit/dns"]
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_the_version_is_read_from_the_directory_name(tmp_path: Path) -> None:
    assert cfn_lint_version(sys.path) == importlib.metadata.version("cfn-lint")
    (tmp_path / "cfn_lint-9.9.9.dist-info").mkdir()
    (tmp_path / "cfn_lint_extra-1.dist-info").mkdir()
    assert cfn_lint_version([str(tmp_path / "missing"), str(tmp_path)]) == "9.9.9"
    assert cfn_lint_version([]) == importlib.metadata.version("cfn-lint")


# --- the verdict --------------------------------------------------------------------------------------------------


def test_findings_say_where() -> None:
    data = template(Properties={"TopicName": 7, "Nonsense": 1})
    (finding,) = [f for f in lint([job(data)], cache=None, workers=1, day=DAY)["site"] if f.rule == "E3002"]
    assert (finding.stack_id, finding.logical_id, finding.level, finding.source) == ("site", "Topic", "error", "cfn-lint")
    assert finding.path == ("Resources", "Topic", "Properties", "Nonsense")
    assert finding.line is not None
    assert '"Nonsense"' in data.decode().splitlines()[finding.line - 1]


def metadata(*ignored: str, **reasons: str) -> dict[str, Any]:
    return {"cfn-lint": {"config": {"ignore_checks": list(ignored)}}, "Suppressed": reasons}


def test_a_suppressed_rule_is_shown_with_its_reason_and_fails_nothing() -> None:
    data = template(Properties={"Nonsense": 1}, Metadata=metadata("E3002", E3002="a trial"))
    (finding,) = lint([job(data)], cache=None, workers=1, day=DAY)["site"]
    assert (finding.rule, finding.level, finding.suppressed, finding.reason) == ("E3002", "informational", True, "a trial")


def test_a_suppression_without_reason_is_an_error() -> None:
    findings = lint([job(template(Properties={"Nonsense": 1}, Metadata=metadata("E3002")))], cache=None, workers=1, day=DAY)["site"]
    assert {(f.rule, f.level) for f in findings} == {("E3002", "informational"), ("E9703", "error")}


def test_a_suppression_holds_for_its_resource_and_its_rule_only() -> None:
    body = json.loads(template(Properties={"Nonsense": 1}, Metadata=metadata("E3003", E3003="another rule")))
    body["Resources"]["Other"] = {"Type": "AWS::SNS::Topic", "Metadata": metadata("E3002", E3002="another resource")}
    findings = lint([job(json.dumps(body).encode())], cache=None, workers=1, day=DAY)["site"]
    assert ("E3002", "Topic", "error") in {(f.rule, f.logical_id, f.level) for f in findings}
    assert {(f.rule, f.logical_id) for f in findings if f.rule == "I9704"} == {("I9704", "Topic"), ("I9704", "Other")}


def test_an_output_of_the_same_name_is_not_suppressed() -> None:
    body = json.loads(template(Metadata=metadata("E9702", E9702="of the resource")))
    body["Outputs"] = {"Topic": {"Value": {"Ref": "Topic"}}}
    findings = lint([job(json.dumps(body).encode())], cache=None, workers=1, day=DAY)["site"]
    assert ("E9702", "error", False) in {(f.rule, f.level, f.suppressed) for f in findings}


def test_the_rule_about_reasons_cannot_be_suppressed() -> None:
    data = template(Metadata=metadata("E9703", "E3002", E9703="because"))
    findings = lint([job(data)], cache=None, workers=1, day=DAY)["site"]
    assert {(f.level, f.suppressed) for f in findings if f.rule == "E9703"} == {("error", False)}


def test_neither_the_template_nor_a_file_configures_the_gate(tmp_path: Path) -> None:
    (tmp_path / ".cfnlintrc").write_text("ignore_checks: [E, W]\n")
    body = {
        **json.loads(template(description=None)),
        "Metadata": {"cfn-lint": {"config": {"ignore_checks": ["E"], "regions": ["af-south-1"]}}},
    }
    result = probe(None, json.dumps(body).encode(), cwd=tmp_path, HOME=str(tmp_path))
    assert {entry[0] for entry in result["findings"]["0"]} == {"E9701", "E9703"}


@pytest.mark.parametrize(
    ("data", "rule"),
    [(b"{", "E0000"), (b"\xff", "E0000"), (b"[]", "E0000"), (b"null", "E0000"), (b"[" * 100_000, "E0000"), (b"{}", "E9701")],
)
def test_what_is_no_template_is_a_finding(data: bytes, rule: str) -> None:
    findings = lint([job(data)], cache=None, workers=1, day=DAY)["site"]
    assert rule in rules(findings)
    assert all(f.level == "error" for f in findings if f.rule == rule)


@pytest.mark.parametrize("regions", [("eu-nowhere-1",), ("eu-west-1", "eu-nowhere-1"), ()])
def test_an_unknown_region_is_a_finding(regions: tuple[str, ...]) -> None:
    (finding,) = lint([Job(stack_id="site", template=GOOD, regions=regions)], cache=None, workers=1, day=DAY)["site"]
    assert (finding.rule, finding.level, finding.source) == ("E9700", "error", "ours")
    assert finding.message == ("cfn-lint knows no region eu-nowhere-1" if regions else "no region to lint for")


def test_two_jobs_with_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="stack_id"):
        lint([job(template()), job(GOOD)], cache=None, workers=1, day=DAY)


def test_no_jobs_are_no_findings() -> None:
    assert lint([], cache=None, workers=2, day=DAY) == {}


def test_two_processes_find_what_one_finds_in_the_same_order() -> None:
    jobs = [job(template(description=None if n % 3 else "x", name=f"T{n}"), f"env{n}/site") for n in range(POOL_THRESHOLD + 3)]
    alone = lint(jobs, cache=None, workers=1, day=DAY)
    assert lint(jobs, cache=None, workers=2, day=DAY) == alone
    assert list(alone) == [j.stack_id for j in jobs]
    assert {f.rule for findings in alone.values() for f in findings} == {"E9701"}


def test_the_order_of_findings_does_not_depend_on_hashes() -> None:
    body = json.loads(GOOD)
    body["Resources"]["Bucket"]["Properties"] = {"AccessControl": "PublicRead"}
    body["Resources"]["DeployPolicy"]["Properties"]["PolicyDocument"]["Statement"][1]["Action"] = ["s3:*", "iam:*"]
    data = json.dumps(body).encode()
    one, other = (probe(None, data, PYTHONHASHSEED=seed)["findings"] for seed in ("1", "2"))
    assert one == other
    assert len(one["0"]) > 5
