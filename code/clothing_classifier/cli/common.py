"""What the commands share: the application, options by one name everywhere, and how a command ends."""

import csv
import json
import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from clothing_classifier.errors import MissingExtraError
from clothing_classifier.utils import is_main_process, plain_text

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Say what a clothing item in a photo is: offline, on a plain CPU, and trainable on your own table.",
)


def _say_version(wanted: bool) -> None:
    if wanted:
        print(version("clothing-classifier"))
        raise typer.Exit


@app.callback()
def _before_any(
    print_version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


class Format(StrEnum):
    """How results are printed."""

    table = "table"
    json = "json"


Data = Annotated[Path, typer.Option("--data", help="Data set: dataset.csv and images/, class folders, or idx files.")]
Model = Annotated[str, typer.Option("--model", help="A shipped model's name, or a bundle's folder or zip file.")]
LabelColumn = Annotated[str | None, typer.Option(help="Column of the labels. Default: label.")]
GroupColumn = Annotated[str | None, typer.Option(help="Column whose values stay on one side of a split.")]
SplitColumn = Annotated[str | None, typer.Option(help="Column of the split. Default: split, where there is one.")]
Labels = Annotated[str | None, typer.Option("--labels", help="Keep only these classes: A,B,C.")]
ExcludeLabels = Annotated[str | None, typer.Option(help="Leave these classes out: A,B,C.")]
Output = Annotated[Format, typer.Option("--format", help="How the result is printed.")]


def finish(failures: Iterable[str], named: bool = False) -> None:
    """Name each failed input on standard error, unless that was done, and leave with status 1 where there is one."""
    listed = list(failures)
    if not named:
        for failure in listed:
            log(failure)
    if listed:
        log(f"clothing: {len(listed)} input{'s' if len(listed) > 1 else ''} failed, named above; the rest was done")
        raise typer.Exit(1)


def log(line: str) -> None:
    """Say a line on standard error, which results never share."""
    print(line, file=sys.stderr, flush=True)


class _MessagesOnStandardError(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        log(record.getMessage())


def configure_logging() -> None:
    """Print log messages on standard error, nothing but the message: the package's from INFO up, others' warnings.

    Of several processes of one command, only the main one prints the package's.
    """
    logging.root.handlers = [_MessagesOnStandardError()]
    logging.getLogger("clothing_classifier").setLevel(logging.INFO if is_main_process() else logging.WARNING)


def print_json(value: Any) -> None:
    """Print a result as one line of JSON, in the labels' own letters."""
    print(json.dumps(value, ensure_ascii=False))


def say_set_aside(count: int) -> None:
    """Say how many rows a blank kept out, where it did."""
    if count:
        log(f"{count} rows set aside: blank in a column that you named")


def names(text: str | None) -> tuple[str, ...]:
    """The parts of `A,B,C`, or of lines of them; one with a comma stands in double quotes. None for None."""
    lines = csv.reader((text or "").splitlines(), skipinitialspace=True)
    return tuple(name for line in lines for name in map(plain_text, line) if name)


def teacher_weights(named: Iterable[str]) -> list[Path]:
    """The weights of each teacher: a shipped model's by its name, else a run or a file."""
    from clothing_classifier.inference import bundle

    return [bundle.weights_of(name) if name in bundle.shipped() else Path(name) for name in named]


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Turn a missing optional package into one line that says how to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("clothing_classifier"):
            raise
        raise MissingExtraError(error.name or "a package", extra) from error
