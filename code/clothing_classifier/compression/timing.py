"""How fast two graphs are, measured in turn, so that a machine that slows down slows both."""

import statistics
import time
from typing import Any

import numpy as np

from clothing_classifier.inference.bundle import Bundle
from clothing_classifier.inference.session import needed_options, open_session

CASES = {"latency": (1, 1), "latency, two threads": (1, 2), "batch": (32, 1), "batch, two threads": (32, 2)}
"""Photos at a time and threads inside the graph, by name."""


def time_bundles(bundles: dict[str, Bundle], seconds: float = 0.5, rounds: int = 5) -> dict[str, dict[str, Any]]:
    """For each case of `CASES`: milliseconds a photo of each bundle, the median of `rounds` in turn.

    `seconds` is what a bundle may take for one case. Decoding is not in it.
    """
    found: dict[str, dict[str, Any]] = {}
    for case, (batch, threads) in CASES.items():
        runs = {name: _Runner(bundle, batch, threads) for name, bundle in bundles.items()}
        for runner in runs.values():
            runner.settle(seconds / rounds)
        taken: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, runner in runs.items():
                taken[name].append(runner.milliseconds())
        found[case] = {name: statistics.median(values) for name, values in taken.items()}
    return found


class _Runner:
    """A graph with its input, run several times for one reading where it is fast."""

    def __init__(self, bundle: Bundle, batch: int, threads: int) -> None:
        self.session = open_session(bundle.graph, needed_options(bundle), threads)
        size = bundle.contract.size
        self.images = np.random.default_rng(0).integers(0, 256, (batch, size, size, 3), dtype=np.uint8)
        self.batch, self.repeats = batch, 1

    def settle(self, seconds: float) -> None:
        """Warm up, and find how often to run for a reading of about `seconds`."""
        self.milliseconds()
        self.repeats = max(1, round(1000 * seconds / (self.milliseconds() * self.batch)))

    def milliseconds(self) -> float:
        """Milliseconds a photo, the fastest of `repeats`: what else runs on the machine can only slow one."""
        best = float("inf")
        for _ in range(self.repeats):
            start = time.perf_counter()
            self.session.run(["probabilities"], {"image": self.images})
            best = min(best, time.perf_counter() - start)
        return 1000 * best / self.batch
