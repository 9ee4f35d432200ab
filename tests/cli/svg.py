# SPDX-License-Identifier: Apache-2.0
"""A screen (terminal.py) as a picture, and the text of such a picture."""

import re
import xml.etree.ElementTree as xml
from xml.sax.saxutils import escape

from terminal import Screen

CELL_WIDTH, LINE_HEIGHT, MARGIN, SIZE = 8.4, 19, 14, 14
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"

# What the terminal's colours look like, by the numbers that choose them.
THEMES = {
    "dark": {"back": "#0d1117", "": "#e6edf3", "2": "#7d8590", "31": "#ff7b72", "32": "#3fb950",
             "33": "#d29922", "1": "#e6edf3"},
    "light": {"back": "#ffffff", "": "#1f2328", "2": "#818b98", "31": "#cf222e", "32": "#1a7f37",
              "33": "#9a6700", "1": "#1f2328"},
}


def runs(line: list):
    """(column, text, colour) of each piece without two blanks in a row: whatever font shows it, what
    stands below each other stays so."""
    for colour_run in _colour_runs(line):
        column, text, colour = colour_run
        for piece in re.finditer(r"\S+( \S+)*", text):
            yield column + piece.start(), piece[0], colour


def _colour_runs(line: list):
    start = 0
    for column in range(1, len(line) + 1):
        if column == len(line) or line[column][1] != line[start][1]:
            yield start, "".join(sign for sign, _ in line[start:column]), line[start][1]
            start = column


def draw(screen: Screen, theme: str) -> str:
    colours = THEMES[theme]
    count = len(screen.text().splitlines())
    width = screen.columns * CELL_WIDTH + 2 * MARGIN
    height = count * LINE_HEIGHT + 2 * MARGIN
    rows = "".join(_row(screen.lines[row], row, colours) for row in range(count))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" '
            f'width="{width:.0f}" height="{height}">\n'
            f'<rect width="100%" height="100%" rx="8" fill="{colours["back"]}"/>\n'
            f'<g font-family="{FONT}" font-size="{SIZE}" xml:space="preserve">\n{rows}</g>\n</svg>\n')


def _row(line: list, row: int, colours: dict) -> str:
    y = MARGIN + (row + 0.75) * LINE_HEIGHT
    pieces = "".join(_piece(*run, colours) for run in runs(line))
    return f'<text y="{y:g}">{pieces}</text>\n'


def _piece(column: int, text: str, colour: str, colours: dict) -> str:
    x, length = MARGIN + column * CELL_WIDTH, len(text) * CELL_WIDTH
    weight = ' font-weight="bold"' if colour == "1" else ""
    return (f'<tspan x="{x:.1f}" textLength="{length:.1f}" fill="{colours[colour]}"{weight}>'
            f'{escape(text)}</tspan>')


def text_of(picture: str) -> list:
    """The words of each line."""
    space = "{http://www.w3.org/2000/svg}"
    return [[piece.text for piece in line.iter(f"{space}tspan")]
            for line in xml.fromstring(picture).iter(f"{space}text")]
