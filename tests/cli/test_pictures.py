# SPDX-License-Identifier: Apache-2.0
"""The pictures in docs/pictures show what the program draws: each is made anew, and its text compared but
for times."""

import re

import pytest
from pictures import FOLDER, THEMES, VIEWS, WIDTHS, name_of, opened, picture
from svg import draw, text_of
from terminal import Screen


@pytest.fixture(scope="module")
def screens():
    with opened() as shop:
        return {(view, columns): picture(shop, words, columns)
                for view, words in VIEWS.items() for columns in WIDTHS}


def comparable(drawn: str) -> list:
    """The words without times. A longer time leaves less room for a last column that is cut."""
    text = "\n".join("  ".join(line) for line in text_of(drawn))
    return re.sub(r".{0,3}…$", "…", re.sub(r"\b\d+[smhd]\b", "TIME", text), flags=re.M).splitlines()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("view", VIEWS)
def test_it_shows_what_is_drawn(screens, view, columns, theme):
    kept = (FOLDER / name_of(view, columns, theme)).read_text()
    assert comparable(kept) == comparable(draw(screens[view, columns], theme)), \
        "make the pictures anew: tests/cli/pictures.py"


def test_no_picture_is_left_over():
    names = {name_of(view, columns, theme)
             for view in VIEWS for columns in WIDTHS for theme in THEMES}
    assert {path.name for path in FOLDER.glob("*.svg")} == names


def test_a_picture_has_colours_and_places():
    screen = Screen(12, 2)
    screen.feed("a  <b> \x1b[32m●●\x1b[m·")
    drawn = draw(screen, "dark")
    assert text_of(drawn) == [["a", "<b>", "●●", "·"]]
    assert f'fill="{THEMES["dark"]["32"]}">●●' in drawn
    assert len({piece.partition('"')[0] for piece in drawn.split('<tspan x="')[1:]}) == 4
