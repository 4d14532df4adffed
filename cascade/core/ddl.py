"""Hand-written SQL, read for what it does to tables: PostgreSQL's DDL, statement by statement.

The lexer is that of ``sqlglot``, which knows PostgreSQL's comments, quoted names and dollar quotes. Its parser is not
asked: it answers a bare text for much of what migrations write (``VALIDATE CONSTRAINT``, ``RENAME CONSTRAINT``,
``DISABLE TRIGGER``, ``OWNER TO``, and with them every other action of that ``ALTER TABLE``) and knows no PL/pgSQL.
What is not DDL about tables, or cannot be read, is passed over: nothing is explained by it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from itertools import product
from typing import Any, ClassVar

from cascade.core.layout import ConstraintKind, clipped

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""Stands in SQL, and then in names and values, for what is only known when the code runs."""


class Verb(Enum):
    """What a statement does to a thing. RENAME: ``value`` is the new name."""

    MAKE = "make"
    ALTER = "alter"
    DROP = "drop"
    RENAME = "rename"


class Thing(Enum):
    """What a statement is about. The parts of a column are named like the aspects of a finding."""

    TABLE = "table"
    VIEW = "view"
    SCHEMA = "schema"
    COLUMN = "column"
    TYPE = "type"
    NULLABILITY = "nullability"
    DEFAULT = "default"
    IDENTITY = "identity"
    GENERATED = "generated"
    COLLATION = "collation"
    COMMENT = "comment"
    CONSTRAINT = "constraint"
    VALIDATION = "validation"
    ENFORCEMENT = "enforcement"
    INDEX = "index"
    OWNER = "owner"
    PRIVILEGES = "privileges"


@dataclass(frozen=True, slots=True)
class Ddl:
    """One thing that a statement does.

    ``table`` is a bare name, ``""`` where the statement names none (``DROP INDEX``); ``schema`` is ``""`` where it
    gives none. ``name`` is that of the constraint, index, column, trigger or privilege, ``""`` for one without, for
    all of them, or where nobody knows it before the code runs. ``columns`` are the plain columns, in order, of the
    constraint or index, or the one column. ``value`` is what was given, ``""`` for none, and None where the statement
    does not say:

    ========================  =======================================================================================
    TYPE, COLLATION, DEFAULT  the type as PostgreSQL prints it, the collation's bare name, the expression
    NULLABILITY               ``null`` or ``not null``
    IDENTITY, GENERATED       as in ``Column``
    CONSTRAINT, INDEX         the definition: a constraint's from its kind on, an index's from ``ON table`` on
    VALIDATION                ``""`` for NOT VALID, ``valid``
    ENFORCEMENT               ``""`` for disabled triggers and NOT ENFORCED, ``enforced``
    SCHEMA, OWNER             the new one
    VIEW                      what it is: ``view``, ``materialized view`` or ``foreign table``
    PRIVILEGES                the role, ``""`` for PUBLIC
    renames                   the new name
    ========================  =======================================================================================

    ``conditional``: it stands in code with branches, which may not have come to it.
    """

    verb: Verb
    thing: Thing
    table: str = ""
    schema: str = ""
    name: str = ""
    columns: tuple[str, ...] = ()
    constraint_type: ConstraintKind | None = None
    unique: bool = False
    value: str | None = None
    text: str = ""
    conditional: bool = False


def ddl_in(*texts: str) -> tuple[Ddl, ...]:
    """What the statements of these texts, run one after another, do to tables, in order.

    Of procedural code and dynamic SQL what every branch may do. The code of a function counts where it is called: one
    that was only made has done nothing.

    >>> for done in ddl_in('ALTER TABLE "Item" ALTER path TYPE varchar(255) COLLATE "C", DROP CONSTRAINT positive'):
    ...     print(done.verb.value, done.thing.value, done.table, done.name, done.value)
    alter type Item path character varying(255)
    alter collation Item path C
    drop constraint Item positive None
    """
    if not any(map(mentions_ddl, texts)):
        return ()
    functions: dict[str, str] = {}
    return tuple(done for text in texts for done in _read(text, functions, depth=0))


