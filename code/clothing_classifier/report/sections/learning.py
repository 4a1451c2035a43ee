"""How the model was trained, and how to reproduce it."""

from functools import partial

from clothing_classifier.report import pictures, tables
from clothing_classifier.report.document import Code, Part, Picture, Section, Text
from clothing_classifier.report.subject import Subject


def training(subject: Subject) -> Section | None:
    """Optimizer, schedule, batch, epochs, regularisation, history, the command; None where unknown."""
    if subject.settings is None:
        return None
    parts: list[Part] = [tables.training_table(subject.record, subject.settings)]
    if subject.history:
        draw = partial(pictures.draw_history, subject.history)
        parts.append(Picture("history", draw, "loss, validation metrics and learning rate by epoch"))
    record = subject.record
    if "command" in record:
        parts += [Text("The command:"), Code(record["command"])]
    if "versions" in record and "machine" in record:
        versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
        machine = record["machine"]
        parts.append(Text(f"It ran with {versions}; {machine['system']}, {machine['cpus']} x {machine['processor']}."))
    return Section("Approach: Training", parts)
