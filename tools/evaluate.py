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
    python -m tools.evaluate --pages --dots=3       whether a dot changes a line that it does not touch, too

The sets characters, words (printed), mixed (partly joined letters), cursive, lines (printed) and every (lines of every
style) are pen strokes of people whose writing no network has learned from, drawn black on white with a round pen at
several sizes and widths.  strings and scans are lines of EMNIST scans, with letters at their true relative heights and
not touching: random strings in EMNIST's class mix, and English words.  copiste (French lines) and dhsd (German names)
are scans of real writing with its accents and marks, by people of the validation split: read them with their
--language=.  The tables are Markdown.
"""
import functools
import itertools
import math
import textwrap
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
pages = False                    # measure pages: Copiste's, with known lines, or ...
pictures = ""                    # ... those in the subfolders of a folder, each with labels.json: {picture: text}
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


class Result(NamedTuple):
    """A sample, what was read, and how long that took."""
    image: np.ndarray
    truth: str
    text: str
    seconds: float
    confidences: list[float] = []    # of the words


# ---- pen strokes

def draw_set(config: SimpleNamespace, rng: np.random.Generator, kind: str, style: str = "") -> list[Sample]:
    """Samples of one category of training/unipen.py and one style, or of all styles."""
    records = list(read_records(config.pen_path, kind, style, config.split, config.texts, config.labels))
    chosen = rng.permutation(len(records))[:config.number]
    return [draw_record(records[row], kind, rng) for row in tqdm(chosen, f"drawing {kind}", leave=False)]


def read_records(pen_path: str, kind: str, style: str, split: str, texts: str = "plain",
                 labels: str = "written") -> Iterator[dict]:
    """The records of one category, style ("": all) and split; texts and labels: as in the settings."""
    known = {*alphabets.ALPHABET} if texts == "all" else {*alphabets.CHARACTERS, " "}
    for record in unipen.read_strokes(Path(pen_path, f"{kind}.jsonl.gz"), split, as_labelled=labels == "source"):
        if style in ("", record["style"]) and set(record["label"]) <= known:
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
    records = read_records(config.pen_path, "words", "", config.split, labels=config.labels)
    words = sorted({word for record in records for word in record["label"].split()
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
KEPT_WITH = "split", "texts", "labels", "number", "language", "prior", "pages", "reader", "seed"   # usual for --keep


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


def print_head(columns: tuple[str, ...] = COLUMNS) -> None:
    """Print the first two lines of a Markdown table."""
    print(f"| {' | '.join(columns)} |\n| {' | '.join(['---'] * len(columns))} |", flush=True)


def print_row(row: dict, columns: tuple[str, ...] = COLUMNS) -> None:
    """Print one line of a Markdown table; missing values and NaN stay blank."""
    def cell(column: str) -> str:
        value = row.get(column, "")
        if not isinstance(value, float):
            return str(value)
        return "" if np.isnan(value) else f"{value:.{1 if column == 'ms' else 4}f}"
    print(f"| {' | '.join(map(cell, columns))} |", flush=True)


# ---- the picture of the worst readings

def draw_worst(results: dict[str, list[Result]], path: Path, shown: int = SHOWN) -> None:
    """Draw the readings with the highest CER without case, equally many per set: truth above, reading below."""
    from matplotlib.figure import Figure
    worst = []
    for of_set in results.values():
        wrong = [result for result in of_set if result.text != result.truth]
        wrong.sort(key=lambda result: -metrics.cer([(result.truth.lower(), result.text.lower())]))
        worst += wrong[:max(1, shown // len(results))]
    rows = max(1, math.ceil(len(worst) / 4))
    figure = Figure(figsize=(16, 1.6 * rows), layout="constrained")
    for axes, result in itertools.zip_longest(figure.subplots(rows, 4).flat, worst):
        axes.set(xticks=[], yticks=[], frame_on=bool(result))
        if result:
            axes.imshow(result.image, cmap="gray", vmin=0, vmax=255)
            truth, text = (textwrap.shorten(each, 60, placeholder="...") for each in (result.truth, result.text))
            axes.set_title(truth, color="green", fontsize=9, parse_math=False)
            axes.set_xlabel(text, color="firebrick", fontsize=9, parse_math=False)
    files.write_atomically(path, lambda temporary: figure.savefig(temporary))


# ---- command line

def main(arguments: list[str]) -> None:
    """Read every named set, print the table, and draw the worst readings."""
    config, _ = settings.configure(globals(), arguments)
    names = check(config)
    if config.pages:
        measure_pages(config)
        return
    readers = {which: recognizer.Recognizer(config.unixTime or None, config.models_path, config.prior, language=which)
               for which in ("none", config.language)}
    for reader in readers.values():
        reader.load()  # this is not timed
    config.models_path, config.unixTime = reader.models_path, reader.unixTime
    if {"strings", "scans"} & set(names):   # scans that no network has learned from
        about = runs.read_config(reader.folder_of(reader.character_run), reader.character_run)
        config.val_split = about["settings"].get("val_split", 0.1)
    results = {}
    print_head()
    for name in names:
        title, samples = SETS[name][0], make_samples(config, name)
        for which, read in read_functions(config, name, readers).items():
            found = results[f"{title}, {which}"] = read_all(samples, read, title)
            print_row({"set": title, "language": which} | measure(found))
    print(f"\n{describe(config, names)}")
    read = [result for name, found in results.items() if name.endswith(f", {config.language}") for result in found]
    if words := sum(len(result.confidences) for result in read):
        print(f"ECE of all {words:,} words read with language {config.language}: {calibration_error(read):.4f}")
    if config.keep:
        figures = Path(config.models_path, config.unixTime, "metrics.json")
        kept = {"exact": measure(read)["exact"], "n": len(read), "sets": names, "split": config.split}
        files.write_json(figures, files.read_json(figures) | {"words": kept})
        print(f"{figures}: {kept}")
    if config.picture:
        draw_worst(results, Path(config.picture))
        print(f"the worst readings: {config.picture}")


def measure_pages(config: SimpleNamespace) -> None:
    """Read pages, print the table, and draw the worst lines."""
    reader = recognizer.Recognizer(config.unixTime or None, config.models_path, config.prior, config.language)
    reader.load()
    rows, excerpts = evaluate_pages.measure(config, reader)
    print_head(evaluate_pages.COLUMNS)
    for row in rows:
        print_row(row, evaluate_pages.COLUMNS)
    split = "" if config.pictures else f"split {config.split}, "
    print(f"\n{split}network {reader.unixTime}, language {config.language}; {runs.hardware()}.\n"
          f"{evaluate_pages.ABOUT}")
    if config.picture:
        draw_worst(excerpts, Path(config.picture), evaluate_pages.WORST)
        print(f"the worst readings: {config.picture}")


def check(config: SimpleNamespace) -> list[str]:
    """The names of the sets to read; raises SettingsError for a setting without meaning."""
    names = OF_BOTH_SPLITS if config.sets == "all" else config.sets.split(",")
    for name in names:
        if not config.pages:
            settings.one_of("set", name, SETS)
    for name, values in CHOICES.items():
        settings.one_of(name, getattr(config, name), values)
    usual = all(getattr(config, name) == globals()[name] for name in KEPT_WITH)
    if config.keep and (names != WORDS or not usual):   # otherwise runs could not be compared
        raise settings.SettingsError(f"--keep wants --sets={','.join(WORDS)}, and leave these out: "
                                     + ", ".join(KEPT_WITH))
    if config.pages and config.reader != "ours":
        raise settings.SettingsError(f"--pages measures our own reader alone: leave --reader={config.reader} out")
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
