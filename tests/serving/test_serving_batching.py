"""The micro-batcher alone: what it takes, how it groups, and what becomes of a fault."""

import asyncio
import gc
import weakref
from collections.abc import Callable, Coroutine
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from helpers.running import IMAGES, ask, form, problem_of, serving

from clothing_classifier import Classifier
from clothing_classifier.errors import ImageError, ImageTooManyPixelsError
from clothing_classifier.inference import PredictOptions
from clothing_classifier.preprocessing import Limits
from clothing_classifier.serving.batching import Answer, Batcher, Job, QueueFullError
from clothing_classifier.serving.intake import _Form
from clothing_classifier.serving.limits import DEFAULT_SERVICE_LIMITS


@pytest.fixture(scope="module")
def classifiers() -> tuple[Classifier, Classifier]:
    return Classifier.load("wardrobe"), Classifier.load("benchmark-10")


def run(scenario: Callable[[Batcher], Coroutine[Any, Any, None]], batcher: Batcher) -> None:
    async def whole() -> None:
        batcher.start(asyncio.get_running_loop())
        try:
            await scenario(batcher)
        finally:
            await batcher.close(5)

    asyncio.run(whole())


def job(classifier: Classifier, path: Path, top: int = 3, with_map: bool = False) -> Job:
    return Job(classifier, path, PredictOptions(top), with_map, asyncio.get_running_loop().create_future())


def test_batches_hold_one_model_and_no_more_than_allowed(classifiers: tuple[Classifier, Classifier]) -> None:
    sizes: list[int] = []

    async def scenario(batcher: Batcher) -> None:
        jobs = [job(classifiers[index % 2], path, top=1 + index % 3) for index, path in enumerate(IMAGES[:40])]
        batcher.submit(jobs)
        assert batcher.length == 40
        answers = await asyncio.gather(*(one.answer for one in jobs))
        for index, (path, answer) in enumerate(zip(IMAGES, answers, strict=False)):
            expected = classifiers[index % 2].predict(path, top=1 + index % 3)
            assert isinstance(answer, Answer)
            assert answer.prediction.label == expected.label
            assert len(answer.prediction.top) == len(expected.top)
        assert batcher.length == 0

    run(scenario, Batcher(2, 4, 100, sizes.append))
    assert sum(sizes) == 40
    assert max(sizes) <= 4
    assert max(sizes) > 1


def test_one_photo_waits_for_no_other(classifiers: tuple[Classifier, Classifier]) -> None:
    sizes: list[int] = []

    async def scenario(batcher: Batcher) -> None:
        for path in IMAGES[:3]:
            alone = job(classifiers[0], path, with_map=True)
            batcher.submit([alone])
            answer = await alone.answer
            assert isinstance(answer, Answer)
            assert answer.class_map is not None
            assert answer.class_map.ndim == 2

    run(scenario, Batcher(2, 64, 100, sizes.append))
    assert sizes == [1, 1, 1]


def test_a_full_queue_takes_all_or_none(classifiers: tuple[Classifier, Classifier]) -> None:
    async def scenario(batcher: Batcher) -> None:
        first = [job(classifiers[0], path) for path in IMAGES[:6]]
        batcher.submit(first)  # an empty queue takes any number
        assert not batcher.has_room()
        with pytest.raises(QueueFullError):
            batcher.submit([job(classifiers[0], IMAGES[0])])
        await asyncio.gather(*(one.answer for one in first))
        assert batcher.has_room(4)

    run(scenario, Batcher(1, 2, 4, lambda _: None))


def test_a_bad_photo_is_an_answer_and_spares_its_neighbours(
    classifiers: tuple[Classifier, Classifier], tmp_path: Path
) -> None:
    async def scenario(batcher: Batcher) -> None:
        jobs = [job(classifiers[0], path) for path in (IMAGES[0], tmp_path / "nope.jpg", IMAGES[1])]
        batcher.submit(jobs)
        kinds = [type(answer) for answer in await asyncio.gather(*(one.answer for one in jobs))]
        assert kinds[0] is kinds[2] is Answer
        assert issubclass(kinds[1], ImageError)

    run(scenario, Batcher(2, 2, 10, lambda _: None))


