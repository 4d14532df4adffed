"""Answers made by hand, for the tests of what is rendered from them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from cascade.core.actions import Action, AddColumn, AddForeignKey, CreateTable, MoveTable
from cascade.core.answer import Answer
from cascade.core.causes import Cause, Verdict
from cascade.core.drift import Drift
from cascade.core.expected import ExpectedLayout, ExpectedTable, NotChecked
from cascade.core.findings import DriftKind, Severity
from cascade.core.fingerprint import fingerprint_of, plan_id_of
from cascade.core.history import MigrationKey, Provenance, SourceLines
from cascade.core.layout import (
    Column,
    Constraint,
    ConstraintKind,
    Index,
    Layout,
    Reference,
    RowEvidence,
    Table,
    TableName,
)
from cascade.core.observed import Observed, PathSetting, SchemaFacts, Server
from cascade.core.placement import PathSource, Placement, SearchPath
from cascade.core.plan import Chain, Hazard, HazardKind, Lock, LockMode, Plan, Step
from cascade.core.stopgap import Stopgap

PASSWORD = "correct horse battery staple"
"""Stands in no answer, so in no rendering either."""

ENDORSEMENT = "user_profile_skill_endorsement"
BOUNTY = "user_profile_bounty"


@dataclass(frozen=True)
class Made:
    """A table for the fixtures: by which migration, with how many rows, and where its keys point."""

    app: str
    name: str
    migration: str
    rows: RowEvidence = field(default_factory=lambda: RowEvidence(0))
    keys: tuple[tuple[str, str], ...] = ()
    astray_in: str = ""

    @property
    def made_by(self) -> Provenance:
        number = int(self.migration[:4])
        return Provenance(
            MigrationKey(self.app, self.migration),
            "Create model",
            0,
            number,
            f"2025-12-31T13:03:{number % 60:02d}.250000+00:00",
            SourceLines(f"apps/{self.app}/migrations/{self.migration}.py", 12, 40),
        )

    def expected(self) -> ExpectedTable:
        identifier = Column("id", "bigint", nullable=False, identity="d")
        columns = (identifier, *(Column(column, "bigint", nullable=False) for column, _ in self.keys))
        primary = Constraint(f"{self.name}_pkey", ConstraintKind.PRIMARY_KEY, ("id",), "PRIMARY KEY (id)")
        keys = tuple(_key(self.name, column, to) for column, to in self.keys)
        indexes = tuple(Index(f"{self.name}_{column}", (column,), f"btree ({column})") for column, _ in self.keys)
        table = Table(TableName("public", self.name), columns=columns, constraints=(primary, *keys), indexes=indexes)
        model = "".join(word.capitalize() for word in self.name.removeprefix(f"{self.app}_").split("_"))
        return ExpectedTable(table, self.app, f"{self.app}.{model}", self.made_by)

    def observed(self) -> Table:
        table = self.expected().table
        name = TableName(self.astray_in or "public", self.name)
        return replace(table, name=name, owner="migrator", rows=self.rows, oid=hash(name) & 0xFFFF, pages=3)


def _key(table: str, column: str, to: str) -> Constraint:
    reference = Reference(TableName("public", to), ("id",))
    return Constraint(
        f"{table}_{column}_fk", ConstraintKind.FOREIGN_KEY, (column,), None, reference, True, initially_deferred=True
    )


HEALTHY_TABLES = (
    Made("accounts", "accounts_user", "0001_initial", RowEvidence(60)),
    Made("teams", "teams_team", "0001_initial", RowEvidence(8)),
    Made(
        "teams",
        "teams_teammembership",
        "0001_initial",
        RowEvidence(40),
        (("team_id", "teams_team"), ("user_id", "accounts_user")),
    ),
    Made("tournaments", "tournament_engine_match_match", "0001_initial", RowEvidence(90)),
    Made("user_profile", "user_profile_userprofile", "0001_initial", RowEvidence(60), (("user_id", "accounts_user"),)),
)
MATCH = "tournament_engine_match_match"
ASTRAY_TABLES = (
    Made(
        "user_profile",
        "user_profile_about_item",
        "0033_about_item",
        RowEvidence(240),
        (("profile_id", "user_profile_userprofile"),),
    ),
    Made(
        "user_profile",
        "user_profile_stream_config",
        "0035_stream_config",
        RowEvidence(20),
        (("profile_id", "user_profile_userprofile"),),
    ),
    Made(
        "user_profile",
        ENDORSEMENT,
        "0037_p0_skill_endorsements",
        RowEvidence(400),
        (
            ("match_id", MATCH),
            ("endorser_id", "accounts_user"),
            ("receiver_id", "accounts_user"),
            ("reviewed_by_id", "accounts_user"),
            ("bounty_id", BOUNTY),
        ),
    ),
    Made(
        "user_profile",
        "user_profile_endorsement_opportunity",
        "0037_p0_skill_endorsements",
        RowEvidence(0),
        (("match_id", MATCH), ("player_id", "accounts_user")),
    ),
    Made(
        "user_profile",
        BOUNTY,
        "0038_bounties",
        RowEvidence(120),
        (("creator_id", "accounts_user"), ("match_id", MATCH)),
    ),
    Made(
        "user_profile",
        "user_profile_bounty_participant",
        "0038_bounties",
        RowEvidence(200),
        (("bounty_id", BOUNTY), ("user_id", "accounts_user")),
    ),
    Made(
        "user_profile",
        "user_profile_bounty_result",
        "0039_bounty_result",
        RowEvidence(0),
        (("bounty_id", BOUNTY), ("winner_id", "accounts_user")),
    ),
)


def healthy() -> Answer:
    """Everything in its place, everything checked."""
    return answer_about((*HEALTHY_TABLES, *ASTRAY_TABLES), Plan((), (), ()))


def incident() -> Answer:
    """`cascade plan --app user_profile` on the night of the incident."""
    tables = [replace(table, astray_in="test_schema") for table in ASTRAY_TABLES]
    drifts = tuple(misplaced(table) for table in tables)
    names = [drift.table for drift in drifts if drift.table]
    chain = Chain(str(names[2]), "static", tuple(str(name) for name in (names[2], *names[4:])))
    alone = tuple(Chain(str(name), "static", (str(name),)) for name in (names[0], names[1], names[3]))
    plan = Plan(
        drifts,
        tuple(move(table, position) for position, table in enumerate(tables, start=1)),
        (chain, *alone),
        left_out=(missing_column(),),
        scope="--app user_profile",
    )
    cause = Cause(
        Verdict.SEARCH_PATH,
        "migrate ran with test_schema first on its search_path",
        tables[0].made_by.applied,
        tables[-1].made_by.applied,
        tuple(sorted({table.made_by.migration for table in tables})),
        (
            "all 7 tables that these migrations made are in test_schema",
            "13 of their keys point at tables in public",
            "the 3 that they only altered are in public",
        ),
        (),
        tuple(drift.id for drift in drifts),
    )
    stopgap = Stopgap(
        "test_schema",
        "ALTER ROLE app_user IN DATABASE arena SET search_path = public, test_schema;",
        "ALTER ROLE app_user IN DATABASE arena SET search_path = public;",
        "then restart the workers: a connection keeps the path that it was opened with",
    )
    return answer_about((*HEALTHY_TABLES, *tables), plan, causes=(cause,), stopgap=stopgap)


def dropped() -> Answer:
    """The endorsement and the bounty are gone: created anew, the key between them after both."""
    endorsement, bounty = ASTRAY_TABLES[2], ASTRAY_TABLES[4]
    drifts = tuple(_missing(table) for table in (endorsement, bounty))
    creating = [
        step("create_table", CreateTable(_without_keys(table)), table, position, cures=(drift.id,))
        for position, (table, drift) in enumerate(zip((endorsement, bounty), drifts, strict=True), start=1)
    ]
    key = endorsement.expected().table.foreign_keys[-1]
    adding = replace(
        step("add_foreign_key", AddForeignKey(TableName("public", ENDORSEMENT), key), endorsement, 3),
        object=key.name,
        cures=(drifts[0].id,),
        waits_for=tuple(made.id for made in creating),
        wave=2,
        locks=(
            Lock(TableName("public", ENDORSEMENT), LockMode.SHARE_ROW_EXCLUSIVE, healthy=False),
            Lock(TableName("public", "accounts_user"), LockMode.SHARE_ROW_EXCLUSIVE, healthy=True),
        ),
        hazards=(Hazard(HazardKind.DATA_MIGRATION, "user_profile.0028 filled it at 0028_fill.py:7."),),
    )
    chain = Chain(str(drifts[0].table), "static", tuple(str(drift.table) for drift in drifts))
    present = tuple(table for table in (*HEALTHY_TABLES, *ASTRAY_TABLES) if table not in (endorsement, bounty))
    plan = Plan(drifts, (*creating, adding), (chain,))
    return answer_about((*HEALTHY_TABLES, *ASTRAY_TABLES), plan, present=present)


def faked() -> Answer:
    """One column is missing, and nothing else."""
    drift = missing_column()
    column = Column("left_at", "timestamp with time zone")
    membership = HEALTHY_TABLES[2]
    name = TableName("public", membership.name)
    adding = replace(step("add_column", AddColumn(name, column), membership, 1, cures=(drift.id,)), object="left_at")
    plan = Plan((drift,), (adding,), (Chain(str(name), "static", (str(name),)),))
    refused = Stopgap(refused_because=("not all that is broken lies complete in one other schema",))
    return answer_about((*HEALTHY_TABLES, *ASTRAY_TABLES), plan, stopgap=refused)


def incomplete() -> Answer:
    """Nothing was found, and not everything was checked."""
    gaps = (
        NotChecked(
            "definitions and rows of public.teams_team",
            "it is locked ACCESS EXCLUSIVE by pid 22",
            "ask again when that session has ended",
        ),
        NotChecked(
            "definitions and rows of public.accounts_user",
            "it is locked ACCESS EXCLUSIVE by pid 22",
            "ask again when that session has ended",
        ),
    )
    return replace(healthy(), not_checked=gaps)


def undecided() -> Answer:
    """A table lies in two schemas with rows in both, and another has a shadow: neither gets a step."""
    bounty = replace(ASTRAY_TABLES[4], astray_in="test_schema")
    drift = replace(
        misplaced(bounty),
        copies=(TableName("old", BOUNTY), TableName("test_schema", BOUNTY)),
        rows=(RowEvidence(10_001, 2_000_000), RowEvidence(None, None, "locked by pid 22")),
        observed="in old and in test_schema",
        undecided="it lies in 2 schemas (old, test_schema): say which copy counts",
        decision=f"--take {BOUNTY}=old",
    )
    shadowed = Drift(
        DriftKind.SHADOWED_TABLE,
        Severity.RISKY,
        TableName("public", "teams_team"),
        observed="also in aaa",
        app="teams",
        model="teams.Team",
        made_by=HEALTHY_TABLES[1].made_by,
        copies=(TableName("aaa", "teams_team"),),
        rows=(RowEvidence(3),),
        undecided="which copy counts is a decision",
    )
    notes = (
        Drift(DriftKind.PENDING_MIGRATION, Severity.NOTE, None, object="teams.0004_motto", app="teams"),
        Drift(DriftKind.EXTRA_TABLE, Severity.NOTE, TableName("public", "backup_2019"), observed="in public"),
    )
    others = tuple(table for table in (*HEALTHY_TABLES, *ASTRAY_TABLES) if table.name != BOUNTY)
    plan = Plan((drift, shadowed, *notes), (), ())
    return answer_about(
        (*others, bounty), plan, present=others, notes=("2 records have no file in this checkout: a.0001, b.0002.",)
    )


def every_kind() -> Answer:
    """One finding of each kind, worded as detection words them, and one that the settings accept."""
    return replace(
        answer_about((*HEALTHY_TABLES, *ASTRAY_TABLES), Plan(_one_of_each(), (), ())),
        ignored=(
            (
                replace(_part(DriftKind.EXTRA_INDEX, "team_lower"), columns=("",)),
                "made by the DBA for the search",
            ),
        ),
    )


def hand_made_copy() -> Answer:
    """The endorsement's table was written anew by hand: one column, four keys and six indexes are not there."""
    endorsement = ASTRAY_TABLES[2]
    column = replace(
        misplaced(endorsement),
        kind=DriftKind.MISSING_COLUMN,
        object="bounty_id",
        columns=("bounty_id",),
        expected="bounty_id bigint NOT NULL",
        observed=f"not among the 5 columns of public.{ENDORSEMENT}",
        copies=(),
        rows=(),
        consequences=(
            f"the foreign key public.{ENDORSEMENT} (bounty_id) -> public.{BOUNTY}",
            f"the index {ENDORSEMENT}_bounty_id",
        ),
    )
    keys = tuple(
        replace(
            column,
            kind=DriftKind.MISSING_CONSTRAINT,
            severity=Severity.RISKY,
            object=key.name,
            columns=key.columns,
            constraint_type=ConstraintKind.FOREIGN_KEY,
            expected=f"FOREIGN KEY ({key.columns[0]}) REFERENCES public.accounts_user(id)",
            observed=f"not among the 2 constraints of public.{ENDORSEMENT}",
            consequences=(),
        )
        for key in endorsement.expected().table.foreign_keys[:4]
    )
    indexes = tuple(
        replace(
            keys[0],
            kind=DriftKind.MISSING_INDEX,
            object=f"{ENDORSEMENT}_{name}",
            columns=(column,),
            constraint_type=None,
            expected=f"btree ({column})",
            observed=f"not among the 1 indexes of public.{ENDORSEMENT}",
        )
        for name, column in [(c, c) for c, _ in endorsement.keys[:4]] + [("match_like", "match_id"), ("upper", "")]
    )
    return answer_about((*HEALTHY_TABLES, *ASTRAY_TABLES), Plan((column, *keys, *indexes), (), ()))


