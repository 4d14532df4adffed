"""The models of the project as the code has them now, whatever its migrations say of them."""

from django.apps import apps
from django.db import router
from django.db.backends.utils import split_identifier


def tables_of_models() -> frozenset[str]:
    """The bare names of all their tables, automatic through tables and swapped models included."""
    models = apps.get_models(include_auto_created=True, include_swapped=True)
    return frozenset(split_identifier(model._meta.db_table)[1] for model in models)


def models_of_database(alias: str) -> tuple[str, ...]:
    """The labels of the models whose tables migrations make there, automatic through tables included, in order."""
    models = [m for m in apps.get_models(include_auto_created=True) if m._meta.managed and not m._meta.proxy]
    return tuple(model._meta.label for model in models if router.allow_migrate_model(alias, model))
