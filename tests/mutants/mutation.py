"""The mutants of a file: mutmut's operators over libcst's tree, and four of our own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import CodeType

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation.mutators import mutation_operators

ROOT = Path(__file__).parents[2]
Operator = Callable[[cst.CSTNode], Iterable[cst.CSTNode]]

_NOT = cst.Not(whitespace_after=cst.SimpleWhitespace(" "))
_SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}
# What has no effect on what the code does: types, imports, decorators that a test would miss at once, and the log.
_PASSED_OVER = m.OneOf(
    m.Annotation(),
    m.Import(),
    m.ImportFrom(),
    m.Decorator(),
    m.FormattedString(),
    m.If(test=m.Name("TYPE_CHECKING")),
    m.SimpleStatementLine(body=[m.Expr(m.Call(func=m.Attribute(value=m.Name("log"))))]),
    m.Assign(value=m.Call(func=m.Attribute(value=m.Name("logging")))),
    m.Assign(value=m.Call(func=m.Name("TypeVar"))),
    m.Assign(value=m.Subscript(value=m.Name("Callable") | m.Name("dict") | m.Name("list") | m.Name("frozenset"))),
    m.ClassDef(bases=[m.ZeroOrMore(), m.Arg(m.Name("Protocol")), m.ZeroOrMore()]),
)

# An attribute that begins as another nothing, such as None for False, is the same to whoever reads it.
_NOTHING_YET = m.OneOf(m.Name("None"), m.Name("False"), m.Integer("0"), m.Float("0.0"), m.SimpleString('""'))


def _drop_statement(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Leave a call, or a raise, out."""
    if m.matches(node, m.SimpleStatementLine(body=[m.Expr(m.Call()) | m.Raise()])):
        yield cst.ensure_type(node, cst.SimpleStatementLine).with_changes(body=[cst.Pass()])