def mentions_ddl(sql: str) -> bool:
    """Whether there can be anything to find in it: most hand-written SQL is about rows, and need not be read."""
    lowered = sql.lower()
    return any(word in lowered for word in ("alter", "create", "drop", "comment", "grant", "revoke"))


def words_in(definition: str) -> frozenset[str]:
    """The names, numbers and strings of a printed or written definition, without types and keywords: what it is about.

    >>> sorted(words_in("CHECK (((kind)::text = ANY (ARRAY['a'::character varying, 'b'::character varying])))"))
    ['a', 'b', 'kind']
    """
    cursor, found = _Cursor(_tokens(definition)), set()
    while not cursor.at_end:
        if cursor.take("::"):
            cursor.name()
            while cursor.take_any("varying", "precision", "with time zone", "without time zone"):
                pass
            continue
        token = cursor.peek()
        if token.is_name:
            name = cursor.name()
            if token.kind == "name" or name not in _IDLE_WORDS:
                found.add(name)
            continue
        if token.kind == "string" or token.text[:1].isdigit():
            # PostgreSQL prints a negative number as a string.
            found.add(token.text.removeprefix("-"))
        cursor.position += 1
    return frozenset(found)


_IDLE_WORDS = frozenset(
    """
    action all and any array as asc between btree by check constraint default distinct end enforced exclude foreign
    from if in include index initially is key like match no not null nulls on only or primary references simple
    unique using valid where with
    """.split()
)
"""Words that PostgreSQL adds, leaves out or rewrites when it prints a definition."""

_DEEPEST = 4
"""Strings in strings in strings: a limit, so that no text can make the reader run away."""

_LONGEST_TEXT = 140

_STARTS_AFTER = frozenset((";", "begin", "then", "else", "loop"))
"""A statement of SQL or PL/pgSQL begins after these (PL/pgSQL, Structure and Control Structures)."""


_BRANCHES = frozenset(("then", "loop", "exception", "return"))
"""Code without any of these words is run from its beginning to its end (PL/pgSQL, Control Structures)."""


def _read(sql: str, functions: dict[str, str], *, depth: int) -> Iterator[Ddl]:
    """``functions`` is the code of those that were made by now, by name: what is made here is added."""
    tokens = _tokens(sql)
    branches = depth > 0 and any(token.kind == "word" and token.text in _BRANCHES for token in tokens)
    for start, token in enumerate(tokens):
        if token.kind == "word" and (start == 0 or tokens[start - 1].is_one_of(_STARTS_AFTER)):
            statement = tokens[start : _end_of(tokens, start)]
            text = _shown(sql, statement)
            for done in _statement(statement, functions, depth):
                yield replace(done, text=done.text or text, conditional=done.conditional or branches)


# --------------------------------------------------------------------------------------------------------------- tokens


@dataclass(frozen=True, slots=True)
class _Token:
    """``kind`` is ``word`` (folded to lower case), ``name`` (was in double quotes), ``string`` or ``symbol``."""

    kind: str
    text: str
    start: int = 0
    end: int = 0

    def is_one_of(self, texts: frozenset[str]) -> bool:
        return self.kind in ("word", "symbol") and self.text in texts

    @property
    def is_name(self) -> bool:
        return self.kind in ("word", "name")


_END = _Token("symbol", "")


def _tokens(sql: str) -> tuple[_Token, ...]:
    """The tokens of the text; none where it cannot be SQL, such as one that ends inside a string."""
    from sqlglot.errors import SqlglotError

    try:
        return tuple(token for found in _lexer().tokenize(sql) for token in _own(found))
    except SqlglotError:
        return ()


@cache
def _lexer() -> Any:
    from sqlglot.dialects.postgres import Postgres

    class Lexer(Postgres.Tokenizer):
        # Else all that follows DO, EXECUTE or CALL is one string.
        COMMANDS: ClassVar = set()

    return Lexer(dialect=Postgres())


