"""What reads the pad: the network, the reading process, and its newest answer."""
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from apps import jobs, stillness, strokes, worker
from apps.widgets import percent
from common import runs
from reading.readings import Reading

REST = 2000        # ms without a change of the ink before words are shown as read from all ink together


class Answer(NamedTuple):
    """A reading, with the version, strokes and picture of its drawing and the network that was asked."""
    reading: Reading
    version: int
    model: str
    strokes: tuple[strokes.Stroke, ...]
    image: strokes.Underlay | None
    run: str                                 # that did read: for one character, it may not be the one asked


class Session:
    """Has one drawing read by one network at a time; answers for older versions of the drawing are dropped.

    window: a window.App, which is told what happens.
    """

    def __init__(self, window, kind: str, models_path: str):
        """kind: what is read, "text" or "character"."""
        self.worker = worker.Worker(self._replaced)
        self.worker.start()                            # first: the process needs time to start
        self.decoder = worker.Worker(self._replaced)   # of pictures that are opened while a network loads
        self.window, self.kind, self.models_path = window, kind, models_path
        self.model = ""                       # unixTime of the network that reads; "" until one is ready
        self.loading = ""                     # ... of the one being loaded
        self.chosen = ""                      # ... of the one the user has chosen
        self.other = ""                       # ... of the one to compare with
        self.language = "english"             # of word_lm.LANGUAGES
        self.version = 0                      # of the drawing
        self.answer: Answer | None = None     # the newest, maybe for an older version
        self.past: Answer | None = None       # the one that was forgotten last
        self.opened = 0                       # how many pictures and drawings were opened

    def default_network(self) -> str:
        """The unixTime of the network that reads when none is named."""
        there = runs.list_runs(self.models_path)
        shipped = runs.DEFAULT_CHARACTERS if self.kind == "character" else runs.DEFAULT
        return shipped if shipped in there or not there else there[-1]

    def start(self, named: str, remembered: str, language: str) -> None:
        """Read with the named network or, if that is only remembered and no longer exists, with the default one."""
        self.chosen, self.language = remembered, language
        gone = named == remembered and named not in runs.list_runs(self.models_path)
        self.load(self.default_network() if gone or not named else named)

    def choose(self, name: str) -> None:
        """Read with a network the user has chosen, next time as well."""
        self.chosen = name
        self.load(name)

    def choose_language(self, language: str) -> None:
        """Read with the language model of another language."""
        self.language, self.past = language, None
        self.answer = self.answer and self.answer._replace(model="")   # text from another model need not stand still
        self.load(self.loading or self.model or self.default_network())

    def load(self, name: str) -> None:
        """Read with another network; drawing goes on meanwhile."""
        self.loading = name
        self.window.message("", "network")
        self.window.set_status("the network is being loaded; you can draw already")
        self.worker.ask("load", jobs.load, name, self.models_path, self.language,
                        then=lambda _, error: self._loaded(name, error))
        self.window.network_changed()

    def read(self, page: strokes.Drawing) -> None:
        """Have the drawing read, if a network is ready; an older request that waits is dropped."""
        if not page:
            self.forget()
        elif self.model:
            version, model, began = self.version, self.model, time.monotonic()
            self._ask("read", model, page, lambda found, error: self._read(
                found and Answer(found[0], version, model, page.strokes, page.image, found[1]), error, version, began))

    def _ask(self, kind: str, model: str, page: strokes.Drawing, then: Callable) -> None:
        self.worker.ask(kind, jobs.read, model, self.models_path, self.language, page.strokes, page.image,
                        self.kind == "character", then=then)

    def compare(self, name: str) -> None:
        """Also show what another network reads in the same ink; "" ends that."""
        self.other = name
        self._show(self.answer)

    def _show(self, answer: Answer | None) -> None:
        self.answer = answer
        self.window.show(answer)
        self.window.show_other("")
        if answer and self.other:
            asked = self.version, self.other
            self._ask("compare", self.other, self.window.pad.drawing, lambda found, error: self._compared(
                found, error) if asked == (self.version, self.other) else None)

    def _compared(self, found: tuple[Reading, str] | None, error: str) -> None:
        named = runs.describe(self.models_path, found[1] if found else self.other).split(":")[0]
        self.window.show_other(f"{named}: {error}" if error else
                               f"{named}, {sure(found[0])}: {found[0].text}" if found else "")

    def forget(self) -> None:
        """Show no reading, and drop a request that waits."""
        self.worker.forget("read")
        self.past = self.answer or self.past
        self._show(None)

    def recall(self, page: strokes.Drawing) -> bool:
        """Show the last forgotten answer again if it is for this very ink; returns whether it is."""
        past = self.past
        same = (past is not None and past.strokes == page.strokes and past.image is page.image
                and past.model == self.model)
        if same:
            self._show(past._replace(version=self.version))
        return same

    def open_picture(self, data: bytes, name: str, size: tuple[int, int]) -> None:
        """Have a picture, given as its file's bytes, decoded and fitted to a size in px, even while a network loads."""
        reader = self.decoder if self.loading else self.worker
        self.opened += 1
        number = self.opened
        reader.ask("picture", jobs.prepare_picture, data, name, size,
                   then=lambda image, error: self._opened(image, error, number))

    def poll(self) -> None:
        """Handle the answers that have come."""
        self.worker.poll()
        self.decoder.poll()

    def close(self) -> None:
        """End both processes at once."""
        self.worker.close()
        self.decoder.close()

    @property
    def current(self) -> bool:
        """Whether the newest answer is for what is on the pad now."""
        return self.answer is not None and self.answer.version == self.version

    def _read(self, answer: Answer | None, error: str, version: int, began: float) -> None:
        if version != self.version:
            return
        self.window.message(error, "reading")
        if not answer:
            self._show(None)
            self.window.set_status("")
        elif answer.model == self.model:
            by = f"   ·   read by {answer.run}" if answer.run != self.model else ""
            self.window.set_status(f"{(time.monotonic() - began) * 1000:.0f} ms   ·   {sure(answer.reading)}{by}")
            shown = answer
            if self.answer and self.answer.model == answer.model and self.kind == "text":
                shown = answer._replace(reading=stillness.settled(self.answer.reading, self.answer.strokes,
                                                                  answer.reading, answer.strokes))
                self.window.root.after(REST, self._rest, answer)
            self._show(shown)

    def _rest(self, answer: Answer) -> None:
        """The pen rests: show everything as it is read now."""
        if answer.version == self.version and self.current and answer.model == self.model:
            self._show(answer)

    def _opened(self, image: strokes.Underlay | None, error: str, number: int) -> None:
        if not self.decoder.busy:
            self.decoder.close()
        if number != self.opened:
            return   # something else was opened meanwhile
        if error:
            self.window.message(error, "open")
        else:
            self.window.pad.drawing.replace(strokes.State(image=image))
            self.window.pad.fit()

    def _replaced(self, reason: str) -> None:
        self.window.message(f"{reason} and was started again", "reading")
        if self.model and not self.loading:   # so that the next reading need not wait
            self.worker.ask("load", jobs.load, self.model, self.models_path, self.language,
                            then=lambda _, error: error and self.window.message(error, "reading"))

    def _loaded(self, name: str, error: str) -> None:
        if name != self.loading:
            return  # another was chosen meanwhile
        self.loading = ""
        if error:
            self.window.message(error if self.model else f"{error}. Choose another in the menu Network.",
                                "network")
            print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        else:
            self.model = name
            self.window.message("", "reading")   # clears what was said about a process that has ended
        self.window.set_status("" if error else "ready")
        self.window.network_changed()


def sure(reading: Reading) -> str:
    """How likely a reading's characters are right on average, in words."""
    return f"{percent(statistics.fmean([one.confidence for one in reading.characters] or [0.0]))} sure"