def _one_of_each() -> tuple[Drift, ...]:
    bounty, membership = ASTRAY_TABLES[4], HEALTHY_TABLES[2]
    stray = replace(bounty, astray_in="test_schema")
    there = (TableName("test_schema", "teams_team"),)
    key = replace(
        _part(DriftKind.MISSING_CONSTRAINT, "teams_teammembership_user_id_fk", membership),
        columns=("user_id",),
        constraint_type=ConstraintKind.FOREIGN_KEY,
        expected="FOREIGN KEY (user_id) REFERENCES public.accounts_user(id) DEFERRABLE INITIALLY DEFERRED",
    )
    unique = replace(
        _part(DriftKind.DIFFERENT_CONSTRAINT, "teams_team_tag_uniq"),
        columns=("slug", "tag"),
        constraint_type=ConstraintKind.UNIQUE,
        expected="UNIQUE (slug, tag)",
        observed="UNIQUE (slug)",
    )
    index = replace(
        _part(DriftKind.MISSING_INDEX, "teams_team_slug_idx"),
        columns=("slug",),
        expected="btree (slug) WHERE active",
        observed="not among the 3 indexes of public.teams_team",
    )
    column = replace(
        _part(DriftKind.DIFFERENT_COLUMN, "budget"),
        columns=("budget",),
        aspects=("type",),
        expected="budget numeric(12,2) NOT NULL",
        observed="budget numeric(10,2) NOT NULL",
        query="SELECT attname FROM pg_attribute;",
    )
    return (
        misplaced(stray),
        _missing(ASTRAY_TABLES[5]),
        replace(
            _part(DriftKind.UNREACHABLE_TABLE, ""), observed="app_user lacks SELECT on public.teams_team", copies=()
        ),
        missing_column(),
        replace(
            _part(DriftKind.SEQUENCE_BEHIND, "id"),
            columns=("id",),
            expected="the next value is above 40",
            observed="the next value is 7",
            evidence=("public.teams_team_id_seq gives 7 next; the highest id is 40",),
        ),
        Drift(
            DriftKind.CREATION_SCHEMA_DIFFERS,
            Severity.RISKY,
            None,
            object="test_schema",
            expected="new tables land in public",
            observed="new tables land in test_schema",
        ),
        replace(
            _part(DriftKind.DUPLICATED_TABLE, ""),
            observed="also in test_schema",
            copies=there,
            rows=(RowEvidence(3),),
            undecided="which copy counts only a person knows",
        ),
        replace(
            _part(DriftKind.SHADOWED_TABLE, "", HEALTHY_TABLES[0]),
            observed="also in aaa",
            copies=(TableName("aaa", "accounts_user"),),
            rows=(RowEvidence(3),),
            undecided="which copy counts only a person knows",
        ),
        replace(
            _part(DriftKind.STRAY_OBJECT, "extension citext"),
            expected="in public",
            observed="in test_schema",
            evidence=("teams_team: the column email",),
        ),
        replace(
            key,
            kind=DriftKind.MISDIRECTED_FOREIGN_KEY,
            object="teams_teammembership_team_id_fk",
            columns=("team_id",),
            expected="refers to public.teams_team",
            observed="refers to test_schema.teams_team",
            copies=there,
            rows=(RowEvidence(3),),
        ),
        key,
        index,
        column,
        unique,
        replace(index, kind=DriftKind.DIFFERENT_INDEX, expected="btree (slug)", observed="hash (slug)"),
        replace(key, kind=DriftKind.NOT_VALIDATED_CONSTRAINT, expected="validated", observed="NOT VALID"),
        replace(
            unique,
            kind=DriftKind.DISABLED_CONSTRAINT,
            object="teams_team_size_check",
            columns=("size",),
            constraint_type=ConstraintKind.CHECK,
            expected="enforced",
            observed="it is NOT ENFORCED",
        ),
        replace(index, kind=DriftKind.INVALID_INDEX, expected="valid", observed="invalid"),
        replace(
            _part(DriftKind.DIFFERENT_PRIVILEGES, ""),
            aspects=("grants",),
            expected="INSERT for app_user",
            observed="lacks INSERT for app_user",
        ),
        Drift(DriftKind.UNRECORDED_MIGRATION, Severity.NOTE, None, object="teams.0004_motto", app="teams"),
        Drift(DriftKind.PENDING_MIGRATION, Severity.NOTE, None, object="teams.0005_colour", app="teams"),
        Drift(DriftKind.EXTRA_TABLE, Severity.NOTE, TableName("public", "backup_2019"), observed="in public"),
        _part(DriftKind.EXTRA_COLUMN, "legacy"),
        replace(
            unique,
            kind=DriftKind.EXTRA_CONSTRAINT,
            severity=Severity.NOTE,
            observed="UNIQUE (slug, tag)",
            made_by=None,
            explained_by="RunSQL in teams.0003_search (apps/teams/migrations/0003_search.py:8)",
        ),
        replace(_part(DriftKind.EXTRA_INDEX, "by_hand"), columns=("slug",), observed="btree (slug)"),
        _part(DriftKind.DIFFERENT_NAMES, ""),
        Drift(
            DriftKind.UNUSED_IGNORE,
            Severity.NOTE,
            None,
            object="extra_index:public.gone.gone_idx",
            observed="no finding of that id",
        ),
    )


