"""Tiny data and tiny runs: of the command as a user starts it, or in this process, and what they leave."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from clothing_classifier.config import load_settings
from clothing_classifier.training import train
from clothing_classifier.training.trainer import Outcome

CLOTHING = str(Path(sys.executable).parent / "clothing")
LABELS = ("Dress", "Hat", "Shirt")
TINY = (
    "model.name=resnet_small", "model.settings.depth=8", "model.settings.width=8", "image.size=16",
    "optimization.epochs=3", "optimization.batch_size=12", "runtime.threads=1",
)  # fmt: skip


def make_data(root: Path) -> Path:
    """36 photos to train on and 12 to validate, of three classes of colour, in pairs that are a group."""
    random, rows = np.random.default_rng(0), ["image,label,group,split"]
    (root / "images").mkdir(parents=True)
    for i in range(48):
        kind, split = i // 2 % 3, "validation" if i % 8 >= 6 else "train"
        pixels = random.integers(0, 120, (24, 20, 3), dtype=np.uint8)
        pixels[..., kind] += 100
        Image.fromarray(pixels).save(root / "images" / f"{i}.png")
        rows.append(f"{i}.png,{LABELS[kind]},{i // 2},{split}")
    (root / "dataset.csv").write_text("\n".join(rows) + "\n")
    return root


def make_folders(root: Path, data: Path) -> Path:
    """The photos of two classes of `data` in folders of class names."""
    for line in (data / "dataset.csv").read_text().splitlines()[1:]:
        name, label, *_ = line.split(",")
        if label != LABELS[2]:
            (root / label).mkdir(parents=True, exist_ok=True)
            (root / label / name).write_bytes((data / "images" / name).read_bytes())
    return root


def trained(data: Path, out: Path, *changes: str, **options: object) -> Outcome:
    """A tiny run in this process."""
    return train(data, load_settings(None, (*TINY, *changes)), out, **options)  # type: ignore[arg-type]


def command(data: Path, out: Path, *more: str, changes: tuple[str, ...] = ()) -> list[str]:
    """The arguments of a tiny run, behind the program."""
    sets = [part for change in (*TINY, *changes) for part in ("--set", change)]
    return ["train", "--data", str(data), "--out", str(out), *sets, *more]


def start(arguments: list[str]) -> subprocess.Popen[str]:
    """A program in a process group of its own, with its standard error to read."""
    return subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=os.environ, start_new_session=True
    )


def run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, capture_output=True, text=True, timeout=240)


def history(out: Path) -> list[dict[str, str]]:
    with (out / "history.csv").open() as file:
        return list(csv.DictReader(file))


def weights(out: Path) -> tuple[bytes, bytes]:
    """The best weights, and the tensors of the last state (its header also holds speeds, which differ)."""
    last = (out / "last.safetensors").read_bytes()
    return (out / "best.safetensors").read_bytes(), last[8 + int.from_bytes(last[:8], "little") :]
