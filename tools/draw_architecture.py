"""Draw docs/figures/flow.svg, how photos become models and answers, and layers.svg, which module imports which.

    python tools/draw_architecture.py [--check]

The layers are those that tests/test_architecture.py holds the code to. With --check nothing is written, and the exit
status is 1 where a drawing is out of date.
"""

import argparse
import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "docs" / "figures"
STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #1b1f24; text-anchor: middle }
.small { font-size: 11px; fill: #57606a } .left { text-anchor: start }
.thing { fill: #eef4fb; stroke: #0072B2 } .command { fill: #fff; stroke: #7f7f7f }
.torch { fill: #fdeee2; stroke: #D55E00 }
path { fill: none; stroke: #57606a; stroke-width: 1.4; marker-end: url(#end) }
</style>
<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0 L8 4 L0 8 z" style="fill: #57606a; stroke: none; marker-end: none"/></marker></defs>
"""


@dataclass(frozen=True)
class Box:
    """A box with its upper left corner, in px; `kind` is a class of `STYLE`, `note` a smaller line below the name."""

    x: float
    y: float
    width: float
    height: float
    name: str
    kind: str = "command"
    note: str = ""

    def svg(self) -> Iterator[str]:
        """The box as elements."""
        radius = 14 if self.kind == "thing" else 3
        yield f'<rect class="{self.kind}" x="{self.x:g}" y="{self.y:g}" rx="{radius}" '
        yield f'width="{self.width:g}" height="{self.height:g}"/>\n'
        middle, line = self.x + self.width / 2, self.y + self.height / 2 + (-3 if self.note else 4)
        yield f'<text x="{middle:g}" y="{line:g}">{escape(self.name)}</text>\n'
        if self.note:
            yield f'<text class="small" x="{middle:g}" y="{line + 16:g}">{escape(self.note)}</text>\n'


COLUMNS, ROWS = (20, 250, 480, 710), (40, 140, 240, 340)
WIDE, HIGH = 190, 52
PLACES = {
    "data": (0, 1, "data set", "thing", "dataset.csv, images/"),
    "fetch": (0, 0, "fetch", "command", "checked by SHA-256"),
    "audit": (0, 2, "audit", "command", "findings.csv, audit.html"),
    "split": (0, 3, "split", "command", "by whole groups"),
    "train": (1, 1, "train", "torch", "from a bundle or features"),
    "run": (2, 1, "run folder", "thing", "run.json, safetensors"),
    "analyze": (2, 3, "analyze", "torch", "field and cost by layer"),
    "compress": (1, 2, "compress", "torch", "prune, distil, quantize"),
    "export": (3, 1, "export, convert", "torch", "ONNX, behind gates"),
    "bundle": (3, 2, "bundle", "thing", "model.onnx, bundle.json"),
    "evaluate": (2, 2, "evaluate, report", "command", "figures with intervals"),
    "predict": (3, 3, "predict, serve, score", "command", "labels; no torch"),
}
"""Column and row, name, kind and note of each box of the flow."""
ARROWS = (
    "fetch data down", "audit data up", "split data around", "data train right", "train run right",
    "run export right", "export bundle down", "bundle evaluate left", "bundle predict down",
    "bundle analyze corner", "compress train up",
)  # fmt: skip


def flow() -> str:
    """How photos become models and answers."""
    boxes = {key: Box(COLUMNS[column], ROWS[row], WIDE, HIGH, *about) for key, (column, row, *about) in PLACES.items()}
    lines = [_arrow(boxes[start], boxes[end], way) for start, end, way in map(str.split, ARROWS)]
    key = Box(480, 44, 40, 20, "", "torch"), Box(480, 68, 40, 20, "", "command"), Box(480, 20, 40, 20, "", "thing")
    words = "a command that needs torch", "a command without torch", "a folder with a fixed format"
    legend = [f'<text class="small left" x="528" y="{box.y + 14:g}">{text}</text>\n'
              for box, text in zip(key, words, strict=True)]  # fmt: skip
    return _document(920, 420, [*lines, *(part for box in (*boxes.values(), *key) for part in box.svg()), *legend])


def _arrow(start: Box, end: Box, way: str) -> str:
    middle = start.x + start.width / 2
    if way == "around":  # from the side, past what stands between
        points = f"M{start.x:g} {start.y + HIGH / 2:g} H{start.x - 10:g} V{end.y + HIGH / 2:g} H{end.x - 1:g}"
    elif way == "corner":  # likewise, from the lower end of the side
        points = f"M{start.x:g} {start.y + HIGH - 12:g} H{start.x - 20:g} V{end.y + HIGH / 2:g} H{end.x + WIDE + 2:g}"
    elif way in ("right", "left"):
        ends = (start.x + start.width, end.x - 2) if way == "right" else (start.x, end.x + end.width + 2)
        points = f"M{ends[0]:g} {start.y + HIGH / 2:g} H{ends[1]:g}"
    else:
        down = start.y < end.y
        points = f"M{middle:g} {start.y + (HIGH if down else 0):g} V{end.y - 2 if down else end.y + HIGH + 2:g}"
    return f'<path d="{points}"/>\n'


def layers() -> str:
    """The modules of the package, those that import above those that are imported."""
    rows = [[name.strip() for name in line.split("|")] for line in _constant("LAYERS").strip().splitlines()]
    torch = _constant("MAY_IMPORT_TORCH")
    parts: list[str] = []
    for i, names in enumerate(rows):
        width = min(200.0, 620 / len(names) - 10)
        start = 400 - (len(names) * (width + 10) - 10) / 2
        for j, name in enumerate(names):
            kind = "torch" if name in torch else "command"
            parts += Box(start + j * (width + 10), 16 + i * 42, width, 30, name, kind).svg()
    bottom = 16 + len(rows) * 42
    parts.append(f'<path d="M50 20 V{bottom - 16}"/>\n<text class="small" transform="translate(38 {bottom / 2:g}) '
                 'rotate(-90)">imports point down only</text>\n')  # fmt: skip
    parts.append(f'<text class="small" x="400" y="{bottom + 12}">orange: may import torch; modules on one line do not '
                 "import each other</text>\n")  # fmt: skip
    return _document(740, bottom + 26, parts)


def _constant(name: str) -> Any:
    tree = ast.parse((ROOT / "tests" / "test_architecture.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise LookupError(name)


def _document(width: int, height: int, parts: list[str]) -> str:
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    paper = f'<rect width="{width}" height="{height}" fill="white"/>\n'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{STYLE}{paper}{"".join(parts)}</svg>\n'


def main() -> None:
    """Draw, or compare with what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a drawing is out of date")
    options = parser.parse_args()
    for name, text in {"flow.svg": flow(), "layers.svg": layers()}.items():
        path = FIGURES / name
        if not options.check:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"docs/figures/{name} is out of date; run python tools/draw_architecture.py")


if __name__ == "__main__":
    main()
