"""Code that the commands share: the application, logging, and how a command ends."""

import csv
import json
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clothing_classifier.errors import MissingExtraError
from clothing_classifier.utils import is_main_process, plain_text

if TYPE_CHECKING:
    from clothing_classifier.datasets import Columns, Dataset

logger = logging.getLogger(__name__)

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Classify clothing photos offline, on a plain CPU, or train a classifier on your own labelled photos.",
)


class _StderrHandler(logging.Handler):
    """Writes records to what `sys.stderr` is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the message alone."""
        print(self.format(record), file=sys.stderr, flush=True)


def log_to_stderr() -> None:
    """Send the package's messages to standard error; results go to standard output.

    Of several processes of one command, only the first logs what is no warning.
    """
    package = logging.getLogger("clothing_classifier")
    package.handlers = [_StderrHandler()]
    package.setLevel(logging.INFO if is_main_process() else logging.WARNING)


def _print_version(given: bool) -> None:
    if given:
        print(version("clothing-classifier"))
        raise typer.Exit


@app.callback()
def _before_any_command(
    print_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    log_to_stderr()


def print_json(value: Any) -> None:
    """Print a result as one line of JSON, non-ASCII letters as they are."""
    print(json.dumps(value, ensure_ascii=False))


def report_failures(failures: Sequence[str]) -> None:
    """Log each failed input, and leave with status 1 if there is one."""
    for failure in failures:
        logger.warning(failure)
    exit_if_failed(len(failures))


def exit_if_failed(count: int, where: str = "see above; the others were processed") -> None:
    """Leave with status 1 if `count` inputs failed."""
    if count:
        logger.warning("clothing: %d input%s failed: %s", count, "s" if count > 1 else "", where)
        raise typer.Exit(1)


def read_dataset(root: Path, columns: "Columns", labels: str | None, exclude_labels: str | None) -> "Dataset":
    """The data set at `root`; what is worth knowing of it is logged. Raises `DatasetError`."""
    from clothing_classifier.datasets import load_dataset

    dataset = load_dataset(root, columns, split_names(labels), split_names(exclude_labels))
    log_ignored(dataset.set_aside)
    for note in dataset.notes:
        logger.info(note)
    return dataset


def log_ignored(count: int) -> None:
    """Log how many rows were left out because a named column is blank."""
    if count:
        logger.info("%d rows ignored: blank in a column that you named", count)


def split_names(text: str | None) -> tuple[str, ...]:
    """The parts of `A,B,C`, or of lines of them; one with a comma stands in double quotes. None for None."""
    lines = csv.reader((text or "").splitlines(), skipinitialspace=True)
    return tuple(name for line in lines for name in map(plain_text, line) if name)


def teacher_weights(models: Iterable[str]) -> list[Path]:
    """The weights of each teacher: a shipped model by its name, or a run or a file."""
    from clothing_classifier.inference import bundle

    return [bundle.weights_of(name) if name in bundle.shipped() else Path(name) for name in models]


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Turn a missing optional package into one line that says how to install it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("clothing_classifier"):
            raise
        raise MissingExtraError(error.name or "a package", extra) from error
