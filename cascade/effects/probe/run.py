"""One probe: its transaction, its user, its request, and what came of it."""

import asyncio
import signal
import string
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cascade.core.drift import Drift
from cascade.core.limits import Limits
from cascade.core.plan import Step
from cascade.core.probes import OWN_PAGE, Failure, Found, Probe, ProbeKind, ProbeRun, Verdict
from cascade.effects.probe.connection import Cure, nothing_cured, probed_connection, refusing
from cascade.effects.probe.outside import forget, nothing_gets_out
from cascade.effects.probe.record import Record, TimedOut, place_of_error
from cascade.effects.probe.users import CannotMake, make_user
from cascade.effects.repair.session import Session
from cascade.effects.repair.watcher import Watch, watched
from cascade.render.sql import render_step_sql

_TO_ANSWER = 2
"""Seconds in which PostgreSQL ends a statement that has reached its limit."""

Attribute = Callable[[Failure], Found]


@dataclass(frozen=True)
class Lab:
    """Where probes run. ``aliases`` lead to the settings of each PostgreSQL database of the project, ``alias`` is the
    one that the plan is about, ``twins`` are other aliases of that same database.

    ``within`` is a connection of the driver to ``alias``, in an open transaction in which probes are to run.
    ``search_path`` and ``role`` are those of the application, where they differ from the connected role's;
    ``sent_options`` are libpq's options of the connected session. ``allowed``: hosts and programs that may be called.
    """

    alias: str
    aliases: Mapping[str, Mapping[str, Any]]
    twins: frozenset[str]
    search_path: str
    role: str
    sent_options: str
    allowed: frozenset[str]
    seconds: float
    attribute: Attribute
    explain: Callable[[Failure], str]
    within: Any = None


@dataclass
class _Outcome:
    """What the application did with the request. ``settled``: the reason stands, whatever statements failed before."""

    status: int | None = None
    reason: str = ""
    settled: bool = False
    place: str = ""
    said: str = ""
    note: str = ""
    mails: int = 0


def run_probe(probe: Probe, lab: Lab, *, steps_for: Callable[[Drift], tuple[Step, ...]] | None = None) -> ProbeRun:
    """Run the probe in a transaction that cannot commit, and roll it back.

    With ``steps_for`` what a statement runs into is repaired there and then by these steps, and the statement sent
    again, so that the probe goes on to what would fail next: ``cured`` of the result has them in their order.
    """
    record, cured = Record(), list[Drift]()
    cure = _cure_of(lab.attribute, steps_for, cured) if steps_for else nothing_cured
    begun = time.monotonic()
    with _connections(lab, record, cure) as opened:
        with _giving_way(opened[0], lab, record) if steps_for else nullcontext():
            outcome = _attempt(probe, lab, record)
        escaped = any(connection.escaped() for connection in opened)
    if escaped:
        record.refused.append("it ends the transaction, around Django")
    milliseconds = (time.monotonic() - begun) * 1000
    return _judged(probe, lab, record, outcome, tuple(cured), milliseconds)


@contextmanager
def _giving_way(connection: Any, lab: Lab, record: Record) -> Iterator[None]:
    """A step that is run for the probe may lock what others use.

    The probe ends when one has waited for long, or where nobody sees who waits.
    """
    watch, limits = Watch(), Limits()
    session = Session(None, lab.aliases[lab.alias], connection.connection.info.backend_pid)
    record.in_the_way = lambda: bool(watch.why or watch.unwatched)
    with watched(session, limits, watch):
        yield
    if watch.why:
        record.refused.append(f"others waited for more than {limits.max_wait:g} s for a lock of its repair")
    elif watch.unwatched:
        record.refused.append(f"nobody could watch who waits for a lock of its repair: {watch.unwatched}")


def role_taken(lab: Lab) -> str:
    """The application's role where the connected one may become it, else ``""``: then pages run as the latter."""
    record = Record()
    with _connections(lab, record, nothing_cured) as opened:
        return str(opened[0].role_taken)


