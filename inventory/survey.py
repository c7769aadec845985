"""Looks up, side by side, everything with a name of its own that a stack is about to create.

In: the assembly, a stack, what it wants, the gateways. Out: a `Verdict` for each thing that is there; nothing for what is free.
Never: changes anything; takes a look that AWS refuses for an answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from assembly.model import Assembly, Stack
from aws.cloudformation.gateway import CloudFormation
from aws.errors import AccessDenied, AwsError
from aws.route53 import Route53
from aws.s3 import S3
from gateways.existing import ExistingResources, Found
from inventory import aliases, records
from inventory.judgement import BUCKET, Evidence, judged
from inventory.model import Verdict, Wanted
from inventory.wanted import BUCKET_POLICY, DISTRIBUTION, RECORD

WORKERS = 16


class InventoryGateways(Protocol):
    """What the looks need of AWS (`gateways.by_place.Gateways`)."""

    def cloudformation(self, account_id: str, region: str, role_arn: str | None = None) -> CloudFormation: ...

    def existing(self, account_id: str, region: str, role_arn: str | None = None) -> ExistingResources: ...

    def s3(self, account_id: str, region: str, role_arn: str | None = None) -> S3: ...

    def route53(self, account_id: str, role_arn: str | None = None) -> Route53: ...


def survey(
    assembly: Assembly,
    stack: Stack,
    wants: Iterable[Wanted],
    gateways: InventoryGateways,
    *,
    take_over: bool = False,
    replace_records: bool = False,
    workers: int = WORKERS,
) -> tuple[Verdict, ...]:
    """A verdict for each that is there or could not be looked up, in the template's order."""
    looks = _Looks(assembly, stack, gateways, take_over, replace_records)
    wanted = tuple(wants)
    if not wanted:
        return ()
    with ThreadPoolExecutor(max_workers=max(1, min(workers, len(wanted))), thread_name_prefix="inventory") as pool:
        verdicts = tuple(verdict for found in pool.map(looks.at, wanted) for verdict in found)
    # A bucket that needs another name takes its policy along.
    others = ("another_stack", "another_environment", "another_account")
    theirs = {v.wanted.name for v in verdicts if v.wanted.resource_type == BUCKET and v.owner in others}
    return tuple(each for each in verdicts if each.wanted.resource_type != BUCKET_POLICY or each.wanted.name not in theirs)


@dataclass(frozen=True)
class _Looks:
    assembly: Assembly
    stack: Stack
    gateways: InventoryGateways
    take_over: bool
    replace_records: bool

    def at(self, want: Wanted) -> tuple[Verdict, ...]:
        try:
            return self.look(want)
        except AccessDenied as error:
            if want.resource_type == BUCKET and error.operation == "HeadBucket":
                message = f"the bucket name {want.name} is taken by another account, or may not be seen from this one"
                file = f"environments/{self.assembly.environment}.yaml"
                command = f"edit {file}: another name for it, or account_id if that is not the account it is in, then build again"
                return (Verdict(wanted=want, fate="refused", owner="another_account", message=message, command=command),)
            return (self.unknown(want, error),)
        except AwsError as error:
            return (self.unknown(want, error),)

    def look(self, want: Wanted) -> tuple[Verdict, ...]:
        stack = self.stack
        if want.resource_type == RECORD:
            route53 = self.gateways.route53(stack.account_id, stack.role_arn)
            if want.there:
                return records.left_aside(want, route53)
            return records.look(self.assembly, want, route53, replace=self.replace_records)
        place = self.gateways.existing(stack.account_id, stack.region, stack.role_arn)
        if want.resource_type == DISTRIBUTION:
            return aliases.look(want, place, self.owner)
        found = place.find(want.resource_type, want.name)
        if found is None:
            return ()
        verdict = judged(
            self.assembly,
            want,
            found,
            self.evidence(want, found),
            account_id=stack.account_id,
            region=stack.region,
            consent=self.take_over,
        )
        return (verdict,)

    def unknown(self, want: Wanted, error: AwsError) -> Verdict:
        return Verdict(wanted=want, fate="unknown", message=f"{want.name} ({want.resource_type}): {error}", command=error.hint)

    # --- whose is it? ---------------------------------------------------------------------------------------------

    def evidence(self, want: Wanted, found: Found) -> Evidence:
        owner, region = self.owner(want, found)
        if owner:
            return Evidence(stack=owner, stack_region=region)
        return Evidence(kept_by_us=self.kept(found), holds_ours=want.resource_type == BUCKET and self.holds(want.name))

    def owner(self, want: Wanted, found: Found) -> tuple[str, str]:
        """The stack that has it, and where; what may not be asked is not known."""
        regions = [self.stack.region, *(s.region for s in self.assembly.stacks if s.account_id == self.stack.account_id)]
        # A stack of a region that the assembly does not know any more may have it: its own tag says so.
        regions += found.tags.get("aws:cloudformation:stack-id", "").split(":")[3:4]
        for region in dict.fromkeys(regions):
            gateway = self.gateways.cloudformation(self.stack.account_id, region, self.stack.role_arn)
            for name in dict.fromkeys((found.physical_id, want.name)):
                try:
                    owner = gateway.owner(name, want.resource_type)
                except AwsError:
                    continue
                if owner:
                    return owner, region
        return "", ""

    def kept(self, found: Found) -> bool:
        gateway = self.gateways.cloudformation(self.stack.account_id, self.stack.region, self.stack.role_arn)
        try:
            return kept_by(gateway, self.stack.stack_name, found.physical_id)
        except AwsError:
            return False

    def holds(self, bucket: str) -> bool:
        try:
            return holds_ours(self.assembly, self.gateways.s3(self.stack.account_id, self.stack.region, self.stack.role_arn), bucket)
        except AwsError:
            return False


def kept_by(gateway: CloudFormation, stack_name: str, physical_id: str) -> bool:
    """A deleted stack of that name kept it; CloudFormation remembers for 90 days."""
    return any(
        event.physical_id == physical_id
        for arn in gateway.deleted_stacks(stack_name)
        for event in gateway.events(arn)
        if event.status == "DELETE_SKIPPED"
    )


def holds_ours(assembly: Assembly, store: S3, bucket: str) -> bool:
    """The bucket has this environment's history, or releases that were published to it."""
    from website.content import key_prefix
    from website.ledger import FOLDER

    if bucket == assembly.artifact_bucket:
        prefixes = [f"history/{assembly.environment}/", f"site/{assembly.environment}/"]
    else:
        prefixes = [] if assembly.contract is None else [f"{key_prefix(assembly.contract)}{FOLDER}"]
    return any(next(iter(store.list(bucket, prefix)), None) is not None for prefix in prefixes)
