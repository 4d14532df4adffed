"""Everything in a picture can be read, by daylight and in the dark, and by those who see no colours."""

from itertools import product

import pytest

from cascade.core.findings import DriftKind, Severity
from cascade.render import looks
from cascade.render.looks import DARK_STYLE, Look, Paint, contrast, ink_on, look_of, looks_of_schemas

LOOKS = [look for look in vars(looks).values() if isinstance(look, Look)]
SCHEMAS = looks_of_schemas([f"schema_{number}" for number in range(9)], "public").values()


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("ink", [Paint.INK, Paint.FAINT])
@pytest.mark.parametrize("ground", [Paint.PAPER, Paint.GROUP, Paint.BAND])
def test_letters_stand_out_from_what_they_stand_on(ink: Paint, ground: Paint, mode: str) -> None:
    assert contrast(getattr(ink, mode), getattr(ground, mode)) >= 4.5


@pytest.mark.parametrize("look", [*LOOKS, *SCHEMAS], ids=lambda look: look.word)
def test_a_word_can_be_read_on_its_colour(look: Look) -> None:
    assert contrast(ink_on(look.colour), look.colour) >= 4.5


@pytest.mark.parametrize(("ground", "mode"), list(product([Paint.PAPER, Paint.GROUP], ["light", "dark"])))
def test_lines_stand_out_from_what_they_stand_on(ground: Paint, mode: str) -> None:
    assert contrast(getattr(Paint.LINE, mode), getattr(ground, mode)) >= 3


def test_no_two_paints_begin_alike_so_that_the_dark_can_tell_them_apart() -> None:
    assert len({paint.light for paint in Paint}) == len(Paint)
    assert not {paint.light for paint in Paint} & {"#ffffff", "#000000", *(look.colour for look in LOOKS)}
    for paint in Paint:
        assert f'[fill="{paint.light}"] {{ fill: {paint.dark} }}' in DARK_STYLE


def test_no_two_words_of_one_legend_look_alike_in_colour_and_border() -> None:
    for meanings in (looks.MEANINGS, looks.MEANINGS_ON_TABLES):
        assert len({(look.colour, look.style) for look, _ in meanings}) == len(meanings)


def test_every_finding_has_a_look_and_every_look_a_meaning() -> None:
    shown = {look_of(kind) for kind in DriftKind if kind.facts.severity is not Severity.NOTE}

    assert shown | {looks.REPAIRED} == {look for look, _ in looks.MEANINGS_ON_TABLES}


def test_a_kind_that_nobody_gave_a_look_is_refused_rather_than_drawn_as_another() -> None:
    assert all(look_of(kind) for kind in DriftKind)
    with pytest.raises(AssertionError):
        look_of("a_kind_of_tomorrow")  # type: ignore[arg-type]
