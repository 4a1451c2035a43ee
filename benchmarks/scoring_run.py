"""One scoring run of benchmarks/scoring.py in a process of its own; prints when rows came, as JSON.

With --nodes it makes a Ray cluster of so many nodes on this machine (`ray.cluster_utils`), one processor each, and with
--kill-after one node is killed, without a farewell, once so many rows are answered.
"""

import argparse
import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STARTED = time.monotonic()


def main() -> None:
    """Score, and print the report with the time of each answer."""
    options = _options()
    from clothing_classifier.inference import Classifier
    from clothing_classifier.scoring.run import Job, score

    events: list[tuple[float, int]] = []
    killed: list[float] = []
    with _cluster(options.nodes) as kill:

        def watch(rows: int) -> None:
            events.append((time.monotonic() - STARTED, rows))
            if options.kill_after and not killed and sum(count for _, count in events) >= options.kill_after:
                kill()
                killed.append(time.monotonic() - STARTED)

        job = Job(options.input, options.output, engine=options.engine, workers=options.workers,
                  part_rows=options.part_rows)  # fmt: skip
        report = score(Classifier.load(options.model), job, watch).to_dict()
    seconds = time.monotonic() - STARTED
    print(json.dumps({"seconds": seconds, "events": events, "killed_at": killed or None, "report": report}))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--model", default="wardrobe")
    parser.add_argument("--engine", choices=["local", "ray"], default="local")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--part-rows", type=int, default=4096)
    parser.add_argument("--nodes", type=int, default=0)
    parser.add_argument("--kill-after", type=int, default=0)
    return parser.parse_args()


@contextmanager
def _cluster(nodes: int) -> Iterator[Callable[[], None]]:
    if not nodes:
        yield lambda: None
        return
    import ray
    from ray.cluster_utils import Cluster

    cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    others = [cluster.add_node(num_cpus=1) for _ in range(nodes - 1)]
    cluster.wait_for_nodes()
    ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.ERROR)
    try:
        yield lambda: cluster.remove_node(others[-1], allow_graceful=False)
    finally:
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    main()
