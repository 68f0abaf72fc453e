"""Keeps the characters and words that a user corrects in textrecog_ui.py, for trainings to learn from."""
import gzip
from pathlib import Path

import numpy as np

from common import alphabets, errors, files
from training import emnist, unipen

CHARACTERS = "corrections-"    # how the two files of characters begin, which are of EMNIST's kind
WORDS = "words.jsonl.gz"       # words, as records of training/unipen.py
UNITS = 10                     # of their strokes in a px


def remember(folder: str | Path, image: np.ndarray, text: str) -> int:
    """Add a glyph, uint8 (28, 28), and the character that it is; returns how many there are.

    A glyph that is there already gets the new label; with "" for a text it is forgotten.
    Raises ValueError when the text is not one of alphabets.CHARACTERS, and errors.DataError when the
    folder holds something else.
    """
    if text and (len(text) != 1 or text not in alphabets.CHARACTERS):
        raise ValueError(f"only one of 0-9, A-Z, a-z can be learned, not {text!r}")
    images, labels = read_corrections(folder)
    others = (images != image).any(axis=(1, 2))
    images, labels = images[others], labels[others]
    if text:
        images = np.concatenate([images, image[None]])
        labels = np.append(labels, np.uint8(alphabets.CHARACTERS.index(text)))
    write_corrections(folder, images, labels)
    return len(labels)


def read_corrections(folder: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """All characters: upright images uint8 (n, 28, 28) and labels uint8 (n,); none if there is no such folder."""
    if not emnist.find(folder, CHARACTERS + "labels-idx1-ubyte"):
        return np.empty((0, 28, 28), np.uint8), np.empty(0, np.uint8)
    images = emnist.read_images(folder, CHARACTERS + "images-idx3-ubyte")
    labels = emnist.read_labels(folder, CHARACTERS + "labels-idx1-ubyte", None)
    return images[:len(labels)], labels[:len(images)]


def write_corrections(folder: str | Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Replace all characters: upright images uint8 (n, 28, 28), labels uint8 (n,)."""
    # Images first: after a power cut between the two, the last image has no label, and is left out.
    for kind, content in (("images-idx3-ubyte", images), ("labels-idx1-ubyte", labels)):
        _write(Path(folder, CHARACTERS + kind), emnist.to_idx(content))


def remember_word(folder: str | Path, strokes: list[np.ndarray], text: str) -> int:
    """Add a word's strokes, each float (n, 2) in px, and the text that they say; returns how many words there are.

    The word replaces one that shares half of its strokes, since that was corrected before; with "" for a text
    such a word is forgotten.
    Raises ValueError when the text is not of printable ASCII, and errors.DataError when the
    folder holds something else.
    """
    if not text.isascii() or text and not text.isprintable():
        raise ValueError(f"only letters, digits and punctuation of ASCII can be learned, not {text!r}")
    flat = [np.rint(stroke * UNITS).astype(int).ravel().tolist() for stroke in strokes]
    there = read_corrected_words(folder)
    kept = [record for record in there
            if 2 * sum(stroke in flat for stroke in record["strokes"]) < len(record["strokes"])]
    if text and flat:
        kept.append({"label": text, "writer": "you", "style": "?", "split": "train", "strokes": flat})
    if kept != there:
        write_corrected_words(folder, kept)
    return len(kept)


def read_corrected_words(folder: str | Path) -> list[dict]:
    """All words, as records of training/unipen.py; none if there is no such file."""
    path = Path(folder, WORDS)
    if not path.is_file():
        return []
    try:
        return list(unipen.read_strokes(path))
    except errors.DataError as error:
        raise errors.DataError(f"{path} is damaged: move it away and correct words again") from error


def write_corrected_words(folder: str | Path, records: list[dict]) -> None:
    """Replace all words: records of training/unipen.py, of the training split."""
    _write(Path(folder, WORDS), gzip.compress("".join(map(unipen.line_of, records)).encode(), mtime=0))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomically(path, lambda temporary: temporary.write_bytes(data))
