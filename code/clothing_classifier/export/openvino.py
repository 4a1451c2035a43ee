"""A bundle for another engine, behind the gate of the ONNX export: OpenVINO's IR, laid beside the ONNX graph."""

import hashlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from clothing_classifier.errors import ConfigError, ExportError, ImageError
from clothing_classifier.evaluation.parity import GATE_PHOTOS, MIN_GATE_PHOTOS, check_parity
from clothing_classifier.inference import Classifier
from clothing_classifier.inference.bundle import copy_bundle
from clothing_classifier.preprocessing import Pixels, prepare
from clothing_classifier.utils import progress_bar, write_json

IR, IR_WEIGHTS, RECORD = "model.xml", "model.bin", "openvino.json"
SESSION = {"INFERENCE_PRECISION_HINT": "f32"}
"""What the IR is to be compiled with. Without it, processors that have bfloat16 round every activation to 8 bits."""


def to_openvino(classifier: Classifier, photos: Sequence[str], out: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Write the bundle of `classifier` to the folder `out`, with OpenVINO's IR of its graph beside it.

    Returns what `openvino.json` says of it, and the photos that can't be read. `photos` are 32 or more; up to 256 of
    them, spread evenly, are shown to both engines, which must agree (`parity.check_parity`): else raises `ExportError`.
    Raises `ConfigError` where `out` exists, ModuleNotFoundError without the extra `openvino`.
    """
    openvino = _openvino()
    if out.exists():
        raise ConfigError(f"{out}: exists already; remove it or choose another --out")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        folder = Path(scratch) / "bundle"
        copy_bundle(classifier.bundle, folder)
        openvino.save_model(openvino.Core().read_model(classifier.bundle.graph), folder / IR, compress_to_fp16=False)
        parity, failures = _check(classifier, openvino.Core().read_model(folder / IR), photos)
        record = {
            "bundle_sha256": classifier.bundle.sha256,
            "precision": classifier.manifest.precision,
            "compile_with": SESSION,
            "parity": parity,
            "versions": {name: metadata.version(name) for name in ("openvino", "onnxruntime")},
            "hashes": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (IR, IR_WEIGHTS)},
        }
        write_json(folder / RECORD, record)
        folder.rename(out)
    return record, failures


def _openvino() -> Any:
    """The package without the module by which importing it reports to its makers, and for which it has a stand-in."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type] # None: importing it fails
    import openvino

    return openvino


def _check(classifier: Classifier, model: Any, photos: Sequence[str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Show the photos to both engines; raises `ExportError`."""
    compiled = _openvino().Core().compile_model(model, "CPU", SESSION)
    output = compiled.output("probabilities")
    failures: list[str] = []
    answers = [
        (classifier.run(pixels)[0], compiled(pixels)[output][0]) for pixels in _pixels(classifier, photos, failures)
    ]
    if len(answers) < MIN_GATE_PHOTOS:
        raise ExportError(
            f"photos that can be read: {len(answers)}; the gate needs at least {MIN_GATE_PHOTOS} to compare the engines"
            + (f"; first: {failures[0]}" if failures else "")
        )
    expected, found = map(np.stack, zip(*answers, strict=True))
    int8 = classifier.manifest.precision == "int8"
    return check_parity(expected, found, "OpenVINO disagrees with ONNX Runtime", int8), tuple(failures)


def _pixels(classifier: Classifier, photos: Sequence[str], failures: list[str]) -> Iterator[Pixels]:
    """Each photo as `(1, size, size, 3) uint8`, up to `GATE_PHOTOS` of them; why not of the others to `failures`."""
    some = np.unique(np.linspace(0, len(photos) - 1, min(GATE_PHOTOS, len(photos))).astype(int))
    with progress_bar("comparing", len(some)) as advance:
        for index in some:
            advance()
            try:
                yield prepare(photos[index], classifier.bundle.contract)[None]
            except ImageError as error:
                failures.append(str(error))
