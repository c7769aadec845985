"""An AWS in which new things appear late and reads are stale for a while, as the real one's: asked for by LOCAL_AWS_LATE.

In: LOCAL_AWS_LATE, the seed; LOCAL_AWS_LATE_SECONDS, the longest delay (default 0.25); LOCAL_AWS_LATE_ONLY, the one kind of thing (a
resource type) that is late, as long as the file LOCAL_AWS_LATE_WHILE exists.
Out: refusals, old answers and failed resources in AWS's words, each for a random while that follows from the seed.
Never: does anything unless asked; loses or changes what was written; makes a read of S3 objects or DynamoDB items stale, which AWS promises
not to be (S3 User Guide, "Amazon S3 data consistency model"; DynamoDB Developer Guide, "Read consistency").
"""

from __future__ import annotations

import os
from pathlib import Path


def install() -> None:
    """Wrap every service's handler and every resource type, if the mode is asked for; after every other plug-in."""
    seed = os.environ.get("LOCAL_AWS_LATE", "")
    if not seed:
        return
    from late import answers, resources
    from late.visibility import Visibility

    given = os.environ.get
    hidden = Path(given("LOCAL_AWS_LATE_WHILE", "")).is_file
    visibility = Visibility(seed, float(given("LOCAL_AWS_LATE_SECONDS", "0.25")), only=given("LOCAL_AWS_LATE_ONLY", ""), hidden=hidden)
    answers.install(visibility)
    resources.install(visibility)
