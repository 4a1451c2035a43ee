"""`Classifier`: photos in, labels out, by ONNX Runtime over a bundle; the same in the shell and in Python."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from clothing_classifier.errors import ImageError, UsageError
from clothing_classifier.evaluation.calibration import PrecisionPoint, operating_point
from clothing_classifier.evaluation.predictions import check_distribution
from clothing_classifier.inference.bundle import DEFAULT, Bundle, Manifest, load_bundle
from clothing_classifier.inference.orientation import OUTPUT as ORIENTATION
from clothing_classifier.inference.orientation import estimate_rotation, rotate
from clothing_classifier.inference.session import open_bundle
from clothing_classifier.preprocessing import Pixels, Source, prepare
from clothing_classifier.utils import available_cpus

Probabilities = npt.NDArray[np.float32]
_Outputs: TypeAlias = dict[str, Probabilities]

_BATCH = 1
"""Photos a thread decodes and evaluates at once. More of them leave the caches, and save next to no calls."""
_AHEAD = 16
"""Photos given to each thread before the first is answered, so that a slow one in front leaves none idle."""


@dataclass(frozen=True)
class Candidate:
    """A label and its calibrated probability."""

    label: str
    confidence: float


@dataclass(frozen=True)
class Prediction:
    """The label of a photo; where it failed, `error` says why, and where it abstained, `label` is the best candidate.

    `ood_score` in [0, 1] is the out-of-distribution score: how far the photo is from all training photos, high where
    it shows no garment; None where the photo failed. `rotation` is by how many degrees clockwise the photo was rotated
    before it was classified: 0, 90, 180 or 270.
    """

    label: str | None
    confidence: float | None
    abstained: bool
    top: tuple[Candidate, ...]
    error: str | None = None
    ood_score: float | None = None
    rotation: int = 0

    @staticmethod
    def failed(error: ImageError) -> "Prediction":
        """Of a photo that can't be read."""
        return Prediction(None, None, False, (), str(error))

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as `clothing predict --format json` prints it beside the path."""
        return {**vars(self), "top": [{**vars(one)} for one in self.top]}  # `asdict` takes ten times as long


@dataclass(frozen=True)
class _View:
    """The graph's outputs for one view of a photo: probabilities `(K,)`, OOD score, and its clockwise quarter turns."""

    probabilities: Probabilities
    ood_score: float
    quarter_turns: int = 0


@dataclass(frozen=True)
class PredictOptions:
    """Options of a prediction: see `Classifier.predict`."""

    top: int = 3
    min_precision: float | None = None


