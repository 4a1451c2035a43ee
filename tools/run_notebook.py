"""Run notebooks/exploration.ipynb from top to bottom, and write it with its outputs.

    python tools/run_notebook.py [--out out/exploration.ipynb --data DIR]

Without options the committed notebook is made anew, on the drawn data. Other data need --out: people's photos do not
belong in the repository.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "exploration.ipynb"
_PASSED_ON = ("data", "group_column", "exclude_labels", "part", "model")
"""Options that the notebook reads as variables `CLOTHING_...` of the environment."""
_SECONDS = 1200
"""A cell that takes longer is taken to hang."""


def run(variables: dict[str, str], out: Path) -> None:
    """Execute the notebook in its own folder with `variables` in the environment; raises `CellExecutionError`."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    # What is set outside would otherwise decide what the committed notebook shows.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLOTHING_")} | variables
    with tempfile.TemporaryDirectory() as folder:  # for sockets, which no one else can reach, in place of open ports
        config = Config(KernelManager={"transport": "ipc", "ip": f"{folder}/kernel"})
        resources = {"metadata": {"path": str(NOTEBOOK.parent)}}
        client = NotebookClient(
            notebook, timeout=_SECONDS, record_timing=False, coalesce_streams=True, resources=resources, config=config
        )
        client.execute(env=environment)
    notebook.metadata["language_info"] = {"name": "python"}  # not the version that happened to run it
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/jpeg" in output.get("data", {}):
                output["data"].pop("image/png", None)  # photos come as both, and as PNG six times as large
    out.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, out)


def main() -> None:
    """Run it on the data asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=NOTEBOOK, help="notebook to write")
    parser.add_argument("--data", type=lambda text: str(Path(text).resolve()), help="data set; default: data/")
    parser.add_argument("--group-column", help="column of the senders")
    parser.add_argument("--exclude-labels", help="classes to leave out: A,B,C")
    parser.add_argument("--part", help="split to judge the model on; default: all")
    parser.add_argument("--model", help="a shipped model's name or a bundle; default: wardrobe")
    options = parser.parse_args()
    given = {name: getattr(options, name) for name in _PASSED_ON if getattr(options, name) is not None}
    if given and options.out.resolve() == NOTEBOOK.resolve():
        parser.error("the committed notebook shows the drawn data; name another file with --out")
    try:
        run({f"CLOTHING_{name.upper()}": value for name, value in given.items()}, options.out)
    except CellExecutionError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
