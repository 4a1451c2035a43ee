"""How fast does `clothing score` go on, what does it keep in memory, and does every input get its row whatever dies?

    python benchmarks/scoring.py --photos datasets/clothing/images [--sizes 1000 4000 16000 64000]

Writes results/scoring.json. Run it on an idle machine. Lists longer than the folder repeat its photos. Measured, each
in processes of its own: time and memory by number of photos; the rate beside that of `clothing predict`; Ray with two
workers beside this process, both from their first rows on, since Ray's start takes seconds; a Ray cluster of three
nodes of which one is killed; an S3-compatible server of which a tenth of the reads fails; and what the plan for a
billion photos (benchmarks/billion_photos.py) needs: the rates of listing, decoding, the network and of writing.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from measures import CLOTHING, peak_megabytes  # type: ignore[import-not-found]

from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.inference import Classifier
from clothing_classifier.preprocessing import prepare
from clothing_classifier.scoring.collection import entries
from clothing_classifier.scoring.listing import Listing, write_listing
from clothing_classifier.scoring.output import Output
from clothing_classifier.scoring.rows import WITH_PLACE
from clothing_classifier.scoring.run import assemble
from clothing_classifier.utils import write_json

_HERE = Path(__file__).parent
_PART_ROWS = 512
MAX_LOAD = 0.5


def main() -> None:
    """Measure, write every round, and print what matters."""
    options = _options()
    record = provenance() | {"load_average_before": os.getloadavg()[0]}
    if record["load_average_before"] > MAX_LOAD:
        _say("warning: the machine is busy")
    files = sorted(map(str, options.photos.resolve().iterdir()))
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        bench = Bench(Path(scratch), files)
        _say("once unmeasured, so that files are cached and modules compiled")
        bench.score(min(options.sizes))
        record |= {
            "photos": {"files": len(files), "mean_bytes": statistics.mean(Path(file).stat().st_size for file in files)},
            "scale": scale(bench, options.sizes, options.rounds),
            "predict": against_predict(bench, options.n, options.rounds),
            "ray": against_ray(bench, options.n, options.rounds),
            "node_killed": node_killed(bench, options.n),
            "s3": s3(bench, options.s3),
            "stages": stages(bench, options.n),
        }
    write_json(options.out, record)
    _print(record)


class Bench:
    """Lists of photos and runs on them, in a folder for scratch."""

    def __init__(self, folder: Path, files: Sequence[str]) -> None:
        self.folder, self.files = folder, files

    def paths(self, count: int) -> list[str]:
        """`count` photos, from the front again where there are too few."""
        return [self.files[i % len(self.files)] for i in range(count)]

    def list(self, count: int) -> Path:
        """A CSV file that names them."""
        file = self.folder / f"{count}.csv"
        file.write_text("path\n" + "".join(f"{path}\n" for path in self.paths(count)), encoding="utf-8")
        return file

    def output(self) -> Path:
        """A new folder."""
        return Path(tempfile.mkdtemp(dir=self.folder)) / "out"

    def score(self, count: int) -> dict[str, Any]:
        """Run the command on `count` photos: whole seconds, peak memory in megabytes, and its report."""
        command = [CLOTHING, "score", "--input", str(self.list(count)), "--output", str(self.output())]
        return _child([*command, "--format", "json"])

    def run(self, where: str | Path, output: Path, *more: str) -> dict[str, Any]:
        """Run benchmarks/scoring_run.py."""
        command = [sys.executable, str(_HERE / "scoring_run.py"), "--input", str(where), "--output", str(output), *more]
        return dict(_child(command)["report"])


def scale(bench: Bench, sizes: Sequence[int], rounds: int) -> dict[str, Any]:
    """Time and memory by number of photos; `linear_within` is how far a photo's time strays from the median's."""
    runs: list[dict[str, Any]] = []
    for number in range(rounds):
        for size in sizes:
            run = bench.score(size)
            report = run.pop("report")
            runs.append({"photos": size, **run, "scoring_seconds": report["seconds"]})
            _say(f"{size} photos, round {number + 1}: {run['seconds']:.1f} s, {run['megabytes']:.0f} MB")
    each = {size: [run for run in runs if run["photos"] == size] for size in sizes}
    cost = {size: statistics.median(run["scoring_seconds"] / size for run in some) for size, some in each.items()}
    memory = {size: statistics.median(run["megabytes"] for run in some) for size, some in each.items()}
    middle = statistics.median(cost.values())
    return {
        "runs": runs,
        "photos_per_second": {str(size): 1 / seconds for size, seconds in cost.items()},
        "megabytes": {str(size): value for size, value in memory.items()},
        "linear_within": max(abs(seconds / middle - 1) for seconds in cost.values()),
        "memory_growth": max(memory.values()) / min(memory.values()) - 1,
    }


def against_predict(bench: Bench, count: int, rounds: int) -> dict[str, Any]:
    """Whole processes in turn: `clothing predict - --format json`, which prints, and `clothing score`."""
    given = "".join(f"{path}\n" for path in bench.paths(count))
    results = []
    for number in range(rounds):
        theirs = _child([CLOTHING, "predict", "-", "--format", "json"], given)["seconds"]
        ours = bench.score(count)["seconds"]
        results.append({"predict": theirs, "score": ours})
        _say(f"round {number + 1}: predict {theirs:.1f} s, score {ours:.1f} s")
    ratio = statistics.median(each["predict"] / each["score"] for each in results)
    return {"n": count, "rounds": results, "rate_of_predict": ratio}


def against_ray(bench: Bench, count: int, rounds: int) -> dict[str, Any]:
    """Ray with two workers and this process, in turn; rates from the first rows on, start-up apart."""
    file, results, same = bench.list(count), [], True
    for number in range(rounds):
        sides, tables = {}, {}
        for engine, more in (("local", ()), ("ray", ("--workers", "2"))):
            output = bench.output()
            sides[engine] = _pace(bench.run(file, output, "--engine", engine, "--part-rows", str(_PART_ROWS), *more))
            tables[engine] = pq.read_table(output)
        same = same and tables["local"].equals(tables["ray"])
        results.append(sides)
        _say(f"round {number + 1}: " + ", ".join(f"{name} {side['rate']:.0f}/s" for name, side in sides.items()))
    ratio = statistics.median(each["ray"]["rate"] / each["local"]["rate"] for each in results)
    start = statistics.median(each["ray"]["first_rows_after"] for each in results)
    return {"n": count, "rounds": results, "rate_of_local": ratio, "start_seconds": start, "same_rows": same}


def node_killed(bench: Bench, count: int) -> dict[str, Any]:
    """Three nodes of one processor, one killed after a third of the rows: is every input there once?"""
    output = bench.output()
    more = ("--engine", "ray", "--nodes", "3", "--kill-after", str(count // 3), "--part-rows", str(_PART_ROWS))
    run = bench.run(bench.list(count), output, *more)
    times = [seconds for seconds, _ in run["events"]]
    found = pq.read_table(output)["path"].to_pylist()
    return {
        "n": count,
        "killed_at": run["killed_at"][0],
        "seconds": run["seconds"],
        "longest_pause": max(after - before for before, after in pairwise(times)),
        "rows_in_order_once": found == bench.paths(count),
    }


def s3(bench: Bench, count: int) -> dict[str, Any]:
    """Photos in a bucket whose server fails a tenth of the reads, and all of five keys."""
    server = subprocess.Popen([sys.executable, str(_HERE / "faulty_s3.py")], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)  # fmt: skip
    try:
        assert server.stdout
        os.environ.update(AWS_ENDPOINT_URL=server.stdout.readline().strip(), AWS_ACCESS_KEY_ID="test",
                          AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1")  # fmt: skip
        from clothing_classifier.scoring.storage import resolve

        files, _ = resolve("s3://photos")
        files.mkdir("photos")
        for i, path in enumerate(bench.paths(count)):
            name = "broken" if i < 5 else "photo"
            files.pipe_file(f"photos/{name}-{i:06d}.jpg", Path(path).read_bytes())
        output = bench.output()
        run = bench.run("s3://photos/", output)
    finally:
        server.kill()
        server.wait()
    rows = pq.read_table(output).to_pylist()
    failed = [row["path"] for row in rows if row["error"]]
    return {
        "n": count,
        "share_of_reads_failing": 0.1,
        "rows_once": len({row["path"] for row in rows}) == len(rows) == count,
        "reported": len(failed),
        "only_the_broken_reported": len(failed) == 5 and all("broken" in path for path in failed),
        "photos_per_second": run["report"]["rows_per_second"],
    }


def stages(bench: Bench, count: int) -> dict[str, Any]:
    """What each step costs alone, on one thread: seconds a photo, names and rows a second, bytes a row."""
    classifier, some = Classifier.load(), bench.paths(min(count, 512))
    started = time.perf_counter()
    pixels = [prepare(path, classifier.bundle.contract) for path in some]
    decoded = time.perf_counter()
    for i in range(0, len(pixels), 8):
        classifier.run(np.stack(pixels[i : i + 8]))
    done = time.perf_counter()
    listing, names = _time_listing(bench)
    writing, size = _time_writing(bench, listing)
    return {
        "decode_seconds": (decoded - started) / len(some),
        "network_seconds": (done - decoded) / len(some),
        "names_listed_per_second": names,
        "rows_written_per_second": writing,
        "bytes_per_row": size,
    }


def _time_listing(bench: Bench) -> tuple[Listing, float]:
    file, rows = bench.list(200_000), 200_000
    started = time.perf_counter()
    listing = write_listing(bench.folder / "inputs.parquet", entries(str(file)), 4096)
    return listing, rows / (time.perf_counter() - started)


def _time_writing(bench: Bench, listing: Listing) -> tuple[float, float]:
    """The rows of a run, written again and again as the one process that collects Ray's answers would."""
    output = bench.output()
    bench.run(bench.list(4096), output)
    rows = pq.read_table(output)
    rows = rows.append_column("kind", rows["error"])

    def answers() -> Any:
        for first in range(0, listing.rows, 128):
            some = rows.slice(first % 4096, min(128, listing.rows - first))
            places = np.arange(first, first + some.num_rows)
            yield some.append_column("index", [places]).select(WITH_PLACE.names)

    target = Output(bench.output(), listing, {})
    started = time.perf_counter()
    for part, table in assemble(answers(), listing, range(listing.parts)):
        target.write(part, table)
    seconds = time.perf_counter() - started
    size = sum(path.stat().st_size for path in target.folder.glob("*.parquet"))
    return listing.rows / seconds, size / listing.rows


