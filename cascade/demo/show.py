"""The demo as one command: a server, the incident replayed, the plan printed and written."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from cascade.core.answer import Answer
from cascade.demo.replay import demo_environment, how_to_connect, replay_healthy, replay_incident
from cascade.effects.embedded_server import EmbeddedServer, embedded_server, how_to_stop
from cascade.effects.files import write_file
from cascade.errors import FileError
from cascade.workflows import FORMATS, Question, analyse, render_answer

Report = Callable[[str], None]

WRITTEN = {"text": "plan.txt", "json": "plan.json", "dot": "plan.dot", "svg": "plan.svg"}
assert set(WRITTEN) <= set(FORMATS)


STOPPED = "The server has been stopped. cascade demo --keep leaves one running, for the commands above."


def show_demo(output: Path, *, keep: bool, healthy: bool, report: Report) -> tuple[Answer, str]:
    """Replay on an embedded server, analyse it as its owner would, and write the plan in four formats.

    The server is stopped and its folder removed at the end, unless ``keep``. The second value says how to go on:
    how to use the kept server by hand and how to stop it.
    """
    _make_folder(output)
    with _folder(keep=keep) as folder, embedded_server(folder, keep=keep, report=report) as server:
        (replay_healthy if healthy else replay_incident)(server, report=report)
        os.environ.update(demo_environment(server))
        answer = analyse(Question(), report=report)
        for format_, name in WRITTEN.items():
            write_file(output / name, render_answer(answer, format_))
        report(f"Wrote {', '.join(WRITTEN.values())} to {output}.")
        afterwards = _by_hand(server) if keep else STOPPED
    return answer, afterwards


def _make_folder(output: Path) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"The folder {output} cannot be made: {error.strerror}.") from error


@contextlib.contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    """A new folder for the server, removed afterwards unless the server stays."""
    folder = Path(tempfile.mkdtemp(prefix="cascade-demo-"))
    # A server started by root runs as another user, who has to get in.
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _by_hand(server: EmbeddedServer) -> str:
    return (
        f"The server is still running. To use it by hand:\n\n{how_to_connect(server)}\n\n"
        f"To stop it: {how_to_stop(server)} && rm -r {server.data_folder.parent}"
    )
