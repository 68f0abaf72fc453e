"""Measures how well pictures of words and lines are read, and draws what fails.

    python -m tools.evaluate                        on validation data: for choosing thresholds and weights
    python -m tools.evaluate --split=test           on the writers and scans kept for final figures
    python -m tools.evaluate --sets=lines,scans     some of the sets: characters, words, mixed, cursive, lines, every,
                                              strings, scans
    python -m tools.evaluate --texts=all            with punctuation, which only a reader of lines knows
    python -m tools.evaluate --labels=source        with the spaces that UNIPEN's sources put into labels, see training/unipen.py
    python -m tools.evaluate --baseline             the classic method instead, which is to be beaten

characters, printed words, mixed words (partly joined letters), cursive words, printed lines and
lines of every style are pen strokes of people
whose writing no network has learned from, drawn black on white with a round pen, at several sizes
and pen widths.  strings and scans are lines put together from EMNIST's scans, letters at their
true relative heights and not touching: strings are random ones in the natural class mix, scans are
English words.  The tables are Markdown; the worst readings become a picture.
"""
import functools
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from common import alphabets, errors, files, glyph, pen_strokes, runs, settings
from reading import binarize, recognizer
from training import emnist, metrics, synthesis, unipen

# ---- settings: change them here or on the command line, as --name=value
split = "val"                    # val, to choose by; test, for final figures alone
sets = "all"                     # which sets, separated by commas; see above
texts = "plain"                  # plain: of 0-9, A-Z, a-z and spaces; all: of all printable ASCII
labels = "written"               # written: with the spaces that people write; source: with those of the label's source
number = 300                     # samples of each set, at most
model = ""                       # unixTime of the network that reads; without one, the shipped network
language = "english"             # language model, or none; scans are read with none too
prior = "drawings"               # class mix that the reader expects, see recogScript.py
baseline = False                 # read with the classic method: contours, mean gap
seed = 0                         # of what is drawn by lot: samples, sizes, pens, gaps
picture = "worst.png"            # the worst readings; "" draws none
models_path = "Models"           # where networks are kept
data_path = "Dataset/EMNIST"     # folder with EMNIST's files
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes
# ---- end of settings

SIZES = (30, 50, 90)             # px: height of a tall letter in words and lines; twice that for a character alone
PENS = (0.05, 0.08, 0.12)        # diameter of the pen in such heights
MARGIN = 0.3                     # paper around the ink in such heights
LINE_CHARACTERS = 20             # about so many in a line of scans
SHOWN = 40                       # worst readings in the picture
COLUMNS = ("set", "language", "exact", "CER", "CER without case", "WER", "space F1", "words split", "ECE",
           "isolated, forms", "isolated, drawings", "ms", "n")


class EvaluationError(ValueError):
    """An evaluation that cannot be made; the message names what is missing and the remedy."""


class Sample(NamedTuple):
    """A picture with known text."""
    image: np.ndarray                # uint8 (height, width), dark ink on white
    truth: str
    rows: np.ndarray | None = None   # of the scans in it


class Result(NamedTuple):
    """A sample, what was read, and how long that took."""
    image: np.ndarray
    truth: str
    text: str
    seconds: float
    confidences: list[float] = []    # of the words


# ---- drawn test sets

def drawn(kind: str, style: str = "") -> Callable[[dict, np.random.Generator], list[Sample]]:
    """A function that makes the samples of one category of training/unipen.py, and one style."""
    def samples(config: dict, rng: np.random.Generator) -> list[Sample]:
        records = list(read_records(config, kind, style))
        chosen = rng.permutation(len(records))[:config["number"]]
        return [draw_record(records[i], kind, rng) for i in tqdm(chosen, f"drawing {kind}", leave=False)]
    return samples


def read_records(config: dict, kind: str, style: str = "") -> Iterable[dict]:
    """The records of one category, style and split whose text is of the kind that is wanted."""
    known = {*alphabets.ALPHABET} if config["texts"] == "all" else {*alphabets.CHARACTERS, " "}
    path = Path(config["pen_path"], f"{kind}.jsonl.gz")
    return (record for record in unipen.read_strokes(path, config["split"], as_labelled=config["labels"] == "source")
            if record["style"] == style or not style
            if set(record["label"]) <= known)


def draw_record(record: dict, kind: str, rng: np.random.Generator) -> Sample:
    """Draw a record black on white, at a size and with a pen chosen by lot."""
    size = rng.choice(SIZES) * (2 if kind == "characters" else 1)
    strokes = pen_strokes.scale_strokes(record["strokes"], size / height_of(record["strokes"], kind == "characters"))
    image = pen_strokes.draw_strokes(strokes, rng.choice(PENS) * size, margin=round(MARGIN * size))
    return Sample(255 - image, record["label"])


