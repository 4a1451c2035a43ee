"""Put values and tables of measured records into README.md, docs/ and the model cards.

    python tools/render.py [--check]

A directive is an HTML comment, which no reader sees; what follows it, up to `<!-- end -->`, is replaced.

    <!-- value: wardrobe-evaluation {test.accuracy:.1%} -->90.9%<!-- end -->

    <!-- code: journeys journeys.label.photos -->
    ...
    <!-- end -->

    <!-- table: wardrobe-evaluation validation | test
    split = {key}
    photos = {n:,}
    accuracy (95%) = {accuracy:.1%} ({accuracy_interval:.1%})
    -->
    ...
    <!-- end -->

The first word names a record: `NAME` is results/NAME.json, and `bundles/NAME` the manifest of a shipped bundle. Braces
hold a path into the record and a format. A table has a row for each item of the list or mapping at its path (`{key}` is
the item's key), or one for each of several records (`A, B`) and paths (`A | B`), of which `.` is the whole record. Its
lines are columns: heading, and a template read within the row. A heading that ends with `?` leaves a cell empty where a
row lacks the value; anywhere else a missing value is an error.

`code` shows a `command` with its `output`. Formats are Python's, and: `M`, `m` or `points` before one scales (millions,
thousandths, percentage points with sign); `x` joins a list as 3x224x224; a list of two numbers becomes an interval.

With --check nothing is written, and the exit status is 1 where a document is not what the records give.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

ROOT = Path(__file__).parents[1]
BUNDLES = ROOT / "code" / "clothing_classifier" / "bundles"
DIRECTIVE = re.compile(r"(<!-- (value|code|table): (.*?)\s*-->).*?<!-- end -->", re.DOTALL)
SCALES = {"M": (1e-6, ""), "m": (1e3, ""), "points": (100.0, "+.1f")}
"""Prefix of a format: the factor, and the format where no other follows."""


class RenderError(ValueError):
    """A directive that can't be rendered; the message says which and why."""


@cache
def load_record(name: str) -> Any:
    """The record of a directive's first word."""
    path = BUNDLES / name[8:] / "bundle.json" if name.startswith("bundles/") else ROOT / "results" / f"{name}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RenderError(f"there is no record {path.relative_to(ROOT)}") from None


def resolve(data: Any, path: str) -> Any:
    """The value at a dotted path; a number selects from a list (-1 the last), `.` is `data` itself.

    Raises:
        KeyError: nothing is there.
    """
    if path == ".":
        return data
    for part in path.split("."):
        if isinstance(data, Mapping) and part in data:
            data = data[part]
        elif isinstance(data, list) and re.fullmatch(r"-?\d+", part) and -len(data) <= int(part) < len(data):
            data = data[int(part)]
        else:
            raise KeyError(path)
    return data


def write_value(value: Any, spec: str) -> str:
    """`value` in Python's format `spec`, which may begin with a scale, or `x` for the sides of a shape."""
    if isinstance(value, list):
        if spec == "x":
            return "x".join(map(str, value))
        numbers = len(value) == 2 and not isinstance(value[0], str)
        return (" to " if numbers else ", ").join(write_value(part, spec) for part in value)
    if value is None or isinstance(value, bool):
        return {None: "", True: "yes", False: "no"}[value]
    for prefix, (factor, default) in SCALES.items():
        if spec.startswith(prefix):
            return format(value * factor, spec.removeprefix(prefix) or default)
    return format(value, spec)


def fill(template: str, row: Any, key: str = "") -> str:
    """`template` with each `{path:format}` replaced by its value within `row`; `{key}` is the row's own.

    Raises:
        KeyError: a path leads nowhere.
    """
    return "".join(
        text + ("" if path is None else write_value(key if path == "key" else resolve(row, path), spec or ""))
        for text, path, spec, _ in Formatter().parse(template)
    )


def find_rows(records: Sequence[str], paths: Sequence[str]) -> list[tuple[str, Any]]:
    """Key and content of each row of a table."""
    found = [(path, resolve(load_record(name), path)) for name in records for path in paths]
    if len(found) > 1:
        return found
    [(_, items)] = found
    return list(items.items()) if isinstance(items, Mapping) else [(str(i), item) for i, item in enumerate(items, 1)]


def render_table(directive: str) -> str:
    """A Markdown table; numeric columns are aligned to the right."""
    head, *lines = directive.splitlines()
    names, paths = re.fullmatch(r"([^\s,]+(?:, [^\s,]+)*) (.+)", head).groups()  # type: ignore[union-attr]
    rows = find_rows(names.split(", "), paths.split(" | "))
    columns = [[part.strip() for part in line.split(" = ", 1)] for line in lines]
    cells = [[_cell(heading, template, row, key) for heading, template in columns] for key, row in rows]
    right = [all(re.match(r"[-+]?\d|$", line[i]) for line in cells) for i in range(len(columns))]
    table = [[heading.removesuffix("?") for heading, _ in columns], ["---:" if one else "---" for one in right], *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in table)


def _cell(heading: str, template: str, row: Any, key: str) -> str:
    try:
        return fill(template, row, key)
    except KeyError:
        if heading.endswith("?"):
            return ""
        raise


def render_step(step: Mapping[str, str]) -> str:
    """A command that was run, as typed at a prompt, and what it printed."""
    return "$ " + step["command"].replace("\n", "\n> ") + "\n" + step["output"].rstrip()


def render(match: re.Match[str]) -> str:
    """A directive with what its record gives."""
    start, kind, directive = match.groups()
    record, _, rest = directive.partition(" ")
    try:
        if kind == "table":
            return f"{start}\n{render_table(directive)}\n<!-- end -->"
        if kind == "code":
            return f"{start}\n```console\n{render_step(resolve(load_record(record), rest))}\n```\n<!-- end -->"
        return f"{start}{fill(rest, load_record(record))}<!-- end -->"
    except (KeyError, ValueError, TypeError) as error:
        raise RenderError(f"<!-- {kind}: {directive.splitlines()[0]} -->: {error!r}") from error


def main() -> None:
    """Render every document; write those that change, or with --check fail on the first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a document is stale")
    check = parser.parse_args().check
    for document in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted(BUNDLES.glob("*/README.md"))):
        before = document.read_text(encoding="utf-8")
        try:
            after = DIRECTIVE.sub(render, before)
        except RenderError as error:
            sys.exit(f"{document.relative_to(ROOT)}: {error}")
        if check and after != before:
            sys.exit(f"{document.relative_to(ROOT)} is not what the records give; run python tools/render.py")
        if after != before:
            document.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
