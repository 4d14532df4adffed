"""A project with an app of its own, which takes the repairs of the apps that are installed from elsewhere."""

import importlib
import os

globals().update(vars(importlib.import_module(f"{os.environ['PROJECT_NAME']}_settings")))

INSTALLED_APPS = [*INSTALLED_APPS, "repairs"]  # type: ignore[name-defined]  # noqa: F821
