"""Class folders: each image's label is the name of its folder, its split that of the folder above, if any."""

import os
from collections.abc import Iterator
from pathlib import Path

from clothing_classifier.datasets.records import PARTS, BadRow, Dataset, Record
from clothing_classifier.datasets.table import TABLE
from clothing_classifier.errors import DatasetError
from clothing_classifier.utils import plain_text

_UNREAD = (".avif", ".jxl", ".jp2")
"""Images that can't be read, and are named for that rather than passed over."""
_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", *_UNREAD)
)
"""A file is image-named where its name ends so; what it holds is for `preprocessing` to say."""


def load_class_folders(root: Path) -> Dataset:
    """Load `label/*.jpg` or `split/label/*.jpg`; raises `DatasetError` where there are none, or both."""
    folders = _subfolders(root)
    parts = {folder: PARTS[folder.name.lower()] for folder in folders if folder.name.lower() in PARTS}
    if parts:
        odd = next((folder.name for folder in folders if folder not in parts), None)
        if odd:
            what = f"'{odd}' is no part of a split beside '{next(iter(parts)).name}'"
            raise DatasetError(f"{root}: {what}; have train/, validation/ and test/ alone there, or classes alone")
        parents = [root, *folders]
        pairs: list[tuple[str | None, Path]] = [
            (part, label) for folder, part in parts.items() for label in _subfolders(folder)
        ]
    else:
        parents, pairs = [root], [(None, label) for label in folders]
    records = tuple(
        Record(path.relative_to(root).as_posix(), path, plain_text(label.name), split=split)
        for split, label in pairs
        for path in image_files(label)
    )
    if not records:
        raise DatasetError(f"{root}: no {TABLE}, no class folders with images and no idx files; nothing to load")
    strays = tuple(
        BadRow(path, 0, path.relative_to(root).as_posix(), "the image is in no class folder")
        for folder in parents
        for path in _images_directly_in(folder)
    )
    return Dataset(root, records, strays)


def _subfolders(folder: Path) -> list[Path]:
    try:
        inside = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        return [path for path in inside if not left_by_mac(path.name)]
    except OSError as error:
        raise DatasetError(f"{folder}: the folder can't be read ({error.strerror})") from error


def _images_directly_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if is_image_named(path.name) and not path.is_dir())


def left_by_mac(name: str) -> bool:
    """Whether a file or folder is what a Mac keeps beside others on foreign disks and in zip files: nobody's photo."""
    return name.startswith("._") or name == "__MACOSX"


def is_image_named(name: str) -> bool:
    """Whether a file is taken for a photo in a folder; what it holds is for `preprocessing` to say."""
    return os.path.splitext(name)[1].lower() in _SUFFIXES and not left_by_mac(name)  # noqa: PTH122


def image_files(folder: Path) -> Iterator[Path]:
    """Yield the image-named files below `folder`, recursively, sorted by path; symbolic links are followed, loops not.

    A folder that can't be listed is yielded itself, so that reading it fails by name instead of being passed over.
    """
    yield from sorted(_walk(folder, frozenset()))


def _walk(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    try:
        real, entries = folder.resolve(), list(folder.iterdir())
    except OSError:
        yield folder
        return
    for path in entries:
        if os.path.isdir(path):  # noqa: PTH112 - of a path that can't be looked at it says no, and does not raise
            if path.resolve() not in above | {real} and not left_by_mac(path.name):
                yield from _walk(path, above | {real})
        elif is_image_named(path.name):
            yield path
