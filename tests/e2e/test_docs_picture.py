"""The picture of a terminal in docs/terminal.svg. `docs/generate.py --check` says whether it is current."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

import picture
from picture import BACKGROUND, COLOURS, COLUMNS, Run

SVG = "{http://www.w3.org/2000/svg}"


def luminance(colour: str) -> float:
    """Relative luminance; source: WCAG 2.2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", COLOURS.values())
def test_text_can_be_read(colour: str) -> None:
    assert (luminance(colour) + 0.05) / (luminance(BACKGROUND) + 0.05) >= 4.5


def test_the_picture_is_self_contained_and_fits_into_a_page() -> None:
    text = picture.PICTURE.read_text(encoding="utf-8")
    root = ET.fromstring(text)  # noqa: S314 - the project's own file
    assert int(root.attrib["width"]) <= 900
    assert root.find(f"{SVG}title") is not None
    assert re.findall(r"(?:href|src|xmlns|url)[=(]\"?([^\")]*)", text) == [
        "http://www.w3.org/2000/svg"
    ]  # no font, no image
    for element in root.iter(f"{SVG}text"):
        end = float(element.attrib["x"]) + float(element.attrib["textLength"])
        assert end <= int(root.attrib["width"]) - picture.MARGIN + 0.1
        assert float(element.attrib["y"]) < int(root.attrib["height"])
    shown = "\n".join(element.text or "" for element in root.iter(f"{SVG}text")).replace("\xa0", " ")
    assert all(" ".join(command) in shown for command in picture.COMMANDS)
    assert "/tmp" not in shown  # noqa: S108 - where the example was copied to


def test_two_pictures_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    first = picture.picture()
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    assert picture.picture() == first


def test_colours_are_read_and_lines_wrapped() -> None:
    (line,) = picture.styled_lines("10%\r\x1b[K\x1b[1mbold\x1b[0m \x1b[31;1mred\x1b[0m\x1b[2mdim\x1b[0m\n")
    assert line == [Run("bold", bold=True), Run(" "), Run("red", "31", bold=True), Run("dim", "dim")]
    lines = list(picture.styled_lines("a" * (COLUMNS + 1) + "\n\nb"))
    assert lines == [[Run("a" * COLUMNS)], [Run("a")], [], [Run("b")]]


def test_markup_is_text() -> None:
    drawn = picture.svg([[Run("<b> & "), Run("  x")]])
    texts = [element.text for element in ET.fromstring(drawn).iter(f"{SVG}text")]  # noqa: S314 - made above
    assert texts == ["<b>\xa0&", "x"]
