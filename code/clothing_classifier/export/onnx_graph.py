"""The network as an ONNX graph: written, run on photos, and held against torch."""

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional as F

from clothing_classifier.errors import ExportError
from clothing_classifier.evaluation import metrics, ood, parity
from clothing_classifier.evaluation.calibration import softmax
from clothing_classifier.evaluation.parity import GATE_PHOTOS
from clothing_classifier.inference import orientation
from clothing_classifier.inference.session import open_session
from clothing_classifier.models import ImageClassifier
from clothing_classifier.training.data import Photos, in_order
from clothing_classifier.training.validation import images_from_pixels
from clothing_classifier.utils import progress_bar

OPSET, BATCH = 18, 32
OUTPUTS = ("probabilities", "logits", "features", "class_map")


class Graph(nn.Module):
    """What `model.onnx` computes: uint8 photos in, the bundle's outputs out but for OOD score and orientation.

    `mirrored` takes the mean of the feature maps of a photo and of its mirror image, at twice the work. Where the
    features are too few for the OOD score and the network names stages, the mean of the middle one's map comes last.
    """

    def __init__(self, model: ImageClassifier, mirrored: bool = False) -> None:
        super().__init__()
        self.model, self.mirrored = model, mirrored
        tells = ood.needs_middle(model.classifier.in_features) and model.stages
        self.middle = f"extractor.{model.stages[len(model.stages) // 2]}" if tells else ""
        self.outputs = (*OUTPUTS, *((ood.MIDDLE,) if tells else ()))
        # Until the fitted one takes its place. Not 1: an optimizer removes a division by 1, and no place would be left.
        self.register_buffer("temperature", torch.full((1,), 2.0))

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """`(N, H, W, 3) uint8` to `outputs`."""
        model = self.model
        feature_map, *middle = self._maps(images_from_pixels(image))
        features = feature_map.mean(dim=(2, 3))
        logits = model.classifier(features)
        class_map = F.conv2d(feature_map, model.classifier.weight[:, :, None, None])
        probabilities = (logits / self.temperature).softmax(1)
        return probabilities, logits, features, class_map, *(each.mean(dim=(2, 3)) for each in middle)

    def _maps(self, images: Tensor) -> list[Tensor]:
        """The last feature map, and the middle one where it is asked for."""
        if not self.mirrored:
            return self._look(images)
        views = [torch.unflatten(each, 0, (2, -1)) for each in self._look(torch.cat([images, images.flip(3)]))]
        return [torch.add(one, mirrored.flip(3)) / 2 for one, mirrored in (view.unbind() for view in views)]

    def _look(self, images: Tensor) -> list[Tensor]:
        if not self.middle:
            return [self.model.feature_map(images)]
        seen: list[Tensor] = []
        stage = self.model.get_submodule(self.middle)
        hook = stage.register_forward_hook(lambda module, inputs, output: seen.append(output))
        try:
            return [self.model.feature_map(images), *seen]
        finally:
            hook.remove()


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
            output_names=list(computed.outputs),
            dynamic_shapes={"image": {0: torch.export.Dim("N")}},
            verbose=False,
        )
    assert program is not None
    proto = program.model_proto
    # The exporter notes the source line of every node: paths of one machine, and an eighth of a small graph's file.
    for part in (*proto.graph.node, *proto.graph.value_info):
        del part.metadata_props[:]
    onnx.save(proto, path)


def check_against_torch(computed: Graph, graph: Path, photos: Photos) -> dict[str, Any]:
    """Compare the float graph with torch on up to 256 photos; raise `ExportError` where they disagree.

    Probabilities are compared at temperature 1, since the fitted one is not known yet.
    """
    some = np.linspace(0, len(photos) - 1, min(GATE_PHOTOS, len(photos))).astype(int)
    pixels, _ = next(iter(photos.batches([some])))
    with torch.inference_mode():
        expected = computed(pixels)[OUTPUTS.index("logits")].numpy()
    session = open_session(graph, {})
    parts = np.array_split(pixels.numpy(), -(-len(pixels) // BATCH))
    found = np.concatenate([session.run(["logits"], {"image": part})[0] for part in parts])
    return parity.check_parity(softmax(expected), softmax(found), "the graph disagrees with torch")


def run_graph(
    graph: Path, photos: Photos, options: dict[str, str], output: str = "logits", quarter_turns: int = 0
) -> metrics.Floats:
    """An output of the graph for `photos`, rotated clockwise: logits `(N, K) float32`, or another."""
    session = open_session(graph, options)
    found: list[metrics.Floats] = []
    with progress_bar(f"computing {output}", len(photos)) as advance:
        for pixels, _ in photos.batches(in_order(len(photos), BATCH)):
            found += session.run([output], {"image": orientation.rotate(pixels.numpy(), quarter_turns)})
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
