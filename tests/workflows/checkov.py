"""checkov over the built templates, and the findings that stay, each with its reason: `python -m tests.workflows.checkov`.

In: dist/. Out: findings that nobody has accepted, and acceptances that no finding meets any more; exit status 1 if there is either.
Never: asks anything of the network.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ACCEPTED: Mapping[tuple[str, str], str] = {
    ("CKV2_AWS_71", "Certificate"): "one certificate for the apex and all names below it is what is asked for; the key never leaves ACM",
    (
        "CKV_AWS_111",
        "ServiceRole",
    ): "what CloudFront makes anew has no ARN yet; nothing else in it is without a resource (policies/accepted.py)",
    ("CKV_AWS_115", "Function"): "Lambda@Edge takes no reserved concurrency (CloudFront Developer Guide, restrictions on edge functions)",
    ("CKV_AWS_116", "Function"): "Lambda@Edge is called by CloudFront and waited for; a dead-letter queue is for asynchronous calls",
    ("CKV_AWS_117", "Function"): "Lambda@Edge runs in no VPC (CloudFront Developer Guide, restrictions on edge functions)",
    (
        "CKV_AWS_119",
        "LockTable",
    ): "holds who deploys, nothing secret; a key of our own would cost money and one more way to lose the lock (decision 14)",
    (
        "CKV_AWS_158",
        "LogGroup",
    ): "encrypted by CloudWatch's own key; lines hold no credential, and a key of our own in 13 regions buys nothing",
    ("CKV_AWS_192", "WebAcl"): "a managed group counts until somebody has looked at what it would block (docs/guides/firewall.md)",
    ("CKV_AWS_18", "AccessLogBucket"): "it takes the logs; its own log would log itself",
    ("CKV_AWS_18", "ArtifactBucket"): "only the deployer's roles reach it, whose calls CloudTrail has",
    ("CKV_AWS_18", "Bucket"): "CloudFront alone reads it, and CloudFront's requests are logged (monitoring stack)",
    (
        "CKV_AWS_26",
        "AlarmTopic",
    ): "alarms name a threshold, nothing secret; CloudWatch cannot publish to a topic under AWS's own key alias/aws/sns",
    (
        "CKV_AWS_68",
        "Distribution",
    ): "static files behind a private origin: there is nothing that a firewall would keep from it; a later option",
    (
        "CKV_AWS_86",
        "Distribution",
    ): "access logs are delivered by CloudWatch (standard logging v2) in the monitoring stack, which checkov does not know",
}
"""By check and logical id."""


def compare(found: Iterable[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Findings that nobody has accepted; acceptances without a finding."""
    there = set(found)
    new = sorted(f"{check} {title}" for check, title in there - ACCEPTED.keys())
    stale = sorted(f"{check} {title}" for check, title in ACCEPTED.keys() - there)
    return new, stale


def findings(report: Any) -> set[tuple[str, str]]:
    """Check and logical id of every failed check in checkov's JSON."""
    reports: list[Any] = report if isinstance(report, list) else [report]
    failed = (each for one in reports for each in one["results"]["failed_checks"])
    return {(each["check_id"], each["resource"].rpartition(".")[2]) for each in failed}


def main(root: Path) -> int:
    """Run it; exit status."""
    command = [str(root / ".cache/checkov/bin/checkov"), "--quiet", "--compact", "--framework", "cloudformation", "-d", str(root / "dist")]
    told = {**os.environ, "BC_SKIP_MAPPING": "true", "CKV_DISABLE_ANALYTICS": "true"}
    ended = subprocess.run([*command, "-o", "json", "--skip-download"], capture_output=True, text=True, check=False, env=told)
    try:
        new, stale = compare(findings(json.loads(ended.stdout)))
    except (ValueError, KeyError, TypeError):
        print(ended.stdout[-2000:], ended.stderr[-2000:], sep="\n", file=sys.stderr)
        return 1
    for line in new:
        print(f"checkov: {line}: mend it, or accept it with a reason in tests/workflows/checkov.py")
    for line in stale:
        print(f"checkov: {line} is accepted and not found any more: take it out of tests/workflows/checkov.py")
    return 1 if new or stale else 0


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
