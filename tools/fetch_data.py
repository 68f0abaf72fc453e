"""Fetches EMNIST or real writing, or makes the pen strokes from the UNIPEN distribution.

    python -m tools.fetch_data                     fetch EMNIST into Dataset/EMNIST, once (562 MB), and check it
    python -m tools.fetch_data --paper             fetch real writing, fonts and sentences into Dataset/Paper (0.6 GB)
    python -m tools.fetch_data --archive=UNIPEN    make Dataset/UNIPEN/*.jsonl.gz from the UNIPEN distribution
"""
from common import settings
from training import emnist, materials, unipen_format

# ---- settings: change them here or on the command line, as --name=value
data_path = "Dataset/EMNIST"   # folder for EMNIST
pen_path = "Dataset/UNIPEN"    # folder for the pen strokes
paper = False                  # fetch real writing, fonts and sentences instead of EMNIST
paper_path = "Dataset/Paper"   # folder for these
archive = ""                   # the UNIPEN distribution, a folder or an archive, to make the pen strokes from
# ---- end of settings


def main(arguments: list[str]) -> None:
    """Fetch and check EMNIST or real writing, or make the pen strokes."""
    config, _ = settings.configure(globals(), arguments)
    if config.archive:
        written, skipped = unipen_format.convert(config.archive, config.pen_path)
        for name, count in written.items():
            print(f"{count:,} {name} in {config.pen_path}")
        for reason, count in skipped.items():
            print(f"{count:,} skipped: {reason}")
        return
    if config.paper:
        for count, kind, folder in materials.fetch(config.paper_path):
            print(f"{count:,} {kind} in {folder}")
        return
    emnist.fetch(config.data_path)
    for part in ("train", "test"):
        images, _ = emnist.read_emnist(config.data_path, part)
        print(f"{len(images):,} {part} images in {config.data_path}, checked")


if __name__ == "__main__":
    settings.run(main, "ended; what was fetched is kept, run again to go on")
