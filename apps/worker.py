"""Reads in a process of its own, so that no window ever waits.

Finding ink, running a network and searching for words hold Python's lock; in the window's process the pen would
stutter.  The window asks, goes on, and finds the answer when it looks for it:

    worker = Worker()
    worker.ask(Request("load", "1700000000"))
    for answer in worker.answers(): ...

Of several requests of one kind that wait, only the newest is answered.
"""
import contextlib
import functools
import io
import multiprocessing
import signal
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from apps import page
from apps.strokes import Stroke, Underlay
from common import runs
from reading.readings import Reading

SPAWN = multiprocessing.get_context("spawn")   # a forked process would share the window's connection to the display


class Request(NamedTuple):
    """What the worker is asked."""
    kind: str                                # load: get ready; text, character: read; picture: prepare to be shown
    model: str = ""                          # unixTime of the network
    strokes: tuple[Stroke, ...] = ()
    image: Underlay | None = None
    data: bytes = b""                        # of a picture's file
    size: tuple[int, int] = (0, 0)           # px, in which a picture is to fit
    models_path: str = "Models"
    version: int = 0                         # of the drawing


class Answer(NamedTuple):
    """What the worker found, or in `error` one sentence that says why not."""
    request: Request                         # without strokes and pictures
    reading: Reading | None = None           # its boxes in px of the pad
    seconds: float = 0.0                     # that reading took
    image: Underlay | None = None            # answer to picture
    error: str = ""


class Worker:
    """The window's end: starts the process, replaces it when it has died, and ends it.

    The process gets the next request when it has answered the one before, so it takes what is sent at once.
    """

    def __init__(self):
        self._waiting: dict[str, Request] = {}   # by their kinds
        self._start()

    def _start(self) -> None:
        self._asked: Request | None = None       # what the process works on
        self._pipe, end = SPAWN.Pipe()
        self.process = SPAWN.Process(target=serve, args=(end,), daemon=True)
        usual = signal.signal(signal.SIGINT, signal.SIG_IGN)   # inherited: Ctrl-C is the window's business
        try:
            self.process.start()
        finally:
            signal.signal(signal.SIGINT, usual)
        end.close()   # else the end of the process would not close it

    @property
    def busy(self) -> bool:
        """Whether an answer is to come."""
        return self._asked is not None

    def ask(self, request: Request) -> None:
        """Ask without waiting; a request of the same kind that was not taken up yet is dropped."""
        self._waiting[request.kind] = request
        self._hand_over()

    def forget(self, kind: str) -> None:
        """Drop a request of this kind that was not taken up yet."""
        self._waiting.pop(kind, None)

    def answers(self) -> Iterator[Answer]:
        """The answers that have come since the last call."""
        while self._asked:
            try:
                if not self._pipe.poll():
                    return
                answer = self._pipe.recv()
            except (OSError, EOFError):
                status, asked = self.close(), self._asked
                self._start()
                answer = Answer(asked, error=f"the reading process has ended with status {status} and was started "
                                             "again: write on, or close other programs if memory is short")
            self._asked = None
            self._hand_over()
            yield answer

    def _hand_over(self) -> None:
        if self._asked is None and self._waiting:
            if not self.process.is_alive():   # nobody has missed it until now
                self.close()
                self._start()
            self._asked = self._waiting.pop(next(iter(self._waiting)))
            with contextlib.suppress(OSError):  # it has died; answers() notices that
                self._pipe.send(self._asked)

    def close(self) -> int:
        """End the process at once, whatever it does; returns its exit status."""
        self.process.kill()
        self.process.join()
        status = self.process.exitcode
        self.process.close()
        self._pipe.close()
        return status


# ---- the process

def serve(pipe) -> None:
    """Answer requests until the window is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where it is not inherited
    with contextlib.suppress(OSError, EOFError):
        while True:
            pipe.send(answer(pipe.recv()))


def answer(request: Request) -> Answer:
    """The answer to a request, whatever goes wrong."""
    try:
        found = ANSWERS[request.kind](request)
    except Exception as error:
        if not isinstance(error, (ValueError, MemoryError)):  # what a person can put right is a ValueError
            traceback.print_exc()
        found = Answer(request, error=str(error) or error.__class__.__name__)
    return found._replace(request=request._replace(strokes=(), image=None, data=b""))


@functools.lru_cache(maxsize=4)  # of all networks of a long list only some stay in memory
def _reader(unix_time: str, models_path: str):
    """The recogniser of a run, loaded."""
    from reading import recognizer  # here: the window does without it
    reader = recognizer.Recognizer(unix_time, models_path)
    reader.load()
    with contextlib.suppress(runs.RunError):  # a reading that needs it will say what is missing
        reader.load(characters=True)
    return reader


def load(request: Request) -> Answer:
    """Get a network ready."""
    _reader(request.model, request.models_path)
    return Answer(request)


def read(request: Request) -> Answer:
    """Read words and lines, or all ink as one character."""
    reader, start = _reader(request.model, request.models_path), time.perf_counter()
    alone = request.kind == "character"
    ink = page.page_of(request.strokes, request.image, alone)
    reading = reader.read_character(ink.picture) if alone else reader.read(ink.picture)
    return Answer(request, _on_pad(reading, ink), time.perf_counter() - start)


def _on_pad(reading: Reading, ink: page.Page) -> Reading:
    """A reading with its boxes on the pad, and with glyphs that can be sent."""
    def moved(part, **parts):
        return replace(part, box=ink.on_pad(part.box), **parts)

    lines = [moved(line, words=[moved(word, characters=[moved(one) for one in word.characters])
                                for word in line.words]) for line in reading.lines]
    return replace(reading, lines=lines, make_glyphs=functools.partial(list, reading.glyphs))


def prepare_picture(request: Request) -> Answer:
    """Decode a picture and make it fit the pad."""
    from PIL import Image, ImageOps

    from reading import binarize
    file = io.BytesIO(request.data)
    binarize.decode(file, "the picture")  # refuses what is damaged or too large
    with Image.open(file) as opened:
        image = ImageOps.exif_transpose(opened)
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    width = image.width
    image.thumbnail(request.size, Image.Resampling.LANCZOS)
    paper, preview = Image.new("RGB", image.size, "white"), io.BytesIO()
    paper.paste(image, mask=image if image.mode == "RGBA" else None)
    paper.save(preview, "PPM")
    place = [(space - side) / 2 for space, side in zip(request.size, image.size)]
    return Answer(request, image=Underlay(request.data, *place, image.width / width, preview.getvalue()))


ANSWERS = {"load": load, "text": read, "character": read, "picture": prepare_picture}
