"""Make the manifest that `clothing fetch` goes by, from a folder that holds the data set.

    python tools/make_manifest.py FOLDER OUT.csv.gz [--table FILE]

A folder with dataset.csv gives `image,size,sha256` and the table's other columns, one row for each row of the table;
a folder without one gives `name,size,sha256` for its *.gz files. The same input always gives the same bytes.
"""

import argparse
import csv
import gzip
import hashlib
import io
import sys
from pathlib import Path

FACTS = ["size", "sha256"]


def facts(path: Path) -> list[str]:
    """Size and SHA-256 of a file, in the order of `FACTS`."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    return [str(path.stat().st_size), digest.hexdigest()]


def table_rows(table: Path, images: Path) -> list[list[str]]:
    """Header and rows for a data set with a table; raises ValueError for a table that can't be a manifest."""
    with table.open(encoding="utf-8", newline="") as stream:
        header, *rows = [*csv.reader(stream)] or [[]]
    if header[:1] != ["image"] or set(header) & set(FACTS):
        raise ValueError(f"{table}: the first column must be 'image', and none may be called {' or '.join(FACTS)}")
    if ragged := [row for row in rows if len(row) != len(header)]:
        raise ValueError(f"{table}: {len(ragged)} rows have not {len(header)} columns, the first is {ragged[0]}")
    if len({row[0] for row in rows}) < len(rows):
        raise ValueError(f"{table}: an image has more than one row")
    return [["image", *FACTS, *header[1:]]] + [[row[0], *facts(images / row[0]), *row[1:]] for row in rows]


def archive_rows(folder: Path) -> list[list[str]]:
    """Header and rows for a data set of a few *.gz files; raises ValueError where there are none."""
    paths = sorted(folder.glob("*.gz"))
    if not paths:
        raise ValueError(f"{folder}: holds neither dataset.csv nor *.gz files")
    return [["name", *FACTS]] + [[path.name, *facts(path)] for path in paths]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status: 2, and one line, for a folder or table that can't be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds dataset.csv and images/, or *.gz files")
    parser.add_argument("out", type=Path, help="the manifest: .csv or .csv.gz")
    parser.add_argument("--table", type=Path, help="take the rows from this CSV file, not from FOLDER/dataset.csv")
    options = parser.parse_args(arguments)
    table = options.table or options.folder / "dataset.csv"
    text = io.StringIO(newline="")
    try:
        has_table = options.table is not None or table.is_file()
        rows = table_rows(table, options.folder / "images") if has_table else archive_rows(options.folder)
        csv.writer(text, lineterminator="\n").writerows(rows)
        data = text.getvalue().encode()
        options.out.write_bytes(gzip.compress(data, mtime=0) if options.out.suffix == ".gz" else data)
    except (OSError, ValueError) as error:
        print(f"make_manifest: {error}", file=sys.stderr)
        return 2
    print(f"{options.out}: {len(rows) - 1} files", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