def _part(kind: DriftKind, name: str, table: Made = HEALTHY_TABLES[1]) -> Drift:
    """A finding on a part of a table, or on the table itself, to be filled in."""
    expected = table.expected()
    return Drift(
        kind,
        kind.facts.severity,
        expected.name,
        object=name,
        app=table.app,
        model=expected.model,
        made_by=table.made_by if kind.facts.severity is not Severity.NOTE else None,
    )


ODD_NAMES = (
    "x" * 63,
    'Order "Line" <b>&amp;</b>',
    "größe des 日本 tables",
    "percent%s; dot.name",
    r"back\Nslash\G\\ 'q' ]]>",
    "new\nline\x1b[31m",
)


def sixty_moves() -> Answer:
    """Sixty tables of three apps in another schema, some with odd names, keys between neighbours."""
    names = [f"shop_part_{number:02d}" for number in range(1, 55)] + list(ODD_NAMES)
    tables = [
        Made(
            ("basket", "catalogue", "orders")[number // 20],
            name,
            f"{number // 3 + 1:04d}_step",
            RowEvidence(number * 10),
            ((("parent_id", names[number - 1]),) if number % 4 == 3 else ())
            + ((("user_id", "accounts_user"),) if number % 2 else ()),
            astray_in="test_schema",
        )
        for number, name in enumerate(names)
    ]
    drifts = tuple(misplaced(table) for table in tables)
    steps = tuple(move(table, position) for position, table in enumerate(tables, start=1))
    chain = Chain(str(drifts[0].table), "static", tuple(str(drift.table) for drift in drifts))
    return answer_about((*HEALTHY_TABLES, *tables), Plan(drifts, steps, (chain,)))


def large(tables: int, astray: int = 12, apps: int = 24) -> Answer:
    """A site as real ones are: apps of like size, keys inside of an app, to a few hubs and to other apps.

    The first tables of the last two apps lie in another schema.
    """
    per_app = -(-tables // apps)
    names = [f"app{number // per_app:02d}_thing_{number % per_app:02d}" for number in range(tables)]
    hubs = ("accounts_user", names[0], names[per_app % tables])

    def keys(number: int) -> Iterator[tuple[str, str]]:
        first = number // per_app * per_app
        if number > first:
            yield "parent_id", names[first + (number - first - 1) // 3]
        if number % 3 == 0:
            yield "owner_id", hubs[number % len(hubs)]
        if number % 7 == 5:
            yield "other_id", names[number * 5 % tables]
        if number % 11 == 7:
            yield "author_id", "accounts_user"

    late = frozenset([n for n in range(tables) if n // per_app >= (tables - 1) // per_app - 1][:astray])
    made = [
        Made(
            f"app{number // per_app:02d}",
            name,
            f"{number % per_app + 1:04d}_step",
            RowEvidence(number * 10),
            tuple(keys(number)),
            astray_in="test_schema" if number in late else "",
        )
        for number, name in enumerate(names)
    ]
    moved = [table for table in made if table.astray_in]
    drifts = tuple(misplaced(table) for table in moved)
    steps = tuple(move(table, position) for position, table in enumerate(moved, start=1))
    return answer_about((*HEALTHY_TABLES, *made), Plan(drifts, steps, ()))


def misplaced(table: Made) -> Drift:
    """The finding that a table lies elsewhere."""
    expected = table.expected()
    return Drift(
        DriftKind.MISPLACED_TABLE,
        Severity.BROKEN,
        expected.name,
        expected="in public",
        observed=f"in {table.astray_in}",
        evidence=(f"{table.astray_in} has no django_migrations of its own",),
        app=table.app,
        model=expected.model,
        made_by=table.made_by,
        copies=(TableName(table.astray_in, table.name),),
        rows=(table.rows,),
    )


def missing_column() -> Drift:
    """The finding that `teams_teammembership.left_at` is missing."""
    return Drift(
        DriftKind.MISSING_COLUMN,
        Severity.BROKEN,
        TableName("public", "teams_teammembership"),
        object="left_at",
        columns=("left_at",),
        expected="left_at timestamp with time zone",
        observed="not among the 3 columns of public.teams_teammembership",
        app="teams",
        model="teams.Teammembership",
        made_by=Made("teams", "", "0003_teammembership_left_at").made_by,
    )


def move(table: Made, position: int) -> Step:
    """The step that moves a table into its place."""
    there, here = TableName(table.astray_in, table.name), TableName("public", table.name)
    return replace(
        step("move_table", MoveTable(there, here), table, position, cures=(misplaced(table).id,)),
        locks=(Lock(there, LockMode.ACCESS_EXCLUSIVE, healthy=False),),
    )


def step(word: str, action: Action, table: Made, position: int, cures: Sequence[str] = ()) -> Step:
    """A step of the first wave that waits for nothing."""
    name = TableName("public", table.name)
    return Step(
        f"{word}:{name}",
        action,
        name,
        "",
        tuple(cures),
        (),
        (),
        (Lock(name, LockMode.ACCESS_EXCLUSIVE, healthy=False),) if word == "add_column" else (),
        position,
        1,
    )


def _missing(table: Made) -> Drift:
    expected = table.expected()
    return Drift(
        DriftKind.MISSING_TABLE,
        Severity.BROKEN,
        expected.name,
        expected="in public",
        observed="in no schema",
        app=table.app,
        model=expected.model,
        made_by=table.made_by,
    )


def _without_keys(table: Made) -> Table:
    whole = table.expected().table
    return replace(whole, constraints=tuple(c for c in whole.constraints if c.kind is not ConstraintKind.FOREIGN_KEY))


def answer_about(
    tables: Sequence[Made],
    plan: Plan,
    *,
    present: Sequence[Made] | None = None,
    causes: tuple[Cause, ...] = (),
    stopgap: Stopgap | None = None,
    notes: tuple[str, ...] = (),
) -> Answer:
    """An answer in which ``tables`` are expected and ``present``, by default all of them, are observed."""
    layout = Layout.of(table.observed() for table in (tables if present is None else present))
    expected = {table.name: table for table in sorted((t.expected() for t in tables), key=lambda t: t.name)}
    fingerprint = fingerprint_of(layout, plan.steps)
    return Answer(
        host="127.0.0.1:5432",
        expected=ExpectedLayout(
            expected, "built in pg_temp and rolled back", applied_count=46, source_revision="3f2a91c"
        ),
        observed=_observed(layout),
        placement=_placement(),
        plan=plan,
        causes=causes,
        stopgap=stopgap,
        fingerprint=fingerprint,
        plan_id=plan_id_of(fingerprint, plan.steps),
        notes=notes,
        seconds=1.91,
    )


def _placement() -> Placement:
    path = SearchPath("public", PathSource.ROLE_IN_DATABASE, "ALTER ROLE app_user IN DATABASE arena", ("public",))
    return Placement("app_user", path, "public", "the django_migrations that app_user sees is there", "public")


def _observed(layout: Layout) -> Observed:
    return Observed(
        read_at="2026-01-14T03:12:07.123456+00:00",
        server=Server("15.18 (Debian 15.18-0+deb12u1)", 150018, "127.0.0.1", 5432, in_recovery=False),
        database="arena",
        connected_as="migrator",
        may_create_temporary=True,
        application_role="app_user",
        application_role_exists=True,
        known_roles=("app_user", "migrator"),
        session_path='"$user", public',
        session_path_source="default",
        session_schema="public",
        path_settings=(PathSetting("app_user", in_database=True, value="public"),),
        schemas=(
            SchemaFacts("public", "migrator", usage=True, create=True),
            SchemaFacts("test_schema", "migrator", usage=True, create=True),
        ),
        event_triggers=(),
        history_schemas=("public",),
        histories=(),
        type_schemas=(),
        types_fingerprint="",
        extensions=(),
        layout=layout,
    )
