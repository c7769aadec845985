"""Runs a workflow: jobs in the order of their needs, reusable ones inside each other, every `run:` block as it stands.

In: a `World`, a workflow file, an event. Out: `Run`: results and outputs of every job, by its path ("prod/first/apply").
Never: puts an expression into a script: a `run:` block with one in it is refused, since whoever writes the value would write the script.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from tests.rehearsal.expressions import Status, filled, holds
from tests.rehearsal.world import ROOT, Refused, World, subject

TOKEN = "ghs_rehearsal"
_ORDER = {"none": 0, "read": 1, "write": 2}


@dataclass(kw_only=True)
class Job:
    """What became of one."""

    result: str
    """success, failure, skipped, or killed."""
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Run:
    """What became of a run; run again, what went well is not repeated."""

    world: World
    github: Mapping[str, Any]
    inputs: Mapping[str, str] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)
    only: frozenset[str] = frozenset()
    """Values of a matrix that are run; empty: all."""

    def results(self) -> dict[str, str]:
        """By path."""
        return {path: job.result for path, job in self.jobs.items()}

    def start(self, workflow: str) -> str:
        """From the beginning, or GitHub's "re-run failed jobs"; the result of the whole."""
        done = {path: job for path, job in self.jobs.items() if job.result == "success"}
        self.jobs = {}
        return _Workflow(self, ROOT / ".github/workflows" / workflow, "", self.inputs, {"BASIC_AUTH_PASSWORD": ""}, None, done).run().result


class _Workflow:
    def __init__(
        self,
        run: Run,
        path: Path,
        prefix: str,
        inputs: Mapping[str, str],
        secrets: Mapping[str, str],
        allowed: Mapping[str, str] | None,
        done: Mapping[str, Job],
    ) -> None:
        self.whole, self.prefix, self.secrets, self.allowed, self.done = run, prefix, secrets, allowed, done
        self.file: dict[Any, Any] = yaml.safe_load(path.read_text())
        assert self.file["permissions"] == {}, f"{path.name} gives its jobs permissions at the top"
        called = self.file[True].get("workflow_call") if isinstance(self.file[True], dict) else None
        self.called: Mapping[str, Any] = called or {}
        declared: Mapping[str, Any] = self.called.get("inputs", {})
        given = {**{name: str(each.get("default", "")) for name, each in declared.items()}, **inputs}
        missing = [name for name, each in declared.items() if each.get("required") and name not in inputs]
        assert not missing, f"{path.name} is called without {missing}"
        booleans = {name for name, each in declared.items() if each["type"] == "boolean"}
        self.inputs: dict[str, Any] = {name: value == "true" if name in booleans else value for name, value in given.items()}

    def run(self) -> Job:
        found: dict[str, Job] = {}
        waiting = dict(self.file["jobs"])
        while waiting:
            name = next(each for each, job in waiting.items() if set(job.get("needs", ())) <= set(found))
            found[name] = self._job(name, waiting.pop(name), found)
        bad = [job.result for job in found.values() if job.result not in ("success", "skipped")]
        contexts = {"jobs": {name: {"outputs": job.outputs, "result": job.result} for name, job in found.items()}}
        outputs = {name: filled(each["value"], contexts) for name, each in self.called.get("outputs", {}).items()}
        return Job(result=bad[0] if bad else "success", outputs=outputs)

    def _job(self, name: str, job: Mapping[str, Any], found: Mapping[str, Job]) -> Job:
        needs = {each: found[each] for each in job.get("needs", ())}
        status: Status = {
            "always": lambda: True,
            "success": lambda: all(each.result == "success" for each in needs.values()),
            "failure": lambda: any(each.result not in ("success", "skipped") for each in needs.values()),
            "cancelled": lambda: False,
        }
        contexts: dict[str, Any] = {
            "github": self.whole.github,
            "inputs": self.inputs,
            "secrets": self.secrets,
            "vars": {},
            "needs": {each: {"result": of.result, "outputs": of.outputs} for each, of in needs.items()},
        }
        path = f"{self.prefix}{name}"
        if not holds(job.get("if"), contexts, status):
            return self._record(path, Job(result="skipped"))
        permissions: dict[str, str] = job.get("permissions", {})
        if self.allowed is not None:
            over = {p: v for p, v in permissions.items() if _ORDER[v] > _ORDER[self.allowed.get(p, "none")]}
            assert not over, f"{path} asks for {over}, which its caller does not give"
        if "uses" in job:
            inner = _Workflow(
                self.whole,
                ROOT / job["uses"].removeprefix("./"),
                f"{path}/",
                {key: filled(value, contexts) for key, value in job.get("with", {}).items()},
                {key: filled(value, contexts) for key, value in job.get("secrets", {}).items()},
                permissions,
                self.done,
            )
            return self._record(path, inner.run())
        matrix = job.get("strategy", {}).get("matrix", {})
        assert len(matrix) <= 1, "one dimension is what our workflows have"
        variants: list[dict[str, str]] = [{key: value} for key, values in matrix.items() for value in values] or [{}]
        variants = [each for each in variants if not each or not self.whole.only or self.whole.only & set(each.values())]
        jobs = [self._variant(path, job, {**contexts, "matrix": each}, permissions) for each in variants]
        bad = [each.result for each in jobs if each.result != "success"]
        return self._record(path, Job(result=bad[0] if bad else "success", outputs=jobs[-1].outputs))

    def _record(self, path: str, job: Job) -> Job:
        self.whole.jobs[path] = job
        return job

    def _variant(self, path: str, job: Mapping[str, Any], contexts: dict[str, Any], permissions: Mapping[str, str]) -> Job:
        path += "".join(f" {value}" for value in contexts["matrix"].values())
        if path in self.done:
            return self._record(path, self.done[path])
        environment = job.get("environment", "")
        environment = filled(environment["name"] if isinstance(environment, dict) else environment, contexts)
        if environment:
            try:
                self.whole.world.review(environment)
            except Refused:
                return self._record(path, Job(result="failure"))
        with tempfile.TemporaryDirectory(prefix="job-", dir=self.whole.world.home) as folder:
            steps = _Steps(self.whole, path, Path(folder), contexts, permissions, environment, job.get("env", {}))
            return self._record(path, steps.run(job))