def _own(token: Any) -> Iterator[_Token]:
    """The token in our terms; ``PRIMARY KEY`` and the like, one to sqlglot, are two."""
    kind, text, place = token.token_type.name, token.text, (token.start, token.end + 1)
    if kind == "IDENTIFIER":
        yield _Token("name", clipped(text), *place)
    elif kind.endswith("STRING"):
        yield _Token("string", text, *place)
    elif text[:1].isalpha() or text[:1] in ("_", UNKNOWN):
        yield from (_Token("word", clipped(word.lower()), *place) for word in text.split())
    else:
        yield _Token("symbol", text, *place)


def _end_of(tokens: Sequence[_Token], start: int) -> int:
    depth = 0
    for position in range(start, len(tokens)):
        token = tokens[position]
        if token.kind == "symbol":
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if token.text == ";" and depth <= 0:
                return position
    return len(tokens)


def _shown(sql: str, tokens: Sequence[_Token]) -> str:
    """The statement on one line, without comments, shortened."""
    parts: list[str] = []
    end = tokens[0].start if tokens else 0
    for token in tokens:
        if token.start >= end:
            parts += (" " if token.start > end else "", sql[token.start : token.end])
            end = token.end
    text = " ".join("".join(parts).replace(UNKNOWN, "…").split())
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 2].rstrip() + " …"


