"""The training loop that a tutorial would write for Fashion-MNIST: PIL images, DataLoader, fp32, Adam at a fixed rate.

The other side of benchmarks/time_to_accuracy.py. Reads JSON from standard input, prints JSON: time and accuracy after
each epoch, until the target is reached or the epochs are over.
"""

import json
import random
import sys
import time
from os import times
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import nn
from torch.utils.data import DataLoader, Dataset

from clothing_classifier.datasets import Record, load_dataset
from clothing_classifier.models import create_model


class Photos(Dataset[tuple[torch.Tensor, int]]):
    """Grey images as three channels in [0, 1]; those to train on are shifted by up to two pixels and mirrored."""

    def __init__(self, records: list[Record], labels: list[str], augmented: bool) -> None:
        self.records, self.labels, self.augmented = records, labels, augmented

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        """A tensor `(3, 28, 28)` and its class."""
        record = self.records[index]
        image = Image.fromarray(np.asarray(record.source)).convert("RGB")
        if self.augmented:
            image = ImageOps.expand(image, 2)
            left, top = random.randint(0, 4), random.randint(0, 4)
            image = image.crop((left, top, left + 28, top + 28))
            if random.random() < 0.5:
                image = ImageOps.mirror(image)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
        return pixels, self.labels.index(record.label)


def main() -> None:
    """Train epoch by epoch and look at the validation photos after each."""
    task = json.load(sys.stdin)
    started, spent = time.monotonic(), sum(times()[:4])
    torch.set_num_threads(1)
    torch.manual_seed(task["seed"])
    dataset = load_dataset(Path(task["data"]))
    records, labels = {record.image: record for record in dataset.records}, list(dataset.labels)
    train, validation = (
        DataLoader(
            Photos([records[name] for name in task[part]], labels, part == "train"),
            batch_size=128, shuffle=part == "train", num_workers=2,
        )
        for part in ("train", "validation")
    )  # fmt: skip
    model = create_model(task["model"], len(labels), **task["settings"])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_of = nn.CrossEntropyLoss()
    rows: list[dict[str, float]] = []
    for epoch in range(task["epochs"]):
        model.train()
        for images, targets in train:
            optimizer.zero_grad()
            loss_of(model(images), targets).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            right = sum(int((model(images).argmax(1) == targets).sum()) for images, targets in validation)
        rows.append({
            "epoch": epoch + 1, "accuracy": right / len(task["validation"]),
            "seconds": time.monotonic() - started, "processor_seconds": sum(times()[:4]) - spent,
        })  # fmt: skip
        print(rows[-1], file=sys.stderr, flush=True)
        if rows[-1]["accuracy"] >= task["target"]:
            break
    print(json.dumps({"seed": task["seed"], "epochs": rows}))


if __name__ == "__main__":
    main()
