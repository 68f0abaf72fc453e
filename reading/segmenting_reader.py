"""Reads lines with a network for single characters: cuts them into pieces and puts these together."""
import functools
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from common import alphabets, glyph, softmax
from reading import lattice, oversegmentation, text_lines
from reading.binarize import Picture
from reading.character_lm import CharacterLM, ClassMix
from reading.character_reader import CharacterReader
from reading.oversegmentation import TextLine
from reading.readings import Character, Line, Reading, Word, around, box_of, line_of, reading_of


class SegmentingReader:
    """Reads words and lines as chains of candidates for characters (oversegmentation, lattice)."""

    def __init__(self, characters: CharacterReader, model: CharacterLM | ClassMix, threads: int):
        """model: how likely each character is after those before it.  threads: that make glyphs."""
        self.characters, self.model, self._threads = characters, model, threads

    def read(self, picture: Picture) -> Reading:
        """Read the words and lines of a picture."""
        found, glyphs = self.candidates([oversegmentation.cut_line(line) for line in text_lines.lines_of(picture)])
        lines, seen = [], []
        for of_line, glyphs_of_line in zip(found, glyphs, strict=True):
            scores = lattice.score(of_line)
            path = lattice.search(scores, self.model)
            lines.append(self._line(of_line, scores, path, picture.scale))
            seen += [glyphs_of_line[step.candidate] for step in path]
        return reading_of(lines, functools.partial(list, seen), [True] * len(seen))

    def candidates(self, lines: list[TextLine]) -> tuple[list[lattice.Candidates], list[np.ndarray]]:
        """All that may be characters in these lines, classified together.

        Returns the candidates of each line, and their glyphs, uint8 (n, 28, 28).
        """
        spans = [oversegmentation.candidates(line) for line in lines]
        every = [(line, *span) for line, of_line in zip(lines, spans, strict=True) for span in of_line.tolist()]
        glyphs = np.array(list(_workers(self._threads).map(_glyph_of, every)), np.uint8).reshape(-1, 28, 28)
        ends = np.cumsum([len(of_line) for of_line in spans])[:-1]
        found = []
        for line, of_line, rows in zip(lines, spans, np.split(self.characters.log_likelihoods(glyphs), ends),
                                       strict=True):
            boxes = np.array([oversegmentation.box_of(line, *span) for span in of_line])
            found.append(lattice.Candidates(line, of_line, boxes, rows))
        return found, np.split(glyphs, ends)

    def _line(self, found: lattice.Candidates, scores: lattice.Scores, path: list[lattice.Step], scale: float) -> Line:
        """The words along a path through a line."""
        words = []
        for step in path:
            if step.new_word:
                words.append([])
            # The character that the search chose need not be the likeliest by itself.
            alternatives = softmax.ranked(lattice.posterior(scores, step, self.model), alphabets.CHARACTERS, step.label)
            words[-1].append(Character(*alternatives[0], alternatives,
                                       box_of(found.line.corners(*found.spans[step.candidate]), scale)))
        words = [_word(characters) for characters in words]
        return line_of(" ".join(word.text for word in words), words)


def _word(characters: list[Character]) -> Word:
    text = "".join(character.text for character in characters)
    confidence = round(math.prod(character.confidence for character in characters), 6)
    return Word(text, around(characters), confidence, characters, [(text, confidence)])


@functools.cache
def _workers(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads)   # OpenCV lets go of Python's lock, but draws a small picture on one core


def _glyph_of(candidate: tuple[TextLine, int, int]) -> np.ndarray:
    return glyph.glyph(oversegmentation.ink_of_pieces(*candidate))
