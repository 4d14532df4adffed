"""What was read back is kept where that is possible, and nowhere else."""

from pathlib import Path

import pytest

from cascade.effects.expected_cache import load_definitions, save_definitions


def test_a_user_without_a_home_keeps_nothing_and_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    save_definitions("key", {"documents": {}})
    assert load_definitions("key") is None
