"""The pages that a project has: its URL patterns, those that can be asked for and those that cannot."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cascade.core.probes import ANONYMOUS, OWN_PAGE, SUPERUSER, USER, Probe, ProbeKind
from cascade.errors import ProjectError


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A pattern that is not asked for, and why."""

    pattern: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pages:
    """What can be asked for, and what is left out, both in the order of the patterns."""

    probes: tuple[Probe, ...]
    left_out: tuple[LeftOut, ...]


def discover_pages() -> Pages:
    """Every pattern that needs no argument; pages of a first object, where the model says which or the view's model.

    Pages of the admin are asked for as a superuser, others as a user. Nothing is asked here.
    """
    probes: dict[Probe, None] = {}
    left_out: list[LeftOut] = []
    for route in _routes(_patterns(), _Route("/", {}, admin=False)):
        probe = _probe(route)
        if isinstance(probe, Probe):
            probes.setdefault(probe)
        else:
            left_out.append(LeftOut(route.path, probe))
    probes.update(dict.fromkeys(_own_pages()))
    return Pages(tuple(probes), tuple(left_out))


def _patterns() -> Any:
    """The URL patterns of the project. Raises ``ProjectError`` where they cannot be imported."""
    from django.urls import get_resolver

    try:
        return get_resolver().url_patterns
    except (Exception, SystemExit) as error:
        said = str(error).strip().partition("\n")[0]
        raise ProjectError(f"The URL patterns cannot be imported: {type(error).__name__}: {said}") from error


@dataclass(frozen=True)
class _Route:
    """A path as far as its patterns say it, ``<name>`` for each argument, and what stands at its end."""

    path: str
    arguments: dict[str, Any]
    admin: bool
    view: Any = None


def _routes(patterns: Any, before: _Route) -> Iterator[_Route]:
    for pattern in patterns:
        text, arguments = _worded(pattern.pattern)
        admin = before.admin or getattr(pattern, "app_name", None) == "admin"
        route = _Route(before.path + text, {**before.arguments, **arguments}, admin, getattr(pattern, "callback", None))
        if route.view is None:
            yield from _routes(pattern.url_patterns, route)
        else:
            yield route


def _worded(pattern: Any) -> tuple[str, dict[str, Any]]:
    """What it matches, with ``<name>`` for each argument; a regular expression that is no plain text is one too."""
    from django.urls.resolvers import RegexPattern
    from django.utils.regex_helper import normalize

    if not isinstance(pattern, RegexPattern):
        return re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", str(pattern)), dict(pattern.converters)
    [(text, names), *_] = normalize(str(pattern)) or [("", [])]
    return re.sub(r"%\((\w+)\)s", r"<\1>", text.replace("%%", "%")), dict.fromkeys(names)


def _probe(route: _Route) -> Probe | str:
    """The probe of a route, or why there is none."""
    user = SUPERUSER if route.admin else USER
    name = getattr(route.view, "__name__", "")
    if "logout" in route.path or name.lower().startswith("logout"):
        return "it would log out"
    if not route.arguments:
        return Probe(ProbeKind.PAGE, route.path, user, below=500) if _resolves(route) else "another pattern comes first"
    fields = _key_fields(route)
    if fields is None:
        return f"it needs {', '.join(route.arguments)}"
    model, fields_of = fields
    path = route.path.replace("{", "{{").replace("}", "}}")
    for argument, field in fields_of.items():
        path = path.replace(f"<{argument}>", f"{{first.{field}}}")
    return Probe(ProbeKind.OBJECT, path, user, below=500, model=model._meta.label)


def _resolves(route: _Route) -> bool:
    from django.urls import Resolver404, resolve

    try:
        return resolve(route.path).func is route.view
    except Resolver404:
        return False


def _key_fields(route: _Route) -> tuple[Any, dict[str, str]] | None:
    """The model of a class-based view, and by argument the field that it is looked up by; None where nobody knows."""
    view = getattr(route.view, "view_class", None)
    queryset = getattr(view, "queryset", None)
    model = getattr(view, "model", None) or getattr(queryset, "model", None)
    if view is None or not hasattr(model, "_meta"):
        return None
    known = {getattr(view, "pk_url_kwarg", "pk"): "pk", getattr(view, "slug_url_kwarg", "slug"): _slug_field(view)}
    if not set(route.arguments) <= set(known):
        return None
    return model, {argument: known[argument] for argument in route.arguments}


def _slug_field(view: Any) -> str:
    return str(getattr(view, "slug_field", "slug"))


def _own_pages() -> Iterator[Probe]:
    """The first object of each model that says where its page is."""
    from django.apps import apps

    for model in apps.get_models():
        if hasattr(model, "get_absolute_url"):
            yield Probe(ProbeKind.OBJECT, OWN_PAGE, ANONYMOUS, below=500, model=model._meta.label)
