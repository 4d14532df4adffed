"""The expected side: what the applied migrations say exists, by the reference that was asked for."""

from typing import TYPE_CHECKING, Any

from cascade.core.expected import ExpectedLayout, what_extensions_bring
from cascade.core.history import MigrationKey
from cascade.core.observed import Observed
from cascade.core.placement import Placement
from cascade.workflows.question import MIGRATIONS, Question, Report
from cascade.workflows.references import read_state_based
from cascade.workflows.running import read_as_run

if TYPE_CHECKING:
    from cascade.sources.migration_history import Replay


def read_expected(
    replay: "Replay",
    connection: Any,
    placement: Placement,
    observed: Observed,
    question: Question,
    cursor: Any | None,
    report: Report,
) -> ExpectedLayout:
    """The expected layout; ``cursor`` is on the target, None where the target is a file."""
    from cascade.sources.expected import AppliedState, read_worded_state
    from cascade.sources.migration_texts import read_extensions
    from cascade.sources.models import tables_of_models

    applied = AppliedState(replay.state, replay.origins, replay.migrated_apps)
    worded = read_worded_state(applied, connection, target=placement.target)
    if question.reference == MIGRATIONS:
        reference = read_as_run(replay, worded, placement, observed, question, report)
    else:
        reference = read_state_based(worded, placement, observed, question, cursor, report)
    ahead = dict.fromkeys(replay.notes.ahead_apps, "the database is ahead of this checkout")
    ran = [replay.migrations[record.key] for record in replay.applied]
    installed = {extension.name for extension in observed.extensions}
    lacking = what_extensions_bring(read_extensions(ran, alias=connection.alias), installed)
    return ExpectedLayout(
        tables=dict(sorted(reference.tables.items())),
        reference=reference.made,
        apps=tuple(sorted(replay.migrated_apps)),
        known_names=worded.known_names | tables_of_models(),
        pending=replay.pending,
        notes=replay.notes,
        not_checked=(*lacking, *reference.not_checked),
        undecided_apps=ahead,
        replaces={
            key: tuple(MigrationKey(*replaced) for replaced in migration.replaces)
            for key, migration in replay.migrations.items()
            if migration.replaces
        },
        applied_count=len(replay.applied),
        exact=reference.exact,
        remarks=reference.remarks,
    )