def height_of(strokes: list, alone: bool) -> float:
    """The height of a tall letter in a record's own unit; of a character alone, the ink's longer side."""
    if not alone:
        return synthesis.tall_letter(strokes)
    return max(1.0, float(np.ptp(np.concatenate([pen_strokes.as_points(stroke) for stroke in strokes]), axis=0).max()))


# ---- lines of scans

def random_strings(config: dict, rng: np.random.Generator) -> list[Sample]:
    """Lines of scans as they come, so in EMNIST's class mix, parted by lot into words of 2 to 8 characters."""
    images, labels = read_scans(config)
    samples = []
    for _ in tqdm(range(config["number"]), "composing strings", leave=False):
        rows = rng.choice(len(images), LINE_CHARACTERS)
        ends = np.cumsum(rng.integers(2, 9, LINE_CHARACTERS))
        samples.append(compose(np.split(rows, ends[ends < LINE_CHARACTERS]), images, labels, rng))
    return samples


def english_scans(config: dict, rng: np.random.Generator) -> list[Sample]:
    """Lines of scans that show words which the writers of pen strokes wrote: English, some names and numbers."""
    images, labels = read_scans(config)
    of_class = {character: np.flatnonzero(labels == label) for label, character in enumerate(alphabets.CHARACTERS)}
    plain = read_records(config | {"texts": "plain"}, "words")
    words = sorted({word for record in plain for word in record["label"].split()
                    if len(word) > 1 and all(len(of_class[character]) for character in word)})
    if not words:
        raise EvaluationError(f"{config['pen_path']} holds no words that {config['data_path']} has scans for: "
                              "leave the set scans out")
    samples = []
    for _ in tqdm(range(config["number"]), "composing words", leave=False):
        line = []
        while sum(map(len, line)) < LINE_CHARACTERS - 3:
            line.append([rng.choice(of_class[character]) for character in rng.choice(words)])
        samples.append(compose(line, images, labels, rng))
    return samples


def read_scans(config: dict) -> tuple[np.ndarray, np.ndarray]:
    """Scans that the network has not learned from: EMNIST's test file, or what validated the network's training."""
    if config["split"] == "test":
        return _read_scans(config["data_path"], "test")
    images, labels = _read_scans(config["data_path"], "train")
    share = runs.read_config(config["models_path"], config["model"])["settings"]["val_split"]
    held_out = max(1, round(len(images) * share))  # as in model.py
    return images[-held_out:], labels[-held_out:]


_read_scans = functools.lru_cache(1)(emnist.read_emnist)


