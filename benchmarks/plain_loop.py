"""The training loop that a tutorial would write: PIL transforms, DataLoader, two workers, fp32. One epoch, timed.

The other side of benchmarks/training_throughput.py. Reads JSON ({"photos": [...], "targets": [...], ...}) from
standard input, prints images per second.
"""

import json
import random
import sys
import time

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps
from torch import nn
from torch.utils.data import DataLoader, Dataset

from clothing_classifier.models import create_model


class Photos(Dataset[tuple[torch.Tensor, int]]):
    """JPEG files with the default augmentation: zoom, rotation, flip, colour, erasing."""

    def __init__(self, paths: list[str], targets: list[int], size: int) -> None:
        self.paths, self.targets, self.size = paths, targets, size

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        """A tensor `(3, size, size)` in [-1, 1] and its class."""
        image = ImageOps.exif_transpose(Image.open(self.paths[index])).convert("RGB")
        side = round(self.size * 1.15)
        image = ImageOps.pad(image, (side, side), Image.Resampling.BILINEAR)
        image = image.rotate(random.uniform(-20, 20), Image.Resampling.BILINEAR)
        crop = round(side * random.uniform(0.4, 1.0) ** 0.5)
        left, top = (random.randint(0, side - crop) for _ in range(2))
        box = (left, top, left + crop, top + crop)
        image = image.resize((self.size, self.size), Image.Resampling.BILINEAR, box)
        if random.random() < 0.5:
            image = ImageOps.mirror(image)
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            image = enhance(image).enhance(random.uniform(0.6, 1.4))
        if random.random() < 0.3:
            width, height = (round(self.size * random.uniform(0.15, 0.6)) for _ in range(2))
            corner = random.randint(0, self.size - width), random.randint(0, self.size - height)
            image.paste(
                tuple(random.randint(0, 255) for _ in range(3)), (*corner, corner[0] + width, corner[1] + height)
            )
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float()
        return pixels / 127.5 - 1, self.targets[index]


def main() -> None:
    """Train for an epoch after a few batches that are not timed."""
    task = json.load(sys.stdin)
    photos = Photos(task["photos"], task["targets"], task["size"])
    model = create_model("mobilenet_v2", task["classes"], 0.2).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.1)
    loader = DataLoader(photos, batch_size=task["batch_size"], shuffle=True, num_workers=2, drop_last=True)
    started, seen = 0.0, 0
    for step, (images, targets) in enumerate(loader):
        if step == task["warm_up"]:
            started, seen = time.monotonic(), 0
        optimizer.zero_grad()
        loss = loss_of(model(images), targets)
        loss.backward()
        optimizer.step()
        seen += len(targets)
    print(seen / (time.monotonic() - started))


if __name__ == "__main__":
    main()
