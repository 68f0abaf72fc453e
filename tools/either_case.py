"""Collects scans of letters of unknown case, for those who have only part of EMNIST ByClass.

    python -m tools.either_case --source_path=FOLDER    FOLDER holds EMNIST's Letters, ByMerge or Balanced

These sets hold images of ByClass under fewer labels: Letters merges each capital with its lowercase letter, ByMerge and
Balanced merge the 15 pairs that look alike.  Images in their training files that ByClass's own files lack are written
beside the latter, as emnist-byclass-train-either-images-idx3-ubyte.gz and two files of labels, `upper` and `lower`,
which agree where the case is known.  If all of ByClass is there, this adds nothing.  model.py --either_case=True learns
from these files.
"""
import gzip
import struct
from pathlib import Path

import numpy as np

from common import errors, files, settings
from common.alphabets import CHARACTERS
from training import emnist

# ---- settings: change them here or on the command line, as --name=value
source_path = "Dataset/EMNIST"   # folder with the training files of Letters, ByMerge or Balanced
data_path = "Dataset/EMNIST"     # folder with ByClass's files
# ---- end of settings

ALIKE, TOLD_APART = "CIJKLMOPSUVWXYZ", "abdefghnqrt"   # letters with one label for both cases in ByMerge, and with two
CAPITALS, SMALL = CHARACTERS[10:36], CHARACTERS[36:]
MERGED = [*((letter, letter.lower() if letter in ALIKE else letter) for letter in CHARACTERS[:36]),
          *zip(TOLD_APART, TOLD_APART)]
SETS = {"letters": [("", ""), *zip(CAPITALS, SMALL)], "bymerge": MERGED, "balanced": MERGED}   # cases of each label


def main(arguments: list[str]) -> None:
    """Read the sets that exist, leave out what ByClass's files hold, and write the rest."""
    config, _ = settings.configure(globals(), arguments)
    known = {image.tobytes() for part in ("train", "test") for image in emnist.read_emnist(config.data_path, part)[0]}
    found = {image: labels for image, labels in read_letters(config.source_path).items() if image not in known}
    if not found:
        print(f"{config.data_path} holds all these letters already: nothing is written")
        return
    images = np.frombuffer(b"".join(found), np.uint8).reshape(-1, 28, 28)
    capitals, small = np.array(list(found.values()), np.uint8).T
    write_idx(config.data_path, "images-idx3", images.swapaxes(1, 2))   # EMNIST stores images transposed
    write_idx(config.data_path, "upper-labels-idx1", capitals)
    write_idx(config.data_path, "lower-labels-idx1", small)
    print(f"{config.data_path}: {len(images):,} letters more, {(capitals != small).sum():,} of them of unknown case")


def read_letters(source_path: str) -> dict[bytes, tuple[int, int]]:
    """The letters of all sets in a folder: each image's pixels, and its labels as a capital and a lowercase letter.

    Raises errors.DataError when the folder holds none of the sets, or a damaged file.
    """
    names = [name for name in SETS if emnist.find(source_path, f"emnist-{name}-train-images-idx3-ubyte")]
    if not names:
        raise errors.DataError(f"{source_path} holds no emnist-letters-train-images-idx3-ubyte.gz, nor bymerge or "
                               f"balanced: unpack {emnist.URL} and name its folder with --source_path=")
    found = {}
    for name in names:   # later sets know the case of some letters
        images = emnist.read_images(source_path, f"emnist-{name}-train-images-idx3-ubyte")
        labels = emnist.read_labels(source_path, f"emnist-{name}-train-labels-idx1-ubyte", len(images))
        if labels.max() >= len(SETS[name]):
            raise errors.DataError(f"the labels of {name} in {source_path} go to {labels.max()}, not to "
                                   f"{len(SETS[name]) - 1}: take EMNIST's own files")
        for image, label in zip(images, labels):
            if SETS[name][label][0].isalpha():
                found[image.tobytes()] = tuple(map(CHARACTERS.index, SETS[name][label]))
    return found


def write_idx(data_path: str, kind: str, array: np.ndarray) -> None:
    """Write unsigned bytes as one of EMNIST's files."""
    header = struct.pack(f">I{array.ndim}I", 0x800 + array.ndim, *array.shape)
    files.write_atomically(Path(data_path, f"{emnist.EITHER_CASE}{kind}-ubyte.gz"),
                           lambda path: path.write_bytes(gzip.compress(header + array.tobytes())))


if __name__ == "__main__":
    settings.run(main)
