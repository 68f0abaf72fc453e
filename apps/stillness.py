"""Keeps what was read as it was wherever the ink has not changed: text that stands still while one writes on.

Of 220 words of UNIPEN's validation split one changes after the next is begun, where 52 would.  But fewer are right,
157 in the place of 179, since a word is read with those around it: so session.py shows all as it is read now once the
pen rests.
"""
from collections.abc import Iterator, Sequence
from dataclasses import replace

from apps import boxes
from apps.corrections import owners, places
from apps.strokes import Stroke
from reading.readings import Line, Reading, Word, reading_of

GAP = 0.3      # of a word's height: ink that begins so far behind it is another word's


def settled(before: Reading, ink_before: Sequence[Stroke], after: Reading, ink: Sequence[Stroke]) -> Reading:
    """The reading `after`, with the words of the one before where their ink is the same.

    Words of both that share a stroke belong together: what was read before stays unless strokes of theirs have come
    or gone.
    """
    owner = owners([word for line in before.lines for word in line.words], ink_before)
    after = replace(after, lines=[replace(line, words=list(_parted(line, ink, owner))) for line in after.lines])
    readings = before, after
    words = [[word for line in reading.lines for word in line.words] for reading in readings]
    owned = [owner, owners(words[1], ink)]
    changed_ink, changed = set(ink_before) ^ set(ink), set()
    groups: dict[tuple[int, int], tuple[int, int]] = {}    # a reading's number and a word's -> the same of its group

    def group(word: tuple[int, int]) -> tuple[int, int]:
        while groups.setdefault(word, word) != word:
            word = groups[word]
        return word

    for stroke in owned[0].keys() | owned[1].keys():
        members = [(which, owner[stroke]) for which, owner in enumerate(owned) if stroke in owner]
        groups[group(members[-1])] = group(members[0])
        if stroke in changed_ink:
            changed.update(members)
    changed |= {(0, owned[0][stroke]) for stroke in ink_before[-1:] if stroke in owned[0]}   # now it is finished
    changed = {group(word) for word in changed}
    kept: dict[tuple[int, int], list[Word]] = {}
    for number in sorted(set(owned[0].values())):
        if (of := group((0, number))) not in changed:
            kept.setdefault(of, []).append(words[0][number])
    lines, number, done = [], 0, set()
    for line in after.lines:
        found = []
        for word in line.words:
            of, number = group((1, number)), number + 1
            found += [word] if of not in kept else kept[of] if of not in done else []
            done.add(of)
        if found:
            lines.append(replace(line, text=" ".join(word.text for word in found), words=found))
    known = {id(place.character): place for reading in readings for place in places(reading)}
    shown = [known[id(one)] for line in lines for word in line.words for one in word.characters]
    return reading_of(lines, lambda: [place.glyph for place in shown], [place.alone for place in shown])


def _parted(line: Line, ink: Sequence[Stroke], before: dict[Stroke, int]) -> Iterator[Word]:
    """The words of a line, parted where what was another word before, or is new, begins well behind: that is finished.

    before: the number of the word that each stroke belonged to.
    """
    of_word: dict[int, list[Stroke]] = {}
    for stroke, number in owners(line.words, ink).items():
        of_word.setdefault(number, []).append(stroke)
    for number, word in enumerate(line.words):
        rest = sorted(of_word.get(number, []), key=lambda stroke: stroke.box.x)
        while known := [stroke for stroke in rest if stroke in before]:
            first = [stroke for stroke in rest if before.get(stroke) == before[known[0]]]
            rest = [stroke for stroke in rest if stroke not in first]
            end, start = max(stroke.box.right for stroke in first), min((stroke.box.x for stroke in rest), default=0.0)
            parts = [[one for one in word.characters if (one.box.middle > (start + end) / 2) == behind]
                     for behind in (False, True)]
            if start - end > GAP * word.box.height and all(parts):
                left, word = (replace(word, text="".join(one.text for one in part), characters=part,
                                      box=boxes.around(one.box for one in part)) for part in parts)
                yield left
        yield word
