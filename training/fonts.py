"""Writes text in handwriting fonts and a few printed faces: gray pictures of one line, as if they were scanned."""
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIZE = 42                                       # px of a font
PRINTED = "DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf", "DejaVuSans-Bold.ttf", "cmr10.ttf"
PRINTED_SHARE = 0.12                            # of the lines


class Fonts:
    """The faces of a folder, and of matplotlib as printed ones."""

    def __init__(self, folder: str | Path):
        import matplotlib
        from fontTools.ttLib import TTFont
        printed = Path(matplotlib.get_data_path(), "fonts", "ttf")
        self.groups = [[(ImageFont.truetype(path, SIZE), {*map(chr, TTFont(path, lazy=True).getBestCmap())})
                        for path in paths] for paths in
                       (sorted(Path(folder).glob("*.[ot]tf")), [printed / name for name in PRINTED])]

    def __bool__(self):
        return bool(self.groups[0])

    def draw(self, text: str, rng: np.random.Generator) -> np.ndarray | None:
        """The text in a face at random: uint8 (height, width), dark on white; None where the face lacks a letter."""
        faces = self.groups[rng.random() < PRINTED_SHARE]
        font, known = faces[rng.integers(len(faces))]
        if not known >= set(text):
            return None
        left, top, right, bottom = font.getbbox(text)
        if right - left < 2 or bottom - top < 2:
            return None
        image = Image.new("L", (int(right - left) + 8, int(bottom - top) + 8), 255)
        ImageDraw.Draw(image).text((4 - left, 4 - top), text, fill=int(rng.integers(0, 90)), font=font)
        return np.asarray(image)
