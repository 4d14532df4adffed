"""The expected layout: the applied state, worded by Django, spelled by PostgreSQL, mapped back.

Every table is worded as ``"pg_temp"."name"``: it lands in this session's temporary schema under its own
name, so PostgreSQL and Django pick the very names that ``migrate`` would, and no statement can reach a
table of the live schemas, not even an index of a table whose CREATE failed. All of it is rolled back.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.db import Error, models, router
from django.db.backends.utils import split_identifier
from django.db.migrations.exceptions import InvalidBasesError
from django.db.migrations.state import ProjectState

from cascade.core.expected import ExpectedTable, ModelField, NotChecked
from cascade.core.history import ModelOrigin, Provenance
from cascade.core.layout import Column, Constraint, ConstraintKind, Reference, RowEvidence, Table, TableName, clipped
from cascade.core.observed import Document, table_from
from cascade.errors import HistoryError, ReferenceFailed, UnexpectedLock, first_line
from cascade.sources.catalog import CatalogScope, read_table_documents

BATCH = 50
"""Tables made in one transaction: each takes a handful of locks of the server's shared table."""


@dataclass(frozen=True, slots=True)
class WordedTable:
    """A table of the applied state with the DDL that would make it in ``pg_temp``, and what no DDL says.

    ``expected`` holds its place, columns by name, keys and provenance; definitions come from reading back.
    ``unproven`` are the constraints that migrations left NOT VALID. ``problem`` is why Django could not word it.
    """

    expected: ExpectedTable
    statements: tuple[str, ...]
    fills: Mapping[str, str]
    unproven: frozenset[str] = frozenset()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class WordedState:
    """All tables of the applied state, in state order; ``known_names`` belong to models that make no table here."""

    tables: tuple[WordedTable, ...]
    known_names: frozenset[str]


@dataclass(frozen=True, slots=True)
class AppliedState:
    """The migration state after what is applied: its models, where each came from, the apps that have migrations."""

    state: ProjectState
    origins: Mapping[tuple[str, str], ModelOrigin]
    migrated_apps: frozenset[str]


def read_worded_state(applied: AppliedState, connection: Any, *, target: str) -> WordedState:
    """Render the state once and word each of its tables. Asks the database nothing.

    ``connection`` is a Django connection: its backend words the DDL. ``target`` is the schema of tables whose
    ``db_table`` names none. Raises ``HistoryError`` where the state does not hold together.
    """
    made, known = [], set()
    for position, model in enumerate(_models(_render(applied.state))):
        if _makes_a_table(model, applied.migrated_apps, connection):
            made.append(_word(model, position, applied.origins, connection, target))
        else:
            known.add(split_identifier(model._meta.db_table)[1])
    return WordedState(tuple(made), frozenset(known))


@dataclass(frozen=True, slots=True)
class Definitions:
    """What PostgreSQL printed of each table that could be made, and why the others could not be.

    Both are keyed by the table's qualified name. Plain JSON values: this is what is cached between runs.
    """

    documents: Mapping[str, Document]
    problems: Mapping[str, str]


def read_definitions(
    worded: Iterable[WordedTable], cursor: Any, *, path: tuple[str, ...], report: Callable[[str], None]
) -> Definitions:
    """Make the tables in ``pg_temp``, read them back, roll back.

    ``cursor`` is outside any transaction; ``path`` are the schemas where types are looked up. Raises
    ``UnexpectedLock`` if making a table locked anything outside the temporary schema.
    """
    documents: dict[str, Document] = {}
    tables = list(worded)
    problems = {str(table.expected.name): table.problem for table in tables if table.problem}
    for batch in _batches([table for table in tables if not table.problem]):
        for table, read, problem in _read_batch(batch, cursor, path):
            if read is None:
                problems[str(table.expected.name)] = problem
            else:
                documents[str(table.expected.name)] = read
        report(f"expected side: {len(documents) + len(problems)} of {len(tables)} tables")
    return Definitions(documents, problems)


