"""A request for predictions from its upload to its answer: within the queue, memory and deadline of the service."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

from starlette.requests import ClientDisconnect, Request

from clothing_classifier.errors import ImageError, UsageError
from clothing_classifier.inference import Classifier, PredictOptions
from clothing_classifier.serving.batching import Batcher, QueuedPhoto, Result
from clothing_classifier.serving.limits import ServiceLimits
from clothing_classifier.serving.metrics import Metrics
from clothing_classifier.serving.problems import Problem, busy, image_problem
from clothing_classifier.serving.served_models import ServedModels
from clothing_classifier.serving.uploads import Hold, read_uploads
from clothing_classifier.utils import available_cpus

Outcome: TypeAlias = Result | ImageError
"""Of one photo."""


class Service:
    """What requests share. `is_ready` is true between start and shutdown."""

    def __init__(self, models: ServedModels, limits: ServiceLimits) -> None:
        self.models, self.limits, self.is_ready = models, limits, False
        self.metrics = Metrics(lambda: self.batcher.length)
        self.batcher = Batcher(available_cpus(), limits, self.metrics.batches.observe)
        self._held = 0

    async def predict(
        self, request: Request, classifier: Classifier, options: PredictOptions, with_class_map: bool
    ) -> list[tuple[str, Outcome]]:
        """Name and outcome of each photo of `request`, in order; raises `Problem` and `ClientDisconnect`.

        One of several photos may have failed; a single one that did raises its problem.
        """
        _check(classifier, options, with_class_map)
        self.batcher.check_room()
        new_future = asyncio.get_running_loop().create_future
        with self._memory() as hold:
            uploads = await read_uploads(request, self.limits, hold)
            photos = [QueuedPhoto(classifier, upload, options, with_class_map, new_future()) for upload in uploads]
            outcomes = await self._outcomes(request, photos)
        for outcome in outcomes:
            self.metrics.count_photo(classifier.manifest.name, getattr(outcome, "prediction", None))
        if len(outcomes) == 1 and isinstance(outcomes[0], ImageError):
            raise image_problem(outcomes[0])
        return [(upload.name, outcome) for upload, outcome in zip(uploads, outcomes, strict=True)]

    @contextmanager
    def _memory(self) -> Iterator[Hold]:
        """Yield a function that counts bytes as held until the block ends."""
        taken = 0

        def hold(count: int) -> None:
            nonlocal taken
            if self._held + count > self.limits.held_bytes:
                raise busy("too many uploads arrive at a time")
            self._held += count
            taken += count

        try:
            yield hold
        finally:
            self._held -= taken

    async def _outcomes(self, request: Request, photos: list[QueuedPhoto]) -> list[Outcome]:
        deadline = self.limits.deadline
        self.batcher.submit(photos)
        results = asyncio.gather(*(photo.result for photo in photos), return_exceptions=True)
        gone = asyncio.create_task(_wait_for_disconnect(request))
        try:
            await asyncio.wait((results, gone), timeout=deadline, return_when=asyncio.FIRST_COMPLETED)
            if results.done():
                return [_without_faults(result) for result in results.result()]
            if gone.done():
                raise ClientDisconnect
            advice = "send the request again later" if len(photos) == 1 else "send fewer photos in a request"
            raise busy(f"no answer to {len(photos)} photos within {deadline:g} s", advice)
        finally:
            gone.cancel()
            for photo in photos:
                photo.result.cancel()
            self.batcher.drop_cancelled()


def _check(classifier: Classifier, options: PredictOptions, with_class_map: bool) -> None:
    if options.min_precision is not None:
        try:
            classifier.operating_point(options.min_precision)
        except UsageError as error:
            raise Problem("bad-query", f"min_precision: {error}") from error
    if with_class_map and "class_map" not in classifier.outputs:
        raise Problem("bad-query", "class_map: this model gives none; leave it out")


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _without_faults(result: Result | BaseException) -> Outcome:
    if isinstance(result, Result | ImageError):
        return result
    raise result
