"""Limits on requests, one by one and all together; a request that exceeds one is refused."""

from dataclasses import dataclass

from clothing_classifier.preprocessing import DEFAULT_LIMITS, Limits


@dataclass(frozen=True)
class ServiceLimits:
    """Limits of the service; those on one photo are the image contract's own (`image`)."""

    image: Limits = DEFAULT_LIMITS
    files: int = 64
    """Photos in one request."""
    upload_bytes: int = 100_000_000
    """Body of one request."""
    held_bytes: int = 400_000_000
    """All bodies in memory at a time."""
    queue: int = 256
    """Photos waiting or being processed; an empty queue takes a request of any size."""
    batch: int = 2
    """Photos in one evaluation of the graph. Few fit a processor's caches better than many."""
    deadline: float = 10.0
    """Seconds from the whole request to its answer."""
    body_seconds: float = 60.0
    """Seconds in which a body must arrive."""
    idle_seconds: float = 75.0
    """Seconds without a request after which a connection closes: longer than proxies keep idle connections."""
    connections: int = 1_000
    """Open connections."""


DEFAULT_SERVICE_LIMITS = ServiceLimits()
