"""The review as one HTML page that opens from disk, without network.

In: a `Plan`. Out: the page.
Never: loads anything, runs anything that was in a value (all of it is escaped; the page forbids itself every other source), needs its
script: folding is HTML's own, the script only opens and closes all of it at once.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from html import escape as escape_html

from assembly import commands
from guards import documents
from guards.text import printable, split_lines
from planning.model import AnyStackPlan, InstancePlan, Plan, PropertyChange, ResourceChange, StackPlan, StackSetPlan
from review import content_view, summary
from templates.values import Redacted, Unknown, Value

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#59636e;--paper:#fff;--card:#f6f8fa;--line:#d1d9e0;--add:#116329;--add-bg:#dafbe1;
--del:#a40e26;--del-bg:#ffebe9;--mod:#7d4e00;--mod-bg:#fff8c5;--may:#6639ba;--may-bg:#fbefff;--link:#0969da}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--paper:#0d1117;--card:#151b23;--line:#3d444d;--add:#56d364;
--add-bg:#12361f;--del:#ff8f88;--del-bg:#4a1c1f;--mod:#e3b341;--mod-bg:#3b2e0a;--may:#c8a5ff;--may-bg:#32224d;--link:#4493f8}}
*{box-sizing:border-box}body{margin:0 auto;max-width:76rem;padding:1.5rem;font:15px/1.5 system-ui,sans-serif;color:var(--ink);
background:var(--paper)}h1{font-size:1.6rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}a{color:var(--link)}
code,pre,.v,.mono{font:13px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}.soft{color:var(--soft)}
.bar{display:flex;gap:.5rem;flex-wrap:wrap;align-items:center;margin:1rem 0}button{font:inherit;padding:.2rem .7rem;border:1px solid
var(--line);border-radius:6px;background:var(--card);color:var(--ink);cursor:pointer}
.line{font-weight:600;padding:.6rem .9rem;border:1px solid var(--line);border-radius:8px;background:var(--card)}
.danger,.finding{margin:.5rem 0;padding:.6rem .9rem;border-left:4px solid var(--soft);border-radius:4px;background:var(--card)}
.danger,.error{border-color:var(--del);background:var(--del-bg)}.danger strong,.error strong{color:var(--del)}
.warning,.kept{border-color:var(--mod);background:var(--mod-bg)}
details{border:1px solid var(--line);border-radius:8px;margin:.5rem 0;background:var(--paper)}details>summary{cursor:pointer;
padding:.5rem .8rem;list-style-position:inside}details[open]>summary{border-bottom:1px solid var(--line)}.in{padding:.5rem .8rem}
details details{border-radius:6px}.tag{display:inline-block;padding:0 .5em;border-radius:1em;font-size:.85em;border:1px solid currentColor}
.sym{display:inline-block;min-width:2.2em;font-weight:700;font-family:ui-monospace,monospace}
.add,.create,.import{color:var(--add)}.remove,.replace,.blocked{color:var(--del)}.modify,.update,.settings,.instances,.sync{color:var(--mod)}
.maybe_replace,.dynamic,.unlisted,.unknown{color:var(--may)}.none{color:var(--soft)}
table{border-collapse:collapse;width:100%;table-layout:fixed;margin:.3rem 0}td,th{border:1px solid var(--line);padding:.25rem .5rem;
vertical-align:top;text-align:left;overflow-wrap:anywhere}th{background:var(--card);font-weight:600}td.name{width:22%}
.v{white-space:pre-wrap}.v.b{background:var(--del-bg)}.v.a{background:var(--add-bg)}.v.u{background:var(--may-bg)}.v.n{color:var(--soft)}
.v ins,.v del{text-decoration:none;display:inline-block;width:100%}.v ins{background:var(--add-bg);color:var(--add)}
.v del{background:var(--del-bg);color:var(--del)}.side td{width:50%}.shout{color:var(--del);font-weight:700}
svg{max-width:100%;height:auto;border:1px solid var(--line);border-radius:8px;background:var(--card)}svg text{font:13px system-ui,
sans-serif;fill:var(--ink)}svg .what{font-size:11px;fill:var(--soft)}svg rect{fill:var(--paper);stroke:currentColor;stroke-width:1.5}
svg path{fill:none;stroke:var(--soft);stroke-width:1.2}ul{padding-left:1.3rem}
@media print{button{display:none}}
"""
_SCRIPT = """
document.querySelectorAll("button[data-open]").forEach(function(b){b.hidden=false;b.addEventListener("click",function(){
var o=b.dataset.open==="1";document.querySelectorAll("details").forEach(function(d){d.open=o})})});
function reveal(){var t=location.hash&&document.getElementById(decodeURIComponent(location.hash.slice(1)));
if(t&&t.tagName==="DETAILS"){t.open=true;t.scrollIntoView()}}addEventListener("hashchange",reveal);reveal();
"""


