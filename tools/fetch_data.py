"""Fetches EMNIST, or makes the pen strokes from the UNIPEN distribution.

    python -m tools.fetch_data                     fetch EMNIST into Dataset/EMNIST, once (562 MB), and check it
    python -m tools.fetch_data --archive=UNIPEN    make Dataset/UNIPEN/*.jsonl.gz from the UNIPEN distribution
"""
import sys

from common import errors, settings
from training import download, emnist, unipen

# ---- settings: change them here or on the command line, as --name=value
data_path = "Dataset/EMNIST"   # folder for EMNIST; --data_path=FOLDER
pen_path = "Dataset/UNIPEN"    # folder for the pen strokes
archive = ""                   # the UNIPEN distribution, a folder or an archive, to make the pen strokes from
# ---- end of settings


def main(arguments: list[str]) -> None:
    """Fetch and check EMNIST, or make the pen strokes."""
    config = globals() | settings.read(__file__, globals(), arguments)[0]
    if config["archive"]:
        written, skipped = unipen.convert(config["archive"], config["pen_path"])
        for name, count in written.items():
            print(f"{count:,} {name} in {config['pen_path']}")
        for reason, count in skipped.items():
            print(f"{count:,} skipped: {reason}")
        return
    emnist.fetch(config["data_path"])
    for part in ("train", "test"):
        images, _ = emnist.read_emnist(config["data_path"], part)
        print(f"{len(images):,} {part} images in {config['data_path']}, checked")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (settings.SettingsError, errors.DataError, unipen.UnipenError, download.DownloadError) as error:
        settings.fail(error)
    except KeyboardInterrupt:
        print("\nended; what was fetched is kept, run again to go on", file=sys.stderr)
        raise SystemExit(130) from None
