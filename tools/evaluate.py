"""Measures how well pictures of words and lines are read, and draws the worst readings.

    python -m tools.evaluate                        on validation data: for choosing thresholds and weights
    python -m tools.evaluate --split=test           on the writers and scans kept for final figures
    python -m tools.evaluate --sets=lines,scans     some of the sets, in this order
    python -m tools.evaluate --texts=all            with punctuation, which only a reader of lines knows
    python -m tools.evaluate --labels=source        with the spaces of UNIPEN's sources, see training/unipen.py
    python -m tools.evaluate --reader=tesseract     with another program, or the classic method, to compare
    python -m tools.evaluate --sets=words,mixed,cursive --keep=True     for the menus of the drawing apps
    python -m tools.evaluate --pages                pages: whether their lines are found, and their text end to end
    python -m tools.evaluate --pages --pictures=FOLDER          of folders of pictures with their texts in labels.json
    python -m tools.evaluate --pages --dots=3       also whether a dot changes a line that it does not touch

The sets characters, words (printed), mixed (partly joined letters), cursive, lines (printed) and every (lines of every
style) are pen strokes of people whose writing no network has learned from, drawn black on white with a round pen at
several sizes and widths.  strings and scans are lines of EMNIST scans, with letters at their true relative heights and
not touching: random strings in EMNIST's class mix, and English words.  copiste (French lines) and dhsd (German names)
are scans of real writing with its accents and marks, by people of the validation split: read them with their
--language=.  The tables are Markdown.
"""
import functools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from common import alphabets, errors, files, glyph, pen_strokes, runs, settings
from reading import binarize, recognizer
from tools import evaluate_pages, other_readers
from tools.report import Result, draw_worst, print_table
from training import emnist, line_records, line_rendering, metrics, unipen

# ---- settings: change them here or on the command line, as --name=value
split = "val"                    # val, for making choices; test, only for final figures
sets = "all"                     # which sets, separated by commas; see above
texts = "plain"                  # plain: of 0-9, A-Z, a-z and spaces; all: of all characters that lines are read in
labels = "written"               # written: with the spaces that people write; source: with those of the label's source
number = 300                     # most samples of each set
unixTime = ""                    # the network to use; if empty, the shipped one
language = "english"             # language model, see recogScript.py; the sets are also read without one
prior = "drawings"               # class mix that the reader expects, see recogScript.py
pages = False                    # measure pages: Copiste's, whose lines are known, or ...
pictures = ""                    # ... those in the subfolders of this folder, each with labels.json: {picture: text}
dots = 0                         # number of dots drawn on each page, one at a time
reader = "ours"                  # ours; classic: contours, mean gap; tesseract, ppocr: other programs, if installed
seed = 0                         # random seed for samples, sizes, pens and gaps
picture = "worst.png"            # picture of the worst readings; "" draws none
keep = False                     # write the share of texts read exactly, with the language model, to metrics.json
models_path = "Models"           # where networks are kept
data_path = "Dataset/EMNIST"     # folder with EMNIST's files
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes
paper_path = "Dataset/Paper"     # folder with real writing
# ---- end of settings

CHOICES = {"split": ("val", "test"), "texts": ("plain", "all"), "labels": ("written", "source"),
           "reader": ("ours", *other_readers.READERS)}
SIZES = (30, 50, 90)             # px: height of a tall letter in words and lines; twice that for an isolated character
PENS = (0.05, 0.08, 0.12)        # pen diameter, relative to that height
MARGIN = 0.3                     # paper around the ink, relative to that height
LINE_CHARACTERS = 20             # approximate length of a line of scans
SHOWN = 40                       # readings in the picture of the worst ones
DRAWN_AS = ".png", ".jpg", ".pdf", ".svg"   # kinds of it
COLUMNS = ("set", "language", "exact", "CER", "CER without case", "WER", "space F1", "words split", "ECE", "ms", "n")


class Sample(NamedTuple):
    """A picture with known text."""
    image: np.ndarray                # uint8 (height, width), dark ink on white
    truth: str


# ---- pen strokes

def draw_set(config: SimpleNamespace, rng: np.random.Generator, kind: str, style: str = "") -> list[Sample]:
    """Samples of one category of training/unipen.py and one style, or of all styles."""
    records = [record for record in read_records(config, kind, config.texts) if style in ("", record["style"])]
    chosen = rng.permutation(len(records))[:config.number]
    return [draw_record(records[row], kind, rng) for row in tqdm(chosen, f"drawing {kind}", leave=False)]


