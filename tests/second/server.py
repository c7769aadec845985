"""moto's server, in a virtual environment of its own: `python server.py -H 127.0.0.1 -p PORT`.

Two defects of moto 5.2.5 are mended, without which no plan of several stacks can be carried out; everything else is moto as it is:
a stack that comes of a change set keeps the outputs of the empty template with which it began, and ListChangeSets tells those of every
stack.
"""

import sys

from moto.cloudformation.models import Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult
from moto.server import main

_as_it_was = Stack.outputs.fget


def _outputs(stack):  # type: ignore[no-untyped-def]
    stack._parse_template()
    stack.output_map = stack._create_output_map()
    return _as_it_was(stack)


def _list_change_sets(response):  # type: ignore[no-untyped-def]
    of = response._get_param("StackName")
    found = response.cloudformation_backend.list_change_sets()
    return ActionResult({"Summaries": [c for c in found if of in (c.stack.name, c.stack.stack_id)]})


Stack.outputs = property(_outputs)
CloudFormationResponse.list_change_sets = _list_change_sets
main(sys.argv[1:])
