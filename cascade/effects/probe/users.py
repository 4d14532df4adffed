"""The users that probes are asked as, made by the project's own model, within the transaction."""

import secrets
from collections.abc import Callable
from typing import Any

from cascade.core.probes import SUPERUSER, USER


class CannotMake(Exception):
    """The user cannot be made without help; the message says what is missing."""


def make_user(kind: str) -> Any:
    """A new user: ``user``, ``superuser``, or what the function of that dotted path makes."""
    from django.contrib.auth import get_user_model
    from django.utils.module_loading import import_string

    if kind not in (USER, SUPERUSER):
        try:
            factory: Callable[[], Any] = import_string(kind)
        except ImportError as error:
            raise CannotMake(f"{kind} cannot be imported") from error
        return factory()
    model: Any = get_user_model()
    required = [model.USERNAME_FIELD, *(name for name in model.REQUIRED_FIELDS if name != model.USERNAME_FIELD)]
    values = {name: _value(model._meta.get_field(name)) for name in required}
    maker = getattr(model._default_manager, "create_superuser" if kind == SUPERUSER else "create_user", None)
    if maker is None:
        rights = {name: True for name in ("is_staff", "is_superuser") if kind == SUPERUSER and hasattr(model, name)}
        return model._default_manager.create(**values, **rights)
    return maker(**values, password=None)


def _value(field: Any) -> Any:
    """Something that the field takes and that no other user has."""
    from django.db.models import NOT_PROVIDED

    if field.remote_field is not None:
        found = field.remote_field.model._default_manager.first()
        if found is None:
            raise CannotMake(f"a user refers to {field.remote_field.model._meta.label}, and there is none")
        return found
    if field.choices:
        return field.flatchoices[0][0]
    word = f"probe_{secrets.token_hex(4)}"
    match field.get_internal_type():
        case "EmailField":
            return f"{word}@example.invalid"
        case "CharField" | "TextField" | "SlugField":
            return f"{word}@example.invalid" if "mail" in field.name else word[: field.max_length]
        case "IntegerField" | "BigIntegerField" | "PositiveIntegerField" | "PositiveBigIntegerField":
            return secrets.randbelow(2**31 - 1)
    if field.default is not NOT_PROVIDED:
        return field.get_default()
    today = _today(field)
    if today is not None:
        return today
    raise CannotMake(f"nothing is known to fill {field.name} with")


def _today(field: Any) -> Any:
    from django.utils import timezone

    match field.get_internal_type():
        case "DateField":
            return timezone.now().date()
        case "DateTimeField":
            return timezone.now()
        case "BooleanField":
            return False
        case _:
            return None
