"""Runs inside a real project, in its own virtual environment: which pages it has, what is told of them, what is true.

    python probe_project.py pages
    python probe_project.py plan
    python probe_project.py predict
    python probe_project.py truth PATH PLAN

Each prints one JSON document. The project is that of DJANGO_SETTINGS_MODULE; ``predict`` asks what PROBES declares.
"""

import json
import sys


def main() -> None:
    # The folder of a script is on the path, where it could hide modules of the project.
    sys.path.pop(0)
    command, *arguments = sys.argv[1:]
    print(json.dumps({"pages": pages, "plan": plan, "predict": predict, "truth": truth}[command](*arguments)))


def pages() -> object:
    """The paths that need no argument."""
    import django

    from cascade.core.probes import ProbeKind
    from cascade.sources.pages import discover_pages

    django.setup()
    return [probe.path for probe in discover_pages().probes if probe.kind is ProbeKind.PAGE]


def plan() -> object:
    """The plan."""
    from cascade.render.plan_json import plan_document
    from cascade.workflows import Question, analyse

    return plan_document(analyse(Question()))


def predict() -> object:
    """What ``cascade probe --predict`` says."""
    from cascade.render.probes_json import render_probes_json
    from cascade.workflows import Question
    from cascade.workflows.probing import predict_cascade

    return json.loads(render_probes_json(predict_cascade(Question(), report=lambda _: None)))


def truth(path: str, plan_file: str) -> object:
    """What really happens, on a database of its own."""
    from pathlib import Path

    import django

    from tests.scenarios.probe_truth_page import one_at_a_time

    django.setup()
    failed, status = one_at_a_time(path, "superuser", json.loads(Path(plan_file).read_text()))
    return {"failed": failed, "status": status}


if __name__ == "__main__":
    main()
