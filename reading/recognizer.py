"""Picture to text with one trained network."""
import functools
import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from common import alphabets, glyph, runs, settings, softmax
from reading import character_boxes, character_lm, lattice, oversegmentation, text_lines, word_lm
from reading.binarize import Picture, Source, read_picture
from reading.line_recognizer import LineReader
from reading.network import Network

GLYPHS_AT_ONCE = 512       # in one call of the network, at most

# ---- what was read

@dataclass(frozen=True)
class Character:
    """A character that was read; boxes are [x, y, width, height] of the ink in px of the upright picture."""
    text: str
    confidence: float                       # probability of it, 0..1
    alternatives: list[tuple[str, float]]   # the likeliest characters with their probabilities, best first
    box: list[int]


@dataclass(frozen=True)
class Word:
    """A word; its confidence is the probability that all its characters are right."""
    text: str
    box: list[int]
    confidence: float
    characters: list[Character]
    alternatives: list[tuple[str, float]]   # what it may be, with probabilities, itself first


@dataclass(frozen=True)
class Line:
    """A line of words, with a space between them in its text."""
    text: str
    box: list[int]
    words: list[Word]


@dataclass(frozen=True)
class Reading:
    """All that was read in a picture; the lines of its text end with a newline but the last."""
    text: str
    lines: list[Line]
    make_glyphs: Callable[[], list[np.ndarray]] = field(repr=False, compare=False)
    alone: list[bool] = field(repr=False, compare=False)    # of each: whether its glyph shows all of it and no other

    @functools.cached_property
    def glyphs(self) -> np.ndarray:
        """The ink of each character, uint8 (characters, 28, 28); made when it is first asked for."""
        return np.array(self.make_glyphs(), np.uint8).reshape(-1, 28, 28)


