"""A truncated or damaged file is answered whole or refused in one line."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from helpers.pictures import (
    CONTRACT,
    FITS,
    SAMPLES,
    STILL,
    answer,
    assert_one_line,
    encode,
    encode_heic,
    garment,
    photo,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from clothing_classifier import errors
from clothing_classifier.preprocessing import Fit, ImageContract, prepare


@pytest.mark.parametrize("name", SAMPLES)
def test_a_truncated_file_is_refused_unless_every_pixel_is_there(name: str) -> None:
    data = SAMPLES[name]
    whole = prepare(data, CONTRACT)
    lengths = {*range(0, len(data), max(1, len(data) // 40)), *range(1, 13), len(data) - 1}
    for length in sorted(lengths):
        outcome = answer(data[:length])
        if isinstance(outcome, errors.ImageError):
            assert_one_line(outcome)
        else:
            np.testing.assert_array_equal(outcome, whole, err_msg=f"{length} of {len(data)} bytes")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("name", STILL)
def test_a_truncated_still_is_called_damaged(name: str, share: float) -> None:
    data = SAMPLES[name]
    assert isinstance(answer(data[: int(len(data) * share)]), errors.ImageCorruptError)


def test_a_truncated_heic_is_called_damaged() -> None:
    data = encode_heic(garment(), quality=90)
    for length in range(12, len(data), len(data) // 40):
        assert isinstance(answer(data[:length]), errors.ImageCorruptError), length


def test_a_truncated_large_jpeg_is_refused_at_reduced_scale_too() -> None:
    for options in ({}, {"progressive": True}):
        data = encode(photo(800, 600), "JPEG", **options)
        for share in (0.3, 0.6, 0.9, 0.99):
            assert isinstance(answer(data[: int(len(data) * share)]), errors.ImageCorruptError)


@settings(max_examples=500)
@given(
    name=st.sampled_from(sorted(SAMPLES)),
    # Half of the damage goes to the first bytes, where the structure is.
    flips=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.booleans(), st.integers(0, 255)), min_size=1, max_size=12
    ),
    fit=st.sampled_from(FITS),
)
def test_damaged_bytes_give_a_square_or_an_error_of_one_line(
    name: str, flips: list[tuple[float, bool, int]], fit: Fit
) -> None:
    data = bytearray(SAMPLES[name])
    for where, early, value in flips:
        data[int(where * (min(len(data), 200) if early else len(data)))] = value
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        outcome = answer(bytes(data), ImageContract(32, fit))
    assert caught == []
    if isinstance(outcome, errors.ImageError):
        assert_one_line(outcome)
    else:
        assert outcome.shape == (32, 32, 3)
        assert outcome.dtype == np.uint8


@settings(max_examples=200)
@given(st.sampled_from([b"", *(data[:16] for data in SAMPLES.values())]), st.binary(max_size=300))
def test_random_bytes_behind_a_signature_are_refused_or_answered(start: bytes, rest: bytes) -> None:
    outcome = answer(start + rest)
    if isinstance(outcome, errors.ImageError):
        assert_one_line(outcome)
    else:
        assert outcome.shape == (32, 32, 3)