def expected_tables(
    worded: Iterable[WordedTable], definitions: Definitions
) -> tuple[dict[TableName, ExpectedTable], tuple[NotChecked, ...]]:
    """The tables with their definitions; one that could not be made has ``compared`` False and is named."""
    found: dict[TableName, ExpectedTable] = {}
    not_checked: list[NotChecked] = []
    for table in worded:
        key = str(table.expected.name)
        if key in definitions.documents:
            found[table.expected.name] = _with_definitions(table, table_from(definitions.documents[key]))
        else:
            found[table.expected.name] = replace(table.expected, compared=False)
            not_checked.append(_not_compared(table, definitions.problems.get(key, "it was not made")))
    return found, tuple(not_checked)


def read_names_only(worded: Iterable[WordedTable]) -> dict[TableName, ExpectedTable]:
    """Locations and column names alone, where nothing can be made anywhere."""
    return {table.expected.name: replace(table.expected, compared=False) for table in worded}


def _render(state: ProjectState) -> Any:
    try:
        return state.apps
    except (ValueError, InvalidBasesError, LookupError) as error:
        raise HistoryError(
            f"The models as of the applied migrations do not hold together: {error}",
            hint="A migration that these need is not recorded as applied, or this is not the code that is deployed.",
        ) from error


def _models(apps: Any) -> list[Any]:
    """All models of the state, automatic through tables included, in an order that is decided."""
    return sorted(
        apps.get_models(include_auto_created=True, include_swapped=True),
        key=lambda model: (model._meta.app_label, _owner(model)._meta.model_name, model._meta.model_name),
    )


def _owner(model: Any) -> Any:
    """The model itself, or the one whose many-to-many field an automatic through table serves."""
    return model._meta.auto_created or model


def _makes_a_table(model: Any, migrated_apps: frozenset[str], connection: Any) -> bool:
    """Whether ``CreateModel`` would have made it here (``Operation.allow_migrate_model``)."""
    if model._meta.app_label not in migrated_apps or model._meta.db_table == "django_migrations":
        return False
    # The router is not asked about an automatic through table: it is made with its owner.
    owner = _owner(model)
    return bool(owner._meta.can_migrate(connection) and router.allow_migrate_model(connection.alias, owner))


def _word(
    model: Any, position: int, origins: Mapping[tuple[str, str], ModelOrigin], connection: Any, target: str
) -> WordedTable:
    schema, bare = split_identifier(model._meta.db_table)
    name = TableName(clipped(schema) or target, clipped(bare))
    owner = _owner(model)
    origin = origins.get((owner._meta.app_label, owner._meta.model_name))
    if origin is None:
        raise HistoryError(f"No applied migration accounts for the model {owner._meta.label}.")
    editor = _wording_editor(connection)
    keys = tuple(_foreign_keys(model, target, editor))
    # A set in the migration state; the order of the statements is part of what the cache is asked for.
    model._meta.unique_together = sorted(tuple(names) for names in model._meta.unique_together)
    problem = ""
    with _named(model, f'pg_temp"."{bare}'), _one_table_each(model):
        try:
            editor.create_model(model)
        except (FieldDoesNotExist, FieldError) as error:
            # RenameField leaves the field's old name in Meta.indexes and Meta.constraints of the state.
            problem = f"the models as of the applied migrations do not hold together: {error}"
    fields = [field for field in model._meta.local_fields if field.db_parameters(connection)["type"] is not None]
    expected = ExpectedTable(
        table=Table(
            name,
            columns=tuple(Column(clipped(field.column), "", nullable=field.null) for field in fields),
            constraints=keys,
        ),
        app=owner._meta.app_label,
        model=owner._meta.label,
        made_by=_table_origin(model, origin),
        column_made_by={clipped(field.column): _column_origin(model, field, origin) for field in fields},
        column_altered_by=dict(_alterations(fields, origin, connection)) if model is owner else {},
        part_made_by=dict(_part_origins(model, fields, origin)),
        state_position=position,
        fields=tuple(ModelField(field.name, type(field).__name__, clipped(field.column)) for field in fields),
        through_field=_through_field(model),
        may_lack_like=frozenset(_without_like(fields, origin, connection)) if model is owner else frozenset(),
        removed_fields=origin.removed if model is owner else 0,
    )
    unproven = frozenset(map(clipped, origin.unproven))
    return WordedTable(expected, _statements(editor), dict(_fills(fields, origin, editor)), unproven, problem)


