"""Planning 500 stacks over 20 accounts and 17 regions against a simulated CloudFormation, beside what its request limits alone allow.

    python benchmarks/rollout.py                 measure, and print the table of docs/performance.md
    python benchmarks/rollout.py --throttle 4    with a quarter of the assumed request rates

What is real: the planner, the gateways, boto3 with its signing, parsing and retries, the credentials of each account. What is simulated:
the answer to each request, given inside botocore's own `before-send` hook after a latency. A server in a process of its own would share
the two cores with what is measured, and would measure Python's HTTP server; sockets and TLS are left out instead (some 0.3 ms a request).

Assumptions, since CloudFormation's request rates are not published (a token bucket for each account, region and action):
changing actions 1 a second after a burst of 2, reading ones 10 a second after a burst of 10; 60 ms a request that reads and 250 ms one
that changes; a change set is made in 3 seconds. Refused requests get the answer `Throttling`, as AWS words it.

The floor is what the limits alone allow with any number of workers: see `floor`. It counts every request that planning needs once, and no
retry.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from assembly import files
from assembly.model import Assembly, LiteralValue, OutputRef, Parameter, Stack, Template
from aws.session import Aws, StaticCredentials
from gateways.by_place import Gateways
from planning.model import Options, Plan
from planning.plan import WORKERS, make_plan
from planning.request import Request
from templates.schemas import bundled

ACCOUNTS = tuple(f"{number:012d}" for number in range(100_000_000_001, 100_000_000_021))
REGIONS = (
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-north-1",
    "ap-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "af-south-1",
)
HOME = "us-east-1"
STACKS = 500
MAKING_SECONDS = 3.0
CHANGING = frozenset({"CreateChangeSet", "DeleteChangeSet"})
LATENCY = {True: 0.25, False: 0.06}
RATES = {True: (1.0, 2.0), False: (10.0, 10.0)}
"""Requests a second, and burst, of a changing action and of a reading one."""


class Bucket:
    """A token bucket."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst, self.tokens, self.at = rate, burst, burst, time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Raw:
    """The body of an answer, as urllib3 hands it over."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._body


class Simulated(Aws):
    """AWS whose requests are answered inside botocore."""

    def __init__(self, *, changed: bool, slower: float) -> None:
        super().__init__(
            endpoint_url="http://simulated.invalid",
            static_credentials=lambda account: StaticCredentials(access_key=account, secret_key="simulated"),
        )
        self.changed, self.slower = changed, slower
        self.asked: Counter[tuple[str, str, str]] = Counter()
        self.refused: Counter[str] = Counter()
        self._buckets: dict[tuple[str, str, str], Bucket] = {}
        self._made: dict[str, float] = {}
        self._guard = threading.Lock()

    def _new_session(self, account: Callable[[], str], *, profile: str | None = None) -> Any:
        session = super()._new_session(account, profile=profile)
        session.get_component("event_emitter").register("before-send", self._answer)
        return session

    def _answer(self, request: Any, event_name: str, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        operation = event_name.rsplit(".", 1)[1]
        authorization = request.headers["Authorization"]
        scope = (authorization.decode() if isinstance(authorization, bytes) else authorization).split("Credential=")[1].split("/")
        place = (scope[0], scope[2], operation)
        changing = operation in CHANGING
        time.sleep(LATENCY[changing])
        with self._guard:
            self.asked[place] += 1
            rate, burst = RATES[changing]
            allowed = self._buckets.setdefault(place, Bucket(rate / self.slower, burst)).take()
            if not allowed:
                self.refused[operation] += 1
        arguments = {
            key: values[0] for key, values in parse_qs(request.body if isinstance(request.body, str) else request.body.decode()).items()
        }
        status, body = self.answer(operation, arguments, scope[0], scope[2]) if allowed else (400, _error("Throttling", "Rate exceeded"))
        headers: Any = {"content-type": "text/xml"}
        return AWSResponse(request.url, status, headers, Raw(body.encode()))

    def answer(self, operation: str, given: dict[str, str], account: str, region: str) -> tuple[int, str]:
        """Status and body; every stack exists, and has another value of one parameter if `changed`."""
        name = given.get("StackName", "").rsplit("stack/", 1)[-1].split("/")[0]
        arn = f"arn:aws:cloudformation:{region}:{account}:stack/{name}/1"
        change_set = given.get("ChangeSetName", "")
        if operation == "GetCallerIdentity":
            return 200, _result(operation, f"<Arn>arn:aws:iam::{account}:root</Arn><UserId>u</UserId><Account>{account}</Account>")
        if operation == "DescribeStacks":
            value = "before" if self.changed else "after"
            member = (
                f"<StackName>{name}</StackName><StackId>{arn}</StackId><StackStatus>UPDATE_COMPLETE</StackStatus>"
                "<CreationTime>2026-01-01T00:00:00Z</CreationTime><Parameters>"
                f"<member><ParameterKey>Value</ParameterKey><ParameterValue>{value}</ParameterValue></member></Parameters>"
                "<Outputs><member><OutputKey>Topic</OutputKey><OutputValue>topic</OutputValue></member></Outputs>"
            )
            return 200, _result(operation, f"<Stacks><member>{member}</member></Stacks>")
        if operation == "GetTemplate":
            return 200, _result(operation, f"<TemplateBody>{json.dumps(TEMPLATE).replace('<', '')}</TemplateBody>")
        if operation == "CreateChangeSet":
            arn_of = f"arn:aws:cloudformation:{region}:{account}:changeSet/{change_set}-{name}/1"
            with self._guard:
                self._made[arn_of] = time.monotonic() + MAKING_SECONDS
            return 200, _result(operation, f"<Id>{arn_of}</Id><StackId>{arn}</StackId>")
        if operation == "DescribeChangeSet":
            return 200, _result(operation, self._change_set(change_set, arn, name))
        return 200, _result(operation, "")

    def _change_set(self, change_set: str, arn: str, name: str) -> str:
        head = f"<ChangeSetId>{change_set}</ChangeSetId><ChangeSetName>plan</ChangeSetName>"
        head += f"<StackId>{arn}</StackId><StackName>{name}</StackName>"
        with self._guard:
            ready = time.monotonic() >= self._made[change_set]
        if not ready:
            return f"{head}<Status>CREATE_IN_PROGRESS</Status><ExecutionStatus>UNAVAILABLE</ExecutionStatus>"
        if not self.changed:
            reason = "The submitted information didn't contain changes."
            return f"{head}<Status>FAILED</Status><StatusReason>{reason}</StatusReason><ExecutionStatus>UNAVAILABLE</ExecutionStatus>"
        changes = "".join(
            f"<member><Type>Resource</Type><ResourceChange><Action>Modify</Action><LogicalResourceId>Topic{number}</LogicalResourceId>"
            "<ResourceType>AWS::SNS::Topic</ResourceType><Replacement>False</Replacement></ResourceChange></member>"
            for number in range(RESOURCES)
        )
        return f"{head}<Status>CREATE_COMPLETE</Status><ExecutionStatus>AVAILABLE</ExecutionStatus><Changes>{changes}</Changes>"


def _result(operation: str, body: str) -> str:
    return f"<{operation}Response><{operation}Result>{body}</{operation}Result></{operation}Response>"


def _error(code: str, message: str) -> str:
    return f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"


RESOURCES = 12
TEMPLATE: dict[str, Any] = {
    "Parameters": {"Value": {"Type": "String"}},
    "Resources": {
        f"Topic{number}": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::Sub": f"{number} ${{Value}}"}}}
        for number in range(RESOURCES)
    },
    "Outputs": {"Topic": {"Value": "topic"}},
}


def assembly_of(stacks: int) -> tuple[Assembly, dict[str, bytes]]:
    """A stack in every region of every account, the rest in the accounts' home regions; all of an account after its first one."""
    from tests.simulated import Small, small_assembly

    model, _ = small_assembly(Small(id="model", template=TEMPLATE))
    body = files.canonical_json(TEMPLATE)
    template = Template(file="t.json", sha256=files.sha256(body), size=len(body), resources=RESOURCES, upload=False)
    places = [(account, region) for account in ACCOUNTS for region in REGIONS]
    places += [(ACCOUNTS[number % len(ACCOUNTS)], HOME) for number in range(stacks - len(places))]
    made: list[Stack] = []
    first: dict[str, str] = {}
    for number, (account, region) in enumerate(sorted(places, key=lambda place: (place[0], place[1] != HOME, place[1]))):
        base = first.setdefault(account, f"s{number}")
        depends = () if base == f"s{number}" else (base,)
        after: tuple[Parameter, ...] = (Parameter(name="Topic", source=OutputRef(stack=base, output="Topic")),) if depends else ()
        made.append(
            Stack(
                id=f"s{number}",
                kind="stack",
                stack_name=f"demo-s{number}",
                description="",
                account_id=account,
                region=region,
                template=template,
                parameters=(Parameter(name="Value", source=LiteralValue(value="after")), *after),
                outputs=("Topic",),
                depends_on=depends,
            )
        )
    import msgspec

    return files.sealed(msgspec.structs.replace(model, stacks=tuple(made))), {s.id: body for s in made}