def _cure_of(attribute: Attribute, steps_for: Callable[[Drift], tuple[Step, ...]], cured: list[Drift]) -> Cure:
    """Repairs each drift once, by those of its steps that have not been run for another."""
    done: set[str] = set()

    def cure(failure: Failure) -> tuple[str, ...]:
        drift = attribute(failure).drift
        if drift is None or drift in cured:
            return ()
        steps = [step for step in steps_for(drift) if step.id not in done]
        if steps:
            cured.append(drift)
            done.update(step.id for step in steps)
        return tuple(statement for step in steps for statement in render_step_sql(step))

    return cure


@contextmanager
def _connections(lab: Lab, record: Record, cure: Cure) -> Iterator[list[Any]]:
    """The project's connections lead into transactions that cannot commit; what is no PostgreSQL is refused."""
    from django.db import connections

    common = {"record": record, "seconds": lab.seconds}
    before = {alias: connections[alias] for alias in connections}
    own = probed_connection(
        lab.alias,
        lab.aliases[lab.alias],
        cure=cure,
        search_path=lab.search_path,
        role=lab.role,
        sent_options=lab.sent_options,
        within=lab.within,
        **common,
    )
    opened = [own]
    try:
        own.ensure_connection()
        for alias in before:
            if alias == lab.alias or alias in lab.twins:
                connections[alias] = own
            elif alias in lab.aliases:
                connections[alias] = probed_connection(alias, lab.aliases[alias], **common)
                opened.append(connections[alias])
            else:
                before[alias].close()
                before[alias].__dict__["connect"] = refusing(alias, before[alias].display_name, record)
        yield opened
    finally:
        for connection in opened:
            connection.end()
        for alias, connection in before.items():
            connection.__dict__.pop("connect", None)
            connections[alias] = connection


def _attempt(probe: Probe, lab: Lab, record: Record) -> _Outcome:
    """Ask, whatever the application does; the outcome."""
    from django.core import mail

    forget()
    outcome = _Outcome()
    try:
        with (
            _quiet(),
            _interrupts_noted(record),
            nothing_gets_out(record, lab.allowed, patience=lab.seconds),
            _time_limit(lab.seconds, record),
        ):
            _do(probe, lab, outcome)
    except TimedOut:
        outcome.reason, outcome.settled = f"it takes longer than {lab.seconds:g} s", True
        outcome.place = place_of_error(sys.exc_info()[2])
    except _CannotAsk as error:
        outcome.reason, outcome.settled = str(error), True
    except BaseException as error:
        if record.interrupted:
            raise KeyboardInterrupt from error
        outcome.status = 500 if probe.is_page else None
        # What is no Exception would end a worker of the site, and was not to end this program.
        outcome.reason = _in_short(error)
        outcome.settled = not isinstance(error, Exception)
        outcome.place, outcome.said = place_of_error(error.__traceback__), str(error)
    outcome.mails = len(mail.outbox)
    return outcome


def _in_short(error: BaseException) -> str:
    """Its class, and what it says where that holds names alone: what Python itself says of a name, or of a template."""
    from django.template import TemplateDoesNotExist, TemplateSyntaxError

    kind = f"{'' if isinstance(error, Exception) else 'it raises '}{type(error).__name__}"
    of_names = isinstance(error, (AttributeError, ImportError, NameError)) and error.name is not None
    if of_names or isinstance(error, (TemplateDoesNotExist, TemplateSyntaxError)):
        return f"{kind}: {str(error).strip().partition(chr(10))[0]}"
    return kind


class _CannotAsk(Exception):
    """The request could not be made; the message says why, without values."""


def _do(probe: Probe, lab: Lab, outcome: _Outcome) -> None:
    if probe.kind is ProbeKind.MODEL:
        _select(probe.model, lab.alias)
        return
    user = _user_for(probe)
    if probe.kind is ProbeKind.MAKE_USER:
        return
    _request(probe, user, outcome)


def _user_for(probe: Probe) -> Any:
    """The user that the probe needs, None where it needs none."""
    kind = probe.user if probe.kind is ProbeKind.MAKE_USER else probe.needs_user
    if not kind:
        return None
    try:
        user = make_user(kind)
    except CannotMake as error:
        raise _CannotAsk(f"the user cannot be made: {error}") from error
    if not hasattr(user, "pk"):
        raise _CannotAsk(f"the user cannot be made: {kind} made {type(user).__name__}, which is no user")
    return user


