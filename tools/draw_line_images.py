"""Draws a sheet of the line images that a line reader learns from, each with its text, into line_images.png.

    python -m tools.draw_line_images                     with the data in Dataset
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
variety = 1.0                    # strength of random changes, 0 for none
seed = 0                         # of everything random
out = "line_images.png"          # the picture to write
# ---- end of settings

WIDTH, ROW, ROWS = 1200, 50, 5   # px; rows of each kind


def main(arguments: list[str]) -> None:
    """Draw some rows of each kind of writing."""
    config, _ = settings.configure(globals(), arguments)
    synthesizer = synthesis.LineSynthesizer(config.pen_path, config.data_path, variety=config.variety)
    rng = np.random.default_rng(config.seed)
    files.save_picture(np.vstack([draw_rows(synthesizer, rng, kind) for kind in synthesis.KINDS]), Path(config.out))
    print(config.out)


def draw_rows(synthesizer: synthesis.LineSynthesizer, rng: np.random.Generator, kind: str) -> np.ndarray:
    """Samples of one kind from left to right and from top to bottom: uint8 (ROWS * ROW, WIDTH)."""
    sheet = np.zeros((ROWS * ROW, WIDTH), np.uint8)
    x = y = 0
    while True:
        sample = synthesizer.sample(rng, {kind: 1.0})
        if sample is None or sample.picture.shape[1] > WIDTH:
            continue
        width = sample.picture.shape[1]
        if x + width > WIDTH:
            x, y = 0, y + ROW
        if y == len(sheet):
            return sheet
        sheet[y:y + line_image.HEIGHT, x:x + width] = sample.picture
        cv2.putText(sheet, sample.text, (x + 4, y + 45), cv2.FONT_HERSHEY_SIMPLEX, 0.36, 160, 1, cv2.LINE_AA)
        x += width


if __name__ == "__main__":
    settings.run(main)
