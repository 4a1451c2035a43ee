"""How the model was trained, and how to reproduce it."""

from functools import partial

from clothing_classifier.report import pictures, tables
from clothing_classifier.report.document import Code, Part, Picture, Section, Text
from clothing_classifier.report.subject import Subject


def training(subject: Subject) -> Section:
    """Optimizer, schedule, batch, epochs, regularisation, history and the command."""
    parts: list[Part] = [tables.training_table(subject.record, subject.settings)]
    if subject.history:
        draw = partial(pictures.draw_history, subject.history)
        parts.append(Picture("history", draw, "loss, validation metrics and learning rate by epoch"))
    record = subject.record
    versions, machine = ", ".join(map(" ".join, record["versions"].items())), record["machine"]
    parts += [Text("The command:"), Code(record["command"])]
    parts.append(Text(f"It ran with {versions}; {machine['system']}, {machine['cpus']} x {machine['processor']}."))
    return Section("Approach: Training", parts)
