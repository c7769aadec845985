# mypy: allow-untyped-calls
"""Where a web ACL's logs go, which MiniStack 1.5.33 lacks: AWS::WAFv2::LoggingConfiguration.

In: resolved template properties. Out: the physical id. It is kept in MiniStack's record of the web ACL, so it goes with that.
Never: writes a log.
"""

from __future__ import annotations

from typing import Any

import ministack.services.cloudformation.provisioners as cfn

from cloud_control.firewall import LOGGING, acl_at

Properties = dict[str, Any]
DESTINATIONS = ("arn:aws:s3:::aws-waf-logs-", ":log-group:aws-waf-logs-", ":deliverystream/aws-waf-logs-")
"""AWS WAF Developer Guide, "Logging AWS WAF protection pack (web ACL) traffic": the names have to begin so."""


def install() -> None:
    """Add the type to MiniStack's table."""
    cfn._RESOURCE_HANDLERS["AWS::WAFv2::LoggingConfiguration"] = {
        "create": _create,
        "update": lambda physical_id, _old, new, _stack: _written(physical_id, new),
        "delete": _delete,
    }


def _create(_logical_id: str, props: Properties, _stack_name: str) -> tuple[str, Properties]:
    return _written(str(props["ResourceArn"]), props)


def _written(acl: str, props: Properties) -> tuple[str, Properties]:
    record = acl_at(acl)
    if record is None:
        raise ValueError("AWS WAF couldn't perform the operation because your resource doesn't exist. (WAFNonexistentItemException)")
    wanted = props["LogDestinationConfigs"]
    if len(wanted) != 1 or not any(word in str(wanted[0]) for word in DESTINATIONS):
        raise ValueError(
            "Error reason: The ARN isn't valid. A valid ARN begins with arn: and includes other information separated by colons or"
            f" slashes., field: LOG_DESTINATION, parameter: {wanted} (WAFInvalidParameterException)"
        )
    record[LOGGING] = dict(props)
    return acl, {}


def _delete(physical_id: str, _props: Properties) -> None:
    record = acl_at(physical_id)
    if record is not None:
        record.pop(LOGGING, None)
