"""How the model was trained, and how to do it again."""

from clothing_classifier.report import tables
from clothing_classifier.report.document import Code, Part, Picture, Section, Text
from clothing_classifier.report.subject import Subject


def training(subject: Subject) -> Section | None:
    """Optimizer, schedule, batch, epochs, regularisation, the course of the run, the command; None where unknown."""
    if subject.settings is None:
        return None
    parts: list[Part] = [tables.training_table(subject.record, subject.settings)]
    if subject.history:
        parts.append(Picture("history", subject.history, "loss, validation scores and learning rate by epoch"))
    parts += [Text("The command, and the versions that it ran with:"), Code(subject.record["command"])]
    versions = ", ".join(f"{name} {version}" for name, version in subject.record["versions"].items())
    machine = subject.record["machine"]
    parts.append(Text(f"{versions}; {machine['system']}, {machine['cpus']} x {machine['processor']}."))
    return Section("Approach: Training", parts)
