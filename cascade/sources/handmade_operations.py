"""What the applied migrations did by hand: RunSQL, RunPython, ``database_operations``, operations of a project's own.

Nothing is run. SQL is read as it is written, Python by the calls that its source makes.
"""

import ast
import functools
import inspect
import itertools
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.db import migrations
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import Field, Model

from cascade.core.ddl import UNKNOWN, Ddl, Thing, Verb, ddl_in, mentions_ddl
from cascade.core.handmade import HandmadeChange
from cascade.core.history import MigrationKey, Provenance, Record
from cascade.core.layout import ConstraintKind
from cascade.core.python_calls import (
    Called,
    Function,
    OptionOf,
    Value,
    calls_in,
    filled_in,
    free_names,
    instance_of,
    text_of,
)

TableName = Callable[[ModelState], str]
"""Gives the name of a model's table (``default_table_name``)."""


def read_handmade_changes(
    applied: Iterable[tuple[Migration, Record]], unmigrated_apps: Iterable[str], *, table_name: TableName
) -> tuple[HandmadeChange, ...]:
    """What these migrations, each with its record and all in the order of their dependencies, did by hand.

    In the order of the records. Tables and columns bear the names that they have after the last migration.
    """
    applied = list(applied)
    last = max((n for n, (migration, _) in enumerate(applied) if _has_handmade(migration)), default=None)
    if last is None:
        return ()
    reader = _Reader(ProjectState(real_apps=set(unmigrated_apps)), table_name)
    for position, (migration, record) in enumerate(applied):
        if position > last and not reader.changes:
            return ()
        # After the last one only renames matter.
        if position <= last or any(_renames(part) for op in migration.operations for part in _state_parts(op)):
            reader.read(migration, record)
        else:
            migration.mutate_state(reader.state, preserve=False)
    return tuple(sorted(reader.changes, key=lambda change: change.made_by.order))


def _has_handmade(migration: Migration) -> bool:
    return any(_is_handmade(operation) for operation in migration.operations)


def _is_handmade(operation: Operation) -> bool:
    """Whether it can do to the database what it does not do to the state. Most data migrations cannot."""
    if isinstance(operation, migrations.RunSQL):
        return any(map(mentions_ddl, _statements(operation.sql)))
    if isinstance(operation, migrations.RunPython):
        return _may_do_ddl(operation.code)
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        return bool(operation.database_operations)
    return not _is_django(type(operation).database_forwards)


def _is_django(thing: Any) -> bool:
    return str(thing.__module__).split(".", 1)[0] == "django"


def _state_parts(operation: Operation) -> Iterator[Operation]:
    """The operation, or what it does to the state where it holds others."""
    if isinstance(operation, migrations.SeparateDatabaseAndState):
        for part in operation.state_operations:
            yield from _state_parts(part)
    else:
        yield operation


def _renames(operation: Operation) -> bool:
    renaming = (migrations.RenameModel, migrations.AlterModelTable, migrations.RenameField, migrations.AlterField)
    return isinstance(operation, renaming)


