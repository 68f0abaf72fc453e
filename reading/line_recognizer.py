"""Reads straight lines of writing with a network trained with CTC: ink in, text with its characters out.

    reader = LineReader(Network("Models", unix_time).each, config["decoding"], word_lm.load())
    texts = reader.read_lines([line.ink for line in text_lines.straight_lines(ink)])
"""
import functools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np

from common import alphabets, line_image, runs, softmax
from reading import capitals, character_boxes, ctc, text_lines, word_lm
from reading.binarize import Picture
from reading.readings import Character, Line, Reading, Word, around, characters_of, line_of

OLD_NAMES = {"strength": "lm_weight", "bonus": "insertion_bonus", "space": "space_bonus", "spacing": "space_lm_share"}


@dataclass(frozen=True)
class Decoding(ctc.Weights):
    """How logits become text; training/line_validation.py fits this, and config.json keeps it as "decoding"."""
    lm_weight: float = 0.4
    insertion_bonus: float = 0.6
    prior_share: float = 0.0       # share of label_prior that is subtracted
    label_prior: Sequence[float] = (0.0,) * len(alphabets.ALPHABET)   # log of each character's frequency in training
    confidence: Sequence[float] = (0.27, 0.3, 0.53, 0.19, 0.59)       # weights of `evidence`, then an offset

    @classmethod
    def of(cls, config: dict | None) -> "Decoding":
        """Decoding as in config.json, also of older runs; what is missing gets the defaults above.

        Raises runs.RunError for unknown names and unfit values.
        """
        values = {OLD_NAMES.get(name, name): value for name, value in (config or {}).items()}
        usual = asdict(cls())
        for name, value in values.items():
            if not (name in usual and np.ndim(value) == np.ndim(usual[name])
                    and (np.size(value) == np.size(usual[name]) or name == "label_prior" and 0 < len(value))):
                raise runs.RunError(f"config.json's decoding cannot hold {name} = {str(value)[:50]}: copy it again")
        return cls(**values)

    def without_prior(self, log_probs: np.ndarray) -> np.ndarray:
        """Log probabilities (steps, labels) with less of what the network expects whatever it sees.

        A network trained with CTC learns how often each character occurs, and the language model would count that a
        second time (Miao, Gowayyed and Metze 2015, "EESEN", arXiv 1507.08240).
        """
        if not self.prior_share:
            return log_probs
        labels = log_probs.shape[1] - 1
        rare = [min(self.label_prior)] * (labels - len(self.label_prior))   # labels added since
        prior = np.array([0.0, *self.label_prior[:labels], *rare], np.float32)
        prior[1:] -= np.exp(prior[1:]) @ prior[1:]   # on average, a text becomes neither likelier nor less likely
        return softmax.log_softmax(log_probs - np.float32(self.prior_share) * prior)


class Read(NamedTuple):
    """A character that was read."""
    text: str
    alternatives: list[tuple[str, float]]   # the likeliest with their probabilities, itself first
    confidence: float                       # its probability
    centre: float                           # px of the line's ink: where the network sees it


class LineText(NamedTuple):
    """A line that was read: its text, and its words without the spaces between."""
    text: str
    words: list[list[Read]]
    rivals: list[list[tuple[str, float]]]   # what each word may be, with probabilities; the word itself first
    evidence: list[tuple[float, ...]]       # what speaks for each word; see `evidence`


class FoundLine(NamedTuple):
    """A line of a picture: what was read, and the ink and boxes of its characters."""
    text: LineText
    shapes: list[character_boxes.Shape]
    boxes: list[list[int]]
    sure: float                     # how sure it is that this is a line of writing

    def with_text(self, text: LineText) -> Line:
        """The line with its own text, or with another reader's text of the same characters."""
        of_line, words = iter(self.boxes), []
        for word, rivals in zip(text.words, text.rivals, strict=True):
            characters = [Character(one.text, one.confidence, one.alternatives, box) for one, box in zip(word, of_line)]
            words.append(Word(rivals[0][0], around(characters), rivals[0][1], characters, rivals))
        return line_of(text.text, words, self.sure)