def read_records(config: SimpleNamespace, kind: str, texts: str) -> Iterator[dict]:
    """The records of one category; texts: as in the settings."""
    known = set(alphabets.ALPHABET if texts == "all" else alphabets.CHARACTERS + " ")
    for record in unipen.read_strokes(Path(config.pen_path, f"{kind}.jsonl.gz"), config.split,
                                      as_labelled=config.labels == "source"):
        if set(record["label"]) <= known:
            yield record


def draw_record(record: dict, kind: str, rng: np.random.Generator) -> Sample:
    """Draw a record black on white, with a size picked at random from SIZES and a pen from PENS."""
    size = rng.choice(SIZES) * (2 if kind == "characters" else 1)
    strokes = pen_strokes.scale_strokes(record["strokes"], size / height_of(record["strokes"], kind == "characters"))
    image = pen_strokes.draw_strokes(strokes, rng.choice(PENS) * size, margin=round(MARGIN * size))
    return Sample(255 - image, record["label"])


def height_of(strokes: list, alone: bool) -> float:
    """The height of a tall letter in a record's own units; for an isolated character, the longer side of its ink."""
    if not alone:
        return line_records.tall_letter(strokes)
    return max(1.0, float(np.ptp(np.concatenate([pen_strokes.as_points(stroke) for stroke in strokes]), axis=0).max()))


# ---- lines of EMNIST scans

def compose_set(config: SimpleNamespace, rng: np.random.Generator, english: bool) -> list[Sample]:
    """Lines of scans: words from UNIPEN's writers, or random strings, which have EMNIST's class mix."""
    images, labels = read_scans(config.data_path, config.split, config.val_split)
    of_class = {character: np.flatnonzero(labels == label) for label, character in enumerate(alphabets.CHARACTERS)}
    words = english_words(config, of_class) if english else []
    samples = []
    for _ in tqdm(range(config.number), "composing lines", leave=False):
        line = [] if english else random_words(len(images), rng)
        while english and sum(map(len, line)) < LINE_CHARACTERS - 3:
            line.append([rng.choice(of_class[character]) for character in rng.choice(words)])
        samples.append(compose(line, images, labels, rng))
    return samples


