"""A person's corrections: each stays as long as its ink is there, whatever is written beside it.

A correction concerns one character that was read.  Its text may be several characters, or none, and a word may end or
continue after it.  So whole words can be retyped, split and joined.
"""
import difflib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from apps import boxes, strokes
from apps.boxes import Box
from apps.strokes import Correction
from common import alphabets
from reading.readings import Character, Line, Reading, Word

ALIKE = 0.5         # boxes of one character, read twice, overlap by at least this share of their union
SAME = 0.5          # ... or of the smaller one, where other characters are now read in the same ink


class Place(NamedTuple):
    """A character of a reading with its line and word."""
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


@dataclass(frozen=True)
class Corrected(Character):
    """A character whose text a person gave; it may stand for several that were read."""
    by: tuple[Correction, ...]


# ---- corrections of a drawing

def retyped(drawing: strokes.Drawing, words: Sequence[Word], typed: str) -> list[Correction]:
    """All corrections of a drawing after adjacent words were retyped; "" removes the corrections of these."""
    characters = [one for word in words for one in word.characters]
    spaces = set(itertools.accumulate(len(word.characters) for word in words[:-1]))   # after so many characters
    texts = [one.text + " " * (number in spaces) for number, one in enumerate(characters, 1)]
    changed = [found for found in zip(characters, texts, _pieces(texts, typed)) if found[1] != found[2] or not typed]
    gone = {correction for one, *_ in changed for correction in _by(one)}
    new = [_correction(drawing, *found) for found in changed] if typed else []
    return [one for one in drawing.now.corrections if one not in gone] + new


def _correction(drawing: strokes.Drawing, one: Character, before: str, text: str) -> Correction:
    inside = {stroke: stroke.points_in(one.box) for stroke in drawing.strokes}
    origins = frozenset(stroke.origin for stroke, count in inside.items() if count)
    ends = next((correction.ends for correction in _by(one)[-1:]), None)
    if text.endswith(" ") != before.endswith(" "):
        ends = text.endswith(" ")
    return Correction(text.strip(), ends, one.box, origins, sum(inside.values()))


def _by(character: Character) -> tuple[Correction, ...]:
    return character.by if isinstance(character, Corrected) else ()


def _pieces(texts: Sequence[str], typed: str) -> list[str]:
    """What was typed, cut into one piece for each text, equal to that text wherever possible."""
    owner = [number for number, text in enumerate(texts) for _ in text]
    pieces = [""] * len(texts)
    changes = difflib.SequenceMatcher(None, "".join(texts), typed, autojunk=False).get_opcodes()
    for kind, first, behind, start, end in changes:
        for offset, character in enumerate(typed[start:end]):
            place = max(first - 1, 0) if kind == "insert" else min(first + offset, behind - 1)
            pieces[owner[place]] += character
    return pieces


def apply(reading: Reading, drawing: strokes.Drawing) -> Reading:
    """The reading with the corrections whose ink is still there."""
    found = places(reading)
    by_number: dict[int, list[Correction]] = {}   # a character's number -> what corrects it, alone or with others
    for one in sorted((one for one in drawing.now.corrections if one.holds(drawing)), key=lambda one: one.box.x):
        members = _members(one.box, [place.character.box for place in found])
        together = next((by_number[number] for number in members if number in by_number), [])
        together.append(one)
        by_number |= dict.fromkeys(members, together)
    shown: list[Place | None] = list(found)
    for number, by in by_number.items():
        members = sorted(other for other in by_number if by_number[other] is by)
        shown[number] = _corrected([found[member] for member in members], by) if number == members[0] else None
    lines, rest = [], iter(shown)
    for line in reading.lines:
        if words := list(_words(line, rest)):
            lines.append(replace(line, text=" ".join(word.text for word in words), words=words))
    kept = [place for place in shown if place and place.character.text]
    return Reading(lines, lambda: [place.glyph for place in kept], [place.alone for place in kept])


def _corrected(members: list[Place], by: list[Correction]) -> Place:
    """The corrected character that takes the place of these."""
    box = boxes.around(place.character.box for place in members)
    text = "".join(one.text + " " * bool(one.ends) for one in by).strip()
    character = Corrected(text, 1.0, members[0].character.alternatives, box, tuple(by))
    return members[0]._replace(character=character, alone=members[0].alone and len(members) == 1)


