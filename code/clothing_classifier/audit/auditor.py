"""`audit`: one pass over the photos, then every check, into one list of findings."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clothing_classifier.audit import checks, cleaning
from clothing_classifier.audit.duplicates import DuplicateCluster, find_duplicates
from clothing_classifier.audit.findings import KINDS, Finding, Severity
from clothing_classifier.audit.labels import find_suspects
from clothing_classifier.audit.scan import ScannedPhotos, scan_photos
from clothing_classifier.audit.summary import summarise
from clothing_classifier.datasets import Dataset
from clothing_classifier.inference import Classifier
from clothing_classifier.utils import progress_bar


@dataclass(frozen=True)
class Audit:
    """All findings, the gravest kind first; the scanned photos; and which of them `--fix` drops, by index."""

    findings: tuple[Finding, ...]
    summary: dict[str, Any]
    scan: ScannedPhotos
    dropped: frozenset[int]

    @property
    def counts(self) -> dict[str, int]:
        """How many findings of each kind that was found."""
        found = Counter(finding.kind for finding in self.findings)
        return {kind: found[kind] for kind in KINDS if found[kind]}

    @property
    def is_serious(self) -> bool:
        """Whether something was found that spoils a training or its figures."""
        return any(finding.severity is Severity.error for finding in self.findings)


def audit(dataset: Dataset, classifier: Classifier) -> Audit:
    """Look at every photo of `dataset`; `classifier` brings the features. Raises `DatasetError` if none can be read."""
    records = dataset.records
    with progress_bar("reading photos", len(records)) as advance:
        seen = scan_photos(records, classifier, advance)
    with progress_bar("looking for duplicates", len(seen)) as advance:
        clusters = find_duplicates(seen, advance)
    dropped = cleaning.plan(seen, clusters)
    labels = sorted({photo.record.label for photo in seen.photos})
    targets = np.array([labels.index(photo.record.label) for photo in seen.photos])
    suspects = find_suspects(seen.features, targets, _cluster_of(seen, clusters))
    findings = [
        *checks.bad_rows(dataset.bad_rows),
        *checks.file_faults(seen),
        *checks.duplicate_faults(seen, clusters, dropped),
        *checks.group_leaks(records),
        *checks.suspect_labels(seen, suspects, labels),
        *checks.small_classes(records),
    ]
    order = {kind: place for place, kind in enumerate(KINDS)}
    findings.sort(key=lambda finding: order[finding.kind])
    return Audit(tuple(findings), summarise(seen), seen, frozenset(dropped))


def _cluster_of(scan: ScannedPhotos, clusters: Sequence[DuplicateCluster]) -> list[int]:
    """A number for each photo, the same for all of one cluster."""
    first = {i: cluster.photos[0] for cluster in clusters for i in cluster.photos}
    return [first.get(i, i) for i in range(len(scan))]
