"""Draws a sheet of what a network learns from.

    python -m tools.draw_training                     line images, each with its text, into line_images.png
    python -m tools.draw_training --pages             pages, each beside what is known of it, into pages.png
    python -m tools.draw_training --pen_path=FOLDER   with the pen strokes in another folder
"""
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np

from common import files, line_image, settings
from training import page_synthesis, page_writing, synthesis

# ---- settings: change them here or on the command line, as --name=value
pages = False                    # draw pages instead of lines
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes
data_path = "Dataset/EMNIST"     # folder with EMNIST's files; lines alone need it
paper_path = "Dataset/Paper"     # folder with real writing, fonts, texts and maybe backgrounds
variety = 1.0                    # strength of random changes of lines, 0 for none
seed = 0                         # random seed
out = ""                         # the picture to write; if empty, line_images.png or pages.png
# ---- end of settings

WIDTH, HEIGHT = 400, 58   # px, of a tile with a line
COLUMNS, EACH = 3, 15     # tiles per row, and per kind of writing
PAGES = 16


def main(arguments: list[str]) -> None:
    """Draw the sheet."""
    config, _ = settings.configure(globals(), arguments)
    settings.between("seed", config.seed, 0)
    rng = np.random.default_rng(config.seed)
    tiles, columns = (page_tiles(config, rng), 4) if config.pages else (line_tiles(config, rng), COLUMNS)
    out = Path(config.out or ("pages.png" if config.pages else "line_images.png"))
    files.save_picture(files.in_rows(tiles, columns), out)
    print(out)


def line_tiles(config: SimpleNamespace, rng: np.random.Generator) -> list[np.ndarray]:
    """Some line images of each kind of writing, with their texts: uint8 (HEIGHT, WIDTH)."""
    synthesizer = synthesis.LineSynthesizer(config.pen_path, config.data_path, variety=config.variety,
                                            paper_path=config.paper_path)
    tiles, kinds = [], synthesizer.kinds(synthesis.KINDS)
    while len(tiles) < EACH * len(kinds):
        sample = synthesizer.sample(rng, {kinds[len(tiles) // EACH]: 1.0})
        if sample and sample.picture.shape[1] <= WIDTH:
            tile = np.zeros((HEIGHT, WIDTH), np.uint8)
            tile[:line_image.HEIGHT, :sample.picture.shape[1]] = sample.picture
            cv2.putText(tile, sample.text, (4, 44), cv2.FONT_HERSHEY_SIMPLEX, 0.36, 160, 1, cv2.LINE_AA)
            tiles.append(tile)
    return tiles


def page_tiles(config: SimpleNamespace, rng: np.random.Generator) -> list[np.ndarray]:
    """Pages, each beside itself with cores green, rules red and ink blue: RGB uint8 (height, width, 3)."""
    sources = page_writing.Sources.read(config.pen_path, config.paper_path)
    synthesizer = page_synthesis.PageSynthesizer(sources)
    samples = [synthesizer.sample(rng) for _ in range(PAGES)]
    return [np.hstack([sample.picture, page_synthesis.overlay(sample)]) for sample in samples]


if __name__ == "__main__":
    settings.run(main)
