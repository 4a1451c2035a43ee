"""Which files a public data set has, with their SHA-256, and where they lie."""

import csv
import gzip
import io
from dataclasses import dataclass
from importlib import resources

from clothing_classifier.datasets.origins import RemoteFile
from clothing_classifier.errors import UsageError

_GITHUB = "https://raw.githubusercontent.com"
_KNOWN = {
    "clothing": ("clothing.csv.gz", "alexeygrigorev/clothing-dataset/7ed86a9cc56763b6acb35e41cb35184e43a5d218"),
    "fashion-mnist": ("fashion-mnist.csv", "zalandoresearch/fashion-mnist/master/data/fashion"),
}
DATA_SETS = tuple(_KNOWN)


@dataclass(frozen=True)
class Manifest:
    """What to fetch: the files, the URL that they lie under, and the text of dataset.csv ("" for none)."""

    name: str
    source: str
    files: tuple[RemoteFile, ...]
    table: str = ""

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


def load_manifest(name: str) -> Manifest:
    """The manifest of a data set in `DATA_SETS`; raises UsageError for any other name."""
    if name not in _KNOWN:
        raise UsageError(f"there is no data set {name!r} to fetch: choose {' or '.join(DATA_SETS)}")
    file, source = _KNOWN[name]
    data = (resources.files("clothing_classifier") / "manifests" / file).read_bytes()
    text = (gzip.decompress(data) if file.endswith(".gz") else data).decode()
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    has_table = header[0] == "image"
    folder = "images/" if has_table else ""
    files = tuple(RemoteFile(folder + row[0], int(row[1]), row[2]) for row in rows)
    table = io.StringIO(newline="")
    if has_table:
        csv.writer(table, lineterminator="\n").writerows(row[:1] + row[3:] for row in [header, *rows])
    return Manifest(name, f"{_GITHUB}/{source}", files, table.getvalue())
