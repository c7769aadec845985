"""What is taken over: the seam between finding and importing.

In: nothing but its own fields. Out: frozen values. Never: AWS.
"""

from __future__ import annotations

from takeover.model import Taken

__all__ = ["Taken"]
