"""The batcher alone: what it takes, how it groups, and what becomes of a fault."""

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from helpers.running import IMAGES, ask, problem_of, serving

from clothing_classifier import Classifier
from clothing_classifier.errors import ImageError, ImageTooManyPixelsError
from clothing_classifier.inference import PredictOptions
from clothing_classifier.preprocessing import Limits, Source
from clothing_classifier.serving.batching import Batcher, QueuedPhoto, Result
from clothing_classifier.serving.limits import ServiceLimits
from clothing_classifier.serving.problems import Problem

Scenario = Callable[[Batcher], Awaitable[None]]


@pytest.fixture(scope="module")
def classifiers() -> tuple[Classifier, Classifier]:
    return Classifier.load("wardrobe"), Classifier.load("benchmark-10")


def run(scenario: Scenario, workers: int = 1, **limits: Any) -> list[int]:
    """Run `scenario` and give the sizes of the batches that were evaluated."""
    sizes: list[int] = []
    batcher = Batcher(workers, ServiceLimits(**limits), sizes.append)

    async def whole() -> None:
        batcher.start()
        try:
            await scenario(batcher)
        finally:
            await batcher.close(5)

    asyncio.run(whole())
    return sizes


def queued(classifier: Classifier, source: Source, top: int = 3, with_class_map: bool = False) -> QueuedPhoto:
    options = PredictOptions(top)
    return QueuedPhoto(classifier, source, options, with_class_map, asyncio.get_running_loop().create_future())


def test_batches_hold_one_model_and_no_more_than_allowed(classifiers: tuple[Classifier, Classifier]) -> None:
    async def scenario(batcher: Batcher) -> None:
        photos = [queued(classifiers[index % 2], path, top=1 + index % 3) for index, path in enumerate(IMAGES[:40])]
        batcher.submit(photos)
        assert batcher.length == 40
        results = await asyncio.gather(*(photo.result for photo in photos))
        for index, (path, result) in enumerate(zip(IMAGES, results, strict=False)):
            expected = classifiers[index % 2].predict(path, top=1 + index % 3)
            assert result.prediction.label == expected.label
            assert len(result.prediction.top) == len(expected.top)
        assert batcher.length == 0

    sizes = run(scenario, workers=2, batch=4)
    assert sum(sizes) == 40
    assert 1 < max(sizes) <= 4


def test_one_photo_waits_for_no_other(classifiers: tuple[Classifier, Classifier]) -> None:
    async def scenario(batcher: Batcher) -> None:
        for path in IMAGES[:2]:
            alone = queued(classifiers[0], path, with_class_map=True)
            batcher.submit([alone])
            result = await alone.result
            assert result.class_map is not None
            assert result.class_map.ndim == 2
        both = [queued(classifiers[0], path) for path in IMAGES[:2]]
        batcher.submit(both)  # one for each thread
        await asyncio.gather(*(photo.result for photo in both))

    assert run(scenario, workers=2, batch=64) == [1, 1, 1, 1]


def test_a_full_queue_takes_all_or_none(classifiers: tuple[Classifier, Classifier]) -> None:
    async def scenario(batcher: Batcher) -> None:
        first = [queued(classifiers[0], path) for path in IMAGES[:6]]
        batcher.submit(first)  # an empty queue takes any number
        with pytest.raises(Problem, match="the queue is full"):
            batcher.submit([queued(classifiers[0], IMAGES[0])])
        await asyncio.gather(*(photo.result for photo in first))
        batcher.check_room(4)

    run(scenario, queue=4)


def test_a_bad_photo_spares_its_neighbours(classifiers: tuple[Classifier, Classifier], tmp_path: Path) -> None:
    async def scenario(batcher: Batcher) -> None:
        photos = [queued(classifiers[0], path) for path in (IMAGES[0], tmp_path / "nope.jpg", IMAGES[1])]
        batcher.submit(photos)
        good, bad, other = await asyncio.gather(*(photo.result for photo in photos), return_exceptions=True)
        assert isinstance(good, Result)
        assert isinstance(other, Result)
        assert isinstance(bad, ImageError)

    run(scenario, batch=3)


def test_cancelled_work_is_not_done(classifiers: tuple[Classifier, Classifier]) -> None:
    async def scenario(batcher: Batcher) -> None:
        photos = [queued(classifiers[0], path) for path in IMAGES[:50]]
        batcher.submit(photos)
        for photo in photos[10:]:
            photo.result.cancel()
        batcher.drop_cancelled()
        await asyncio.gather(*(photo.result for photo in photos[:10]))
        assert batcher.length <= 2

    assert 10 <= sum(run(scenario, workers=2)) <= 14


def test_closing_finishes_what_is_queued(classifiers: tuple[Classifier, Classifier]) -> None:
    async def scenario(batcher: Batcher) -> None:
        photos = [queued(classifiers[0], path) for path in IMAGES[:20]]
        batcher.submit(photos)
        await batcher.close(30)
        await asyncio.sleep(0)
        assert all(photo.result.done() for photo in photos)

    run(scenario)


def test_closing_does_not_wait_for_a_photo_without_end(classifiers: tuple[Classifier, Classifier]) -> None:
    released = Event()

    class Endless(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            released.wait(60)
            return b""

    async def scenario(batcher: Batcher) -> None:
        batcher.submit([queued(classifiers[0], Endless())])
        await batcher.close(0.2)
        assert batcher.length == 1
        released.set()

    run(scenario)


def test_a_refused_photo_does_not_outlive_its_request(classifiers: tuple[Classifier, Classifier]) -> None:
    gone: list[weakref.ref[Any]] = []

    class Photo(BytesIO):
        pass

    async def scenario(batcher: Batcher) -> None:
        photo = queued(classifiers[0], Photo(b"\xff\xd8\xff no photo"))
        gone.append(weakref.ref(photo.source))
        batcher.submit([photo])
        [result] = await asyncio.gather(photo.result, return_exceptions=True)
        assert isinstance(result, ImageError)

    gc.disable()
    try:
        run(scenario)
        assert gone[0]() is None
    finally:
        gc.enable()


def test_the_limits_of_the_service_are_those_of_decoding(classifiers: tuple[Classifier, Classifier]) -> None:
    async def scenario(batcher: Batcher) -> None:
        photo = queued(classifiers[0], IMAGES[0])
        batcher.submit([photo])
        with pytest.raises(ImageTooManyPixelsError):
            await photo.result

    run(scenario, image=Limits(pixels=100))


def test_a_fault_of_ours_is_a_500_with_an_id_and_the_service_goes_on(log: Path) -> None:
    before = """
from clothing_classifier import Classifier
right = Classifier.predict_pixels
def sometimes(self, pixels, options):
    if options[0].top == 13:
        raise RuntimeError("broken on purpose")
    return right(self, pixels, options)
Classifier.predict_pixels = sometimes
"""
    with serving(log, "--model", "wardrobe", before=before) as server:
        for _ in range(4):
            reply = ask(server, "/v1/predict?top=13", IMAGES[0].read_bytes())
            assert reply.status == 500
            assert reply.headers["x-request-id"] in problem_of(reply)["detail"]
        assert ask(server, "/v1/predict?top=12", IMAGES[0].read_bytes()).status == 200
        assert 'clothing_errors_total{kind="internal"} 4.0' in ask(server, "/metrics").body.decode()
        assert "broken on purpose" in server.entry("event", "fault")["traceback"]
