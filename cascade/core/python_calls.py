"""The calls that a piece of Python makes, read from its source: what RunPython would do, without running it.

Values are followed as far as they are written down: constants of the module, assignments, f-strings, loops over
literals, helpers. The rest is ``UNKNOWN``. Every branch is taken, but for those on another database's ``vendor``.
"""

import ast
import contextlib
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from cascade.core.ddl import UNKNOWN

Value = Any
"""A string, a sequence, a ``Called``, a module, class, function or other constant; ``UNKNOWN`` where nobody knows."""

Function = ast.FunctionDef | ast.Lambda

SourceOf = Callable[[types.FunctionType], Function | None]
"""Finds the definition of a function that is to be followed; None for one that is not."""


@dataclass(frozen=True, slots=True)
class Called:
    """A call of a method or function by its last name; ``on`` is what the method was called on."""

    name: str
    arguments: tuple[Value, ...] = ()
    keywords: Mapping[str, Value] = field(default_factory=dict)
    on: Value = UNKNOWN

    @property
    def strings(self) -> tuple[str, ...]:
        """All strings among the arguments, in order, those of inner calls and sequences included."""
        return tuple(_strings((*self.arguments, *self.keywords.values())))


OptionOf = Callable[[Value, str], Value]
"""What the ``_meta`` of a model has under this name; None where that is not known."""


def calls_in(
    function: Function,
    names: Mapping[str, Value],
    arguments: Sequence[Value] = (),
    keywords: Mapping[str, Value] = MappingProxyType({}),
    *,
    source_of: SourceOf,
    option_of: OptionOf,
) -> tuple[Called, ...]:
    """The calls that the function makes when it runs, in order; ``names`` are what its free names stand for."""
    walk = _Walk(source_of, option_of)
    walk.run(function, {**names, **_bound(function, arguments, keywords)})
    return tuple(walk.calls)


_DEEPEST = 5
_MOST_STATEMENTS = 20_000
"""So that no code, such as a loop over a long table of data, can make the reader run away."""


class _Returned(Exception):
    """The function is left."""


