"""tools/evaluate.py --pages counts lines and wrong characters as one would by hand."""
import json

import cv2
import numpy as np
import pages
import pytest

from reading.line_cores import Core
from tools import evaluate, evaluate_pages


@pytest.mark.parametrize("cores, found", [
    ([(0, 100, 45), (0, 100, 95)], 2), ([(0, 45, 45), (55, 100, 45), (0, 100, 95)], 1),    # whole; one of them split
    ([(0, 100, 70)], 0), ([(0, 60, 45), (0, 100, 95)], 1), ([], 0)])                       # between; too short; none
def test_a_line_counts_if_one_core_covers_it(cores, found):
    cores = [Core(left, right, np.full(right - left, float(y)), 10.0, 0.9) for left, right, y in cores]
    known = [np.array([[0.0, y], [100.0, y]]) for y in (50, 100)]
    assert evaluate_pages.lines_as_one(*evaluate_pages.shared(known, cores)).sum() == found


def test_case_and_breaks_do_not_count_and_accents_only_if_asked():
    assert evaluate_pages.error("One\nTWO", "one two") == (0, 7)
    assert evaluate_pages.error("ete", "\u00e9t\u00e9") == (2, 3)
    assert evaluate_pages.error("ete", "\u00e9t\u00e9", accents=False) == (0, 3)


def photo(folder, name: str, text: str) -> pages.Drawn:
    """Write a photographed page."""
    page = pages.draw_page(text, size=1.3, pen=3, pitch=75)
    noise = np.random.default_rng(0).normal(0, 3, page.image.shape)
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / name), (0.6 * page.image + 80 + noise).clip(0, 255).astype(np.uint8))
    return page


def rows(capsys) -> list[dict[str, str]]:
    lines = [line.strip("|").split("|") for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    return [dict(zip(evaluate_pages.COLUMNS, map(str.strip, line), strict=True)) for line in lines[2:]]


def test_pages_with_known_lines(tmp_path, capsys):
    boxes = np.array(photo(tmp_path / "copiste/pages", "a.png", "garden\nwindow").boxes)
    lines = []
    for text, of_line in (("garden", boxes[:6]), ("w\u00efndew", boxes[6:])):
        (left, top, *_), (right, foot) = of_line.min(axis=0).tolist(), (of_line[5, :2] + of_line[5, 2:]).tolist()
        lines.append({"text": text, "baseline": [[left, foot], [right, foot]],
                      "polygon": [[left, top], [right, top], [right, foot + 9], [left, foot + 9]]})
    page = {"file": "a.png", "split": "val", "lines": lines}
    (tmp_path / "copiste/pages.jsonl").write_text(json.dumps(page) + "\n")
    evaluate.main(["--pages", f"--paper_path={tmp_path}", "--dots=1", f"--picture={tmp_path / 'worst.png'}"])
    row, = rows(capsys)
    assert (row["as one"], row["split"], row["missed"], row["dots"]) == ("1.0000", "0.0000", "0.0000", "0.0000")
    assert row["CER without case"] == row["cut out"] == f"{1 / 13:.4f}" and row["n"] == "1"
    assert cv2.imread(str(tmp_path / "worst.png")).shape[1] > 1000


def test_folders_of_pictures(tmp_path, capsys):
    photo(tmp_path / "some", "a.png", "garden")
    (tmp_path / "some/labels.json").write_text('{"a.png": "Gordon"}')
    evaluate.main(["--pages", f"--pictures={tmp_path}", "--picture="])
    row, = rows(capsys)
    assert row["CER without case"] == f"{2 / 6:.4f}" and row["as one"] == ""
