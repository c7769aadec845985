"""A long value over several lines, so that a comparison line by line shows what differs.

In: a text. Out: the same text with JSON structures one key a line, whether they are all of it or a constant in a program.
Never: changes anything but white space.
"""

from __future__ import annotations

import json
import re

from guards import documents

_CONSTANT = re.compile(r"^(?P<head>\s*(?:const|var|let) \w+ = )(?P<value>[{\[].*[}\]])(?P<tail>;?)$", re.MULTILINE)


def spread(value: str) -> str:
    """A JSON structure, or the configuration in a program's text, over several lines; any other text as it is."""
    if value[:1] in ("{", "["):
        return _pretty(value)
    if "\n" in value:
        return _CONSTANT.sub(lambda m: f"{m['head']}{_pretty(m['value'])}{m['tail']}", value)
    return value


def _pretty(text: str) -> str:
    try:
        return json.dumps(documents.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
