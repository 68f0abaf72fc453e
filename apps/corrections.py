"""Characters that a person has corrected, kept as long as their ink is there, whatever is written beside it."""
import itertools
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from apps import boxes, strokes
from apps.boxes import Box
from common import alphabets
from reading.readings import Character, Line, Reading, Word, reading_of

KEPT = 0.5          # share of a corrected character's ink that has to be there still
ALIKE = 0.5         # boxes of one character, read twice, have so much in common of what either covers
SAME = 0.5          # and so much of the smaller, where other characters are seen in the same ink than before


class Place(NamedTuple):
    """A character of a reading with what it is part of."""
    line: Line
    word: Word
    character: Character
    glyph: np.ndarray    # uint8 (28, 28): its ink
    alone: bool          # whether the glyph shows all of it and nothing else


def places(reading: Reading) -> list[Place]:
    """All characters of a reading in order."""
    glyphs, alone = iter(reading.glyphs), iter(reading.alone)
    return [Place(line, word, character, next(glyphs), next(alone))
            for line in reading.lines for word in line.words for character in word.characters]


def place_of(box: Box, found: list[Place]) -> Place | None:
    """The character whose ink lies in a box."""
    number = _most_alike(box, [place.character.box for place in found])
    return None if number is None else found[number]


class Correction(NamedTuple):
    """A text in the place of what was read, and the ink that it belongs to."""
    text: str
    box: Box
    origins: frozenset[int]              # of the strokes in the box
    ink: int                             # points of their curves in the box
    image: strokes.Underlay | None

    def holds(self, page: strokes.Drawing) -> bool:
        """Whether its ink is still on the page; ink that was written there later does not count."""
        if not self.ink:
            return self.image is page.image
        return sum(stroke.points_in(self.box) for stroke in page.strokes
                   if stroke.origin in self.origins) >= KEPT * self.ink


@dataclass(frozen=True)
class Corrected(Character):
    """A character whose text a person gave; it may stand for several that were read."""
    by: list[Correction]


class Corrections:
    """The corrections of one drawing."""

    def __init__(self):
        self._all: list[Correction] = []

    def add(self, character: Character, text: str, page: strokes.Drawing) -> None:
        """From now on the ink of this character reads `text`."""
        self.remove(character)
        inside = {stroke: stroke.points_in(character.box) for stroke in page.strokes}
        origins = frozenset(stroke.origin for stroke, count in inside.items() if count)
        self._all.append(Correction(text, character.box, origins, sum(inside.values()), page.image))

    def remove(self, character: Character) -> None:
        """Read the ink of this character as the network does."""
        if isinstance(character, Corrected):
            self._all = [one for one in self._all if one not in character.by]

    def apply(self, reading: Reading, page: strokes.Drawing) -> Reading:
        """The reading with the corrections whose ink is still there."""
        found = places(reading)
        owners: dict[int, list[Correction]] = {}   # a character's number -> what corrects it, alone or with others
        for one in sorted((one for one in self._all if one.holds(page)), key=lambda one: one.box.x):
            members = _members(one.box, [place.character.box for place in found])
            together = next((owners[number] for number in members if number in owners), [])
            together.append(one)
            owners |= dict.fromkeys(members, together)
        shown: list[Place | None] = []
        for number, place in enumerate(found):
            if number in owners:
                members = [other for other in sorted(owners) if owners[other] is owners[number]]
                place = (_corrected([found[member] for member in members], owners[number]) if number == members[0]
                         else None)
            shown.append(place)
        return _rebuilt(reading, shown)


def _corrected(members: list[Place], by: list[Correction]) -> Place:
    """Characters with a corrected one in their place."""
    box = boxes.around(place.character.box for place in members)
    character = Corrected("".join(one.text for one in by), 1.0, members[0].character.alternatives, box, by)
    return members[0]._replace(character=character, alone=members[0].alone and len(members) == 1)


def _rebuilt(reading: Reading, found: list[Place | None]) -> Reading:
    """The reading with other characters in the place of its own, or with None for none."""
    rest, lines, kept = iter(found), [], [place for place in found if place]
    for line in reading.lines:
        words = []
        for word in line.words:
            characters = [place.character for place in itertools.islice(rest, len(word.characters)) if place]
            if characters:
                words.append(replace(word, text="".join(one.text for one in characters), characters=characters))
        if words:
            lines.append(replace(line, text=" ".join(word.text for word in words), words=words))
    return reading_of(lines, lambda: [place.glyph for place in kept], [place.alone for place in kept])


def _members(box: Box, others: list[Box]) -> list[int]:
    """The numbers of the characters, by their boxes, that are seen in the ink of a corrected one.

    Mostly it is one in the same place.  In cursive or slanted writing a character may lie in the box of a neighbour,
    which is another character nevertheless.
    """
    place = _most_alike(box, others)
    if place is not None:
        return [place]
    return [number for number, other in enumerate(others)
            if box.cut(other).area >= SAME * max(min(box.area, other.area), 1e-6)]


def _most_alike(box: Box, others: list[Box]) -> int | None:
    """The number of the box with most in common with `box`, as a share of what both cover; None: all below ALIKE."""
    common = [box.cut(other).area for other in others]
    shares = [both / max(box.area + other.area - both, 1e-6) for both, other in zip(common, others)]
    best = max(shares, default=0.0)
    return shares.index(best) if best >= ALIKE else None


# ---- what is kept for a training

def remember(folder: str, place: Place, text: str, reading: Reading, page: strokes.Drawing) -> str:
    """Keep a corrected character for networks that read characters, and its word for those that read lines.

    text: what was corrected; "" forgets it.  place: in the reading that shows the correction.
    Returns how much there is now, in words.  Raises OSError and ValueError when it cannot be kept.
    """
    from training import corrections_store  # late: the window need not wait for it
    if place.alone and len(text) < 2 and text in alphabets.CHARACTERS:   # as "" is
        characters = corrections_store.remember(folder, place.glyph, text)
    else:
        characters = len(corrections_store.read_corrections(folder)[1])
    if page.image is None:
        corrected = any(isinstance(one, Corrected) for one in place.word.characters)
        curves = [stroke.curve for stroke in strokes_of(place.word, reading, page)]
        words = corrections_store.remember_word(folder, curves, place.word.text if corrected else "")
    else:
        words = len(corrections_store.read_corrected_words(folder))
    return f"{words} word{'s' * (words != 1)}, {characters} character{'s' * (characters != 1)}"


def strokes_of(word: Word, reading: Reading, page: strokes.Drawing) -> list[strokes.Stroke]:
    """The strokes of a drawing that belong to one word: more of each lies in its box than in any other word's."""
    words = [one for line in reading.lines for one in line.words]
    return [stroke for stroke in page.strokes
            if stroke.points_in(word.box) and word is max(words, key=lambda one: stroke.points_in(one.box))]
