"""AWS clients that answer from a script: for exact sequences of states, which no emulator gives on demand.

In: for each boto3 method the answers in order; the last one repeats. An answer is a dict, an exception to raise, or a function of the
arguments.
Out: what the script says; every call is remembered. Never: guesses: a method without a script is an AssertionError.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aws.cloudformation.gateway import CloudFormation

Answer = dict[str, Any] | Exception | Callable[..., Any]


class Scripted:
    """One client."""

    def __init__(self, **script: Answer | list[Answer]) -> None:
        self.script = {name: list(answers) if isinstance(answers, list) else [answers] for name, answers in script.items()}
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            self.calls.append((method, arguments))
            assert method in self.script, f"nobody expected {method}({arguments})"
            answers = self.script[method]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(answer, Exception):
                raise answer
            return answer(**arguments) if callable(answer) else answer

        return call

    def called(self, method: str) -> list[dict[str, Any]]:
        """The arguments of every call of that method."""
        return [arguments for name, arguments in self.calls if name == method]


@dataclass
class ScriptedAws:
    """Clients by (service, region) or by service, and CloudFormation as a gateway over them; sleeping only counts."""

    clients: dict[Any, Any] = field(default_factory=dict)
    slept: list[float] = field(default_factory=list)
    is_local: bool = False
    elsewhere: tuple[str, ...] = ()

    def overrides(self) -> tuple[str, ...]:
        """As `aws.session.Aws.overrides`."""
        return self.elsewhere

    def client(self, service: str, *, account_id: str, region: str, role_arn: str | None = None) -> Any:
        """As `aws.session.Aws.client`; an exception that stands there is raised."""
        found = self.clients.get((service, account_id), self.clients.get((service, region), self.clients.get(service)))
        assert found is not None, f"nobody expected a client of {service} in {account_id} {region}"
        if isinstance(found, Exception):
            raise found
        return found

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation:
        """As `gateways.by_place.Gateways.cloudformation`."""
        client = self.client("cloudformation", account_id=account_id, region=region, role_arn=role_arn)
        return CloudFormation(client, account_id=account_id, region=region, sleep=self.slept.append)