class Searched(NamedTuple):
    """What the beam search finds in a line."""
    prepared: list[ctc.Step]
    texts: list[ctc.Text]    # best first
    steps: np.ndarray        # int (characters, 2), where those of the best text lie: see ctc.align
    strongest: np.ndarray    # float (characters, labels): see ctc.strongest

    @property
    def text(self) -> str:
        """The best text."""
        return self.texts[0].text


class LineReader:
    """Reads lines with one network."""

    def __init__(self, each: Callable[[Sequence[np.ndarray]], Iterable[np.ndarray]], decoding: dict | None = None,
                 lm: word_lm.WordLM | None = None):
        """each: the network; for batches uint8 (n, line_image.HEIGHT, width) it gives logits (n, width / 4, labels).

        decoding: as in config.json.  lm: the language model; None reads without one.
        """
        self.each, self.decoding, self.lm = each, Decoding.of(decoding), lm

    # ---- pictures

    def read(self, picture: Picture) -> Reading:
        """Read the words and lines of a picture."""
        found = list(self.find(picture))
        shapes = [shape for line in found for shape in line.shapes]
        return Reading([line.with_text(line.text) for line in found],
                       functools.partial(character_boxes.glyphs, shapes), [shape.alone for shape in shapes])

    def find(self, picture: Picture) -> Iterator[FoundLine]:
        """The lines of a picture that hold words, with the ink of their characters."""
        straight = text_lines.lines_of(picture)
        for line, text in zip(straight, self.read_lines([line.ink for line in straight]), strict=True):
            if text.words:
                shapes = character_boxes.shapes(line.ink, [one.centre for word in text.words for one in word])
                yield FoundLine(text, shapes, character_boxes.boxes(line, shapes, picture), line.confidence)

    def read_characters(self, pictures: list[Picture]) -> list[Character]:
        """Read pictures that show one letter or digit each."""
        images = [line_image.normalize(picture.ink)[0] for picture in pictures]
        labels = [alphabets.LABELS[character] for character in alphabets.CHARACTERS]
        chances = np.array([np.exp(softmax.log_softmax(ctc.single(log_probs)[labels]))
                            for log_probs in self.log_probs(images)]).reshape(-1, len(labels))
        return characters_of(chances, [picture.box for picture in pictures])

    # ---- lines

    def read_lines(self, inks: Sequence[np.ndarray]) -> Iterator[LineText]:
        """Read lines, each uint8 (height, width), bright ink on dark, straight."""
        images, maps = zip(*map(line_image.normalize, inks), strict=True) if len(inks) else ((), ())
        yield from map(self.decode, self.log_probs(images), maps)

    def log_probs(self, images: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        """Log probabilities float32 (steps, labels) of each line image, uint8 (line_image.HEIGHT, width)."""
        for logits in self.each([line_image.to_batch([image]) for image in images]):
            yield softmax.log_softmax(np.asarray(logits[0], np.float32))

    def decode(self, log_probs: np.ndarray, to_ink: np.ndarray | None = None, settle_case: bool = True) -> LineText:
        """The text that log probabilities (steps, labels) spell.

        to_ink: (2, 3), maps px of the image to the ink's.  settle_case: whether it may turn out to be in capitals.
        """
        weights = self.decoding if self.lm else ctc.NONE
        log_probs = self.decoding.without_prior(log_probs) if self.lm else log_probs
        found = self._search(log_probs, weights)
        if self.lm and settle_case and capitals.detect(found.text, found.strongest):
            found = self._search(capitals.with_capitals(log_probs), weights)
        text, steps = found.text, found.steps
        if not text:
            return LineText("", [], [], [])
        scale, left = (1.0, 0.0) if to_ink is None else to_ink[0, [0, 2]].tolist()
        centres = scale * (steps.mean(axis=1) + 0.5) * line_image.STEP + left
        words = [[]]
        alternatives = self._alternatives(text, found.strongest, weights.lm_weight)
        for character, likely, centre in zip(text, alternatives, centres.tolist(), strict=True):
            if character == " ":
                words.append([])
            else:
                words[-1].append(Read(character, likely, likely[0][1], centre))
        return LineText(text, words, *self._rivals(found, weights))

    def _search(self, log_probs: np.ndarray, weights: ctc.Weights) -> Searched:
        prepared = ctc.steps_of(log_probs)
        texts = ctc.search_steps(prepared, self.lm, weights)
        steps = ctc.align(log_probs, texts[0].text)
        return Searched(prepared, texts, steps, ctc.strongest(log_probs, steps))

    def _alternatives(self, text: str, strongest: np.ndarray, lm_weight: float) -> list[list[tuple[str, float]]]:
        """What each character may be instead, by its own steps and the text before it; itself first."""
        scores = strongest[:, 1:].astype(float)
        if self.lm:
            before = [text[:place] for place in range(len(text))]
            scores += lm_weight * np.array(self.lm.next_log_probs(before))[:, 1:strongest.shape[1]]
        scores[:, 0] = ctc.LEAST   # a space is no alternative
        chances = np.exp(softmax.log_softmax(scores))
        return softmax.ranked(chances, alphabets.ALPHABET, [alphabets.LABELS[character] - 1 for character in text])

    def _rivals(self, line: Searched, weights: ctc.Weights) -> tuple[list, list]:
        """For each word of the best text, what its steps may spell instead, with probabilities, and its evidence."""
        text, prepared = line.text, line.prepared
        spaces = [place for place, character in enumerate(text) if character == " "]
        firsts = [0, *(line.steps[place, 1] + 1 for place in spaces)]
        behinds = [*(line.steps[place, 0] for place in spaces), len(prepared)]
        rivals, evidences = [], []
        begin = 0
        for word, first, behind in zip(text.split(" "), firsts, behinds, strict=True):
            texts = ctc.search_steps(prepared[first:behind], self.lm, weights, text[:begin]) if spaces else line.texts
            of_word, speaks = self._rivals_of(word, texts, weights)
            rivals.append(of_word)
            evidences.append(speaks)
            begin += len(word) + 1
        return rivals, evidences

    def _rivals_of(self, word: str, texts: list[ctc.Text], weights: ctc.Weights) -> tuple[list, tuple[float, ...]]:
        """A word and its rivals, the texts that its steps may spell, with probabilities, and the evidence for it."""
        scores = {one.text: one.score(weights) for one in texts if one.text and " " not in one.text}
        scores.setdefault(word, min(scores.values(), default=0.0))
        itself = next((one for one in texts if one.text == word), texts[-1])
        others = sorted(scores.keys() - {word}, key=scores.get, reverse=True)
        chances = np.exp(softmax.log_softmax(np.array([scores[one] for one in (word, *others)])))
        speaks = evidence(word, float(chances[0]), itself)
        sure = self._confidence(speaks)
        left = (1 - sure) / max(float(chances[1:].sum()), 1e-9)
        rivals = [(one, round(left * float(chance), 6))
                  for one, chance in zip(others[:softmax.ALTERNATIVES - 1], chances[1:])]
        return [(word, round(sure, 6)), *rivals], speaks

    def _confidence(self, evidence: tuple[float, ...]) -> float:
        """How often words with this evidence are right."""
        *weights, offset = self.decoding.confidence
        return 1 / (1 + math.exp(-(np.dot(weights, evidence) + offset)))


def evidence(word: str, chance: float, text: ctc.Text) -> tuple[float, ...]:
    """Four numbers that tell how likely a word is right.

    chance: its probability among the texts that its steps may spell.  text: its log probabilities.
    They are the log odds of that chance, both log probabilities in nat, all clipped, and the word's length.
    """
    chance = min(max(chance, 1e-4), 1 - 1e-4)
    return math.log(chance / (1 - chance)), max(text.ctc, -20.0), len(word), max(text.language, -60.0)
