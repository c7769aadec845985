# mypy: allow-untyped-calls
"""What AWS's services refuse in a request although their models allow it, for the local AWS: MiniStack takes it.

In: requests as MiniStack's handlers get them, and as the door has read them. Out: the service's refusal before anything changes.
Never: changes what is taken; looks at what only a resource's own properties say (`lint`, and `emulator` for what is in use).
"""

from __future__ import annotations

from typing import Any

PARTS = {
    "ministack.services.cloudformation.handlers": ("_ACTION_HANDLERS",),
    "ministack.services.cloudformation.helpers": (
        "_error(code, message, status)",
        "_extract_members(params, prefix)",
        "_resolve_template(params)",
    ),
    "ministack.services.s3": (
        "handle_request",
        "_bucket_owner_account(name)",
        "_parse_bucket_key(path, headers)",
        "_error(code, message, status, resource, extra, headers)",
    ),
    "ministack.core.responses": ("error_response_json(code, message, status, extra, message_key, content_type)",),
    "ministack.services.secretsmanager": ("_put_secret_value(data)", "_resolve(secret_id, use_arn_scope)"),
}

_WITH_TEMPLATE = ("CreateChangeSet", "CreateStack", "UpdateStack", "CreateStackSet", "UpdateStackSet", "ValidateTemplate")


def install() -> None:
    """Look before MiniStack's handlers; called after the emulator's own plug-ins. `SeamsMoved` if MiniStack is another one."""
    from emulator import seams

    seams.check(PARTS)
    from ministack.core import responses
    from ministack.services import s3, secretsmanager
    from ministack.services.cloudformation.handlers import _ACTION_HANDLERS

    actions: dict[str, Any] = _ACTION_HANDLERS
    for name in _WITH_TEMPLATE:
        actions[name] = _with_template(actions[name])
    vars(s3)["handle_request"] = _of_s3(s3.handle_request)
    put: Any = secretsmanager._put_secret_value

    def put_secret_value(data: dict[str, Any]) -> Any:
        secret: Any = secretsmanager._resolve(data.get("SecretId"))[1]
        there = (secret or {}).get("Versions", {}).get(data.get("ClientRequestToken"))
        if there is not None and there.get("SecretString") != data.get("SecretString"):
            words = "You can't use ClientRequestToken because that token is already in use for a different secret version."
            return responses.error_response_json("ResourceExistsException", words, 400)
        return put(data)

    vars(secretsmanager)["_put_secret_value"] = put_secret_value


def _with_template(action: Any) -> Any:
    def checked(params: Any) -> Any:
        from ministack.services.cloudformation import helpers

        from api_rules.templates import refusal

        text, wrong = helpers._resolve_template(params)
        given = [str(each["Key"]) for each in helpers._extract_members(params, "Parameters")]
        words = refusal(text, given) if text and not wrong else ""
        return helpers._error("ValidationError", words, 400) if words else action(params)

    return checked


def _of_s3(handle: Any) -> Any:
    async def checked(method: str, path: str, headers: Any, body: bytes, query: Any, *more: Any, **named: Any) -> Any:
        from ministack.services import s3

        from api_rules.objects import Asked, refusal

        bucket, key = s3._parse_bucket_key(path, headers)
        asked = Asked(method=method, bucket=bucket, key=key, headers=headers, query=query, body=body)
        refused = refusal(asked, s3._bucket_owner_account)
        if refused is None:
            return await handle(method, path, headers, body, query, *more, **named)
        answer: Any = s3._error(*refused, path)
        return (*answer[:2], b"") if method == "HEAD" else answer

    return checked
