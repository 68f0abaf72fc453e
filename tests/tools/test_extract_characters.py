"""Letters are extracted from written words: which strokes form which letter, with the shipped networks."""
import gzip
import json
import subprocess
import sys
from pathlib import Path

from common import alphabets
from training import unipen

ROOT = Path(__file__).resolve().parents[2]
# Strokes of each letter, 100 high from the top of capitals to the baseline.
LETTERS = {
    "T": [[0, 0, 60, 0], [30, 0, 31, 50, 30, 100]],
    "H": [[0, 0, 0, 100], [55, 0, 56, 100], [0, 50, 55, 48]],
    "E": [[0, 0, 0, 100], [0, 0, 50, 0], [0, 50, 40, 50], [0, 100, 52, 100]],
    "4": [[30, 0, 0, 60, 60, 60], [42, 20, 42, 100]],
    "7": [[0, 0, 55, 2, 20, 100]],
    "A": [[0, 100, 30, 0, 60, 100], [14, 62, 46, 62]],
    "N": [[0, 100, 0, 0, 50, 100, 50, 0]],
}


def written(text: str) -> list[list[list[int]]]:
    """The strokes of each character of a word, side by side."""
    return [[[value + 80 * place * (i % 2 == 0) for i, value in enumerate(stroke)] for stroke in LETTERS[letter]]
            for place, letter in enumerate(text)]


def extract_characters(folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "tools.extract_characters", f"--pen_path={folder}"], cwd=ROOT,
                          capture_output=True, text=True, timeout=300)


def test_the_strokes_of_each_letter_are_found(tmp_path):
    words = {"THAT": "a/1", "HEAT": "a/1", "74": "a/2", "NEAT": "a/2", "THEN": "a/3"}
    right = []
    with gzip.open(tmp_path / "words.jsonl.gz", "wt") as file:
        for text, writer in words.items():
            strokes = written(text)
            right += [(letter, sorted(of_letter)) for letter, of_letter in zip(text, strokes)]
            drawn = [stroke for of_letter in strokes for stroke in of_letter]
            drawn.append(drawn.pop(1))   # a bar added at the end
            for split in ("train", "test"):
                file.write(json.dumps({"label": text, "writer": writer, "style": "printed", "split": split,
                                       "strokes": drawn}) + "\n")
        file.write(json.dumps({"label": "WRONG", "writer": "a/4", "style": "printed", "split": "train",
                               "strokes": sum(written("TTHHA"), [])}) + "\n")
    gzip.open(tmp_path / "lines.jsonl.gz", "wt").close()
    done = extract_characters(tmp_path)
    assert done.returncode == 0, done.stderr
    with gzip.open(tmp_path / "extracted.jsonl.gz", "rt") as file:
        records = [json.loads(line) for line in file]
    found = [(record["label"], sorted(record["strokes"])) for record in records]
    assert all(letter in right for letter in found), "nothing but the true strokes of a letter"
    assert len(found) >= 0.8 * len(right) and {record["split"] for record in records} == {"train"}
    assert f"{len(found)} characters of words, 0 of lines" in done.stdout
    (tmp_path / "extracted.jsonl.gz").rename(tmp_path / "harvest.jsonl.gz")   # its older name is read as well
    images, labels = unipen.read_pen(tmp_path, "train", file="extracted")
    assert images.shape == (len(found), 28, 28) and [alphabets.CHARACTERS[label] for label in labels] == [
        letter for letter, _ in found]


def test_without_words_the_file_to_make_is_named(tmp_path):
    done = extract_characters(tmp_path)
    assert done.returncode == 2 and done.stderr.splitlines()[-1].count("words.jsonl.gz") == 1
    assert "Traceback" not in done.stderr and not list(tmp_path.iterdir())
