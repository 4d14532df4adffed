"""The bands of the ladder of steps."""

from cascade.render.looks import look_called
from cascade.render.rungs import Rung, in_bands

LOOK = look_called("move_table")


def test_a_band_names_its_wave_only_where_there_are_several() -> None:
    moved, keyed = Rung("1", "tables", LOOK, "a", "", wave="1"), Rung("2", "foreign keys", LOOK, "b", "", wave="1")
    assert [rung.band for rung in in_bands([moved, keyed])] == ["tables", "foreign keys"]
    later = Rung("2", "foreign keys", LOOK, "b", "", wave="2")
    assert [rung.band for rung in in_bands([moved, later])] == ["wave 1: tables", "wave 2: foreign keys"]
