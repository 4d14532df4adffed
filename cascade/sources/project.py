"""Find the Django project, set it up, and open its database connection."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cascade.core.guard import GuardMode, parse_guard_mode
from cascade.core.ignore import Ignore, parse_ignores
from cascade.core.probes import Probe, parse_probes
from cascade.errors import DatabaseError, NoSuchName, ProjectError, UnsupportedVersion, first_line

OLDEST = {"Django": (5, 2), "click": (8, 1), "networkx": (3, 0), "graphviz": (0, 20)}
"""The oldest versions that work. No bound in the package's requirements says so: pip would answer it by
moving a version that the project has installed."""


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """What ``CASCADE`` in the project's settings says; every entry is optional.

    ``production`` names the servers on which nothing is rehearsed by default: ``host`` or ``host:port``.
    ``source_url`` is the address of a line of the project's source, with ``{path}`` and ``{line}`` in it.
    ``probe_allow`` are hosts and programs that pages may call, and folders that they may write, while they are probed.
    """

    schema: str | None = None
    app_role: str | None = None
    reference: str | None = None
    reference_dsn: str | None = None
    ignore: tuple[Ignore, ...] = ()
    production: tuple[str, ...] = ()
    guard: GuardMode = GuardMode.ERROR
    source_url: str = ""
    probes: tuple[Probe, ...] = ()
    probe_allow: tuple[str, ...] = ()

    def is_production(self, settings: Mapping[str, Any]) -> bool:
        """Whether an entry of DATABASES leads to a server that is named as production."""
        host, port = str(settings.get("HOST") or "localhost"), str(settings.get("PORT") or 5432)
        return not {host, f"{host}:{port}"}.isdisjoint(self.production)


@dataclass(frozen=True, slots=True)
class Project:
    """A Django project that is set up. ``folder`` is where its manage.py lies, else the current folder."""

    settings_module: str
    folder: Path
    cascade: ProjectSettings
    app_labels: tuple[str, ...]

    def relative(self, file: str | Path) -> str:
        """The path relative to the project where it lies inside it, else relative to its site-packages."""
        return _relative_to_any(str(file), (str(self.folder.resolve()), *sys.path))

    def holds(self, path: str) -> bool:
        """Whether a path that ``relative`` gave is of the project's own source, and of no installed package."""
        return "site-packages" not in path.split("/") and (self.folder / path).is_file() and not path.startswith("/")


@cache
def _relative_to_any(file: str, bases: tuple[str, ...]) -> str:
    """The path as seen from the first of the folders that it lies in."""
    path = Path(file).resolve()
    for base in map(Path, bases):
        if base.parts and path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    return path.as_posix()


def read_project(settings: str | None = None, pythonpath: str | None = None) -> Project:
    """Find the project by ``--settings``, ``DJANGO_SETTINGS_MODULE`` or the nearest manage.py, and set Django up.

    Inside a project that is set up already (``manage.py``) it is that one.
    Raises ``ProjectError`` where there is none, it cannot be imported or another one is set up already,
    ``UnsupportedVersion`` for old Django, another ``CascadeError`` where ``CASCADE`` in its settings is not of the
    form that is known.
    """
    manage_py = _nearest_manage_py(Path.cwd())
    folder = manage_py.parent if manage_py else Path.cwd()
    _refuse_old_versions()
    running = running_settings()
    if running is not None:
        _refuse_other_settings(settings, running)
        return _project(running, folder)
    named = settings or os.environ.get("DJANGO_SETTINGS_MODULE")
    module = named or (_settings_of(manage_py) if manage_py else None)
    if not module:
        raise ProjectError(
            f"No Django settings: no manage.py in {Path.cwd()} or above names any.",
            hint="Go to the project's folder, or give --settings myproject.settings (and --pythonpath).",
        )
    for entry in (str(folder), pythonpath):
        if entry and str(Path(entry).resolve()) not in sys.path:
            sys.path.insert(0, str(Path(entry).resolve()))
    _refuse_module_named_cascade(folder, pythonpath)
    if manage_py and not named:
        _found_by.append(manage_py)
    _set_up_django(module)
    return _project(module, folder)


def running_settings() -> str | None:
    """The settings module of the project that this process has set up, None where it has set up none.

    Setting it up once more would configure its logging again.
    """
    from django.apps import apps
    from django.conf import settings

    return (settings.SETTINGS_MODULE or "") if apps.ready else None


def another_manage_py() -> Path | None:
    """The manage.py that leads to another project from here than the one that led to the project of this process.

    None where there is none, or where that project was named, which goes before any manage.py.
    """
    nearest = _nearest_manage_py(Path.cwd())
    is_another = nearest is not None and bool(_found_by) and nearest not in _found_by and _settings_of(nearest)
    return nearest if is_another else None


