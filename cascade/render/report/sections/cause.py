"""Why it happened, why it surfaced one thing at a time, and when."""

from collections.abc import Iterator, Sequence

from cascade.core.documents import JSON
from cascade.core.incident import Incident
from cascade.core.words import counted
from cascade.render.pictures import draw_history
from cascade.render.report.blocks import Block, Code, Facts, Inline, Line, Paragraph, Shown, Strong
from cascade.render.report.words import bullets, capital, pictures_of
from cascade.render.wording import window


def causes(incident: Incident) -> Iterator[Block]:
    """What happened, with the evidence for and against; what failed in its turn; and the record of migrations."""
    known = incident.before["causes"]
    if not incident.findings:
        return
    if not known:
        yield Paragraph(("No cause is known: placement and history fit no pattern.",))
    for cause in known:
        when = window(cause["first"], cause["last"]) if cause["first"] else "at a time that is not known"
        yield Paragraph((Strong(f"{capital(cause['sentence'])}."), f" {capital(when)}."))
        sides = (
            ("For", cause["evidence_for"]),
            ("Against", cause["evidence_against"] or ["nothing found"]),
            ("Beside", cause["others"]),
        )
        yield Facts(tuple((word, (sentence,)) for word, sentences in sides for sentence in sentences))
    chains = [chain for chain in incident.chains if len(chain["objects"]) > 1]
    if chains:
        measured = any(chain["source"] == "exact" for chain in chains)
        yield Paragraph(
            (
                "Why it surfaced one at a time: each of these fails in its turn, after the one before it is repaired "
                f"({'measured' if measured else 'predicted from the foreign keys'}).",
            )
        )
        lines = tuple((*_asked_by(chain), *_chain(chain["objects"])) for chain in chains)
        yield bullets(lines, counted(len(lines), "sequence"))
    for picture, caption in pictures_of(
        (draw_history(incident.before), "What was recorded when, and where what is not in its place landed.")
    ):
        yield Shown(picture, caption)


def _asked_by(chain: JSON) -> Line:
    return (Code(chain["probe"]), ": ") if chain["probe"] else ()


def _chain(objects: Sequence[str]) -> Line:
    parts: list[Inline] = []
    shown = objects if len(objects) <= MOST_OF_A_CHAIN + 1 else objects[:MOST_OF_A_CHAIN]
    for name in shown:
        parts += [" → ", Code(name)] if parts else [Code(name)]
    return (*parts, f" → and {len(objects) - len(shown):,} more") if len(shown) < len(objects) else tuple(parts)


MOST_OF_A_CHAIN = 24
"""More names in a row nobody reads; the plan's JSON has all of them."""
