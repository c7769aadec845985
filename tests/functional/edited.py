"""An environment of the real platform on a local AWS, whose file is edited again and again, in this process.

In: a directory in which `--local` finds a running server, an account. Out: what the command line says and ends with.
Never: publishes content, waits for anything.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from assembly import files
from aws.session import Aws
from cli.main import main
from environments.model import Environment
from local_aws.server import LocalAws
from session.context import Context
from stacks.synthesis import synthesise
from tests import edits

BETWEEN_VISITS = 0.02
"""Seconds; each visit is two questions, and without a pause one of the machine's cores would do nothing else."""


@dataclass
class Edited:
    """One environment and its file."""

    home: Path
    account: str
    values: edits.Values = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.values = self.values or edits.base(self.account)

    @property
    def dist(self) -> Path:
        """Where it is built."""
        return self.home / self.account

    @cached_property
    def aws(self) -> Aws:
        """Clients for the server, the same each time."""
        server = LocalAws.find(self.home / ".local-aws")
        assert server is not None
        return Aws(endpoint_url=server.endpoint_url, static_credentials=server.credentials)

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """Of the environment's account."""
        return self.aws.client(service, account_id=self.account, region=region)

    def build(self, **changes: Any) -> str:
        """Edit keys ("a.b" as a__b) and build; what build.py says where it refuses the file, and then nothing is changed."""
        values = self.values
        for name, value in changes.items():
            values = edits.edited(values, tuple(name.split("__")), value, self.account)
        return self.write(values)

    def write(self, values: edits.Values) -> str:
        """The assembly of a file."""
        environment = edits.described(values)
        if not isinstance(environment, Environment):
            return environment
        made = synthesise(environment)
        bodies = {stack.template.file: made.templates[stack.id] for stack in made.assembly.stacks}
        files.write(self.dist / edits.NAME, files.files_of(made.assembly, bodies))
        self.values = values
        return ""

    def deploy(self, verb: str, *arguments: str) -> tuple[int, str]:
        """The exit status, and all that was said."""
        out = io.StringIO()
        context = Context(stdin=io.StringIO(), stdout=out, stderr=out, environ={}, root=self.home)
        code = main([verb, "--env", edits.NAME, "--dist", str(self.dist), "--local", *arguments], ["verbs"], context)
        return code, out.getvalue()

    def apply(self, **changes: Any) -> str:
        """Edit, build, plan, apply; then a plan finds nothing left to do. What apply said."""
        refused = self.build(**changes)
        assert not refused, refused
        planned, review = self.deploy("plan")
        assert planned in (0, 3), review
        if planned == 0:
            return review
        applied, told = self.deploy("apply", *self.approval())
        assert applied == 0, f"{review}\n{told}"
        again, review = self.deploy("plan")
        assert again == 0, review
        return told

    def approval(self) -> tuple[str, str]:
        """That of the saved plan; protected environments take no less."""
        return "--approve", json.loads((self.dist / edits.NAME / "plan.json").read_text())["digest"]

    def certificates(self) -> list[str]:
        """ARNs of the account's certificates."""
        return sorted(each["CertificateArn"] for each in self.client("acm").list_certificates()["CertificateSummaryList"])

    def answers(self, zone: str, name: str, kind: str) -> bool:
        """Whether the zone has an answer, through aliases of its own records."""
        sets = self.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        asked = f"{name}."
        for _ in range(3):
            found = [each for each in sets if (each["Name"], each["Type"]) == (asked, kind)]
            if not found:
                return False
            alias = found[0].get("AliasTarget", {})
            if alias.get("HostedZoneId") != zone:
                return True
            asked = alias["DNSName"]
        return False

    @contextmanager
    def visited(self, zone: str, name: str) -> Iterator[list[str]]:
        """Somebody asks for the name all the time; the list gets a line for each time that there was no answer, and ends with the count."""
        missed: list[str] = []
        over, asked = threading.Event(), 0

        def visit() -> None:
            nonlocal asked
            while not over.wait(BETWEEN_VISITS):
                asked += 1
                missed.extend(f"no {kind} record" for kind in ("A", "AAAA") if not self.answers(zone, name, kind))

        visitor = threading.Thread(target=visit)
        visitor.start()
        try:
            yield missed
        finally:
            over.set()
            visitor.join()
            assert asked > 1
