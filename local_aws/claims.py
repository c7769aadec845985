# mypy: allow-untyped-calls
"""What a trust policy may ask of GitHub's token beside audience and subject.

In: a web identity token. Out: its claims as condition keys. Never: says whether the token is genuine (`proof`).

Source: IAM User Guide, "IAM and AWS STS condition context keys", keys for web identity federation: ref and environment of GitHub's are
among them since January 2026; MiniStack knows those that every issuer has.
"""

from __future__ import annotations

from typing import Any

GITHUB = "token.actions.githubusercontent.com"
CLAIMS = ("ref", "environment")


def install() -> None:
    """Wrap MiniStack's reader of a token."""
    from ministack.services import cognito, sts

    principal: Any = sts._web_identity_principal

    def identified(token: str, provider_id: str, role_arn: str) -> Any:
        found, keys = principal(token, provider_id, role_arn)
        claims = cognito._decode_id_token_unverified(token) if f"{GITHUB}:sub" in keys else {}
        return found, keys | {f"{GITHUB}:{name}": claims[name] for name in CLAIMS if name in claims}

    vars(sts)["_web_identity_principal"] = identified