class _Walk:
    def __init__(self, source_of: SourceOf, option_of: OptionOf) -> None:
        self._source_of = source_of
        self._option_of = option_of
        self._depth = self._statements = 0
        self.calls: list[Called] = []

    def run(self, function: Function, names: dict[str, Value]) -> Value:
        """The value that it returns, by the last ``return`` that is met."""
        if isinstance(function, ast.Lambda):
            return self._value(function.body, names)
        frame = _Frame(names)
        with contextlib.suppress(_Returned):
            self._block(function.body, frame)
        return frame.returned

    def _block(self, statements: Sequence[ast.stmt], frame: "_Frame") -> None:
        for statement in statements:
            self._statements += 1
            if self._statements <= _MOST_STATEMENTS:
                self._statement(statement, frame)

    def _statement(self, statement: ast.stmt, frame: "_Frame") -> None:
        names = frame.names
        match statement:
            case ast.Assign(targets=targets, value=value):
                given = self._value(value, names)
                for target in targets:
                    self._bind(target, given, names)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._bind(target, self._value(value, names), names)
            case ast.AugAssign(target=ast.Name(id=name), op=operator, value=value):
                names[name] = _combined(names.get(name, UNKNOWN), operator, self._value(value, names))
            case ast.For(target=target, iter=sequence, body=body, orelse=orelse):
                self._loop(target, self._value(sequence, names), body, frame)
                self._block(orelse, frame)
            case ast.While(test=test, body=body):
                self._value(test, names)
                self._block(body, frame)
            case ast.If():
                self._branches(statement, frame)
            case ast.With(items=items, body=body):
                for item in items:
                    given = self._value(item.context_expr, names)
                    if item.optional_vars is not None:
                        self._bind(item.optional_vars, given, names)
                self._block(body, frame)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
                self._block(body, frame)
                for handler in handlers:
                    self._branch(handler.body, frame)
                self._block([*orelse, *finalbody], frame)
            case ast.FunctionDef(name=name):
                names[name] = statement
            case ast.Return(value=value):
                frame.returned = self._value(value, names) if value is not None else None
                raise _Returned
            case _:
                for child in ast.iter_child_nodes(statement):
                    if isinstance(child, ast.expr):
                        self._value(child, names)

    def _loop(self, target: ast.expr, items: Value, body: Sequence[ast.stmt], frame: "_Frame") -> None:
        """Once for each item of a sequence that is written down, else once for an unknown one."""
        known = list(items) if isinstance(items, (tuple, list, set, frozenset, dict)) else [UNKNOWN]
        for item in known:
            self._bind(target, item, frame.names)
            self._branch(body, frame)

    def _branches(self, statement: ast.If, frame: "_Frame") -> None:
        test = self._value(statement.test, frame.names)
        if test is True:
            self._block(statement.body, frame)
        elif test is False:
            self._block(statement.orelse, frame)
        else:
            self._branch(statement.body, frame)
            self._branch(statement.orelse, frame)

    def _branch(self, statements: Sequence[ast.stmt], frame: "_Frame") -> None:
        """What may or may not run: leaving the function in it does not keep the rest from running."""
        with contextlib.suppress(_Returned):
            self._block(statements, frame)

    def _bind(self, target: ast.expr, value: Value, names: dict[str, Value]) -> None:
        if isinstance(target, ast.Name):
            names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            known = isinstance(value, (tuple, list)) and len(value) == len(target.elts)
            for position, part in enumerate(target.elts):
                self._bind(part, value[position] if known else UNKNOWN, names)

    # -------------------------------------------------------------------------------------------------------- values

    def _value(self, node: ast.expr, names: dict[str, Value]) -> Value:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return names.get(name, UNKNOWN)
            case ast.Dict(keys=keys, values=values):
                known = [(self._value(k, names), self._value(v, names)) for k, v in zip(keys, values, strict=True) if k]
                return {key: value for key, value in known if isinstance(key, (str, int))}
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                return tuple(self._value(part, names) for part in parts)
            case ast.JoinedStr(values=parts):
                return "".join(text_of(self._value(part, names)) for part in parts)
            case ast.FormattedValue(value=value):
                return self._value(value, names)
            case ast.BinOp(left=left, op=operator, right=right):
                return _combined(self._value(left, names), operator, self._value(right, names))
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                return _compared(self._value(left, names), operator, self._value(right, names))
            case ast.Attribute(value=value, attr=name):
                return self._attribute(self._value(value, names), name)
            case ast.Call():
                return self._call(node, names)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self._comprehension(node, names)
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self._value(child, names)
                return UNKNOWN

    def _attribute(self, owner: Value, name: str) -> Value:
        if name == "vendor":
            return "postgresql"
        if isinstance(owner, Called) and owner.name == "_meta":
            option = self._option_of(owner.on, name)
            return Called(name, on=owner) if option is None else option
        if isinstance(owner, types.ModuleType):
            return vars(owner).get(name, UNKNOWN)
        if isinstance(owner, _Instance):
            return owner.attributes.get(name, UNKNOWN)
        return Called(name, on=owner)

    def _call(self, node: ast.Call, names: dict[str, Value]) -> Value:
        callee = self._value(node.func, names)
        arguments = tuple(self._value(argument, names) for argument in node.args)
        keywords = {k.arg: self._value(k.value, names) for k in node.keywords if k.arg is not None}
        followed = self._definition(callee)
        if followed is not None and self._depth < _DEEPEST:
            return self._follow(followed, callee, arguments, keywords, names)
        name, owner = _name_of(node.func), callee.on if isinstance(callee, Called) else UNKNOWN
        if name == "format" and isinstance(_unwrapped(owner), str):
            return _formatted(_unwrapped(owner), arguments, keywords)
        if name in ("items", "keys", "values") and isinstance(owner, dict):
            return tuple(getattr(owner, name)())
        if name in _COLLECTIONS and owner is UNKNOWN and all(isinstance(given, _SEVERAL) for given in arguments):
            return tuple(arguments[0]) if arguments else ()
        called = Called(name, arguments, keywords, owner)
        self.calls.append(called)
        return called

    def _definition(self, callee: Value) -> Function | None:
        if isinstance(callee, ast.FunctionDef | ast.Lambda):
            return callee
        return self._source_of(callee) if isinstance(callee, types.FunctionType) else None

    def _follow(
        self,
        function: Function,
        callee: Value,
        arguments: Sequence[Value],
        keywords: Mapping[str, Value],
        names: Mapping[str, Value],
    ) -> Value:
        free = free_names(callee) if isinstance(callee, types.FunctionType) else names
        self._depth += 1
        try:
            return self.run(function, {**free, **_bound(function, arguments, keywords)})
        finally:
            self._depth -= 1

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, names: dict[str, Value]) -> Value:
        first = node.generators[0]
        items = self._value(first.iter, names)
        made = []
        for item in items if isinstance(items, (tuple, list)) else (UNKNOWN,):
            inner = dict(names)
            self._bind(first.target, item, inner)
            made.append(self._value(node.elt, inner))
        return tuple(made) if isinstance(items, (tuple, list)) else UNKNOWN


@dataclass
class _Frame:
    """One run of a function."""

    names: dict[str, Value]
    returned: Value = None


@dataclass(frozen=True, slots=True)
class _Instance:
    """An object of which the attributes are known: the ``self`` of a method."""

    attributes: Mapping[str, Value]


def instance_of(attributes: Mapping[str, Value]) -> Value:
    """What stands for an object with these attributes."""
    return _Instance(attributes)


