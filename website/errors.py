"""What stops work on the site: one family, each with the next command to type.

In: words. Out: exceptions that the command line turns into an exit status. Never: anything about AWS itself (that is `aws.errors`).
"""

from __future__ import annotations

from assembly.errors import Problems, Remedied


class WebsiteError(Remedied):
    """It cannot be done, for that reason; `command` is what to type, or ""."""


class Busy(WebsiteError):
    """Somebody else was first; nothing of theirs was touched."""


class NotDeployed(WebsiteError):
    """The stacks have to be applied first."""


class Moved(WebsiteError):
    """Content or site are not what they were when the plan was approved."""


class SourceError(Problems):
    """Content that must not be published; one line a reason."""
