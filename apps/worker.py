"""Reads in a process of its own, so that no window ever waits for TensorFlow.

Importing TensorFlow, loading a network and searching for words hold Python's
lock for long; in the window's process the pen would stutter.  The window asks,
goes on, and finds the answer when it looks for it:

    worker = Worker()
    worker.ask(Request("load", "1700000000"))
    for answer in worker.answers(): ...

Of several questions of one kind that wait, only the newest is answered.
"""
import contextlib
import functools
import gc
import io
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import NamedTuple

import numpy as np

from apps import drawing
from common import runs

SERVE = "import sys; sys.path.insert(0, sys.argv[1]); from apps import worker; worker.serve()"


class Request(NamedTuple):
    """A question to the worker."""
    kind: str                                # load: get ready; text, character: read; picture: prepare to be shown
    model: str = ""                          # unixTime of the network
    strokes: tuple[drawing.Stroke, ...] = ()
    image: drawing.Underlay | None = None
    data: bytes = b""                        # of a picture's file
    size: tuple[int, int] = (0, 0)           # px, in which a picture is to fit
    models_path: str = "Models"
    token: object = None                     # comes back with the answer


class Character(NamedTuple):
    """A character that was read."""
    text: str
    confidence: float                        # 0..1
    alternatives: list[tuple[str, float]]    # best first
    box: tuple[float, float, float, float]   # left, top, right, bottom of its ink in px of the pad
    glyph: np.ndarray                        # uint8 (28, 28): what the network saw
    word: tuple[int, int]                    # numbers of its line and of its word in the line
    below: float                             # y of the bottom of its line's ink
    corrected: bool = False                  # by hand
    alone: bool = True                       # whether the glyph shows all of it and nothing else


class Answer(NamedTuple):
    """What the worker found, or in `error` one sentence that says why not."""
    request: Request
    characters: list[Character] = []
    text: str = ""
    confidence: float = 0.0                  # mean of the characters'
    seconds: float = 0.0                     # that reading took
    image: drawing.Underlay | None = None    # answer to picture
    error: str = ""


class Worker:
    """The window's end: starts the process, and ends it."""

    def __init__(self):
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._waiting: dict[str, Request] = {}
        self._change = threading.Condition()
        self._closed = False
        self._process = self._start()
        self.busy = False                    # whether an answer is to come
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _start(self) -> subprocess.Popen:
        # In a session of its own: Ctrl-C in the terminal is the window's business.
        return subprocess.Popen([sys.executable, "-c", SERVE, str(Path(__file__).resolve().parents[1])], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                start_new_session=True,
                                env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3")})

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, request: Request) -> None:
        """Ask without waiting; a question of the same kind that was not taken up yet is dropped."""
        with self._change:
            self._waiting.pop(request.kind, None)
            self._waiting[request.kind] = request
            self.busy = True
            self._change.notify()

    def forget(self, *kinds: str) -> None:
        """Drop questions of these kinds that were not taken up yet."""
        with self._change:
            for kind in kinds:
                self._waiting.pop(kind, None)

    def answers(self):
        """The answers that have come since the last call."""
        while not self._answers.empty():
            yield self._answers.get()

    def close(self) -> None:
        """End the process at once, whatever it does."""
        with self._change:
            self._closed = True
            self._change.notify()
            self._process.kill()
        self._process.wait()
        self._thread.join(1)
        self._process.stdin.close()
        self._process.stdout.close()

    def _serve(self) -> None:
        """Hand questions over, one at a time, and wait for the answers: in a thread, since both may take long."""
        while True:
            with self._change:
                self._change.wait_for(lambda: self._waiting or self._closed)
                if self._closed:
                    return
                request = self._waiting.pop(next(iter(self._waiting)))
            try:
                pickle.dump(request, self._process.stdin, pickle.HIGHEST_PROTOCOL)
                self._process.stdin.flush()
                answer = pickle.load(self._process.stdout)
            except (OSError, EOFError, ValueError, pickle.UnpicklingError):
                with self._change:
                    if self._closed:
                        return
                    self._process.kill()
                    status = self._process.wait()
                    self._process = self._start()
                answer = Answer(request, error=f"the reading process has ended with status {status} and was started "
                                               "again: write on, or close other programs if memory is short")
            self._answers.put(answer)
            with self._change:
                self.busy = bool(self._waiting)


# ---- the process