def floor(stacks: int, *, changed: bool, slower: float) -> float:
    """Seconds that the limits alone allow, with any number of workers and no request refused.

    An account's first stack from beginning to end, the change sets of the others in its home region as fast as the rate lets them begin,
    and the last of those to its end.
    """
    read, change = LATENCY[False], LATENCY[True]
    # DescribeStacks, GetTemplate; CreateChangeSet; at the least two DescribeChangeSet, and three with the values of its properties. For a
    # change set with something in it, its validations and the stack's policy; an empty one is deleted.
    one = 2 * read + change + MAKING_SECONDS + (5 * read if changed else 2 * read + change)
    crowd = -(-(stacks - len(ACCOUNTS) * len(REGIONS)) // len(ACCOUNTS))
    rate, burst = RATES[True]
    return read + one + max(0.0, (crowd - burst) * slower / rate) + one


def plan(*, changed: bool, stacks: int, slower: float, workers: int) -> tuple[Plan, float, Simulated]:
    """Plan it once; the plan, the seconds it took, and what was asked."""
    assembly, templates = assembly_of(stacks)
    aws = Simulated(changed=changed, slower=slower)
    request = Request(
        assembly=assembly, templates=templates, options=Options(), created_at="2026-01-01T00:00:00Z", created_by="benchmark", nonce="0"
    )
    began = time.monotonic()
    made = make_plan(request, Gateways(aws, sleep=time.sleep), bundled(), workers=workers)
    return made, time.monotonic() - began, aws


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stacks", type=int, default=STACKS)
    parser.add_argument("--throttle", type=float, default=1.0, help="divide the assumed request rates by this")
    parser.add_argument("--workers", type=int, default=WORKERS, help="stacks planned at once (default: the planner's own)")
    args = parser.parse_args()
    print("| plan | stacks | seconds | floor | ratio | CPU seconds | requests | refused | peak memory |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for words, changed in (("every stack changes", True), ("nothing changes", False)):
        cpu = time.process_time()
        made, seconds, aws = plan(changed=changed, stacks=args.stacks, slower=args.throttle, workers=args.workers)
        wrong = [s.stack for s in made.stacks if s.operation != ("update" if changed else "none")]
        if wrong:
            print(f"{len(wrong)} stacks could not be planned: {made.all_findings[0].message}", file=sys.stderr)
            return 1
        cpu = time.process_time() - cpu
        least = floor(args.stacks, changed=changed, slower=args.throttle)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"| {words} | {args.stacks} | {seconds:.1f} | {least:.1f} | {seconds / least:.2f}x | {cpu:.1f} | {sum(aws.asked.values())} |"
            f" {sum(aws.refused.values())} | {memory} MiB |"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
