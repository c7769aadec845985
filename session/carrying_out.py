"""What `rollout/` carries a plan out with: gateways, clock, waits that an interrupt ends, certificate validation.

In: an opened environment and a plan. Out: a `Run`. Never: begins it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assembly.model import HostedZone, Stack
    from planning.model import Plan
    from rollout.certificate_validation import CertificateValidation
    from rollout.execution import Run
    from rollout.progress import Report
    from session.opened import Opened


def carrying_out(opened: Opened, plan: Plan, report: Report, stop: threading.Event, now: Callable[[], float]) -> Run:
    """How a plan is carried out by whoever opened the environment; `stop` ends it, and every wait in it."""
    from aws.s3 import S3
    from rollout.execution import Run
    from rollout.history import expected_or_none
    from rollout.progress import Note
    from session.shared import poll_seconds
    from templates.schemas import bundled

    assembly, gateways, aws = opened.assembly, opened.gateways, opened.aws
    aws.propagation.sleep, aws.propagation.stopped = lambda seconds: _wait(stop, seconds), stop.is_set
    aws.propagation.tell = lambda text: report(Note(at=now(), text=text))
    zone = assembly.hosted_zone
    validation: Callable[[Stack, str], Iterable[str]] = _no_certificate if zone is None else _certificate_validation(opened, zone, now)
    return Run(
        plan=plan,
        assembly=assembly,
        templates=opened.templates,
        gateways=gateways,
        schemas=bundled(),
        report=report,
        now=now,
        sleep=lambda seconds: _wait(stop, seconds),
        stop=stop,
        poll_seconds=poll_seconds(opened),
        validate_certificates=validation,
        is_new=aws.propagation.is_new,
        learn=aws.propagation.learn,
        unlearn=aws.propagation.unlearn,
        expected=expected_or_none(
            S3.connect(aws, account_id=assembly.account_id, region=assembly.home_region), assembly.artifact_bucket, assembly.environment
        ),
    )


def _no_certificate(_stack: Stack, _arn: str) -> Iterable[str]:
    return ()


def _certificate_validation(opened: Opened, zone: HostedZone, now: Callable[[], float]) -> CertificateValidation:
    gateways, aws = opened.gateways, opened.aws
    from aws.acm import Acm
    from aws.route53 import Route53
    from rollout.certificate_validation import CertificateValidation

    return CertificateValidation(
        zone=zone,
        zone_id=lambda: zone.id or gateways.hosted_zone_id(zone.name, account_id=zone.account_id, role_arn=zone.role_arn),
        resources=lambda stack, arn: gateways.cloudformation(stack.account_id, stack.region, stack.role_arn).list_resources(arn),
        certificates=lambda stack: Acm.connect(aws, account_id=stack.account_id, region=stack.region, role_arn=stack.role_arn),
        zones=lambda: Route53.connect(aws, account_id=zone.account_id, role_arn=zone.role_arn),
        now=now,
    )


def _wait(stop: threading.Event, seconds: float) -> None:
    """A sleep that an interrupt ends."""
    stop.wait(seconds)
