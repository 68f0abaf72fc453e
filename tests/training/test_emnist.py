"""EMNIST's files: read upright from every usual place, and refused by name when they are bad."""
import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import toy

from common import alphabets, errors
from training import download, emnist, unipen

ROOT = Path(__file__).resolve().parents[2]
IMAGES = "emnist-byclass-train-images-idx3-ubyte"
LABELS = "emnist-byclass-train-labels-idx1-ubyte"


@pytest.mark.parametrize("folder", ["", "ByClass", "EMNIST", "EMNIST/ByClass"])
@pytest.mark.parametrize("compress", [True, False])
def test_reads_upright_images_from_the_usual_folders(tmp_path, folder, compress):
    images, labels = toy.samples(2, seed=0, characters="L7")
    toy.write(tmp_path / folder, "train", images, labels, compress)
    found, found_labels = emnist.read_emnist(str(tmp_path), "train")
    assert found.dtype == np.uint8 and found_labels.dtype == np.uint8
    np.testing.assert_array_equal(found, images)
    np.testing.assert_array_equal(found_labels, labels)
    upright_l = found[found_labels == alphabets.CHARACTERS.index("L")][0].astype(int)
    assert upright_l[20:].sum() > upright_l[:8].sum(), "an upright L is heaviest at its foot"


def test_labels_are_characters():
    assert len(alphabets.CHARACTERS) == 62 == len(alphabets.OFFICIAL_COUNTS)
    assert (alphabets.CHARACTERS[0], alphabets.CHARACTERS[10], alphabets.CHARACTERS[61]) == ("0", "A", "z")
    assert alphabets.OFFICIAL_COUNTS.sum() == 697_932


def _damage(folder: Path, damage: str) -> str:
    """Damage the data set in one way; returns the name of the file to blame."""
    images, labels = toy.samples(3, seed=0, characters="ab")
    toy.write(folder, "train", images, labels)
    path, kind = {"truncated": (IMAGES, None), "not gzip": (IMAGES, None), "garbage inside": (LABELS, None),
                  "labels for images": (IMAGES, labels), "counts differ": (LABELS, labels[:-1]),
                  "label 62": (LABELS, np.full_like(labels, 62)), "27 pixels": (IMAGES, images[:, :27]),
                  "too long": (LABELS, labels)}[damage]
    file = folder / f"{path}.gz"
    if damage == "truncated":
        file.write_bytes(file.read_bytes()[:-200])
    elif damage == "not gzip":
        file.write_bytes(b"<html>please log in</html>")
    elif damage == "garbage inside":
        file.write_bytes(gzip.compress(b"\x12\x34\x56\x78" * 9))
    else:
        magic = 0x803 if kind.ndim == 3 else 0x801
        file.write_bytes(gzip.compress(toy.idx(kind, magic) + (b"x" if damage == "too long" else b"")))
    return path


@pytest.mark.parametrize("damage", ["truncated", "not gzip", "garbage inside", "labels for images", "counts differ",
                                    "label 62", "27 pixels", "too long"])
def test_bad_files_are_refused_by_name(tmp_path, damage):
    blamed = _damage(tmp_path, damage)
    with pytest.raises(errors.DataError, match=blamed) as error:
        emnist.read_emnist(str(tmp_path), "train")
    assert "\n" not in str(error.value)


def test_missing_files_name_the_remedy(tmp_path):
    with pytest.raises(errors.DataError, match=r"python -m tools.fetch_data.*https://.*--data_path="):
        emnist.read_emnist(str(tmp_path), "train")


def test_a_file_that_announces_nothing_or_too_much_is_refused(tmp_path):
    images, labels = toy.samples(1, 0, "ab")
    toy.write(tmp_path, "train", images[:0], labels[:0])
    with pytest.raises(errors.DataError, match="holds no train images"):
        emnist.read_emnist(tmp_path, "train")
    huge = toy.idx(images, 0x803).replace((2).to_bytes(4, "big"), (2**31).to_bytes(4, "big"), 1)
    (tmp_path / f"{IMAGES}.gz").write_bytes(gzip.compress(huge))
    with pytest.raises(errors.DataError, match="announces more than it can hold"):
        emnist.read_emnist(tmp_path, "train")


def test_fetch_is_not_needed_where_the_files_are(tmp_path, monkeypatch):
    toy.write_all(tmp_path, 2, "ab")
    monkeypatch.setattr(emnist, "URL", "http://127.0.0.1:9/gzip.zip")
    emnist.fetch(str(tmp_path))
    (tmp_path / f"{LABELS}.gz").unlink()
    with pytest.raises(download.DownloadError, match="127.0.0.1:9") as error:
        emnist.fetch(str(tmp_path))
    assert str(tmp_path) in str(error.value)


def test_pen_strokes_become_glyphs_of_their_split(tmp_path):
    corner = {"label": "L", "writer": "a", "style": "printed", "split": "train", "strokes": [[0, 0, 0, 90, 60, 90]]}
    other = dict(corner, label="7", writer="b", split="test", strokes=[[0, 0, 60, 0, 30, 90]])
    with gzip.open(tmp_path / "characters.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(record) + "\n" for record in (corner, other))
    images, labels = unipen.read_pen(str(tmp_path), "train")
    assert images.shape == (1, 28, 28) and alphabets.CHARACTERS[labels[0]] == "L"
    assert images[0, 22:].sum() > images[0, :10].sum(), "an upright L is heaviest at its foot"
    assert alphabets.CHARACTERS[unipen.read_pen(str(tmp_path), "test")[1][0]] == "7"


def test_command_line_checks_and_refuses(tmp_path):
    toy.write_all(tmp_path / "good", 2, "ab")
    toy.write_all(tmp_path / "bad", 2, "ab")
    (tmp_path / "bad" / f"{LABELS}.gz").write_bytes(b"")
    good, bad = (subprocess.run([sys.executable, "-m", "tools.fetch_data", f"--data_path={tmp_path / name}"],
                                capture_output=True, text=True) for name in ("good", "bad"))
    assert good.returncode == 0 and "4 train images" in good.stdout
    assert bad.returncode == 2 and LABELS in bad.stderr and len(bad.stderr.splitlines()) == 1
