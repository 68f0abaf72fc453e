"""What reads the pad: the network, the reading process, and its newest answer."""
import statistics
import sys
from pathlib import Path

from apps import strokes, worker
from common import runs


class Session:
    """Has one drawing read with one network at a time; answers to older versions of the drawing are dropped.

    window: a window.App, which is told what happens.
    """

    def __init__(self, window, kind: str, models_path: str):
        """kind: what is read, "text" or "character"."""
        self.worker = worker.Worker()              # first: the process needs time to start
        self.window, self.kind, self.models_path = window, kind, models_path
        self.model = ""                            # unixTime of the network that reads; "" until one is ready
        self.loading = ""                          # ... of the one that is being loaded
        self.version = 0                           # of the drawing
        self.answer: worker.Answer | None = None   # the newest, which need not be to this version

    def default_network(self) -> str:
        """The unixTime of the network that reads when none is named."""
        there = runs.list_runs(self.models_path)
        shipped = runs.DEFAULT_CHARACTERS if self.kind == "character" else runs.DEFAULT
        return shipped if shipped in there or not there else there[-1]

    def load(self, name: str) -> None:
        """Read with another network; drawing goes on meanwhile."""
        self.loading = name
        self.window.message("")
        self.window.set_status("the network is being loaded; you can draw already")
        self.worker.ask(worker.Request("load", name, models_path=self.models_path))
        self.window.network_changed()

    def read(self, page: strokes.Drawing) -> None:
        """Have the drawing read, if a network is ready; an older reading that waits is dropped."""
        if not page:
            self.worker.forget(self.kind)
            self._show(None)
        elif self.model:
            self.worker.ask(worker.Request(self.kind, self.model, page.strokes, page.image,
                                           models_path=self.models_path, version=self.version))

    def open_picture(self, data: bytes, size: tuple[int, int]) -> None:
        """Have a picture, as the bytes of its file, decoded and made to fit a size in px."""
        self.worker.ask(worker.Request("picture", data=data, size=size))

    @property
    def current(self) -> bool:
        """Whether the newest answer is to what is on the pad now."""
        return self.answer is not None and self.answer.request.version == self.version

    def poll(self) -> None:
        """Take the answers that have come."""
        for answer in self.worker.answers():
            self._take(answer)

    def _take(self, answer: worker.Answer) -> None:
        request = answer.request
        if request.kind == "load":
            self._loaded(answer)
        elif answer.error:
            if request.kind == "picture" or request.version == self.version:
                self.window.message(answer.error)
        elif request.kind == "picture":
            self.window.pad.drawing.replace((), answer.image)
        elif request.version == self.version and request.model == self.model:
            sure = statistics.fmean(one.confidence for one in answer.reading.characters)
            self.window.set_status(f"{answer.seconds * 1000:.0f} ms   ·   {100 * sure:.0f} % sure")
            self._show(answer)

    def _show(self, answer: worker.Answer | None) -> None:
        self.answer = answer
        self.window.show(answer)

    def _loaded(self, answer: worker.Answer) -> None:
        name = answer.request.model
        if name != self.loading:
            return  # another was chosen meanwhile
        self.loading = ""
        if answer.error:
            self.window.message(answer.error if self.model else f"{answer.error}. Choose another in the menu Network.")
            print(f"{Path(sys.argv[0]).name}: {answer.error}", file=sys.stderr)
        else:
            self.model = name
        self.window.set_status("" if answer.error else "ready")
        self.window.network_changed()
