"""The records that numbers come from, and how a number is written."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
BUNDLES = ROOT / "code" / "clothing_classifier" / "bundles"


def result(name: str) -> dict[str, Any]:
    """A record of results/."""
    record: dict[str, Any] = json.loads((ROOT / "results" / name).read_text(encoding="utf-8"))
    return record


def manifest(model: str) -> dict[str, Any]:
    """The manifest of a shipped bundle."""
    content: dict[str, Any] = json.loads((BUNDLES / model / "bundle.json").read_text(encoding="utf-8"))
    return content


def photo_rows() -> list[dict[str, str]]:
    """The rows of the manifest of the clothing photos."""
    packed = ROOT / "code" / "clothing_classifier" / "manifests" / "clothing.csv.gz"
    with gzip.open(packed, "rt", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def hardened(model: str) -> dict[str, Any] | None:
    """The run that a shipped model's student went on to, where harden.py made it."""
    name = f"{model}-hardened-training.json"
    if not (ROOT / "results" / name).exists():
        return None
    return dict(result(name)["runs"]["hardened"])


def runs_behind(model: str) -> list[dict[str, Any]]:
    """Every run that a shipped model took: teachers, students, and where it was hardened, that and its teachers."""
    runs = list(result(f"{model}-training.json")["runs"].values())
    if last := hardened(model):
        cleaned = result(f"{model}-cleaned-training.json")["runs"]
        runs += [last, *(run for name, run in cleaned.items() if name.startswith("teacher"))]
    return runs


def finished(model: str) -> dict[str, Any]:
    """The run that became the bundle."""
    record = result(f"{model}-training.json")
    return hardened(model) or dict(record["runs"][record["chosen"]])


def points(share: float) -> str:
    """A difference of shares, signed, in points."""
    return f"{100 * share:+.1f} points"


def percent(share: float, ends: list[float] | tuple[float, float]) -> str:
    """A share with its interval."""
    return f"{share:.1%} ({ends[0]:.1%} to {ends[1]:.1%})"