def _wording_editor(connection: Any) -> Any:
    """The backend's own schema editor, which only writes down what it would run, foreign keys apart."""

    class WordingEditor(connection.SchemaEditorClass):  # type: ignore[misc]
        def _create_fk_sql(self, model: Any, field: Any, suffix: str) -> str:
            return ""

    editor = WordingEditor(connection, collect_sql=True)
    editor.deferred_sql = []
    return editor


def _statements(editor: Any) -> tuple[str, ...]:
    deferred = [str(statement) for statement in editor.deferred_sql if statement]
    # One state can hold the same index twice: a renamed one beside its earlier self.
    return tuple(dict.fromkeys((*editor.collected_sql, *(text for text in deferred if text))))


@contextmanager
def _named(model: Any, db_table: str) -> Iterator[None]:
    kept = model._meta.db_table
    model._meta.db_table = db_table
    try:
        yield
    finally:
        model._meta.db_table = kept


@contextmanager
def _one_table_each(model: Any) -> Iterator[None]:
    """Keep ``create_model`` from making the automatic through tables too: each is worded on its own."""
    fields = model._meta.local_many_to_many
    model._meta.local_many_to_many = []
    try:
        yield
    finally:
        model._meta.local_many_to_many = fields


def _foreign_keys(model: Any, target: str, editor: Any) -> Iterator[Constraint]:
    """The keys that Django makes in the database, from the state."""
    for field in model._meta.local_fields:
        if not (field.remote_field and getattr(field, "db_constraint", False)):
            continue
        remote = field.remote_field.model
        schema, bare = split_identifier(remote._meta.db_table)
        name = str(editor._fk_constraint_name(model, field, "_fk_%(to_table)s_%(to_column)s"))
        yield Constraint(
            clipped(_unquoted(name)),
            ConstraintKind.FOREIGN_KEY,
            (clipped(field.column),),
            references=Reference(
                TableName(clipped(schema) or target, clipped(bare)),
                (clipped(field.target_field.column),),
                on_delete=_on_delete(field, editor),
            ),
            deferrable=True,
            initially_deferred=True,
        )


def _unquoted(name: str) -> str:
    return name[1:-1] if name.startswith('"') and name.endswith('"') else name


def _on_delete(field: Any, editor: Any) -> str:
    """Django 6.1's ``DB_CASCADE`` and the like as ``pg_constraint.confdeltype``; all others do nothing there."""
    word = getattr(field.remote_field.on_delete, "operation", None)
    return {"CASCADE": "c", "SET NULL": "n", "SET DEFAULT": "d"}.get(word or "", "a")


def _table_origin(model: Any, origin: ModelOrigin) -> Provenance:
    """Of an automatic through table the operation that added its field, else that which made the model."""
    return origin.fields.get(_through_field(model), origin.made_by)


def _through_field(model: Any) -> str:
    """The many-to-many field that an automatic through table serves; empty for a model of its own."""
    owner = model._meta.auto_created
    fields = owner._meta.local_many_to_many if owner else ()
    return next((field.name for field in fields if field.remote_field.through is model), "")


def _column_origin(model: Any, field: Any, origin: ModelOrigin) -> Provenance:
    if model._meta.auto_created:
        return _table_origin(model, origin)
    return origin.fields.get(field.name, origin.made_by)


def _part_origins(
    model: Any, fields: Iterable[Any], origin: ModelOrigin
) -> Iterator[tuple[str | frozenset[str], Provenance]]:
    """Constraints and indexes by their name in the database, sets of fields by their columns."""
    if model._meta.auto_created:
        return
    columns = {field.name: clipped(field.column) for field in fields}
    for part, made_by in origin.parts.items():
        if isinstance(part, str):
            yield clipped(part), made_by
        else:
            yield frozenset(columns.get(name, name) for name in part), made_by


