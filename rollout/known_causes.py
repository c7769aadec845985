"""AWS's words for failures whose cause and remedy are known.

In: the reason of a failed resource. Out: what it means and what to type, with `{environment}` to fill in; None for other words.
Never: guesses; words that are not listed here stay as AWS wrote them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class KnownCause:
    """A failure that was met before."""

    words: re.Pattern[str]
    explanation: str
    command: str = ""
    """Empty: what the stack's status asks for comes first."""


CAUSES = (
    KnownCause(
        words=re.compile(r"A version for this Lambda function exists|Version already exists: \[?arn:", re.IGNORECASE),
        explanation="Lambda publishes no second version of a function that is as its last version has it, which an earlier attempt"
        " published; storing the password anew changes the function",
        command="python deploy.py set-password --env {environment} --generate",
    ),
    KnownCause(
        words=re.compile(r"Function already exists?\b|AWS::Lambda::Function' with identifier '[^']+' already exists", re.IGNORECASE),
        explanation="a function of that name is left from a stack that was deleted; once CloudFront has let go of its replicas (hours),"
        " delete it: aws lambda delete-function --region us-east-1 --function-name NAME",
    ),
)
"""Sources: aws/aws-cdk issues 10274 and 28252; aws-samples/sample-geospatial-foundation-models-on-aws issue 14; Lambda API reference,
CreateFunction (ResourceConflictException)."""


def known_cause(reason: str) -> KnownCause | None:
    """The known failure that the words tell of."""
    return next((cause for cause in CAUSES if cause.words.search(reason)), None)
