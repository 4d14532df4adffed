"""Probes: requests and queries that show whether the application works, and what came of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from cascade.core.drift import Drift
from cascade.errors import CascadeError

ANONYMOUS, USER, SUPERUSER = "anonymous", "user", "superuser"
"""The words for who asks; anything else is the dotted path of a function that makes a user."""

OWN_PAGE = "get_absolute_url()"
"""The path of an object that says itself where its page is."""


class ProbeKind(Enum):
    """What is done."""

    MAKE_USER = "make_user"
    """A user is made, as ``user`` says: signals, middleware and profiles are where projects break first."""

    PAGE = "page"
    """A request, declared in the settings or found among the URL patterns."""

    OBJECT = "object"
    """A request for the page of the first object of ``model``."""

    MODEL = "model"
    """A SELECT of all columns of ``model`` and what it cannot be without, LIMIT 0."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One of them. ``path`` may name the user's attributes: ``/@{user.username}/``.

    ``expect`` is the status that is right; None takes every status below ``below``: a page that was found, and not
    declared, may well answer a bare GET with 404 or 405.
    """

    kind: ProbeKind
    path: str = ""
    user: str = ANONYMOUS
    method: str = "GET"
    data: tuple[tuple[str, Any], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    expect: int | None = None
    below: int = 400
    model: str = ""

    @property
    def needs_user(self) -> str:
        """Which user has to be made for it, ``""`` where none."""
        if self.kind is ProbeKind.MODEL:
            return ""
        if self.user == ANONYMOUS:
            return USER if "{user" in self.path else ""
        return self.user

    @property
    def is_page(self) -> bool:
        """Whether it is a request that visitors make."""
        return self.kind in (ProbeKind.PAGE, ProbeKind.OBJECT)

    def __str__(self) -> str:
        match self.kind:
            case ProbeKind.MAKE_USER:
                return f"make a user: {self.user}"
            case ProbeKind.MODEL:
                return f"SELECT {self.model}"
            case ProbeKind.OBJECT if self.path == OWN_PAGE:
                return f"the page of the first {self.model}"
            case _:
                method = f"{self.method} " if self.method != "GET" else ""
                who = f" as {self.user}" if self.user != ANONYMOUS else ""
                return f"{method}{self.path}{who}"


class Verdict(Enum):
    """What a probe showed."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_PROVABLE = "not provable"
    """It did what cannot be done without a trace, such as to open a second connection; that was refused."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A statement that PostgreSQL refused. ``place`` is the template's or view's line that sent it.

    ``table``, ``column`` and ``constraint`` are what the server names apart from its message; ``sql`` is the statement
    without its parameters.
    """

    sqlstate: str
    message: str
    place: str = ""
    sql: str = ""
    table: str = ""
    column: str = ""
    constraint: str = ""

    @property
    def is_about_names(self) -> bool:
        """Whether the message holds names alone, and never a row's value (class 42 and 3F of SQLSTATE)."""
        return self.sqlstate.startswith(("42", "3F"))


@dataclass(frozen=True, slots=True)
class Found:
    """What a failed statement means: the drift that it ran into, None where it is none that is known."""

    failure: Failure
    drift: Drift | None


@dataclass(frozen=True, slots=True)
class ProbeRun:
    """What came of a probe.

    ``found`` are the statements that failed, in their order, also those whose error the application swallowed.
    ``reason`` says in words why it failed or could not be proved, where no drift does; ``place`` is where.
    ``said`` is what the application's own error said, which may hold a row's values. ``callbacks`` name what would
    have run after COMMIT. ``cured`` are, of a prediction, the drifts that had to be repaired on the way, first first.
    ``note`` says what the status alone does not: that it leads to the login.
    """

    probe: Probe
    verdict: Verdict
    status: int | None = None
    milliseconds: float = 0.0
    queries: int = 0
    found: tuple[Found, ...] = ()
    reason: str = ""
    place: str = ""
    said: str = ""
    callbacks: tuple[str, ...] = ()
    mails: int = 0
    cured: tuple[Drift, ...] = ()
    note: str = ""

    @property
    def swallowed(self) -> bool:
        """Whether the page answers well, and only a statement in it failed."""
        return self.verdict is Verdict.FAILED and self.status is not None and self.status < 400 and bool(self.drifts)

    @property
    def drifts(self) -> tuple[Drift, ...]:
        """The drifts that it ran into, each once."""
        return tuple(dict.fromkeys(found.drift for found in self.found if found.drift is not None))

    @property
    def fails(self) -> bool:
        """Whether it fails as the database is now: of a prediction also where it works once it is cured."""
        return self.verdict is Verdict.FAILED or bool(self.cured)


