"""Reads EMNIST ByClass: 814,255 scanned characters in 62 classes, in NIST's IDX files.

G. Cohen, S. Afshar, J. Tapson, A. van Schaik, "EMNIST: an extension of MNIST to handwritten letters", 2017,
arXiv 1702.05373.  `python -m tools.fetch_data` fetches the files.
"""
import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from common import alphabets, errors
from training import devices

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
}

EITHER_CASE = "emnist-byclass-train-either-"   # made by python -m tools.either_case
IMAGES_MAGIC, LABELS_MAGIC = 0x803, 0x801   # unsigned bytes in three dimensions, and in one
MOST_UNPACKED = 1100   # times a file's size: gzip cannot pack tighter
BLOCK = 4096   # images read at a time: a second copy of all would cost half a gigabyte


def find(data_path: str | Path, name: str) -> Path | None:
    """The IDX file `name`, plain or gzip-compressed, in data_path or one of EMNIST's usual folders below it."""
    for folder in ("", "ByClass", "EMNIST", "EMNIST/ByClass", "gzip"):
        for ending in ("", ".gz"):
            path = Path(data_path, folder, name + ending)
            if path.is_file():
                return path
    return None


def fetch(data_path: str | Path) -> None:
    """Fetch the official files into data_path unless they, or stand-ins for them, are there.

    Raises download.DownloadError.
    """
    from training import download  # here, since reading files need not wait for an HTTP library
    if not all(find(data_path, Path(member).stem) for member in MEMBERS):
        download.fetch(URL, data_path, MEMBERS, URL_BYTES)


def held_out(count: int, val_split: float) -> int:
    """How many of the `count` rows of a training file, the last ones, are held out for validation."""
    return max(1, round(count * val_split))


def read_emnist(data_path: str | Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Read one part, "train" or "test", of EMNIST ByClass.

    Returns upright images uint8 (n, 28, 28), ink bright, and labels uint8 (n,).
    Raises errors.DataError when a file is missing, damaged or of another kind.
    """
    images = read_images(data_path, f"emnist-byclass-{part}-images-idx3-ubyte")
    labels = read_labels(data_path, f"emnist-byclass-{part}-labels-idx1-ubyte", len(images))
    if not len(images):
        raise errors.DataError(f"{data_path} holds no {part} images: run `python -m tools.fetch_data`")
    return images, labels


def read_either_case(data_path: str | Path) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Read the training images whose letter is certain but whose case is not, if the folder has them.

    Returns images as read_emnist does, and each one's label as a capital and as a small letter, uint8 (n,).
    Raises errors.DataError when a file is damaged or of another kind, or when only some of them are there.
    """
    if not find(data_path, EITHER_CASE + "images-idx3-ubyte"):
        return None
    images = read_images(data_path, EITHER_CASE + "images-idx3-ubyte")
    capital, small = (read_labels(data_path, f"{EITHER_CASE}{case}-labels-idx1-ubyte", len(images))
                      for case in ("upper", "lower"))
    return images, capital, small


def read_images(data_path: str | Path, name: str) -> np.ndarray:
    """Upright images uint8 (n, 28, 28) from an IDX file; errors.DataError if it holds no such images."""
    path, images = _read_idx(data_path, name, IMAGES_MAGIC)
    if images.shape[1:] != (28, 28):
        raise errors.DataError(f"{path} holds images of {images.shape[2]}x{images.shape[1]} pixels, not 28x28: "
                               "put EMNIST's own file in its place")
    return images


def read_labels(data_path: str | Path, name: str, count: int | None) -> np.ndarray:
    """Labels uint8 (count,) from an IDX file, or all if count is None; errors.DataError for a wrong number or value."""
    path, labels = _read_idx(data_path, name, LABELS_MAGIC)
    if count is not None and len(labels) != count:
        raise errors.DataError(f"{path} holds {len(labels):,} labels for {count:,} images: "
                               "take both files from the same download")
    if len(labels) and labels.max() >= len(alphabets.CHARACTERS):
        raise errors.DataError(f"{path} holds the label {labels.max()}, above {len(alphabets.CHARACTERS) - 1}: "
                               "EMNIST ByClass is needed, not another split of EMNIST")
    return labels


def _read_idx(data_path: str | Path, name: str, magic: int) -> tuple[Path, np.ndarray]:
    path = find(data_path, name)
    if path is None:
        raise errors.DataError(f"{name}.gz is not in {data_path}: run `python -m tools.fetch_data` to fetch it from "
                               f"{URL}, or name the right folder with --data_path=")
    dimensions = magic & 0xFF
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            found, count, *size = struct.unpack(f">{1 + dimensions}I", file.read(4 + 4 * dimensions))
            if found != magic:
                raise ValueError(f"it begins with {found:#x}, not {magic:#x}")
            if count * math.prod(size) > MOST_UNPACKED * path.stat().st_size:
                raise ValueError("it announces more than it can hold")
            array = devices.aligned((count, *size[::-1]))
            for start in range(0, count, BLOCK):
                block = array[start:start + BLOCK]
                stored = np.frombuffer(file.read(block.size), np.uint8).reshape(len(block), *size)
                block[...] = stored.swapaxes(-1, -2) if size else stored   # EMNIST stores images transposed
            if file.read(1):
                raise ValueError("more follows than it announces")
    except (OSError, EOFError, ValueError, MemoryError, struct.error, zlib.error) as error:
        raise errors.DataError(f"{path} is truncated or damaged, or not the IDX file that its name says ({error}): "
                               "delete it and run `python -m tools.fetch_data`") from error
    return path, array
