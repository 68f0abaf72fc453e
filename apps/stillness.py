"""Keeps the text of unchanged ink as it was read, so that it stands still while the user writes on.

Of 216 words of UNIPEN's validation split, 3 change after the next one is begun, instead of 60.  But only 173 of 213
match the reading with everything around them, so session.py shows everything as it is read now once the pen rests.
"""
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from apps import boxes
from apps.boxes import Box
from apps.corrections import owners, places
from apps.strokes import Stroke
from reading.readings import Reading, Word

GAP = 0.3      # of a tall letter's height: ink that begins farther beside a word is another word's
LINE = 0.8     # of a tall letter's height: ink that begins farther below a word is another line's


class Piece(NamedTuple):
    """A word that was read, or a part of it that stands apart and was another word before or is new."""
    line: int                # its number
    word: Word | None        # None: it holds no character
    strokes: list[Stroke]


def settled(before: Reading, ink_before: Sequence[Stroke], after: Reading, ink: Sequence[Stroke]) -> Reading:
    """The reading `after`, with the words of `before` where their ink is the same.

    Words of both that share a stroke belong together.  They stay as read before unless some of their strokes were added
    or removed, or the last stroke before was among them, so that they are finished only now.
    """
    words = [word for line in before.lines for word in line.words]
    owner = owners(words, ink_before)
    last = ink_before[-1] if ink_before else None
    if last in owner and last in ink and not _holds(words[owner[last]], last, owner):
        del owner[last]   # it may have begun the next word
    pieces = list(_pieces(after, ink, owner))
    together = {number: {number} for number in owner.values()}   # the number of a word -> those that belong with it

    def before_of(piece: Piece) -> set[int]:
        return set().union(*(together[owner[stroke]] for stroke in piece.strokes if stroke in owner))

    for piece in pieces:
        joined = before_of(piece)
        together |= dict.fromkeys(joined, joined)
    changed = set(ink_before) ^ set(ink) | {last}
    new = [not piece.strokes or not changed.isdisjoint(piece.strokes) for piece in pieces]
    again = set().union(*(together[owner[stroke]] for stroke in changed & owner.keys()),
                        *map(before_of, itertools.compress(pieces, new)))
    found, kept = [[] for _ in after.lines], set()
    for piece, is_new in zip(pieces, new):
        theirs = before_of(piece)
        if is_new or theirs & again:
            found[piece.line] += [piece.word] if piece.word else []
        else:
            found[piece.line] += [words[number] for number in sorted(theirs - kept)]
            kept |= theirs
    lines = [replace(line, text=" ".join(word.text for word in row), words=row)
             for line, row in zip(after.lines, found) if row]
    known = {id(place.character): place for reading in (before, after) for place in places(reading)}
    shown = [known[id(one)] for line in lines for word in line.words for one in word.characters]
    return Reading(lines, lambda: [place.glyph for place in shown], [place.alone for place in shown])


def _pieces(after: Reading, ink: Sequence[Stroke], owner: dict[Stroke, int]) -> Iterator[Piece]:
    """The words of a reading in order, split where parts were other words before or are new.

    owner: the number of the word that each stroke belonged to.
    """
    tall = float(np.percentile([stroke.box.height for stroke in ink], 90)) if ink else 0.0
    words = [(number, word) for number, line in enumerate(after.lines) for word in line.words]
    of_word: dict[int, list[Stroke]] = {}
    for stroke, number in owners([word for _, word in words], ink).items():
        of_word.setdefault(number, []).append(stroke)
    for number, (line, word) in enumerate(words):
        parts = _apart(of_word.get(number, []), owner, tall)
        if len(parts) < 2:
            yield Piece(line, word, parts[0] if parts else [])
            continue
        theirs = _parts_of(word, parts)
        for place, part in enumerate(parts):
            mine = [one for one, its in zip(word.characters, theirs) if its == place]
            text, box = "".join(one.text for one in mine), mine and boxes.around(one.box for one in mine)
            mine = replace(word, text=text, characters=mine, box=box, alternatives=[]) if mine else None
            yield Piece(line, mine, part)


def _parts_of(word: Word, parts: list[list[Stroke]]) -> list[int]:
    """For each character of a word, the number of the part of its strokes that holds most of the character's ink."""
    counts = [[sum(stroke.points_in(one.box) for stroke in part) for part in parts] for one in word.characters]
    return [count.index(max(count)) for count in counts]


def _holds(word: Word, stroke: Stroke, owner: dict[Stroke, int]) -> bool:
    """Whether one of the word's characters consists mostly of this stroke."""
    others = [other for other, number in owner.items() if number == owner[stroke] and other is not stroke]
    return 1 in _parts_of(word, [others, [stroke]])


def _apart(strokes: list[Stroke], owner: dict[Stroke, int], tall: float) -> list[list[Stroke]]:
    """The strokes of a word in groups, left to right, that stand apart and were not one word before."""
    clusters: dict[int | Stroke, list[Stroke]] = {}
    for stroke in strokes:
        clusters.setdefault(owner.get(stroke, stroke), []).append(stroke)
    parts: list[tuple[Box, list[Stroke]]] = []
    for cluster in clusters.values():
        box = boxes.around(stroke.box for stroke in cluster)
        near = [part for part in parts if _near(part[0], box, tall)]
        joined = sum((part[1] for part in near), cluster)
        parts = [part for part in parts if part not in near] + [(boxes.around([box, *(part[0] for part in near)]),
                                                                joined)]
    return [part for _, part in sorted(parts, key=lambda part: part[0].x)]


def _near(one: Box, other: Box, tall: float) -> bool:
    """Whether the ink in two boxes can belong to one word."""
    beside = max(one.x, other.x) - min(one.right, other.right) <= GAP * tall
    return beside and (one.cut(other).height > 0 or abs(one.y - other.y) <= LINE * tall)