class _Cursor:
    """Moves over the tokens of one statement."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self.position = 0

    def peek(self, ahead: int = 0) -> _Token:
        position = self.position + ahead
        return self._tokens[position] if position < len(self._tokens) else _END

    @property
    def at_end(self) -> bool:
        return self.position >= len(self._tokens)

    def take(self, phrase: str) -> bool:
        """Step over these words, if they are next."""
        words = phrase.split()
        for ahead, word in enumerate(words):
            token = self.peek(ahead)
            if token.text != word or token.kind not in ("word", "symbol"):
                return False
        self.position += len(words)
        return True

    def take_any(self, *phrases: str) -> str:
        """Step over the first of these phrases that is next, and say which it was."""
        return next((phrase for phrase in phrases if self.take(phrase)), "")

    def name(self) -> str:
        """The next name without its schema, ``""`` if there is none."""
        return self.qualified()[1]

    def qualified(self) -> tuple[str, str]:
        """The next name with its schema, ``""`` if it has none."""
        parts: list[str] = []
        while self.peek().is_name:
            parts.append(self._next().text)
            if not (self.peek().text == "." and self.peek().kind == "symbol"):
                break
            self._next()
        return (parts[-2] if len(parts) > 1 else ""), (parts[-1] if parts else "")

    def names(self) -> Iterator[tuple[str, str]]:
        """Names with their schemas, separated by commas."""
        while self.peek().is_name:
            yield self.qualified()
            if not self.take(","):
                return

    def group(self) -> "_Cursor":
        """What stands in the parentheses that are next; nothing if none are."""
        if not self.take("("):
            return _Cursor(())
        start, depth = self.position, 1
        while not self.at_end:
            token = self._next()
            if token.kind == "symbol":
                depth += {"(": 1, ")": -1}.get(token.text, 0)
            if depth == 0:
                return _Cursor(self._tokens[start : self.position - 1])
        return _Cursor(self._tokens[start:])

    def parts(self) -> Iterator["_Cursor"]:
        """What the commas separate, parentheses apart."""
        while not self.at_end:
            yield self.until(frozenset())
            self.take(",")

    def until(self, words: frozenset[str]) -> "_Cursor":
        """What comes before a comma or one of these words, parentheses apart; the first token is never the end."""
        start, depth = self.position, 0
        while not self.at_end:
            token = self.peek()
            if depth == 0 and (token.text == "," and token.kind == "symbol"):
                break
            if depth == 0 and self.position > start and token.kind == "word" and token.text in words:
                break
            if token.kind == "symbol":
                depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
            self._next()
        return _Cursor(self._tokens[start : self.position])

    def rest(self) -> tuple[_Token, ...]:
        return tuple(self._tokens[self.position :])

    def strings(self) -> Iterator[_Token]:
        return (token for token in self._tokens if token.kind == "string")

    def _next(self) -> _Token:
        token = self.peek()
        self.position += 1
        return token


def _written(tokens: Sequence[_Token]) -> str:
    """The tokens as SQL again, for comparison."""
    text = ""
    for token in tokens:
        word = f"'{token.text.replace(chr(39), 2 * chr(39))}'" if token.kind == "string" else token.text
        if token.kind == "name" and not token.text.isidentifier():
            word = f'"{token.text}"'
        tight = word in (")", ",", "::", "[", "]", ".", "(") or text.endswith(("(", "::", "[", "."))
        text += word if tight or not text else f" {word}"
    return text


# ----------------------------------------------------------------------------------------------------------- statements


_CALLS = ("select * from", "select", "perform", "call")


def _statement(tokens: Sequence[_Token], functions: dict[str, str], depth: int) -> Iterator[Ddl]:
    cursor = _Cursor(tokens)
    match cursor.take_any("alter", "create", "drop", "comment on", "grant", "revoke", "do", "execute", *_CALLS):
        case "alter":
            yield from _alter(cursor)
        case "create":
            yield from _create(cursor, functions)
        case "drop":
            yield from _drop(cursor)
        case "comment on":
            yield from _comment(cursor)
        case ("grant" | "revoke") as word:
            yield from _privileges(cursor, Verb.MAKE if word == "grant" else Verb.DROP)
        case "do":
            for token in cursor.strings():
                yield from _code(token.text, functions, depth)
        case "execute":
            yield from _dynamic(cursor, functions, depth)
        case word if word in _CALLS:
            name = cursor.name()
            if cursor.peek().text == "(" and name in functions:
                yield from _code(functions[name], functions, depth)


def _code(sql: str, functions: dict[str, str], depth: int) -> Iterator[Ddl]:
    """What a text within a statement does when it is run."""
    if depth < _DEEPEST:
        yield from _read(sql, functions, depth=depth + 1)


def _dynamic(cursor: _Cursor, functions: dict[str, str], depth: int) -> Iterator[Ddl]:
    """``EXECUTE 'ALTER TABLE ' || name``, ``EXECUTE format('ALTER TABLE %I', …)``: literals are put in."""
    if cursor.take("format ("):
        cursor.position -= 1
        pattern, *arguments = [list(part.rest()) for part in cursor.group().parts()] or [[]]
        literals = [part[0].text if len(part) == 1 and part[0].kind == "string" else UNKNOWN for part in arguments]
        if len(pattern) == 1 and pattern[0].kind == "string":
            yield from _code(_formatted(pattern[0].text, literals), functions, depth)
        return
    sql, joined = "", True
    for token in cursor.until(frozenset(("using", "into"))).rest():
        if token.kind == "string":
            sql, joined = sql + token.text, True
        elif joined and token.text != "||":
            # Whatever is computed here, it is one unknown.
            sql, joined = sql + UNKNOWN, False
        elif token.text == "||":
            joined = True
    yield from _code(sql, functions, depth)


def _formatted(pattern: str, arguments: Sequence[str]) -> str:
    """PostgreSQL's ``format()`` with as much as is known (String Functions, 9.4.1)."""
    pieces = pattern.replace("%%", "\0").split("%")
    sql, waiting = pieces[0], list(arguments)
    for piece in pieces[1:]:
        digits = len(piece) - len(piece.lstrip("0123456789"))
        if digits and piece[digits : digits + 1] == "$":
            position = int(piece[:digits]) - 1
            argument = arguments[position] if 0 <= position < len(arguments) else UNKNOWN
            piece = piece[digits + 1 :]
        else:
            argument = waiting.pop(0) if waiting else UNKNOWN
        if piece[:1] == "I" and argument != UNKNOWN:
            argument = '"' + argument.replace('"', '""') + '"'
        elif piece[:1] == "L" and argument != UNKNOWN:
            argument = "'" + argument.replace("'", "''") + "'"
        sql += argument + piece[1:]
    return sql.replace("\0", "%")


