"""What several of these measurements share: the spread over runs, and the memory of a process."""

import resource
import statistics
from collections.abc import Sequence


def mean_and_spread(values: Sequence[float]) -> dict[str, float]:
    """Mean, and standard deviation where there are two values or more."""
    return {"mean": statistics.mean(values)} | ({"spread": statistics.stdev(values)} if len(values) > 1 else {})


def peak_megabytes(usage: resource.struct_rusage) -> float:
    """The most memory that a process held, in 10^6 bytes; Linux counts it in KiB."""
    return usage.ru_maxrss * 1024 / 1e6
