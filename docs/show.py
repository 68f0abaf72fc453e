"""Draws docs/reading.png: how the shipped network for characters reads the samples, which are drawn by code.

    python docs/show.py
"""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from common import glyph
from reading import recognizer
from reading.binarize import read_picture


def main() -> None:
    """Draw one column for each sample: the picture, the glyph, the five most likely characters."""
    paths = sorted(path for path in (HERE.parent / "samples").iterdir() if path.suffix in (".png", ".jpg"))
    pictures = [read_picture(path) for path in paths]
    characters = recognizer.Recognizer().read_characters(pictures)
    figure = Figure(figsize=(2 * len(paths), 4.6), layout="constrained")
    rows = figure.subplots(3, len(paths), height_ratios=(5, 2.4, 3))
    for column, path, picture, character in zip(rows.T, paths, pictures, characters, strict=True):
        draw_column(column, path, picture, character)
    figure.savefig(HERE / "reading.png", dpi=100)
    print(f"{HERE / 'reading.png'}")


def draw_column(column, path: Path, picture, character) -> None:
    """Draw a picture with the ink's box, the 28x28 glyph, and the alternatives as bars."""
    seen, small, bars = column
    seen.imshow(Image.open(path).convert("RGB"))
    x, y, width, height = character.box
    seen.add_patch(Rectangle((x, y), width, height, fill=False, color="#1f77b4", linewidth=1.5))
    seen.set_title(path.name, fontsize=9, color="#666666")
    small.imshow(glyph.glyph(picture.ink), cmap="gray")
    texts, shares = zip(*character.alternatives, strict=True)
    bars.barh(range(5), shares, color=["#1f77b4"] + ["#b8c9d9"] * 4)
    bars.set_yticks(range(5), texts, family="monospace", fontsize=11)
    bars.set_xlim(0, 1.3)
    bars.invert_yaxis()
    for place, share in enumerate(shares):
        bars.text(share + 0.03, place, f"{100 * share:.0f} %", va="center", fontsize=8)
    for axes in (seen, small):
        axes.set_axis_off()
    bars.set_xticks([])
    for side in ("top", "right", "bottom"):
        bars.spines[side].set_visible(False)


if __name__ == "__main__":
    main()