class _Reader:
    """Replays migrations and notes what was done by hand, under the names that tables and columns have by now."""

    def __init__(self, state: ProjectState, table_name: TableName) -> None:
        self.state = state
        self.changes: list[HandmadeChange] = []
        self._table_name = table_name

    def read(self, migration: Migration, record: Record) -> None:
        if type(migration).mutate_state is not Migration.mutate_state:
            migration.mutate_state(self.state, preserve=False)
            return
        key = MigrationKey(migration.app_label, migration.name)
        for index, operation in enumerate(migration.operations):
            made_by = Provenance(key, type(operation).__name__, index, record.position, record.applied or None)
            moment = _Moment(self.state, migration.app_label, self._table_name)
            if _is_handmade(operation):
                for ddl, certain in moment.done_by(operation):
                    self._note(HandmadeChange(made_by, ddl, certain))
            self._forward(migration.app_label, operation)

    def _note(self, change: HandmadeChange) -> None:
        ddl = change.ddl
        if ddl.verb is Verb.RENAME and ddl.thing in (Thing.TABLE, Thing.VIEW) and ddl.value:
            self._carry_table(ddl.table, ddl.value)
        elif ddl.verb is Verb.RENAME and ddl.thing is Thing.COLUMN and ddl.value:
            self._carry_column(ddl.table, ddl.name, ddl.value)
        self.changes.append(change)

    def _forward(self, app: str, operation: Operation) -> None:
        """The state after it, and earlier changes under the names that it gives."""
        before = self._names(app, operation)
        operation.state_forwards(app, self.state)
        for old, new in zip(before, self._names(app, operation), strict=False):
            if old[0] != new[0]:
                self._carry_table(old[0], new[0])
            elif old[1] != new[1]:
                self._carry_column(new[0], old[1], new[1])

    def _names(self, app: str, operation: Operation) -> list[tuple[str, str]]:
        """(table, column) of all that the operation may rename; as many before as after, in the same order."""
        names: list[tuple[str, str]] = []
        for part in _state_parts(operation):
            if isinstance(part, migrations.RenameModel):
                names += self._tables(app, part.new_name) or self._tables(app, part.old_name)
            elif isinstance(part, migrations.AlterModelTable):
                names += self._tables(app, part.name)
            elif isinstance(part, migrations.RenameField):
                fields = self._column(app, part.model_name, part.new_name)
                names += fields or self._column(app, part.model_name, part.old_name)
            elif isinstance(part, migrations.AlterField):
                names += self._column(app, part.model_name, part.name)
        return names

    def _tables(self, app: str, name: str) -> list[tuple[str, str]]:
        model = self.state.models.get((app, name.lower()))
        if model is None:
            return []
        table = self._table_name(model)
        through = [_through(table, name, field) for name, field in model.fields.items()]
        return [(table, ""), *((name, "") for name in through if name)]

    def _column(self, app: str, model_name: str, name: str) -> list[tuple[str, str]]:
        model = self.state.models.get((app, model_name.lower()))
        field = model.fields.get(name) if model is not None else None
        if model is None or field is None:
            return []
        table = self._table_name(model)
        through = _through(table, name, field)
        return [(through, "")] if through else [(table, _column_of(name, field))]

    def _carry_table(self, old: str, new: str) -> None:
        """A statement on the table stays one on the table; one that took the old name away does not."""

        def carried(ddl: Ddl) -> Ddl:
            keeps = ddl.thing not in (Thing.TABLE, Thing.VIEW) or ddl.verb not in (Verb.DROP, Verb.RENAME)
            return replace(ddl, table=new) if ddl.table == old and keeps else ddl

        self.changes = [replace(change, ddl=carried(change.ddl)) for change in self.changes]

    def _carry_column(self, table: str, old: str, new: str) -> None:
        def carried(ddl: Ddl) -> Ddl:
            gone = ddl.thing is Thing.COLUMN and ddl.verb in (Verb.DROP, Verb.RENAME)
            if ddl.table != table or old not in ddl.columns or gone:
                return ddl
            name = new if ddl.columns == (old,) and ddl.name == old else ddl.name
            return replace(ddl, name=name, columns=tuple(new if column == old else column for column in ddl.columns))

        self.changes = [replace(change, ddl=carried(change.ddl)) for change in self.changes]


def _through(table: str, name: str, field: "Field[Any, Any]") -> str:
    """The table of a many-to-many field that names no model for it, ``""`` for any other field."""
    from django.db.backends.utils import strip_quotes, truncate_name

    if not field.many_to_many or getattr(field.remote_field, "through", None) is not None:
        return ""
    return str(getattr(field, "db_table", None) or truncate_name(f"{strip_quotes(table)}_{name}", 63))


def _column_of(name: str, field: "Field[Any, Any]") -> str:
    return field.db_column or (f"{name}_id" if field.is_relation else name)


