"""Random Django projects and random damage to their databases, written as people write them: migrations and SQL.

Nothing here asks cascade: what can be cured is decided by whoever does the damage.
"""

import random
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass, field, replace

APP = "shop"
STRAY = "test_schema"
NAMES = ("order", "Line item", "größe", "customer's", "select", "a" * 50, "price.list", "item", "tag", "store")


@dataclass(frozen=True, slots=True)
class Field:
    """A column: the Python that declares it, SQL for a value of row ``{i}``, and what may be done to it."""

    name: str
    python: str
    value: str
    type: str = ""
    nullable: bool = False
    narrower: str = ""
    default: bool = False
    target: str = ""

    @property
    def column(self) -> str:
        return f"{self.name}_id" if self.target else self.name


@dataclass(frozen=True, slots=True)
class Model:
    """A model with its table, its fields, how many rows it gets, and the Python of its Meta."""

    name: str
    table: str
    fields: tuple[Field, ...]
    rows: int
    constraints: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        return quote(self.table)


@dataclass(frozen=True, slots=True)
class Damage:
    """What was done: a name, the SQL, whether it can be cured, and the table that nothing else may touch.

    ``beside`` is SQL that adds to a healthy database what was added and is no damage.
    """

    name: str
    sql: tuple[str, ...]
    curable: bool
    table: str
    beside: str = ""


@dataclass(frozen=True)
class Site:
    """A random project: its models in the order in which their tables can be filled."""

    seed: int
    models: tuple[Model, ...]
    links: tuple[tuple[str, Field], ...] = field(default=())

    def migrations(self) -> dict[str, str]:
        """The files of the app's migrations, by name."""
        creates = "\n".join(_create(model) for model in self.models)
        adds = "\n".join(
            f"        migrations.AddField({model!r}, {link.name!r}, {link.python}),\n" for model, link in self.links
        )
        parts = "\n".join(
            f"        migrations.Add{kind}({model.name!r}, {text}),"
            for model in self.models
            for kind, texts in (("Constraint", model.constraints), ("Index", model.indexes))
            for text in texts
        )
        return {
            "0001_initial": _file("", creates),
            "0002_links": _file("0001_initial", adds),
            "0003_rules": _file("0002_links", parts),
        }

    def inserts(self) -> Iterator[str]:
        """The rows, keys filled where a table with rows is referred to."""
        filled = {model.name for model in self.models if model.rows}
        for model in self.models:
            columns = [*model.fields, *(link for of, link in self.links if of == model.name)]
            for i in range(1, model.rows + 1):
                values = [_value(f, i, filled) for f in columns]
                names = ", ".join(quote(f.column) for f in columns)
                yield f"INSERT INTO public.{model.sql} ({names}) VALUES ({', '.join(values)})"


def random_site(seed: int) -> Site:
    """A project of three to seven tables, the same for the same seed."""
    chance = random.Random(seed)
    names = chance.sample(NAMES, chance.randint(3, 7))
    models = [_model(position, name, chance) for position, name in enumerate(names)]
    links = []
    for position, model in enumerate(models):
        for number in range(chance.randint(0, 2)):
            target = chance.choice(models)
            required = models.index(target) < position and target.rows > 0 and chance.random() < 0.5
            links.append((model.name, _link(f"ref{number}", target, required=required, chance=chance)))
    return Site(seed, tuple(models), tuple(links))


def random_damage(site: Site, chance: random.Random) -> list[Damage]:
    """One to four kinds of damage, each to a table of its own."""
    wanted, done = chance.randint(1, 4), list[Damage]()
    kinds = list(_KINDS)
    for model in chance.sample(site.models, len(site.models)):
        chance.shuffle(kinds)
        damage = next((made for kind in kinds if (made := kind(site, model, chance)) is not None), None)
        if damage is not None:
            done.append(damage)
        if len(done) == wanted:
            break
    undecided = {d.table for d in done if not d.curable}
    return [replace(d, curable=d.curable and not _waits_for(undecided, d, site)) for d in done]


def _waits_for(undecided: Set[str], damage: Damage, site: Site) -> bool:
    """Whether it dropped only keys to tables of which a person has to decide first where they are."""
    tables = {model.name: model.table for model in site.models}
    to = {tables[link.target] for of, link in site.links if tables[of] == damage.table}
    return damage.name == "keys" and to <= undecided


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


# ----------------------------------------------------------------------------------------------------------- a project


