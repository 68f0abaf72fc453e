"""What the apps remember between starts, on this computer alone: settings, recent files, and unsaved ink."""
import contextlib
import time
from pathlib import Path
from types import SimpleNamespace

from apps import strokes
from common import errors, files, settings

NOTHING = "none"       # as a state_path: nothing is remembered
EVERY = 2000           # ms between two checks for something to keep
RECENT = 8             # files
WINDOWS = 100          # more than anyone opens at once


def configure(space: dict, given: dict) -> SimpleNamespace:
    """The settings of a script as attributes; the command line overrides what is remembered.

    space: the script's globals().  given: those named on the command line.
    """
    defaults = {name: space[name] for name in settings.meanings(space["__file__"])}
    config, script = SimpleNamespace(**defaults | given), Path(space["__file__"]).stem
    path = _folder(config)
    if config.reset and path:
        for kept in path.glob(f"{script}-*.json"):
            kept.unlink(missing_ok=True)
    config.memory = Memory(path, script)
    vars(config).update({key: value for key, value in config.memory.kept.items()
                         if key in defaults and key not in given and type(value) is type(defaults[key])})
    return config


def _folder(config: SimpleNamespace) -> Path | None:
    if config.state_path == NOTHING:
        return None
    import platformdirs
    return Path(config.state_path or platformdirs.user_data_dir("handwriting", appauthor=False))


class Memory:
    """The settings of one app, and the unsaved ink of one of its windows."""

    def __init__(self, folder: Path | None, name: str):
        """folder: None keeps nothing."""
        self._folder, self._name, self._held, self.problem = folder, name, contextlib.ExitStack(), ""
        self.kept = self._read()             # settings, "geometry", "pen", "recent"
        self._written = dict(self.kept)
        self._ink = strokes.EMPTY            # as it is in the file
        try:
            if folder:
                self._hold()
        except OSError as error:
            self.problem, self._folder = self.why(error), None

    def _hold(self) -> None:
        """Choose a file for the ink that no other window uses; one with ink comes first, so that it is restored."""
        for number in sorted(range(1, WINDOWS), key=lambda number: not self._ink_of(number).is_file()):
            with contextlib.suppress(BlockingIOError):
                self._held.enter_context(files.locked(self._folder / f"{self._name}-{number}.lock", wait=False))
                self._ink_path = self._ink_of(number)
                break

    def _ink_of(self, number: int) -> Path:
        return self._folder / f"{self._name}-ink{f'-{number}' * (number > 1)}.json"

    def why(self, error: OSError) -> str:
        """Why nothing is remembered, as a sentence."""
        return f"Settings and ink cannot be remembered in {self._folder} ({error.strerror})"

    def close(self) -> None:
        """Let another window use the same file from now on."""
        self._held.close()

    def _read(self) -> dict:
        with contextlib.suppress(errors.DataError):   # there is none yet, or it is damaged
            return files.read_json(self._folder / f"{self._name}-settings.json") if self._folder else {}
        return {}

    @property
    def recent(self) -> list[str]:
        """Files that were opened or saved, the newest first."""
        return [name for name in self.kept.get("recent", []) if isinstance(name, str)]

    def note_file(self, name: str | Path) -> None:
        """Note a file that was opened or saved; the next call of `keep` writes it down."""
        name = str(Path(name).absolute())
        self.kept |= {"recent": [name, *(other for other in self.recent if other != name)][:RECENT]}

    def keep(self, changed: dict) -> None:
        """Keep settings."""
        self.kept |= changed
        if self.kept != self._written and self._folder:
            files.write_json(self._folder / f"{self._name}-settings.json", self.kept)
            self._written = dict(self.kept)

    def keep_ink(self, drawing: strokes.Drawing, saved: strokes.State, scale: float) -> None:
        """Keep the ink, unless it is already saved; scale: as for strokes.save."""
        unsaved = strokes.EMPTY if drawing.now is saved else drawing.now
        if not self._folder or self._ink is unsaved:
            return
        if unsaved.strokes or unsaved.corrections:
            strokes.save(drawing, self._ink_path, scale)
        else:
            self._ink_path.unlink(missing_ok=True)
        self._ink = unsaved

    def ink(self, scale: float) -> strokes.State:
        """The ink that was not saved when the app ended; scale: as for strokes.load."""
        try:
            if self._folder:
                self._ink = strokes.load(self._ink_path, scale)
        except FileNotFoundError:
            pass
        except (OSError, strokes.DrawingError):
            files.set_aside(self._ink_path)
        return self._ink

    def put_by_ink(self) -> bool:
        """Move unsaved ink to the recent files, since others are opened; returns whether there was any."""
        there = bool(self._folder) and self._ink_path.is_file()
        if there:
            now = time.strftime("%Y-%m-%d-%H-%M-%S")
            self.note_file(self._ink_path.rename(self._folder / f"{self._name}-{now}.json"))
            self.keep({})   # now: without its name among the recent files, nobody finds it
        return there
