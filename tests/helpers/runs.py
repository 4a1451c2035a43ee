"""A small run of `clothing train` on the drawn data, as a user starts it, and what it leaves."""

import csv
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLOTHING = Path(sys.executable).parent / "clothing"
TINY = (
    "model.name=resnet_small", "model.settings.depth=8", "model.settings.width=8", "image.size=32",
    "optimization.batch_size=24", "runtime.threads=1",
)  # fmt: skip


def command(
    out: Path, *more: str, data: Path = ROOT / "data", epochs: int = 4, settings: tuple[str, ...] = TINY
) -> list[str]:
    changes = [part for change in (*settings, f"optimization.epochs={epochs}") for part in ("--set", change)]
    return [str(CLOTHING), "train", "--data", str(data), "--out", str(out), *changes, *more]


def run(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, capture_output=True, text=True, env=environment)


def history(out: Path) -> list[dict[str, str]]:
    with (out / "history.csv").open() as file:
        return list(csv.DictReader(file))


def weights(out: Path) -> tuple[bytes, bytes]:
    """The best weights, and the tensors of the last state (its header also holds speeds, which differ)."""
    last = (out / "last.safetensors").read_bytes()
    return (out / "best.safetensors").read_bytes(), last[8 + int.from_bytes(last[:8], "little") :]
