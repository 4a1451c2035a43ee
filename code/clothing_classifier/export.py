"""torch -> ONNX -> int8, behind gates: a graph leaves here only when it agrees with the network on real photos."""

import logging
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

from clothing_classifier import bundle, metrics, orientation, parity, unfamiliarity
from clothing_classifier.analysis.stages import describe_stages
from clothing_classifier.calibration import fit_temperature, measure_calibration, precision_curve, softmax
from clothing_classifier.config import recorded_settings
from clothing_classifier.errors import ConfigError, ExportError
from clothing_classifier.evaluation import figures
from clothing_classifier.inference import NO_OVERFLOW, open_session
from clothing_classifier.models import ImageClassifier
from clothing_classifier.parity import GATE_PHOTOS, MIN_GATE_PHOTOS, MORE_VALIDATION
from clothing_classifier.preprocessing import ImageContract
from clothing_classifier.provenance import read_record
from clothing_classifier.training.checkpoint import load_model, save_tensors
from clothing_classifier.training.data import Photos, in_order, prepare_photos
from clothing_classifier.training.loop import to_images
from clothing_classifier.training.orientation import fit_orientation
from clothing_classifier.training.parts import decode_parts, load_parts, parts_sha256
from clothing_classifier.training.run_folder import WEIGHTS, held_out_groups, load_held_out
from clothing_classifier.utils import progress_bar

MAX_INT8_DROP = 0.005
"""Largest fall of validation accuracy that int8 may cost."""
OPSET = 18
OUTPUTS = ("probabilities", "logits", "features", "class_map")
_CALIBRATION_PHOTOS, _FAMILIAR_PHOTOS, _TURNED_PHOTOS = 256, 1024, 4096
_FAMILIAR_SHARE = 0.95
_FLOAT_CONVOLUTIONS = 3


class Graph(nn.Module):
    """What `model.onnx` computes: uint8 photos in, the bundle's outputs out but for unfamiliarity and orientation.

    `mirrored` takes the mean of the feature maps of a photo and of its mirror image, at twice the work.
    """

    def __init__(self, model: ImageClassifier, mirrored: bool = False) -> None:
        super().__init__()
        self.model, self.mirrored = model, mirrored
        # Until the fitted one takes its place. Not 1: an optimizer removes a division by 1, and no place would be left.
        self.register_buffer("temperature", torch.full((1,), 2.0))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """`(N, H, W, 3) uint8` to `OUTPUTS`."""
        model = self.model
        feature_map = self._map(to_images(image))
        features = feature_map.mean(dim=(2, 3))
        logits = model.classifier(features)
        class_map = F.conv2d(feature_map, model.classifier.weight[:, :, None, None])
        return (logits / self.temperature).softmax(1), logits, features, class_map

    def _map(self, images: Tensor) -> Tensor:
        if not self.mirrored:
            return self.model.feature_map(images)
        views = self.model.feature_map(torch.cat([images, images.flip(3)]))
        one, mirrored = torch.unflatten(views, 0, (2, -1)).unbind()
        return torch.add(one, mirrored.flip(3)) / 2