def _alter(cursor: _Cursor) -> Iterator[Ddl]:
    match cursor.take_any("table", "index", *_VIEWS):
        case "table":
            cursor.take("if exists")
            cursor.take("only")
            schema, table = cursor.qualified()
            cursor.take("*")
            if table:
                for action in cursor.parts():
                    yield from _action(action, schema, table)
        case "index":
            cursor.take("if exists")
            schema, name = cursor.qualified()
            if cursor.take("rename to"):
                yield Ddl(Verb.RENAME, Thing.INDEX, schema=schema, name=name, value=cursor.name())
        case kind if kind:
            cursor.take("if exists")
            schema, view = cursor.qualified()
            if cursor.take("rename to"):
                yield Ddl(Verb.RENAME, Thing.VIEW, view, schema, view, value=cursor.name())


_VIEWS = ("view", "materialized view", "foreign table")
"""What can stand in a table's place and be asked like one."""


def _create(cursor: _Cursor, functions: dict[str, str]) -> Iterator[Ddl]:
    cursor.take("or replace")
    cursor.take("recursive")
    kind = cursor.take_any("unique index", "index", "unlogged table", "table", *_VIEWS, "function", "procedure")
    if kind in _VIEWS:
        cursor.take("if not exists")
        schema, view = cursor.qualified()
        yield Ddl(Verb.MAKE, Thing.VIEW, view, schema, value=kind)
    elif kind.endswith("index"):
        yield from _create_index(cursor, unique=kind == "unique index")
    elif kind.endswith("table"):
        yield from _create_table(cursor)
    elif kind:
        name = cursor.name()
        functions.pop(name, None)
        while not cursor.at_end:
            if cursor.take("as") and cursor.peek().kind == "string":
                functions[name] = cursor.peek().text
            cursor.position += 1


def _create_index(cursor: _Cursor, *, unique: bool) -> Iterator[Ddl]:
    cursor.take("concurrently")
    cursor.take("if not exists")
    name = "" if cursor.peek().text == "on" and cursor.peek().kind == "word" else cursor.name()
    if not cursor.take("on"):
        return
    cursor.take("only")
    schema, table = cursor.qualified()
    definition = _written(cursor.rest())
    if cursor.take("using"):
        cursor.name()
    yield Ddl(Verb.MAKE, Thing.INDEX, table, schema, name, _plain(cursor.group()), unique=unique, value=definition)


def _plain(group: _Cursor) -> tuple[str, ...]:
    """The column of each element, ``""`` for an expression, as in ``Index.columns``."""
    columns = []
    for part in group.parts():
        name = part.name()
        columns.append("" if part.peek().text == "(" and part.peek().kind == "symbol" else name)
    return tuple(columns)


def _create_table(cursor: _Cursor) -> Iterator[Ddl]:
    cursor.take("if not exists")
    schema, table = cursor.qualified()
    if not table:
        return
    yield Ddl(Verb.MAKE, Thing.TABLE, table, schema)
    for part in cursor.group().parts():
        if part.peek().text == "like" and part.peek().kind == "word":
            continue
        yield from _table_constraint(part, schema, table) or _column(part, schema, table)


def _drop(cursor: _Cursor) -> Iterator[Ddl]:
    kind = cursor.take_any("table", "index", *_VIEWS)
    if not kind:
        return
    cursor.take("concurrently")
    cursor.take("if exists")
    for schema, name in cursor.names():
        if kind == "index":
            yield Ddl(Verb.DROP, Thing.INDEX, schema=schema, name=name)
        else:
            yield Ddl(Verb.DROP, Thing.TABLE if kind == "table" else Thing.VIEW, name, schema)


def _comment(cursor: _Cursor) -> Iterator[Ddl]:
    if not cursor.take("column"):
        return
    parts = [token.text for token in cursor.until(frozenset(("is",))).rest() if token.is_name]
    cursor.take("is")
    given = cursor.peek()
    if len(parts) >= 2:
        schema = parts[-3] if len(parts) > 2 else ""
        value = given.text if given.kind == "string" else ""
        yield _of_column(Verb.ALTER, Thing.COMMENT, schema, parts[-2], parts[-1], value)


