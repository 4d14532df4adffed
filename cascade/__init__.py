"""Finds what is not where a Django project's applied migrations say it is, and the order of its repair.

In a notebook: ``cascade.analyse()`` and ``cascade.load("plan.json")``. Importing this loads neither Django nor them.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cascade.notebook import analyse as analyse
    from cascade.notebook import load as load

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in ("analyse", "load"):
        from cascade import notebook

        return getattr(notebook, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return ["__version__", "analyse", "load"]