def _model(position: int, table: str, chance: random.Random) -> Model:
    name = f"Model{position}"
    fields = chance.sample(_FIELDS, chance.randint(2, 5))
    rows = chance.choice((0, 1, 6))
    constraints = []
    text = [f for f in fields if f.type.startswith("character varying")]
    number = [f for f in fields if f.name in ("amount", "count")]
    if number and chance.random() < 0.7:
        check = f"models.Q({number[0].name}__gte=0)"
        constraints.append(f"models.CheckConstraint(condition={check}, name='positive_{position}')")
    if text and chance.random() < 0.6:
        constraints.append(f"models.UniqueConstraint(fields=[{text[0].name!r}, 'id'], name='unique_{position}')")
    indexes = []
    if number:
        indexes.append(f"models.Index(fields=['-{number[0].name}'], name='index_{position}')")
    if text and chance.random() < 0.5:
        condition = f"models.Q({text[0].name}__gt='')"
        indexes.append(f"models.Index(fields=[{text[0].name!r}], condition={condition}, name='partial_{position}')")
    return Model(name, table, tuple(fields), rows, tuple(constraints), tuple(indexes))


_FIELDS = (
    Field("title", "models.CharField(max_length=40)", "'title {i}'", "character varying(40)", narrower="varchar(20)"),
    Field("code", "models.SlugField(max_length=12)", "'c{i}'", "character varying(12)", narrower="varchar(6)"),
    Field("note", "models.TextField(null=True)", "'note {i}'", "text", nullable=True),
    Field("count", "models.BigIntegerField(default=0)", "{i}", "bigint", narrower="integer"),
    Field(
        "amount",
        "models.DecimalField(max_digits=9, decimal_places=2, db_default=0)",
        "{i}.5",
        "numeric(9,2)",
        narrower="numeric(7,2)",
        default=True,
    ),
    Field("active", "models.BooleanField(default=True)", "true", "boolean"),
    Field("made_at", "models.DateTimeField(null=True)", "now()", "timestamp with time zone", nullable=True),
    Field("token", "models.UUIDField(null=True, unique=True)", "gen_random_uuid()", "uuid", nullable=True),
    Field("data", "models.JSONField(default=dict)", "'{{}}'", "jsonb"),
)


def _link(name: str, target: Model, *, required: bool, chance: random.Random) -> Field:
    kind = chance.choice(("ForeignKey", "ForeignKey", "OneToOneField")) if not required else "ForeignKey"
    null = "" if required else ", null=True"
    python = f"models.{kind}('{APP}.{target.name}', models.CASCADE, related_name='+'{null})"
    if required:
        # Added before there are rows, so the default is never used.
        python = python[:-1] + ", default=1)"
    value = "1" if required else "NULL" if kind == "OneToOneField" else "1"
    return Field(name, python, value, "bigint", nullable=not required, target=target.name)


def _create(model: Model) -> str:
    fields = "".join(f"                ({f.name!r}, {f.python}),\n" for f in model.fields)
    return (
        f"        migrations.CreateModel(\n            {model.name!r},\n            [\n"
        f"                ('id', models.BigAutoField(primary_key=True, serialize=False)),\n{fields}            ],\n"
        f"            options={{'db_table': {model.table!r}}},\n        ),"
    )


def _file(after: str, operations: str) -> str:
    dependencies = f"('{APP}', {after!r})" if after else ""
    return (
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        f"    dependencies = [{dependencies}]\n    operations = [\n{operations}\n    ]\n"
    )


def _value(column: Field, i: int, filled: set[str]) -> str:
    if column.target and column.target not in filled:
        return "NULL"
    return column.value.format(i=i)


# -------------------------------------------------------------------------------------------------------------- damage


def _move(site: Site, model: Model, chance: random.Random) -> Damage | None:
    return Damage("moved", (f"ALTER TABLE public.{model.sql} SET SCHEMA {STRAY}",), True, model.table)


def _drop_empty(site: Site, model: Model, chance: random.Random) -> Damage | None:
    if model.rows:
        return None
    return Damage("dropped", (f"DROP TABLE public.{model.sql} CASCADE",), True, model.table)


def _shell(site: Site, model: Model, chance: random.Random) -> Damage | None:
    if not model.rows:
        return None
    make = f"CREATE TABLE public.{model.sql} (LIKE {STRAY}.{model.sql} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
    return Damage("shell", (f"ALTER TABLE public.{model.sql} SET SCHEMA {STRAY}", make), True, model.table)


def _two_copies(site: Site, model: Model, chance: random.Random) -> Damage | None:
    if not model.rows:
        return None
    return Damage("two copies", (f"CREATE TABLE {STRAY}.{model.sql} AS TABLE public.{model.sql}",), False, model.table)


def _drop_column(site: Site, model: Model, chance: random.Random) -> Damage | None:
    columns = [f for f in model.fields if f.nullable or f.default]
    if not columns:
        return None
    column = quote(chance.choice(columns).column)
    return Damage("column", (f"ALTER TABLE public.{model.sql} DROP COLUMN {column} CASCADE",), True, model.table)


def _drop_index(site: Site, model: Model, chance: random.Random) -> Damage | None:
    return _dropped(model.indexes, "DROP INDEX public.{}", "index", model, chance)


