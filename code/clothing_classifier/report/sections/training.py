"""How the model was trained, and how to reproduce it."""

from functools import partial

from clothing_classifier.report import charts, tables
from clothing_classifier.report.document import Chart, Code, Part, Section, Text
from clothing_classifier.report.subject import Subject


def training(subject: Subject) -> Section:
    """Optimizer, schedule, batch, epochs, regularisation, history and the command."""
    record = subject.record
    settings = tables.settings_table(subject.settings, "image", "model", "optimization", "distillation", "runtime")
    parts: list[Part] = [tables.run_table(record), settings]
    if subject.history:
        draw = partial(charts.draw_history, subject.history)
        parts.append(Chart("history", draw, "loss, validation metrics and learning rate by epoch"))
    versions, machine = ", ".join(map(" ".join, record["versions"].items())), record["machine"]
    parts += [Text("The command:"), Code(record["command"])]
    parts.append(Text(f"It ran with {versions}; {machine['system']}, {machine['cpus']} x {machine['processor']}."))
    return Section("Approach: Training", parts)