class _Steps:
    def __init__(
        self,
        run: Run,
        path: str,
        folder: Path,
        contexts: dict[str, Any],
        permissions: Mapping[str, str],
        environment: str,
        env: Mapping[str, Any],
    ) -> None:
        self.run_, self.world, self.path, self.permissions, self.environment = run, run.world, path, permissions, environment
        self.workspace, self.temporary = folder / "workspace", folder / "temporary"
        self.workspace.mkdir()
        self.temporary.mkdir()
        self.steps: dict[str, dict[str, dict[str, str]]] = {}
        github = {**contexts["github"], "token": TOKEN}
        self.contexts: dict[str, Any] = {**contexts, "github": github, "steps": self.steps}
        self.environ = {**self.world.environ(), "GITHUB_REPOSITORY": github["repository"], "RUNNER_TEMP": str(self.temporary)}
        self.environ |= {key: filled(value, self.contexts) for key, value in env.items()}
        self.ok, self.killed = True, False

    def run(self, job: Mapping[str, Any]) -> Job:
        status: Status = {"always": lambda: True, "success": lambda: self.ok, "failure": lambda: not self.ok}
        for step in job["steps"]:
            if self.killed or not holds(step.get("if"), self.contexts, status):
                continue
            outputs: dict[str, str] = {}
            try:
                self._use(step) if "uses" in step else self._script(step, outputs)
            except Refused as refused:
                self.ok = False
                self._print(f"{step.get('name', step.get('uses'))}: {refused}\n")
            if "id" in step:
                self.steps[step["id"]] = {"outputs": outputs}
        result = "killed" if self.killed else "success" if self.ok else "failure"
        return Job(result=result, outputs={key: filled(value, self.contexts) for key, value in job.get("outputs", {}).items()})

    def _print(self, text: str) -> None:
        self.world.outputs[self.path] = self.world.outputs.get(self.path, "") + text

    # --- run: -------------------------------------------------------------------------------------------------

    def _script(self, step: Mapping[str, Any], outputs: dict[str, str]) -> None:
        assert "${{" not in step["run"], f"{self.path}: an expression stands in the script of {step['name']!r}"
        script, told, summary = (self.temporary / name for name in ("script.sh", "output", "summary"))
        script.write_text(step["run"])
        told.write_text("")
        summary.write_text("")
        environ = {
            **self.environ,
            **{key: filled(value, self.contexts) for key, value in step.get("env", {}).items()},
            "GITHUB_OUTPUT": str(told),
            "GITHUB_STEP_SUMMARY": str(summary),
        }
        # As GitHub starts a step that names no shell.
        process = subprocess.Popen(
            ["bash", "-e", str(script)],
            cwd=self.workspace,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None, "asked for above"
        for line in process.stdout:
            self._print(line)
            if self.world.watch(step.get("name", ""), line):
                os.killpg(process.pid, signal.SIGKILL)
                self.killed = True
        code = process.wait()
        for line in told.read_text().splitlines():
            name, separator, value = line.partition("=")
            assert separator, f"{self.path}: no output: {line!r}"
            outputs[name] = value
        self.world.summaries[self.path] = self.world.summaries.get(self.path, "") + summary.read_text()
        self.ok = self.ok and code == 0 and not self.killed

    # --- uses: ------------------------------------------------------------------------------------------------

    def _use(self, step: Mapping[str, Any]) -> None:
        action, _, pin = step["uses"].partition("@")
        assert len(pin) == 40, f"{self.path}: {action} is not pinned by its commit"
        given = {key: filled(value, self.contexts) for key, value in step.get("with", {}).items()}
        match action:
            case "actions/checkout":
                assert given["persist-credentials"] == "false"
                self.world.into(self.workspace)
            case "step-security/harden-runner" | "actions/setup-python" | "actions/setup-node":
                pass
            case "actions/upload-artifact":
                self._upload(given)
            case "actions/download-artifact":
                self._download(given)
            case "actions/attest-build-provenance":
                assert self.permissions.get("attestations") == self.permissions.get("id-token") == "write"
                if not list(self.workspace.glob(given["subject-path"])):
                    raise Refused(f"nothing at {given['subject-path']}")
            case "aws-actions/configure-aws-credentials":
                self._credentials(given)
            case _:
                raise AssertionError(f"the rehearsal does not know {action}")

    def _upload(self, given: Mapping[str, str]) -> None:
        source = self.workspace / given["path"]
        if not source.is_dir() or not any(source.iterdir()):
            if given.get("if-no-files-found") == "error":
                raise Refused(f"nothing at {given['path']}")
            return
        if given["name"] in self.run_.artifacts and given.get("overwrite") != "true":
            raise Refused(f"409 Conflict: an artifact {given['name']} already exists on the workflow run")
        kept = Path(tempfile.mkdtemp(prefix="artifact-", dir=self.world.home))
        # Hidden files are left out unless asked for; the mode of files is lost.
        hidden = () if given.get("include-hidden-files") == "true" else (".*",)
        shutil.copytree(source, kept / "files", copy_function=shutil.copyfile, ignore=shutil.ignore_patterns(*hidden))
        self.run_.artifacts[given["name"]] = kept / "files"

    def _download(self, given: Mapping[str, str]) -> None:
        if "pattern" in given:
            for name, folder in self._matching(given["pattern"]):
                shutil.copytree(folder, self.workspace / given["path"] / name, dirs_exist_ok=True)
            return
        if given["name"] not in self.run_.artifacts:
            raise Refused(f"there is no artifact {given['name']}")
        shutil.copytree(self.run_.artifacts[given["name"]], self.workspace / given["path"], dirs_exist_ok=True)

    def _matching(self, pattern: str) -> Iterator[tuple[str, Path]]:
        return ((name, folder) for name, folder in sorted(self.run_.artifacts.items()) if fnmatchcase(name, pattern))

    def _credentials(self, given: Mapping[str, str]) -> None:
        github = self.contexts["github"]
        head = github.get("event", {}).get("pull_request", {}).get("head", {})
        fork = head.get("repo", {}).get("full_name", github["repository"]) != github["repository"]
        if fork or self.permissions.get("id-token") != "write":
            raise Refused("GitHub gives this job no identity token")
        claims = subject(github, self.environment)
        self.environ |= self.world.credentials(claims, github["ref"], given["role-to-assume"], given["role-session-name"])
        self.environ["AWS_REGION"] = given["aws-region"]
        self.world.subjects.append((claims, given["role-to-assume"].rpartition("/")[2]))
