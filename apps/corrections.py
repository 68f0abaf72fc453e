"""Characters that were put right by hand, kept as long as their ink is there, whatever is written beside it."""
from typing import NamedTuple

from apps import drawing
from apps.worker import Character

KEPT = 0.5          # share of a corrected character's ink that has to be there still
ALIKE = 0.5         # boxes of one character, read twice, have so much in common of what either covers
SAME = 0.5          # and so much of the smaller, where other characters are seen in the same ink than before


class Correction(NamedTuple):
    """A text that was put in the place of what was read, and the ink that it belongs to."""
    text: str
    box: tuple[float, float, float, float]
    origins: frozenset[int]              # of the strokes in the box
    ink: int                             # points of their curves in the box
    image: drawing.Underlay | None


class Corrections:
    """The corrections of one drawing."""

    def __init__(self):
        self._all: list[Correction] = []
        self._shown: list[tuple[tuple, list[Correction]]] = []   # box of a character put right, and by what

    def add(self, character: Character, text: str, page: drawing.Drawing) -> None:
        """From now on the ink of this character reads `text`."""
        self.remove(character)
        inside = {stroke: _inside(stroke, character.box) for stroke in page.strokes}
        origins = frozenset(stroke.origin for stroke, count in inside.items() if count)
        self._all.append(Correction(text, character.box, origins, sum(inside.values()), page.image))

    def remove(self, character: Character) -> None:
        """Read the ink of this character as the network does."""
        place = _most_alike(character.box, [box for box, _ in self._shown])
        gone = self._shown[place][1] if place is not None else []
        self._all = [one for one in self._all if one not in gone]

    def apply(self, characters: list[Character], page: drawing.Drawing) -> list[Character]:
        """The characters with the corrections whose ink is still there."""
        taken: dict[int, int] = {}       # a character's number -> its place in found
        found: list[Character] = []
        by: list[list[Correction]] = []
        for one in sorted((one for one in self._all if _there(one, page)), key=lambda one: one.box[0]):
            members = _members(one.box, characters)
            place = next((taken[number] for number in members if number in taken), None)
            if not members:
                continue
            if place is None:
                place = len(found)
                found.append(_around([characters[number] for number in members]))
                by.append([])
            by[place].append(one)
            taken |= dict.fromkeys(members, place)
        result, shown = [], set()
        for number, character in enumerate(characters):
            place = taken.get(number)
            if place is None:
                result.append(character)
            elif place not in shown:
                shown.add(place)
                result.append(found[place]._replace(text="".join(one.text for one in by[place])))
        self._shown = [(character.box, ones) for character, ones in zip(found, by, strict=True)]
        return result


def strokes_of(word: tuple[int, int], characters: list[Character], page: drawing.Drawing) -> list[drawing.Stroke]:
    """The strokes of a drawing that belong to one word: more of each lies in its box than in any other word's."""
    parts: dict[tuple[int, int], list] = {}
    for one in characters:
        parts.setdefault(one.word, []).append(one.box)
    boxes = {number: drawing.around(inside) for number, inside in parts.items()}
    return [stroke for stroke in page.strokes
            if _inside(stroke, boxes[word]) and word == max(boxes, key=lambda number: _inside(stroke, boxes[number]))]


def _members(box, characters: list[Character]) -> list[int]:
    """The numbers of the characters that are seen in the ink of a corrected one.

    Mostly it is one in the same place.  In joined or slanted writing it may lie in the
    box of a neighbour, which is another character nevertheless.
    """
    place = _most_alike(box, [one.box for one in characters])
    if place is not None:
        return [place]
    return [number for number, one in enumerate(characters)
            if _common(box, one.box) >= SAME * max(min(_area(box), _area(one.box)), 1e-6)]


def _inside(stroke: drawing.Stroke, box) -> int:
    """How many points of a stroke's curve lie in a box."""
    left, top, right, bottom = box
    if stroke.box[0] > right or stroke.box[2] < left or stroke.box[1] > bottom or stroke.box[3] < top:
        return 0
    x, y = stroke.curve.T
    return int(((x >= left) & (x <= right) & (y >= top) & (y <= bottom)).sum())


def _there(one: Correction, page: drawing.Drawing) -> bool:
    """Whether the ink of a correction is still on the page; ink that was written there later does not count."""
    if not one.ink:
        return one.image is page.image
    return sum(_inside(stroke, one.box) for stroke in page.strokes if stroke.origin in one.origins) >= KEPT * one.ink


def _most_alike(box, boxes: list) -> int | None:
    """The number of the box with most in common with `box`, as a share of what both cover; None: all below ALIKE."""
    shares = [_common(box, one) / max(_area(box) + _area(one) - _common(box, one), 1e-6) for one in boxes]
    best = max(shares, default=0.0)
    return shares.index(best) if best >= ALIKE else None


def _common(a, b) -> float:
    """The area that two boxes have in common."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(0, width) * max(0, height)


def _area(box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _around(members: list[Character]) -> Character:
    """Several characters as one that was put right."""
    box = drawing.around(one.box for one in members)
    return members[0]._replace(box=box, confidence=1.0, corrected=True, alone=len(members) == 1 and members[0].alone)


def text_of(characters: list[Character]) -> str:
    """The characters as text, with spaces between words and newlines between lines."""
    text, before = "", None
    for one in characters:
        if before is not None and one.word != before:
            text += "\n" if one.word[0] != before[0] else " "
        text, before = text + one.text, one.word
    return text
