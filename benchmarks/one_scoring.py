"""One scoring run in a process of its own; prints when rows came, as JSON.

With --nodes it makes a Ray cluster of so many nodes on this machine (`ray.cluster_utils`), one processor each, and with
--kill-after one node is killed, without a farewell, once so many rows are answered.
"""

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

STARTED = time.monotonic()


def main(
    input: str, output: Path, engine: str = "local", workers: int | None = None, part_rows: int = 4096, nodes: int = 0,
    kill_after: int = 0,
) -> None:  # fmt: skip
    """Score, and print the report with the time of each answer."""
    from clothing_classifier.inference import Classifier
    from clothing_classifier.scoring.run import Job, score

    events: list[tuple[float, int]] = []
    cpu: list[float] = []
    killed: list[float] = []
    with _cluster(nodes) as kill:

        def watch(rows: int) -> None:
            events.append((time.monotonic() - STARTED, rows))
            cpu.append(time.process_time())
            if kill_after and not killed and sum(count for _, count in events) >= kill_after:
                kill()
                killed.append(time.monotonic() - STARTED)

        job = Job(input, output, engine="ray" if engine == "ray" else "local", workers=workers, part_rows=part_rows)
        report = score(Classifier.load(), job, watch).to_dict()
    seconds = time.monotonic() - STARTED
    each = (cpu[-1] - cpu[0]) / max(1, sum(count for _, count in events[1:]))  # without imports and the first batch
    print(json.dumps({
        "seconds": seconds, "cpu_seconds_a_row": each, "events": events, "killed_at": killed, "report": report,
    }))  # fmt: skip


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
    typer.run(main)
