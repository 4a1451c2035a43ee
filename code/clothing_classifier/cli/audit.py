"""`clothing audit`: what is wrong with a data set."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from clothing_classifier.cli import options
from clothing_classifier.cli.common import app, needs, print_json, read_dataset
from clothing_classifier.errors import UsageError

logger = logging.getLogger(__name__)


@app.command(epilog="Example: clothing audit --data mine --group-column sender_id --out audit --fix")
def audit(
    data: options.Data,
    out: Annotated[Path, typer.Option(help="Folder for findings.csv and audit.html.")],
    model: options.Model = "wardrobe",
    fix: Annotated[bool, typer.Option("--fix", help="Write dataset.cleaned.csv beside dataset.csv.")] = False,
    labels: options.Labels = None,
    exclude_labels: options.ExcludeLabels = None,
    label_column: options.LabelColumn = None,
    group_column: options.GroupColumn = None,
    split_column: options.SplitColumn = None,
    format: options.Output = options.Format.table,
) -> None:
    """Check a data set. Corrupt files, duplicates, leaks between splits, suspect labels, small classes."""
    from clothing_classifier.datasets import Columns
    from clothing_classifier.inference import Classifier

    with needs("audit"):
        from clothing_classifier import audit as auditing
        from clothing_classifier.audit import cleaning
        from clothing_classifier.report.audit import audit_document, audit_sections
        from clothing_classifier.report.html import write_page

    dataset = read_dataset(data, Columns(label_column, group_column, split_column), labels, exclude_labels)
    if fix:
        cleaning.require_table(dataset)
    if out.is_file():
        raise UsageError(f"{out}: this is a file; --out is a folder")
    found = auditing.audit(dataset, Classifier.load(model))
    if not found.scan.shows_detail:
        logger.info("most photos are smaller than 64 px: only equal pixels count as duplicates")
    findings, page = out / "findings.csv", out / "audit.html"
    auditing.write_findings(findings, found.findings)
    write_page(page, audit_document(found, f"Audit of {data.resolve().name}"))
    written = {"findings": str(findings), "page": str(page)}
    if fix:
        table, dropped = cleaning.write_cleaned(dataset, found.scan, found.dropped)
        written |= {"table": str(table)}
        logger.info("%s: %d rows fewer than dataset.csv; check it, then replace dataset.csv with it", table, dropped)
    if format is options.Format.json:
        print_json({"counts": found.counts, "serious": found.is_serious, "summary": found.summary, **written})
    else:
        from clothing_classifier.report.terminal import show

        show(*audit_sections(found))
        print(f"written: {', '.join(written.values())}")
    if found.is_serious:
        raise typer.Exit(1)
