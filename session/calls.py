"""With -v: every call to AWS as a line on stderr: service, operation, account, region, status, seconds, AWS's request id.

In: botocore's events. Out: lines. Never: shows what was sent or answered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from session.context import Context

if TYPE_CHECKING:
    from aws.session import Settings


def settings(context: Context) -> Settings:
    """The bounds of every request, with calls told where the caller asked for that."""
    from aws.session import Settings

    return Settings(follow=follower(context) if context.verbose else None)


def follower(context: Context) -> Callable[[Any, Callable[[], str]], None]:
    """What registers with a session's events; the second argument tells its account."""

    def follow(events: Any, account: Callable[[], str]) -> None:
        def before(model: Any, context: dict[str, Any], **_: Any) -> None:
            context["followed"] = model, clock()

        def told(context: dict[str, Any], what: str) -> None:
            model, begun = context["followed"]
            seconds = clock() - begun
            where = f"{account() or 'account unknown yet'} {context.get('client_region', '')}".strip()
            say(f"aws: {model.service_model.service_name} {model.name} ({where}): {what}, {seconds:.2f} s")

        def after(context: dict[str, Any], parsed: dict[str, Any], **_: Any) -> None:
            answer = parsed.get("ResponseMetadata", {})
            code = parsed.get("Error", {}).get("Code", "")
            again = answer.get("RetryAttempts", 0)
            status = " ".join(str(word) for word in (answer.get("HTTPStatusCode", ""), code, answer.get("RequestId", "")) if word)
            told(context, status + (f", attempt {again + 1}" if again else ""))

        def failed(context: dict[str, Any], exception: Exception, **_: Any) -> None:
            # botocore names no operation here.
            told(context, type(exception).__name__)

        events.register("before-call", before)
        events.register("after-call", after)
        events.register("after-call-error", failed)

    clock, say = context.monotonic, context.say
    return follow
