"""Draws the training curves of one or several runs as a PNG.

    python -m tools.plotScript [UNIXTIME ...]
"""
import sys
from pathlib import Path

from common import runs, settings
from training import curves

# ---- settings: change them here or on the command line, as --name=value
models_path = "Models"     # where runs are kept
out = ""                   # picture to write (.png, .svg or .pdf); without it training.png beside what it shows
# ---- end of settings


def main(arguments: list[str]) -> None:
    """Draw the runs named on the command line, or all."""
    given, names = settings.read(__file__, globals(), arguments, positional="unixTime ...")
    config = {"models_path": models_path, "out": out} | given
    folders = [Path(config["models_path"], name) for name in names] or curves.find_runs(config["models_path"])
    beside = folders[0] if len(folders) == 1 else Path(config["models_path"])
    picture = Path(config["out"] or beside / "training.png")
    curves.plot(folders, picture)
    print(f"wrote {picture}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (settings.SettingsError, runs.RunError) as error:
        settings.fail(error)
