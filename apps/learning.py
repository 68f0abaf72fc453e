"""The window of remembered corrections: see and delete them, and have the network learn them.

A third is kept aside, and the new network replaces the old one only if it reads that third no worse.  This keeps
out most of what a slip or a few corrections alone would teach wrongly.
"""
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from apps import jobs
from apps.toolkit import tk, ttk
from common import errors, pen_strokes, runs

LEAST = 6              # corrections needed; every third is kept aside
SIDE = 32              # px at 96 dpi: height of a correction in the list
LOOK = 300             # ms between two checks of the training
TRAINING = [sys.executable, str(runs.ROOT / "model.py")]


class Kept(NamedTuple):
    """A correction: some ink and what it says."""
    label: str
    strokes: list[np.ndarray]          # of a word, each float (n, 2), or empty
    image: np.ndarray | None = None    # of a character, uint8 (28, 28)

    @property
    def ink(self) -> np.ndarray:
        """Its ink as uint8 (height, width), bright on dark, about 64 px high."""
        if self.image is not None:
            return np.pad(self.image, 4).repeat(2, 0).repeat(2, 1)
        height = max(1.0, np.ptp(np.concatenate(self.strokes), axis=0)[1])
        return pen_strokes.draw_strokes(pen_strokes.scale_strokes(self.strokes, 56 / height), 4)


def kept_in(folder: str) -> list[Kept]:
    """All remembered corrections, words first."""
    from training import corrections_store  # late: the window need not wait for it
    words = [Kept(record["label"], [pen_strokes.as_points(stroke) / corrections_store.UNITS
                                    for stroke in record["strokes"]])
             for record in corrections_store.read_corrected_words(folder)]
    images, labels = corrections_store.read_corrections(folder)
    return words + [Kept(corrections_store.alphabets.CHARACTERS[label], [], image)
                    for image, label in zip(images, labels)]


def keep(folder: str, one: Kept, label: str) -> None:
    """Remember a correction with a label; "" forgets it."""
    from training import corrections_store
    if one.image is not None:
        corrections_store.remember(folder, one.image, label)
    else:
        corrections_store.remember_word(folder, one.strokes, label)


def show(app) -> None:
    """Open the window for an app, or bring it to the front."""
    there = [window for window in app.root.winfo_children() if isinstance(window, Learning)]
    window = there[0] if there else Learning(app)
    window.lift()
    window.focus_set()


