"""What a billion photos would take: machines, hours, costs, and which part gives way first, from measured rates.

    python benchmarks/billion_photos.py [--hours 24] [--cpus 32] ...

Reads results/scoring.json and results/fetch-cost.json, and writes results/billion-photos.json. Rates are measured; what
a cloud charges and limits, and how often its machines fail, are assumptions: options of this command, with round
defaults to be replaced by your provider's figures. Cores are taken as the measured ones, and to scale as Ray did with
two of them.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any

from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.scoring.listing import task_rows
from clothing_classifier.scoring.storage import ATTEMPTS
from clothing_classifier.utils import write_json

_GIGABIT = 125e6
_KEYS_PER_LIST = 1000


def main() -> None:
    """Calculate, write, print."""
    options = _options()
    measured = json.loads(options.measured.read_text(encoding="utf-8"))
    measured["fetch"] = json.loads(options.fetch.read_text(encoding="utf-8"))
    assumed = {name: value for name, value in vars(options).items() if isinstance(value, int | float)}
    plan = calculate(measured, assumed)
    sources = {options.measured.name: measured["revision"], options.fetch.name: measured["fetch"]["revision"]}
    about = {"from": sources, "assumed": assumed}
    write_json(options.out, {**provenance(), **about, **plan})
    print(json.dumps(plan, indent=2))


def calculate(measured: dict[str, Any], assumed: dict[str, Any]) -> dict[str, Any]:
    """The plan, by step: `cluster`, `storage`, `single` (what there is one of), `failures`, `money`, `balance`."""
    photos, cpus = assumed["photos"], measured["machine"]["cpus"]
    # The rate is of files here; what it costs to get them from a store comes on top.
    here = _median([each["ray"]["rate"] for each in measured["ray"]["rounds"]]) / cpus
    rate = 1 / (1 / here + measured["fetch"]["cpu_seconds"])
    core_hours = photos / rate / 3600
    machines = math.ceil(core_hours / assumed["cpus"] / assumed["hours"])
    cluster = {
        "photos_per_second_and_core": rate,
        "core_hours": core_hours,
        "machines": machines,
        "hours": core_hours / assumed["cpus"] / machines,
        "photos_per_second": rate * assumed["cpus"] * machines,
    }
    return {
        "cluster": cluster,
        "storage": _storage(measured, assumed, cluster),
        "single": _single(measured, assumed, cluster),
        "failures": _failures(measured, assumed, cluster),
        "money": _money(assumed, cluster),
        "balance": _balance(measured, assumed, rate),
    }


def _storage(measured: dict[str, Any], assumed: dict[str, Any], cluster: dict[str, Any]) -> dict[str, float]:
    """Bytes in and out, and the requests a second against what a prefix of the store allows."""
    size, photos = measured["photos"]["mean_bytes"], assumed["photos"]
    each = cluster["photos_per_second"] / cluster["machines"] * size
    return {
        "terabytes_read": photos * size / 1e12,
        "gigabytes_written": photos * measured["stages"]["bytes_per_row"] / 1e9,
        "files": math.ceil(photos / assumed["part_rows"]),
        "gigabits_per_machine": each / _GIGABIT,
        "share_of_its_network": each / (_GIGABIT * assumed["gigabits"]),
        "prefixes": math.ceil(cluster["photos_per_second"] / assumed["reads_per_prefix"]),
    }


def _single(measured: dict[str, Any], assumed: dict[str, Any], cluster: dict[str, Any]) -> dict[str, float]:
    """The steps that one process does: hours they take, and how many machines they could feed."""
    stages, photos = measured["stages"], assumed["photos"]
    per_machine = cluster["photos_per_second"] / cluster["machines"]
    return {
        "hours_to_list_a_table": photos / stages["names_listed_per_second"] / 3600,
        "hours_to_list_a_bucket": photos / _KEYS_PER_LIST / assumed["lists_per_second"] / 3600,
        "share_of_the_collector": cluster["photos_per_second"] / stages["rows_written_per_second"],
        "machines_a_collector_serves": math.floor(stages["rows_written_per_second"] / per_machine),
    }


def _failures(measured: dict[str, Any], assumed: dict[str, Any], cluster: dict[str, Any]) -> dict[str, float]:
    """Machines expected to be lost, what that costs in work, and reads that fail for good."""
    lost = cluster["machines"] * cluster["hours"] * assumed["losses_per_machine_hour"]
    # Each core had a task in hand, and as many waited for it; the rest of the cluster goes on meanwhile.
    again = lost * assumed["cpus"] * 2 * task_rows(assumed["photos"], assumed["part_rows"])
    return {
        "machines_lost": lost,
        "photos_again": again,
        "share_again": again / assumed["photos"],
        "pause_seconds": measured["node_killed"]["longest_pause"],
        "reads_again": assumed["photos"] * assumed["failing_reads"],
        "rows_failed_by_reads": assumed["photos"] * assumed["failing_reads"] ** ATTEMPTS,
    }


def _money(assumed: dict[str, Any], cluster: dict[str, Any]) -> dict[str, float]:
    cores = cluster["machines"] * cluster["hours"] * assumed["cpus"] * assumed["core_hour_price"]
    reads = assumed["photos"] * (1 + assumed["failing_reads"]) / 1e6 * assumed["million_reads_price"]
    return {"cores": cores, "reads": reads, "total": cores + reads,
            "million_photos": (cores + reads) / assumed["photos"] * 1e6}  # fmt: skip


def _balance(measured: dict[str, Any], assumed: dict[str, Any], rate: float) -> dict[str, float]:
    """What a core's time goes to, and where the limit moves once the network runs elsewhere, on an accelerator."""
    decode, network = (measured["stages"][f"{name}_seconds"] for name in ("decode", "network"))
    fetching, without = measured["fetch"]["cpu_seconds"], 1 / (1 / rate - network)
    size = measured["photos"]["mean_bytes"]
    return {
        "fetch_share": fetching * rate,
        "decode_share": decode * rate,
        "network_share": network * rate,
        "rest_share": 1 - (fetching + decode + network) * rate,
        "faster_without_network": without / rate,
        "photos_per_second_of_a_link": assumed["gigabits"] * _GIGABIT / size,
        "cores_that_fill_a_link": assumed["gigabits"] * _GIGABIT / size / without,
    }


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measured", type=Path, default=Path("results/scoring.json"))
    parser.add_argument("--fetch", type=Path, default=Path("results/fetch-cost.json"))
    parser.add_argument("--out", type=Path, default=Path("results/billion-photos.json"))
    for name, kind, default, text in (
        ("photos", int, 1_000_000_000, "photos"),
        ("hours", float, 24.0, "hours that it may take"),
        ("cpus", int, 32, "cores of a machine"),
        ("gigabits", float, 10.0, "a machine's network, Gbit/s"),
        ("part-rows", int, 100_000, "rows of an output file"),
        ("core-hour-price", float, 0.04, "price of a core for an hour"),
        ("million-reads-price", float, 0.4, "price of a million reads of objects"),
        ("reads-per-prefix", float, 5500.0, "reads a second that the store allows below one prefix"),
        ("lists-per-second", float, 10.0, "requests a second of 1000 keys each, one after another"),
        ("losses-per-machine-hour", float, 0.01, "machines lost an hour, of each"),
        ("failing-reads", float, 0.001, "share of reads that fail and may be tried again"),
    ):
        parser.add_argument(f"--{name}", type=kind, default=default, help=f"{text}; default {default:g}")
    return parser.parse_args()


if __name__ == "__main__":
    main()
