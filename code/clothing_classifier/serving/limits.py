"""What one client, and all of them together, may ask of the service; over any of these a request is refused."""

from dataclasses import dataclass

from clothing_classifier.preprocessing import DEFAULT_LIMITS, Limits


@dataclass(frozen=True)
class ServiceLimits:
    """Bounds on requests; those on one photo are the image contract's own (`image`)."""

    image: Limits = DEFAULT_LIMITS
    files: int = 64
    """Photos in one request."""
    parts: int = 128
    """Parts of a multipart body, photos among them."""
    upload_bytes: int = 100_000_000
    """One request's body."""
    held_bytes: int = 400_000_000
    """All bodies held in memory at a time; a request that would go over it is told to come back."""
    queue: int = 256
    """Photos that wait or are worked on; one request may always fill an empty queue."""
    batch: int = 2
    """Photos that one evaluation of the graph takes at most. On a processor's caches, few are faster than many."""
    map_cells: int = 4_096
    """Cells of a class map that an answer carries."""
    deadline: float = 10.0
    """Seconds from the arrival of the whole request to its answer."""
    body_seconds: float = 60.0
    """Seconds that a body may take to arrive."""
    stall_seconds: float = 10.0
    """Seconds without a byte of a body, or of a request's headers, after which a client is given up."""
    header_bytes: int = 32_768
    """A request's line and headers together."""
    connections: int = 1_000
    """Open connections; fewer where the system allows the process fewer files."""


DEFAULT_SERVICE_LIMITS = ServiceLimits()
