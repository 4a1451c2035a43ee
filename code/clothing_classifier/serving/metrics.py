"""Counters of the service in Prometheus' text format: requests, errors, latency, queue, batches, labels."""

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from clothing_classifier.inference import Prediction

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.02, 0.03, 0.045, 0.06, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_PHOTOS = (1, 2, 4, 8, 16, 32)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody reads


class Metrics:
    """Counters of one application; `queue_length` is called whenever they are read."""

    def __init__(self, queue_length: Callable[[], float]) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "clothing_requests", "Requests answered, by address and status.", ["route", "status"], registry=registry
        )
        self._errors = Counter("clothing_errors", "Requests refused, by kind of problem.", ["kind"], registry=registry)
        about = "Seconds from a request's headers to the end of its answer."
        self._seconds = Histogram("clothing_request_seconds", about, ["route"], buckets=_SECONDS, registry=registry)
        queue = Gauge("clothing_queue_photos", "Photos waiting or being processed.", registry=registry)
        queue.set_function(queue_length)
        self.batches = Histogram(
            "clothing_batch_photos", "Photos evaluated at once.", buckets=_PHOTOS, registry=registry
        )
        self._labels = Counter("clothing_labels", "Photos by predicted label.", ["model", "label"], registry=registry)
        self._abstentions = Counter("clothing_abstentions", "Abstained photos.", ["model"], registry=registry)
        self._bad_photos = Counter("clothing_bad_photos", "Unusable photos.", registry=registry)

    def count_request(self, route: str, status: int, seconds: float, problem: str | None) -> None:
        """Count an answered request; `problem` is the kind of its problem document, if it had one."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        if problem:
            self._errors.labels(problem).inc()

    def count_photo(self, model: str, prediction: Prediction | None) -> None:
        """Count a classified photo, or an unusable one."""
        if prediction is None:
            self._bad_photos.inc()
        elif prediction.abstained:
            self._abstentions.labels(model).inc()
        else:
            self._labels.labels(model, prediction.label).inc()

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)