class Classifier:
    """Labels photos with a bundle. Safe to share between threads.

    Of many photos, each of `threads` (None: as many as this process may use processors) decodes and evaluates `batch`
    at a time. Neither changes which photos are answered, nor in which order. Raises `UsageError` where one is below 1.
    A photo that seems to lie on its side or upside down is rotated and classified again, where the bundle has an
    `orientation` output; `correct_orientation=False` skips that for photos that are known to be upright. `outputs`
    names the graph's outputs.

    >>> Classifier.load().predict("photo.jpg").label
    'T-Shirt'
    """

    def __init__(
        self, bundle: Bundle, threads: int | None = None, batch: int = _BATCH, correct_orientation: bool = True
    ) -> None:
        self.bundle, self.correct_orientation = bundle, correct_orientation
        self.threads, self.batch = available_cpus() if threads is None else threads, batch
        if self.threads < 1 or batch < 1:
            raise UsageError(f"threads {self.threads}, batch {batch}; each is at least 1")
        self.session = open_bundle(bundle)
        self.outputs = frozenset(output.name for output in self.session.get_outputs())
        wanted = ("probabilities", "ood_score", *((ORIENTATION,) if correct_orientation else ()))
        self._outputs = [name for name in wanted if name in self.outputs]

    def __reduce__(self) -> tuple[type["Classifier"], tuple[Bundle, int, int, bool]]:
        # A session can't be handed to another process, and is opened there anew.
        return Classifier, (self.bundle, self.threads, self.batch, self.correct_orientation)

    def __repr__(self) -> str:
        return f"<Classifier {self.manifest.name} of {self.bundle.path}>"

    @classmethod
    def load(
        cls,
        model: str | Path = DEFAULT,
        threads: int | None = None,
        batch: int = _BATCH,
        correct_orientation: bool = True,
    ) -> "Classifier":
        """Load a shipped bundle by name, or any by its folder or zip file; raises `BundleError`."""
        return cls(load_bundle(model), threads, batch, correct_orientation)

    @property
    def manifest(self) -> Manifest:
        """What `bundle.json` says."""
        return self.bundle.manifest

    @property
    def labels(self) -> list[str]:
        """The classes, in the order of the graph's outputs."""
        return list(self.bundle.manifest.labels)

    def predict(self, source: Source, top: int = 3, min_precision: float | None = None) -> Prediction:
        """Label one photo: a path, bytes, a binary file object, an array or a PIL image.

        `top` candidates are listed, all where it is at or above the number of classes. With `min_precision` in (0, 1],
        predictions abstain that are less confident than those which kept it on validation. Raises `ImageError`, and
        `UsageError` for a `top` below 1 or a precision that validation never reached.
        """
        threshold = self._threshold(top, min_precision)
        return self._prediction(self._classify(prepare(source, self.bundle.contract)[None])[0], top, threshold)

    def predict_many(
        self,
        sources: Iterable[Source],
        top: int = 3,
        min_precision: float | None = None,
        is_idle: Callable[[], bool] = lambda: False,
    ) -> Iterator[Prediction]:
        """Label photos in the order given, in all threads; an unreadable one has its reason in `error`.

        `sources` is read a few photos ahead, and while it waits for its next one no prediction comes. Where that takes
        long, `is_idle` tells that the next one is not there yet: then the waiting photos are predicted first. What
        `sources` raises is raised after the predictions of what it gave; `TypeError` for what is no photo, as `None`.
        """
        threshold = self._threshold(top, min_precision)
        for outcome in self._classify_many(sources, is_idle):
            if isinstance(outcome, ImageError):
                yield Prediction.failed(outcome)
            else:
                yield self._prediction(outcome, top, threshold)

    def probabilities(self, sources: Iterable[Source]) -> Iterator[Probabilities | ImageError]:
        """Yield for each photo, in order, its probabilities `(K,) float32` or why it can't be read."""
        for outcome in self._classify_many(sources):
            yield outcome if isinstance(outcome, ImageError) else outcome.probabilities

    def run(self, pixels: Pixels, output: str = "probabilities") -> npt.NDArray[np.float32]:
        """Evaluate the graph on `(N, size, size, 3) uint8`.

        `output`: `probabilities` or `logits` `(N, K)`, `features` `(N, D)`, `class_map` `(N, K, h, w)`; or
        `ood_score` `(N,)` and `orientation` `(N, 4)`, which not every bundle has (`outputs`). Nothing is rotated.
        """
        result: npt.NDArray[np.float32] = self.session.run([output], {"image": pixels})[0]
        return result

    def _classify_many(
        self, sources: Iterable[Source], is_idle: Callable[[], bool] = lambda: False
    ) -> Iterator[_View | ImageError]:
        if isinstance(sources, str | bytes | bytearray | memoryview):
            raise TypeError("many photos are a list of them, or another iterable; for a single one there is `predict`")
        failures: list[Exception] = []
        remaining, most = _until_it_raises(sources, failures), self.threads * max(1, _AHEAD // self.batch)
        waiting: deque[Future[list[_View | ImageError]]] = deque()
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                while chunk := _take(remaining, self.batch, is_idle):
                    waiting.append(pool.submit(self._prepare_and_classify, chunk))
                    while waiting and (len(waiting) > most or waiting[0].done() or is_idle()):
                        yield from waiting.popleft().result()
                while waiting:
                    yield from waiting.popleft().result()
                for failure in failures:
                    raise failure
            finally:
                remaining.close()  # which may be fetching what nobody waits for any more
                pool.shutdown(wait=True, cancel_futures=True)

    def predict_pixels(self, pixels: Pixels, options: Sequence[PredictOptions]) -> list[Prediction]:
        """Label photos that are prepared, `(N, size, size, 3) uint8`, each with its `options`; raises `UsageError`."""
        thresholds = [self._threshold(each.top, each.min_precision) for each in options]
        views = self._classify(pixels)
        return [self._prediction(*one) for one in zip(views, (o.top for o in options), thresholds, strict=True)]

    def _prepare_and_classify(self, sources: Sequence[Source]) -> list[_View | ImageError]:
        outcomes: list[Pixels | ImageError] = [_try_prepare(source, self.bundle) for source in sources]
        readable = [outcome for outcome in outcomes if not isinstance(outcome, ImageError)]
        views = iter(self._classify(np.stack(readable)) if readable else ())
        return [outcome if isinstance(outcome, ImageError) else next(views) for outcome in outcomes]

    def _classify(self, pixels: Pixels) -> list[_View]:
        outputs = self._run(pixels)
        views = [_view(outputs, i) for i in range(len(pixels))]
        for i, orientation in enumerate(outputs.get(ORIENTATION, ())):
            views[i] = self._upright_view(pixels[i], views[i], orientation)
        return views

    def _upright_view(self, photo: Pixels, as_given: _View, orientation: Probabilities) -> _View:
        """The upright one of a photo's four views, which is `as_given` for nearly all photos."""
        views = {0: as_given}

        def look(quarter_turns: int) -> Probabilities:
            outputs = self._run(rotate(photo, quarter_turns)[None])
            views[quarter_turns] = _view(outputs, 0, quarter_turns)
            result: Probabilities = outputs[ORIENTATION][0]
            return result

        return views[estimate_rotation(orientation, look)]

    def _run(self, pixels: Pixels) -> _Outputs:
        return dict(zip(self._outputs, self.session.run(self._outputs, {"image": pixels}), strict=True))

    def operating_point(self, min_precision: float) -> PrecisionPoint:
        """The threshold that keeps `min_precision` on validation, with the precision and coverage that it has there.

        Raises `UsageError` where no threshold does, or where it is not in (0, 1].
        """
        if not 0 < min_precision <= 1:
            raise UsageError(f"min_precision is {min_precision:g}; give a fraction between 0 and 1, as in 0.97")
        return operating_point(self.bundle.curve, min_precision)

    def _threshold(self, top: int, min_precision: float | None) -> float:
        if top < 1:
            raise UsageError(f"top is {top}; ask for at least 1 candidate")
        return 0.0 if min_precision is None else self.operating_point(min_precision).threshold

    def _prediction(self, view: _View, top: int, threshold: float) -> Prediction:
        probabilities = view.probabilities
        check_distribution(probabilities, str(self.bundle.path), len(self.labels))
        order = np.argsort(-probabilities, kind="stable")[:top]
        candidates = tuple(Candidate(self.labels[i], round(float(probabilities[i]), 6)) for i in order)
        best = candidates[0]
        abstained = bool(probabilities[order[0]] < threshold)
        return Prediction(
            best.label, best.confidence, abstained, candidates,
            ood_score=round(view.ood_score, 6), rotation=90 * view.quarter_turns,
        )  # fmt: skip


def _until_it_raises(sources: Iterable[Source], failures: list[Exception]) -> Generator[Source, None, None]:
    try:
        yield from sources
    except Exception as error:  # what it gave before gets its answers first
        failures.append(error)


def _take(sources: Iterator[Source], most: int, is_idle: Callable[[], bool]) -> list[Source]:
    taken = []
    for source in islice(sources, most):
        taken.append(source)
        if is_idle():
            break
    return taken


def _view(outputs: _Outputs, index: int, quarter_turns: int = 0) -> _View:
    return _View(outputs["probabilities"][index], float(outputs["ood_score"][index]), quarter_turns)


def _try_prepare(source: Source, bundle: Bundle) -> Pixels | ImageError:
    try:
        return prepare(source, bundle.contract)
    except ImageError as error:
        return error
