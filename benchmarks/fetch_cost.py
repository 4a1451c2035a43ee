"""What does it cost a processor to get a photo from an S3-compatible store, whatever the network?

    python benchmarks/fetch_cost.py --photos datasets/clothing/images

Writes results/fetch-cost.json: processor time of this process for each photo read, as scoring reads them, from a server
(moto) in another one. benchmarks/billion_photos.py adds it to the rates that benchmarks/scoring.py measured on files.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.scoring.entry import Entry
from clothing_classifier.scoring.photos import load
from clothing_classifier.scoring.storage import resolve
from clothing_classifier.utils import write_json


def main() -> None:
    """Fill a bucket, read it round by round, write each round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of photos")
    parser.add_argument("-n", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("results/fetch-cost.json"))
    options = parser.parse_args()
    paths = sorted(options.photos.iterdir())[: options.n]
    command = [sys.executable, str(Path(__file__).with_name("faulty_s3.py")), "--faults", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert server.stdout
        os.environ.update(AWS_ENDPOINT_URL=server.stdout.readline().strip(), AWS_ACCESS_KEY_ID="test",
                          AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1")  # fmt: skip
        entries = _fill(paths)
        rounds = [_read(entries) for _ in range(options.rounds)]
    finally:
        server.kill()
        server.wait()
    mean_bytes = statistics.mean(path.stat().st_size for path in paths)
    seconds = statistics.median(rounds)
    about = {"n": len(paths), "mean_bytes": mean_bytes, "rounds": rounds, "cpu_seconds": seconds}
    write_json(options.out, provenance() | about)
    print(f"{1000 * seconds:.2f} ms of a core a photo of {mean_bytes / 1000:.0f} kB")


def _fill(paths: list[Path]) -> list[Entry]:
    files, _ = resolve("s3://photos")
    files.mkdir("photos")
    for path in paths:
        files.pipe_file(f"photos/{path.name}", path.read_bytes())
    urls = [f"s3://photos/{path.name}" for path in paths]
    return [Entry(url, url) for url in urls]


def _read(entries: list[Entry]) -> float:
    """Processor seconds a photo, of all threads."""
    started = time.process_time()
    for photo in load(entries, None):
        if isinstance(photo, str) or not photo.read():
            sys.exit(f"{photo}: not fetched")
    return (time.process_time() - started) / len(entries)


if __name__ == "__main__":
    main()