def _has_index(field: "Field[Any, Any]") -> bool:
    return bool(field.unique or getattr(field, "db_index", False))


def _is_a(operation: Operation, name: str) -> bool:
    """Whether it is an operation of ``django.contrib.postgres`` of that name, which is not imported for this."""
    return any(cls.__name__ == name for cls in type(operation).__mro__)


# ------------------------------------------------------------------------------------------------ what an operation did

Done = tuple[Ddl, bool]
"""What was done, and whether that is certain."""


class _Moment:
    """The state just before an operation: it tells which table a model has and which column a field."""

    def __init__(self, state: ProjectState, app: str, table_name: TableName) -> None:
        self._state = state
        self._app = app
        self._table_name = table_name

    def done_by(self, operation: Operation) -> Iterator[Done]:
        """What the operation does to the database."""
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from self._done_by_all(operation.database_operations)
        elif isinstance(operation, migrations.RunSQL):
            yield from ((ddl, not ddl.conditional) for ddl in ddl_in(*_statements(operation.sql)))
        elif isinstance(operation, migrations.RunPython):
            yield from self._done_by_code(operation.code)
        elif _is_django(type(operation).database_forwards):
            yield from ((_worded(ddl, type(operation).__name__), True) for ddl in self._done_by_django(operation))
        else:
            yield from self._done_by_own(operation)

    def _done_by_all(self, operations: Sequence[Operation]) -> Iterator[Done]:
        """Each sees the state that those before it would have made (``SeparateDatabaseAndState``)."""
        state = self._state
        for position, operation in enumerate(operations):
            yield from _Moment(state, self._app, self._table_name).done_by(operation)
            if position + 1 < len(operations):
                state = state.clone()
                operation.state_forwards(self._app, state)

    # ---------------------------------------------------------------------------------------------- Django's operations

    def _done_by_django(self, operation: Operation) -> Iterator[Ddl]:
        """What one of Django's own operations does, here without doing it to the state."""
        match operation:
            case migrations.CreateModel():
                model = ModelState(self._app, operation.name, [], dict(operation.options))
                yield Ddl(Verb.MAKE, Thing.TABLE, self._table_name(model))
            case migrations.DeleteModel():
                yield Ddl(Verb.DROP, Thing.TABLE, self._table(operation.name))
            case migrations.RenameModel():
                old = self._table(operation.old_name)
                model = ModelState(self._app, operation.new_name, [], dict(self._options(operation.old_name)))
                yield Ddl(Verb.RENAME, Thing.TABLE, old, name=old, value=self._table_name(model))
            case migrations.AlterModelTable():
                old = self._table(operation.name)
                model = ModelState(self._app, operation.name, [], {"db_table": operation.table})
                yield Ddl(Verb.RENAME, Thing.TABLE, old, name=old, value=self._table_name(model))
            case migrations.AddField():
                yield self._field(Verb.MAKE, operation.model_name, operation.name, operation.field)
            case migrations.RemoveField():
                field = self._field_of(operation.model_name, operation.name)
                if field is not None:
                    yield self._field(Verb.DROP, operation.model_name, operation.name, field)
            case migrations.AlterField():
                yield from self._altered_field(operation)
            case migrations.RenameField():
                field = self._field_of(operation.model_name, operation.old_name)
                if field is not None:
                    old, new = _column_of(operation.old_name, field), _column_of(operation.new_name, field)
                    table = self._table(operation.model_name)
                    yield Ddl(Verb.RENAME, Thing.COLUMN, table, name=old, columns=(old,), value=new)
            case migrations.AlterUniqueTogether() | migrations.AlterIndexTogether():
                yield from self._together(operation.name, operation.option_name, operation.option_value)
            case _:
                yield from self._done_to_part(operation)

    def _done_to_part(self, operation: Operation) -> Iterator[Ddl]:
        """To a constraint or an index. A unique constraint with a condition or expressions is an index."""
        table = self._table(getattr(operation, "model_name", ""))
        match operation:
            case migrations.AddIndex():
                columns = self._columns(operation.model_name, operation.index.fields)
                yield Ddl(Verb.MAKE, Thing.INDEX, table, name=operation.index.name, columns=columns)
            case migrations.RemoveIndex():
                yield Ddl(Verb.DROP, Thing.INDEX, table, name=operation.name)
            case migrations.RenameIndex():
                yield Ddl(Verb.RENAME, Thing.INDEX, table, name=operation.old_name or "", value=operation.new_name)
            case migrations.AddConstraint():
                name = operation.constraint.name
                value = "" if _is_a(operation, "AddConstraintNotValid") else "valid"
                yield Ddl(Verb.MAKE, Thing.CONSTRAINT, table, name=name)
                yield Ddl(Verb.MAKE, Thing.INDEX, table, name=name)
                yield Ddl(Verb.ALTER, Thing.VALIDATION, table, name=name, value=value)
            case migrations.RemoveConstraint():
                yield Ddl(Verb.DROP, Thing.CONSTRAINT, table, name=operation.name)
                yield Ddl(Verb.DROP, Thing.INDEX, table, name=operation.name)
            case _ if _is_a(operation, "ValidateConstraint"):
                name = getattr(operation, "name", "")
                yield Ddl(Verb.ALTER, Thing.VALIDATION, table, name=name, value="valid")

    def _field(self, verb: Verb, model_name: str, name: str, field: "Field[Any, Any]") -> Ddl:
        table = self._table(model_name)
        through = _through(table, name, field)
        if through:
            return Ddl(verb, Thing.TABLE, through)
        column = _column_of(name, field)
        return Ddl(verb, Thing.COLUMN, table, name=column, columns=(column,))

    def _altered_field(self, operation: migrations.AlterField) -> Iterator[Ddl]:
        table, new = self._table(operation.model_name), operation.field
        column = _column_of(operation.name, new)
        yield Ddl(Verb.ALTER, Thing.COLUMN, table, name=column, columns=(column,))
        old = self._field_of(operation.model_name, operation.name)
        if old is None:
            return
        indexes = _has_index(old), _has_index(new)
        keys = bool(getattr(old, "db_constraint", False)), bool(getattr(new, "db_constraint", False))
        for thing, kind, (had, has) in (
            (Thing.CONSTRAINT, ConstraintKind.UNIQUE, (old.unique, new.unique)),
            (Thing.CONSTRAINT, ConstraintKind.FOREIGN_KEY, keys),
            (Thing.INDEX, None, indexes),
        ):
            if had != has:
                verb = Verb.MAKE if has else Verb.DROP
                yield Ddl(verb, thing, table, columns=(column,), constraint_type=kind)

    def _together(self, model_name: str, option: str, wanted: Any) -> Iterator[Ddl]:
        before = (self._columns(model_name, fields) for fields in self._options(model_name).get(option) or ())
        after = (self._columns(model_name, fields) for fields in wanted or ())
        yield from _sets(self._table(model_name), option, set(before), set(after))

    # ----------------------------------------------------------------------------------------------------------- Python

    def _done_by_code(self, code: Any) -> Iterator[Done]:
        """What a callable of RunPython does."""
        for ddl in self._done_in(code, (UNKNOWN, UNKNOWN), {}):
            yield ddl, False

    def _done_by_own(self, operation: Operation) -> Iterator[Done]:
        """What an operation of the project's own does: by its code, and by the SQL that it was given."""
        attributes = _attributes(operation)
        arguments = (instance_of(attributes), self._app)
        yield from ((ddl, False) for ddl in self._done_in(type(operation).database_forwards, arguments, {}))
        for given in vars(operation).values():
            if isinstance(given, str):
                yield from ((ddl, False) for ddl in ddl_in(given))

    def _done_in(self, code: Any, arguments: tuple[Value, ...], keywords: Mapping[str, Value]) -> Iterator[Ddl]:
        if isinstance(code, functools.partial):
            yield from self._done_in(code.func, (*code.args, *arguments), {**keywords, **code.keywords})
            return
        if isinstance(code, types.MethodType):
            yield from self._done_in(code.__func__, (instance_of(_attributes(code.__self__)), *arguments), keywords)
            return
        if not isinstance(code, types.FunctionType):
            method = inspect.getattr_static(code, "__call__", None)
            if isinstance(method, types.FunctionType):
                yield from self._done_in(method, (instance_of(_attributes(code)), *arguments), keywords)
            return
        function = inspect.unwrap(code)
        if isinstance(function, types.FunctionType) and not _is_django(function):
            calls = _calls_of(function, arguments, keywords, self._option_of)
            for called in calls:
                yield from self._done_by_call(called, calls)

    def _done_by_call(self, called: Called, calls: Sequence[Called]) -> Iterator[Ddl]:
        if called.name == "execute" and called.arguments:
            done = ddl_in(text_of(called.arguments[0]))
        elif called.name in _EDITOR_METHODS or _COMPOSER.fullmatch(called.name):
            done = tuple(_worded(ddl, f"schema_editor.{called.name}") for ddl in self._done_by_editor(called, calls))
        else:
            return
        for ddl in done:
            if UNKNOWN in ddl.table or (ddl.table == "" and UNKNOWN in ddl.name):
                pattern = ddl.table or UNKNOWN
                yield from (replace(ddl, table=table) for table in self._tables_named(calls) if _fits(pattern, table))
            else:
                yield ddl

    def _done_by_editor(self, called: Called, calls: Sequence[Called]) -> Iterator[Ddl]:
        """What a method of the schema editor does, as far as its arguments are written down."""
        given = [*called.arguments, *(value for word, value in called.keywords.items() if word in _GIVEN_BY_NAME)]
        model = next((argument for argument in given if self._table_of(argument)), UNKNOWN)
        table = self._table_of(model) or UNKNOWN
        rest = [argument for argument in given if argument is not model]
        match called.name:
            case "create_model" | "delete_model":
                yield Ddl(Verb.MAKE if called.name == "create_model" else Verb.DROP, Thing.TABLE, table)
            case "alter_db_table":
                names = [argument for argument in rest if isinstance(argument, str) and UNKNOWN not in argument]
                if len(names) == 2:
                    yield Ddl(Verb.RENAME, Thing.TABLE, names[0], name=names[0], value=names[1])
            case "add_field" | "alter_field" | "remove_field":
                verb = {"add": Verb.MAKE, "alter": Verb.ALTER, "remove": Verb.DROP}[called.name.partition("_")[0]]
                names = [name for argument in rest for name in _field_names(argument, calls)]
                for column in self._columns_of(model, dict.fromkeys(names)):
                    yield Ddl(verb, Thing.COLUMN, table, name=column, columns=(column,))
            case "alter_unique_together" | "alter_index_together":
                option = called.name.removeprefix("alter_")
                if len(rest) == 2 and all(map(_is_sets, rest)):
                    before, after = ({self._columns_of(model, fields) for fields in sets} for sets in rest)
                    yield from _sets(table, option, before, after)
                else:
                    thing, kind = _TOGETHER[option]
                    yield Ddl(Verb.DROP, thing, table, constraint_type=kind)
            case "rename_index":
                old, new = ([_named(argument) for argument in rest] + [UNKNOWN, UNKNOWN])[:2]
                yield Ddl(Verb.RENAME, Thing.INDEX, table, name=_known(old), value=_known(new))
            case "add_index" | "remove_index" | "add_constraint" | "remove_constraint":
                yield from self._part(called.name, model, table, rest)
            case _:
                yield from self._composed(called, model, table, rest)

    def _part(self, method: str, model: Value, table: str, rest: Sequence[Value]) -> Iterator[Ddl]:
        verb = Verb.MAKE if method.startswith("add") else Verb.DROP
        things = (Thing.INDEX,) if method.endswith("index") else (Thing.CONSTRAINT, Thing.INDEX)
        part = rest[0] if rest else UNKNOWN
        columns = self._columns_of(model, _names_given(part, "fields"))
        for thing in things:
            yield Ddl(verb, thing, table, name=_known(_named(part)), columns=columns)

    def _composed(self, called: Called, model: Value, table: str, rest: Sequence[Value]) -> Iterator[Ddl]:
        """The schema editor's own wording of a statement: ``_create_unique_sql``, ``_delete_composed_unique``."""
        found = _COMPOSER.fullmatch(called.name)
        assert found is not None, "asked for these only"
        verb = Verb.MAKE if found["verb"] == "create" else Verb.DROP
        kind = _COMPOSED.get(found["kind"])
        thing = Thing.INDEX if found["kind"].endswith("index") else Thing.CONSTRAINT
        listed = next((part for part in rest if isinstance(part, (tuple, list))), ())
        fields = (
            _names_given(called, "fields")
            or _names_given(called, "columns")
            or tuple(p for p in listed if isinstance(p, str))
        )
        strings = [part for part in rest if isinstance(part, str) and UNKNOWN not in part]
        name = called.keywords.get("name", strings[-1] if strings and verb is Verb.DROP else "")
        yield Ddl(verb, thing, table, name=_known(name), columns=self._columns_of(model, fields), constraint_type=kind)

    # ----------------------------------------------------------------------------------------------- tables and columns

    def _model(self, name: str) -> ModelState | None:
        return self._state.models.get((self._app, name.lower()))

    def _table(self, model_name: str) -> str:
        model = self._model(model_name)
        return self._table_name(model) if model is not None else ""

    def _options(self, model_name: str) -> Mapping[str, Any]:
        model = self._model(model_name)
        return model.options if model is not None else {}

    def _field_of(self, model_name: str, name: str) -> "Field[Any, Any] | None":
        model = self._model(model_name)
        return model.fields.get(name) if model is not None else None

    def _columns(self, model_name: str, fields: Iterable[str]) -> tuple[str, ...]:
        known = [(name.removeprefix("-"), self._field_of(model_name, name.removeprefix("-"))) for name in fields]
        return tuple(_column_of(name, field) if field is not None else name for name, field in known)

    def _key_of(self, model: Value) -> tuple[str, str] | None:
        """The model that ``apps.get_model(…)`` was called for: by its strings ``app, name`` or ``app.Name``."""
        if not isinstance(model, Called):
            return None
        strings = model.strings
        dotted = [tuple(string.split(".")) for string in strings if string.count(".") == 1]
        keys = [(app, name.lower()) for app, name in (*itertools.pairwise(strings), *dotted)]
        return next((key for key in keys if key in self._state.models), None)

    def _table_of(self, model: Value) -> str | None:
        """The table of such a model, or of a model class."""
        if isinstance(model, type) and issubclass(model, Model):
            return str(model._meta.db_table)
        if isinstance(model, Called) and model.name == "through":
            return self._table_of_through(model.on)
        key = self._key_of(model)
        return self._table_name(self._state.models[key]) if key is not None else None

    def _table_of_through(self, field: Value) -> str | None:
        """That of ``Model.field.through``."""
        key = self._key_of(field.on) if isinstance(field, Called) else None
        model = self._state.models[key] if key is not None else None
        found = model.fields.get(field.name) if model is not None else None
        if model is None or found is None:
            return None
        return _through(self._table_name(model), field.name, found) or None

    def _option_of(self, model: Value, name: str) -> Value:
        """The table of such a model, or its sets of fields; None for any other option."""
        if name == "db_table":
            return self._table_of(model) or UNKNOWN
        key = self._key_of(model)
        if name not in _TOGETHER or key is None:
            return None
        return tuple(tuple(fields) for fields in self._state.models[key].options.get(name) or ())

    def _columns_of(self, model: Value, fields: Iterable[str]) -> tuple[str, ...]:
        key = self._key_of(model)
        known = self._state.models[key].fields if key is not None else {}
        return tuple(_column_of(name, known[name]) if name in known else name for name in fields)

    def _tables_named(self, calls: Sequence[Called]) -> tuple[str, ...]:
        """The tables that the code names in any way, for a statement on one that is only known when it runs."""
        models = [self._table_of(called) for called in calls]
        known = {self._table_name(model) for model in self._state.models.values()}
        literals = [string for called in calls for string in called.strings if string in known]
        return tuple(dict.fromkeys(table for table in (*models, *literals) if table))


