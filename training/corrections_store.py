"""Keeps the characters and words that a user corrects in textrecog_ui.py, as training data.

Each kind is one file, which is replaced as a whole under one lock, so several apps can write at the same time.
"""
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np

from common import alphabets, errors, files
from training import emnist, unipen

CHARACTERS = "characters.npz"   # images uint8 (n, 28, 28) and labels uint8 (n,)
OLDER = "corrections-images-idx3-ubyte", "corrections-labels-idx1-ubyte"   # the same in earlier versions
WORDS = "words.jsonl.gz"        # words, as records of training/unipen.py
UNITS = 10                      # of their strokes per px


# ---- characters

def remember(folder: str | Path, image: np.ndarray, text: str) -> int:
    """Add a glyph, uint8 (28, 28), with its character; returns how many glyphs there are.

    A glyph that is already there gets the new label; an empty text removes it.
    Raises ValueError when the text is not one of alphabets.CHARACTERS, and errors.DataError when a damaged file
    had to be set aside.
    """
    if text and (len(text) != 1 or text not in alphabets.CHARACTERS):
        raise ValueError(f"only one of 0-9, A-Z, a-z can be learned, not {text!r}")

    def change(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        others = (images != image).any(axis=(1, 2))
        images, labels = images[others], labels[others]
        if text:
            images = np.concatenate([images, image[None]])
            labels = np.append(labels, np.uint8(alphabets.CHARACTERS.index(text)))
        return images, labels

    return len(_update(folder, (CHARACTERS, *OLDER), read_corrections, lambda kept: change(*kept),
                       lambda folder, kept: write_corrections(folder, *kept))[1])


def read_corrections(folder: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """All characters: upright images uint8 (n, 28, 28) and labels uint8 (n,); none if there is no such folder."""
    path = Path(folder, CHARACTERS)
    if not path.is_file():
        return _read_older(folder)
    arrays = files.read_arrays(path)
    images, labels = (arrays.get(name, np.empty(())) for name in ("images", "labels"))
    if not (images.dtype == labels.dtype == np.uint8 and labels.ndim == 1 and images.shape == (len(labels), 28, 28)
            and (labels < len(alphabets.CHARACTERS)).all()):
        raise errors.DataError(f"{path} holds other arrays than characters: move it away and correct them again")
    return images, labels


def _read_older(folder: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Like read_corrections, from the two files of earlier versions; an image without a label is left out."""
    if not emnist.find(folder, OLDER[1]):
        return np.empty((0, 28, 28), np.uint8), np.empty(0, np.uint8)
    images, labels = emnist.read_images(folder, OLDER[0]), emnist.read_labels(folder, OLDER[1], None)
    return images[:len(labels)], labels[:len(images)]


def write_corrections(folder: str | Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Replace all characters: upright images uint8 (n, 28, 28), labels uint8 (n,)."""
    files.write_atomically(Path(folder, CHARACTERS),
                           lambda path: np.savez_compressed(path, images=images, labels=labels))
    for name in OLDER:
        Path(folder, name).unlink(missing_ok=True)


# ---- words

def remember_word(folder: str | Path, strokes: list[np.ndarray], text: str) -> int:
    """Add a word's strokes, each float (n, 2) in px, with its text; returns how many words there are.

    The word replaces any that shares half of its strokes with it, which is the same word, corrected earlier; an empty
    text only removes such a word.
    Raises ValueError when the text is not printable ASCII, and errors.DataError when a damaged file had to be
    set aside.
    """
    if not text.isascii() or text and not text.isprintable():
        raise ValueError(f"only letters, digits and punctuation of ASCII can be learned, not {text!r}")
    flat = [np.rint(stroke * UNITS).astype(int).ravel().tolist() for stroke in strokes]

    def change(records: list[dict]) -> list[dict]:
        kept = [record for record in records
                if 2 * sum(stroke in flat for stroke in record["strokes"]) < len(record["strokes"])]
        if text and flat:
            kept.append({"label": text, "writer": "you", "style": "?", "split": "train", "strokes": flat})
        return kept

    return len(_update(folder, (WORDS,), read_corrected_words, change, write_corrected_words))


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
    data = gzip.compress("".join(map(unipen.line_of, records)).encode(), 1, mtime=0)   # fast
    files.write_atomically(Path(folder, WORDS), lambda path: path.write_bytes(data))


# ---- both

def _update(folder: str | Path, names: tuple[str, ...], read: Callable, change: Callable, write: Callable):
    """Read, change and write what is kept, with no other process in between; returns what is kept then.

    names: the files that `read` reads.  If they are damaged they are renamed, and a DataError says so once the change
    is written.
    """
    folder, aside = Path(folder), []
    with files.locked(folder / "lock"):
        try:
            kept = change(read(folder))
        except errors.DataError:
            aside = [(name, files.set_aside(folder / name).name) for name in names if (folder / name).is_file()]
            kept = change(read(folder))
        write(folder, kept)
    if aside:
        raise errors.DataError("; ".join(f"{folder / name} is damaged: it is kept as {there}" for name, there in aside)
                               + ", and corrections are remembered in a new file")
    return kept