def _privileges(cursor: _Cursor, verb: Verb) -> Iterator[Ddl]:
    cursor.take("grant option for")
    privileges = []
    while not cursor.at_end and not cursor.take("on"):
        privilege = cursor.name()
        # Rights on single columns are none on the table.
        if privilege and cursor.peek().text != "(":
            privileges.append("" if privilege == "all" else privilege)
        cursor.position += not privilege
    cursor.take("table")
    everywhere = cursor.take("all tables in schema")
    tables = [("", name) if everywhere else (name, schema) for schema, name in cursor.names()]
    roles = [role for _, role in cursor.names()] if cursor.take_any("to", "from") else []
    for (table, schema), privilege, role in product(tables, privileges, roles):
        if privilege != "privileges":
            value = "" if role == "public" else role
            yield Ddl(verb, Thing.PRIVILEGES, table, schema, privilege, value=value)


# --------------------------------------------------------------------------------------------------- actions of a table


def _action(cursor: _Cursor, schema: str, table: str) -> Iterator[Ddl]:
    match cursor.take_any(
        "rename constraint", "rename to", "rename column", "rename", "set schema", "add column", "add",
        "drop constraint", "drop column", "drop", "alter constraint", "alter column", "alter", "validate constraint",
        "disable trigger", "enable trigger", "enable always trigger", "owner to",
    ):  # fmt: skip
        case "rename constraint":
            yield Ddl(Verb.RENAME, Thing.CONSTRAINT, table, schema, cursor.name(), value=_renamed(cursor))
        case "rename to":
            yield Ddl(Verb.RENAME, Thing.TABLE, table, schema, table, value=cursor.name())
        case "rename column" | "rename":
            column = cursor.name()
            yield Ddl(Verb.RENAME, Thing.COLUMN, table, schema, column, (column,), value=_renamed(cursor))
        case "set schema":
            yield Ddl(Verb.ALTER, Thing.SCHEMA, table, schema, value=cursor.name())
        case "add column":
            yield from _column(cursor, schema, table)
        case "add":
            yield from _table_constraint(cursor, schema, table) or _column(cursor, schema, table)
        case "drop constraint":
            cursor.take("if exists")
            yield Ddl(Verb.DROP, Thing.CONSTRAINT, table, schema, cursor.name())
        case "drop column" | "drop":
            cursor.take("if exists")
            column = cursor.name()
            yield Ddl(Verb.DROP, Thing.COLUMN, table, schema, column, (column,))
        case "alter constraint":
            yield from _alter_constraint(cursor, schema, table)
        case "alter column" | "alter":
            yield from _alter_column(cursor, schema, table)
        case "validate constraint":
            yield Ddl(Verb.ALTER, Thing.VALIDATION, table, schema, cursor.name(), value="valid")
        case ("disable trigger" | "enable trigger" | "enable always trigger") as words:
            trigger = cursor.name()
            value = "" if words.startswith("disable") else "enforced"
            # The triggers of foreign keys are not USER's (ALTER TABLE, DISABLE TRIGGER).
            if trigger != "user":
                name = "" if trigger == "all" else trigger
                yield Ddl(Verb.ALTER, Thing.ENFORCEMENT, table, schema, name, value=value)
        case "owner to":
            yield Ddl(Verb.ALTER, Thing.OWNER, table, schema, value=cursor.name())


def _renamed(cursor: _Cursor) -> str:
    cursor.take("to")
    return cursor.name()


def _alter_constraint(cursor: _Cursor, schema: str, table: str) -> Iterator[Ddl]:
    name = cursor.name()
    options = _written(cursor.rest())
    if "enforced" in options:
        value = "" if "not enforced" in options else "enforced"
        yield Ddl(Verb.ALTER, Thing.ENFORCEMENT, table, schema, name, value=value)
    else:
        # Only foreign keys can be altered otherwise (ALTER TABLE, ALTER CONSTRAINT).
        yield Ddl(Verb.ALTER, Thing.CONSTRAINT, table, schema, name, constraint_type=ConstraintKind.FOREIGN_KEY)


