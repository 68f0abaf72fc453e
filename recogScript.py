"""Reads handwriting: pictures in, text out.

    python recogScript.py a.png                      the text in a picture: a word, a line or a page
    python recogScript.py --characters a.png b.png   the one character in each picture
    python recogScript.py --json photos/ b.jpg       a folder's pictures and one more, a JSON object a line
    python recogScript.py --json scan.pdf            all pages of a PDF or TIFF; several are "pages"
    python recogScript.py --show a.png               draws what was read into a.read.png and a.glyphs.png
    cat a.png | python recogScript.py -              from standard input
    python recogScript.py --unixTime=1700000000 a.png              with another network; see Models/
    python recogScript.py --workers=2 --recursive --output=readings.jsonl photos/    many, and goes on after a break
    python recogScript.py --json @list.txt           the pictures that a file lists, a name on each line

It reads Latin letters, including the accented ones of French, German, Spanish, Portuguese and Italian, digits and
punctuation, printed or cursive, dark on light or light on dark, drawn, scanned or photographed.  In other programs:

    reader = recogScript.Recognizer()
    reader.recog("a.png").text
"""
from common import interrupt

interrupt.end_quietly(__name__)

import functools
import io
import sys
import time
from dataclasses import asdict
from json import dumps
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
from tqdm import tqdm

from common import errors, files, runs, settings
from reading import bulk, picture_names, pictures
from reading.binarize import MAX_BYTES, ImageError, NoWriting, Picture, Source, read_picture
from reading.network import THREADS
from reading.readings import FAINT, Reading
from reading.recognizer import Recognizer, recog  # noqa: F401  recog is for other programs

# ---- settings: change them here or on the command line, as --name=value
unixTime = ""              # the network that reads; without one, the shipped network
models_path = "Models"     # where networks are kept
prior = "drawings"         # class mix of single characters: drawings, as people write; forms, as in NIST's forms
language = "english"       # of the language model: english, french, german or spanish; none: the network alone
characters = False         # each picture holds one character
json = False               # print a JSON object for each picture
min_confidence = 0.0       # leave out lines less likely to be right than this, 0 to 1
show = False               # draw what was read into NAME.read.png and what the network saw into NAME.glyphs.png
workers = 1                # processes that read; several have one thread each
recursive = False          # a folder also stands for the pictures in its subfolders
unordered = False          # print readings as soon as they are ready, not in the order of the names
output = ""                # a file for the JSON objects; if it exists, only the pictures it lacks are read
# ---- end of settings
MOST_WORKERS = 256
EMPTY = {"text": "", "seconds": 0.0, "lines": []}   # what is read in a page without writing
VERSION = 1                        # of what --json prints; a new one when a key changes its meaning
READ, GLYPHS = ".read.png", ".glyphs.png"   # endings of the files that --show draws


# ---- command line

def main(arguments: list[str]) -> int:
    """Read all named pictures; returns the exit status, 2 if any could not be read."""
    config, names = settings.configure(globals(), arguments, positional="IMAGE...")
    check(config, names)
    usual = runs.DEFAULT_CHARACTERS if config.characters else runs.DEFAULT
    reader = Recognizer(config.unixTime or usual, config.models_path, config.prior, config.language,
                        threads=1 if config.workers > 1 else THREADS)
    output = bulk.Output(config.output) if config.output else None
    found, problems = picture_names.find(names, config.recursive, leave=(READ, GLYPHS))
    for problem in problems:
        report(problem)
    left = [name for name in found if name == "-" or name not in output.done] if output else found
    read = functools.partial(read_one, reader, config.characters, config.show, config.min_confidence)
    bad = 0
    bar = tqdm(bulk.read_all(read, left, min(config.workers, max(1, len(left))), not config.unordered), "reading",
               total=len(left), unit=" pictures", disable=len(left) <= 10 or not sys.stderr.isatty())
    for fields in bar:
        wrong = errors_of(fields)
        for problem in wrong:
            report(problem)
        bad += bool(wrong)
        if output:
            output.write(fields)
        elif "error" not in fields:
            tqdm.write(dumps(fields) if config.json else as_text(fields, len(found) > 1))
            sys.stdout.flush()
    if bad and len(left) > 10:
        report(f"{bad:,} of {len(left):,} pictures could not be read")
    return 2 if bad or problems else 0


def check(config: SimpleNamespace, names: list[str]) -> None:
    """Refuse settings that make no sense."""
    if not names:
        raise settings.SettingsError("name a picture, a folder of pictures, @ and a list, or - for standard input")
    settings.between("workers", config.workers, 1, MOST_WORKERS)
    settings.between("min_confidence", config.min_confidence, 0, 1)
    if config.workers > 1 and "-" in names:
        raise settings.SettingsError("- is standard input, which one process reads: leave --workers= out")


def report(problem: str) -> None:
    """Say on stderr what is wrong with a picture."""
    tqdm.write(f"{Path(__file__).name}: {problem}", file=sys.stderr)


