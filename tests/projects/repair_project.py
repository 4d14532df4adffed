"""Runs inside a real project, in its own virtual environment: commands of cascade and of Django, one after another.

Each line on stdin is a JSON object: the settings of the ``database``, and the ``command``, which begins with ``cascade``
or ``manage.py``. For each a line of JSON tells how it ended. The project is set up once.
"""

import contextlib
import importlib
import io
import json
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

if __name__ == "__main__":
    # The folder of a script is on the path, where it could hide modules of the project.
    sys.path.pop(0)


def main() -> None:
    out = sys.stdout
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(_answer(asked["database"], asked["command"])), file=out, flush=True)


def _answer(database: Mapping[str, Any], command: Sequence[str]) -> Mapping[str, Any]:
    output, errors, begun = io.StringIO(), io.StringIO(), time.monotonic()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            _lead_to(database)
            _run(command)
            code = 0
        except SystemExit as end:
            code = int(end.code or 0) if not isinstance(end.code, str) else 1
        except Exception:
            code = 1
            traceback.print_exc()
        finally:
            _leave_databases()
    return {
        "code": code,
        "output": output.getvalue(),
        "errors": errors.getvalue(),
        "seconds": time.monotonic() - begun,
    }


def _lead_to(database: Mapping[str, Any]) -> None:
    """Let Django's default connection lead to another database, as another run with other settings would."""
    import django
    from django.apps import apps
    from django.db import connections

    if not apps.ready:
        django.setup()
    connections.settings["default"].update(database)
    connections["default"].settings_dict.update(database)
    # Migrations that were written since are to be found.
    for module in [name for name in sys.modules if name.startswith("repairs.migrations")]:
        del sys.modules[module]
    importlib.invalidate_caches()


def _leave_databases() -> None:
    """A database can be copied, renamed and dropped only while nobody is connected to it."""
    from django.db import connections

    connections.close_all()


def _run(command: Sequence[str]) -> None:
    from django.core.management import execute_from_command_line

    from cascade.cli import main as cascade

    program, *arguments = command
    if program == "cascade":
        cascade(list(arguments))
    else:
        execute_from_command_line([program, *arguments])


if __name__ == "__main__":
    main()