def _alter_column(cursor: _Cursor, schema: str, table: str) -> Iterator[Ddl]:
    column = cursor.name()

    def altered(thing: Thing, value: str | None) -> Ddl:
        return _of_column(Verb.ALTER, thing, schema, table, column, value)

    match cursor.take_any(
        "set data type", "type", "set default", "drop default", "set not null", "drop not null", "add generated",
        "set generated", "drop identity", "drop expression", "set expression",
    ):  # fmt: skip
        case "set data type" | "type":
            yield altered(Thing.TYPE, _type_in(cursor))
            # Without COLLATE the column takes the type's own (ALTER TABLE, SET DATA TYPE).
            yield altered(Thing.COLLATION, cursor.name() if cursor.take("collate") else "")
        case "set default":
            yield altered(Thing.DEFAULT, _written(cursor.rest()))
        case "drop default":
            yield altered(Thing.DEFAULT, "")
        case "set not null":
            yield altered(Thing.NULLABILITY, "not null")
        case "drop not null":
            yield altered(Thing.NULLABILITY, "null")
        case "add generated" | "set generated":
            yield altered(Thing.IDENTITY, "a" if cursor.take("always") else "d")
        case "drop identity":
            yield altered(Thing.IDENTITY, "")
        case "drop expression":
            yield altered(Thing.GENERATED, "")
        case "set expression":
            yield altered(Thing.GENERATED, None)


def _of_column(verb: Verb, thing: Thing, schema: str, table: str, column: str, value: str | None) -> Ddl:
    return Ddl(verb, thing, table, schema, column, (column,), value=value)


# ---------------------------------------------------------------------------------------- columns and table constraints

_KINDS = {
    "primary key": ConstraintKind.PRIMARY_KEY,
    "unique": ConstraintKind.UNIQUE,
    "check": ConstraintKind.CHECK,
    "foreign key": ConstraintKind.FOREIGN_KEY,
    "references": ConstraintKind.FOREIGN_KEY,
    "exclude": ConstraintKind.EXCLUSION,
}

_AFTER_TYPE = frozenset(
    """
    collate using not null default constraint primary unique references check generated storage compression
    """.split()
)

_AFTER_DEFAULT = frozenset("constraint not null primary unique references check generated collate".split())


def _table_constraint(cursor: _Cursor, schema: str, table: str) -> tuple[Ddl, ...]:
    """``[CONSTRAINT name] PRIMARY KEY (…)`` and the like; nothing, with the cursor where it was, if it is a column."""
    start = cursor.position
    named = cursor.take("constraint")
    name = cursor.name() if named else ""
    definition = _written(cursor.rest())
    if cursor.take("not null"):
        column = cursor.name()
        return (_of_column(Verb.ALTER, Thing.NULLABILITY, schema, table, column, "not null"),)
    word = cursor.take_any("primary key", "unique", "check", "foreign key", "exclude")
    if not word or (not named and word == "unique" and cursor.at_end):
        cursor.position = start
        return ()
    kind = _KINDS[word]
    if cursor.take("using index"):
        # The constraint takes the index over, and the index the constraint's name (ALTER TABLE, ADD USING INDEX).
        index = cursor.name()
        made = Ddl(Verb.MAKE, Thing.CONSTRAINT, table, schema, name or index, constraint_type=kind)
        return (made, *_in_force(definition, schema, table, name or index))
    cursor.take("nulls not distinct")
    if word == "exclude" and cursor.take("using"):
        cursor.name()
    columns = () if word == "check" else tuple(column for column in _plain(cursor.group()) if column)
    made = Ddl(Verb.MAKE, Thing.CONSTRAINT, table, schema, name, columns, kind, value=definition)
    return (made, *_in_force(definition, schema, table, name, columns))


def _in_force(definition: str, schema: str, table: str, name: str, columns: tuple[str, ...] = ()) -> Iterator[Ddl]:
    value = "" if "not valid" in definition else "valid"
    yield Ddl(Verb.ALTER, Thing.VALIDATION, table, schema, name, columns, value=value)
    value = "" if "not enforced" in definition else "enforced"
    yield Ddl(Verb.ALTER, Thing.ENFORCEMENT, table, schema, name, columns, value=value)


