"""Blocks of docs/scoring.md: what scoring was measured to do, and the plan for a billion photos."""

from collections.abc import Callable

from readme.records import result


def scoring() -> str:
    """Rate and memory by number of photos, and what else was measured beside it."""
    record = result("scoring.json")
    scale, predict, ray = record["scale"], record["predict"], record["ray"]
    lines = ["| photos | photos a second | peak memory, MB |", "|---|---|---|"]
    for size, rate in scale["photos_per_second"].items():
        lines.append(f"| {int(size):,} | {rate:.0f} | {scale['megabytes'][size]:.0f} |")
    killed, s3 = record["node_killed"], record["s3"]
    about = [
        f"A photo's time stays within {scale['linear_within']:.1%} of the median size's",
        (
            f"on {predict['n']:,} photos the whole process has {predict['rate_of_predict']:.0%} of the rate of "
            "`clothing predict --format json`"
        ),
        (
            f"Ray with two workers has {ray['rate_of_local']:.0%} of this process's rate from the first rows on, after "
            f"{ray['start_seconds']:.1f} s of start, and {'the same' if ray['same_rows'] else 'OTHER'} rows"
        ),
        (
            f"of three nodes one was killed: {'every' if killed['rows_in_order_once'] else 'NOT EVERY'} row of "
            f"{killed['n']:,} was there once, after a pause of {killed['longest_pause']:.0f} s"
        ),
        (
            f"an S3-compatible server failed {s3['share_of_reads_failing']:.0%} of its reads and all of five photos: "
            f"{'every' if s3['rows_once'] else 'NOT EVERY'} row of {s3['n']:,} was there once, "
            f"{s3['reported']} with an error"
        ),
    ]
    machine = record["machine"]
    return "\n".join([*lines, "", f"{'; '.join(about)}. {machine['cpus']} cores ({machine['processor']}), medians."])


def billion_photos() -> str:
    """The plan, by the order of the steps."""
    plan = result("billion-photos.json")
    assumed, cluster, storage = plan["assumed"], plan["cluster"], plan["storage"]
    single, failures, money, balance = (plan[name] for name in ("single", "failures", "money", "balance"))
    rows = [
        ("machines", (f"{cluster['machines']:,} of {assumed['cpus']} cores, {cluster['hours']:.1f} hours, "
         f"{cluster['core_hours']:,.0f} core-hours")),
        ("photos a second", (f"{cluster['photos_per_second_and_core']:.0f} a core, "
         f"{cluster['photos_per_second']:,.0f} in all")),
        ("read", (f"{storage['terabytes_read']:.0f} TB; {storage['gigabits_per_machine']:.1f} Gbit/s a machine, "
         f"{storage['share_of_its_network']:.0%} of its network; at least {storage['prefixes']} prefixes")),
        ("written", (f"{storage['gigabytes_written']:.0f} GB in {storage['files']:,} files of "
         f"{assumed['part_rows']:,} rows")),
        ("listing, one process", (f"{single['hours_to_list_a_table']:.1f} hours from a table of names, "
         f"{single['hours_to_list_a_bucket']:.0f} from the bucket")),
        ("collecting, one process", (f"{single['share_of_the_collector']:.0%} busy; would serve "
         f"{single['machines_a_collector_serves']:,} machines")),
        ("machines lost", (f"{failures['machines_lost']:.1f}; {failures['photos_again']:,.0f} photos again "
         f"({failures['share_again']:.2%})")),
        ("reads that fail", (f"{failures['reads_again']:,.0f} tried again, {failures['rows_failed_by_reads']:.6f} rows "
         "expected to fail for good")),
        ("money", (f"{money['total']:,.0f}: cores {money['cores']:,.0f}, reads {money['reads']:,.0f}; "
         f"{money['million_photos']:.2f} a million photos")),
        ("a core's time", (f"fetching {balance['fetch_share']:.0%}, decoding {balance['decode_share']:.0%}, "
         f"neural network {balance['network_share']:.0%}, the rest {balance['rest_share']:.0%}")),
        ("the neural network on an accelerator", (f"{balance['faster_without_network']:.1f} times the photos a core; "
         f"{balance['cores_that_fill_a_link']:.0f} cores would fill {assumed['gigabits']:g} Gbit/s")),
    ]  # fmt: skip
    lines = [f"| {assumed['photos']:,} photos | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows)]
    prices = f"{assumed['core_hour_price']:g} a core-hour and {assumed['million_reads_price']:g} a million reads"
    rates = f"{assumed['losses_per_machine_hour']:.0%} of the machines lost an hour, {assumed['failing_reads']:.1%}"
    limits = (
        f"{assumed['lists_per_second']:g} list requests a second; {assumed['reads_per_prefix']:,.0f} reads a second "
        "below a prefix; cores as the measured ones"
    )
    return "\n".join(
        [*lines, "", f"Assumed, not measured: {prices}; {rates} of the reads failing, independently; {limits}."]
    )


BLOCKS: dict[str, Callable[..., str]] = {"scoring": scoring, "billion-photos": billion_photos}
