"""`Input`: a photo to score, by name; listed, hashed and handed to workers before any photo is read."""

from typing import NamedTuple


class Input(NamedTuple):
    """Where one photo is.

    `path` is what the output calls it, as given. The photo is the file or URL `source`, or it is the row `row` of row
    group `group` of the Parquet file `table`; or it can't be found at all, and `fault` says why.
    """

    path: str
    source: str | None = None
    table: str | None = None
    group: int | None = None
    row: int | None = None
    fault: str | None = None

    @property
    def name(self) -> str:
        """What errors call it."""
        return self.source or self.path