def _negate(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Turn a condition that mutmut does not turn."""
    if isinstance(node, cst.If | cst.CompIf) and not m.matches(node.test, m.UnaryOperation(operator=m.Not())):
        test = node.test.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        yield node.with_changes(test=cst.UnaryOperation(_NOT, test))


def _swap_function(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Take the least for the greatest, and any for all."""
    if m.matches(node, m.Call(func=m.Name(m.MatchIfTrue(lambda name: name in _SWAPPED)))):
        function = cst.ensure_type(cst.ensure_type(node, cst.Call).func, cst.Name)
        yield node.with_changes(func=cst.Name(_SWAPPED[function.value]))


def _drop_element(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Leave one element of a set, list or mapping out."""
    if isinstance(node, cst.Set | cst.List | cst.Dict) and len(node.elements) > 1:
        for index in range(len(node.elements)):
            yield node.with_changes(elements=[*node.elements[:index], *node.elements[index + 1 :]])


_OWN: list[Operator] = [_drop_statement, _negate, _swap_function, _drop_element]


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Attributes:
        path: The file, from the root of the repository.
        function: The qualified name of the function whose body is changed; "" for the module's or a class's level.
        change: The code before and after it, in one line.
        lines: The lines of the statement that is changed.

    """

    path: str
    function: str
    change: str
    lines: range
    _nodes: tuple[cst.Module, cst.CSTNode, cst.CSTNode] = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """Return what a list of survivors calls it."""
        return f"{self.path} {self.function or '(module)'}: {self.change}"

    @cached_property
    def source(self) -> str:
        """The changed file."""
        module, before, after = self._nodes
        return cst.ensure_type(module.deep_replace(before, after), cst.Module).code

    def is_viable(self) -> bool:
        """Return whether it compiles, to something other than the original."""
        try:
            changed = compile(self.source, self.path, "exec")
        except SyntaxError:
            return False
        return not _is_same_code(changed, _compiled(self.path))


@cache
def _compiled(path: str) -> CodeType:
    return compile((ROOT / path).read_text(), path, "exec")


@cache
def mutants_of(path: str) -> list[Mutant]:
    """Return all mutants of a file; one that is there twice is numbered."""
    wrapper = MetadataWrapper(cst.parse_module((ROOT / path).read_text()))
    finder = _Finder(path, wrapper.module)
    wrapper.visit(finder)
    return finder.found


class _Finder(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (ParentNodeProvider, PositionProvider)

    def __init__(self, path: str, module: cst.Module) -> None:
        super().__init__()
        self.path = path
        self.module = module
        self.found: list[Mutant] = []
        self.seen: Counter[tuple[str, str]] = Counter()

    def on_visit(self, node: cst.CSTNode) -> bool:
        if m.matches(node, _PASSED_OVER):
            return False
        for after in _replacements(node):
            self._add(node, after)
        return True

    def _add(self, before: cst.CSTNode, after: cst.CSTNode) -> None:
        function, statement = self._place(before)
        change = self._change(before, after)
        self.seen[function, change] += 1
        number = self.seen[function, change]
        at = self.get_metadata(PositionProvider, statement)
        lines = range(at.start.line, at.end.line + 1)
        name = change if number == 1 else f"{change} #{number}"
        self.found.append(Mutant(self.path, function, name, lines, (self.module, before, after)))

    def _change(self, before: cst.CSTNode, after: cst.CSTNode) -> str:
        if isinstance(before, cst.Set | cst.List | cst.Dict) and isinstance(after, cst.Set | cst.List | cst.Dict):
            (gone,) = [element for element in before.elements if not any(element is left for left in after.elements)]
            return f"without {self._code(gone).rstrip(', ')}"
        return f"{self._code(before)} -> {self._code(after)}"

    def _place(self, node: cst.CSTNode) -> tuple[str, cst.CSTNode]:
        """Return the outermost function whose body has the node, and the lines whose run can meet the change."""
        names: list[str] = []
        statement = node
        is_in_body, is_of_function = False, False
        while not isinstance(node, cst.Module):
            parent = self.get_metadata(ParentNodeProvider, node)
            if isinstance(node, cst.SimpleStatementLine):
                statement = node
            if isinstance(parent, cst.FunctionDef):
                is_in_body = node is parent.body
                is_of_function = is_in_body
            if isinstance(node, cst.FunctionDef | cst.ClassDef):
                names.insert(0, node.name.value)
            node = parent
        return (".".join(names) if is_of_function else ""), statement

    def _code(self, node: cst.CSTNode) -> str:
        if isinstance(node, cst.If | cst.CompIf):
            return "if " + self._code(node.test)
        return re.sub(r"\s+", " ", self.module.code_for_node(node)).strip()


def _replacements(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield what may stand in the place of a node; the wording of messages stays."""
    is_worded = _is_worded(node)
    for node_type, operator in mutation_operators:
        if isinstance(node, node_type) and not is_worded:
            # Of a text that is a key or a name, one change is enough.
            yield from list(operator(node))[: 1 if isinstance(node, cst.BaseString) else None]
    for own in _OWN:
        yield from own(node)


def _is_worded(node: cst.CSTNode) -> bool:
    """Return whether a node is a sentence or is given one (tests of the commands hold the words), or is nothing yet."""
    if isinstance(node, cst.Call):
        return any(_is_worded(argument.value) for argument in node.args)
    if isinstance(node, cst.Assign | cst.AnnAssign):
        return node.value is not None and (_is_worded(node.value) or m.matches(node.value, _NOTHING_YET))
    if isinstance(node, cst.SimpleString):
        return " " in node.value or not node.raw_value
    return isinstance(node, cst.FormattedString | cst.ConcatenatedString)


def _is_same_code(one: object, other: object) -> bool:
    if not isinstance(one, CodeType) or not isinstance(other, CodeType):
        return type(one) is type(other) and repr(one) == repr(other)
    return (one.co_code, one.co_names, one.co_varnames, len(one.co_consts)) == (
        other.co_code,
        other.co_names,
        other.co_varnames,
        len(other.co_consts),
    ) and all(map(_is_same_code, one.co_consts, other.co_consts))
