"""tools/evaluate.py counts as one would by hand, and its lines of scans look like text."""
import gzip
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import toy

from common import glyph, runs, settings
from common.alphabets import CHARACTERS
from reading import recognizer
from tools import evaluate, other_readers, report

ROOT = Path(__file__).resolve().parents[2]
LETTER = ROOT / "samples" / "R.png"


def result(truth: str, text: str, seconds: float = 0.01) -> report.Result:
    return report.Result(np.full((20, 30), 255, np.uint8), truth, text, seconds)


def test_the_figures_are_those_counted_by_hand():
    figures = evaluate.measure([result("one two", "one two", 0.1), result("abc de", "abcde", 0.3),
                                result("Word", "w rd"), result("xyz", "xyz")])
    assert figures["n"] == 4 and figures["ms"] == pytest.approx(1000 * (0.01 + 0.1) / 2)
    assert figures["exact"] == 2 / 4
    assert figures["CER"] == pytest.approx((0 + 1 + 2 + 0) / (7 + 6 + 4 + 3))
    assert figures["CER without case"] == pytest.approx((0 + 1 + 1 + 0) / 20)
    assert figures["WER"] == pytest.approx((0 + 2 + 2 + 0) / 6)
    assert figures["space F1"] == pytest.approx(2 * 1 / (2 + 2))  # two true spaces, two read, one of them right
    assert figures["words split"] == 1 / 2


def test_nothing_to_count_stays_blank(capsys):
    figures = evaluate.measure([result("a", "a")])
    assert np.isnan(figures["space F1"])
    report.print_table(evaluate.COLUMNS, [{"set": "letters"} | figures])
    row = capsys.readouterr().out.splitlines()[-1].split(" | ")
    assert dict(zip(evaluate.COLUMNS, row, strict=True))["space F1"] == ""


def test_a_slope_does_not_make_letters_taller():
    strokes = [[0, 0, 0, 40], [10, 60, 10, 100], [20, 120, 20, 160]]
    assert evaluate.height_of(strokes, alone=False) == pytest.approx(40)
    assert evaluate.height_of(strokes, alone=True) == 160


def test_scans_are_pasted_at_their_true_heights_and_do_not_touch():
    rng = np.random.default_rng(0)
    text = ["Hxp", "acdg"]
    labels = np.array([CHARACTERS.index(character) for character in "".join(text)])
    images = np.array([toy.draw(character, rng) for character in "".join(text)])
    sample = evaluate.compose([[0, 1, 2], [3, 4, 5, 6]], images, labels, np.random.default_rng(1))
    assert sample.truth == "Hxp acdg"
    _, _, stats, _ = cv2.connectedComponentsWithStats((255 - sample.image >= glyph.INK).view(np.uint8))
    boxes = sorted(stats[1:, :4].tolist())
    assert len(boxes) == 7, "each letter is one component"
    (h, x, p, a, c, d, g) = [(top, top + height) for _, top, _, height in boxes]
    capital = h[1] - h[0]
    for top, bottom in (x, a, c):
        assert bottom - top == pytest.approx(0.62 * capital, rel=0.2)
        assert bottom == pytest.approx(h[1], abs=0.1 * capital)
    for top, bottom in (p, g):
        assert bottom > h[1] + 0.2 * capital and top > h[0] + 0.2 * capital
    assert d[0] == pytest.approx(h[0], abs=0.15 * capital)
    gaps = [right[0] - left[0] - left[2] for left, right in zip(boxes, boxes[1:])]
    assert min(gaps) >= 1 and np.argmax(gaps) == 2, "the widest gap is the space"


def test_the_classic_method_splits_a_word_and_reads_its_letters():
    letter = cv2.imread(str(LETTER), cv2.IMREAD_GRAYSCALE)
    x, y, width, height = glyph.ink_box(255 - letter)
    letter = letter[y:y + height, x:x + width]
    gaps = [np.full((height, round(share * width)), 255, np.uint8) for share in (0.3, 0.2, 0.5, 0.3)]
    word = np.hstack([gaps[0], letter, gaps[1], letter, gaps[2], letter, gaps[3]])
    read = other_readers.classic(recognizer.Recognizer(), "none")(np.pad(word, 20, constant_values=255))
    assert read == "RR R"