def _words(line: Line, shown: Iterator[Place | None]) -> Iterator[Word]:
    """The words of a line with these characters, without those that have no text."""
    groups, ends = [], True
    for word in line.words:
        for place in filter(None, itertools.islice(shown, len(word.characters))):
            if ends:
                groups.append((word, []))
            groups[-1][1].append(place.character)
            ends = next((correction.ends for correction in _by(place.character)[-1:]), None)
        ends = ends is not False
    for word, characters in groups:
        characters = [one for one in characters if one.text]
        if characters != word.characters and characters:
            parted = sum(other is word for other, _ in groups) > 1
            word = replace(word, text="".join(one.text for one in characters), characters=characters,
                           box=boxes.around(one.box for one in characters),
                           alternatives=[] if parted else word.alternatives)
        if characters:
            yield word


def _members(box: Box, others: list[Box]) -> list[int]:
    """The numbers of the characters, given by their boxes, that are read in the ink of a corrected one.

    Usually it is one in the same place.  In cursive or slanted writing, a character may lie in the box of a neighbour
    and still be another character.
    """
    common = [box.cut(other).area for other in others]
    shares = [both / max(box.area + other.area - both, 1e-6) for both, other in zip(common, others)]
    best = max(shares, default=0.0)
    if best >= ALIKE:
        return [shares.index(best)]
    return [number for number, (both, other) in enumerate(zip(common, others))
            if both >= SAME * max(min(box.area, other.area), 1e-6)]


# ---- what is kept for training

def remember(folder: str, shown: Reading, drawing: strokes.Drawing, changed: set[Correction]) -> str:
    """Keep corrected characters for networks that read characters, and their words for those that read lines.

    shown: the reading with its corrections.  changed: those that were added, and those removed, which are forgotten.
    Returns how much is kept now, as a phrase.  Raises OSError or ValueError if keeping fails.
    """
    from training import corrections_store  # late: the window need not wait for it
    found = places(shown)
    concerned = {number for one in changed for number in _members(one.box, [place.character.box for place in found])}
    concerned = [found[number] for number in sorted(concerned)]
    for place in concerned:
        text = place.character.text if _by(place.character) else ""
        if place.alone and len(text) < 2 and text in alphabets.CHARACTERS:   # "" is in it too
            corrections_store.remember(folder, place.glyph, text)
    words = [word for line in shown.lines for word in line.words]
    word_of = {stroke: words[number] for stroke, number in owners(words, drawing.strokes).items()}
    for word in {id(place.word): place.word for place in concerned if drawing.image is None}.values():
        curves = [stroke.curve for stroke in drawing.strokes if word_of.get(stroke) is word]
        corrections_store.remember_word(folder, curves, word.text if any(map(_by, word.characters)) else "")
    kept = {"word": len(corrections_store.read_corrected_words(folder)),
            "character": len(corrections_store.read_corrections(folder)[1])}
    return ", ".join(f"{count} {what}{'s' * (count != 1)}" for what, count in kept.items())


def owners(words: Sequence[Word], ink: Sequence[strokes.Stroke]) -> dict[strokes.Stroke, int]:
    """The number of the word that each stroke belongs to, the one whose box holds most of it."""
    if not words or not ink:
        return {}
    theirs, its = (np.array([[box.x, box.y, box.right, box.bottom] for box in of])
                   for of in ([stroke.box for stroke in ink], [word.box for word in words]))
    touch = (theirs[:, None, :2] <= its[None, :, 2:]).all(2) & (its[None, :, :2] <= theirs[:, None, 2:]).all(2)
    half = np.array([[[stroke.width / 2]] for stroke in ink])
    inside = (theirs[:, None, :2] + half >= its[None, :, :2]).all(2)
    inside &= (theirs[:, None, 2:] - half <= its[None, :, 2:]).all(2)
    whole = np.where(inside.any(1) & (touch.sum(1) == 1), inside.argmax(1), -1).tolist()
    found = {}
    for stroke, near, number in zip(ink, touch, whole):
        if number >= 0:   # counting its points would take longer
            found[stroke] = number
            continue
        numbers = np.flatnonzero(near).tolist()
        shares = [stroke.points_in(words[number].box) for number in numbers]
        if any(shares):
            found[stroke] = numbers[shares.index(max(shares))]
    return found
