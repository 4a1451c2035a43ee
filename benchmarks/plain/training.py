"""The training loop that a tutorial would write: PIL transforms, a DataLoader of two workers, fp32, a fixed rate.

The other side of `benchmarks speed training`. Reads JSON from standard input (a data set's folder, the image size and
the batch size) and prints the images a second of its second epoch.
"""

import json
import random
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import nn
from torch.utils.data import DataLoader, Dataset

from clothing_classifier.datasets import Record, load_dataset
from clothing_classifier.models import create_model


class Photos(Dataset[tuple[torch.Tensor, int]]):
    """Photos of a data set, `(3, size, size) float32 in [-1, 1]`, with our default augmentation, and their classes."""

    def __init__(self, records: tuple[Record, ...], labels: tuple[str, ...], size: int) -> None:
        self.records, self.labels, self.size = records, labels, size

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        """A photo zoomed, rotated, flipped, recoloured and erased."""
        record, size = self.records[index], self.size
        assert isinstance(record.source, Path)
        image = ImageOps.exif_transpose(Image.open(record.source)).convert("RGB")
        side = round(size * 1.15)
        image = ImageOps.pad(image, (side, side), Image.Resampling.BILINEAR)
        image = image.rotate(random.uniform(-20, 20), Image.Resampling.BILINEAR)
        crop = round(side * random.uniform(0.4, 1.0) ** 0.5)
        left, top = (random.randint(0, side - crop) for _ in range(2))
        image = image.resize((size, size), Image.Resampling.BILINEAR, (left, top, left + crop, top + crop))
        if random.random() < 0.5:
            image = ImageOps.mirror(image)
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            image = enhance(image).enhance(random.uniform(0.6, 1.4))
        if random.random() < 0.3:
            width, height = (round(size * random.uniform(0.15, 0.6)) for _ in range(2))
            x, y = random.randint(0, size - width), random.randint(0, size - height)
            image.paste(tuple(random.randint(0, 255) for _ in range(3)), (x, y, x + width, y + height))
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float()
        return pixels / 127.5 - 1, self.labels.index(record.label)


def main() -> None:
    """Train for two epochs, of which the second is timed."""
    task = json.load(sys.stdin)
    dataset = load_dataset(Path(task["data"]))
    photos = Photos(dataset.part("train"), dataset.labels, task["size"])
    loader = DataLoader(photos, task["batch_size"], shuffle=True, num_workers=2, drop_last=True)
    model = create_model("mobilenet_v2", len(dataset.labels), 0.2).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.1)
    for _ in range(2):
        started, seen = time.monotonic(), 0
        for images, targets in loader:
            optimizer.zero_grad()
            loss_of(model(images), targets).backward()
            optimizer.step()
            seen += len(targets)
    print(seen / (time.monotonic() - started))


if __name__ == "__main__":
    main()