def parse_probes(entries: Any) -> tuple[Probe, ...]:
    """The probes that ``CASCADE["PROBES"]`` declares, each once. Raises a ``CascadeError`` that names the wrong entry.

    >>> [str(probe) for probe in parse_probes([{"path": "/me/", "as": "user"}, {"path": "/", "method": "HEAD"}])]
    ['/me/ as user', 'HEAD /']
    """
    if not isinstance(entries, list | tuple):
        raise CascadeError('CASCADE["PROBES"] in the settings is not a list.', hint=_FORM)
    probes = [_probe(entry) for entry in entries]
    return tuple(probe for number, probe in enumerate(probes) if probe not in probes[:number])


_FORM = 'An entry is {"path": "/me/", "as": "user"}; as, method, data, headers and expect may be left out.'
_KEYS = ("path", "as", "method", "data", "headers", "expect")


def _probe(entry: Any) -> Probe:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("path"), str) or not entry["path"].startswith("/"):
        raise CascadeError(f'An entry of CASCADE["PROBES"] has no path that begins with "/": {entry!r}.', hint=_FORM)
    unknown = [key for key in entry if key not in _KEYS]
    if unknown:
        raise CascadeError(
            f'The entry of CASCADE["PROBES"] for {entry["path"]} has an unknown key {unknown[0]!r}.', hint=_FORM
        )
    user, expect = entry.get("as", ANONYMOUS), entry.get("expect")
    if not isinstance(user, str) or not (user in (ANONYMOUS, USER, SUPERUSER) or "." in user):
        raise CascadeError(
            f'The entry of CASCADE["PROBES"] for {entry["path"]} is asked as {user!r}.',
            hint="as is anonymous, user, superuser, or the dotted path of a function that makes a user.",
        )
    if expect is not None and not _is_status(expect):
        raise CascadeError(
            f'The entry of CASCADE["PROBES"] for {entry["path"]} expects {expect!r}: no status of HTTP.',
            hint='expect is one number from 100 to 599: "expect": 200. Without it every status below 400 is right.',
        )
    return Probe(
        ProbeKind.PAGE,
        entry["path"],
        user,
        str(entry.get("method", "GET")).upper(),
        _pairs(entry, "data"),
        _pairs(entry, "headers"),
        expect,
    )


def _is_status(expect: Any) -> bool:
    return isinstance(expect, int) and not isinstance(expect, bool) and 100 <= expect <= 599


def _pairs(entry: Mapping[str, Any], key: str) -> tuple[tuple[str, Any], ...]:
    value = entry.get(key) or {}
    if not isinstance(value, Mapping):
        raise CascadeError(f'{key} of the entry of CASCADE["PROBES"] for {entry["path"]} is no dictionary.', hint=_FORM)
    # A list of values, as a form with several of one name sends, has to be a value that cannot change.
    return tuple((str(name), tuple(each) if isinstance(each, list) else each) for name, each in value.items())


def with_users_made(probes: Iterable[Probe]) -> tuple[Probe, ...]:
    """The probes after those that make the users which they need, each of these once."""
    probes = tuple(probes)
    users = dict.fromkeys(probe.needs_user for probe in probes if probe.needs_user)
    return (*(Probe(ProbeKind.MAKE_USER, user=user) for user in users), *probes)
