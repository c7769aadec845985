"""moto's server, in a virtual environment of its own: `python server.py -H 127.0.0.1 -p PORT`.

Five defects of moto 5.2.5 are mended, without which no plan of several stacks can be carried out: a stack that comes of a change set keeps
the outputs of the empty template with which it began, ListChangeSets tells those of every stack, and no stack has a LastUpdatedTime, so an
apply waits for minutes for the answer that an update is in; a template's address is taken for its own at `localhost`, not at 127.0.0.1; and
an invalidation is COMPLETED where CloudFront says Completed. What moto has not at all it says as AWS would; its own 500 is a moment's
failure to any client, asked again for a minute. Everything else is moto as it is.
"""

import json
import sys

from moto.cloudformation.models import Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudfront.models import Invalidation
from moto.core.responses import ActionResult, BaseResponse
from moto.server import main

_as_it_was = Stack.outputs.fget
_invalidation_as_it_was = Invalidation.__init__
_known_action = BaseResponse.call_action
_template_at_localhost = CloudFormationResponse._get_stack_from_s3_url


def _outputs(stack):  # type: ignore[no-untyped-def]
    stack._parse_template()
    stack.output_map = stack._create_output_map()
    return _as_it_was(stack)


def _last_updated_time(stack):  # type: ignore[no-untyped-def]
    begun = (e.timestamp for e in reversed(stack.events) if e.resource_status == "UPDATE_IN_PROGRESS")
    return next(begun, None)


def _list_change_sets(response):  # type: ignore[no-untyped-def]
    of = response._get_param("StackName")
    found = response.cloudformation_backend.list_change_sets()
    return ActionResult({"Summaries": [c for c in found if of in (c.stack.name, c.stack.stack_id)]})


def _template_at(response, url):  # type: ignore[no-untyped-def]
    return _template_at_localhost(response, url.replace("//127.0.0.1:", "//localhost:"))


def _call_action(response):  # type: ignore[no-untyped-def]
    try:
        return _known_action(response)
    except NotImplementedError:
        why = f"moto has no {response._get_action()}"
        if "json" in response.headers.get("Content-Type", ""):
            return 400, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps({"__type": "InvalidAction", "message": why})
        error = f"<Error><Code>InvalidAction</Code><Message>{why}</Message></Error>"
        return 400, {"Content-Type": "text/xml"}, f"<ErrorResponse>{error}</ErrorResponse>"


def _invalidation(self, *more):  # type: ignore[no-untyped-def]
    _invalidation_as_it_was(self, *more)
    self.status = "Completed"


BaseResponse.call_action = _call_action
Invalidation.__init__ = _invalidation
Stack.outputs = property(_outputs)
Stack.last_updated_time = property(_last_updated_time)
CloudFormationResponse._get_stack_from_s3_url = _template_at
CloudFormationResponse.list_change_sets = _list_change_sets
main(sys.argv[1:])
