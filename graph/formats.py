"""A picture as Mermaid or DOT.

In: a `Picture`. Out: text.
Never: sets the colour of a text, as light and dark pages both show it; lets a colour alone say something, or a name end a label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from graph.picture import MEANINGS, Box, Mark, Picture

VISITOR = "visitor"
_LINES: Mapping[Mark, str] = {
    "add": "stroke:#2da44e,stroke-width:3px",
    "modify": "stroke:#bf8700,stroke-width:3px",
    "replace": "stroke:#cf222e,stroke-width:3px",
    "remove": "stroke:#cf222e,stroke-width:3px,stroke-dasharray:5 4",
}
"""Of a frame, in tones that stand out on light and on dark."""
_DOT: Mapping[Mark, str] = {
    "": "",
    "add": ' color="#2da44e" penwidth=3',
    "modify": ' color="#bf8700" penwidth=3',
    "replace": ' color="#cf222e" penwidth=3',
    "remove": ' color="#cf222e" penwidth=3 style=dashed',
}


def mermaid(of: Picture) -> str:
    """A flowchart, as GitHub and many editors draw it."""
    lines = [f"%% {_plain(of.title)}", "flowchart LR"]
    if of.entry:
        lines.append(f'  {VISITOR}(["visitor of {_plain(of.domain)}"])')
    for account, regions in _accounts(of):
        lines.append(f'  subgraph a{account}["account {account}"]')
        for region, boxes in regions:
            lines.append(f'    subgraph a{account}_{_word(region)}["{_plain(region)}"]')
            for box in boxes:
                lines.append(f'      subgraph {_word(box.stack)}_stack["{_marked(box.stack, box.mark)}"]')
                lines += [f'        {node.id}["{_marked(node.label, node.mark)}"]' for node in box.nodes]
                lines.append("      end")
            lines.append("    end")
        lines.append("  end")
    lines += [f"  style {node.id} {_LINES[node.mark]}" for box in of.boxes for node in box.nodes if node.mark]
    lines += [f"  {VISITOR} ==> {entry}" for entry in of.entry]
    lines += [f"  {a.source} {'==>' if a.main else '-.->'}|{a.label}| {a.target}" for a in of.arrows]
    return "\n".join(lines) + "\n"


def dot(of: Picture) -> str:
    """For Graphviz."""
    lines = [f'digraph "{_plain(of.title)}" {{', '  rankdir=LR; bgcolor="transparent"; node [shape=box]; compound=true;']
    if of.entry:
        lines.append(f'  {VISITOR} [shape=ellipse label="visitor of {_plain(of.domain)}"];')
    for account, regions in _accounts(of):
        lines.append(f'  subgraph cluster_{account} {{ label="account {account}";')
        for region, boxes in regions:
            lines.append(f'    subgraph cluster_{account}_{_word(region)} {{ label="{_plain(region)}";')
            for box in boxes:
                lines.append(f'      subgraph cluster_{_word(box.stack)} {{ label="{_marked(box.stack, box.mark)}"; style=dashed;')
                lines += [f'        {node.id} [label="{_marked(node.label, node.mark)}"{_DOT[node.mark]}];' for node in box.nodes]
                lines.append("      }")
            lines.append("    }")
        lines.append("  }")
    lines += [f"  {VISITOR} -> {entry} [penwidth=2];" for entry in of.entry]
    lines += [f'  {a.source} -> {a.target} [label="{a.label}" {"penwidth=2" if a.main else "style=dashed"}];' for a in of.arrows]
    return "\n".join([*lines, "}"]) + "\n"


def _accounts(of: Picture) -> Iterator[tuple[str, list[tuple[str, list[Box]]]]]:
    found: dict[str, list[tuple[str, list[Box]]]] = {}
    for (account, region), boxes in of.places.items():
        found.setdefault(account, []).append((region, boxes))
    yield from found.items()


def _marked(label: str, mark: Mark) -> str:
    return f"{_plain(label)} ({MEANINGS[mark]})" if mark else _plain(label)


def _word(text: str) -> str:
    return re.sub(r"\W", "_", text)


def _plain(text: str) -> str:
    """Without what ends a label or a line in either format."""
    return re.sub(r'["\\<>{}\[\]|\n\r;#&]', "", text)