class Learning(tk.Toplevel):
    """The window; app: a window.App, whose network learns."""

    def __init__(self, app):
        super().__init__(app.root, background=app.looks.theme.window, padx=app.px(16), pady=app.px(16))
        self.app, self.folder = app, app.config.corrections_path
        self.training: subprocess.Popen | None = None
        self.title("My writing")
        self.transient(app.root)
        self.list = ttk.Treeview(self, columns=("label",), height=8)
        self.list.heading("#0", text="Ink")
        self.list.heading("label", text="Says")
        self.list.pack(fill="both", expand=True)
        self.bar = ttk.Progressbar(self, maximum=1)
        self.note = ttk.Label(self, wraplength=app.px(420))
        row = ttk.Frame(self)
        for text, do in (("Delete", self.delete), ("Learn", self.learn)):
            ttk.Button(row, text=text, command=do).pack(side="left", padx=(0, app.px(8)), pady=(app.px(8), 0))
        for part in (self.note, self.bar, row):
            part.pack(fill="x", pady=(app.px(8), 0))
        self.bind("<Delete>", lambda event: self.delete())
        self.bind("<Escape>", lambda event: self.destroy())
        self.bind("<Destroy>", self._stop)
        self.fill()

    def say(self, text: str) -> None:
        """Show a sentence below the list."""
        self.note.configure(text=text)

    def fill(self) -> None:
        """Show what is remembered."""
        self.list.delete(*self.list.get_children())
        try:
            self.kept = kept_in(self.folder)
        except (OSError, ValueError) as error:
            self.kept = []
            return self.say(errors.reason(error))
        self.pictures = []        # Tk drops pictures that nothing refers to
        for number, one in enumerate(self.kept):
            ink = 255 - one.ink
            picture = tk.PhotoImage(master=self, data=b"P5 %d %d 255 " % ink.shape[::-1] + ink.tobytes(), format="ppm")
            self.pictures.append(picture.subsample(max(1, round(ink.shape[0] / self.app.px(SIDE)))))
            self.list.insert("", "end", str(number), image=self.pictures[-1], values=(one.label,))
        words = sum(one.image is None for one in self.kept)
        self.say(f"Words: {words}, characters: {len(self.kept) - words}.  They are kept in {self.folder}, only on this "
                 "computer.")

    def delete(self) -> None:
        """Forget the selected corrections."""
        try:
            for number in self.list.selection():
                keep(self.folder, self.kept[int(number)], "")
        except (OSError, ValueError) as error:
            return self.say(f"Not deleted: {errors.reason(error)}")
        self.fill()

    # ---- learning

    def missing(self, usable: list[Kept]) -> list[str]:
        """Everything that training lacks, in words."""
        from training import emnist  # late: the window need not wait for it
        found = []
        if len(usable) < LEAST:
            found.append(f"at least {LEAST} corrections that this network can learn (there are {len(usable)})")
        if not importlib.util.find_spec("keras"):
            found.append("the packages for training (pip install -r requirements.txt)")
        if not all(emnist.find(runs.ROOT / "Dataset/EMNIST", Path(member).stem) for member in emnist.MEMBERS):
            found.append("EMNIST's scans (python -m tools.fetch_data)")
        if not (runs.ROOT / "Dataset/UNIPEN/words.jsonl.gz").is_file():
            found.append("the pen strokes of other people (python -m tools.fetch_data --archive=UNIPEN)")
        return found

    def learn(self) -> None:
        """Start training, unless something is missing."""
        session = self.app.session
        if self.training or not session.model:
            return self.say("Already learning" if self.training else "No network is ready to learn yet")
        lines = runs.read_config(session.models_path, session.model)["reads"] == "lines"
        usable = [one for one in self.kept if (one.image is None) == lines]
        if lacks := self.missing(usable):
            return self.say(f"Missing: {'; '.join(lacks)}.")
        self.old, self.aside = session.model, usable[::3]
        self.before = set(runs.list_runs(session.models_path))
        self.files = tempfile.TemporaryDirectory()
        for number, one in enumerate(usable):
            if number % 3:
                keep(self.files.name, one, one.label)
        self.log = Path(self.files.name, "log")
        with self.log.open("wb") as log:
            self.training = subprocess.Popen(
                [*TRAINING, f"--finetune={self.old}", f"--corrections_path={self.files.name}",
                 f"--models_path={Path(session.models_path).absolute()}"],
                stdout=log, stderr=subprocess.STDOUT, cwd=runs.ROOT)
        self._look()

    def _look(self) -> None:
        """Show the progress of the training, and compare the networks when it ends."""
        if not self.winfo_exists():
            return
        lines = [line for line in re.split(r"[\r\n]+", self.log.read_text(errors="replace")) if line.strip()]
        status = self.training.poll()
        if steps := re.findall(r"([\d.]+)/([\d.]+)", " ".join(lines[-3:])):
            self.bar.configure(value=float(steps[-1][0]) / max(1.0, float(steps[-1][1])))
        self.say("Learning, which takes some minutes; closing this window ends it.")
        if status is None:
            self.app.root.after(LOOK, self._look)   # the window may be closed by then
            return
        self.training = None
        session = self.app.session
        new = [name for name in runs.list_runs(session.models_path) if name not in self.before]
        if status or not new:
            return self.say(f"Training failed: {lines[-1] if lines else 'it gave no reason'}")
        self.say("Comparing both networks…")
        session.worker.ask("measure", jobs.measure, (self.old, new[-1]), session.models_path, session.language,
                           [(one.label, one.ink, one.image is not None) for one in self.aside],
                           then=lambda right, error: self._compared(new[-1], right, error))

    def _compared(self, new: str, right: list[int] | None, error: str) -> None:
        """Read with the new network unless it is worse."""
        if not self.winfo_exists():
            return
        if error:
            return self.say(error)
        figures = (f"Of {len(self.aside)} corrections that were kept aside, the old network reads {right[0]} right, "
                   f"the new one {right[1]}.")
        if right[1] >= right[0]:
            self.app.session.choose(new)
            self.say(f"{figures}  {new} reads from now on.")
        else:
            self.say(f"{figures}  {self.old} goes on reading; {new} is in the menu too.")

    def _stop(self, event) -> None:
        if event.widget is self and self.training:
            self.training.kill()
            self.training.wait()
