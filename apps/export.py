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
    image, jpeg = Image.fromarray(picture), io.BytesIO()
    image.convert("RGB").save(jpeg, "JPEG", quality=85)
    width, height = (side * POINTS for side in image.size)
    content = [f"q {width:.2f} 0 0 {height:.2f} 0 0 cm /I Do Q BT 3 Tr"]      # 3: the text is not painted
    for text, box in words:
        size = max(1.0, box.height * POINTS / (UP + DOWN))
        stretch = 100 * box.width * POINTS / (WIDE * size * max(len(text), 1))
        shown = text.translate({ord(sign): f"\\{sign}" for sign in "\\()"})
        content.append(f"/F {size:.2f} Tf {stretch:.1f} Tz 1 0 0 1 {box.x * POINTS:.2f} "
                       f"{height - box.bottom * POINTS + DOWN * size:.2f} Tm ({shown} ) Tj")
    stream = zlib.compress("\n".join([*content, "ET"]).encode("cp1252", "replace"))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.2f} {height:.2f}] /Contents 6 0 R "
        "/Resources << /Font << /F 4 0 R >> /XObject << /I 5 0 R >> >> >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
        f"<< /Type /XObject /Subtype /Image /Width {image.width} /Height {image.height} /ColorSpace /DeviceRGB "
        f"/BitsPerComponent 8 /Filter /DCTDecode /Length {jpeg.tell()} >>\nstream\n".encode() + jpeg.getvalue()
        + b"\nendstream",
        f"<< /Filter /FlateDecode /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream"]
    whole, starts = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        starts.append(len(whole))
        whole += f"{number} 0 obj\n".encode() + one + b"\nendobj\n"
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    end = (f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R "
           f">>\nstartxref\n{len(whole)}\n%%EOF\n")
    files.write_atomically(Path(path), lambda temporary: temporary.write_bytes(whole + end.encode()))
