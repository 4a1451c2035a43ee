"""Figures that stand outside generated blocks: those that nothing would notice if they were no longer true."""

import re

_ELSEWHERE = (
    re.compile(r"<!-- results: .*?<!-- end -->", re.DOTALL),
    re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE),
    re.compile(r"`[^`\n]*`"),
    re.compile(r"\]\([^)\s]*\)"),
    re.compile(r"<[^>]*>"),
)
"""What is no prose: blocks, commands, code, the targets of links, tags."""
_YEAR = re.compile(r"(?:et al\.|and \w+) (?:1[89]|20)\d\d")
_KERNEL = re.compile(r"\b\d+x\d+\b")
_FIGURE = re.compile(r"(?<![\w.-])[+-]?\d[\w.,%]*")
"""A word that begins with a digit; int8, SHA-256 and macro-F1 are names. Not among them: the year of a citation, and
the shape of a kernel."""


def find_loose_figures(text: str) -> list[tuple[int, str]]:
    """Line and figure of each that stands in the prose of a document."""
    for pattern in (*_ELSEWHERE, _YEAR, _KERNEL):
        text = pattern.sub(lambda match: "\n" * match[0].count("\n"), text)
    return [(number, match[0]) for number, line in enumerate(text.splitlines(), 1) for match in _FIGURE.finditer(line)]