def test_dropped_work_is_not_done(classifiers: tuple[Classifier, Classifier]) -> None:
    sizes: list[int] = []

    async def scenario(batcher: Batcher) -> None:
        jobs = [job(classifiers[0], path) for path in IMAGES[:50]]
        batcher.submit(jobs)
        batcher.drop(jobs[10:])
        assert batcher.length <= 12
        await asyncio.gather(*(one.answer for one in jobs[:10]))
        assert batcher.length <= 2

    run(scenario, Batcher(2, 2, 100, sizes.append))
    assert 10 <= sum(sizes) <= 12


def test_closing_finishes_what_is_queued(classifiers: tuple[Classifier, Classifier]) -> None:
    jobs: list[Job] = []

    async def scenario(batcher: Batcher) -> None:
        jobs.extend(job(classifiers[0], path) for path in IMAGES[:20])
        batcher.submit(jobs)
        await batcher.close(5)
        await asyncio.sleep(0)
        assert all(one.answer.done() for one in jobs)

    run(scenario, Batcher(2, 2, 100, lambda _: None))


def test_a_fault_of_ours_is_a_500_with_an_id_and_the_service_goes_on(log: Path) -> None:
    before = """
from clothing_classifier import Classifier
right = Classifier.predict_pixels
def sometimes(self, pixels, asked):
    if asked[0].top == 13:
        raise RuntimeError("broken on purpose")
    return right(self, pixels, asked)
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


def test_closing_does_not_wait_for_a_photo_without_end(classifiers: tuple[Classifier, Classifier]) -> None:
    released = Event()

    class Endless(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            released.wait(30)
            return b""

    async def scenario(batcher: Batcher) -> None:
        endless = Job(classifiers[0], Endless(), PredictOptions(3), False, asyncio.get_running_loop().create_future())
        batcher.submit([endless])
        started = asyncio.get_running_loop().time()
        await batcher.close(0.2)
        assert asyncio.get_running_loop().time() - started < 5
        released.set()

    run(scenario, Batcher(1, 1, 10, lambda _: None))


def test_a_refused_photo_does_not_outlive_its_request(classifiers: tuple[Classifier, Classifier]) -> None:
    gone: list[weakref.ref[Any]] = []

    class Photo(BytesIO):
        pass

    async def scenario(batcher: Batcher) -> None:
        one = Job(classifiers[0], Photo(b"\xff\xd8\xff no photo"), PredictOptions(3), False,
                  asyncio.get_running_loop().create_future())  # fmt: skip
        gone.append(weakref.ref(one.photo))
        batcher.submit([one])
        assert isinstance(await one.answer, ImageError)

    gc.disable()
    try:
        run(scenario, Batcher(1, 1, 10, lambda _: None))
        assert gone[0]() is None
    finally:
        gc.enable()


def test_the_limits_of_the_service_are_those_of_decoding(classifiers: tuple[Classifier, Classifier]) -> None:
    async def scenario(batcher: Batcher) -> None:
        one = job(classifiers[0], IMAGES[0])
        batcher.submit([one])
        assert isinstance(await one.answer, ImageTooManyPixelsError)

    run(scenario, Batcher(1, 1, 10, lambda _: None, Limits(pixels=100)))


def test_what_a_form_held_goes_with_it() -> None:
    body, headers = form([("a.jpg", b"\xff\xd8\xff" + bytes(5_000))])
    boundary = headers["Content-Type"].rpartition("=")[2].encode()
    gc.disable()
    try:
        receiver = _Form(boundary, DEFAULT_SERVICE_LIMITS)
        receiver.add(body)
        upload = weakref.ref(receiver.finish()[0])
        del receiver
        assert upload() is None
    finally:
        gc.enable()
