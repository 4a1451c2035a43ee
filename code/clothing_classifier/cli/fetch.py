"""`clothing fetch`: public data sets."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from clothing_classifier.cli import options
from clothing_classifier.cli.common import app, print_json
from clothing_classifier.errors import DownloadError

logger = logging.getLogger(__name__)
_MAX_FAILURES = 20
"""Failed files that are named; the last line says how many there are."""


@app.command(epilog="Example: clothing fetch clothing --out datasets/clothing")
def fetch(
    name: Annotated[str, typer.Argument(help="clothing or fashion-mnist.")],
    out: Annotated[Path, typer.Option(help="Folder to fill; an interrupted download is resumed.")],
    source: Annotated[str | None, typer.Option("--from", help="Folder or URL that mirrors the files.")] = None,
    connections: Annotated[int, typer.Option(min=1, max=64, help="Files downloaded in parallel.")] = 8,
    format: options.Output = options.Format.table,
) -> None:
    """Download a public data set. Each file is checked by its SHA-256."""
    from clothing_classifier.datasets.fetch import fetch as fetch_files
    from clothing_classifier.datasets.manifest import load_manifest

    manifest = load_manifest(name)
    try:
        with _download_bar(manifest.name, len(manifest.files), manifest.size) as progress:
            report = fetch_files(manifest, out, source, connections=connections, progress=progress)
    except DownloadError as error:
        if not error.failures:
            raise
        for line in (*error.failures[:_MAX_FAILURES], f"clothing: {error}"):
            logger.error(line)
        raise typer.Exit(1) from error
    if format is options.Format.json:
        print_json({"folder": str(out), "fetched": report.fetched, "kept": report.kept})
    else:
        print(f"{out}: {report.fetched} files downloaded, {report.kept} were there")


@contextmanager
def _download_bar(description: str, files: int, size: int) -> Iterator[Callable[[int, int], None] | None]:
    """Show files, bytes, rate and time left on a terminal; yields a function of the files and bytes done so far."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description} {task.fields[files]}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, TransferSpeedColumn(), TimeRemainingColumn(), console=console, transient=True, redirect_stdout=False
    ) as progress:
        task = progress.add_task(description, total=size, files="")
        yield lambda done, count: progress.update(task, completed=count, files=f"{done}/{files} files")
