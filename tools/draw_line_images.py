"""Draws a sheet of the line images that a line reader learns from, each with its text.

    python -m tools.draw_line_images                     into line_images.png
    python -m tools.draw_line_images --pen_path=FOLDER   with the pen strokes in another folder
"""
from pathlib import Path

import cv2
import numpy as np

from common import files, line_image, settings
from training import synthesis

# ---- settings: change them here or on the command line, as --name=value
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes
data_path = "Dataset/EMNIST"     # folder with EMNIST's files
paper_path = "Dataset/Paper"     # folder with real writing, fonts and texts
variety = 1.0                    # strength of random changes, 0 for none
seed = 0                         # random seed
out = "line_images.png"          # the picture to write
# ---- end of settings

WIDTH, HEIGHT = 400, 58   # px, of a tile
COLUMNS, EACH = 3, 15     # tiles per row, and per kind of writing


def main(arguments: list[str]) -> None:
    """Draw some samples of each kind of writing."""
    config, _ = settings.configure(globals(), arguments)
    settings.between("seed", config.seed, 0)
    synthesizer = synthesis.LineSynthesizer(config.pen_path, config.data_path, variety=config.variety,
                                            paper_path=config.paper_path)
    rng = np.random.default_rng(config.seed)
    tiles = []
    kinds = synthesizer.kinds(synthesis.KINDS)
    while len(tiles) < EACH * len(kinds):
        kind = kinds[len(tiles) // EACH]
        sample = synthesizer.sample(rng, {kind: 1.0})
        if sample and sample.picture.shape[1] <= WIDTH:
            tile = np.zeros((HEIGHT, WIDTH), np.uint8)
            tile[:line_image.HEIGHT, :sample.picture.shape[1]] = sample.picture
            cv2.putText(tile, sample.text, (4, 44), cv2.FONT_HERSHEY_SIMPLEX, 0.36, 160, 1, cv2.LINE_AA)
            tiles.append(tile)
    files.save_picture(files.in_rows(tiles, COLUMNS), Path(config.out))
    print(config.out)


if __name__ == "__main__":
    settings.run(main)