def export_bundle(
    run: Path,
    data: Path,
    out: Path,
    name: str,
    quantize: bool = True,
    keep_weights: bool = False,
    calibration: Sequence[Path] = (),
    mirrored: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Turn the run folder `run`, trained on `data`, into a bundle at `out`.

    Returns the manifest's content, and the rows and photos that could not be used.

    The float graph must agree with torch on validation photos to 1e-4 in probability and on every label. The int8
    graph replaces it where it loses at most 0.5 points of validation accuracy. It tells which way up a photo is where
    that costs upright validation photos nothing. Temperature and precision curve are
    fitted on validation to the graph that ships; or, where `calibration` names run folders, as of the folds of the same
    training photos, on what those runs hold out. `keep_weights` adds half-precision weights to start training from.
    `mirrored` has the graph read each photo and its mirror image, where validation gains by that.
    """
    if out.exists():
        raise ConfigError(f"{out}: exists already; remove it or choose another --out")
    if mirrored and calibration:
        raise ConfigError(
            "what other runs hold out was read without its mirror image; leave out --calibration or --mirror"
        )
    record = read_record(run)
    model, labels = load_model(run / WEIGHTS)
    settings, gone = recorded_settings(record["settings"])
    for setting in gone:
        say(f"setting {setting} is of an earlier version and is left out")
    contract = ImageContract(settings.image.size, settings.image.fit)
    dataset, train, validation = load_parts(data, settings.data)
    pooled = load_held_out(calibration, labels) if calibration else None
    if {photo.label for photo in train} != set(labels):
        raise ConfigError(f"{data}: its classes are not those that {run} was trained on")
    train_photos, photos = decode_parts(train, validation, labels, settings)
    if len(photos) < MIN_GATE_PHOTOS:
        few = f"{len(photos)} validation photos; the export gate needs at least {MIN_GATE_PHOTOS}"
        if photos.failures:
            few += f" ({len(photos.failures)} can't be read; first: {photos.failures[0]})"
        raise ExportError(f"{data}: {few}: {MORE_VALIDATION}")
    if parts_sha256(train_photos, photos) != record["data_sha256"]:
        raise ConfigError(f"{data}: not the data set that {run} was trained on: photos, labels or splits differ")
    mirrored = mirrored and _mirror_pays(model, photos, say)
    computed = Graph(model, mirrored).eval()
    with tempfile.TemporaryDirectory() as scratch:
        graph = Path(scratch) / "float.onnx"
        to_onnx(computed, contract.size, graph)
        gate = check_parity(computed, graph, photos)
        say(f"float graph: {gate['max_probability_difference']:.1e} from torch at most, on {gate['n']} photos")
        precision: str = "fp32"
        options: dict[str, str] = {}
        order = np.random.default_rng(settings.runtime.seed).permutation(len(train_photos))
        chosen = [train_photos.records[i] for i in order[:_TURNED_PHOTOS]]
        if quantize:
            samples = prepare_photos(chosen[:_CALIBRATION_PHOTOS], labels, photos.cache, "decoding for calibration")
            graph, precision, options = _int8_or_float(graph, photos, samples, say)
        familiar = prepare_photos(chosen[:_FAMILIAR_PHOTOS], labels, photos.cache, "decoding what is familiar")
        directions = unfamiliarity.find_directions(run_graph(graph, familiar, options, "features"))
        unfamiliarity.add_output(graph, directions)
        to_turn = prepare_photos(chosen, labels, photos.cache, "decoding photos to turn")
        standing = _tell_orientation(graph, to_turn, photos, options, say)
        logits = run_graph(graph, photos, options)
        answers, targets = pooled or (logits, photos.targets)
        temperature = fit_temperature(answers, targets)
        set_temperature(graph, temperature)
        groups = [record.group for record in photos.records]
        error = measure_calibration(answers, targets, held_out_groups(calibration) if pooled else groups)
        say(
            f"calibration error {error.ece:.1%} ({error.interval[0]:.1%} to {error.interval[1]:.1%}); a perfect model "
            f"would show {error.perfect_mean:.1%} ({error.perfect_range[0]:.1%} to {error.perfect_range[1]:.1%})"
        )
        calibrated_on = {"runs": len(calibration) or 1, "n": len(targets)}
        curve = precision_curve(softmax(answers, temperature), targets)
        probabilities = softmax(logits, temperature)
        content = {
            "name": name,
            "labels": list(labels),
            "preprocessing": bundle.Preprocessing(size=contract.size, fit=contract.fit).model_dump(),
            "temperature": temperature,
            "calibration": asdict(error),
            "unfamiliarity_threshold": float(
                np.quantile(run_graph(graph, photos, options, unfamiliarity.OUTPUT), _FAMILIAR_SHARE)
            ),
            "precision_curve": [asdict(point) for point in curve],
            "precision": precision,
            "session_options": options,
            "architecture": model.architecture,
            **({"views": 2} if mirrored else {}),
            **({"orientation": standing} if standing else {}),
            **({"stages": stages} if (stages := describe_stages(model, contract.size)) else {}),
            "validation": figures(photos.targets, probabilities, labels, groups),
            "provenance": record | {"export_gate": gate, "calibration": calibrated_on},
        }
        _write(out, graph, content, model if keep_weights else None)
    failures = (*dataset.bad_rows, *train_photos.failures, *photos.failures)
    return content, tuple(map(str, failures))


def to_onnx(computed: Graph, size: int, path: Path) -> None:
    """Write the float graph, its temperature not yet fitted, batch size free."""
    example = torch.zeros(2, size, size, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        # The exporter warns of its own internals and of an absent torchvision; who exports can do nothing about them.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            computed,
            (example,),
            dynamo=True,
            opset_version=OPSET,
            input_names=["image"],
            output_names=list(OUTPUTS),
            dynamic_shapes={"image": {0: torch.export.Dim("N")}},
            verbose=False,
        )
    assert program is not None
    proto = program.model_proto
    # The exporter notes the source line of every node: paths of one machine, and an eighth of a small graph's file.
    for part in (*proto.graph.node, *proto.graph.value_info):
        del part.metadata_props[:]
    onnx.save(proto, path)


def check_parity(computed: Graph, graph: Path, photos: Photos) -> dict[str, Any]:
    """Compare the float graph with torch on up to 256 photos; raise `ExportError` where they disagree."""
    some = np.linspace(0, len(photos) - 1, min(GATE_PHOTOS, len(photos))).astype(int)
    pixels, _ = next(iter(photos.batches([some])))
    with torch.inference_mode():
        expected = computed(pixels)[0].numpy()
    session = open_session(graph, {})
    parts = np.array_split(pixels.numpy(), -(-len(pixels) // 32))
    found = np.concatenate([session.run(["probabilities"], {"image": part})[0] for part in parts])
    return parity.check_parity(expected, found, "the graph disagrees with torch")


def run_graph(
    graph: Path, photos: Photos, options: dict[str, str], output: str = "logits", quarters: int = 0
) -> metrics.Floats:
    """An output of the graph for `photos`, turned clockwise by quarter turns: logits `(N, K) float32`, or another."""
    session = open_session(graph, options)
    found: list[metrics.Floats] = []
    with progress_bar(f"computing {output}", len(photos)) as advance:
        for pixels, _ in photos.batches(_batches(photos)):
            found += session.run([output], {"image": orientation.turned(pixels.numpy(), quarters)})
            advance(len(pixels))
    return np.concatenate(found)


def set_temperature(graph: Path, temperature: float) -> None:
    """Replace the temperature in the graph's file; raises `ExportError` where it has none."""
    model = onnx.load(graph)
    places = [initializer for initializer in model.graph.initializer if initializer.name.endswith("temperature")]
    if len(places) != 1:
        raise ExportError(f"the graph has {len(places)} temperatures, not one, so that confidence can't be calibrated")
    name = places[0].name
    places[0].CopyFrom(numpy_helper.from_array(np.array([temperature], np.float32), name))
    onnx.save(model, graph)


@torch.inference_mode()
def _mirror_pays(model: ImageClassifier, photos: Photos, say: Callable[[str], None]) -> bool:
    alone, both = (
        metrics.accuracy(
            photos.targets,
            np.concatenate([graph(pixels)[1].argmax(1).numpy() for pixels, _ in photos.batches(_batches(photos))]),
        )
        for graph in (Graph(model).eval(), Graph(model, mirrored=True).eval())
    )
    verdict = "accepted" if both > alone else "refused"
    say(f"with the mirror image: validation accuracy {both:.4f} ({alone:.4f} without), {verdict}")
    return both > alone


def _tell_orientation(
    graph: Path, train: Photos, photos: Photos, options: dict[str, str], say: Callable[[str], None]
) -> dict[str, Any] | None:
    """Give the graph the output `orientation`, learnt from `train`; none where it would cost upright `photos`."""

    def on_all_views(some: Photos, output: str) -> metrics.Floats:
        views = [run_graph(graph, some, options, output, quarters) for quarters in range(orientation.TURNS)]
        return np.stack(views, 1)

    logits, features = (on_all_views(photos, output) for output in ("logits", "features"))
    weight, bias = fit_orientation(on_all_views(train, "features"))
    found = orientation.measure(features @ weight + bias, logits, photos.targets)
    turned, upright = (f"{np.mean(rates[1:]):.1%}" for rates in (found.as_they_came, found.set_upright))
    verdict = "accepted" if found.pays else "refused, since upright ones would lose"
    say(f"photos turned by quarters: validation accuracy {turned} as they come, {upright} set upright, {verdict}")
    if not found.pays:
        return None
    orientation.add_output(graph, weight, bias)
    return asdict(found)


def _int8_or_float(
    graph: Path, photos: Photos, samples: Photos, say: Callable[[str], None]
) -> tuple[Path, str, dict[str, str]]:
    """The int8 graph that any processor computes right, else one that needs a slower kernel, else the float graph.

    Seven-bit weights can't overflow the 16-bit sums of processors without VNNI; where they cost too much accuracy,
    eight bits go with a session option that makes ONNX Runtime avoid those sums.
    """
    parent = metrics.accuracy(photos.targets, run_graph(graph, photos, {}).argmax(1))
    for bits, options in ((7, {}), (8, {NO_OVERFLOW: "1"})):
        candidate = graph.with_name(f"int8-{bits}.onnx")
        quantize_graph(graph, candidate, samples, reduce_range=bits == 7)
        accuracy = metrics.accuracy(photos.targets, run_graph(candidate, photos, options).argmax(1))
        accepted = parent - accuracy <= MAX_INT8_DROP
        verdict = "accepted" if accepted else "refused"
        say(f"int8, {bits}-bit weights: validation accuracy {accuracy:.4f} (float {parent:.4f}), {verdict}")
        if accepted:
            return candidate, "int8", options
    say("the float graph is kept")
    return graph, "fp32", {}


def quantize_graph(graph: Path, out: Path, samples: Photos, reduce_range: bool) -> None:
    """Write `graph` with uint8 activations and int8 weights per channel, ranges from `samples` (static quantization).

    The head stays in float, since it is a thousandth of the work and confidence hangs on it; the first convolutions
    too: on few channels the int8 kernel is the slower one, and their error goes through every layer after them.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = out.with_suffix(".prepared.onnx")
    quant_pre_process(graph, prepared, skip_symbolic_shape=True)
    nodes = onnx.load(prepared).graph.node
    head = [node.name for node in nodes if set(node.output) & set(OUTPUTS)]
    first = [node.name for node in nodes if node.op_type == "Conv"][:_FLOAT_CONVOLUTIONS]
    quantize_static(
        prepared,
        out,
        _Samples(samples),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv", "Add", "Clip"],
        nodes_to_exclude=[*first, *head],
        per_channel=True,
        reduce_range=reduce_range,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
    )


class _Samples:
    """Feeds calibration photos to ONNX Runtime's quantizer."""

    def __init__(self, photos: Photos) -> None:
        self.batches: Iterator[tuple[Tensor, Tensor]] = photos.batches(in_order(len(photos), 16))

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self.batches, None)
        return None if batch is None else {"image": batch[0].numpy()}


def _batches(photos: Photos) -> list[Any]:
    return in_order(len(photos), 32)


def _write(out: Path, graph: Path, content: dict[str, Any], weights: ImageClassifier | None) -> None:
    """Fill a folder beside `out`, then rename it, so that no half-written bundle is ever seen."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        folder = Path(scratch) / "bundle"
        folder.mkdir()
        shutil.copyfile(graph, folder / bundle.MODEL)
        if weights is not None:
            tensors = {name: t.half() if t.is_floating_point() else t for name, t in weights.state_dict().items()}
            metadata = {"architecture": weights.architecture, "labels": content["labels"]}
            save_tensors(folder / bundle.WEIGHTS, tensors, metadata)
        bundle.write_manifest(folder, content)
        folder.rename(out)