def free_names(function: types.FunctionType) -> dict[str, Value]:
    """What the names stand for that a function does not bind itself: those of its module and of its closure."""
    names = dict(function.__globals__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # not yet bound
            names[name] = UNKNOWN
    return names


def _bound(function: Function, arguments: Sequence[Value], keywords: Mapping[str, Value]) -> dict[str, Value]:
    parameters = [*function.args.posonlyargs, *function.args.args]
    bound: dict[str, Value] = {p.arg: UNKNOWN for p in (*parameters, *function.args.kwonlyargs)}
    defaults = dict(zip(reversed(parameters), reversed(function.args.defaults), strict=False))
    bound |= {p.arg: d.value for p, d in defaults.items() if isinstance(d, ast.Constant)}
    bound |= {p.arg: value for p, value in zip(parameters, arguments, strict=False)}
    return bound | {name: value for name, value in keywords.items() if name in bound}


def _name_of(callee: ast.expr) -> str:
    if isinstance(callee, ast.Attribute):
        return callee.attr
    return callee.id if isinstance(callee, ast.Name) else ""


_WRAPPERS = frozenset(("SQL", "Composed", "dedent", "str", "strip", "mark_safe", "Literal"))
_QUOTERS = frozenset(("quote_name", "Identifier", "qn"))


def _unwrapped(value: Value) -> Value:
    """The string in ``SQL("…")``, ``dedent("…")``, ``"…".strip()``; a name in quotes for ``quote_name("…")``."""
    if isinstance(value, Called):
        inner = [*value.arguments, value.on][0]
        if value.name in _QUOTERS and isinstance(_unwrapped(inner), str):
            return '"' + _unwrapped(inner).replace('"', '""') + '"'
        if value.name in _WRAPPERS:
            return _unwrapped(inner)
    return value


def text_of(value: Value) -> str:
    """The value as a string, ``UNKNOWN`` where it is none."""
    inner = _unwrapped(value)
    return str(inner) if isinstance(inner, (str, int)) else UNKNOWN


def _combined(left: Value, operator: ast.operator, right: Value) -> Value:
    """Texts and sequences joined, a pattern filled in, sets without or with the members of another."""
    several = isinstance(left, _SEVERAL) and isinstance(right, _SEVERAL)
    match operator:
        case ast.Add() | ast.BitOr() if several:
            return (*left, *right)
        case ast.Sub() if several:
            return tuple(member for member in left if member not in right)
        case ast.Add():
            return text_of(left) + text_of(right)
        case ast.Mod():
            return filled_in(left, right)
        case _:
            return UNKNOWN


_SEVERAL = (tuple, list, set, frozenset)
_COLLECTIONS = frozenset(kind.__name__ for kind in _SEVERAL)


def filled_in(pattern: Value, given: Value) -> str:
    """``"… %s …" % (…)`` with as much as is known."""
    if not isinstance(pattern, str):
        return UNKNOWN
    values = list(given) if isinstance(given, (tuple, list)) else [given]
    pieces = pattern.replace("%%", "\0").split("%")
    text = pieces[0]
    for piece in pieces[1:]:
        name, closing, after = piece[1:].partition(")s") if piece.startswith("(") else ("", "", "")
        if closing:
            text += text_of(given.get(name, UNKNOWN) if isinstance(given, dict) else UNKNOWN) + after
        else:
            text += text_of(values.pop(0) if values else UNKNOWN) + piece[1:]
    return text.replace("\0", "%")


def _formatted(pattern: str, arguments: Sequence[Value], keywords: Mapping[str, Value]) -> str:
    """``"… {} {name} …".format(…)`` with as much as is known."""
    from string import Formatter

    text, waiting = "", iter(arguments)
    try:
        for literal, name, _, _ in Formatter().parse(pattern):
            text += literal
            if name is None:
                continue
            if name == "":
                text += text_of(next(waiting, UNKNOWN))
            elif name.isdigit():
                text += text_of(arguments[int(name)] if int(name) < len(arguments) else UNKNOWN)
            else:
                text += text_of(keywords.get(name, UNKNOWN))
    except ValueError:  # no pattern for format() after all
        return UNKNOWN
    return text


def _compared(left: Value, operator: ast.cmpop, right: Value) -> Value:
    """Whether the two are equal, or the one among the other, where both are written down."""
    if not isinstance(left, str) or UNKNOWN in left:
        return UNKNOWN
    match operator:
        case ast.Eq() if isinstance(right, str) and UNKNOWN not in right:
            return left == right
        case ast.NotEq() if isinstance(right, str) and UNKNOWN not in right:
            return left != right
        case ast.In() if isinstance(right, (tuple, list, set)):
            return left in right
        case ast.NotIn() if isinstance(right, (tuple, list, set)):
            return left not in right
        case _:
            return UNKNOWN


def _strings(values: Sequence[Value]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, (tuple, list)):
            yield from _strings(value)
        elif isinstance(value, Called):
            yield from value.strings
