"""What the reading process does: it gets networks ready, reads drawings and decodes pictures."""
import contextlib
import functools
import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from apps import page
from apps.strokes import Stroke, Underlay
from common import runs
from reading import binarize
from reading.readings import Reading

SHARP = 2      # a picture stays sharp up to this many times the size that fits the pad


@functools.lru_cache(maxsize=4)  # of a long list of networks, only some stay in memory
def _reader(unix_time: str, models_path: str, language: str):
    """The recogniser of a run, loaded."""
    from reading import recognizer  # here: the window does without it
    reader = recognizer.Recognizer(unix_time, models_path, language=language)
    reader.load()
    with contextlib.suppress(runs.RunError):  # a reading that needs it will say what is missing
        reader.load(characters=True)
    return reader


def load(unix_time: str, models_path: str, language: str) -> None:
    """Get a network ready."""
    _reader(unix_time, models_path, language)


def read(unix_time: str, models_path: str, language: str, strokes: tuple[Stroke, ...], image: Underlay | None,
         alone: bool) -> tuple[Reading, str] | None:
    """Read words and lines or, if `alone`, all ink as one character; the boxes are in px of the pad.

    Returns the reading and the unixTime of the network that read it, or None if the strokes are only a speck.
    """
    drawn = page.picture_of(strokes, image, alone)
    reader = _reader(unix_time, models_path, language)
    try:
        picture = binarize.read_picture(drawn.pixels) if alone else reader.see(drawn.pixels)
    except binarize.ImageError:
        if image:
            raise
        return None
    reading = reader.read_character(picture) if alone else reader.read(picture)

    def moved(part, **parts):
        return replace(part, box=drawn.on_pad(part.box), **parts)

    lines = [moved(line, words=[moved(word, characters=[moved(one) for one in word.characters])
                                for word in line.words]) for line in reading.lines]
    sendable = replace(reading, lines=lines, make_glyphs=functools.partial(list, reading.glyphs))
    return sendable, reader.character_run if alone else unix_time


def measure(names: Sequence[str], models_path: str, language: str,
            samples: Sequence[tuple[str, np.ndarray, bool]]) -> list[int]:
    """How many samples (text, ink bright on dark, whether it is a character) each network reads right."""
    def read_one(reader, ink: np.ndarray, character: bool) -> str:
        picture = binarize.read_picture(255 - ink, page=not character)
        return (reader.read_characters([picture])[0] if character else reader.read(picture)).text

    readers = [_reader(name, models_path, language) for name in names]
    return [sum(read_one(reader, ink, character) == text for text, ink, character in samples) for reader in readers]


def prepare_picture(data: bytes, name: str, size: tuple[int, int]) -> Underlay:
    """Decode a picture and fit it into a size in px; raises binarize.ImageError, with its name, if that fails."""
    image = binarize.decode(io.BytesIO(data), name).convert("RGB")
    zoom = min(1.0, *(space / side for space, side in zip(size, image.size)))
    place = [(space - side * zoom) / 2 for space, side in zip(size, image.size)]
    image.thumbnail([SHARP * space for space in size])
    image.save(preview := io.BytesIO(), "JPEG", quality=90)
    return Underlay(data, *place, zoom, preview.getvalue())