def serve() -> None:
    """Answer questions from standard input on standard output, until the window is gone."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get among the answers
    requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(requests,), daemon=True).start()
    while True:
        request = requests.get()
        try:
            answer = ANSWERS[request.kind](request)
        except Exception as error:
            expected = isinstance(error, (runs.RunError, ValueError, MemoryError))  # ImageError is a ValueError
            if not expected:
                traceback.print_exc()
            answer = Answer(request, error=str(error) or error.__class__.__name__)
        pickle.dump(answer._replace(request=request._replace(strokes=(), image=None, data=b"")), answers,
                    pickle.HIGHEST_PROTOCOL)
        answers.flush()
        if request.kind == "load" and not answer.error:
            _settle(request)


def _receive(requests: queue.SimpleQueue) -> None:
    """Take questions; when the window is gone, end the process, even in the midst of loading."""
    try:
        while True:
            requests.put(pickle.load(sys.stdin.buffer))
    except (EOFError, OSError, pickle.UnpicklingError):
        os._exit(0)


@functools.lru_cache(maxsize=4)  # of all networks of a long list only some stay in memory
def _reader(unix_time: str, models_path: str):
    """The Recognizer of a run, loaded and warmed up."""
    from reading import recognizer
    gc.unfreeze()  # a network that is no longer kept can go now
    reader = recognizer.Recognizer(unix_time or None, models_path)
    reader.load()
    # The first reading fills caches; nobody should wait for them.
    reader.recog(_warm_up_page(["Read this line now", "and this"]))
    return reader


def _settle(request: Request) -> None:
    """What can wait until the window knows that its network is ready."""
    with contextlib.suppress(runs.RunError):  # a reading that needs it will say what is missing
        _reader(request.model, request.models_path).load(characters=True)  # reads what stands alone
    gc.collect()
    gc.freeze()  # else each full collection looks through all of TensorFlow, and a reading waits 0.2 s for it


def _warm_up_page(lines: list[str]) -> np.ndarray:
    import cv2
    page = np.full((120 * len(lines), 900), 255, np.uint8)
    for row, text in enumerate(lines):
        cv2.putText(page, text, (30, 80 + 120 * row), cv2.FONT_HERSHEY_SIMPLEX, 2, 0, 5, cv2.LINE_AA)
    return page


def load(request: Request) -> Answer:
    """Get a network ready."""
    _reader(request.model, request.models_path)
    return Answer(request)


def read_character(request: Request) -> Answer:
    """Read all ink as one character."""
    from common import glyph
    reader, start = _reader(request.model, request.models_path), time.perf_counter()
    page = _page(request, alone=True)
    (found,) = reader.read_characters([page.picture])
    character = Character(found.text, found.confidence, found.alternatives, page.on_pad(found.box),
                          glyph.glyph(page.picture.ink), (0, 0), page.on_pad(found.box)[3])
    return Answer(request, [character], found.text, found.confidence, time.perf_counter() - start)


def read_text(request: Request) -> Answer:
    """Read words and lines."""
    reader, start = _reader(request.model, request.models_path), time.perf_counter()
    page = _page(request)
    reading = reader.read(page.picture)
    glyphs, alone = iter(reading.glyphs), iter(reading.alone)
    characters = [Character(one.text, one.confidence, one.alternatives, page.on_pad(one.box), next(glyphs),
                            (row, place), page.on_pad(line.box)[3], alone=next(alone))
                  for row, line in enumerate(reading.lines) for place, word in enumerate(line.words)
                  for one in word.characters]
    confidence = float(np.mean([one.confidence for one in characters])) if characters else 0.0
    return Answer(request, characters, reading.text, confidence, time.perf_counter() - start)


class _Page(NamedTuple):
    """Ink for recogScript.py; a point p of the pad lies at p * scale + offset in the picture whose boxes it tells."""
    picture: object
    scale: float
    offset: np.ndarray

    def on_pad(self, box: list[int]) -> tuple[float, ...]:
        """A box [x, y, width, height] of the picture as left, top, right, bottom on the pad."""
        left, top, width, height = box
        corners = (np.array([[left, top], [left + width, top + height]]) - self.offset) / self.scale
        return tuple(corners.ravel().tolist())


def _page(request: Request, alone: bool = False) -> _Page:
    """The ink of a drawing, through the same steps as a file that recogScript.py is given."""
    from reading.binarize import Picture, read_picture
    if request.image is None:
        page = drawing.render(list(request.strokes), alone)
        return _Page(read_picture(255 - page.ink, page=not alone), page.scale, page.offset)
    image, photo = request.image, _photo(request.image.data, alone)
    drawn, around = drawing.on_page(list(request.strokes), image, photo.scale, photo.ink.shape)
    corner = np.array([image.x, image.y]) / image.zoom - photo.scale * np.array([around[1][0], around[0][0]])
    return _Page(Picture(np.maximum(np.pad(photo.ink, around), drawn), photo.scale), 1 / image.zoom, -corner)


@functools.lru_cache(maxsize=2)
def _photo(data: bytes, alone: bool):
    from reading.binarize import read_picture
    return read_picture(io.BytesIO(data), "the picture", page=not alone)


def prepare_picture(request: Request) -> Answer:
    """Decode a picture and make it fit the pad."""
    from PIL import Image, ImageOps

    from reading import binarize
    file = io.BytesIO(request.data)
    binarize.decode(file, "the picture")  # refuses what is damaged or too large
    with Image.open(file) as opened:
        image = ImageOps.exif_transpose(opened)
        image = image.convert("RGBA") if image.has_transparency_data else image.convert("RGB")
    zoom = min(1.0, request.size[0] / image.width, request.size[1] / image.height)
    image = image.resize([max(1, round(side * zoom)) for side in image.size], Image.Resampling.LANCZOS)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    preview = io.BytesIO()
    image.save(preview, "PPM")
    place = [(space - side) / 2 for space, side in zip(request.size, image.size)]
    return Answer(request, image=drawing.Underlay(request.data, *place, zoom, preview.getvalue()))


ANSWERS = {"load": load, "text": read_text, "character": read_character, "picture": prepare_picture}