def _select(label: str, alias: str) -> None:
    """All columns of the model, and of those that it cannot be without, of no row."""
    from django.apps import apps
    from django.db import connections

    model = apps.get_model(label)
    needed = [f.name for f in model._meta.concrete_fields if f.remote_field and not f.null]
    rows = model._base_manager.using(alias).order_by().select_related(*needed)
    sql, parameters = rows.query.get_compiler(using=alias).as_sql()
    with connections[alias].cursor() as cursor:
        cursor.execute(f"{sql} LIMIT 0", parameters)


def _request(probe: Probe, user: Any, outcome: _Outcome) -> None:
    from django.conf import settings
    from django.test import Client
    from django.test.utils import override_settings

    host = next((name.lstrip(".") for name in settings.ALLOWED_HOSTS if "*" not in name), "testserver")
    client = Client(SERVER_NAME=host)
    if user is not None and probe.user != "anonymous":
        client.force_login(user)
    path = _path_of(probe, user)
    data = {name: list(value) if isinstance(value, tuple) else value for name, value in probe.data}
    # What fails is raised: a page for errors, with DEBUG one that reads every variable, would ask the database too.
    with override_settings(DEBUG_PROPAGATE_EXCEPTIONS=True):
        response = _send(client, probe, path, data)
        outcome.status = response.status_code
        _consume(response)
    outcome.note = _led_to_login(response, user if probe.user != "anonymous" else None, probe.user)
    if not _is_right(probe, response.status_code):
        outcome.reason = _why_not(probe, path, response.status_code, outcome.note)


def _led_to_login(response: Any, user: Any, name: str) -> str:
    """Of an answer that leads to the login where it leads, and whom it leads there: what the page does was not seen."""
    from django.conf import settings
    from django.shortcuts import resolve_url
    from django.urls import NoReverseMatch

    path = urlsplit(response.get("Location", "")).path
    try:
        login = resolve_url(settings.LOGIN_URL)
    except NoReverseMatch:
        login = ""
    if not path or (path != urlsplit(login).path and not path.endswith("/login/")):
        return ""
    return f"{response.status_code} to {path}: asked as {'nobody' if user is None else name}"


def _send(client: Any, probe: Probe, path: str, data: dict[str, Any]) -> Any:
    from django.conf import settings

    send = getattr(client, probe.method.lower(), None)
    if probe.method not in _METHODS or send is None:
        raise _CannotAsk(f"{probe.method} is no method of HTTP")
    body = {"data": data} if data else {}
    return send(path, **body, secure=bool(settings.SECURE_SSL_REDIRECT), headers=dict(probe.headers))


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def _path_of(probe: Probe, user: Any) -> str:
    if probe.kind is ProbeKind.OBJECT:
        return _path_of_object(probe)
    try:
        return string.Formatter().vformat(probe.path, (), {"user": user})
    except (KeyError, IndexError, AttributeError, ValueError) as error:
        raise _CannotAsk(f"the path cannot be filled in: {type(error).__name__} {error}") from error


def _path_of_object(probe: Probe) -> str:
    """Of the first object the page that it names itself, or the one whose pattern takes its key or slug."""
    from django.apps import apps

    first = apps.get_model(probe.model)._default_manager.first()
    if first is None:
        raise _CannotAsk(f"there is no {probe.model} yet")
    if probe.path == OWN_PAGE:
        return str(first.get_absolute_url())
    try:
        return string.Formatter().vformat(probe.path, (), {"first": first})
    except (KeyError, IndexError, AttributeError, ValueError) as error:
        raise _CannotAsk(f"the path cannot be filled in: {type(error).__name__} {error}") from error


def _consume(response: Any) -> None:
    """Read a stream to its end: what it asks the database comes while it is read."""
    if not response.streaming:
        return
    if response.is_async:
        from asgiref.sync import async_to_sync

        async def read() -> None:
            async for _ in response.streaming_content:
                pass

        async_to_sync(read)()
    else:
        for _ in response.streaming_content:
            pass


