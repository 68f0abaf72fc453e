"""Fetches, checks and reads the pictures that the networks learn from.

    python -m tools.fetch_data                     fetch EMNIST into Dataset/EMNIST, once (562 MB), and check it
    python -m tools.fetch_data --archive=UNIPEN    make Dataset/UNIPEN/*.jsonl.gz from the UNIPEN distribution

EMNIST ByClass (Cohen et al. 2017, arXiv 1702.05373) holds 814,255 scanned
characters in 62 classes.  UNIPEN (Guyon et al. 1994) holds pen strokes of
people writing on tablets: what a hand draws on a canvas.
"""
import gzip
from pathlib import Path

import idx2numpy
import numpy as np

from common import alphabets, errors
from training import download

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

IMAGES_MAGIC, LABELS_MAGIC = 0x803, 0x801
ALIGNMENT = 64   # bytes
PIECE = 1 << 20  # bytes read at a time


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
    Raises errors.DataError when a file is missing, damaged or of another kind.
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
        raise errors.DataError(f"{path} holds images of {images.shape[1]}x{images.shape[2]} pixels, not 28x28: "
                        "put EMNIST's own file in its place")
    for start in range(0, len(images), 4096):  # in place: a second copy of all would cost half a gigabyte
        images[start:start + 4096] = images[start:start + 4096].transpose(0, 2, 1).copy()
    return images


def read_labels(data_path: str, name: str, count: int | None) -> np.ndarray:
    """Labels uint8 (count,) from an IDX file, or all with None; errors.DataError if number or values are wrong."""
    path, labels = _read_idx(data_path, name, LABELS_MAGIC)
    if count is not None and len(labels) != count:
        raise errors.DataError(f"{path} holds {len(labels):,} labels for {count:,} images: "
                        "take both files from the same download")
    if len(labels) and labels.max() >= len(alphabets.CHARACTERS):
        raise errors.DataError(f"{path} holds the label {labels.max()}, above {len(alphabets.CHARACTERS) - 1}: "
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
        raise errors.DataError(f"{name}.gz is not in {data_path}: run `python -m tools.fetch_data` to fetch it from {URL}, "
                        "or name the right folder with --data_path=")
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            found = int.from_bytes(file.read(4), "big")
            if found != magic:
                raise errors.DataError(f"{path} begins with the number {found:#x}, not {magic:#x}: it is not the IDX file "
                                "its name says; delete it and run `python -m tools.fetch_data`")
            file.seek(0)
            return path, idx2numpy.convert_from_file(_Stream(file))
    except errors.DataError:
        raise
    except (OSError, EOFError, ValueError, MemoryError, gzip.zlib.error, idx2numpy.FormatError) as error:
        raise errors.DataError(f"{path} is truncated or damaged ({error}): delete it and run `python -m tools.fetch_data`") from error