def _alterations(
    fields: Iterable[Any], origin: ModelOrigin, connection: Any
) -> Iterator[tuple[str, dict[str, Provenance]]]:
    """The operation that last altered each aspect of a column, for the columns that one altered.

    Not every AlterField does: ``DatabaseSchemaEditor._alter_field`` issues a statement only for what differs.
    """
    for field in fields:
        earlier = origin.earlier.get(field.name, ())
        later = [*(before.field for before in earlier[1:]), field]
        altered = {
            aspect: before.altered_by
            for before, after in zip(earlier, later, strict=False)
            if before.altered_by is not None
            for aspect in _altered_aspects(before.field, after, connection)
        }
        if altered:
            yield clipped(field.column), altered


def _altered_aspects(before: Any, after: Any, connection: Any) -> Iterator[str]:
    """What of the column gets another value: a new type or collation is one ``ALTER COLUMN TYPE``, which gives both."""
    if _type_in_database(before, connection) != _type_in_database(after, connection):
        yield from ("type", "collation")
    if _draws_values(before, connection) != _draws_values(after, connection):
        yield from ("identity", "default")
    if before.null != after.null:
        yield "nullability"
    if before.db_default != after.db_default:
        yield "default"
    if before.db_comment != after.db_comment:
        yield "comment"


def _type_in_database(field: Any, connection: Any) -> tuple[str, str]:
    """Type and collation; for a key, whose target's type an earlier state alone cannot tell, what it refers to."""
    if field.is_relation:
        return "key", str(field.deconstruct()[3].get("to", "")).lower()
    parameters = field.db_parameters(connection)
    return str(parameters["type"]), str(parameters.get("collation") or "")


def _draws_values(field: Any, connection: Any) -> str:
    """The suffix of a type that makes the column an identity, empty for most."""
    return "" if field.is_relation else str(field.db_type_suffix(connection) or "")


def _without_like(fields: Iterable[Any], origin: ModelOrigin, connection: Any) -> Iterator[str]:
    """The columns that AlterField may have left without the index for LIKE that Django makes with a new one.

    ``DatabaseSchemaEditor._alter_field`` of the PostgreSQL backend makes it where an index is new: not where a number
    that had one became text. Where one sort of text became another, versions of Django differ.
    """
    for field in fields:
        versions = [*(before.field for before in origin.earlier.get(field.name, ())), field]
        sorts = [_sort_of_text(version, connection) for version in versions]
        was_indexed = [version.db_index or version.unique for version in versions]
        if any(here != there and index for here, there, index in zip(sorts, sorts[1:], was_indexed, strict=False)):
            yield clipped(field.column)


def _sort_of_text(field: Any, connection: Any) -> str:
    """``varchar`` or ``text``; empty for all else, and for a key of a state that is gone, whose target is not known."""
    if field.is_relation and not hasattr(field, "model"):
        return ""
    sort = str(field.db_type(connection)).partition("(")[0]
    return sort if sort in ("varchar", "text") else ""


def _fills(fields: Iterable[Any], origin: ModelOrigin, editor: Any) -> Iterator[tuple[str, str]]:
    """A constant that old rows may take: the field's default, the one-off default of its AddField, or the empty text
    that Django gives them where a field may be left blank.
    """
    for field in fields:
        if field.null or field.primary_key or getattr(field, "generated", False):
            continue
        defaults = [getattr(of, "default", models.NOT_PROVIDED) for of in (field, origin.added.get(field.name))]
        defaults = [default for default in defaults if default is not models.NOT_PROVIDED]
        if not defaults and field.blank and field.empty_strings_allowed:
            defaults = [""]
        for default in defaults:
            if callable(default) or default is None:
                continue
            try:
                value = field.get_db_prep_save(default, editor.connection)
                yield clipped(field.column), str(editor.quote_value(value))
            except Exception:
                continue  # a custom field may refuse: then there is no constant to offer
            break


def _batches(tables: list[WordedTable]) -> Iterator[list[WordedTable]]:
    """At most ``BATCH`` tables each, no bare name twice in one: they share one temporary schema."""
    waiting = tables
    while waiting:
        batch: dict[str, WordedTable] = {}
        later: list[WordedTable] = []
        for table in waiting:
            name = table.expected.name.name
            if len(batch) < BATCH and name not in batch:
                batch[name] = table
            else:
                later.append(table)
        yield list(batch.values())
        waiting = later


