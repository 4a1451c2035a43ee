"""What the photos are like: by class, size, brightness and group."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from clothing_classifier.audit.scan import ScannedPhoto, ScannedPhotos

QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)


def summarise(scan: ScannedPhotos) -> dict[str, Any]:
    """Plain data: photos by class and split, quantiles of size and light, groups and the share of the largest."""
    photos = scan.photos
    groups = Counter(photo.record.group for photo in photos if photo.record.group)
    return {
        "photos": len(photos),
        "unreadable": len(scan.failures),
        "classes": {label: _of_class(members) for label, members in _by_label(photos).items()},
        "formats": dict(Counter(photo.form or "array" for photo in photos).most_common()),
        "width": _quantiles([photo.width for photo in photos]),
        "height": _quantiles([photo.height for photo in photos]),
        "brightness": _quantiles([photo.brightness for photo in photos]),
        "contrast": _quantiles([photo.contrast for photo in photos]),
        **({"groups": _of_groups(groups, len(photos))} if groups else {}),
    }


def _by_label(photos: Sequence[ScannedPhoto]) -> dict[str, list[ScannedPhoto]]:
    found: dict[str, list[ScannedPhoto]] = {}
    for photo in photos:
        found.setdefault(photo.record.label, []).append(photo)
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))


def _of_class(photos: Sequence[ScannedPhoto]) -> dict[str, Any]:
    splits = Counter(photo.record.split for photo in photos if photo.record.split)
    groups = {photo.record.group for photo in photos if photo.record.group}
    return {
        "photos": len(photos),
        **({"splits": dict(splits)} if splits else {}),
        **({"groups": len(groups)} if groups else {}),
        "brightness": float(np.mean([photo.brightness for photo in photos])),
    }


def _of_groups(groups: Counter[str], n: int) -> dict[str, Any]:
    name, largest = groups.most_common(1)[0]
    return {"count": len(groups), "largest": name, "largest_fraction": largest / n, "without": n - groups.total()}


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    found = np.quantile(values, QUANTILES)
    return {f"{100 * share:g}%": float(value) for share, value in zip(QUANTILES, found, strict=True)}