def _pace(run: dict[str, Any]) -> dict[str, float]:
    """The rate from the first rows on, and how long those took from the start of the process."""
    (first, rows), (last, _) = run["events"][0], run["events"][-1]
    answered = sum(count for _, count in run["events"]) - rows
    return {"rate": answered / (last - first), "first_rows_after": first, "seconds": run["seconds"]}


def _child(command: list[str], given: str = "") -> dict[str, Any]:
    """Run a process; its whole time, its peak memory, and the JSON of its last line."""
    with tempfile.TemporaryFile("w+") as stdin, tempfile.TemporaryFile("w+") as stdout:
        stdin.write(given)
        stdin.seek(0)
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{' '.join(command[:3])}: status {process.returncode}")
        stdout.seek(0)
        *_, last = stdout
    return {"seconds": seconds, "megabytes": peak_megabytes(usage), "report": json.loads(last)}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of photos")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 4000, 16000])
    parser.add_argument("-n", type=int, default=4000, help="photos of the comparisons")
    parser.add_argument("--s3", type=int, default=1000, help="photos in the bucket")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scratch", type=Path, help="folder for what is written meanwhile")
    parser.add_argument("--out", type=Path, default=Path("results/scoring.json"))
    return parser.parse_args()


def _print(record: dict[str, Any]) -> None:
    scaled = record["scale"]
    print(f"time linear within {scaled['linear_within']:.1%}, memory grows by {scaled['memory_growth']:.1%}")
    ray, rate = record["ray"], record["predict"]["rate_of_predict"]
    print(f"{rate:.0%} of predict's rate; Ray {ray['rate_of_local']:.0%} after {ray['start_seconds']:.1f} s")
    print(f"the same rows from Ray: {ray['same_rows']}")
    print(f"node killed: every row once: {record['node_killed']['rows_in_order_once']}; s3: {record['s3']}")
    print(f"stages: {record['stages']}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