def random_words(count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """LINE_CHARACTERS random rows below `count`, split into words of 2 to 8; the last may be shorter."""
    rows, ends = rng.choice(count, LINE_CHARACTERS), np.cumsum(rng.integers(2, 9, LINE_CHARACTERS))
    return np.split(rows, ends[ends < LINE_CHARACTERS])


def english_words(config: SimpleNamespace, of_class: dict[str, np.ndarray]) -> list[str]:
    """Words from UNIPEN's writers, including names and numbers, made only of characters that have scans."""
    words = sorted({word for record in read_records(config, "words", "plain") for word in record["label"].split()
                    if len(word) > 1 and all(len(of_class[character]) for character in word)})
    if not words:
        raise errors.DataError(f"{config.pen_path} holds no words that {config.data_path} has scans for: "
                               "leave the set scans out")
    return words


@functools.lru_cache(1)
def read_scans(data_path: str, split: str, val_split: float) -> tuple[np.ndarray, np.ndarray]:
    """EMNIST scans that a network has not learned from: the test file, or the part that validated its training.

    Returns images uint8 (n, 28, 28) and labels uint8 (n,).
    """
    images, labels = emnist.read_emnist(data_path, "test" if split == "test" else "train")
    held_out = len(images) if split == "test" else emnist.held_out(len(images), val_split)
    return images[-held_out:], labels[-held_out:]


def compose(words: list, images: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> Sample:
    """Compose a line of text from scans.

    words: for each word, the rows of its scans in images, uint8 (n, 28, 28), and labels (n,).
    Every scan fills its full height, whatever the character; here each gets its true height
    above and below the baseline, a little uneven.
    """
    size = int(rng.choice(SIZES))
    gap, space = 0.08 * size + 2, rng.uniform(0.6, 1.0) * size
    paper = np.zeros((3 * size, round((sum(map(len, words)) * 1.9 + len(words) + 3) * size)), np.uint8)
    x = size
    for word in words:
        for row in word:
            x += line_rendering.paste(paper, x, images[row], alphabets.CHARACTERS[labels[row]], size, rng)
            x += gap + rng.exponential(0.08) * size
        x += space
    left, top, width, height = glyph.ink_box(paper)
    margin = round(MARGIN * size)
    paper = paper[top - margin:top + height + margin, left - margin:left + width + margin]
    truth = " ".join("".join(alphabets.CHARACTERS[labels[row]] for row in word) for word in words)
    return Sample(255 - paper, truth)


def scanned_set(config: SimpleNamespace, rng: np.random.Generator, name: str) -> list[Sample]:
    """Scanned lines that people wrote on paper."""
    lines = line_records.read_scans(Path(config.paper_path, name), config.split)
    return [Sample(lines[row].image(), lines[row].text) for row in rng.permutation(len(lines))[:config.number]]


SETS = {"characters": ("characters, isolated", functools.partial(draw_set, kind="characters")),
        "words": ("printed words", functools.partial(draw_set, kind="words", style="printed")),
        "mixed": ("mixed words", functools.partial(draw_set, kind="words", style="mixed")),
        "cursive": ("cursive words", functools.partial(draw_set, kind="words", style="cursive")),
        "lines": ("printed lines", functools.partial(draw_set, kind="lines", style="printed")),
        "every": ("lines of every style", functools.partial(draw_set, kind="lines")),
        "strings": ("EMNIST, random strings", functools.partial(compose_set, english=False)),
        "scans": ("EMNIST, English words", functools.partial(compose_set, english=True)),
        "copiste": ("Copiste, French lines", functools.partial(scanned_set, name="copiste")),
        "dhsd": ("DHSD, German names", functools.partial(scanned_set, name="dhsd"))}
OF_BOTH_SPLITS = list(SETS)[:-2]
WORDS = ["words", "mixed", "cursive"]
# --keep needs these settings at their usual values, or else the figures that it keeps could not be compared.
KEPT_WITH = "split", "texts", "labels", "number", "language", "prior", "pages", "reader", "seed"


def make_samples(config: SimpleNamespace, name: str) -> list[Sample]:
    """The samples of one set; the same seed gives the same samples."""
    samples = SETS[name][1](config, np.random.default_rng(config.seed))
    if not samples:
        raise errors.DataError(f"there is nothing of the set {name} in the split {config.split}: leave it out")
    return samples


# ---- readers

def read_functions(config: SimpleNamespace, name: str, readers: dict) -> dict[str, Callable]:
    """The functions that read a set, by language model: picture -> text, or an object with a text."""
    if config.reader != "ours":
        language = config.language if config.reader == "tesseract" else "none"
        return {language: other_readers.READERS[config.reader](readers["none"], language)}
    if name == "characters":
        return {"none": readers["none"].recog_character}
    return {language: reader.recog for language, reader in readers.items()}


def read_all(samples: list[Sample], read: Callable, what: str) -> list[Result]:
    """Read each sample and time it; a picture that cannot be read counts as empty text."""
    results = []
    for sample in tqdm(samples, what, leave=False):
        start = time.perf_counter()
        try:
            found = read(sample.image)
        except binarize.ImageError:
            found = ""
        seconds = time.perf_counter() - start
        text = found if isinstance(found, str) else found.text
        # A line break counts as a space, because labels do not say where a text of two rows breaks.
        results.append(Result(sample.image, sample.truth, " ".join(text.split()), seconds,
                              [word.confidence for line in getattr(found, "lines", ()) for word in line.words]))
    return results


# ---- figures

def measure(results: list[Result]) -> dict[str, float]:
    """The figures of some readings, with errors pooled over all of them; NaN where there is nothing to count."""
    pairs = [(result.truth, result.text) for result in results]
    plain = [(truth.lower(), text.lower()) for truth, text in pairs]
    return {"exact": _mean([truth == text for truth, text in pairs]),
            "CER": metrics.cer(pairs), "CER without case": metrics.cer(plain), "WER": metrics.wer(pairs),
            "space F1": metrics.space_f1(plain),
            "words split": _mean([" " in text for truth, text in pairs if " " not in truth]),
            "ECE": calibration_error(results),
            "ms": 1000 * float(np.median([result.seconds for result in results])), "n": len(results)}


def calibration_error(results: list[Result]) -> float:
    """Expected calibration error of the words of readings that have confidences."""
    confident = [result for result in results if result.confidences]
    return metrics.ece([value for result in confident for value in result.confidences],
                       [right for result in confident for right in metrics.right_words(result.truth, result.text)])


def _mean(values: list) -> float:
    return float(np.mean(values)) if values else float("nan")


# ---- command line

def main(arguments: list[str]) -> None:
    """Read every named set, or pages, print the table, and draw the worst readings."""
    config, _ = settings.configure(globals(), arguments)
    names = check(config)
    readers = {which: recognizer.Recognizer(config.unixTime or None, config.models_path, config.prior, which)
               for which in ([config.language] if config.pages else ["none", config.language])}
    for reader in readers.values():
        reader.load()  # this is not timed
    config.models_path, config.unixTime = reader.models_path, reader.unixTime
    results = {}
    if config.pages:
        print_table(evaluate_pages.COLUMNS, evaluate_pages.rows(config, reader, results))
        split = "" if config.pictures else f"split {config.split}, "
        print(f"\n{split}network {config.unixTime}, language {config.language}; {runs.hardware()}.\n"
              f"{evaluate_pages.ABOUT}")
    else:
        about = runs.read_config(reader.folder_of(reader.character_run), reader.character_run)
        usual = settings.constants(runs.ROOT / "model.py")   # for older runs, which do not say it
        config.val_split = (usual | about["settings"])["val_split"]
        print_table(COLUMNS, rows(config, names, readers, results))
        print(f"\n{describe(config, names)}")
        sum_up(config, names, [result for name, found in results.items() if name.endswith(f", {config.language}")
                               for result in found])
    draw_worst(results, config.picture, evaluate_pages.SHOWN if config.pages else SHOWN)


def rows(config: SimpleNamespace, names: list[str], readers: dict, results: dict) -> Iterator[dict]:
    """Read the sets; yields the table's rows, and adds what was read of each to `results`."""
    for name in names:
        title, samples = SETS[name][0], make_samples(config, name)
        for which, read in read_functions(config, name, readers).items():
            found = results[f"{title}, {which}"] = read_all(samples, read, title)
            yield {"set": title, "language": which} | measure(found)


def sum_up(config: SimpleNamespace, names: list[str], results: list[Result]) -> None:
    """Print the calibration error of everything read with the language model, and keep how much was exact if asked."""
    if words := sum(len(result.confidences) for result in results):
        print(f"ECE of all {words:,} words read with language {config.language}: {calibration_error(results):.4f}")
    if config.keep:
        figures = Path(config.models_path, config.unixTime, "metrics.json")
        kept = {"exact": measure(results)["exact"], "n": len(results), "sets": names, "split": config.split}
        files.write_json(figures, files.read_json(figures) | {"words": kept})
        print(f"{figures}: {kept}")


def check(config: SimpleNamespace) -> list[str]:
    """The names of the sets to read; raises SettingsError for a setting that makes no sense."""
    names = OF_BOTH_SPLITS if config.sets == "all" else config.sets.split(",")
    for name in names:
        if not config.pages:
            settings.one_of("set", name, SETS)
    for name, values in CHOICES.items():
        settings.one_of(name, getattr(config, name), values)
    usual = all(getattr(config, name) == globals()[name] for name in KEPT_WITH)
    if config.keep and (names != WORDS or not usual):
        raise settings.SettingsError(f"--keep needs --sets={','.join(WORDS)} and the usual {', '.join(KEPT_WITH)}, "
                                     "so that networks can be compared")
    if config.pages and config.reader != "ours":
        raise settings.SettingsError(f"--pages measures only our own reader: leave out --reader={config.reader}")
    for name, least in (("number", 1), ("dots", 0), ("seed", 0)):
        settings.between(name, getattr(config, name), least)
    if config.picture and Path(config.picture).suffix.lower() not in DRAWN_AS:   # before all is read
        raise settings.SettingsError(f"--picture={config.picture} has to end in one of {', '.join(DRAWN_AS)}")
    return names


def describe(config: SimpleNamespace, names: list[str]) -> str:
    """What one needs to know to understand the table of the sets that are named."""
    known = "all characters" if config.texts == "all" else "0-9, A-Z, a-z and spaces alone"
    if {"copiste", "dhsd"} & set(names):
        known += ", in Copiste and DHSD of all"
    spaces = "that people write" if config.labels == "written" else "of their source"
    by = (f"network {config.unixTime}, prior of {config.prior}" if config.reader == "ours" else
          other_readers.about(config.reader))
    return (f"split {config.split}, {by}, seed {config.seed}; {runs.hardware()}.\nTexts of {known}. "
            f"Labels have the spaces {spaces}. A line break counts as a space.\n"
            "CER, WER: edits over true length, all samples together. words split: texts of one word in which a space "
            "was read. ECE: expected calibration error of the words' confidences. ms: median for one picture.")


if __name__ == "__main__":
    settings.run(main)
