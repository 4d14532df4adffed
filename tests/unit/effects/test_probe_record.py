"""Which line a failure in a page or a model is put down to."""

import pytest

from cascade.effects.probe import record


def test_cascade_is_never_the_line_to_blame_also_where_it_is_an_installed_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site_packages = record._OURS.rpartition("/")[0]
    monkeypatch.setattr(record, "_INSTALLED", ("/stdlib", "/stdlib", site_packages, site_packages))
    assert record._is_third_party(f"{site_packages}/wagtail/models.py")
    assert not record._is_third_party(f"{site_packages}/cascade/effects/probe/connection.py")
