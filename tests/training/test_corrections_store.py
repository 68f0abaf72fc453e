"""training/corrections_store.py: what is kept of corrected characters and words."""
import numpy as np
import pytest
import toy

from common import alphabets, errors
from training import corrections_store


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


def test_a_word_replaces_the_one_whose_strokes_it_shares(tmp_path):
    one, other, third = (np.array([[0, 0], [x, 10.04]]) for x in (10, 20, 30))
    assert corrections_store.remember_word(tmp_path, [one, other], "ab") == 1
    assert corrections_store.remember_word(tmp_path, [third], "c") == 2
    assert corrections_store.remember_word(tmp_path, [one, other], "ah") == 2
    records = corrections_store.read_corrected_words(tmp_path)
    assert [record["label"] for record in records] == ["c", "ah"]
    assert records[0]["strokes"] == [[0, 0, 300, 100]]
    assert corrections_store.remember_word(tmp_path, [one], "") == 1
    stored = tmp_path / corrections_store.WORDS
    stored.write_bytes(stored.read_bytes()[:-20])
    with pytest.raises(errors.DataError, match="words.jsonl.gz is damaged"):
        corrections_store.remember_word(tmp_path, [one], "a")