def compose(words: list, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> Sample:
    """Put scans together to a line of text.

    words: for each word the rows of its scans in images, uint8 (n, 28, 28), and labels (n,).
    A scan is a character at full height, whatever it is; here each gets its true height
    above and below the baseline, a little uneven.
    """
    size = int(rng.choice(SIZES))
    gap, space = 0.08 * size + 2, rng.uniform(0.6, 1.0) * size
    paper = np.zeros((3 * size, round((sum(map(len, words)) * 1.9 + len(words) + 3) * size)), np.uint8)
    x = size
    for word in words:
        for row in word:
            x += synthesis.paste(paper, x, images[row], alphabets.CHARACTERS[labels[row]], size, rng)
            x += gap + rng.exponential(0.08) * size
        x += space
    left, top, width, height = glyph.ink_box(paper)
    margin = round(MARGIN * size)
    paper = paper[top - margin:top + height + margin, left - margin:left + width + margin]
    truth = " ".join("".join(alphabets.CHARACTERS[labels[row]] for row in word) for word in words)
    return Sample(255 - paper, truth, np.concatenate(words))


SETS = {"characters": ("characters, isolated", drawn("characters")),
        "words": ("printed words", drawn("words", "printed")),
        "mixed": ("mixed words", drawn("words", "mixed")),
        "cursive": ("cursive words", drawn("words", "cursive")),
        "lines": ("printed lines", drawn("lines", "printed")),
        "every": ("lines of every style", drawn("lines")),
        "strings": ("EMNIST, random strings", random_strings),
        "scans": ("EMNIST, English words", english_scans)}


# ---- readers

class Baseline:
    """The classic method, which is to be beaten.

    Otsu's threshold, outer contours from left to right, a space wherever the gap is
    above the line's mean gap, and one call of the network for each contour.  It uses
    the same glyphs and the same network as recogScript.py.
    """

    def __init__(self, reader: recognizer.Recognizer):
        self.reader = reader.characters

    def __call__(self, image: np.ndarray) -> str:
        _, binary = cv2.threshold(image, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
        contours, _ = cv2.findContours(binary, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        boxes = sorted(map(cv2.boundingRect, contours))
        gaps = [right[0] - left[0] - left[2] for left, right in zip(boxes, boxes[1:])]
        text = ""
        for (x, y, width, height), gap in zip(boxes, [0, *gaps]):
            text += " " if text and gap > np.mean(gaps) else ""
            text += self._character(255 - image[y:y + height, x:x + width])
        return text

    def _character(self, crop: np.ndarray) -> str:
        return alphabets.CHARACTERS[int(self.reader.probabilities(glyph.glyph(crop)[None]).argmax())]


def one_character(reader: recognizer.Recognizer) -> Callable[[np.ndarray], str]:
    return lambda image: reader.recog_character(image).text


def read_all(samples: list[Sample], read: Callable[[np.ndarray], str | recognizer.Reading], what: str) -> list[Result]:
    """Read each sample and time it; what cannot be read counts as no text."""
    results = []
    for sample in tqdm(samples, what, leave=False):
        start = time.perf_counter()
        try:
            found = read(sample.image)
        except binarize.ImageError:
            found = ""
        seconds = time.perf_counter() - start
        lines = [] if isinstance(found, str) else found.lines
        results.append(Result(sample.image, sample.truth, one_line(found if isinstance(found, str) else found.text),
                              seconds, [word.confidence for line in lines for word in line.words]))
    return results


def one_line(text: str) -> str:
    """A line break counts as a space: where a text of two rows breaks is not in its label."""
    return " ".join(text.split())


def isolated_errors(reader: recognizer.Recognizer, samples: list[Sample], config: dict) -> dict[str, float]:
    """Share of these samples' scans that the network gets wrong when it sees each alone, untouched, for both priors."""
    images, labels = read_scans(config)
    rows = np.concatenate([sample.rows for sample in samples])
    logits, truth = reader.characters.logits(images[rows]), labels[rows]
    shift = np.array(runs.read_config(reader.models_path, config["model"]).get("prior_of_drawings", 0.0))
    return {"isolated, forms": float((logits.argmax(axis=1) != truth).mean()),
            "isolated, drawings": float(((logits + shift).argmax(axis=1) != truth).mean())}


# ---- figures

def measure(results: list[Result]) -> dict[str, float]:
    """The figures of readings; errors are counted over all of them together, NaN where there is nothing to count."""
    pairs = [(result.truth, result.text) for result in results]
    plain = [(truth.lower(), text.lower()) for truth, text in pairs]
    confident = [result for result in results if result.confidences]
    single = [" " in text for truth, text in pairs if " " not in truth]
    return {"exact": _mean([truth == text for truth, text in pairs]),
            "CER": metrics.error_rate(pairs), "CER without case": metrics.error_rate(plain),
            "WER": metrics.error_rate([(truth.split(), text.split()) for truth, text in pairs]),
            "space F1": metrics.space_f1(plain), "words split": _mean(single),
            "ECE": calibration_error(confident),
            "ms": 1000 * float(np.median([result.seconds for result in results])), "n": len(results)}


def calibration_error(results: list[Result]) -> float:
    """Expected calibration error of the words of readings that have confidences."""
    return metrics.calibration_error([value for result in results for value in result.confidences],
                                   [right for result in results
                                    for right in metrics.right_words(result.truth, result.text)])


def _mean(values: list) -> float:
    return float(np.mean(values)) if values else float("nan")


def table(rows: list[dict]) -> str:
    """A Markdown table, one line for each dict of COLUMNS; what a row lacks, or NaN, stays blank."""
    def cell(value) -> str:
        if not isinstance(value, float):
            return str(value)
        return "" if np.isnan(value) else f"{value:.4f}"
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for row in rows:
        shown = row | ({"ms": f"{row['ms']:.1f}"} if "ms" in row else {})
        lines.append("| " + " | ".join(cell(shown.get(column, "")) for column in COLUMNS) + " |")
    return "\n".join(lines)


# ---- the picture of what fails

def draw_worst(results: dict[str, list[Result]], path: Path) -> None:
    """The readings with the highest error rates, as many of each set: text above, what was read below."""
    tiles = []
    for name, of_set in results.items():
        order = sorted(of_set, key=lambda result: -metrics.error_rate([(result.truth, result.text)]))
        tiles += [_tile(result, name) for result in order[:SHOWN // len(results)] if result.text != result.truth]
    if tiles:
        files.save_picture(files.in_rows(tiles, 4), path)


def _tile(result: Result, name: str) -> np.ndarray:
    tile = np.full((150, 420, 3), 255, np.uint8)
    height, width = result.image.shape
    scale = min(1.0, 94 / height, 412 / width)
    small = cv2.resize(result.image, (max(1, round(width * scale)), max(1, round(height * scale))),
                       interpolation=cv2.INTER_AREA)
    tile[2:2 + small.shape[0], 4:4 + small.shape[1]] = small[..., None]
    for text, y, colour in ((result.truth, 114, (0, 130, 0)), (result.text, 134, (200, 0, 0))):
        cv2.putText(tile, text, (6, y), cv2.FONT_HERSHEY_SIMPLEX, 0.55, colour, 1, cv2.LINE_AA)
    cv2.putText(tile, name, (250, 147), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (140, 140, 140), 1, cv2.LINE_AA)
    tile[-1] = tile[:, -1] = 200
    return tile


# ---- command line

def main(arguments: list[str]) -> None:
    """Read every set that is named, print the table, and draw what fails."""
    config = globals() | settings.read(__file__, globals(), arguments)[0]
    names = check(config)
    readers = {which: recognizer.Recognizer(config["model"] or None, config["models_path"], config["prior"],
                                             language=which) for which in ("none", config["language"])}
    reader = readers["none"]
    config |= {"model": reader.character_run, "reader": reader.unixTime, "models_path": reader.models_path}
    for each in readers.values():
        each.load()  # not to be timed
    rows, results = [], {}
    for name in names:
        samples = make_samples(config, name)
        for which, read in ways(config, name, readers):
            found = read_all(samples, read, SETS[name][0])
            results[f"{SETS[name][0]}, {which}"] = found
            alone = samples[0].rows is not None and isinstance(reader.characters, recognizer.CharacterReader)
            of_scans = isolated_errors(reader, samples, config) if alone else {}
            rows.append({"set": SETS[name][0], "language": which} | measure(found) | of_scans)
    pooled = [result for name, found in results.items() if name.endswith(f", {config['language']}") for result in found
              if result.confidences]
    print(table(rows) + "\n\n" + describe(config))
    print(f"ECE of all {sum(len(result.confidences) for result in pooled):,} words read with language "
          f"{config['language']} together: {calibration_error(pooled):.4f}")
    if config["picture"]:
        draw_worst(results, Path(config["picture"]))
        print(f"the worst readings: {config['picture']}")


def make_samples(config: dict, name: str) -> list[Sample]:
    """The samples of one set, the same for the same seed."""
    samples = SETS[name][1](config, np.random.default_rng(config["seed"]))
    if not samples:
        raise EvaluationError(f"there is nothing of the set {name} in the split {config['split']}: leave it out")
    return samples


def check(config: dict) -> list[str]:
    """The names of the sets to read; SettingsError where a setting has no meaning."""
    names = list(SETS) if config["sets"] == "all" else config["sets"].split(",")
    for name in names:
        if name not in SETS:
            raise settings.SettingsError(f"there is no set {name!r}; there are: {', '.join(SETS)}, all")
    if config["split"] not in ("val", "test"):
        raise settings.SettingsError(f"--split={config['split']} has to be val or test")
    if config["texts"] not in ("plain", "all"):
        raise settings.SettingsError(f"--texts={config['texts']} has to be plain or all")
    if config["labels"] not in ("written", "source"):
        raise settings.SettingsError(f"--labels={config['labels']} has to be written or source")
    if config["number"] < 1:
        raise settings.SettingsError(f"--number={config['number']} has to be 1 or more")
    return names


def ways(config: dict, name: str, readers: dict) -> list[tuple[str, Callable[[np.ndarray], str]]]:
    """The ways in which a set is read: (language model, function from picture to text)."""
    if config["baseline"]:
        return [("baseline", Baseline(readers["none"]))]
    if name == "characters":
        return [("none", one_character(readers["none"]))]
    both = readers if name in ("strings", "scans") or readers["none"].reads == "lines" else [config["language"]]
    return [(which, readers[which].recog) for which in both]


def describe(config: dict) -> str:
    """What has to be known to understand the table."""
    return (f"split {config['split']}, network {config['reader']}, prior of {config['prior']}, seed {config['seed']}; "
            f"{runs.hardware()}.\n"
            f"Texts of {'all printable ASCII' if config['texts'] == 'all' else '0-9, A-Z, a-z and spaces alone'}. "
            f"Labels have the spaces {'that people write' if config['labels'] == 'written' else 'of their source'}. "
            "A line break counts as a space, so texts in two rows are kept.\n"
            f"Tall letters are {', '.join(map(str, SIZES))} px high (isolated ones twice that), pens "
            f"{', '.join(f'{100 * pen:.0f}' for pen in PENS)} % of it.\n"
            "CER, WER: edits over true length, all samples together. words split: texts of one word in which a space "
            "was read. ECE: expected calibration error of the words' confidences.\n"
            "ms: median for one picture, network loaded.\n"
            "isolated: error of the same network on the same scans, each alone, with each prior.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (settings.SettingsError, EvaluationError, errors.DataError, unipen.UnipenError, runs.RunError) as error:
        settings.fail(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