def errors_of(fields: dict) -> list[str]:
    """What is wrong with a file, or with some of its pages."""
    return [fields["error"]] if "error" in fields else [
        f"page {number}: {page['error']}" for number, page in enumerate(fields.get("pages", ()), 1) if "error" in page]


def as_text(fields: dict, several: bool) -> str:
    """The text printed for a reading without --json; with several pictures, the name comes first."""
    text = fields["text"]
    if not several:
        return text
    return f"{fields['file']}:\n{text}" if "\n" in text else f"{fields['file']}: {text}"


def read_one(reader: Recognizer, characters: bool, show: bool, least: float, name: str) -> dict:
    """Read one file; returns the fields of --json, with "error" among them if it cannot be read.

    least: the lowest confidence of lines that are kept.
    """
    about = {"version": VERSION, "file": name}
    called = "standard input" if name == "-" else name
    try:
        source = io.BytesIO(sys.stdin.buffer.read(MAX_BYTES + 1)) if name == "-" else name
        found = []
        for page in pictures.pages_of(source, called):
            path = Path("stdin" if name == "-" else name)
            path = path.with_stem(f"{path.stem}.{len(found) + 1}") if found else path
            found.append(read_page(reader, characters, path if show else None, least, page, called))
            if characters:
                break
    except ImageError as error:
        return about | {"error": str(error)}
    except (MemoryError, cv2.error) as error:
        return about | {"error": f"{called} needs more memory than is left ({errors.reason(error)}): reduce it"}
    if all("error" in page for page in found):
        return about | {"error": found[0]["error"]}
    if len(found) == 1:
        return about | found[0]
    for page in found:
        if "text" in page:   # one of several pages may be empty
            page.pop("error", None)
        else:
            page.update(EMPTY)
    return about | {"text": "\n\n".join(page["text"] for page in found),
                    "seconds": round(sum(page["seconds"] for page in found), 4), "pages": found}


def read_page(reader: Recognizer, characters: bool, path: Path | None, least: float, page: Source,
              name: str) -> dict:
    """Read a page or one character; returns its fields of --json, or "error" if that fails.

    path: what was read is drawn beside it; None: it is not drawn.  name: what messages call the page.
    """
    try:
        picture, seconds = _timed(read_picture if characters else reader.see, page, name)
        reader.load(characters)   # only now: a bad picture need not wait for it, and loading does not count as reading
        reading, more = _timed(reader.read_character if characters else reader.read, picture)
        if path:
            save_shown(picture, reading, path, least)
    except NoWriting as error:
        return EMPTY | {"error": str(error)}
    except ImageError as error:
        return {"error": str(error)}
    seconds = round(seconds + more, 4)
    if characters:
        return asdict(reading.characters[0]) | {"seconds": seconds}
    lines = [line for line in reading.lines if line.confidence >= least]
    return {"text": "\n".join(line.text for line in lines), "seconds": seconds,
            "lines": [asdict(line) for line in lines]}


def save_shown(picture: Picture, reading: Reading, path: Path, least: float) -> None:
    """Draw what was read into NAME.read.png and the labelled glyphs into NAME.glyphs.png, beside the picture.

    In the first, doubtful lines are faint, and lines less confident than `least` are left out.
    """
    drawn = np.dstack([255 - picture.ink] * 3)
    for line in reading.lines:
        for character in [one for word in line.words for one in word.characters if line.confidence >= least]:
            x, y, width, height = (round(side / picture.scale) for side in character.box)
            colour = (30, 120, 180) if character.confidence >= 0.5 else (200, 60, 40)
            if line.confidence < FAINT:
                colour = tuple(255 - (255 - each) // 3 for each in colour)
            cv2.rectangle(drawn, (x, y), (x + width, y + height), colour, 1)
            cv2.putText(drawn, character.text, (x, max(12, y - 3)), cv2.FONT_HERSHEY_SIMPLEX, max(0.4, height / 60),
                        colour, 1, cv2.LINE_AA)
            cv2.putText(drawn, f"{100 * character.confidence:.0f}", (x, y + height + 10), cv2.FONT_HERSHEY_SIMPLEX, 0.3,
                        colour, 1, cv2.LINE_AA)
    tiles = [_glyph_tile(image, one.text) for image, one in zip(reading.glyphs, reading.characters, strict=True)]
    try:
        files.save_picture(drawn, path.with_name(path.stem + READ))
        if tiles:
            files.save_picture(files.in_rows(tiles, 12), path.with_name(path.stem + GLYPHS))
    except (OSError, cv2.error) as error:
        raise ImageError(f"what was read in {path} cannot be drawn beside it ({error}): copy it to a folder "
                         "that can be written to") from error


def _glyph_tile(image: np.ndarray, text: str) -> np.ndarray:
    tile = np.zeros((80, 60), np.uint8)
    tile[2:58, 2:58] = cv2.resize(image, (56, 56), interpolation=cv2.INTER_NEAREST)
    return cv2.putText(tile, text, (22, 75), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1, cv2.LINE_AA)


def _timed(function, *arguments) -> tuple:
    start = time.perf_counter()
    return function(*arguments), time.perf_counter() - start


if __name__ == "__main__":
    settings.run(main)
