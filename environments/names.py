"""Names that AWS takes or refuses: regions, buckets, names of a certificate.

In: a name. Out: why it cannot be one, or None.
"""

from __future__ import annotations

import difflib
import re

from environments.regions import REGIONS


def region_problem(region: str) -> str | None:
    """Why a region cannot be one, or None."""
    if region in REGIONS:
        return None
    close = difflib.get_close_matches(region, sorted(REGIONS), n=1)
    return f"not an AWS region{f'; did you mean {close[0]}?' if close else ''}"


def bucket_name_problem(name: str) -> str | None:
    """Why S3 would refuse a general purpose bucket name, or None. Source: S3 User Guide, bucket naming rules.

    Stricter in one point: no dots, since they break the TLS host name of the bucket.
    """
    if not 3 <= len(name) <= 63:
        return f"a bucket name has 3 to 63 characters, this one {len(name)}"
    wrong = sorted(set(re.findall(r"[^a-z0-9-]", name)))
    if wrong:
        return f"a bucket name has only a-z, 0-9 and hyphens; not {' '.join(wrong)}"
    if name.startswith("-") or name.endswith("-"):
        return "a bucket name begins and ends with a letter or digit"
    for prefix in ("xn--", "sthree-", "amzn-s3-demo-"):
        if name.startswith(prefix):
            return f'S3 reserves the prefix "{prefix}"'
    for suffix in ("-s3alias", "--ol-s3", "--x-s3", "--table-s3", "-an"):
        if name.endswith(suffix):
            return f'S3 reserves the suffix "{suffix}"'
    return None


def dns_name(text: str) -> str | None:
    """The name as DNS has it: lower case, without the trailing dot, other scripts in punycode (RFC 5891, UTS 46); None if it is no name."""
    import idna  # loads tables that a file without problems does not need

    wildcard = "*." if text.startswith("*.") else ""
    try:
        return wildcard + idna.encode(text.removeprefix("*.").rstrip("."), uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return None


def punycode_problem(name: str) -> str | None:
    """Why a name with a label in punycode (`xn--`) stands for no name of another script, or None."""
    if "xn--" not in name:
        return None
    import idna

    for label in name.split("."):
        if label.startswith("xn--"):
            try:
                idna.decode(label)
            except (idna.IDNAError, UnicodeError):
                return f'"{label}" is not the punycode of anything'
    return None


def tag_problem(key: str, value: str) -> str | None:
    """Why CloudFormation, or a service that it hands the tag on to, would refuse a tag, or None.

    Source: CloudFormation API, Tag; IAM API, Tag, whose characters are the fewest.
    """
    for what, text, longest in (("key", key, 128), ("value", value, 256)):
        if not 1 <= len(text) <= longest:
            return f"the {what} of a tag has 1 to {longest} characters, this one {len(text)}"
        wrong = sorted({character for character in text if not (character.isalnum() or character in "_.:/=+-@ ")})
        if wrong:
            return f"the {what} of a tag has only letters, digits, spaces and _ . : / = + - @; not {' '.join(map(ascii, wrong))}"
    return 'AWS keeps keys that begin with "aws:" to itself' if key.lower().startswith("aws:") else None
