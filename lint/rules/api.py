"""What a service's own model says of a property, for every resource type in constraints/: values, lengths, numbers, members.

In: a template. Out: problems of values that the API refuses and the provider schema lets pass.
Never: judges a value that only AWS will know.
"""

from __future__ import annotations

from collections.abc import Iterator

from constraints.table import Entry, entry_of, table, wrong
from lint.rules.base import Problem, Rule
from templates.view import ABSENT, Node, View


class TakenByTheApi(Rule):
    id = "E9903"
    shortdesc = "A value is one that the service's API takes"
    description = (
        "Values, patterns, lengths, numbers, sizes of lists and required members of the request that the resource becomes: constraints/."
    )
    source_url = "https://github.com/boto/botocore/tree/develop/botocore/data"

    def check(self, view: View) -> Iterator[Problem]:
        for resource in view.resources():
            entry = table().get(str(resource.value.get("Type")))
            if entry is not None:
                yield from _problems(view, view.properties_of(resource), entry, entry.get("definitions", {}))


def _problems(view: View, node: Node, entry: Entry, definitions: dict[str, Entry]) -> Iterator[Problem]:
    entry = entry_of(definitions, entry)
    for each in view.values(node):
        yield from ((each.path, said) for said in wrong(entry, view.filled_in(each.value)))
        if isinstance(each.value, dict):
            yield from _of_members(view, each, entry, definitions)
        if isinstance(each.value, list) and "items" in entry:
            for index, item in enumerate(each.value):
                yield from _problems(view, Node((*each.path, index), item, each.given), entry["items"], definitions)


def _of_members(view: View, node: Node, entry: Entry, definitions: dict[str, Entry]) -> Iterator[Problem]:
    members = entry.get("members", {})
    for name, value in node.value.items():
        if name in members:
            yield from _problems(view, Node((*node.path, name), value, node.given), members[name], definitions)
    for name in entry.get("required", ()):
        for each in view.at(node, name):
            if each.value is ABSENT:
                yield node.path, f"{name} is missing; the API needs it"