class Recognizer:
    """Reads pictures with one trained network, which is loaded once, when it is first needed."""

    def __init__(self, unixTime: str | None = None, models_path: str | Path = "Models", prior: str = "drawings",
                 language: str = "english"):
        """unixTime: the run that reads; None takes the shipped one or, without that, the newest.

        A relative models_path is looked for in the current folder, then beside this script.
        prior: how often each character is expected.  A network's own logits expect NIST's
        forms, where half of all is digits and S is eight times as frequent as s: "forms".
        "drawings" expects the mix of the drawings that the run was trained on.
        language: "english" weighs characters by what precedes them in a word, which then
        takes the prior's place in words and lines; "none" does not.  A network that reads
        lines knows no prior.
        Raises runs.RunError when there is no such run.
        """
        self.models_path = runs.models_folder(models_path)
        self.unixTime = unixTime or runs.DEFAULT or self._newest()
        config = runs.read_config(self.models_path, self.unixTime)
        if prior not in ("drawings", "forms"):
            raise settings.SettingsError(f"there is no prior {prior!r}; there are: drawings, forms")
        if language not in ("english", "none"):
            raise settings.SettingsError(f"there is no language {language!r}; there are: english, none")
        self.language = character_lm.load() if language == "english" else None
        self._prior = prior
        self.shift = np.array(config.get("prior_of_drawings", 0.0) if prior == "drawings" else 0.0, np.float32)
        self.mix = character_lm.ClassMix(log_natural() + self.shift)
        self.reads, self._decoding = config.get("reads"), config.get("decoding")
        if self.reads not in ("characters", "lines"):
            raise runs.RunError(f"the run {self.unixTime} reads {self.reads}, neither characters nor lines: name "
                                "another with --model=")

    def _newest(self) -> str:
        there = runs.list_runs(self.models_path)
        if not there:
            raise runs.RunError(f"{self.models_path} holds no trained network: train one with `python model.py`")
        return there[-1]

    @functools.cached_property
    def network(self):
        return Network(self.models_path, self.unixTime)

    def load(self) -> None:
        """Load the network now, which takes seconds, rather than at the first picture.

        Raises runs.RunError when its file is damaged.
        """
        self.network.load()

    @functools.cached_property
    def line_reader(self) -> LineReader:
        """Reads lines with the network, if that is what it reads."""
        return LineReader(self.network.logits, self._decoding, word_lm.load() if self.language else None)

    @functools.cached_property
    def of_characters(self) -> "Recognizer":
        """Who reads single characters: this one, but beside the shipped reader of lines a network made for them."""
        if self.reads == "characters" or self.unixTime != runs.DEFAULT:
            return self
        return Recognizer(runs.DEFAULT_CHARACTERS, self.models_path, self._prior)

    def recog_character(self, image: Source) -> Character:
        """Read the one character in a picture: a path, PIL image or uint8 array, as for ink_of.

        Raises ImageError, a ValueError, when the picture cannot be read or holds no ink.
        """
        return self.recog_characters([image])[0]

    def recog_characters(self, images: list[Source]) -> list[Character]:
        """Read pictures of one character each, together in one batch."""
        return self.recog_pictures([read_picture(image) for image in images])

    def recog_pictures(self, pictures: list[Picture]) -> list[Character]:
        """Read pictures whose ink has been found, each as one character."""
        if self.of_characters is not self:
            return self.of_characters.recog_pictures(pictures)
        if self.reads == "lines":
            ways = self.line_reader.read_characters([picture.ink for picture in pictures])
            return [Character(*ranked[0], ranked, picture.box) for ranked, picture in zip(ways, pictures, strict=True)]
        glyphs = np.array([glyph.glyph(picture.ink) for picture in pictures], np.uint8).reshape(-1, 28, 28)
        return [_character(row, picture.box) for picture, row in zip(pictures, self.probabilities(glyphs), strict=True)]

    def probabilities(self, glyphs: np.ndarray) -> np.ndarray:
        """Probabilities float32 (n, 62), in the order of alphabets.CHARACTERS, of glyphs uint8 (n, 28, 28)."""
        return np.exp(softmax.log_softmax(self.logits(glyphs) + self.shift))

    def logits(self, glyphs: np.ndarray) -> np.ndarray:
        """The network's logits float32 (n, 62), which expect NIST's forms, of glyphs uint8 (n, 28, 28)."""
        if not len(glyphs):
            return np.empty((0, len(alphabets.CHARACTERS)), np.float32)
        return np.concatenate([self.network.logits(glyphs[start:start + GLYPHS_AT_ONCE])
                               for start in range(0, len(glyphs), GLYPHS_AT_ONCE)])

    def recog(self, image: Source) -> Reading:
        """Read the words and lines in a picture: a path, PIL image or uint8 array, as for ink_of.

        Raises ImageError, a ValueError, when the picture cannot be read or holds no ink.
        """
        return self.recog_page(read_picture(image, page=True))

    def recog_page(self, picture: Picture) -> Reading:
        """Read the words and lines of a picture whose ink has been found."""
        if self.reads == "lines":
            return self._recog_lines(picture)
        found, glyphs = self.candidates(oversegmentation.find_lines(picture.ink))
        model = self.language or self.mix
        lines, seen = [], []
        for each, glyphs_of_line in zip(found, glyphs, strict=True):
            judged = lattice.score(each)
            way = lattice.search(judged, model)
            lines.append(_line(each, judged, way, model, picture))
            seen += [glyphs_of_line[step.candidate] for step in way]
        return Reading("\n".join(line.text for line in lines), lines, lambda: seen, [True] * len(seen))

    def _recog_lines(self, picture: Picture) -> Reading:
        """As recog_page, with a network that reads whole lines."""
        straight = text_lines.straight_lines(picture.ink)
        lines, shapes = [], []
        for line, read in zip(straight, self.line_reader.read([line.ink for line in straight]), strict=True):
            found, words = character_boxes.shapes(line.ink, read), []
            shapes += found
            of_line = iter(found)
            for word, rivals in zip(read.words, read.rivals, strict=True):
                characters = [Character(one.text, one.confidence, one.alternatives,
                                        _box(line.corners(shape.y, shape.x), picture.scale))
                              for one, shape in zip(word, of_line)]
                words.append(Word(rivals[0][0], _around(characters), rivals[0][1], characters, rivals))
            if words:
                lines.append(Line(read.text, _around(words), words))
        if len(shapes) == 1 and lines[0].text in alphabets.CHARACTERS and self.of_characters is not self:
            return self._recog_alone(picture)
        return Reading("\n".join(line.text for line in lines), lines, lambda: [shape.glyph for shape in shapes],
                       [shape.alone for shape in shapes])

    def _recog_alone(self, picture: Picture) -> Reading:
        """As recog_page, of a picture with a single letter or digit."""
        character, = self.recog_pictures([picture])
        word = Word(character.text, character.box, character.confidence, [character], character.alternatives)
        return Reading(word.text, [Line(word.text, word.box, [word])], lambda: [glyph.glyph(picture.ink)], [True])

    def candidates(self, lines: list[oversegmentation.TextLine]) -> tuple[list[lattice.Candidates], list[np.ndarray]]:
        """Classify all that might be characters in these lines, in one batch.

        Returns the candidates of each line, and their glyphs, uint8 (n, 28, 28).
        """
        spans = [oversegmentation.candidates(line) for line in lines]
        every = [(line, *span) for line, of_line in zip(lines, spans, strict=True) for span in of_line.tolist()]
        glyphs = np.array(list(_workers().map(_glyph_of, every)), np.uint8).reshape(-1, 28, 28)
        log_probs = softmax.log_softmax(self.logits(glyphs) - log_natural())
        found, ends = [], np.cumsum([len(of_line) for of_line in spans])
        for line, of_line, rows in zip(lines, spans, np.split(log_probs, ends[:-1]), strict=True):
            boxes = np.array([oversegmentation.box_of(line, *span) for span in of_line])
            found.append(lattice.Candidates(line, of_line, boxes, rows))
        return found, np.split(glyphs, ends[:-1])


