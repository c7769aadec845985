"""Constraints of one property that the API references and quotas document and no service model holds.

In: nothing. Out: `DOCUMENTED`, type -> property -> constraints and their source; they go into the table with those of the models.
Quotas that can be raised on request are the default ones: a template that needs more is refused until it says so (a suppression with its
reason).
"""

from __future__ import annotations

from typing import Any

DOCUMENTED: dict[str, dict[str, tuple[dict[str, Any], str]]] = {}
