"""The local AWS's GetResource, whatever identifier it is asked with: AWS's refusals, never an error of its own."""

from __future__ import annotations

import json
from typing import Any

from cloud_control.answers import get_resource
from cloud_control.readers import READERS

DEEP = "{" + '"a":{' * 2000
NOTHING_THERE = ("x", "", "{}", "|||", "arn:aws:x", "\x00", '{"Id": null}', '{"Id": 5, "Name": []}')
NO_IDENTIFIER = ("{", "{x}", '{"a": NaN}', DEEP, '{"Surname": "x"}')


def refused(kind: Any, identifier: Any) -> str:
    status, _, body = get_resource({"TypeName": kind, "Identifier": identifier})
    assert status == 400
    return str(json.loads(body)["__type"])


def test_an_identifier_that_is_none_is_refused_as_aws_refuses_it() -> None:
    for kind in READERS:
        for broken in NO_IDENTIFIER:
            assert refused(kind, broken) == "ValidationException", (kind, broken)
        for identifier in (*NOTHING_THERE, None, 5):
            assert refused(kind, identifier) in ("ResourceNotFoundException", "ValidationException"), (kind, identifier)
    unknown: Any
    for unknown in ("AWS::X::Y", "", None, 5):
        assert refused(unknown, "x") == "UnsupportedActionException"