def _drop_constraint(site: Site, model: Model, chance: random.Random) -> Damage | None:
    statement = f"ALTER TABLE public.{model.sql} DROP CONSTRAINT {{}}"
    return _dropped(model.constraints, statement, "constraint", model, chance)


def _dropped(texts: tuple[str, ...], statement: str, name: str, model: Model, chance: random.Random) -> Damage | None:
    if not texts:
        return None
    part = chance.choice(texts).rsplit("name='", 1)[1].split("'")[0]
    return Damage(name, (statement.format(part),), True, model.table)


def _keys(model: Model) -> str:
    """A loop over the foreign keys of the table, which bear names with digests."""
    return (
        "DO $$ DECLARE k record; BEGIN FOR k IN SELECT conname, pg_get_constraintdef(oid) AS def FROM pg_constraint "
        f"WHERE conrelid = 'public.{model.sql.replace(chr(39), chr(39) * 2)}'::regclass AND contype = 'f' LOOP %s "
        "END LOOP; END $$"
    )


def _drop_keys(site: Site, model: Model, chance: random.Random) -> Damage | None:
    if not any(of == model.name for of, _ in site.links):
        return None
    table = f"public.{model.sql}".replace("'", "''")
    body = f"EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', k.conname);"
    return Damage("keys", (_keys(model) % body,), True, model.table)


def _drop_primary_key(site: Site, model: Model, chance: random.Random) -> Damage | None:
    """The keys of other tables that refer to it go with it."""
    table = f"public.{model.sql}".replace("'", "''")
    drop = (
        "DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', conrelid::regclass, conname) "
        f"FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype = 'p'); END $$"
    )
    return Damage("primary key", (drop,), True, model.table)


def _unvalidated_keys(site: Site, model: Model, chance: random.Random) -> Damage | None:
    if not any(of == model.name for of, _ in site.links):
        return None
    table = f"public.{model.sql}".replace("'", "''")
    body = (
        f"EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT %I', k.conname); "
        f"EXECUTE format('ALTER TABLE {table} ADD CONSTRAINT %I ', k.conname) || k.def || ' NOT VALID';"
    )
    return Damage("not validated", (_keys(model) % body,), True, model.table)


def _nullable(site: Site, model: Model, chance: random.Random) -> Damage | None:
    columns = [f for f in model.fields if not f.nullable]
    if not columns:
        return None
    column = quote(chance.choice(columns).column)
    return Damage("null", (f"ALTER TABLE public.{model.sql} ALTER COLUMN {column} DROP NOT NULL",), True, model.table)


def _narrow(site: Site, model: Model, chance: random.Random) -> Damage | None:
    columns = [f for f in model.fields if f.narrower]
    if not columns:
        return None
    column = chance.choice(columns)
    change = f"ALTER TABLE public.{model.sql} ALTER COLUMN {quote(column.column)} TYPE {column.narrower}"
    return Damage("type", (change,), True, model.table)


def _no_default(site: Site, model: Model, chance: random.Random) -> Damage | None:
    columns = [f for f in model.fields if f.default]
    if not columns:
        return None
    change = f"ALTER TABLE public.{model.sql} ALTER COLUMN {quote(columns[0].column)} DROP DEFAULT"
    return Damage("default", (change,), True, model.table)


def _behind(site: Site, model: Model, chance: random.Random) -> Damage | None:
    if model.rows < 2:
        return None
    table = f"public.{model.sql}".replace("'", "''")
    return Damage("sequence", (f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 1)",), True, model.table)


def _moved_with_view(site: Site, model: Model, chance: random.Random) -> Damage | None:
    view = f"CREATE VIEW public.view_{model.name} AS SELECT id FROM {STRAY}.{model.sql}"
    beside = f"CREATE VIEW public.view_{model.name} AS SELECT id FROM public.{model.sql}"
    move = f"ALTER TABLE public.{model.sql} SET SCHEMA {STRAY}"
    return Damage("moved with a view", (move, view), True, model.table, beside)


def _name_taken(site: Site, model: Model, chance: random.Random) -> Damage | None:
    if not model.indexes:
        return None
    name = model.indexes[0].rsplit("name='", 1)[1].split("'")[0]
    taken = f"CREATE SEQUENCE public.{name}"
    return Damage("name taken", (f"ALTER TABLE public.{model.sql} SET SCHEMA {STRAY}", taken), False, model.table)


_KINDS: tuple[Callable[[Site, Model, random.Random], Damage | None], ...] = (
    _move,
    _drop_empty,
    _shell,
    _two_copies,
    _drop_column,
    _drop_index,
    _drop_constraint,
    _drop_keys,
    _drop_primary_key,
    _unvalidated_keys,
    _nullable,
    _narrow,
    _no_default,
    _behind,
    _moved_with_view,
    _name_taken,
)
