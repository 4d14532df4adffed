"""Where the models are written, for what links to them."""

from dataclasses import replace
from typing import TYPE_CHECKING

from cascade.core.expected import ExpectedLayout
from cascade.core.history import SourceLines

if TYPE_CHECKING:
    from cascade.sources.project import Project


def with_model_sources(expected: ExpectedLayout, project: "Project") -> ExpectedLayout:
    """The expected tables with where their models are written, as far as that is in the project's own folder."""
    from cascade.sources.source_lines import locate_model

    def own(source: SourceLines | None) -> SourceLines | None:
        return source if source is not None and project.holds(source.file) else None

    located = {
        name: replace(table, model_source=own(locate_model(table.model, project.relative)))
        for name, table in expected.tables.items()
    }
    return replace(expected, tables=located)
