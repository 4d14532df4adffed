"""What lies in ``output/``: ``python -m tests.output`` renders it from ``observed.json``, as ``make output`` does.

``python -m tests.output --replay`` replays the incident first and takes a new look at it. ``-o FOLDER`` does either in
another folder; ``observed.json`` has to be there, or ``--replay`` puts it there.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
FOLDER = CHECKOUT / "output"
LOOK, INDEX = "observed.json", "README.md"

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "plan.txt": ("plan",),
    "plan.json": ("plan",),
    "plan.sql": ("plan",),
    "plan.dot": ("plan",),
    "plan.svg": ("plan",),
    "user_profile.txt": ("plan", "--app", "user_profile"),
    "graph.txt": ("graph",),
    "graph.json": ("graph",),
    "graph.dot": ("graph",),
    "graph.svg": ("graph",),
    "bounty.txt": ("graph", "--table", "1+bounty+1"),
    "bounty.mmd": ("graph", "--table", "bounty+1"),
    "bounty.svg": ("graph", "--table", "1+bounty+1"),
    "before-after.dot": ("graph", "--before-after"),
    "before-after.svg": ("graph", "--before-after"),
    "history.txt": ("history",),
    "history.json": ("history",),
    "history.dot": ("history",),
    "history.svg": ("history",),
    "report": ("report", LOOK),
}
"""By what each writes. Every one reads the look, and has the expected side made on the embedded server."""


def main() -> None:
    """Render everything, after a replay where that is asked for."""
    match sys.argv[1:]:
        case [] | ["--replay"] as words:
            folder = FOLDER
        case ["-o", name] | ["-o", name, "--replay"] | ["--replay", "-o", name] as words:
            folder = Path(name)
        case _:
            sys.exit("python -m tests.output [--replay] [-o FOLDER]")
    if "--replay" in words:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LOOK).write_text(replayed(), encoding="utf-8")
    render(folder)


def render(folder: Path) -> None:
    """Write what ``COMMANDS`` names into the folder, whose ``observed.json`` is read."""
    from cascade.cli import run
    from cascade.demo.replay import SETTINGS

    # The site's revision is that of this checkout, and no file can name the commit that it is in.
    os.environ |= {"DJANGO_SETTINGS_MODULE": SETTINGS, "GIT_CEILING_DIRECTORIES": str(CHECKOUT)}
    with contextlib.chdir(folder):
        for name, command in COMMANDS.items():
            arguments = [*command, "--observed", LOOK, "-o", name]
            print(f"cascade {' '.join(arguments)}", file=sys.stderr)
            run(arguments)
    (folder / INDEX).write_text(index(), encoding="utf-8")


def index() -> str:
    """What each file is, as the folder's README."""
    rows = (f"| [{name}]({name}) | `cascade {' '.join(command)}` |" for name, command in COMMANDS.items())
    return "\n".join([_ABOUT, *rows, ""])


_ABOUT = """\
# The incident, as files

[observed.json](observed.json) is what `catalog.sql` read in psql where the incident had been replayed (`cascade demo`).
Everything else is rendered from it, by `make output`: each file by the command beside it, with
`--observed observed.json` and `-o`, and `DJANGO_SETTINGS_MODULE=cascade.demo.project.settings`. No database is asked but the
embedded one, on which the expected side is made.

| file | command |
|---|---|"""


def replayed() -> str:
    """The incident on a server of its own, as psql sees it by ``catalog.sql``, with the rights of who serves pages."""
    from cascade.demo.replay import APPLICATION, DATABASE, OWNER, replay_incident
    from cascade.demo.show import server_folder
    from cascade.effects.embedded_server import embedded_server, program
    from cascade.sources.catalog import catalog_sql

    with server_folder(keep=False) as place, embedded_server(place, keep=False, report=_tell) as server:
        replay_incident(server, report=_tell)
        look = subprocess.run(
            [program("psql"), "-XAt", "-h", server.host, "-p", str(server.port), "-U", OWNER, "-d", DATABASE],
            input=catalog_sql(),
            env={**os.environ, "PGOPTIONS": f"-c cascade.app_role={APPLICATION}"},
            capture_output=True,
            text=True,
            check=True,
        )
    return look.stdout


def _tell(message: str) -> None:
    print(message, file=sys.stderr)


if __name__ == "__main__":
    main()
