"""Micro-batching: worker threads take photos from a bounded queue, a few at once when more wait than there are threads.

Decoding and evaluation run outside Python's lock, a photo's in one thread: two threads of one photo each do more than
one photo in two threads.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from threading import Condition, Thread

import numpy as np
import numpy.typing as npt

from clothing_classifier.errors import ImageError, without_frames
from clothing_classifier.inference import Classifier, Prediction, PredictOptions
from clothing_classifier.inference.orientation import rotate
from clothing_classifier.preprocessing import Pixels, Source, prepare
from clothing_classifier.serving.limits import ServiceLimits
from clothing_classifier.serving.problems import busy

_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Result:
    """A photo's prediction and, where asked for, the map of its class, `(h, w) float32`."""

    prediction: Prediction
    class_map: npt.NDArray[np.float32] | None = None


@dataclass(eq=False)
class QueuedPhoto:
    """A photo to classify; `result` raises the `ImageError` of one that can't be used."""

    classifier: Classifier
    source: Source
    options: PredictOptions
    with_class_map: bool
    result: asyncio.Future[Result]


class Batcher:
    """A bounded queue and its worker threads. The methods are called from the event loop's thread."""

    def __init__(self, workers: int, limits: ServiceLimits, count_batch: Callable[[int], None]) -> None:
        self._limits, self._count_batch = limits, count_batch
        self._queue: deque[QueuedPhoto] = deque()
        self._in_work, self._closing = 0, False
        self._changed = Condition()
        self._threads = [Thread(target=self._work, name=f"photos-{number}", daemon=True) for number in range(workers)]

    def start(self) -> None:
        """Start the threads; results arrive in the running event loop."""
        self._loop = asyncio.get_running_loop()
        for thread in self._threads:
            thread.start()

    @property
    def length(self) -> int:
        """Photos that are waiting or being processed."""
        return len(self._queue) + self._in_work

    def check_room(self, photos: int = 1) -> None:
        """Raise a 503 problem unless `photos` more would be taken; an empty queue takes any number."""
        if self.length and self.length + photos > self._limits.queue:
            raise busy("the queue is full")

    def submit(self, photos: Sequence[QueuedPhoto]) -> None:
        """Queue `photos`, all or none; raises a 503 problem."""
        with self._changed:
            self.check_room(len(photos))
            self._queue.extend(photos)
            self._changed.notify(len(photos))

    def drop_cancelled(self) -> None:
        """Skip the photos whose results nobody waits for any more."""
        with self._changed:
            self._queue = deque(photo for photo in self._queue if not photo.result.done())

    async def close(self, seconds: float) -> None:
        """Finish what is queued and end the threads; one that is not done after `seconds` is left to itself."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        last = self._loop.time() + seconds
        while any(thread.is_alive() for thread in self._threads) and self._loop.time() < last:
            await asyncio.sleep(_POLL_SECONDS)

    def _work(self) -> None:
        while photos := self._next():
            results: Mapping[QueuedPhoto, Result | Exception]
            try:
                results = self._classify(photos)
            except Exception as error:  # a fault of ours: the requests learn of it, and the thread goes on
                results = dict.fromkeys(photos, error)
            with self._changed:
                self._in_work -= len(photos)
            self._loop.call_soon_threadsafe(_settle, results)
            del photos, results

    def _next(self) -> list[QueuedPhoto]:
        """The oldest photo and, as far as other threads have enough to do, the next ones for the same model."""
        with self._changed:
            while not self._queue:
                if self._closing:
                    return []
                self._changed.wait()
            first, share = self._queue[0], -(-len(self._queue) // len(self._threads))
            same = (photo for photo in self._queue if photo.classifier is first.classifier)
            photos = list(islice(same, min(share, self._limits.batch)))
            for photo in photos:
                self._queue.remove(photo)
            self._in_work += len(photos)
            return photos

    def _classify(self, photos: Sequence[QueuedPhoto]) -> dict[QueuedPhoto, Result | Exception]:
        classifier, results = photos[0].classifier, dict[QueuedPhoto, Result | Exception]()
        images: dict[QueuedPhoto, Pixels] = {}
        for photo in photos:
            if photo.result.done():
                continue
            try:
                images[photo] = prepare(photo.source, classifier.bundle.contract, self._limits.image)
            except ImageError as error:
                results[photo] = without_frames(error)
        if not images:
            return results
        self._count_batch(len(images))
        predictions = classifier.predict_pixels(np.stack(list(images.values())), [photo.options for photo in images])
        for (photo, image), prediction in zip(images.items(), predictions, strict=True):
            class_map = _class_map(classifier, image, prediction) if photo.with_class_map else None
            results[photo] = Result(prediction, class_map)
        return results


def _class_map(classifier: Classifier, image: Pixels, prediction: Prediction) -> npt.NDArray[np.float32]:
    """The map of the predicted class, computed on the image as it was read, rotated back onto the photo as it came."""
    quarters = prediction.rotation // 90
    class_maps = classifier.run(rotate(image, quarters)[None], "class_map")
    chosen = class_maps[0, classifier.labels.index(str(prediction.label))]
    back: npt.NDArray[np.float32] = rotate(chosen[..., None], -quarters)[..., 0]
    return back


def _settle(results: Mapping[QueuedPhoto, Result | Exception]) -> None:
    for photo, result in results.items():
        if photo.result.done():
            continue
        if isinstance(result, Result):
            photo.result.set_result(result)
        else:
            photo.result.set_exception(result)
