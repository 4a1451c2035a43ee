"""Both graphs are run in every case; what they take is left to the reader."""

from clothing_classifier.compression.timing import CASES, time_bundles
from clothing_classifier.inference.bundle import load_bundle


def test_every_case_has_a_time_for_every_bundle() -> None:
    bundle = load_bundle("fashion-mnist")
    times = time_bundles({"one": bundle, "other": bundle}, seconds=0.01, rounds=1)
    assert set(times) == set(CASES)
    assert all(set(of) == {"one", "other"} and min(of.values()) > 0 for of in times.values())
