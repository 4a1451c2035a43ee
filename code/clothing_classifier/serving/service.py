"""What happens to a request for predictions: room, upload, queue, answer; within a deadline, while somebody waits."""

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request

from clothing_classifier.errors import ImageError, UsageError
from clothing_classifier.inference import Classifier, PredictOptions
from clothing_classifier.serving.batching import Answer, Batcher, Job, QueueFullError
from clothing_classifier.serving.catalogue import Catalogue
from clothing_classifier.serving.intake import Budget, Upload, read_uploads
from clothing_classifier.serving.limits import ServiceLimits
from clothing_classifier.serving.metrics import Metrics
from clothing_classifier.serving.problems import Problem, busy, image_problem
from clothing_classifier.utils import available_cpus


@dataclass(frozen=True)
class Answered:
    """A photo's name and its answer, or the error that says why it has none."""

    name: str
    outcome: Answer | ImageError


class Service:
    """The parts that requests share. `ready` is true between start and shutdown."""

    def __init__(self, catalogue: Catalogue, limits: ServiceLimits) -> None:
        self.catalogue, self.limits, self.ready = catalogue, limits, False
        self.metrics = Metrics(lambda: self.batcher.length)
        self.batcher = Batcher(available_cpus(), limits.batch, limits.queue, self.metrics.count_batch, limits.image)
        self._budget = Budget(limits.held_bytes)

    async def answer(
        self, request: Request, classifier: Classifier, options: PredictOptions, with_map: bool
    ) -> list[Answered]:
        """The photos of `request` in their order; raises `Problem`, and `ClientDisconnect` where nobody waits.

        Of several photos a bad one has its error in its place; a single bad one is a problem.
        """
        self._check(classifier, options, with_map)
        if not self.batcher.has_room():
            raise busy("the queue is full")
        with self._budget.lease() as lease:
            uploads = await read_uploads(request, self.limits, lease)
            outcomes = await self._outcomes(request, uploads, classifier, options, with_map)
        self._count(classifier, outcomes)
        if len(outcomes) == 1 and isinstance(outcomes[0], ImageError):
            raise image_problem(outcomes[0])
        return [Answered(upload.name, outcome) for upload, outcome in zip(uploads, outcomes, strict=True)]

    def _check(self, classifier: Classifier, options: PredictOptions, with_map: bool) -> None:
        if options.min_precision is not None:
            try:
                classifier.operating_point(options.min_precision)
            except UsageError as error:
                raise Problem("bad-query", f"min_precision: {error}") from error
        cells = self.catalogue.map_cells(classifier)
        if with_map and not cells:
            raise Problem("bad-query", "class_map: this model gives none; leave it out")
        if with_map and cells > self.limits.map_cells:
            raise Problem(
                "bad-query", f"class_map: this model's has {cells} cells; the limit is {self.limits.map_cells}"
            )

    async def _outcomes(
        self, request: Request, uploads: list[Upload], classifier: Classifier, options: PredictOptions, with_map: bool
    ) -> list[Answer | ImageError]:
        loop = asyncio.get_running_loop()
        jobs = {
            index: Job(classifier, upload.rewound(), options, with_map, loop.create_future())
            for index, upload in enumerate(uploads)
            if upload.error is None
        }
        try:
            self.batcher.submit(list(jobs.values()))
        except QueueFullError:
            raise busy("the queue is full") from None
        try:
            answers = iter(await self._wait(request, [job.answer for job in jobs.values()]))
        except BaseException:
            self.batcher.drop(jobs.values())
            raise
        return [next(answers) if index in jobs else _error(upload) for index, upload in enumerate(uploads)]

    async def _wait(
        self, request: Request, answers: list[asyncio.Future[Answer | ImageError]]
    ) -> list[Answer | ImageError]:
        together = asyncio.gather(*answers, return_exceptions=True)
        gone = asyncio.create_task(_disconnection(request))
        waited: list[asyncio.Future[Any]] = [together, gone]
        try:
            await asyncio.wait(waited, timeout=self.limits.deadline, return_when=asyncio.FIRST_COMPLETED)
            if together.done():
                return [_sound(outcome) for outcome in together.result()]
            if gone.done():
                raise ClientDisconnect
            late = f"within {self.limits.deadline:g} s"
            if len(answers) > 1:
                raise busy(f"no answer to {len(answers)} photos {late}", "send fewer in a request, or this one later")
            raise busy(f"no answer {late}")
        finally:
            gone.cancel()
            for answer in answers:
                answer.cancel()

    def _count(self, classifier: Classifier, outcomes: list[Answer | ImageError]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, ImageError):
                self.metrics.count_bad_photo()
            else:
                self.metrics.count_prediction(classifier.manifest.name, outcome.prediction)


async def _disconnection(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _sound(outcome: Answer | BaseException) -> Answer | ImageError:
    """An answer, or why a photo has none; a fault of ours is raised."""
    if isinstance(outcome, Answer | ImageError):
        return outcome
    raise outcome


def _error(upload: Upload) -> ImageError:
    assert upload.error is not None
    return upload.error
