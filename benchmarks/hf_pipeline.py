"""The Hugging Face side of predict_throughput.py; runs in an environment of its own and imports nothing of ours.

`hf_pipeline.py build FOLDER SIZE CLASSES` writes a MobileNetV2 with random weights and its image processor: time does
not depend on the weights, as long as no activation gets so small that its arithmetic is slow, which these do not.
`hf_pipeline.py run FOLDER BATCH` classifies the photos named on standard input, one path a line.
Both print one JSON object.
"""

import json
import sys
import time
from typing import Any


def build(folder: str, size: int, classes: int) -> dict[str, Any]:
    """Save model and processor as a download from the hub would lie on disk; say what they are."""
    import PIL
    import torch
    import transformers  # type: ignore[import-not-found]

    transformers.utils.logging.disable_progress_bar()
    names = {str(i): f"label {i}" for i in range(classes)}
    config = transformers.MobileNetV2Config(depth_multiplier=1.0, image_size=size, id2label=names)
    model = transformers.MobileNetV2ForImageClassification(config)
    model.save_pretrained(folder)
    # The processor's own 224 px recipe (short side to 256, middle 224 x 224), scaled to the size asked for.
    processor = transformers.MobileNetV2ImageProcessor(
        size={"shortest_edge": round(size * 256 / 224)}, crop_size={"height": size, "width": size}
    )
    processor.save_pretrained(folder)
    versions = {module.__name__: module.__version__ for module in (transformers, torch, PIL)}
    return {
        "versions": versions,
        "model": type(model).__name__,
        "processor": type(processor).__name__,
        "parameters": model.num_parameters(),
        "threads": torch.get_num_threads(),
    }


def run(folder: str, batch: int, paths: list[str]) -> dict[str, Any]:
    """Classify the photos; `loop_seconds` leaves out the imports and the loading of the model."""
    import transformers

    transformers.utils.logging.disable_progress_bar()
    classify = transformers.pipeline("image-classification", model=folder, batch_size=batch)
    started = time.perf_counter()
    answers = classify(paths, top_k=3)
    return {"photos": len(answers), "loop_seconds": time.perf_counter() - started}


if __name__ == "__main__":
    command, folder, *numbers = sys.argv[1:]
    if command == "build":
        result = build(folder, int(numbers[0]), int(numbers[1]))
    else:
        result = run(folder, int(numbers[0]), sys.stdin.read().splitlines())
    print(json.dumps(result))
