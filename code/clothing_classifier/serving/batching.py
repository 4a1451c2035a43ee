"""Micro-batching: worker threads decode photos and evaluate them, a few at once when several are ready.

A worker takes what is there: with nothing else waiting, a photo is evaluated as soon as it is decoded, so that batches
cost no time at low load. Decoding and evaluation both run outside Python's lock, a photo's in one thread, since two
threads of one photo each do more than one photo in two threads.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from threading import Condition, Thread

import numpy as np
import numpy.typing as npt

from clothing_classifier.errors import ImageError, without_frames
from clothing_classifier.inference import Classifier, Prediction, PredictOptions
from clothing_classifier.inference.orientation import rotate
from clothing_classifier.preprocessing import DEFAULT_LIMITS, Limits, Pixels, Source, prepare

_LOOK_AGAIN = 0.02
"""Seconds."""


class QueueFullError(Exception):
    """There is no room for these photos now."""


@dataclass(frozen=True)
class Answer:
    """A photo's prediction and, where options for, the map of its class, `(h, w) float32`."""

    prediction: Prediction
    class_map: npt.NDArray[np.float32] | None = None


@dataclass(eq=False)
class Job:
    """One photo to answer; `answer` gets an `Answer`, or the `ImageError` that says why there is none."""

    classifier: Classifier
    photo: Source
    options: PredictOptions
    with_map: bool
    answer: asyncio.Future[Answer | ImageError]
    dropped: bool = False
    """Set when nobody waits any more."""
    pixels: Pixels | None = field(default=None, repr=False)


Outcome = Answer | ImageError | BaseException


class Batcher:
    """A bounded queue and the threads that work it off. Its methods are called from the event loop's thread."""

    def __init__(
        self,
        workers: int,
        batch: int,
        capacity: int,
        observe_batch: Callable[[int], None],
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._batch, self._capacity, self._observe, self._limits = batch, capacity, observe_batch, limits
        self._undecoded: deque[Job] = deque()
        self._decoded: deque[Job] = deque()
        self._unanswered, self._closing = 0, False
        self._changed = Condition()
        self._threads = [Thread(target=self._work, name=f"photos-{number}", daemon=True) for number in range(workers)]

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the threads; answers arrive in `loop`."""
        self._loop = loop
        for thread in self._threads:
            thread.start()

    @property
    def length(self) -> int:
        """Photos that are waiting or being worked on."""
        return self._unanswered

    def has_room(self, photos: int = 1) -> bool:
        """Whether `photos` more would be taken; an empty queue takes any number."""
        return not self._unanswered or self._unanswered + photos <= self._capacity

    def submit(self, jobs: Sequence[Job]) -> None:
        """Queue `jobs`, all or none; raises `QueueFullError`."""
        with self._changed:
            if not self.has_room(len(jobs)):
                raise QueueFullError
            self._unanswered += len(jobs)
            self._undecoded.extend(jobs)
            self._changed.notify(len(jobs))

    def drop(self, jobs: Iterable[Job]) -> None:
        """Leave undone what is not done yet of `jobs`, for which nobody waits any more."""
        with self._changed:
            for job in jobs:
                job.dropped = True
            for queue in (self._undecoded, self._decoded):
                kept = [job for job in queue if not job.dropped]
                self._release(len(queue) - len(kept))
                queue.clear()
                queue.extend(kept)

    async def close(self, seconds: float) -> None:
        """Finish what is queued and end the threads; one that is not done after `seconds` is left to itself."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        last = self._loop.time() + seconds
        while any(thread.is_alive() for thread in self._threads) and self._loop.time() < last:
            await asyncio.sleep(_LOOK_AGAIN)

    def _work(self) -> None:
        while work := self._next():
            try:
                outcomes = self._evaluate(work) if work[0].pixels is not None else self._decode(work[0])
            except Exception as error:  # a fault of ours: the requests learn of it, and the thread goes on
                outcomes = [(job, error) for job in work]
            self._hand_over(outcomes)

    def _next(self) -> list[Job]:
        """One job to decode, or a batch to evaluate; waits for either, and gives nothing when it is time to end."""
        with self._changed:
            while True:
                if self._decoded and (not self._undecoded or len(self._decoded) >= self._batch):
                    return self._take_batch()
                if self._undecoded:
                    return [self._undecoded.popleft()]
                if self._closing and not self._unanswered:
                    return []
                self._changed.wait()

    def _take_batch(self) -> list[Job]:
        """The oldest decoded job and the next ones for the same model."""
        first = self._decoded[0]
        batch = [job for job in self._decoded if job.classifier is first.classifier][: self._batch]
        for job in batch:
            self._decoded.remove(job)
        return batch

    def _decode(self, job: Job) -> list[tuple[Job, Outcome]]:
        try:
            job.pixels = prepare(job.photo, job.classifier.bundle.contract, self._limits)
        except ImageError as error:
            return [(job, without_frames(error))]
        with self._changed:
            if job.dropped:
                self._release(1)
            else:
                self._decoded.append(job)
        return []

    def _evaluate(self, jobs: Sequence[Job]) -> list[tuple[Job, Outcome]]:
        self._observe(len(jobs))
        classifier = jobs[0].classifier
        pixels = np.stack([job.pixels for job in jobs if job.pixels is not None])
        predictions = classifier.predict_pixels(pixels, [job.options for job in jobs])
        outcomes: list[tuple[Job, Outcome]] = []
        for index, (job, prediction) in enumerate(zip(jobs, predictions, strict=True)):
            class_map = _map_of(classifier, pixels[index], prediction) if job.with_map else None
            outcomes.append((job, Answer(prediction, class_map)))
        return outcomes

    def _release(self, jobs: int) -> None:
        self._unanswered -= jobs
        if self._closing:
            self._changed.notify_all()

    def _hand_over(self, outcomes: Sequence[tuple[Job, Outcome]]) -> None:
        if not outcomes:
            return
        with self._changed:
            self._release(len(outcomes))
        self._loop.call_soon_threadsafe(_settle, outcomes)


def _map_of(classifier: Classifier, photo: Pixels, prediction: Prediction) -> npt.NDArray[np.float32]:
    """The class map of the view that was read, turned back onto the photo as it came."""
    quarters = prediction.rotation // 90
    class_maps = classifier.run(rotate(photo, quarters)[None], "class_map")
    chosen = class_maps[0, classifier.labels.index(str(prediction.label))]
    back: npt.NDArray[np.float32] = rotate(chosen[..., None], -quarters)[..., 0]
    return back


def _settle(outcomes: Sequence[tuple[Job, Outcome]]) -> None:
    for job, outcome in outcomes:
        if job.answer.done():
            continue
        if isinstance(outcome, Answer | ImageError):
            job.answer.set_result(outcome)
        else:
            job.answer.set_exception(outcome)