def escape(text: str) -> str:
    """Text as nothing but text."""
    return "\n".join(escape_html(printable(line)) for line in text.split("\n"))


def render(plan: Plan) -> str:
    """The page."""
    return "\n".join(_page(plan)) + "\n"


def _page(plan: Plan) -> Iterator[str]:
    title = f"Plan for {plan.environment} ({plan.project})"
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">'
    yield f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
    yield f"<h1>{escape(title)}</h1>"
    protected = ", protected" if plan.protected else ""
    yield (
        f'<p class="soft">account {escape(plan.account_id)}{protected}; assembly <code>{escape(plan.assembly_digest[:12])}</code>; made'
        f" {escape(plan.created_at)} by {escape(plan.created_by)};"
        f" plan <code>{escape(plan.digest)}</code></p>"
    )
    for danger in summary.dangers(plan):
        kind = "danger" if danger.lost else "danger kept"
        yield f'<p class="{kind}" role="alert"><strong>{escape(danger.stack)}:</strong> {escape(danger.sentence)}</p>'
    yield f'<p class="line">{escape(summary.last_line(plan))}</p>'
    yield from _findings(plan)
    yield "<h2>Stacks</h2>"
    yield graph(plan)
    yield '<div class="bar"><button data-open="1" hidden>Open all</button><button data-open="0" hidden>Close all</button>'
    marks = "".join(f'<span class="mono">{escape(symbol)}</span> {escape(meaning)} &nbsp; ' for symbol, meaning in summary.legend(plan))
    yield f'<span class="soft">{marks}</span></div>'
    for stack in plan.stacks:
        yield from _stack(stack)
    yield from _content(plan)
    yield from _widenings(plan)
    command = summary.next_command(plan)
    if command:
        yield f"<h2>Next</h2><pre>{escape(command)}</pre>"
    yield f"</main><script>{_SCRIPT}</script></body></html>"


def _findings(plan: Plan) -> Iterator[str]:
    for finding in summary.findings_in_order(plan):
        where = f"{escape(finding.stack)}: " if finding.stack else ""
        told = (line.partition(" ") for line in commands.told(finding.command))
        command = "".join(f"<br>{label} <code>{escape(words)}</code>" for label, _, words in told)
        yield f'<p class="finding {finding.severity}"><strong>{finding.severity}</strong> {where}{escape(finding.message)}{command}</p>'


# --- graph --------------------------------------------------------------------------------------------------------

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _EDGE = 190, 46, 60, 18, 14


