"""Notebooks executed as Jupyter does it: ``python -m tests.notebooks`` writes their outputs anew.

The notebook of one's own project is executed on the demo, which the caller leads it to or which is made for it.
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
INCIDENT, YOURS = FOLDER / "incident.ipynb", FOLDER / "your_project.ipynb"


def main() -> None:
    """Execute the notebooks named, else both, in place; or the first into the second: ``FROM -o TO``."""
    match sys.argv[1:]:
        case [source, "-o", to]:
            execute(Path(source), Path(to))
        case []:
            from cascade.demo.stage import start_incident

            execute(INCIDENT, INCIDENT)
            with start_incident():
                execute(YOURS, YOURS)
        case _:
            sys.exit("python -m tests.notebooks [FROM -o TO]")


def execute(source: Path, to: Path) -> None:
    """Run all cells in a new kernel and write what came of them. Raises where a cell does."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(source, as_version=4)
    NotebookClient(
        notebook, timeout=300, record_timing=False, resources={"metadata": {"path": str(to.parent)}}
    ).execute()
    notebook.metadata["language_info"] = {"name": "python"}  # not which one happened to run it
    nbformat.write(notebook, to)


if __name__ == "__main__":
    main()
