"""The app: it looks before and after each run of ``migrate``, and registers the system checks."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate, pre_migrate


class CascadeConfig(AppConfig):
    """``cascade.django_app`` in ``INSTALLED_APPS``."""

    name = "cascade.django_app"
    label = "cascade"
    verbose_name = "cascade"

    def ready(self) -> None:
        """Register the checks, and connect to both signals: for this app as their sender, once in a run."""
        from cascade.django_app.checks import check_databases
        from cascade.django_app.guard import after_migrate, before_migrate

        pre_migrate.connect(before_migrate, sender=self)
        post_migrate.connect(after_migrate, sender=self)
        register(check_databases, Tags.database)
