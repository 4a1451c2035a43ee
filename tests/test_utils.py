"""Files that are written whole: as readable as the user's others, or as what they replace."""

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clothing_classifier.utils import atomic_path, write_text


@pytest.fixture
def careful() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_new_files_and_folders_are_as_open_as_the_user_has_them(careful: None, tmp_path: Path) -> None:
    files = [tmp_path / str(number) / "a.txt" for number in range(400)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda file: write_text(file, "x"), files))
    assert {mode(file) for file in files} == {0o640}
    assert {mode(file.parent) for file in files} == {0o750}


@pytest.mark.parametrize("before", [0o664, 0o600, 0o400])
def test_a_file_that_is_replaced_keeps_its_mode(before: int, careful: None, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.touch()
    file.chmod(before)
    with atomic_path(file) as beside:
        beside.write_text("x")
        assert not mode(beside) & 0o077 & ~before  # what is private is at no moment open to others
    assert mode(file) == before
    assert [*tmp_path.iterdir()] == [file]