_found_by: list[Path] = []
"""The manage.py that the project of this process was found by; from then on the environment names its settings."""


def open_connection(alias: str) -> Any:
    """The project's own connection of that alias, open and checked to be PostgreSQL.

    Raises ``NoSuchName`` for an unknown alias and ``DatabaseError`` where the server cannot be used.
    """
    from django.core.exceptions import ImproperlyConfigured
    from django.db import Error, NotSupportedError, connections

    if alias not in connections.settings:
        raise NoSuchName("database", alias, connections.settings, where=" in DATABASES")
    try:
        connection = connections[alias]
        vendor = connection.vendor
        if vendor != "postgresql":
            raise DatabaseError(
                f'The database "{alias}" is {connection.display_name}; cascade reads PostgreSQL.',
                hint="Name another with --database.",
            )
        connection.ensure_connection()
    except NotSupportedError as error:
        raise UnsupportedVersion(f"Django refuses this server: {_without_full_stop(error)}.") from error
    except (Error, ImproperlyConfigured) as error:
        raise DatabaseError(
            f'The database "{alias}" at {server_address(connections.settings[alias])} cannot be reached: '
            f"{_without_full_stop(error)}",
            hint="Is the server up, and do HOST, PORT, USER and NAME in DATABASES fit?",
        ) from error
    return connection


def server_address(settings: Mapping[str, Any]) -> str:
    """Host and port as the settings name them, without user or password."""
    host, port = settings.get("HOST") or "", settings.get("PORT") or ""
    if str(host).startswith("/"):
        return f"socket {host}"
    return f"{host or 'local socket'}:{port or 5432}" if host else "the local socket"


def client_search_path(settings: Mapping[str, Any]) -> str | None:
    """The search_path that DATABASES itself asks for in ``OPTIONS["options"]``, or None."""
    return _path_in(str((settings.get("OPTIONS") or {}).get("options") or ""))


def asked_search_path(connection: Any) -> tuple[str, str] | None:
    """The search_path that this open connection sent to the server, and where it took it from; None where none.

    libpq takes its options from the connection's own parameters, then a service file, then ``PGOPTIONS``
    (libpq, 34.1 and 34.17), and keeps what it sent.
    """
    in_settings = client_search_path(connection.settings_dict)
    in_environment = _path_in(os.environ.get("PGOPTIONS", ""))
    info = getattr(connection.connection, "info", None)
    sent = _path_in(str(getattr(info, "options", "") or "")) or in_settings or in_environment
    if sent is None:
        return None
    if in_settings is not None:
        return sent, "OPTIONS in DATABASES"
    return sent, "PGOPTIONS" if sent == in_environment else "a service file"


def source_revision(project: Project) -> str | None:
    """The revision of the checkout that the settings lie in, as ``git describe`` words it; None outside of any.

    Where this program runs does not count, unless the project's manage.py is there.
    """
    file = getattr(sys.modules.get(project.settings_module), "__file__", None)
    folders = [Path(file).resolve().parent] if file and "site-packages" not in Path(file).parts else []
    folders += [project.folder] if (project.folder / "manage.py").is_file() else []
    return next(filter(None, map(_revision_of, folders)), None)


def _revision_of(folder: Path) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--dirty", "--exclude", "*"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


@cache
def _refuse_old_versions() -> None:
    for name, oldest in OLDEST.items():
        try:
            found = version(name)
        except PackageNotFoundError as error:
            raise ProjectError(f"{name} is not installed beside cascade.", hint=f"pip install {name}") from error
        numbers = tuple(int(part) for part in re.findall(r"\d+", found)[: len(oldest)])
        if numbers < oldest:
            needed = ".".join(map(str, oldest))
            raise UnsupportedVersion(f"This is {name} {found}; cascade supports {needed} and newer.")


def _refuse_other_settings(asked: str | None, running: str) -> None:
    if asked and asked != running:
        raise ProjectError(
            f'The settings "{asked}" cannot be loaded: this process runs with "{running}" already.',
            hint="One process has one project: start another with these settings.",
        )


def _nearest_manage_py(start: Path) -> Path | None:
    for folder in (start, *start.parents):
        if (folder / "manage.py").is_file():
            return folder / "manage.py"
    return None