_EDITOR_METHODS = frozenset(
    """
    create_model delete_model alter_db_table add_field alter_field remove_field add_index remove_index rename_index
    add_constraint remove_constraint alter_unique_together alter_index_together
    """.split()
)

_GIVEN_BY_NAME = frozenset("model index constraint field old_field new_field old_index new_index".split())

_COMPOSER = re.compile(
    r"_(?P<verb>create|delete)_(?P<kind>(composed_)?(index|unique|fk|check|primary_key|constraint))(_sql)?"
)

_COMPOSED = {
    "unique": ConstraintKind.UNIQUE,
    "composed_unique": ConstraintKind.UNIQUE,
    "fk": ConstraintKind.FOREIGN_KEY,
    "check": ConstraintKind.CHECK,
    "primary_key": ConstraintKind.PRIMARY_KEY,
}


_TOGETHER: Mapping[str, tuple[Thing, ConstraintKind | None]] = {
    "unique_together": (Thing.CONSTRAINT, ConstraintKind.UNIQUE),
    "index_together": (Thing.INDEX, None),
}


def _sets(table: str, option: str, before: set[tuple[str, ...]], after: set[tuple[str, ...]]) -> Iterator[Ddl]:
    """What is done to a table whose sets of columns change from these to those."""
    thing, kind = _TOGETHER[option]
    for verb, sets in ((Verb.DROP, before - after), (Verb.MAKE, after - before)):
        for columns in sorted(sets):
            yield Ddl(verb, thing, table, columns=columns, constraint_type=kind)