def layers(dependencies: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Each stack's column: one more than that of the last stack it waits for. Stacks stand in catalogue order."""
    found: dict[str, int] = {}
    for stack, needs in dependencies.items():
        found[stack] = max((found[n] + 1 for n in needs if n in found), default=0)
    return found


def reduced(dependencies: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Without the dependencies that others imply."""
    reach: dict[str, frozenset[str]] = {}
    for stack, needs in dependencies.items():
        reach[stack] = frozenset(needs).union(*(reach.get(n, frozenset()) for n in needs))
    return {
        stack: tuple(n for n in needs if n in dependencies and not any(n in reach.get(o, frozenset()) for o in needs if o != n))
        for stack, needs in dependencies.items()
    }


def graph(plan: Plan) -> str:
    """The stacks as inline SVG, left to right in the order they are executed."""
    dependencies = {s.stack: s.depends_on for s in plan.stacks}
    column = layers(dependencies)
    rows: dict[int, int] = {}
    place: dict[str, tuple[int, int]] = {}
    for stack in plan.stacks:
        x, y = column[stack.stack], rows.setdefault(column[stack.stack], 0)
        rows[x] = y + 1
        place[stack.stack] = (_EDGE + x * (_WIDTH + _GAP_X), _EDGE + y * (_HEIGHT + _GAP_Y))
    width = 2 * _EDGE + (max(rows, default=0) + 1) * (_WIDTH + _GAP_X) - _GAP_X
    height = 2 * _EDGE + max(rows.values(), default=1) * (_HEIGHT + _GAP_Y) - _GAP_Y
    parts = [
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="Stacks and what they wait for">'
    ]
    for name, needs in reduced(dependencies).items():
        for need in needs:
            (x1, y1), (x2, y2) = place[need], place[name]
            x1, y1, y2 = x1 + _WIDTH, y1 + _HEIGHT // 2, y2 + _HEIGHT // 2
            middle = (x1 + x2) // 2
            parts.append(f'<path d="M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"/>')
    for planned in plan.stacks:
        x, y = place[planned.stack]
        what = f"{planned.region}, {summary.operation_text(planned)}"
        parts.append(
            f'<a href="#{escape(_anchor(planned))}"><g class="{planned.operation}">'
            f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="7"/>'
            f'<text x="{x + 10}" y="{y + 19}">{escape(_short(planned.stack, 24))}</text>'
            f'<text class="what" x="{x + 10}" y="{y + 36}">{escape(_short(what, 32))}</text></g></a>'
        )
    return "".join(parts) + "</svg>"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _anchor(stack: AnyStackPlan) -> str:
    return f"stack-{stack.stack}"


# --- stacks -------------------------------------------------------------------------------------------------------


def _stack(stack: AnyStackPlan) -> Iterator[str]:
    kind = "StackSet " if isinstance(stack, StackSetPlan) else ""
    opened = " open" if any(c.endangers_data for c in stack.resources) or stack.operation == "blocked" else ""
    yield (
        f'<details id="{escape(_anchor(stack))}"{opened}><summary><strong>{escape(stack.stack)}</strong>'
        f' <span class="tag {stack.operation}">{escape(summary.operation_text(stack))}</span>'
        f" {escape(summary.stack_counts(stack))}</summary>"
        f'<div class="in"><p class="soft">{kind}<code>{escape(stack.stack_name)}</code> in {escape(summary.place(stack))}</p>'
    )
    if stack.waits_for:
        refs = ", ".join(f'<code class="unknown">{escape(ref)}</code>' for ref in stack.waits_for)
        yield f"<p>Waits for {refs}; apply makes the real change set then and compares it with this one.</p>"
    yield from _table(
        "Parameters",
        [(p.name + ("" if p.source == "literal" else f"\n({p.source})"), p.before, p.after, "") for p in stack.parameters if p.changed],
    )
    for change in stack.resources:
        yield from _resource(change)
    if isinstance(stack, StackPlan):
        yield from _table("Outputs", [(f"{o.name} ({o.change})", o.before, o.after, "") for o in stack.outputs if o.change != "add"])
        for setting in stack.settings:
            yield f"<p>Setting: {escape(setting.setting.replace('_', ' '))}</p>{_side_by_side(setting.before or None, setting.after)}"
        for logical_id in stack.policy_forbids:
            yield f'<p class="shout">{escape(logical_id)}: the stack policy in force forbids this change</p>'
    else:
        if stack.settings_changed:
            yield f"<p>Settings of the set: {escape(', '.join(stack.settings_changed))}</p>"
        yield "<table><tr><th>region</th><th>account</th><th>what</th><th>now</th><th>why</th></tr>"
        yield from (_instance(i) for i in stack.instances)
        yield "</table>"
    yield "</div></details>"


def _instance(instance: InstancePlan) -> str:
    cells = (
        instance.region,
        instance.account_id or instance.organizational_unit,
        f"{summary.INSTANCE_SYMBOLS[instance.action]} {instance.action}",
        instance.status,
        instance.reason,
    )
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _resource(change: ResourceChange) -> Iterator[str]:
    kind = summary.kind_of(change)
    because = ""
    if change.replacement.because and kind in ("replace", "maybe_replace"):
        because = f" because of {escape(', '.join(change.replacement.because))}"
    inferred = f' <span class="soft" title="{summary.INFERRED}">*</span>' if change.replacement.by == "schema" and kind != "add" else ""
    policy = f" ({change.policy_action})" if change.policy_action and kind in ("remove", "replace", "maybe_replace") else ""
    shout = ' <span class="shout">HOLDS DATA</span>' if change.endangers_data else ""
    opened = " open" if change.endangers_data else ""
    physical = f' <span class="soft mono">{escape(change.physical_id)}</span>' if change.physical_id else ""
    yield (
        f'<details{opened}><summary><span class="sym {kind}">{escape(summary.SYMBOLS[kind])}</span> <strong class="{kind}">'
        f"{escape(change.logical_id)}</strong> {escape(change.resource_type)}{because}{inferred}{policy}{shout}{physical}</summary>"
        '<div class="in">'
    )
    for item in change.properties:
        yield from _property(item)
    yield "</div></details>"


def _property(item: PropertyChange) -> Iterator[str]:
    label = item.path if item.attribute == "Properties" and item.path else f"{item.attribute}.{item.path}".rstrip(".")
    notes = [{"never": "", "conditionally": "may replace", "always": "replaces"}[item.recreation]]
    notes += [f"via {', '.join(item.because_of)}"] if item.because_of else []
    notes += ["drifted"] if item.drifted else []
    notes += ["may change"] if item.before is None and item.after is None else []
    yield from _table("", [(label, item.before, item.after, "; ".join(n for n in notes if n))])


def _table(title: str, rows: list[tuple[str, Value | None, Value | None, str]]) -> Iterator[str]:
    if not rows:
        return
    if title:
        yield f"<h3>{escape(title)}</h3>"
    yield "<table>"
    for name, before, after, note in rows:
        extra = f'<br><span class="soft">{escape(note)}</span>' if note else ""
        label = escape(name).replace("\n", "<br>")
        yield f'<tr><td class="name"><code>{label}</code>{extra}</td>{_cells(before, after)}</tr>'
    yield "</table>"


def _cells(before: Value | None, after: Value | None) -> str:
    old, new = _pretty(before), _pretty(after)
    if old is not None and new is not None and "\n" in old + new:
        left, right = _marked_lines(old, new)
        return f'<td><div class="v">{left}</div></td><td><div class="v">{right}</div></td>'
    return f"<td>{_cell(before, old, 'b')}</td><td>{_cell(after, new, 'a')}</td>"


def _cell(value: Value | None, text: str | None, side: str) -> str:
    if value is None or text is None:
        return '<div class="v n">(none)</div>'
    kind = "u" if isinstance(value, Unknown) else "n" if isinstance(value, Redacted) else side
    return f'<div class="v {kind}">{escape(text)}</div>'


def _pretty(value: Value | None) -> str | None:
    """The value; a JSON structure over several lines."""
    if value is None:
        return None
    text = summary.text(value)
    if text[:1] in ("{", "[") and not text.startswith("{known after"):
        try:
            return json.dumps(documents.loads(text), indent=2, ensure_ascii=False)
        except ValueError:
            return text
    return text


def _marked_lines(old: str, new: str) -> tuple[str, str]:
    """Both texts, with the lines that differ marked."""
    left, right = split_lines(old), split_lines(new)
    sides: tuple[list[str], list[str]] = ([], [])
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for side, lines, mark in ((0, left[i1:i2], "del"), (1, right[j1:j2], "ins")):
            sides[side].extend(escape(line) if tag == "equal" else f"<{mark}>{escape(line)}</{mark}>" for line in lines)
    return "\n".join(sides[0]), "\n".join(sides[1])


def _side_by_side(before: str | None, after: str) -> str:
    def of(text: str) -> str:
        try:
            return json.dumps(documents.loads(text), indent=2, ensure_ascii=False)
        except ValueError:
            return text

    left, right = _marked_lines(of(before) if before else "", of(after))
    return f'<table class="side"><tr><td><div class="v">{left or "(none)"}</div></td><td><div class="v">{right}</div></td></tr></table>'


_CONTENT = {"add": "add", "modify": "modify", "headers": "import"}


def _content(plan: Plan) -> Iterator[str]:
    content = plan.content
    if content is None:
        return
    yield "<h2>Content</h2>"
    counts = escape(content_view.counts(content))
    yield f'<details id="content"{" open" if 0 < len(content.changes) <= content_view.SHOWN else ""}><summary>{counts}</summary>'
    yield f'<div class="in"><p class="soft">{escape(content_view.headline(content))}; to {escape(content_view.place(content))}</p>'
    for note in content.notes:
        yield f'<p class="finding warning"><strong>warning</strong> {escape(note)}</p>'
    if content.changes:
        yield f'<p class="soft">{escape(content_view.legend(content))}</p><table>'
    for change in content_view.ordered(content):
        mark = f'<span class="sym {_CONTENT[change.change]}">{content_view.MARKS[change.change]}</span>'
        cells = f"<td>{escape(content_view.size(change))}</td><td>{escape(content_view.headers(change))}</td>"
        yield f'<tr><td class="name">{mark}<code>{escape(change.key)}</code></td>{cells}</tr>'
    if content.changes:
        yield "</table>"
    for title, keys in content_view.lists(content):
        listed = "".join(f"<li><code>{escape(key)}</code></li>" for key in keys)
        yield f"<details><summary>{escape(title)}: {len(keys):,}</summary><ul>{listed}</ul></details>"
    yield "</div></details>"


def _widenings(plan: Plan) -> Iterator[str]:
    groups = list(summary.widening_groups(plan))
    if not groups:
        return
    yield "<h2>Policies that allow more than before</h2>"
    for stack, where, found in groups:
        loud = any(w.grants_everything for w in found)
        head = f"{escape(stack)}: {escape(where)}; {summary.plural(len(found), 'widening')}"
        yield f"<details{' open' if loud else ''}><summary>{head}</summary><ul>"
        for widening in found:
            shout = '<span class="shout">GRANTS EVERYTHING</span> ' if widening.grants_everything else ""
            yield f"<li>{shout}{escape(summary.widening_text(widening))}</li>"
        yield "</ul></details>"
