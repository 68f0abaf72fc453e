"""Reads single characters with a network for glyphs."""
import numpy as np

from common import alphabets, glyph, softmax
from reading.binarize import Picture
from reading.network import Network
from reading.readings import Character, characters_of

LOG_NATURAL = np.log(alphabets.OFFICIAL_COUNTS / alphabets.OFFICIAL_COUNTS.sum()).astype(np.float32)   # on NIST's forms
AT_ONCE = 128   # most glyphs in one call of the network: 512 would take 8 % less time each, but 100 MB instead of 25


class CharacterReader:
    """Reads glyphs, uint8 (n, 28, 28), one character each.

    The network's logits expect the class mix of NIST's forms, from which EMNIST was cut: half of all characters are
    digits, and S is eight times as frequent as s.
    """

    def __init__(self, network: Network, shift: np.ndarray | float = 0.0):
        """shift: float (62,), added to the logits to fit the class mix of other writing."""
        self._network, self._shift = network, np.float32(shift)

    @property
    def prior(self) -> np.ndarray:
        """Log of each character's expected frequency, up to a constant: float (62,)."""
        return LOG_NATURAL + self._shift

    def read_characters(self, pictures: list[Picture]) -> list[Character]:
        """The character in each picture."""
        return characters_of(self.probabilities(glyphs_of(pictures)), [picture.box for picture in pictures])

    def probabilities(self, glyphs: np.ndarray) -> np.ndarray:
        """Probabilities float32 (n, 62) in the order of alphabets.CHARACTERS."""
        return np.exp(softmax.log_softmax(self.logits(glyphs) + self._shift))

    def log_likelihoods(self, glyphs: np.ndarray) -> np.ndarray:
        """Log probabilities float32 (n, 62) with all characters equally frequent."""
        return softmax.log_softmax(self.logits(glyphs) - LOG_NATURAL)

    def logits(self, glyphs: np.ndarray) -> np.ndarray:
        """The network's logits float32 (n, 62)."""
        if not len(glyphs):
            return np.empty((0, len(alphabets.CHARACTERS)), np.float32)
        return np.concatenate([self._network.logits(glyphs[start:start + AT_ONCE])
                               for start in range(0, len(glyphs), AT_ONCE)])


def glyphs_of(pictures: list[Picture]) -> np.ndarray:
    """The ink of each picture as one glyph: uint8 (n, 28, 28)."""
    return np.array([glyph.glyph(picture.ink) for picture in pictures], np.uint8).reshape(-1, 28, 28)
