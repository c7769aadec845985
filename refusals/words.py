"""Shapes of texts that several services have: ARNs, names, regions, durations."""

from __future__ import annotations

import re

TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")
ACCOUNT = re.compile(r"\d{12}")
EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]+")
HOST_URL = re.compile(r"https://[A-Za-z0-9.-]+(:\d+)?(/[^\s?#]*)?")


def listed(text: str) -> frozenset[str]:
    """The words of a list as AWS's documents have it, in a row."""
    return frozenset(text.split())


def arn_of(*services: str) -> re.Pattern[str]:
    """An ARN of one of the services, with what only AWS will know anywhere in it."""
    return re.compile(rf"arn:(aws[a-z-]*|\$\{{[^}}]*\}}):({'|'.join(services)}):.+")


CHINA_AND_GOVERNMENT = frozenset({"cn-north-1", "cn-northwest-1", "us-gov-east-1", "us-gov-west-1"})
REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
