"""What several test modules share."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the repository that holds the real data sets; a test that needs it is skipped without it."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"needs the data sets in {SHARED / 'data'}")
    return SHARED
