"""Draws the training curves of one or several runs.

    python -m tools.plotScript                              every run in Models, into Models/training.png
    python -m tools.plotScript 1700000000                   one run, into Models/1700000000/training.png
    python -m tools.plotScript 1700000000 1700001234 --out=compared.png
"""
from pathlib import Path

from common import settings

# ---- settings: change them here or on the command line, as --name=value
models_path = "Models"     # where runs are kept
out = ""                   # picture to write (.png, .svg or .pdf); if empty, training.png beside what it shows
# ---- end of settings


def main(arguments: list[str]) -> None:
    """Draw the runs named on the command line, or all."""
    from training import curves  # here, since --help should not wait for it
    config, names = settings.configure(globals(), arguments, positional="unixTime ...")
    folders = [Path(config.models_path, name) for name in names] or curves.find_runs(config.models_path)
    beside = folders[0] if len(folders) == 1 else Path(config.models_path)
    picture = Path(config.out or beside / "training.png")
    curves.plot(folders, picture)
    print(f"wrote {picture}")


if __name__ == "__main__":
    settings.run(main)
