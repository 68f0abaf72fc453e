"""What the apps remember between starts, on this computer alone: settings, recent files, and ink that was not saved."""
import json
from pathlib import Path
from types import SimpleNamespace

from apps import strokes
from common import files, settings

NOTHING = "none"       # as a state_path: nothing is remembered
EVERY = 2000           # ms between two looks for something to keep
RECENT = 8             # files


def configure(space: dict, given: dict) -> SimpleNamespace:
    """The settings of a script as attributes; the command line goes before what is remembered.

    space: the script's globals().  given: what the command line names.
    """
    defaults = {name: space[name] for name in settings.meanings(space["__file__"])}
    config, script = SimpleNamespace(**defaults | given), Path(space["__file__"]).stem
    path = _folder(config)
    if config.reset and path:
        for kind in ("settings", "ink"):
            (path / f"{script}-{kind}.json").unlink(missing_ok=True)
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
    """The two files of one app: its settings and its unsaved ink."""

    def __init__(self, folder: Path | None, name: str):
        """folder: None keeps nothing."""
        self._folder, self._name = folder, name
        self.kept = self._read()             # settings, "geometry", "pen", "recent"
        self._ink = strokes.EMPTY            # as it is in the file

    def _read(self) -> dict:
        try:
            content = json.loads(self._path("settings").read_text(encoding="utf-8"))
            return content if isinstance(content, dict) else {}
        except (AttributeError, OSError, ValueError):   # there is no folder, or nothing in it
            return {}

    def _path(self, kind: str) -> Path | None:
        return self._folder and self._folder / f"{self._name}-{kind}.json"

    @property
    def recent(self) -> list[str]:
        """Files that were opened or saved, the newest first."""
        return [name for name in self.kept.get("recent", []) if isinstance(name, str)]

    def note_file(self, name: str) -> None:
        """A file was opened or saved."""
        name = str(Path(name).absolute())
        self.keep({"recent": [name, *(other for other in self.recent if other != name)][:RECENT]})

    def keep(self, changed: dict) -> None:
        """Keep settings."""
        if self.kept | changed != self.kept and self._folder:
            self.kept |= changed
            self._folder.mkdir(parents=True, exist_ok=True)
            files.write_json(self._path("settings"), self.kept)

    def keep_ink(self, drawing: strokes.Drawing, saved: strokes.State) -> None:
        """Keep the ink, unless it is what was saved."""
        if not self._folder or self._ink is drawing.now:
            return
        self._ink = drawing.now
        if (drawing.strokes or drawing.now.corrections) and drawing.now is not saved:
            self._folder.mkdir(parents=True, exist_ok=True)
            strokes.save(drawing, self._path("ink"))
        else:
            self._path("ink").unlink(missing_ok=True)

    def ink(self) -> strokes.State:
        """The ink that was not saved when the app ended."""
        try:
            return strokes.load(self._path("ink")) if self._folder else strokes.EMPTY
        except (OSError, strokes.DrawingError):
            return strokes.EMPTY
