"""The examples in the docstrings of the package are true."""

import doctest
import importlib
from pathlib import Path

import pytest

import cascade.errors

PACKAGE = Path(cascade.errors.__file__).parent

# Only what has an example is imported: the demo's models can only be imported inside its project.
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_are_true(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.attempted
    assert not result.failed, f"{result.failed} of {result.attempted} examples failed; see the output above"