def _column(cursor: _Cursor, schema: str, table: str) -> Iterator[Ddl]:
    """A column as CREATE TABLE and ADD COLUMN define one: what is not given is none."""
    cursor.take("if not exists")
    column = cursor.name()
    written = _type_in(cursor)
    of_sequence = _SERIAL.get(written)
    parts: dict[Thing, str | None] = {
        Thing.TYPE: of_sequence or written,
        Thing.NULLABILITY: "not null" if of_sequence else "null",
        Thing.DEFAULT: None if of_sequence else "",
        Thing.IDENTITY: None if of_sequence else "",
        Thing.GENERATED: "",
        Thing.COLLATION: "",
    }
    constraints: list[Ddl] = []
    name = ""
    while not cursor.at_end:
        start = cursor.position
        if cursor.take("constraint"):
            name = cursor.name()
            continue
        if cursor.take("collate"):
            parts[Thing.COLLATION] = cursor.name()
        elif cursor.take("not null"):
            parts[Thing.NULLABILITY] = "not null"
        elif cursor.take("null"):
            parts[Thing.NULLABILITY] = "null"
        elif cursor.take("default"):
            parts[Thing.DEFAULT] = _written(cursor.until(_AFTER_DEFAULT).rest())
        elif cursor.take("generated"):
            _generated(cursor, parts)
        else:
            word = cursor.take_any("primary key", "unique", "references", "check")
            if word:
                definition = _written(cursor.until(_AFTER_DEFAULT).rest()) if word in ("references", "check") else ""
                value = f"{word} {definition}" if definition else None
                constraints.append(
                    Ddl(Verb.MAKE, Thing.CONSTRAINT, table, schema, name, (column,), _KINDS[word], value=value)
                )
                if word == "primary key":
                    parts[Thing.NULLABILITY] = "not null"
            elif cursor.position == start:
                cursor.position += 1
        name = ""
    yield Ddl(Verb.MAKE, Thing.COLUMN, table, schema, column, (column,))
    yield from (_of_column(Verb.MAKE, thing, schema, table, column, value) for thing, value in parts.items())
    yield from constraints


def _generated(cursor: _Cursor, parts: dict[Thing, str | None]) -> None:
    always = cursor.take_any("always", "by default") == "always"
    cursor.take("as")
    if cursor.take("identity"):
        parts[Thing.IDENTITY], parts[Thing.NULLABILITY] = "a" if always else "d", "not null"
        parts[Thing.DEFAULT] = None
    else:
        cursor.group()
        parts[Thing.GENERATED] = "v" if cursor.take("virtual") else "s"
        cursor.take("stored")


# ---------------------------------------------------------------------------------------------------------------- types

_SERIAL = {
    "smallserial": "smallint", "serial2": "smallint", "serial": "integer", "serial4": "integer",
    "bigserial": "bigint", "serial8": "bigint",
}  # fmt: skip

_ALIASES = {
    "bool": "boolean",
    "int2": "smallint",
    "int": "integer",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "float": "double precision",
    "decimal": "numeric",
    "varchar": "character varying",
    "char varying": "character varying",
    "char": "character",
    "bpchar": "character",
    "varbit": "bit varying",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "timetz": "time with time zone",
}
"""Other spellings of types, with the one that PostgreSQL prints (Data Types, table 8.1)."""


def _type_in(cursor: _Cursor) -> str:
    """The type that is next, as PostgreSQL prints it, without its schema."""
    return printed_type(_written(cursor.until(_AFTER_TYPE).rest()))


def printed_type(written: str) -> str:
    """A type as ``format_type`` prints it, without a schema.

    >>> printed_type("VARCHAR (255)"), printed_type("timestamptz(3)"), printed_type("public.citext[]")
    ('character varying(255)', 'timestamp(3) with time zone', 'citext[]')
    """
    bare = " ".join(written.lower().replace('"', "").split())
    dimensions = ""
    while bare.endswith("]"):
        bare, dimensions = bare[: bare.rindex("[")].rstrip(), "[]"
    name, opening, rest = bare.partition("(")
    arguments, _, after = rest.partition(")")
    name = " ".join([*name.rsplit(".", 1)[-1].split(), *after.split()])
    name = _ALIASES.get(name, name)
    if opening:
        first, _, zone = name.partition(" ") if name.startswith("time") else (name, "", "")
        name = f"{first}({arguments.replace(' ', '')}){f' {zone}' if zone else ''}"
    elif name == "character":
        name = "character(1)"
    return name + dimensions
