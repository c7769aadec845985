"""moto's server, in a virtual environment of its own: `python server.py -H 127.0.0.1 -p PORT`.

One defect of moto 5.2.5 is mended, or no stack could feed another: a stack that comes of a change set keeps the outputs of the empty template
with which it began. Everything else is moto as it is.
"""

import sys

from moto.cloudformation.models import Stack
from moto.server import main

_as_it_was = Stack.outputs.fget


def _outputs(stack):  # type: ignore[no-untyped-def]
    stack._parse_template()
    stack.output_map = stack._create_output_map()
    return _as_it_was(stack)


Stack.outputs = property(_outputs)
main(sys.argv[1:])
