"""Fetches, checks and reads the pictures that the networks learn from.

    python dataset.py                     fetch EMNIST into Dataset/EMNIST, once (562 MB), and check it
    python dataset.py --archive=UNIPEN    make Dataset/UNIPEN/*.jsonl.gz from the UNIPEN distribution

EMNIST ByClass (Cohen et al. 2017, arXiv 1702.05373) holds 814,255 scanned
characters in 62 classes.  UNIPEN (Guyon et al. 1994) holds pen strokes of
people writing on tablets: what a hand draws on a canvas.
"""
import gzip
import hashlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import idx2numpy
import numpy as np

import download
import glyph
import ink
import runs
import settings
import unipen

# ---- settings: change them here or on the command line, as --name=value
data_path = "Dataset/EMNIST"   # folder for EMNIST; --data_path=FOLDER
pen_path = "Dataset/UNIPEN"    # folder for the pen strokes
archive = ""                   # the UNIPEN distribution, a folder or an archive, to make the pen strokes from
# ---- end of settings

URL = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
URL_BYTES = 561_753_746
MEMBERS = {  # member of the archive: its SHA-256
    "gzip/emnist-byclass-train-images-idx3-ubyte.gz":
        "9e21987f03a6eb8b870187e785883ddad96947299587908f1a7ec2ca0f4be5f0",
    "gzip/emnist-byclass-train-labels-idx1-ubyte.gz":
        "f7ef403d48dc18a89dae0d83d11ee69cecb6e1c12c3a961d03712e495c02a8fa",
    "gzip/emnist-byclass-test-images-idx3-ubyte.gz":
        "5ec835bd5d5b1a66378a132e727fef20fe994b3cc666899befcca5ac766f50cd",
    "gzip/emnist-byclass-test-labels-idx1-ubyte.gz":
        "501e305eeeacb093b162592d80e8a2632040872360fa6d85cfcb2200d91ca92a",
    "gzip/emnist-byclass-mapping.txt": None,
}

# Label 0..61 -> character.
CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

# Images of each class in the official training set: how often people wrote each
# character on NIST's forms, and with that the natural class mix.
OFFICIAL_COUNTS = np.array([
    34585, 38374, 34203, 35143, 33535, 31416, 34232, 35754, 33946, 33847,
    6407, 3878, 10094, 4562, 4934, 9182, 2517, 3152, 11946, 3762, 2468, 5076, 9002,
    8237, 24983, 8347, 2605, 5073, 20764, 9820, 12602, 4637, 4695, 2771, 4743, 2701,
    10033, 5159, 2854, 10177, 24631, 2561, 3687, 8738, 2725, 1896, 2491, 15318, 2645,
    11418, 2749, 2448, 2994, 14105, 2699, 18262, 2830, 2910, 2697, 2822, 2365, 2725])

IMAGES_MAGIC, LABELS_MAGIC = 0x803, 0x801
CORRECTIONS = "corrections-"   # how the files of the drawing apps' corrected characters begin
WORDS = "words.jsonl.gz"       # their corrected words, with strokes in UNITS to a px
UNITS = 10
ALIGNMENT = 64   # bytes
PIECE = 1 << 20  # bytes read at a time


class DataError(ValueError):
    """Data that cannot be used; the message names the file and the remedy."""


def find(data_path: str, name: str) -> Path | None:
    """The IDX file `name`, plain or gzip-compressed, in data_path or one of EMNIST's usual folders below it."""
    for folder in ("", "ByClass", "EMNIST", "EMNIST/ByClass", "gzip"):
        for ending in ("", ".gz"):
            path = Path(data_path, folder, name + ending)
            if path.is_file():
                return path
    return None


def fetch(data_path: str) -> None:
    """Fetch the official files into data_path unless they, or stand-ins for them, are there."""
    if all(find(data_path, Path(member).stem) for member, _ in MEMBERS.items() if "ubyte" in member):
        return
    download.fetch_members(URL, data_path, MEMBERS, URL_BYTES)


