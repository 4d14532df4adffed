"""The tables that a finding is about: where they come from, how they stood, and all that belongs to each."""

from collections.abc import Iterator

from cascade.core.documents import JSON, table_of
from cascade.core.incident import Incident
from cascade.core.words import counted, listed
from cascade.render.report.blocks import Aside, Block, Code, Detail, Details, Facts, Grid, Line, Paragraph, Sql, Strong
from cascade.render.report.words import capital
from cascade.render.wording import moment


def sources(incident: Incident) -> Iterator[Block]:
    """Where each table was made: model, fields, migration, and the SQL that makes it."""
    tables = _concerned(incident)
    if not tables:
        return
    yield Grid(
        ("table", "migration", "recorded", "columns", "constraints", "keys", "indexes"),
        tuple(
            (
                (Code(table["table"]),),
                (Code(table["migration"]),),
                (moment(table["applied"]),),
                *((f"{number}",) for number in _numbers(table)),
            )
            for table in tables
        ),
        right=frozenset((3, 4, 5, 6)),
    )
    yield Details(
        "model, fields, migration, and the SQL that makes it",
        tuple(Detail(table["app"], _source_title(table), tuple(_source(table))) for table in tables),
    )


def _source_title(table: JSON) -> Line:
    return Code(table["table"]), f": model, fields, migration, and the SQL that makes it ({_made_of(table)})"


def _concerned(incident: Incident) -> list[JSON]:
    """The tables that a finding in scope is about."""
    about = {table_of(drift) for drift in incident.findings}
    return [table for table in incident.before["tables"] if table_of(table) in about]


def _numbers(table: JSON) -> tuple[int, int, int, int]:
    """How many columns, constraints without keys, foreign keys, and indexes that serve no constraint."""
    keys = sum(constraint["kind"] == "foreign_key" for constraint in table["constraints"])
    return len(table["columns"]), len(table["constraints"]) - keys, keys, len(table["indexes"])


def _made_of(table: JSON) -> str:
    columns, constraints, keys, indexes = _numbers(table)
    return ", ".join(
        (
            counted(columns, "column"),
            counted(indexes, "index", "indexes"),
            counted(constraints, "constraint"),
            counted(keys, "foreign key"),
        )
    )


def _source(table: JSON) -> Iterator[Block]:
    place = table["model_source"]
    pairs: list[tuple[str, Line]] = [
        ("Model", (Code(table["model"]),) if table["model"] else ("no model has this table",)),
        ("Model's source", (Code(place),) if place else ("not known: the checkout that was used does not have it",)),
        ("Migration", (Code(table["migration"]), f", recorded {moment(table['applied'])}")),
        ("Operation", (table["operation"], *((" at ", Code(table["source"])) if table["source"] else ()))),
    ]
    yield Facts(tuple(pairs))
    if table["fields"]:
        fields = tuple((Code(f["name"]), f["type"], Code(f["column"])) for f in table["fields"])
        yield Grid(("field", "class", "column"), tuple(((a,), (b,), (c,)) for a, b, c in fields))
    if table["sql"]:
        yield Sql("The table as the applied migrations leave it (to be read, not run)", "\n".join(table["sql"]))
    else:
        yield Paragraph(("The SQL that makes it is not known: its definition could not be built.",))


def state(incident: Incident) -> Iterator[Block]:
    """What was read and as whom, and where each table lay."""
    plan = incident.before
    path = plan["search_path"] or "empty"
    skipped = "".join(f"; {s['schema']} is passed over: {s['why']}" for s in plan["search_path_skipped"])
    yield Facts(
        (
            ("Read", (f"{moment(plan['read_at'])} as ", Code(plan["connected_as"]))),
            (
                "Pages run as",
                (
                    Code(plan["application_role"]),
                    ", search_path ",
                    Code(path),
                    f" ({plan['search_path_source']}){skipped}",
                ),
            ),
            ("Tables belong in", (Code(plan["target_schema"]), f": {plan['target_because']}")),
            ("A new table lands in", (Code(plan["creation_schema"]) if plan["creation_schema"] else "no schema",)),
            (
                "Expected",
                (
                    f"{counted(plan['expected']['tables'], 'table')} by "
                    f"{counted(plan['expected']['applied_migrations'], 'applied migration')}; "
                    f"{plan['expected']['reference']}",
                ),
            ),
        )
    )
    tables = _concerned(incident)
    if tables:
        yield Grid(
            ("table", "belongs in", "found in", "rows", "relation (OID)", "owner"),
            tuple(row for table in tables for row in _places(table)),
            right=frozenset((3, 4)),
        )
    elif not incident.findings:
        yield Paragraph(("Every expected table is in its place.",))


