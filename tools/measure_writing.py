"""Writes UNIPEN's words in textrecog_ui.py as fast as people do; counts what changes later or is read differently.

    python -m tools.measure_writing                  100 words of validation writers, about 6 minutes
    python -m tools.measure_writing --split=test     of test writers: for a final figure alone

Each writer fills a page, four words to a line.  A word is finished once the next one begins.  For validation writers,
the changes are also shown.
"""
import collections
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from rapidfuzz.distance import LCSseq

from apps import corrections, session
from common import errors, pen_strokes, settings
from reading.recognizer import Recognizer
from tools import ui_driver
from training import line_records

# ---- settings: change them here or on the command line, as --name=value
split = "val"                    # val, or test for a final figure
number = 100                     # smallest number of words
rows = 3                         # lines per page
pause = 0.3                      # s between two strokes
seed = 0                         # random seed for writers and words
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes
# ---- end of settings

WORDS = 4                        # per line
TALL, LINE, LEFT, GAP = 55, 150, 40, 35    # px: height of a tall letter, line pitch, left margin, gap between words
POINT = 0.01                     # s between two points of the pen


def main(arguments: list[str]) -> None:
    """Write, and print the counts."""
    config, _ = settings.configure(globals(), arguments)
    settings.one_of("split", config.split, ("val", "test"))
    for name, least in (("number", 1), ("rows", 1), ("pause", 0), ("seed", 0)):
        settings.between(name, getattr(config, name), least)
    reader, counts = Recognizer(), collections.Counter()
    with (ui_driver.display(), tempfile.TemporaryDirectory() as folder,
          ui_driver.opened("textrecog_ui") as driver):
        app, name = driver.app, str(Path(folder, "page.png"))
        driver.ready()
        for page in pages(config):
            counts["changed after the next was begun"] += write(driver, page, config.pause, config.split == "val")
            shown = app.field.text.split()
            driver.rest(session.REST / 1000 + 0.3)
            app.files.save_file(name)
            rested, whole = app.field.text.split(), reader.recog(name).text.split()
            counts["words"] += len(whole)
            counts["followed by another word"] += len(page) - 1
            counts["as recogScript.py reads them, while the pen writes"] += LCSseq.similarity(shown, whole)
            counts["as recogScript.py reads them, when it has rested"] += LCSseq.similarity(rested, whole)
            app.pad.clear()
    for what, count in counts.items():
        print(f"{count:6}  {what}")


def pages(config: SimpleNamespace) -> Iterator[list[list[np.ndarray]]]:
    """Pages, each by a single writer: the strokes of each word, float (n, 2), in px of the pad."""
    rng, of_writer = np.random.default_rng(config.seed), collections.defaultdict(list)
    for record in line_records.read_records(config.pen_path, "words", config.split):
        if record["label"].isalpha():
            of_writer[record["writer"]].append([pen_strokes.as_points(stroke) for stroke in record["strokes"]])
    wanted = WORDS * config.rows
    writers = [words for _, words in sorted(of_writer.items()) if len(words) >= wanted]
    if not writers:
        raise errors.DataError(f"{config.pen_path} has no writer of {wanted} words: write fewer --rows=")
    for _ in range(-(-config.number // wanted)):
        words = writers[rng.integers(len(writers))]
        scale = TALL / np.median([line_records.tall_letter(word) for word in words])
        page, x = [], 0.0
        for place, which in enumerate(rng.choice(len(words), wanted, replace=False)):
            x = x if place % WORDS else LEFT
            word = [scale * stroke for stroke in words[which]]
            ink = np.concatenate(word)
            corner = x - ink[:, 0].min(), LINE * (place // WORDS + 1) - 20 - ink[:, 1].max()
            page.append([stroke + corner for stroke in word])
            x += np.ptp(ink[:, 0]) + GAP
        yield page


def write(driver: ui_driver.Driver, page: list[list[np.ndarray]], pause: float, show: bool) -> int:
    """Write a page point by point; returns how many words change after the next one begins; `show` prints them."""
    app, word_of, first, changed = driver.app, {}, {}, set()

    def look() -> None:
        """Note how each finished word is first shown, and whether it has changed since."""
        answer = app.session.answer
        if not app.reading or not answer:
            return
        words = [word for line in app.reading.lines for word in line.words]
        owner = corrections.owners(words, answer.strokes)
        begun = max(word_of[stroke] for stroke in answer.strokes)
        for number in range(begun):
            mine = sorted({owner[stroke] for stroke in answer.strokes if word_of[stroke] == number and stroke in owner})
            text = " ".join(words[one].text for one in mine)
            if first.setdefault(number, text) != text and number not in changed:
                changed.add(number)
                if show:
                    print(f"{first[number]} became {text}")

    for number, word in enumerate(page):
        for points in word:
            driver.stroke(points, between=lambda: driver.rest(POINT))
            word_of |= {stroke: number for stroke in app.pad.drawing.strokes if stroke not in word_of}
            look()
            driver.rest(pause)
            look()
    driver.read()
    look()
    return len(changed)


if __name__ == "__main__":
    settings.run(main)
