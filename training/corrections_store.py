"""Corrected characters and words, as the drawing apps keep them and trainings read them."""
import gzip
from pathlib import Path

import idx2numpy
import numpy as np

from common import alphabets, errors, files
from training import emnist, unipen

CORRECTIONS = "corrections-"   # how the files of the drawing apps' corrected characters begin
WORDS = "words.jsonl.gz"       # their corrected words, with strokes in UNITS to a px
UNITS = 10


def remember(folder: str | Path, image: np.ndarray, text: str) -> int:
    """Add a glyph, uint8 (28, 28), and what it really is to the corrections; returns how many there are.

    Of a glyph that is there already only the label changes: it was corrected twice;
    with "" for a text the glyph is forgotten.
    Raises ValueError when the text is not one of alphabets.CHARACTERS, and errors.DataError when the
    folder holds something else.
    """
    if text and (len(text) != 1 or text not in alphabets.CHARACTERS):
        raise ValueError(f"only one of 0-9, A-Z, a-z can be learned, not {text!r}")
    images, labels = read_corrections(folder)
    others = (images != image).any(axis=(1, 2))
    images, labels = images[others], labels[others]
    if text:
        images, labels = np.concatenate([images, image[None]]), np.append(labels, np.uint8(alphabets.CHARACTERS.index(text)))
    write_corrections(folder, images, labels)
    return len(labels)


def read_corrections(folder: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """All corrections: upright images uint8 (n, 28, 28) and labels uint8 (n,); none if there is no such folder."""
    if not emnist.find(str(folder), CORRECTIONS + "labels-idx1-ubyte"):
        return np.empty((0, 28, 28), np.uint8), np.empty(0, np.uint8)
    images = emnist.read_images(str(folder), CORRECTIONS + "images-idx3-ubyte")
    labels = emnist.read_labels(str(folder), CORRECTIONS + "labels-idx1-ubyte", None)
    return images[:len(labels)], labels[:len(images)]


def write_corrections(folder: str | Path, images: np.ndarray, labels: np.ndarray) -> None:
    """Write the corrections anew, in EMNIST's form: upright images uint8 (n, 28, 28), labels uint8 (n,)."""
    if not len(labels):  # idx2numpy writes no file of nothing
        for kind in ("labels-idx1-ubyte", "images-idx3-ubyte"):
            Path(folder, CORRECTIONS + kind).unlink(missing_ok=True)
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    transposed = np.ascontiguousarray(images.transpose(0, 2, 1))
    # Images first: after a power cut between the two, the last image has no label, and is left out.
    for kind, content in (("images-idx3-ubyte", transposed), ("labels-idx1-ubyte", labels)):
        data = idx2numpy.convert_to_string(content)
        files.write_atomically(Path(folder, CORRECTIONS + kind), lambda path, data=data: path.write_bytes(data))


def remember_word(folder: str | Path, strokes: list[np.ndarray], text: str) -> int:
    """Add a word's strokes, each float (n, 2) in px, and what they really say to the corrections.

    Returns how many words there are.  It takes the place of a word that shares half of its strokes, which was corrected
    twice; with "" for a text that word is forgotten, and nothing takes its place.
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
    """All words of the corrections, as records of training/unipen.py; none if there is no such file."""
    path = Path(folder, WORDS)
    if not path.is_file():
        return []
    try:
        return list(unipen.read_strokes(path))
    except unipen.UnipenError as error:
        raise errors.DataError(f"{path} is damaged: move it away, and correct words anew") from error


def write_corrected_words(folder: str | Path, records: list[dict]) -> None:
    """Write the corrected words anew: records of training/unipen.py, of the training split."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    data = gzip.compress("".join(map(unipen.line_of, records)).encode(), mtime=0)
    files.write_atomically(Path(folder, WORDS), lambda path: path.write_bytes(data))
