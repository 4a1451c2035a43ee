"""What one photo costs on one core: reads paths from standard input and prints mean seconds as JSON.

Processor time of this thread, so that other work on the machine counts less; preparing and evaluating take turns, as in
`predict`. Gives the bound that `benchmarks speed predict` measures the command against.
"""

import json
import os
import sys
import time

from clothing_classifier.inference import Classifier
from clothing_classifier.preprocessing import prepare

WARM_UP = 20


def measure(classifier: Classifier, paths: list[str]) -> dict[str, float]:
    """Mean seconds a photo to prepare it and to evaluate it."""
    prepared = evaluated = 0.0
    for path in paths:
        started = time.thread_time()
        pixels = prepare(path, classifier.bundle.contract)[None]
        between = time.thread_time()
        classifier.run(pixels)
        prepared, evaluated = prepared + between - started, evaluated + time.thread_time() - between
    return {"prepare_seconds": prepared / len(paths), "network_seconds": evaluated / len(paths)}


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    classifier, paths = Classifier.load(sys.argv[1]), sys.stdin.read().splitlines()
    measure(classifier, paths[:WARM_UP])
    print(json.dumps(measure(classifier, paths)))