def _is_sets(value: Value) -> bool:
    """Whether it is known which fields are together."""
    several = (tuple, list)
    return isinstance(value, several) and all(
        isinstance(fields, several) and all(isinstance(name, str) for name in fields) for fields in value
    )


def _statements(sql: Any) -> Iterator[str]:
    """The statements of RunSQL: a text, or a list of texts and of (text, parameters)."""
    if isinstance(sql, str):
        yield sql
    elif isinstance(sql, (list, tuple)):
        yield from (part if isinstance(part, str) else _with_parameters(*part) for part in sql)


def _with_parameters(sql: str, parameters: Any = None) -> str:
    """The statement as the driver would send it; without parameters a percent sign means nothing to it."""
    if parameters is None:
        return sql
    if isinstance(parameters, dict):
        return filled_in(sql, {name: _literal(value) for name, value in parameters.items()})
    return filled_in(sql, tuple(_literal(value) for value in parameters))


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value) if isinstance(value, (int, float)) else UNKNOWN


def _worded(ddl: Ddl, doer: str) -> Ddl:
    """With words for what no SQL says."""
    about = ddl.name if ddl.name and UNKNOWN not in ddl.name else ", ".join(ddl.columns)
    parts = [ddl.table, "" if about == ddl.table else about, (ddl.value or "") if ddl.verb is Verb.RENAME else ""]
    return replace(ddl, text=f"{doer}({', '.join(part.replace(UNKNOWN, '…') for part in parts if part)})")


