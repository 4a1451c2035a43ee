"""Other libraries that classify photos; runs in environments of their own and imports nothing of ours.

`peers.py build NAME FOLDER SIZE CLASSES` says what the peer is, and for transformers writes what a download from the
hub would lie on disk as. `peers.py run NAME FOLDER SIZE CLASSES SETTING` classifies the photos named on standard
input, one path a line. Weights are random: time does not depend on them, as long as no activation gets so small that
its arithmetic is slow, which these do not. Both print one JSON object.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any

Classify = Callable[[list[str]], int]
Setting = dict[str, int]

SETTINGS: dict[str, list[Setting]] = {
    "transformers": [{"batch_size": 1}, {"batch_size": 8}],
    "timm": [{"batch_size": 32, "num_workers": 2}, {"batch_size": 8, "num_workers": 2}, {"batch_size": 8}],
    "ultralytics": [{"batch": 1}, {"batch": 16}],
}
"""What is tried on a few photos, for the fastest to be measured."""
MODELS = {"transformers": "MobileNetV2", "timm": "mobilenetv2_100", "ultralytics": "yolo11n-cls"}
NEEDS = {
    "transformers": ["transformers", "torch", "pillow"],
    "timm": ["timm", "torch", "torchvision", "pillow"],
    "ultralytics": ["ultralytics", "torch"],
}


def declare_operators() -> Any:
    """What torchvision declares where its binaries fit torch; without them it, and all that import it, don't load.

    None of these networks calls them. The declarations last as long as what is returned.
    """
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        try:
            library.define(f"{name}(Tensor dets, Tensor scores, float iou) -> Tensor")  # type: ignore[no-untyped-call]
        except RuntimeError:  # it is declared
            continue
    return library


def build_transformers(folder: str, size: int, classes: int) -> None:
    """Save model and processor, with the processor's own recipe (short side to 256, middle 224) scaled to `size`."""
    import transformers  # type: ignore[import-not-found]

    transformers.utils.logging.disable_progress_bar()
    names = {str(i): f"label {i}" for i in range(classes)}
    config = transformers.MobileNetV2Config(depth_multiplier=1.0, image_size=size, id2label=names)
    transformers.MobileNetV2ForImageClassification(config).save_pretrained(folder)
    processor = transformers.MobileNetV2ImageProcessorPil(
        size={"shortest_edge": round(size * 256 / 224)}, crop_size={"height": size, "width": size}
    )
    processor.save_pretrained(folder)


def load_transformers(folder: str, size: int, classes: int, setting: Setting) -> Classify:
    """The image-classification pipeline."""
    import transformers

    transformers.utils.logging.disable_progress_bar()
    classify = transformers.pipeline("image-classification", model=folder, **setting)
    return lambda paths: len(classify(paths, top_k=3))


def load_timm(folder: str, size: int, classes: int, setting: Setting) -> Classify:
    """A network of timm with its own transform, behind a DataLoader."""
    import timm
    import torch
    from PIL import Image

    model = timm.create_model("mobilenetv2_100", num_classes=classes).eval()
    config = timm.data.resolve_model_data_config(model) | {"input_size": (3, size, size)}
    transform = timm.data.create_transform(**config, is_training=False)

    class Photos(torch.utils.data.Dataset[Any]):
        def __init__(self, paths: list[str]) -> None:
            self.paths = paths

        def __len__(self) -> int:
            return len(self.paths)

        def __getitem__(self, index: int) -> Any:
            return transform(Image.open(self.paths[index]).convert("RGB"))

    def classify(paths: list[str]) -> int:
        with torch.inference_mode():
            loader = torch.utils.data.DataLoader(Photos(paths), **setting)  # type: ignore[arg-type]
            return sum(len(model(images).softmax(1).topk(3).indices) for images in loader)

    return classify


def load_ultralytics(folder: str, size: int, classes: int, setting: Setting) -> Classify:
    """YOLO11n-cls, which is smaller than MobileNetV2, and of 1,000 classes."""
    from ultralytics import YOLO  # type: ignore[import-not-found]

    model = YOLO("yolo11n-cls.yaml", task="classify")
    return lambda paths: sum(
        len(found.probs.top5) > 0 for found in model.predict(paths, imgsz=size, stream=True, verbose=False, **setting)
    )


LOAD = {"transformers": load_transformers, "timm": load_timm, "ultralytics": load_ultralytics}


def build(name: str, folder: str, size: int, classes: int) -> dict[str, Any]:
    """Prepare the peer; say what it is."""
    if name == "transformers":
        build_transformers(folder, size, classes)
    return {
        "model": MODELS[name],
        "versions": {needed: metadata.version(needed) for needed in NEEDS[name]},
        "installed_mb": installed_megabytes(NEEDS[name]),
        "settings": SETTINGS[name],
    }


def run(name: str, folder: str, size: int, classes: int, setting: Setting, paths: list[str]) -> dict[str, Any]:
    """Classify the photos; `loop_seconds` leaves out the imports and the loading of the model."""
    library = None if name == "transformers" else declare_operators()
    classify = LOAD[name](folder, size, classes, setting)
    started = time.perf_counter()
    answered = classify(paths)
    seconds = time.perf_counter() - started
    del library
    return {"photos": answered, "loop_seconds": seconds}


def installed_megabytes(names: list[str]) -> float:
    """Size of the installed files of some distributions and of all that they require here."""
    from packaging.requirements import Requirement

    found: dict[str, int] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        try:
            about = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        paths = [about.locate_file(file) for file in about.files or ()]
        found[name] = sum(path.stat().st_size for path in paths if path.is_file())  # type: ignore[attr-defined]
        for line in about.requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return sum(found.values()) / 1e6


if __name__ == "__main__":
    command, name, folder, size, classes, *rest = sys.argv[1:]
    if command == "build":
        print(json.dumps(build(name, folder, int(size), int(classes))))
    else:
        paths = sys.stdin.read().splitlines()
        print(json.dumps(run(name, folder, int(size), int(classes), json.loads(rest[0]), paths)))
