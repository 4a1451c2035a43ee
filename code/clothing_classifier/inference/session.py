"""Graphs under ONNX Runtime: with the options that a bundle asks for and this processor needs."""

from collections.abc import Mapping
from pathlib import Path

import onnxruntime as ort

from clothing_classifier.errors import BundleError
from clothing_classifier.inference.bundle import Bundle
from clothing_classifier.utils import reason_of

NO_OVERFLOW = "session.x64quantprecision"
"""Has ONNX Runtime take kernels that no processor overflows in, and that are slower; needless on those with VNNI."""


def needed_options(bundle: Bundle) -> dict[str, str]:
    """ONNX Runtime's session options that the bundle asks for and this processor needs."""
    options = bundle.manifest.session_options
    return {key: value for key, value in options.items() if not (key == NO_OVERFLOW and _has_vnni())}


def open_session(graph: bytes | Path, options: Mapping[str, str], threads: int = 0) -> ort.InferenceSession:
    """A graph on the CPU under these session options; 0 threads are as many as there are processors."""
    settings = ort.SessionOptions()
    settings.intra_op_num_threads, settings.log_severity_level = threads, 3
    for key, value in options.items():
        settings.add_session_config_entry(key, value)
    return ort.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])


def open_bundle(bundle: Bundle) -> ort.InferenceSession:
    """The graph of a bundle, whose ends are those that its manifest states; raises `BundleError`."""
    try:
        # Photos run side by side in threads of ours, which scales better than threads inside one photo's operators.
        session = open_session(bundle.graph, needed_options(bundle), threads=1)
    except Exception as error:  # onnxruntime's errors have no common root
        raise BundleError(f"{bundle.path}: ONNX Runtime can't load the graph ({reason_of(error)})") from error
    inputs, outputs = ({end.name: end.shape for end in ends} for ends in (session.get_inputs(), session.get_outputs()))
    if "image" not in inputs or not {"probabilities", "ood_score"} <= set(outputs):
        ends = f"takes {', '.join(inputs)} and gives {', '.join(outputs)}"
        raise BundleError(
            f"{bundle.path}: the graph {ends}; a bundle's takes 'image' and gives 'probabilities' and 'ood_score'"
        )
    side, classes = inputs["image"][1], outputs["probabilities"][-1]
    manifest = bundle.manifest
    if side != manifest.preprocessing.size or classes != len(manifest.labels):
        stated = f"{manifest.preprocessing.size} px and {len(manifest.labels)} labels"
        raise BundleError(
            f"{bundle.path}: damaged: the graph takes {side} px and gives {classes} classes, not {stated}"
        )
    return session


def _has_vnni() -> bool:
    """Whether int8 products are summed in 32 bits here, and can't overflow; false where that is not known."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            flags = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return False
    return not {"avx_vnni", "avx512_vnni"}.isdisjoint(flags.split())
