"""Scans of unknown case are made from EMNIST's other sets, without what ByClass's files hold."""
import numpy as np
import pytest
import toy

from common import errors
from common.alphabets import CHARACTERS
from tools import either_case
from training import emnist


def write(folder, name: str, images: np.ndarray, labels: list[int]) -> None:
    """Write the training part of a set other than ByClass."""
    toy.write(folder, "train", images, np.array(labels, np.uint8), name=name)


def test_letters_that_byclass_lacks_get_both_labels(tmp_path, capsys):
    known, _ = toy.samples(2, 1, "O")
    toy.write(tmp_path, "train", known, np.full(2, CHARACTERS.index("O"), np.uint8))
    toy.write(tmp_path, "test", *toy.samples(1, 2, "x"))
    new, _ = toy.samples(4, 3, "A")
    write(tmp_path, "letters", np.concatenate([known, new[:2]]), [15, 15, 1, 3])         # O, O, either A, either C
    write(tmp_path, "balanced", new, [10, 12, 7, 36])                                    # A, either C, 7, a
    either_case.main([f"--source_path={tmp_path}", f"--data_path={tmp_path}"])
    images, capitals, small = emnist.read_either_case(tmp_path)
    found = {image.tobytes(): CHARACTERS[one] + CHARACTERS[other] for image, one, other in zip(images, capitals, small)}
    assert found == {new[0].tobytes(): "AA", new[1].tobytes(): "Cc", new[3].tobytes(): "aa"}
    assert "3 letters more, 1 of them of unknown case" in capsys.readouterr().out


def test_nothing_new_is_not_written_and_other_files_are_refused(tmp_path, capsys):
    toy.write_all(tmp_path, 2, "AB")
    arguments = [f"--source_path={tmp_path}", f"--data_path={tmp_path}"]
    with pytest.raises(errors.DataError, match="no emnist-letters"):
        either_case.main(arguments)
    images, _ = emnist.read_emnist(tmp_path, "train")
    write(tmp_path, "letters", images, [1] * len(images))
    either_case.main(arguments)
    assert "nothing is written" in capsys.readouterr().out and emnist.read_either_case(tmp_path) is None
    write(tmp_path, "letters", images, [27] * len(images))
    with pytest.raises(errors.DataError, match="go to 27"):
        either_case.main(arguments)
