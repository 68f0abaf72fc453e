"""Writes what was read to a file: as text, or as a PDF of the picture in which the text can be searched and copied."""
import io
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from apps.boxes import Box
from common import files

WIDE, UP, DOWN = 0.6, 0.8, 0.25   # of Courier's size: the width of each letter, and its height above and below the line
POINTS = 72 / 150      # of a PDF per px of the picture


def write_text(path: str | Path, text: str) -> None:
    """Write a text with a newline at its end."""
    files.write_atomically(Path(path), lambda temporary: temporary.write_text(text + "\n", encoding="utf-8"))


def write_pdf(path: str | Path, picture: np.ndarray, words: Sequence[tuple[str, Box]]) -> None:
    """Write a page with a picture, uint8 (height, width) or (height, width, 3), and invisible words.

    words: texts in Windows-1252, the font's encoding, and their boxes in px of the picture.
    """
    from PIL import PdfParser  # late: the window need not wait for it
    image, jpeg = Image.fromarray(picture), io.BytesIO()
    image.convert("RGB").save(jpeg, "JPEG", quality=85)
    width, height = (side * POINTS for side in image.size)
    content = [f"q {width:.2f} 0 0 {height:.2f} 0 0 cm /I Do Q BT 3 Tr"]      # 3: the text is not painted
    for text, box in words:
        size = max(1.0, box.height * POINTS / (UP + DOWN))
        stretch = 100 * box.width * POINTS / (WIDE * size * max(len(text), 1))
        quoted = text.translate({ord(sign): f"\\{sign}" for sign in "\\()"})
        content.append(f"/F {size:.2f} Tf {stretch:.1f} Tz 1 0 0 1 {box.x * POINTS:.2f} "
                       f"{height - box.bottom * POINTS + DOWN * size:.2f} Tm ({quoted} ) Tj")
    pdf = PdfParser.PdfParser(f=io.BytesIO(), mode="w+b")
    pdf.start_writing()
    pdf.write_header()
    page, name = pdf.next_object_id(0), PdfParser.PdfName
    pdf.pages.append(page)
    pdf.write_catalog()
    font = pdf.write_obj(None, Type=name("Font"), Subtype=name("Type1"), BaseFont=name("Courier"),
                         Encoding=name("WinAnsiEncoding"))
    shown = pdf.write_obj(None, stream=jpeg.getvalue(), Type=name("XObject"), Subtype=name("Image"), Width=image.width,
                          Height=image.height, ColorSpace=name("DeviceRGB"), BitsPerComponent=8,
                          Filter=name("DCTDecode"))
    stream = zlib.compress("\n".join([*content, "ET"]).encode("cp1252", "replace"))
    pdf.write_page(page, MediaBox=[0, 0, width, height], Resources={"Font": {"F": font}, "XObject": {"I": shown}},
                   Contents=pdf.write_obj(None, stream=stream, Filter=name("FlateDecode")))
    pdf.write_xref_and_trailer()
    files.write_atomically(Path(path), lambda temporary: temporary.write_bytes(pdf.f.getvalue()))
