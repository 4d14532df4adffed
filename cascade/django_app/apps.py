"""The app: it looks before and after each run of ``migrate``, and registers the system checks.

Every process of the project sets it up, so nothing of cascade is imported before it is needed.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, register
from django.db.models.signals import post_migrate, pre_migrate


class CascadeConfig(AppConfig):
    """``cascade.django_app`` in ``INSTALLED_APPS``."""

    name = "cascade.django_app"
    label = "cascade"
    verbose_name = "cascade"

    def ready(self) -> None:
        """Register the checks, and connect to both signals: for this app as their sender, once in a run."""
        register(check_databases, Tags.database)
        pre_migrate.connect(before_migrate, sender=self)
        post_migrate.connect(after_migrate, sender=self)


def check_databases(
    app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **more: Any
) -> list[CheckMessage]:
    """What is not as the applied migrations made it, in the databases that are asked for; nothing if none is."""
    if not databases:
        return []
    from cascade.django_app.checks import check

    return check(sorted(databases), apps=tuple(config.label for config in app_configs or ()))


def before_migrate(**signal: Any) -> None:
    """The guard, if there is something to migrate."""
    if signal.get("plan"):
        from cascade.django_app.guard import guard

        guard(signal["using"], signal["plan"], signal["apps"], verbosity=signal["verbosity"])


def after_migrate(**signal: Any) -> None:
    """The proof, if something was migrated; ``flush`` sends this signal too, without a plan."""
    if signal.get("plan"):
        from cascade.django_app.guard import prove

        prove(signal["using"], verbosity=signal["verbosity"])
