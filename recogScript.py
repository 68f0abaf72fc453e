"""Reads handwriting: pictures in, text out.

    python recogScript.py a.png                      the text in a picture: a word, a line or a page
    python recogScript.py --characters a.png b.png   the one character in each picture
    python recogScript.py --json photos/ b.jpg       a folder's pictures and one more, a JSON object a line
    python recogScript.py --show a.png               draws what was read into a.read.png and a.glyphs.png
    cat a.png | python recogScript.py -              from standard input
    python recogScript.py --unixTime=1700000000 a.png    with another network; see Models/

It reads Latin letters without accents, digits and punctuation, printed or cursive, dark on light or light on dark,
drawn, scanned or photographed.  In other programs:

    reader = recogScript.Recognizer()
    reader.recog("a.png").text
"""
import io
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from json import dumps
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from common import files, runs, settings
from reading.binarize import FORMATS, ImageError, Picture, read_picture
from reading.readings import Reading
from reading.recognizer import Recognizer, recog  # noqa: F401  recog is for other programs

# ---- settings: change them here or on the command line, as --name=value
unixTime = ""              # the network that reads; without one, the shipped network
models_path = "Models"     # where networks are kept
prior = "drawings"         # class mix of single characters: drawings, as people write; forms, as in NIST's forms
language = "english"       # weighs what fits English; none: the network alone decides
characters = False         # each picture holds one character
json = False               # print a JSON object for each picture
show = False               # draw what was read into NAME.read.png and what the network saw into NAME.glyphs.png
# ---- end of settings
VERSION = 1                        # of what --json prints; a new one when a key changes its meaning
READ, GLYPHS = ".read.png", ".glyphs.png"   # endings of what --show draws


# ---- command line

def main(arguments: list[str]) -> int:
    """Read all pictures that are named; returns the exit status: 2 if any could not be read."""
    config, names = settings.configure(globals(), arguments, positional="IMAGE...")
    if not names:
        raise settings.SettingsError("name a picture, a folder of pictures, or - for standard input")
    pictures = [picture for name in names for picture in find_pictures(name)]
    usual = runs.DEFAULT_CHARACTERS if config.characters else runs.DEFAULT
    reader = Recognizer(config.unixTime or usual, config.models_path, config.prior, config.language)
    status = 0
    for name in tqdm(pictures, "reading", disable=len(pictures) <= 10 or not sys.stderr.isatty()):
        try:
            fields = read_one(reader, name, config.characters, config.show)
        except ImageError as error:
            tqdm.write(f"{Path(__file__).name}: {error}", file=sys.stderr)
            status = 2
            continue
        text = fields["text"]
        if len(pictures) > 1:
            text = f"{name}: {text}" if "\n" not in text else f"{name}:\n{text}"
        tqdm.write(dumps(fields) if config.json else text)
        sys.stdout.flush()
    return status


def find_pictures(name: str) -> Iterator[str]:
    """The pictures that a name on the command line stands for: those in a folder, sorted, or itself."""
    if not Path(name).is_dir():
        yield name
        return
    endings = {ending for ending, kind in Image.registered_extensions().items() if kind in FORMATS}
    found = sorted(str(path) for path in Path(name).iterdir()
                   if path.suffix.lower() in endings and not path.name.startswith(".")
                   and not path.name.endswith((READ, GLYPHS)))
    if not found:
        raise settings.SettingsError(f"the folder {name} holds no pictures: name another")
    yield from found


def read_one(reader: Recognizer, name: str, characters: bool, show: bool) -> dict:
    """Read one picture of the command line; returns the fields of --json."""
    source = io.BytesIO(sys.stdin.buffer.read()) if name == "-" else name
    called = "standard input" if name == "-" else name
    picture, seconds = _timed(read_picture, source, called, not characters)
    reader.load(characters)   # only now: a bad picture need not wait for it, and it does not count as reading
    reading, more = _timed(reader.read_character if characters else reader.read, picture)
    about = {"version": VERSION, "file": name}
    if characters:
        fields = about | asdict(reading.characters[0]) | {"seconds": round(seconds + more, 4)}
    else:
        fields = about | {"text": reading.text, "seconds": round(seconds + more, 4),
                          "lines": [asdict(line) for line in reading.lines]}
    if show:
        save_shown(picture, reading, "stdin" if name == "-" else name)
    return fields


def save_shown(picture: Picture, reading: Reading, name: str) -> None:
    """Draw what was read into NAME.read.png, and the glyphs with it into NAME.glyphs.png, beside the picture."""
    path = Path(name)
    drawn = np.dstack([255 - picture.ink] * 3)
    for character in reading.characters:
        x, y, width, height = (round(side / picture.scale) for side in character.box)
        size = max(0.4, height / 60)
        colour = (30, 120, 180) if character.confidence >= 0.5 else (200, 60, 40)
        cv2.rectangle(drawn, (x, y), (x + width, y + height), colour, 1)
        cv2.putText(drawn, character.text, (x, max(12, y - 3)), cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)
        cv2.putText(drawn, f"{100 * character.confidence:.0f}", (x, y + height + 10), cv2.FONT_HERSHEY_SIMPLEX, 0.3,
                    colour, 1, cv2.LINE_AA)
    tiles = [_glyph_tile(image, one.text) for image, one in zip(reading.glyphs, reading.characters, strict=True)]
    try:
        files.save_picture(drawn, path.with_name(path.stem + READ))
        if tiles:
            files.save_picture(files.in_rows(tiles, 12), path.with_name(path.stem + GLYPHS))
    except (OSError, cv2.error) as error:
        raise ImageError(f"what was read in {name} cannot be drawn beside it ({error}): copy it to a folder "
                         "that can be written to") from error


def _glyph_tile(image: np.ndarray, text: str) -> np.ndarray:
    tile = np.zeros((80, 60), np.uint8)
    tile[2:58, 2:58] = cv2.resize(image, (56, 56), interpolation=cv2.INTER_NEAREST)
    return cv2.putText(tile, text, (22, 75), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1, cv2.LINE_AA)


def _timed(function, *arguments) -> tuple:
    start = time.perf_counter()
    return function(*arguments), time.perf_counter() - start


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may hold what the terminal cannot show
    settings.run(main)