def read_emnist(data_path: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Read one part, "train" or "test", of EMNIST ByClass.

    Returns upright images uint8 (n, 28, 28), ink bright, and labels uint8 (n,).
    Raises DataError when a file is missing, damaged or of another kind.
    """
    images = read_images(data_path, f"emnist-byclass-{part}-images-idx3-ubyte")
    labels = read_labels(data_path, f"emnist-byclass-{part}-labels-idx1-ubyte", len(images))
    return images, labels


def read_either(data_path: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read the training images whose letter is certain but whose case is not.

    Returns images as read_emnist does, and for each its label as an upper-case
    and as a lower-case letter, uint8 (n,).
    """
    name = "emnist-byclass-train-either-"
    images = read_images(data_path, name + "images-idx3-ubyte")
    upper = read_labels(data_path, name + "upper-labels-idx1-ubyte", len(images))
    lower = read_labels(data_path, name + "lower-labels-idx1-ubyte", len(images))
    return images, upper, lower


def read_images(data_path: str, name: str) -> np.ndarray:
    """Upright images uint8 (n, 28, 28) from an IDX file.  EMNIST stores them transposed: undone here only."""
    path, images = _read_idx(data_path, name, IMAGES_MAGIC)
    if images.shape[1:] != (28, 28):
        raise DataError(f"{path} holds images of {images.shape[1]}x{images.shape[2]} pixels, not 28x28: "
                        "put EMNIST's own file in its place")
    for start in range(0, len(images), 4096):  # in place: a second copy of all would cost half a gigabyte
        images[start:start + 4096] = images[start:start + 4096].transpose(0, 2, 1).copy()
    return images


def read_labels(data_path: str, name: str, count: int | None) -> np.ndarray:
    """Labels uint8 (count,) from an IDX file, or all with None; DataError if number or values are wrong."""
    path, labels = _read_idx(data_path, name, LABELS_MAGIC)
    if count is not None and len(labels) != count:
        raise DataError(f"{path} holds {len(labels):,} labels for {count:,} images: "
                        "take both files from the same download")
    if len(labels) and labels.max() >= len(CHARACTERS):
        raise DataError(f"{path} holds the label {labels.max()}, above {len(CHARACTERS) - 1}: "
                        "EMNIST ByClass is needed, not another split of EMNIST")
    return labels


def aligned(size: int) -> np.ndarray:
    """Memory for `size` bytes, uint8 (size,), that begins where TensorFlow can use it without a copy."""
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start:start + size]


class _Stream:
    """Gives idx2numpy a file's bytes in memory that may be written to and shared, so that nothing is copied."""

    def __init__(self, file):
        self.file = file

    def read(self, size: int) -> np.ndarray:
        data, filled = aligned(size), 0
        while filled < size:
            got = self.file.readinto(data[filled:filled + PIECE])  # gzip holds a second copy of what is asked for
            if not got:
                break
            filled += got
        return data[:filled]


def _read_idx(data_path: str, name: str, magic: int) -> tuple[Path, np.ndarray]:
    path = find(data_path, name)
    if path is None:
        raise DataError(f"{name}.gz is not in {data_path}: run `python dataset.py` to fetch it from {URL}, "
                        "or name the right folder with --data_path=")
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            found = int.from_bytes(file.read(4), "big")
            if found != magic:
                raise DataError(f"{path} begins with the number {found:#x}, not {magic:#x}: it is not the IDX file "
                                "its name says; delete it and run `python dataset.py`")
            file.seek(0)
            return path, idx2numpy.convert_from_file(_Stream(file))
    except DataError:
        raise
    except (OSError, EOFError, ValueError, MemoryError, gzip.zlib.error, idx2numpy.FormatError) as error:
        raise DataError(f"{path} is truncated or damaged ({error}): delete it and run `python dataset.py`") from error


def read_pen(pen_path: str, split: str, seed: int = 0, workers: int = 20, limit: int = 0,
             pen: float | None = None, file: str = "characters") -> tuple[np.ndarray, np.ndarray]:
    """Pen strokes of one split ("train", "val", "test": no writer is in two) as glyphs.

    pen: the pen's diameter in px for a character 100 px tall; None draws each
    with a random one between 3 and 14.  limit: read only so many (0: all).
    file: "harvest" for the letters that harvest.py took out of words.
    Returns images uint8 (n, 28, 28) and labels uint8 (n,).
    """
    path = Path(pen_path)
    path = path / f"{file}.jsonl.gz" if path.is_dir() or not path.suffix else path
    if not path.is_file():
        command, without = {"harvest": ("harvest.py", "harvest")}.get(file, ("dataset.py --archive=UNIPEN", "pen"))
        raise DataError(f"{path} is missing: make it with `python {command}`, or train without (--{without}=False)")
    labels, strokes = [], []
    for record in unipen.read_strokes(path, split):
        if record["label"] in CHARACTERS and len(record["label"]) == 1:
            labels.append(CHARACTERS.index(record["label"]))
            strokes.append(record["strokes"])
            if len(labels) == limit:
                break
    widths = np.random.default_rng(seed).uniform(3, 14, len(labels)) if pen is None else np.full(len(labels), pen)
    with ThreadPoolExecutor(min(workers, os.cpu_count() or 1)) as pool:
        images = list(pool.map(draw_glyph, strokes, widths, chunksize=256))
    return np.array(images, np.uint8).reshape(-1, 28, 28), np.array(labels, np.uint8)