def _places(table: JSON) -> Iterator[tuple[Line, ...]]:
    name: Line = (Code(table["table"]),)
    belongs: Line = (Code(table["schema"]),)
    if not table["found"]:
        yield name, belongs, (Strong("in no schema"),), ("",), ("",), ("",)
    for copy in table["found"]:
        right = copy["schema"] == table["schema"]
        place: Line = (Code(copy["schema"]),) if right else (Code(copy["schema"]), Strong(" (not its place)"))
        yield name, belongs, place, (_rows_of(copy),), (str(copy["oid"]),), (Code(copy["owner"]),)


def _rows_of(copy: JSON) -> str:
    if copy["rows"] is not None:
        return f"{copy['rows']:,}"
    return f"~{copy['estimate']:,}" if copy["estimate"] else "not counted"


def evidence(incident: Incident) -> Iterator[Block]:
    """The columns, constraints and indexes of each table, and whether they are there."""
    tables = _concerned(incident)
    if tables:
        yield Details(
            "columns, constraints and indexes, and whether they are there",
            tuple(Detail(table["app"], (Code(table["table"]),), tuple(_table_evidence(table))) for table in tables),
            folded=False,
        )


def _table_evidence(table: JSON) -> Iterator[Block]:
    found = table["found"][0] if table["found"] else None
    here = f"found in {found['schema']}" if found else "found in no schema"
    yield Paragraph((f"{capital(_made_of(table))}; {here}.{_later_columns(table)}",))
    if found is not None and found["comment"]:
        yield Paragraph(("Comment: ", Code(found["comment"])))
    yield Aside(
        (f"Columns ({len(table['columns'])})",),
        (
            Grid(
                ("column", "type", "null", "made by", "there"),
                tuple(
                    (
                        (Code(column["name"]),),
                        (column["type"],),
                        ("yes" if column["nullable"] else "no",),
                        (Code(column["migration"]),),
                        _there(column["name"], found, "columns"),
                    )
                    for column in table["columns"]
                ),
            ),
        ),
    )
    for word, entries, kind in (
        ("Constraints", table["constraints"], "constraints"),
        ("Indexes", table["indexes"], "indexes"),
    ):
        if entries:
            yield Aside(
                (f"{word} ({len(entries)})",),
                (
                    Grid(
                        ("name", "definition", "there"),
                        tuple(
                            (
                                (Code(entry["name"]),),
                                (Code(("UNIQUE " if entry.get("unique") else "") + entry["definition"]),),
                                _there(entry["name"], found, kind),
                            )
                            for entry in entries
                        ),
                    ),
                ),
            )


def _later_columns(table: JSON) -> str:
    """Where columns came after the table, how many it began with: a count by the first migration alone is too low."""
    later = [column for column in table["columns"] if column["migration"] != table["migration"]]
    if not later:
        return ""
    first = len(table["columns"]) - len(later)
    each = listed([f"{column['name']} by {column['migration']}" for column in later], 4)
    return f" {table['migration']} made {first} of the columns; then came {each}."


def _there(name: str, found: JSON | None, kind: str) -> Line:
    """By name alone, which is no identity: what is under another name is told by the findings."""
    if found is None:
        return ("no",)
    return ("yes",) if name in found[kind] else ("not by this name",) if kind != "columns" else (Strong("no"),)