@pytest.mark.parametrize("argument, answer", [
    ("--sets=words,fly", "fly"), ("--split=train", "there are: val, test"), ("--number=0", "1 or more"),
    ("--keep=True", "--sets=words,mixed,cursive"), ("--keep=True --sets=words,mixed,cursive --number=2", "number"),
    ("--sets=all,words", "there is no set 'all'"), ("--picture=worst.xyz", "has to end in"),
    ("--labels=mine", "there are: written, source"), ("--reader=eyes", "there are: ours, classic, tesseract, ppocr")])
def test_a_setting_without_meaning_is_named(argument, answer):
    with pytest.raises(settings.SettingsError, match=answer):
        evaluate.main(argument.split())


STICK = [[0, 0, 0, 100], [0, 100, 60, 100]]                  # L
TWO_STICKS = STICK + [[90, 0, 90, 100], [90, 100, 150, 100]]


def write_pen(folder: Path) -> None:
    """Write records of two splits; one holds what 62 classes cannot express."""
    def record(label, strokes, split="val", style="printed"):
        return {"label": label, "writer": "a/b", "style": style, "split": split, "strokes": strokes}
    for kind, records in {"characters": [record("L", STICK), record("i", STICK, "test")],
                          "words": [record("LL", TWO_STICKS), record("L-L", TWO_STICKS),
                                    record("no", TWO_STICKS, "test")],
                          "lines": [record("L L", TWO_STICKS)]}.items():
        with gzip.open(folder / f"{kind}.jsonl.gz", "wt") as file:
            file.write("".join(json.dumps(each) + "\n" for each in records))


def test_the_whole_script_on_a_small_data_set(tmp_path, capsys):
    toy.write_all(tmp_path, each=20)
    write_pen(tmp_path)
    path = tmp_path / "worst.png"
    evaluate.main([f"--data_path={tmp_path}", f"--pen_path={tmp_path}", f"--picture={path}", "--number=3",
                   f"--model={runs.DEFAULT_CHARACTERS}",   # the other name of --unixTime
                   "--sets=characters,words,lines,strings,scans"])
    lines = capsys.readouterr().out.splitlines()
    rows = [dict(zip(evaluate.COLUMNS, line.strip("| ").split(" | "), strict=True)) for line in lines[2:11]]
    assert [(row["set"], row["language"]) for row in rows] == [("characters, isolated", "none"), *(
        (name, language) for name in ("printed words", "printed lines", "EMNIST, random strings",
                                      "EMNIST, English words") for language in ("none", "english"))]
    assert [row["n"] for row in rows] == [*"11111", *"3333"], "L-L and the split test are left out"
    assert rows[0]["exact"] == "1.0000" and 0 < float(rows[5]["CER"]) < 0.7
    assert f"network {runs.DEFAULT_CHARACTERS}" in "".join(lines)
    assert cv2.imread(str(path)).shape[1] > 1000
    assert not list(tmp_path.glob("partial-*"))


def test_scans_of_real_writing_are_read_with_their_accents(tmp_path, capsys):
    toy.write_paper(tmp_path, ["one two", "a lid"] * 4)
    evaluate.main([f"--paper_path={tmp_path}", "--picture=", "--sets=dhsd", "--language=german"])
    rows = capsys.readouterr().out.splitlines()[2:4]
    assert all("DHSD" in row and row.endswith("| 2 |") for row in rows) and "german" in rows[1]


def test_spaces_that_a_source_put_between_digits_are_wanted_only_if_asked_for(tmp_path, capsys):
    seven = np.array([0, 0, 60, 0, 20, 100])
    strokes = [(seven + (shift, 0) * 3).tolist() for shift in (0, 85, 170)]
    with gzip.open(tmp_path / "lines.jsonl.gz", "wt") as file:
        file.write(json.dumps({"label": "7 7 7", "writer": "hpp/b", "style": "printed", "split": "val",
                               "strokes": strokes}) + "\n")
    exact = {}
    for labels in ("written", "source"):
        evaluate.main([f"--pen_path={tmp_path}", "--picture=", "--sets=lines", f"--labels={labels}"])
        output = capsys.readouterr().out
        exact[labels] = [line.split(" | ")[2] for line in output.splitlines()[2:4]]
        assert ("that people write" in output) == (labels == "written")
    assert exact == {"written": ["1.0000"] * 2, "source": ["0.0000"] * 2}   # without a language model, and with one