def _attributes(owner: Any) -> dict[str, Value]:
    """What is written down of an object: the attributes of its class and its own."""
    by_class = [vars(cls) for cls in reversed(type(owner).__mro__) if not _is_django(cls)]
    constants = {k: v for own in by_class for k, v in own.items() if isinstance(v, (str, int, tuple, list, dict))}
    return constants | dict(getattr(owner, "__dict__", {}))


def _may_do_ddl(code: Any) -> bool:
    """Whether a callable, or a helper that it can call, mentions a method that does DDL; asks no source file."""
    while isinstance(code, functools.partial):
        code = code.func
    if isinstance(code, types.MethodType):
        code = code.__func__
    if not isinstance(code, types.FunctionType):
        code = inspect.getattr_static(code, "__call__", None)
    return isinstance(code, types.FunctionType) and not _is_django(code) and _mentions_method(code, set())


def _mentions_method(function: types.FunctionType, seen: set[types.FunctionType]) -> bool:
    seen.add(function)
    names = set(_names_in(function.__code__))
    if any(name == "execute" or name in _EDITOR_METHODS or _COMPOSER.fullmatch(name) for name in names):
        return True
    known = free_names(function)
    within = [known[name] for name in names if name in known]
    within += [vars(m).get(name) for m in within if isinstance(m, types.ModuleType) for name in names]
    within.append(getattr(function, "__wrapped__", None))
    package = _package(function)
    helpers = [f for f in within if isinstance(f, types.FunctionType) and f not in seen and _package(f) == package]
    return any(_mentions_method(helper, seen) for helper in helpers)


