"""Published first weights of MobileNetV2 whose last depthwise kernels are changed before training."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

BLOCKS = 17


def change_kernels(features: Path, out: Path, shuffle: bool, blocks: int) -> None:
    """Write `features` with the depthwise kernels of the last `blocks` summed to 1x1, or their outer weights shuffled.

    A sum keeps what a kernel says of a flat region; a shuffle loses as many trained weights and keeps the field.
    """
    tensors = load_file(features)
    generator = torch.Generator().manual_seed(0)
    outer = torch.tensor([0, 1, 2, 3, 5, 6, 7, 8])
    for block in range(BLOCKS - blocks, BLOCKS):
        key = f"blocks.{block}.depthwise.weight"
        if not shuffle:
            tensors[key] = tensors[key].sum((2, 3), keepdim=True)
            continue
        kernels = tensors[key].flatten(1).clone()
        for kernel in kernels:
            kernel[outer] = kernel[outer[torch.randperm(8, generator=generator)]]
        tensors[key] = kernels.view_as(tensors[key])
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, out)
