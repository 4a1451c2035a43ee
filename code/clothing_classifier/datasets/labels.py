"""Labels compared by spelling: exactly, else without case where that is unambiguous."""

from collections.abc import Iterable, Sequence

from clothing_classifier.utils import plain_text


def match_labels(wanted: Iterable[str], known: Sequence[str]) -> dict[str, str]:
    """Map each of `wanted` to its spelling in `known`: exactly, else without case where that is unambiguous.

    A label without a match is left out of the result.
    """
    folded = _by_spelling(known)
    matches = {}
    for label in wanted:
        candidates = [label] if label in known else folded.get(_fold(label), [])
        if len(candidates) == 1:
            matches[label] = candidates[0]
    return matches


def _by_spelling(labels: Iterable[str]) -> dict[str, list[str]]:
    """Labels that are one but for their case, together."""
    folded: dict[str, list[str]] = {}
    for label in labels:
        folded.setdefault(_fold(label), []).append(label)
    return folded


def _fold(label: str) -> str:
    return plain_text(label).casefold()


def spelling_notes(labels: Iterable[str]) -> tuple[str, ...]:
    """A note for each set of labels that differ by case alone, which are probably one class."""
    return tuple(
        f"the labels {' and '.join(map(repr, same))} differ by case alone and count as {len(same)}: write them alike"
        for same in _by_spelling(labels).values()
        if len(same) > 1
    )
