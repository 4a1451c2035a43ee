"""Rows of the output: their columns, and what is counted of them."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from clothing_classifier.inference import Prediction
from clothing_classifier.scoring.inputs import Input
from clothing_classifier.utils import one_line

SCHEMA = pa.schema(
    {
        "path": pa.string(),
        "label": pa.string(),
        "confidence": pa.float64(),
        "abstained": pa.bool_(),
        "top": pa.list_(pa.struct({"label": pa.string(), "confidence": pa.float64()})),
        "error": pa.string(),
        "model": pa.string(),
    }
)
WITH_PLACE = SCHEMA.append(pa.field("index", pa.int64())).append(pa.field("kind", pa.string()))
"""As an engine gives them: with the position of the input, from 0, and the kind of error."""
_SIZE = re.compile(r"^\d+ x \d+ px; ")


@dataclass
class Counts:
    """How often each label and each kind of error came."""

    rows: int = 0
    abstained: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Counts") -> None:
        """Count what `other` counted, too."""
        self.rows += other.rows
        self.abstained += other.abstained
        self.labels.update(other.labels)
        self.errors.update(other.errors)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, the most frequent first."""
        both = {"labels": _ordered(self.labels), "errors": _ordered(self.errors)}
        return {"rows": self.rows, "abstained": self.abstained, **both}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Counts":
        """What `to_dict` gave."""
        return cls(content["rows"], content["abstained"], Counter(content["labels"]), Counter(content["errors"]))


def runs(places: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Split where positions do not follow one another: between them lie parts that are done."""
    start = 0
    for i in range(1, len(places) + 1):
        if i == len(places) or places[i] != places[i - 1] + 1:
            yield start, i
            start = i


def rows_table(first: int, inputs: Sequence[Input], predictions: Sequence[Prediction], model: str) -> pa.Table:
    """A table of `WITH_PLACE`, of inputs that stand one after another from the position `first` on."""
    columns = {
        "path": [item.path for item in inputs],
        "label": [prediction.label for prediction in predictions],
        "confidence": [prediction.confidence for prediction in predictions],
        "abstained": [prediction.abstained for prediction in predictions],
        "top": [[vars(candidate) for candidate in prediction.top] for prediction in predictions],
        "error": [prediction.error for prediction in predictions],
        "model": [model] * len(inputs),
        "index": range(first, first + len(inputs)),
        "kind": [_kind(*pair) for pair in zip(inputs, predictions, strict=True)],
    }
    return pa.table(columns, WITH_PLACE)


def count(table: pa.Table) -> Counts:
    """What is counted of a table of `WITH_PLACE`."""
    labels, kinds = (_count_values(table[name]) for name in ("label", "kind"))
    return Counts(table.num_rows, pc.sum(table["abstained"]).as_py() or 0, labels, kinds)


def _kind(item: Input, prediction: Prediction) -> str | None:
    """What an error has in common with others: no names, no sizes, no details in parentheses."""
    if prediction.error is None:
        return None
    if item.fault is not None:
        return "the row of the table names no photo"
    reason = prediction.error.removeprefix(f"{one_line(item.name)}: ")
    return _SIZE.sub("", reason).partition(" (")[0]


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _count_values(column: pa.ChunkedArray) -> Counter[str]:
    pairs = pc.value_counts(column.drop_null()).to_pylist()
    return Counter({pair["values"]: pair["counts"] for pair in pairs})
