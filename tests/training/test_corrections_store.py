"""training/corrections_store.py: what is kept of corrected characters and words."""
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import toy

from common import alphabets, errors
from training import corrections_store

ROOT = Path(__file__).resolve().parents[2]


def labels_of(folder) -> str:
    return "".join(alphabets.CHARACTERS[label] for label in corrections_store.read_corrections(folder)[1])


def test_characters_are_remembered_relabelled_and_forgotten(tmp_path):
    folder = tmp_path / "Corrections"
    glyphs, _ = toy.samples(1, 0, "abc")
    assert labels_of(folder) == ""
    for glyph, text in zip(glyphs, "xyz"):
        corrections_store.remember(folder, glyph, text)
    assert corrections_store.remember(folder, glyphs[0], "7") == 3 and labels_of(folder) == "yz7"
    np.testing.assert_array_equal(corrections_store.read_corrections(folder)[0], glyphs[[1, 2, 0]])
    assert [corrections_store.remember(folder, glyph, "") for glyph in glyphs] == [2, 1, 0] and labels_of(folder) == ""
    with pytest.raises(ValueError, match="only one of"):
        corrections_store.remember(folder, glyphs[0], "ab")


def test_older_files_of_emnists_kind_are_read(tmp_path):
    images, labels = toy.samples(2, 0, "L7")
    (tmp_path / "corrections-images-idx3-ubyte").write_bytes(toy.idx(images.transpose(0, 2, 1), 0x803))
    (tmp_path / "corrections-labels-idx1-ubyte").write_bytes(toy.idx(labels[:3], 0x801))   # the last was cut off
    found, found_labels = corrections_store.read_corrections(tmp_path)
    np.testing.assert_array_equal(found, images[:3])
    np.testing.assert_array_equal(found_labels, labels[:3])
    assert corrections_store.remember(tmp_path, images[3], "L") == 4 and not list(tmp_path.glob("corrections-*"))
    np.testing.assert_array_equal(corrections_store.read_corrections(tmp_path)[1][:3], labels[:3])


def test_a_word_replaces_the_one_whose_strokes_it_shares(tmp_path):
    one, other, third = (np.array([[0, 0], [x, 10.04]]) for x in (10, 20, 30))
    assert corrections_store.remember_word(tmp_path, [one, other], "ab") == 1
    assert corrections_store.remember_word(tmp_path, [third], "c") == 2
    assert corrections_store.remember_word(tmp_path, [one, other], "ah") == 2
    records = corrections_store.read_corrected_words(tmp_path)
    assert [record["label"] for record in records] == ["c", "ah"]
    assert records[0]["strokes"] == [[0, 0, 300, 100]]
    assert corrections_store.remember_word(tmp_path, [one], "") == 1


def test_a_damaged_file_is_set_aside_and_remembering_goes_on(tmp_path):
    stroke, (glyph,) = np.array([[0, 0], [10, 10]]), toy.samples(1, 0, "a")[0]
    for name, remember, count in (
            (corrections_store.WORDS, lambda: corrections_store.remember_word(tmp_path, [stroke], "a"),
             lambda: len(corrections_store.read_corrected_words(tmp_path))),
            (corrections_store.CHARACTERS, lambda: corrections_store.remember(tmp_path, glyph, "a"),
             lambda: len(corrections_store.read_corrections(tmp_path)[1]))):
        remember()
        stored = tmp_path / name
        damaged = stored.read_bytes()[:-20]
        stored.write_bytes(damaged)
        with pytest.raises(errors.DataError, match=rf"{name} is damaged: it is kept as damaged-\w+-{name}") as told:
            remember()
        aside, = tmp_path.glob(f"damaged-*-{name}")
        assert aside.read_bytes() == damaged and aside.name in str(told.value) and count() == 1 == remember()


REMEMBER = """
import sys
import numpy as np
from training import corrections_store
folder, first = sys.argv[1], int(sys.argv[2])
for number in range(first, first + 20):
    glyph = np.full((28, 28), number, np.uint8)
    corrections_store.remember(folder, glyph, "0123456789"[number % 10])
    corrections_store.remember_word(folder, [np.array([[number, 0], [0, number]])], str(number))
"""


def test_two_apps_that_remember_at_once_lose_nothing(tmp_path):
    apps = [subprocess.Popen([sys.executable, "-c", REMEMBER, str(tmp_path), str(first)], cwd=ROOT)
            for first in (100, 200)]
    assert [app.wait(60) for app in apps] == [0, 0]
    images, labels = corrections_store.read_corrections(tmp_path)
    numbers = [*range(100, 120), *range(200, 220)]
    assert sorted(images[:, 0, 0].tolist()) == numbers and (labels == images[:, 0, 0] % 10).all()
    assert sorted(int(word["label"]) for word in corrections_store.read_corrected_words(tmp_path)) == numbers
