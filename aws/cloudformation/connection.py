"""What the calls of every subject share: the client, the place, the sleep, and the reading of pages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from aws.answers import pages

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

T = TypeVar("T")

POLL_SECONDS = 3.0
"""Between two looks at an operation that takes minutes: every caller in the account shares the limit of calls."""


class Connection:
    """CloudFormation of one account and region.

    `sleep` takes seconds; `poll_seconds` is the time between two looks at something that CloudFormation is still making.
    Every method raises `aws.errors.AwsError` for what CloudFormation or the network refuses.
    """

    def __init__(
        self,
        client: CloudFormationClient,
        *,
        account_id: str,
        region: str,
        sleep: Callable[[float], None],
        poll_seconds: float = 2.0,
    ) -> None:
        self._client: Any = client
        self.account_id = account_id
        self.region = region
        self._sleep = sleep
        self._poll_seconds = poll_seconds
        # One request for a change set after the other: every refusal for a request limit's sake doubles the pause of whoever is refused, so
        # many at once are through later than one by one.
        self._making = threading.Lock()

    def pause(self) -> None:
        """Before another look at something that may be different in a moment."""
        self._sleep(min(self._poll_seconds, 0.5))

    @staticmethod
    def _pages(call: Callable[..., Any], items: str, into: type[T], **arguments: Any) -> Iterator[T]:
        """A list without items may be absent. Source: the service model requires none of these lists."""
        return pages(call, items, into, may_be_absent=True, **arguments)
