"""The data set: `fetch` a public one, `audit` and `split` your own."""

from pathlib import Path
from typing import Annotated

import typer

from clothing_classifier.cli.common import (
    Data,
    ExcludeLabels,
    Format,
    GroupColumn,
    LabelColumn,
    Labels,
    Model,
    Output,
    SplitColumn,
    app,
    finish,
    log,
    names,
    needs,
    print_json,
    say_set_aside,
)
from clothing_classifier.errors import DownloadError, UsageError

_FAILURES_NAMED = 20
"""Of a download that failed; its last line says how many there are."""


@app.command(epilog="Example: clothing fetch clothing --out datasets/clothing")
def fetch(
    name: Annotated[str, typer.Argument(help="clothing or fashion-mnist.")],
    out: Annotated[Path, typer.Option(help="Folder to fill; a stopped fetch goes on where it was.")],
    source: Annotated[str | None, typer.Option("--from", help="Folder or URL that mirrors the files.")] = None,
    connections: Annotated[int, typer.Option(min=1, max=64, help="Files fetched at once.")] = 8,
    format: Output = Format.table,
) -> None:
    """Get a public data set, each file checked by its SHA-256."""
    from clothing_classifier.datasets.fetch import fetch as fetch_files
    from clothing_classifier.datasets.manifest import load_manifest

    manifest = load_manifest(name)
    try:
        report = fetch_files(manifest, out, source, connections=connections)
    except DownloadError as error:
        if not error.failures:
            raise
        for line in (*error.failures[:_FAILURES_NAMED], f"clothing: {error}"):
            log(line)
        raise typer.Exit(1) from error
    if format is Format.json:
        print_json({"folder": str(out), "fetched": report.fetched, "kept": report.kept})
    else:
        print(f"{out}: {report.fetched} files fetched, {report.kept} were there")


@app.command(epilog="Example: clothing audit --data mine --group-column sender_id --out audit --fix")
def audit(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder for findings.csv and audit.html.")],
    model: Model = "wardrobe",
    fix: Annotated[bool, typer.Option("--fix", help="Write dataset.cleaned.csv, beside the old table.")] = False,
    labels: Labels = None,
    exclude_labels: ExcludeLabels = None,
    label_column: LabelColumn = None,
    group_column: GroupColumn = None,
    split_column: SplitColumn = None,
    format: Output = Format.table,
) -> None:
    """Look for what is wrong with a data set. Files, copies, leaks between splits, suspect labels, small classes."""
    from clothing_classifier.datasets import Columns, load_dataset
    from clothing_classifier.inference import Classifier

    with needs("audit"):
        from clothing_classifier import audit as auditing
        from clothing_classifier.audit import cleaning
        from clothing_classifier.report import audit_page

    columns = Columns(label_column, group_column, split_column)
    dataset = load_dataset(data, columns, names(labels), names(exclude_labels))
    say_set_aside(dataset.set_aside)
    for note in dataset.notes:
        log(note)
    if fix:
        cleaning.require_table(dataset)
    if out.is_file():
        raise UsageError(f"{out}: this is a file; --out is a folder")
    found = auditing.audit(dataset, Classifier.load(model))
    if not found.survey.shows_detail:
        log("most pictures are smaller than 64 px, where like garments look alike: only equal pixels count as copies")
    findings, page = out / "findings.csv", out / "audit.html"
    auditing.write_findings(findings, found.findings)
    audit_page.write(page, found, f"Audit of {data.resolve().name}")
    written = {"findings": str(findings), "page": str(page)}
    if fix:
        table, gone = cleaning.write_cleaned(dataset, found.survey, found.dropped)
        written |= {"table": str(table)}
        what = (
            f"{gone} rows fewer; look at it, then put it in the place of dataset.csv" if gone else "nothing was to drop"
        )
        log(f"{table}: {what}")
    if format is Format.json:
        print_json({"counts": found.counts, "serious": found.is_serious, "summary": found.summary, **written})
    else:
        from clothing_classifier.report.terminal import show
        from clothing_classifier.report.terminal_audit import audit_tables

        show(*audit_tables(found))
        print(f"written: {', '.join(written.values())}")
    if found.is_serious:
        raise typer.Exit(1)


@app.command(epilog="Example: clothing split --data mine --group-column sender_id --validation 0.15 --test 0.15")
def split(
    data: Data,
    validation: Annotated[float, typer.Option(help="Share of the photos for validation.")] = 0.15,
    test: Annotated[float, typer.Option(help="Share of the photos for test.")] = 0.15,
    hold_out: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN=VALUE", help="Groups with such a row go to test, whole; --test is its share of the rest."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="The same seed splits the same way.")] = 0,
    labels: Labels = None,
    exclude_labels: ExcludeLabels = None,
    label_column: LabelColumn = None,
    group_column: GroupColumn = None,
    out: Annotated[Path | None, typer.Option(help="Write the table here instead of back to dataset.csv.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the split column that is there.")] = False,
    format: Output = Format.table,
) -> None:
    """Divide a table into train, validation and test. Stratified by label, by whole groups, as one more column."""
    from clothing_classifier.datasets import Columns
    from clothing_classifier.datasets.splits import split_table

    target = out or data / "dataset.csv"
    columns = Columns(label_column, group_column)
    classes = names(labels), names(exclude_labels)
    result = split_table(data, target, columns, validation, test, seed, hold_out, overwrite, *classes)
    say_set_aside(result.set_aside)
    for warning in result.warnings:
        log(f"warning: {warning}")
    if format is Format.json:
        print_json({"table": str(target), "seed": seed, "parts": result.parts, "warnings": list(result.warnings)})
    else:
        for name, part in result.parts.items():
            print(f"{name:10} {part['photos']:6} photos  {part['groups']:6} groups")
        print(f"written to {target}")
    finish(result.failures)
