"""The incident for a notebook: a server of its own, the incident on it, and what one does with it there."""

from contextlib import ExitStack
from types import TracebackType

from cascade.demo.replay import DATABASE, SETTINGS, connect, replay_incident
from cascade.demo.show import lead_to, server_folder
from cascade.demo.witness import ask_pages
from cascade.effects.embedded_server import embedded_server


class Stage:
    """The server while it runs; this process is led to the demo's site and database. Ended by ``stop()``."""

    def __init__(self) -> None:
        with ExitStack() as stack:
            folder = stack.enter_context(server_folder(keep=False))
            self._server = stack.enter_context(embedded_server(folder, keep=False, report=_silent))
            replay_incident(self._server, report=_silent)
            lead_to(self._server, SETTINGS)
            self._stack = stack.pop_all()

    def ask_pages(self) -> dict[str, int | str]:
        """What each page of the site answers its visitors: a status, or the database's error."""
        return ask_pages(self._server, DATABASE, SETTINGS)

    def execute(self, sql: str) -> None:
        """Run statements in one transaction, as the superuser."""
        with connect(self._server, DATABASE) as connection, connection.transaction():
            connection.execute(sql)

    def stop(self) -> None:
        """Stop the server and remove all of it. A second time changes nothing."""
        self._stack.close()

    def __enter__(self) -> "Stage":
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"The incident, on a server of its own: the database {DATABASE}. stop() ends it."


def start_incident() -> Stage:
    """Start a server out of the wheel and replay the incident on it; that takes some ten seconds."""
    return Stage()


def _silent(message: str) -> None:
    """Report to nobody."""
