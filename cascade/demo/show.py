"""The demo as one command: a server, the incident replayed, the plan printed and written."""

import contextlib
import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

from cascade.core.answer import Answer
from cascade.demo.replay import (
    SETTINGS,
    SETTINGS_AFTER_HAND_REPAIR,
    demo_environment,
    how_to_connect,
    replay_hand_repair,
    replay_healthy,
    replay_incident,
)
from cascade.effects.embedded_server import EmbeddedServer, embedded_server, how_to_stop
from cascade.effects.files import make_folder, write_file
from cascade.errors import ProjectError
from cascade.sources.project import running_settings
from cascade.workflows import FORMATS, Question, analyse, render_answer

Report = Callable[[str], None]

WRITTEN = {"text": "plan.txt", "json": "plan.json", "dot": "plan.dot", "svg": "plan.svg"}
assert set(WRITTEN) <= set(FORMATS)


class Act(Enum):
    """What is shown: the command, how the database comes about, and the settings of the site that it belongs to."""

    INCIDENT = ("cascade demo", replay_incident, SETTINGS)
    AFTER_HAND_REPAIR = ("cascade demo --after-hand-repair", replay_hand_repair, SETTINGS_AFTER_HAND_REPAIR)
    HEALTHY = ("cascade demo --healthy", replay_healthy, SETTINGS)

    def __init__(self, command: str, replay: Callable[..., None], settings: str) -> None:
        self.command = command
        self.replay = replay
        self.settings = settings


def show_demo(
    act: Act, output: Path, *, keep: bool, report: Report, then: Callable[[Answer, EmbeddedServer], None]
) -> str:
    """Replay on an embedded server, analyse it as its owner would, and write the plan in four formats.

    ``then`` goes on with the answer while the server runs. The server is stopped and its folder removed at the end,
    unless ``keep``; then a failure says how to stop it. What comes back says how to go on: how to use the kept server
    by hand and how to stop it.
    """
    _refuse_running_project(act)
    make_folder(output)
    with server_folder(keep=keep) as folder, embedded_server(folder, keep=keep, report=report) as server:
        try:
            then(_play(act, server, output, report), server)
        except BaseException:
            if keep:
                report(f"The server is still running. {_how_to_stop(server)}")
            raise
        return _by_hand(server, act.settings) if keep else _stopped(act)


def _refuse_running_project(act: Act) -> None:
    running = running_settings()
    if running not in (None, act.settings):
        raise ProjectError(
            f'The demo is a project of its own, and this process runs with "{running}" already.',
            hint=f"Run it outside of manage.py: {act.command}",
        )


@contextlib.contextmanager
def server_folder(*, keep: bool) -> Iterator[Path]:
    """A new folder for the server, removed afterwards unless the server stays."""
    folder = Path(tempfile.mkdtemp(prefix="cascade-demo-"))
    # A server started by root runs as another user, who has to get in.
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _play(act: Act, server: EmbeddedServer, output: Path, report: Report) -> Answer:
    act.replay(server, report=report)
    lead_to(server, act.settings)
    answer = analyse(Question(), report=report)
    for format_, name in WRITTEN.items():
        write_file(output / name, render_answer(answer, format_))
    report(f"Wrote {', '.join(WRITTEN.values())} to {output}.")
    return answer


def lead_to(server: EmbeddedServer, settings: str) -> None:
    """Have this process find the site and its database, and nothing else that the caller has set."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    os.environ.update(demo_environment(server, settings=settings))


def _stopped(act: Act) -> str:
    return f"The server has been stopped. {act.command} --keep leaves one running, for the commands above."


def _by_hand(server: EmbeddedServer, settings: str) -> str:
    return (
        f"The server is still running. To use it by hand:\n\n{how_to_connect(server, settings=settings)}\n\n"
        f"{_how_to_stop(server)}"
    )


def _how_to_stop(server: EmbeddedServer) -> str:
    # A server that is going down still writes to its folder.
    until_it_has_ended = f"while kill -0 {server.pid} 2> /dev/null; do sleep 1; done"
    folder = shlex.quote(str(server.data_folder.parent))
    return f"To stop it: {how_to_stop(server)} && {until_it_has_ended}; rm -r {folder}"
