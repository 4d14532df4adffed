"""How things look in every picture: a word, a colour and a border each, by daylight and in the dark.

Nothing is said by colour alone. The colours are those of Okabe and Ito, which people who see colours differently can
tell apart; letters stand out from what they stand on by 4.5 to 1, lines by 3 to 1 (WCAG 2.2, 1.4.3 and 1.4.11).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from cascade.core.actions import (
    Action,
    AddColumn,
    AddConstraint,
    AddForeignKey,
    AddNotNullProof,
    AlterColumn,
    CreateIndex,
    CreateSchema,
    CreateTable,
    EnableConstraint,
    ExchangeTable,
    GrantSequence,
    GrantTable,
    GrantUsage,
    MoveObject,
    MoveTable,
    RebuildIndex,
    ReplaceConstraint,
    ReplaceIndex,
    RepointForeignKey,
    SetNotNull,
    SetOwner,
    SetSequence,
    ShelveTable,
    ValidateConstraint,
    action_name,
)
from cascade.core.findings import DriftKind
from cascade.core.layout import quoted

FONT, TEXT_SIZE = "Courier", 11
LETTER = 0.615 * TEXT_SIZE
"""The width of a letter of Courier in points, with some slack: all are equally wide, so columns can be reckoned."""
NARROWEST = 640
"""In points: in a narrower picture a title does not fit."""


class Paint(Enum):
    """What a picture is drawn with, by daylight and in the dark.

    A picture names the first of the two; ``DARK_STYLE`` turns each into the second, so no two may begin alike.
    """

    PAPER = ("#fdfdfd", "#15181c")
    GROUP = ("#f3f3f3", "#1e2227")
    BAND = ("#e6e6e6", "#2c3138")
    INK = ("#1b1b1b", "#ececec")
    FAINT = ("#4a4a4a", "#b9bfc7")
    LINE = ("#6b6b6b", "#989fa8")

    def __init__(self, light: str, dark: str) -> None:
        self.light = light
        self.dark = dark


def _dark_style() -> str:
    turned = [(paint.light, paint.dark) for paint in Paint]
    # Blue and black lines would drown; what is written on these colours stays as it is.
    lines = [*turned, ("#0072b2", "#3d9bd9"), ("#000000", "#ffffff")]
    rules = [
        *(f'[fill="{light}"] {{ fill: {dark} }}' for light, dark in turned),
        *(f'[stroke="{light}"] {{ stroke: {dark} }}' for light, dark in lines),
    ]
    # Paper is light, whatever the screen prefers.
    return "\n".join(("@media screen and (prefers-color-scheme: dark) {", *rules, "}"))


DARK_STYLE = _dark_style()
"""The style sheet of an SVG that turns each paint where the reader prefers the dark."""


def ink_on(colour: str) -> str:
    """Black or white, whichever can be read better on the colour.

    >>> ink_on("#0072b2"), ink_on("#e69f00")
    ('#ffffff', '#000000')
    """
    return max(("#ffffff", "#000000"), key=lambda ink: contrast(ink, colour))


def contrast(one: str, other: str) -> float:
    """How much two colours stand out from each other, 1 to 21 (WCAG 2.2, contrast ratio).

    >>> round(contrast("#ffffff", "#000000"), 2)
    21.0
    """
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@dataclass(frozen=True, slots=True)
class Look:
    """How a status is shown: a word, a colour and the style of the border, so that none of them has to be seen."""

    word: str
    colour: str
    style: str


MOVE = Look("move", "#0072b2", "solid")
CREATE = Look("create", "#d55e00", "solid")
ADD = Look("add", "#e69f00", "solid")
CHANGE = Look("change", "#e69f00", "dashed")
KEY = Look("key", "#cc79a7", "dashed")
CHECK = Look("validate", "#cc79a7", "dotted")
GRANT = Look("grant", "#009e73", "dashed")
ATTIC = Look("put aside", "#999999", "solid")
DECIDE = Look("decide", "#000000", "dotted")
ADVICE = Look("advice", "#56b4e9", "dotted")
LEFT_OUT = Look("left out", "#999999", "dotted")
OK = Look("ok", "#009e73", "solid")
UNSURE = Look("unsure", "#f0e442", "dashed")
MEANINGS = (
    (MOVE, "the table is in another schema and moves with its rows"),
    (CREATE, "it is nowhere and is made anew, empty"),
    (ADD, "a column, constraint or index is added"),
    (CHANGE, "something that differs is made what it should be"),
    (KEY, "a foreign key is added, or points where it should"),
    (CHECK, "old rows are checked, while people read and write"),
    (GRANT, "a role gets a right"),
    (ATTIC, "a copy that does not count goes into the attic; nothing is dropped"),
    (DECIDE, "a person has to decide first: no step"),
    (ADVICE, "no step repairs this: the text says what to do"),
    (LEFT_OUT, "outside what was asked for: no step, still broken"),
)

LOOKS_OF_ACTIONS: Mapping[type[Action], Look] = {
    CreateSchema: ATTIC,
    MoveTable: MOVE,
    ExchangeTable: MOVE,
    ShelveTable: ATTIC,
    CreateTable: CREATE,
    MoveObject: MOVE,
    AddColumn: ADD,
    AlterColumn: CHANGE,
    AddNotNullProof: CHANGE,
    SetNotNull: CHANGE,
    AddForeignKey: KEY,
    RepointForeignKey: KEY,
    AddConstraint: ADD,
    ReplaceConstraint: CHANGE,
    ValidateConstraint: CHECK,
    EnableConstraint: CHANGE,
    CreateIndex: ADD,
    ReplaceIndex: CHANGE,
    RebuildIndex: CHANGE,
    SetSequence: CHANGE,
    SetOwner: GRANT,
    GrantUsage: GRANT,
    GrantTable: GRANT,
    GrantSequence: GRANT,
}
"""How each sort of step looks."""


def look_called(name: str) -> Look:
    """How a step looks whose action goes by that name in JSON; what a later cascade calls otherwise is a change.

    >>> look_called("move_table").word
    'move'
    """
    return _LOOKS_BY_NAME.get(name, CHANGE)


_LOOKS_BY_NAME = {action_name(action): look for action, look in LOOKS_OF_ACTIONS.items()}


MISPLACED = Look("misplaced", "#0072b2", "solid")
MISSING = Look("missing", "#d55e00", "dashed")
UNREACHABLE = Look("unreachable", "#cc79a7", "solid")
TWICE = Look("twice", "#56b4e9", "dashed")
INCOMPLETE = Look("incomplete", "#e69f00", "solid")
DIFFERENT = Look("different", "#e69f00", "dashed")
RIGHTS = Look("rights", "#009e73", "dashed")
REPAIRED = Look("repaired", "#009e73", "solid")
MEANINGS_ON_TABLES = (
    (MISPLACED, "the table is in another schema than it belongs to"),
    (MISSING, "the table is in no schema"),
    (UNREACHABLE, "the role that serves pages may not read it, or does not look there"),
    (TWICE, "a table of the same name lies in another schema too"),
    (INCOMPLETE, "a column, constraint or index of it is missing"),
    (DIFFERENT, "something of it is not as the migrations made it"),
    (RIGHTS, "owner or grants are not those of its neighbours"),
    (REPAIRED, "put right by the plan"),
)


def look_of(kind: DriftKind) -> Look:
    """How a table looks on which this is the worst finding. A new kind is refused here until it has a look."""
    match kind:
        case DriftKind.MISPLACED_TABLE:
            return MISPLACED
        case DriftKind.MISSING_TABLE:
            return MISSING
        case DriftKind.UNREACHABLE_TABLE:
            return UNREACHABLE
        case DriftKind.DUPLICATED_TABLE | DriftKind.SHADOWED_TABLE:
            return TWICE
        case DriftKind.MISSING_COLUMN | DriftKind.MISSING_CONSTRAINT | DriftKind.MISSING_INDEX:
            return INCOMPLETE
        case DriftKind.DIFFERENT_PRIVILEGES:
            return RIGHTS
        case (
            DriftKind.DIFFERENT_COLUMN
            | DriftKind.DIFFERENT_CONSTRAINT
            | DriftKind.DIFFERENT_INDEX
            | DriftKind.NOT_VALIDATED_CONSTRAINT
            | DriftKind.DISABLED_CONSTRAINT
            | DriftKind.INVALID_INDEX
            | DriftKind.SEQUENCE_BEHIND
            | DriftKind.MISDIRECTED_FOREIGN_KEY
            | DriftKind.STRAY_OBJECT
            | DriftKind.CREATION_SCHEMA_DIFFERS
            | DriftKind.EXTRA_TABLE
            | DriftKind.EXTRA_COLUMN
            | DriftKind.EXTRA_CONSTRAINT
            | DriftKind.EXTRA_INDEX
            | DriftKind.DIFFERENT_NAMES
            | DriftKind.UNRECORDED_MIGRATION
            | DriftKind.PENDING_MIGRATION
            | DriftKind.UNUSED_IGNORE
        ):
            return DIFFERENT
        case _:
            assert_never(kind)


NOWHERE = Look("nowhere", "#000000", "dotted")
SEVERAL = Look("several", "#999999", "dashed")


def looks_of_schemas(schemas: Iterable[str], target: str) -> Mapping[str, Look]:
    """A look for each schema: green for the target, the others in the order given; what is beyond the colours is grey.

    >>> [look.colour for look in looks_of_schemas(["test_schema", "public"], "public").values()]
    ['#009e73', '#d55e00']
    """
    others = [schema for schema in dict.fromkeys(schemas) if schema != target]
    colours = [*_OTHER_SCHEMAS, *["#999999"] * len(others)]
    return {
        target: Look(quoted(target), "#009e73", "solid"),
        **{schema: Look(quoted(schema), colour, "solid") for schema, colour in zip(others, colours, strict=False)},
    }


_OTHER_SCHEMAS = ("#d55e00", "#0072b2", "#e69f00", "#cc79a7", "#56b4e9")