def _names_in(code: types.CodeType) -> Iterator[str]:
    """The names of attributes and globals that the code uses, functions within it included."""
    yield from (*code.co_names, *code.co_freevars)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names_in(constant)


def _package(function: types.FunctionType) -> str:
    return (function.__module__ or "").split(".", 1)[0]


def _calls_of(
    function: types.FunctionType,
    arguments: tuple[Value, ...],
    keywords: Mapping[str, Value],
    option_of: OptionOf,
) -> tuple[Called, ...]:
    """The calls that the function makes, helpers of the same distribution followed; none where it has no source."""
    definition = _definition_of(function)
    if definition is None:
        return ()

    def source_of(helper: types.FunctionType) -> Function | None:
        return _definition_of(helper) if _package(helper) == _package(function) else None

    return calls_in(definition, free_names(function), arguments, keywords, source_of=source_of, option_of=option_of)


def _definition_of(function: types.FunctionType) -> Function | None:
    code = function.__code__
    return _definitions_in(code.co_filename).get((code.co_name, code.co_firstlineno))


@functools.cache
def _definitions_in(file: str) -> dict[tuple[str, int], Function]:
    """The functions of a file by name and by the line that Python gives for them: that of the first decorator."""
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return {}
    found: dict[tuple[str, int], Function] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            found[node.name, min([node.lineno, *(d.lineno for d in node.decorator_list)])] = node
        elif isinstance(node, ast.Lambda):
            found["<lambda>", node.lineno] = node
    return found


def _fits(pattern: str, table: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split(UNKNOWN))), table) is not None


def _known(name: Value) -> str:
    """The name, ``""`` for one that nobody knows."""
    return name if isinstance(name, str) and name != UNKNOWN else ""


def _named(part: Value) -> Value:
    """The name of an index or constraint: a string, or as it was given to the class."""
    if isinstance(part, Called):
        return part.keywords.get("name", UNKNOWN)
    return getattr(part, "name", part)


def _names_given(part: Value, keyword: str) -> tuple[str, ...]:
    given = part.keywords.get(keyword, ()) if isinstance(part, Called) else getattr(part, keyword, ())
    return tuple(name for name in given if isinstance(name, str)) if isinstance(given, (tuple, list)) else ()


def _field_names(field: Value, calls: Sequence[Called]) -> Iterator[str]:
    """The name of a field: asked for by ``get_field("name")``, or set by ``set_attributes_from_name("name")``."""
    if isinstance(field, Called) and field.name == "get_field":
        yield from field.strings[:1]
    for called in calls:
        if called.name == "set_attributes_from_name" and called.on is field:
            yield from called.strings[:1]
