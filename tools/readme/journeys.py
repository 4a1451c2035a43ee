"""Blocks of the guides: commands with what they said when benchmarks/journeys.py walked them."""

from collections.abc import Callable

from readme.records import result


def step(place: str) -> str:
    """A command and its output, `place` being JOURNEY/STEP."""
    journey, _, name = place.partition("/")
    walked = result("journeys.json")["journeys"][journey][name]
    first, *more = walked["command"].split("\n")
    shown = "\n".join([f"$ {first}", *(f"> {line}" for line in more), walked["output"]])
    return f"```console\n{shown.rstrip()}\n```"


def walked(journey: str) -> str:
    """How long all commands of a guide took."""
    record = result("journeys.json")
    steps = record["journeys"][journey].values()
    busy, wall = (sum(step[key] for step in steps) for key in ("processor_seconds", "seconds"))
    cpus, machine = record["machine"]["cpus"], record["machine"]["processor"]
    cores = "1 core" if cpus == 1 else f"{cpus} cores"
    return (
        f"All of these commands together took {busy:.0f} seconds of processor time on {cores} ({machine}), and "
        f"{wall / 60:.1f} minutes by the clock of a machine that did other work beside them."
    )


BLOCKS: dict[str, Callable[..., str]] = {"step": step, "walked": walked}