def _settings_of(manage_py: Path) -> str | None:
    """The module in ``os.environ.setdefault("DJANGO_SETTINGS_MODULE", …)``, read without running the file."""
    try:
        tree = ast.parse(manage_py.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and len(node.args) == 2:
            name, value = node.args
            if isinstance(name, ast.Constant) and name.value == "DJANGO_SETTINGS_MODULE":
                return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
    return None


def _refuse_module_named_cascade(folder: Path, pythonpath: str | None) -> None:
    ours = Path(__file__).resolve().parent.parent
    for entry in filter(None, (str(folder), pythonpath)):
        base = Path(entry).resolve()
        for candidate in (base / "cascade.py", base / "cascade" / "__init__.py"):
            if candidate.is_file() and candidate.parent != ours:
                raise ProjectError(
                    f"This project has a module of its own named cascade: {candidate}. "
                    "Python can import only one of the two.",
                    hint="Rename it; or read the database with psql and catalog.sql, and give the file to --observed.",
                )


def _set_up_django(module: str) -> None:
    """Raises ``ProjectError`` where that fails, also where the project would end this program itself."""
    os.environ["DJANGO_SETTINGS_MODULE"] = module
    import django

    try:
        from django.conf import settings

        settings.DATABASES  # noqa: B018 - the first use imports the module
    except ImportError as error:
        raise ProjectError(
            f'The settings module "{module}" cannot be imported: {_without_full_stop(error)}.',
            hint="Give its dotted path with --settings, and its folder with --pythonpath.",
        ) from error
    except (Exception, SystemExit) as error:
        raise ProjectError(
            f'The settings module "{module}" fails: {type(error).__name__}: {_without_full_stop(error)}'
        ) from error
    try:
        django.setup()
    except (Exception, SystemExit) as error:
        raise ProjectError(
            f'The project of "{module}" cannot be set up: {type(error).__name__}: {_without_full_stop(error)}',
            hint="python manage.py check shows the same error with its traceback.",
        ) from error


def _project(module: str, folder: Path) -> Project:
    from django.apps import apps
    from django.conf import settings

    own = getattr(settings, "CASCADE", None) or {}
    if not isinstance(own, Mapping):
        raise ProjectError("CASCADE in the settings is not a dictionary.")
    known = {entry.upper() for entry in ProjectSettings.__dataclass_fields__}
    for name in own:
        if name not in known:
            raise NoSuchName("entry", str(name), known, where=" for CASCADE in the settings")
    return Project(
        settings_module=module,
        folder=folder,
        cascade=ProjectSettings(
            own.get("SCHEMA"),
            own.get("APP_ROLE"),
            own.get("REFERENCE"),
            own.get("REFERENCE_DSN"),
            parse_ignores(own.get("IGNORE", ())),
            _names(own, "PRODUCTION", 'servers: write "db.example.com", "db.example.com:5432", or a list of these'),
            parse_guard_mode(own.get("GUARD", GuardMode.ERROR.value)),
            _source_url(own.get("SOURCE_URL", "")),
            parse_probes(own.get("PROBES", ())),
            _names(own, "PROBE_ALLOW", 'hosts, programs or folders: write "redis:6379", "git", or a list of these'),
        ),
        app_labels=tuple(sorted(config.label for config in apps.get_app_configs())),
    )


def _names(own: Mapping[str, Any], key: str, what: str) -> tuple[str, ...]:
    """One name, or several of them."""
    entry = own.get(key, ())
    named = (entry,) if isinstance(entry, str) else tuple(entry) if isinstance(entry, list | tuple | set) else (entry,)
    for name in named:
        if not isinstance(name, str) or not name:
            raise ProjectError(
                f'CASCADE["{key}"] in the settings does not name {what.partition(":")[0]}.',
                hint=f"{what.partition(': ')[2].capitalize()}.",
            )
    return named


def _source_url(entry: Any) -> str:
    """An address with a place for the path; only of the web, since a reader follows it out of a picture."""
    if entry and not (isinstance(entry, str) and re.match(r"https?://", entry) and "{path}" in entry):
        raise ProjectError(
            'CASCADE["SOURCE_URL"] in the settings is no address of a line of source.',
            hint='Write it like "https://example.com/our/site/blob/main/{path}#L{line}".',
        )
    return str(entry or "")


def _path_in(options: str) -> str | None:
    """The search_path that libpq's options set, the last one where there are several."""
    found = None
    for word in _option_words(options):
        name, separator, value = word.partition("=")
        if separator and name.replace("-", "_") == "search_path":
            found = value
    return found


def _option_words(options: str) -> list[str]:
    """The ``name=value`` words of libpq's options, where a backslash keeps a space (libpq, 34.1.2)."""
    words, word, kept = [], "", False
    for character in options:
        if kept:
            word, kept = word + character, False
        elif character == "\\":
            kept = True
        elif character.isspace():
            words.append(word)
            word = ""
        else:
            word += character
    words.append(word)
    cleaned, follows = [], False
    for item in filter(None, words):
        if item == "-c":
            follows = True
        elif item.startswith(("--", "-c")):
            cleaned.append(item[2:])
        elif follows:
            cleaned.append(item)
            follows = False
    return cleaned


def _without_full_stop(error: BaseException) -> str:
    """As the end of a sentence of ours."""
    return first_line(error).strip().rstrip(".")
