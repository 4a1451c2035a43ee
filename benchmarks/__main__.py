"""The commands of `python -m benchmarks`."""

import sys

import typer

from benchmarks.models import models

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)
app.command()(models)


@app.callback()
def main() -> None:
    """Make and measure what ships."""


if __name__ == "__main__":
    sys.argv[0] = "benchmarks"  # what records show
    app(prog_name="python -m benchmarks")
