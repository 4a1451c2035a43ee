"""Data sets fetched file by file from their host, a mirror or a folder: resumable, and every byte checked.

A manifest in the package names each file with its size and SHA-256. A file is streamed to `NAME.part` beside its
destination, checked, and only then renamed, so the same command again asks for no more than what is missing.
A data set's table, dataset.csv, is written last, once every file is in place.
"""

from dataclasses import dataclass
from pathlib import Path

from clothing_classifier.datasets.manifest import Manifest
from clothing_classifier.datasets.origins import open_origin
from clothing_classifier.datasets.transfer import DEFAULT_POLICY, Progress, RetryPolicy, Transfer
from clothing_classifier.errors import DownloadError, UsageError


@dataclass(frozen=True)
class FetchReport:
    """What a run did: how many files were fetched, and how many kept because they were there and right."""

    name: str
    folder: Path
    fetched: int
    kept: int


def fetch(
    manifest: Manifest,
    out: Path,
    source: str | None = None,
    *,
    connections: int = 8,
    progress: Progress | None = None,
    policy: RetryPolicy = DEFAULT_POLICY,
) -> FetchReport:
    """Bring every file of the manifest, and then its table, into the folder `out`; files already right are kept.

    `source` is a folder, or an http(s) URL, that the files lie under by their manifest paths (SOURCE/images/NAME);
    None means the data set's own host. `progress(files, bytes)` is told the totals so far, by one thread at a time;
    bytes go down where a damaged part is thrown away. Ctrl-C leaves nothing half-written but *.part files.

    Raises DownloadError, naming files, unless all are in place, and UsageError for a source or a number of
    connections that can't be used.
    """
    if connections < 1:
        raise UsageError(f"connections must be at least 1, not {connections}")
    origin = open_origin(source or manifest.source, connections, policy.timeout)
    transfer = Transfer(manifest, out, origin, progress or (lambda files, count: None), policy)
    try:
        _check_table(manifest, out / "dataset.csv")
        for folder in {(out / file.path).parent for file in manifest.files}:
            folder.mkdir(parents=True, exist_ok=True)
        transfer.go(connections)
        _write_table(manifest, out / "dataset.csv")
    except OSError as error:
        raise DownloadError(f"{error.filename or out}: can't be written: {error.strerror or error}") from error
    finally:
        origin.close()
    return FetchReport(manifest.name, out, transfer.fetched, transfer.kept)


def _check_table(manifest: Manifest, path: Path) -> None:
    # Labels corrected by hand, or another data set in the same folder, must not vanish under a download.
    if manifest.table and path.exists() and path.read_bytes() != manifest.table.encode():
        raise DownloadError(f"{path} exists and is not {manifest.name}'s table: move it away or choose another folder")


def _write_table(manifest: Manifest, path: Path) -> None:
    if manifest.table and not path.exists():
        part = path.with_name(path.name + ".part")
        part.write_bytes(manifest.table.encode())
        part.replace(path)
