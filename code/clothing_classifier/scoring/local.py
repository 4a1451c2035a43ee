"""The engine that needs nothing else: all processors of this machine, in this process."""

from collections.abc import Iterator, Sequence
from itertools import islice, tee

import pyarrow as pa

from clothing_classifier.inference import Classifier, PredictOptions
from clothing_classifier.scoring import photos
from clothing_classifier.scoring.entry import Entry
from clothing_classifier.scoring.listing import Listing
from clothing_classifier.scoring.rows import rows_table, runs

_ROWS = 256


def score_here(
    classifier: Classifier, listing: Listing, parts: Sequence[int], options: PredictOptions, column: str | None
) -> Iterator[pa.Table]:
    """Yield the rows of `parts` in order, a few at a time: `rows.WITH_PLACE`."""
    placed, read = tee((place, entry) for part in parts for place, entry in _placed(listing, part))
    sources = photos.load((entry for _, entry in read), column)
    answers = zip(placed, classifier.predict_many(sources, options.top, options.min_precision), strict=True)
    while rows := list(islice(answers, _ROWS)):
        for start, stop in runs([place for (place, _), _ in rows]):
            entries = [entry for (_, entry), _ in rows[start:stop]]
            predictions = [prediction for _, prediction in rows[start:stop]]
            yield rows_table(rows[start][0][0], entries, predictions, classifier.bundle.sha256)


def _placed(listing: Listing, part: int) -> Iterator[tuple[int, Entry]]:
    return enumerate(listing.read(part), part * listing.part_rows)