def _read_batch(
    batch: list[WordedTable], cursor: Any, path: tuple[str, ...]
) -> Iterator[tuple[WordedTable, Document | None, str]]:
    """Each table with what was read back, or with why it could not be made."""
    try:
        read = _make_and_read(batch, cursor, path)
    except Error as error:
        if len(batch) == 1:
            yield batch[0], None, first_line(error)
            return
        for table in batch:
            yield from _read_batch([table], cursor, path)
        return
    for table in batch:
        yield table, read.get(table.expected.name.name), "it could not be read back"


def _make_and_read(batch: list[WordedTable], cursor: Any, path: tuple[str, ...]) -> dict[str, Document]:
    # A role whose default is read-only may still make temporary tables.
    cursor.execute("BEGIN READ WRITE")
    try:
        cursor.execute("SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '60s'")
        cursor.execute("SELECT pg_catalog.set_config('search_path', %s, true)", [_path_setting(path)])
        # In one message: going to the server and back would cost more than the statements themselves.
        cursor.execute("\n".join(f"{statement}\n;" for table in batch for statement in table.statements))
        schema = _temporary_schema(cursor)
        _refuse_other_locks(cursor)
        documents = read_table_documents(cursor, CatalogScope(schemas=(schema,), histories=(), rows=(), names=()))
    finally:
        cursor.execute("ROLLBACK")
    return {document["name"]: document for document in documents}


def _path_setting(path: tuple[str, ...]) -> str:
    return ", ".join('"' + schema.replace('"', '""') + '"' for schema in path) or "pg_catalog"


def _temporary_schema(cursor: Any) -> str:
    cursor.execute("SELECT nspname FROM pg_catalog.pg_namespace WHERE oid = pg_catalog.pg_my_temp_schema()")
    row = cursor.fetchone()
    if row is None:
        raise ReferenceFailed("No temporary schema came into being: no table could be made.")
    return str(row[0])


def _refuse_other_locks(cursor: Any) -> None:
    """Prove that nothing outside our own temporary schema is locked by us beyond reading."""
    cursor.execute(
        """
        SELECT n.nspname, c.relname, l.mode
        FROM pg_catalog.pg_locks l
        JOIN pg_catalog.pg_class c ON c.oid = l.relation
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE l.locktype = 'relation' AND l.pid = pg_catalog.pg_backend_pid()
          AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
          AND l.mode <> 'AccessShareLock'
          AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
          AND n.oid <> pg_catalog.pg_my_temp_schema()
          AND n.nspname !~ '^pg_toast_temp_'
        ORDER BY 1, 2, 3
        LIMIT 1
        """
    )
    row = cursor.fetchone()
    if row is not None:
        raise UnexpectedLock(
            f"Building the expected side in pg_temp locked {row[0]}.{row[1]} ({row[2]}); it was rolled back.",
            hint="Please report this; --reference with another server avoids it.",
        )


def _not_compared(table: WordedTable, problem: str) -> NotChecked:
    return NotChecked(
        f"the definition of {table.expected.name}",
        f"it could not be made for comparison: {problem}",
        "make what it needs available, or give another server with --reference",
    )


def _with_definitions(table: WordedTable, read: Table) -> ExpectedTable:
    """What was read back, under its real name, with the keys that were not made."""
    expected = table.expected
    made = replace(
        read,
        name=expected.name,
        columns=tuple(_in_place(column, expected.name.schema, table.fills) for column in read.columns),
        constraints=(
            *(replace(c, validated=c.validated and c.name not in table.unproven) for c in read.constraints),
            *expected.table.constraints,
        ),
        owner="",
        oid=0,
        pages=0,
        rows=RowEvidence(),
    )
    return replace(expected, table=made)


def _in_place(column: Column, schema: str, fills: Mapping[str, str]) -> Column:
    """The column with its sequence where it would be made: an identity's is PostgreSQL's affair."""
    column = replace(column, fill=fills.get(column.name))
    if column.sequence is None or column.identity:
        return replace(column, sequence=None)
    name = TableName(schema, column.sequence.name.name)
    text = str(name).replace("'", "''")
    return replace(
        column, sequence=replace(column.sequence, name=name), default=f"nextval('{text}'::regclass)"
    )  # fmt: skip
