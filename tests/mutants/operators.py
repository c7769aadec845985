"""The faults: every small change of one node of a module, each under a name that survives moved lines.

In: the source text of a module. Out: `Mutant` values, and the code object of one of them.
Never: changes an annotation, a docstring or a text; what only mypy or a reader sees is no behaviour.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import CodeType

_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}

_FOR_CALLERS = ("frozen", "kw_only")
"""Of a class: what they forbid mypy refuses, or nobody writes."""

Change = tuple[ast.AST, ast.AST]
"""A node, and what stands in its place."""


@dataclass(frozen=True)
class Spot:
    """Where in a module a node stands."""

    function: str = "<module>"
    """`Class.method`."""
    lines: tuple[int, int] = (1, 1)
    """First and last line of its statement, without the body of a compound one."""
    at_import: bool = True
    """Whether it runs when the module is imported: in the body of a class, a default value, a decorator."""


@dataclass(frozen=True)
class Mutant:
    """One fault. Its file, function and change name it; a number tells equal changes of one function apart."""

    file: str
    spot: Spot
    change: str
    number: int
    line: int
    """Of the node, 1-based."""
    place: int
    """Which of the module's changes it is, in the order of `_changes`."""

    @property
    def key(self) -> str:
        """Stable while other lines of the file move."""
        return f"{self.file} {self.spot.function}: {self.change}" + (f" #{self.number}" if self.number > 1 else "")


def mutants(file: str, source: str) -> list[Mutant]:
    """Every fault of a module, in the order of its text."""
    found: list[Mutant] = []
    seen: dict[tuple[str, str], int] = {}
    for place, (spot, (before, after)) in enumerate(_changes(ast.parse(source), Spot())):
        change = f"{_text(before)} -> {_text(after)}"
        seen[spot.function, change] = number = seen.get((spot.function, change), 0) + 1
        found.append(Mutant(file, spot, change, number, getattr(before, "lineno", spot.lines[0]), place))
    return found


def mutated(mutant: Mutant, source: str, path: str) -> CodeType:
    """The module with the fault. Raises LookupError if the source is another one than the mutant was made from."""
    tree = ast.parse(source)
    for place, (_, (before, after)) in enumerate(_changes(tree, Spot())):
        if place == mutant.place:
            _Replace(before, after).visit(tree)
            return compile(ast.fix_missing_locations(tree), path, "exec")
    raise LookupError(mutant.key)


class _Replace(ast.NodeTransformer):
    def __init__(self, before: ast.AST, after: ast.AST) -> None:
        self._before, self._after = before, after

    def visit(self, node: ast.AST) -> ast.AST:
        # Not descended into: what stands in the place may hold the node itself (`not x`).
        if node is self._before:
            return ast.copy_location(self._after, node)
        return self.generic_visit(node)


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else f"{text[:60]}...{text[-27:]}"


def _changes(node: ast.AST, spot: Spot) -> Iterator[tuple[Spot, Change]]:
    for name, child in _behaviour(node):
        here = spot
        if isinstance(child, ast.stmt):
            here = replace(here, lines=_own_lines(child))
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            here = replace(here, function=f"{spot.function}.{child.name}".removeprefix("<module>."))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and name == "body":
            here = replace(here, at_import=False)
        for operator in OPERATORS:
            for change in operator(child):
                yield here, change
        yield from _changes(child, here)


def _own_lines(statement: ast.stmt) -> tuple[int, int]:
    bodies: list[ast.stmt] = getattr(statement, "body", [])
    last = statement.end_lineno or statement.lineno
    return statement.lineno, max(statement.lineno, bodies[0].lineno - 1) if bodies else last


def _behaviour(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The children that run, each with the name of its field."""
    for name, value in ast.iter_fields(node):
        if (isinstance(node, ast.keyword) and node.arg in _FOR_CALLERS) or name in ("annotation", "returns", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            documents = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            typing = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            if isinstance(child, ast.AST) and not documents and not typing:
                yield name, child


def _comparison(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            turned = [*node.ops[:index], _TURNED[type(operator)](), *node.ops[index + 1 :]]
            yield node, ast.Compare(left=node.left, ops=turned, comparators=node.comparators)


def _condition(node: ast.AST) -> Iterator[Change]:
    """An `if` that is always or never true, a comprehension that leaves nothing out. Not `while`: most would hang."""
    if isinstance(node, ast.If | ast.IfExp):
        yield node.test, ast.Constant(value=True)
        yield node.test, ast.Constant(value=False)
    if isinstance(node, ast.comprehension):
        for condition in node.ifs:
            yield condition, ast.Constant(value=True)


def _statement(node: ast.AST) -> Iterator[Change]:
    """A call made for its effect and a raise that are left out; a return of nothing; a loop that ends too soon or too late."""
    match node:
        case ast.Raise() | ast.Expr(value=ast.Call()) | ast.Break():
            yield node, ast.Pass()
        case ast.Continue():
            yield node, ast.Break()
        case ast.Return(value=ast.expr() as value) if ast.unparse(value) != "None":
            yield value, ast.Constant(value=None)


def _logic(node: ast.AST) -> Iterator[Change]:
    """`and` for `or`, a part left out, a `not` left out."""
    if isinstance(node, ast.BoolOp):
        yield node, ast.BoolOp(op=ast.Or() if isinstance(node.op, ast.And) else ast.And(), values=node.values)
        for index in range(len(node.values)):
            rest = node.values[:index] + node.values[index + 1 :]
            yield node, rest[0] if len(rest) == 1 else ast.BoolOp(op=node.op, values=rest)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node, node.operand


def _constant(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield node, ast.Constant(value=not node.value)
        elif isinstance(node.value, int | float):
            yield node, ast.Constant(value=node.value + 1)
            yield node, ast.Constant(value=node.value - 1)


OPERATORS: tuple[Callable[[ast.AST], Iterator[Change]], ...] = (_comparison, _condition, _statement, _logic, _constant)
