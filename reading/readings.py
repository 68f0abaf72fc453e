"""What is read in a picture: lines of words of characters.

Boxes are [x, y, width, height] of the ink in px of the upright picture.
"""
import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from common import alphabets, softmax

FAINT = 0.5      # lines with a confidence below this are shown faintly


@dataclass(frozen=True)
class Character:
    """A character."""
    text: str
    confidence: float                       # probability that it is right, 0..1
    alternatives: list[tuple[str, float]]   # the likeliest characters with their probabilities, itself first
    box: list[int]


@dataclass(frozen=True)
class Word:
    """A word."""
    text: str
    box: list[int]
    confidence: float                       # probability that all its characters are right
    characters: list[Character]
    alternatives: list[tuple[str, float]]   # the likeliest words with their probabilities, itself first


@dataclass(frozen=True)
class Line:
    """A line of words; its text has a space between them."""
    text: str
    box: list[int]
    words: list[Word]
    confidence: float = 1.0                 # mean of its words, times how sure it is that this is writing


@dataclass(frozen=True)
class Reading:
    """All that is read in a picture."""
    lines: list[Line]
    make_glyphs: Callable[[], Iterable[np.ndarray]] = field(repr=False, compare=False)
    alone: list[bool] = field(repr=False, compare=False)   # each glyph: whether it is one whole character alone

    @property
    def text(self) -> str:
        """The texts of all lines, joined by newlines."""
        return "\n".join(line.text for line in self.lines)

    @property
    def characters(self) -> list[Character]:
        """The characters of all lines."""
        return [character for line in self.lines for word in line.words for character in word.characters]

    @functools.cached_property
    def glyphs(self) -> np.ndarray:
        """The ink of each character, uint8 (characters, 28, 28); made on first use."""
        return np.array(list(self.make_glyphs()), np.uint8).reshape(-1, 28, 28)


def characters_of(probabilities: np.ndarray, boxes: Iterable[list[int]]) -> list[Character]:
    """Isolated characters, from their probabilities (n, 62) in the order of alphabets.CHARACTERS."""
    return [Character(*alternatives[0], alternatives, box) for alternatives, box in
            zip(softmax.ranked(probabilities, alphabets.CHARACTERS), boxes, strict=True)]


def line_of(text: str, words: list[Word], sure: float = 1.0) -> Line:
    """A line with its box and confidence; sure: how sure it is that this is a line of writing, 0..1."""
    confidence = np.average([word.confidence for word in words], weights=[len(word.text) for word in words])
    return Line(text, around(words), words, round(sure * float(confidence), 6))


def box_of(corners: Iterable[float], scale: float = 1.0) -> list[int]:
    """The box, in whole px of the picture, around left, top, right, bottom in units of `scale` px."""
    left, top, right, bottom = (corner * scale for corner in corners)
    x, y = math.floor(left), math.floor(top)
    return [x, y, math.ceil(right) - x, math.ceil(bottom) - y]


def around(parts: Iterable[Character | Word]) -> list[int]:
    """The box around the boxes of characters or words."""
    x, y, width, height = np.array([part.box for part in parts]).T
    return box_of((x.min(), y.min(), (x + width).max(), (y + height).max()))
