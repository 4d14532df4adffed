"""Sites with ``cascade.django_app`` among their apps."""

import subprocess
from dataclasses import replace

from tests.scenarios.sites import CHECKOUT, Site, run_program

STRAYED_SETTINGS = "cascade.demo.project.settings_test_schema"
"""Those of the run that caused the incident."""


def guarded(site: Site, *, on: str = "cascade.demo.project.settings", more: str = "") -> Site:
    """The site with the app installed, on top of these settings; ``more`` are lines of Python at their end."""
    name = f"guarded_{abs(hash((on, more)))}"
    lines = [f"from {on} import *", 'INSTALLED_APPS = [*INSTALLED_APPS, "cascade.django_app"]', more]
    (site.folder / f"{name}.py").write_text("\n".join(lines) + "\n")
    environment = {
        **site.environment,
        "DJANGO_SETTINGS_MODULE": name,
        "PYTHONPATH": f"{CHECKOUT}:{site.environment.get('PYTHONPATH', '')}:{site.folder}",
    }
    return replace(site, environment=environment)


def django(site: Site, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """A command of Django's, whatever it ends with."""
    return run_program("-m", "django", *arguments, environment={**site.environment, **more}, folder=site.folder)
