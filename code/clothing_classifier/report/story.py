"""The report on a model: one document, written as Markdown with charts and as one HTML page."""

from pathlib import Path

from clothing_classifier.report import markdown
from clothing_classifier.report.document import Document
from clothing_classifier.report.figure import to_png
from clothing_classifier.report.html import write_page
from clothing_classifier.report.sections import card, data, learning, network, results
from clothing_classifier.report.subject import Subject
from clothing_classifier.utils import write_bytes, write_text

MARKDOWN, PAGE = "report.md", "report.html"


def tell(subject: Subject) -> Document:
    """The document; a section of which nothing is known is left out, and the last one says why."""
    sections = (
        card.problem(subject),
        data.collection(subject),
        data.preprocessing(subject),
        network.architecture(subject),
        learning.training(subject),
        results.metrics(subject),
        results.results(subject),
        network.receptive_field(subject),
        network.cost(subject),
        card.model_card(subject),
        card.left_out(subject),
    )
    lead = f"{len(subject.labels)} classes, {subject.architecture.get('name', 'unknown')}, {subject.size} px"
    return Document(subject.name, lead, [section for section in sections if section])


def write(document: Document, folder: Path) -> list[Path]:
    """Write `report.md` with its charts, and `report.html`, each whole or not at all; raises `OSError`."""
    pictures = folder / markdown.FIGURES
    for picture in document.pictures:
        write_bytes(pictures / f"{picture.name}.png", to_png(picture.draw()))
    write_text(folder / MARKDOWN, markdown.render(document))
    write_page(folder / PAGE, document)
    return [folder / MARKDOWN, folder / PAGE]