def _is_right(probe: Probe, status: int) -> bool:
    return status == probe.expect if probe.expect is not None else status < probe.below


def _why_not(probe: Probe, path: str, status: int, note: str) -> str:
    from django.urls import Resolver404, resolve

    if status == 404:
        try:
            resolve(path.partition("?")[0])
        except Resolver404:
            return "no URL pattern matches"
    if note and probe.expect is not None:
        return f"{probe.expect} is expected, and it answers {note}"
    return f"it answers {status}, not {probe.expect}" if probe.expect is not None else f"it answers {status}"


# ------------------------------------------------------------------------------------------------------- the verdict


def _judged(
    probe: Probe, lab: Lab, record: Record, outcome: _Outcome, cured: tuple[Drift, ...], milliseconds: float
) -> ProbeRun:
    found = tuple(lab.attribute(failure) for failure in record.failures)
    left = tuple(each for each in found if each.drift not in cured)
    reason, place = outcome.reason, outcome.place
    if record.refused:
        verdict, reason, place = Verdict.NOT_PROVABLE, "; ".join(dict.fromkeys(record.refused)), ""
    elif reason or any(each.drift is not None for each in left):
        verdict = Verdict.FAILED
        if left and not outcome.settled:
            swallowed = f"answers {outcome.status}, but swallowed an error: " if not reason and outcome.status else ""
            reason, place = swallowed + _reason(left, lab, reason), left[0].failure.place or place
    else:
        verdict = Verdict.PASSED
    return ProbeRun(
        probe,
        verdict,
        outcome.status,
        milliseconds,
        record.queries,
        left,
        reason,
        place,
        outcome.said,
        tuple(record.callbacks),
        outcome.mails,
        cured,
        outcome.note,
    )


def _reason(left: tuple[Found, ...], lab: Lab, reason: str) -> str:
    """Of a statement that PostgreSQL refused what it said, as far as that holds no values; else what was raised."""
    failure = next((each for each in left if each.drift), left[0]).failure
    if failure.is_about_names:
        why = lab.explain(failure)
        return f"{failure.message}; {why}" if why else failure.message
    if failure.sqlstate == "57014":
        return f"a statement takes longer than {lab.seconds:g} s"
    return f"{reason or 'a statement failed'} (SQLSTATE {failure.sqlstate})"


# --------------------------------------------------------------------------------------------------------- the frame


@contextmanager
def _quiet() -> Iterator[None]:
    """The application's own log of failures, and what dies in its threads, is told as the probe's result."""
    import logging

    before, threading.excepthook = threading.excepthook, lambda arguments: None
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(disabled)
        threading.excepthook = before


@contextmanager
def _interrupts_noted(record: Record) -> Iterator[None]:
    """A person's Ctrl-C ends all; a page that raises KeyboardInterrupt itself ends its own probe alone."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return

    def note(number: int, frame: Any) -> None:
        record.interrupted = True
        before(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if record.interrupted:  # the application has swallowed it
        raise KeyboardInterrupt


@contextmanager
def _time_limit(seconds: float, record: Record) -> Iterator[None]:
    """Break off what takes longer, between two statements: one that is under way has PostgreSQL's own limit.

    Where that has not ended it either, it waits for something else: a value that asks the database while the driver
    words it, which holds a lock then, waits for itself for ever.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    until = time.monotonic() + seconds

    def ring(*_: object) -> None:
        now = time.monotonic()
        record.expired = record.expired or now >= until or record.in_the_way()
        if record.expired and (not record.busy or now >= until + seconds + _TO_ANSWER):
            raise TimedOut

    before = signal.signal(signal.SIGALRM, ring)
    # Again and again: others may come to wait, and the application may swallow everything.
    signal.setitimer(signal.ITIMER_REAL, min(seconds, 0.25), 0.25)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if record.expired:
            _break_off_async_code()


def _break_off_async_code() -> None:
    """What runs in an event loop of its own would keep this program from ending."""
    from asgiref.sync import AsyncToSync

    for loop in list(getattr(AsyncToSync, "loop_thread_executors", {})):
        for task in asyncio.all_tasks(loop):
            loop.call_soon_threadsafe(task.cancel)
