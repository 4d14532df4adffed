"""Take a repair back by its journal: what ran last first, and nothing that rows written since would be lost by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cascade.core.journal import Journal, JournalStep, statements_to_undo
from cascade.core.layout import TableName
from cascade.core.limits import Limits
from cascade.effects.repair.journal import JournalWriter
from cascade.effects.repair.session import RepairRefused, Session
from cascade.effects.repair.transaction import Report, Transaction, in_transaction
from cascade.sources.preflight import read_identity


class Look(Protocol):
    """Gives the digest over these places as they are now, within the cursor's open transaction or in one of its own."""

    def __call__(self, cursor: Any, tables: Sequence[TableName], *, within: bool) -> str:
        """The digest."""
        ...


@dataclass(frozen=True)
class Undone:
    """The steps that were taken back, in the order in which that was done, and those that nothing takes back."""

    steps: tuple[str, ...]
    kept: tuple[str, ...]


def undo(
    journal: Journal,
    session: Session,
    limits: Limits,
    writer: JournalWriter,
    *,
    look: Look,
    report: Report,
    unwatched: Report,
) -> Undone:
    """The steps that are known to be committed, in reverse and in one transaction, those that ran in none too.

    ``unwatched`` is told why nobody watches who waits.
    Raises ``RepairRefused`` where the database is another, or no longer as the repair left it.
    """
    done = committed_steps(journal, session)
    if journal.after and look(session.cursor, journal.tables, within=False) != journal.after:
        raise RepairRefused(
            "Nothing was changed: the tables are no longer as the repair left them.",
            hint="What was changed since would be lost. Ask cascade plan what is amiss, and repair that.",
        )
    back = [step for step in reversed(done) if step.undo]

    def take_back(transaction: Transaction) -> None:
        left = [(step, statement) for step in journal.broken_off[::-1] for statement in step.clears]
        for step, statement in (*left, *statements_to_undo(back[::-1])):
            report(f"undoing {step.id}")
            transaction.watch.others_feel_it()
            transaction.run(statement)
            writer.write("statement", step=step.id, sql=statement)
        if journal.before and look(transaction.cursor, journal.tables, within=True) != journal.before:
            raise RepairRefused("Nothing was changed: undone, the tables would not be as they were before the repair.")

    def commit(transaction: Transaction) -> None:
        transaction.cursor.execute("COMMIT")
        writer.write("undone")

    in_transaction(session, take_back, limits=limits, report=report, unwatched=unwatched, commit=commit)
    return Undone(tuple(step.id for step in back), tuple(step.id for step in done if not step.undo))


def committed_steps(journal: Journal, session: Session) -> tuple[JournalStep, ...]:
    """The steps that are known to be committed, by the journal or by the server, in their order.

    Raises ``RepairRefused`` where there are none, or the database is another.
    """
    _refuse_another_database(journal, session)
    done = (*journal.done, *_committed_after_all(journal, session))
    if not done:
        raise RepairRefused("Nothing of this journal was committed: there is nothing to undo.")
    return done


def _refuse_another_database(journal: Journal, session: Session) -> None:
    session.cursor.execute("SELECT current_database()")
    (here,) = session.cursor.fetchone()
    if here != journal.header["database"]:
        raise RepairRefused(f"The journal is of {journal.header['database']}, and this is {here}: nothing was changed.")
    identity = read_identity(session.cursor)
    system, oid = journal.header.get("system"), journal.header.get("oid")
    if identity.oid != oid or (None not in (system, identity.system) and identity.system != system):
        raise RepairRefused(
            f"The journal is of another {here} than this one, on {journal.header.get('host')}: nothing was changed.",
            hint="Give the --dsn or --apply-database of the one that was repaired.",
        )


def _committed_after_all(journal: Journal, session: Session) -> tuple[JournalStep, ...]:
    """The steps whose COMMIT was sent and not answered, if the server says that it holds."""
    found: list[JournalStep] = []
    for xid, steps in journal.in_flight.items():
        session.cursor.execute("SELECT pg_catalog.pg_xact_status(%s::xid8)", [xid])
        (status,) = session.cursor.fetchone()
        if status == "committed":
            found += steps
    return tuple(found)