def draw_glyph(strokes, pen_width: float, height: float = 100) -> np.ndarray:
    """The glyph of one character drawn with a round pen: its longest side `height` px, the pen in px."""
    size = max(float(np.ptp(np.concatenate([ink.as_points(stroke) for stroke in strokes]), axis=0).max()), 1.0)
    return glyph.glyph(ink.draw_strokes(ink.scale_strokes(strokes, height / size), pen_width))


def remember(folder: str | Path, image: np.ndarray, text: str) -> int:
    """Add a glyph, uint8 (28, 28), and what it really is to the corrections; returns how many there are.

    Of a glyph that is there already only the label changes: it was corrected twice;
    with "" for a text the glyph is forgotten.
    Raises ValueError when the text is not one of CHARACTERS, and DataError when the
    folder holds something else.
    """
    if text and (len(text) != 1 or text not in CHARACTERS):
        raise ValueError(f"only one of 0-9, A-Z, a-z can be learned, not {text!r}")
    images, labels = read_corrections(folder)
    others = (images != image).any(axis=(1, 2))
    images, labels = images[others], labels[others]
    if text:
        images, labels = np.concatenate([images, image[None]]), np.append(labels, np.uint8(CHARACTERS.index(text)))
    write_corrections(folder, images, labels)
    return len(labels)


def read_corrections(folder: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """All corrections: upright images uint8 (n, 28, 28) and labels uint8 (n,); none if there is no such folder."""
    if not find(str(folder), CORRECTIONS + "labels-idx1-ubyte"):
        return np.empty((0, 28, 28), np.uint8), np.empty(0, np.uint8)
    images = read_images(str(folder), CORRECTIONS + "images-idx3-ubyte")
    labels = read_labels(str(folder), CORRECTIONS + "labels-idx1-ubyte", None)
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
        runs.write_atomically(Path(folder, CORRECTIONS + kind), lambda path, data=data: path.write_bytes(data))


def remember_word(folder: str | Path, strokes: list[np.ndarray], text: str) -> int:
    """Add a word's strokes, each float (n, 2) in px, and what they really say to the corrections.

    Returns how many words there are.  It takes the place of a word that shares half of its strokes, which was corrected
    twice; with "" for a text that word is forgotten, and nothing takes its place.
    Raises ValueError when the text is not of printable ASCII, and DataError when the
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
    """All words of the corrections, as records of unipen.py; none if there is no such file."""
    path = Path(folder, WORDS)
    if not path.is_file():
        return []
    try:
        return list(unipen.read_strokes(path))
    except unipen.UnipenError as error:
        raise DataError(f"{path} is damaged: move it away, and correct words anew") from error


def write_corrected_words(folder: str | Path, records: list[dict]) -> None:
    """Write the corrected words anew: records of unipen.py, of the training split."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    data = gzip.compress("".join(map(unipen.line_of, records)).encode(), mtime=0)
    runs.write_atomically(Path(folder, WORDS), lambda path: path.write_bytes(data))


def log_ratio(counts: np.ndarray) -> np.ndarray:
    """Log of each class's share among `counts` over its natural share, 0 for a class that is not there: (62,)."""
    natural = np.where(counts > 0, OFFICIAL_COUNTS, 0)
    ratio = np.divide(counts * natural.sum(), natural * np.sum(counts), out=np.ones(62), where=natural > 0)
    return np.log(ratio).astype(np.float32)


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(arguments: list[str]) -> None:
    """Fetch and check EMNIST, or make the pen strokes."""
    config = globals() | settings.read(__file__, globals(), arguments)[0]
    if config["archive"]:
        written, skipped = unipen.convert(config["archive"], config["pen_path"])
        for name, count in written.items():
            print(f"{count:,} {name} in {config['pen_path']}")
        for reason, count in skipped.items():
            print(f"{count:,} skipped: {reason}")
        return
    fetch(config["data_path"])
    for part in ("train", "test"):
        images, _ = read_emnist(config["data_path"], part)
        print(f"{len(images):,} {part} images in {config['data_path']}, checked")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (settings.SettingsError, DataError, unipen.UnipenError, download.DownloadError) as error:
        settings.fail(error)
    except KeyboardInterrupt:
        print("\nended; what was fetched is kept, run again to go on", file=sys.stderr)
        raise SystemExit(130) from None