def recog(img: Source) -> str:
    """The text in a picture, read with the shipped network; see Recognizer.recog."""
    return _shipped().recog(img).text


@functools.cache
def _shipped() -> Recognizer:
    return Recognizer()


@functools.cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1)  # OpenCV works on several cores only from outside


@functools.cache
def log_natural() -> np.ndarray:
    """Log of each class's share in NIST's forms, which the networks' logits expect: float32 (62,)."""
    return np.log(alphabets.OFFICIAL_COUNTS / alphabets.OFFICIAL_COUNTS.sum()).astype(np.float32)


def _glyph_of(candidate: tuple[oversegmentation.TextLine, int, int]) -> np.ndarray:
    return glyph.glyph(oversegmentation.ink_of_pieces(*candidate))


def _character(probabilities: np.ndarray, box: list[int]) -> Character:
    alternatives = softmax.ranked(probabilities, alphabets.CHARACTERS)
    return Character(*alternatives[0], alternatives, box)


def _line(found: lattice.Candidates, judged: lattice.Scores, way: list[lattice.Step],
          model: character_lm.CharacterLM | character_lm.ClassMix, picture: Picture) -> Line:
    """The words of one line from the way that the search has found."""
    words = []
    for step in way:
        box = _box(found.line.corners(*found.spans[step.candidate]), picture.scale)
        character = _character_on(step, lattice.posterior(judged, step, model), box)
        if step.new_word:
            words.append([])
        words[-1].append(character)
    words = [_word(characters) for characters in words]
    return Line(" ".join(word.text for word in words), _around(words), words)


def _word(characters: list[Character]) -> Word:
    text = "".join(character.text for character in characters)
    confidence = round(math.prod(character.confidence for character in characters), 6)
    return Word(text, _around(characters), confidence, characters, [(text, confidence)])


def _character_on(step: lattice.Step, probabilities: np.ndarray, box: list[int]) -> Character:
    """The character that the search chose, which need not be the likeliest by itself, first among the alternatives."""
    alternatives = softmax.ranked(probabilities, alphabets.CHARACTERS, step.label)
    return Character(*alternatives[0], alternatives, box)


def _box(corners, scale: float) -> list[int]:
    left, top = math.floor(corners[0] * scale), math.floor(corners[1] * scale)
    return [left, top, math.ceil(corners[2] * scale) - left, math.ceil(corners[3] * scale) - top]


def _around(parts: list) -> list[int]:
    """The box around the boxes of characters or words."""
    boxes = np.array([part.box for part in parts])
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = (boxes[:, :2] + boxes[:, 2:]).max(axis=0)
    return [int(left), int(top), int(right - left), int(bottom - top)]
