"""A picture -> its writing in straight lines: by the page network or, for clean drawings, by components alone."""
import io
import math
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from PIL import Image

from common import glyph
from reading import binarize, page_network, text_lines
from reading.binarize import Picture, Source
from reading.network import THREADS

SOFT = 0.1       # of edge pixels: least share that is soft in a drawing; a black and white scan has fewer
STRAY = 0.002    # of the same: at most this many stray pixels may lie away from strokes
PDF_SCALE = 200 / 72          # px of a PDF page's picture per point: 200 dpi, ...
PDF_PIXELS = 6_000_000        # ... but at most this many px
STROKES = 3000   # no drawing has more; a page of specks does
LETTERS = 300    # ... and writing that the page network misses has no more
RULE = 3.0       # pen widths: a long stroke no taller than this is a rule or an underline


def read_page(image: Source, name: str = "", threads: int = THREADS) -> Picture:
    """The writing in a picture of words, lines or a page; name: what messages call it.

    Raises binarize.ImageError when it cannot be read or shows no writing.
    """
    name = name or binarize.name_of(image)
    picture, reduced = binarize.decode_reduced(image, name, page_network.FINE_PIXELS)
    gray = np.asarray(picture.convert("L"))
    ground = ground_of(gray)
    if ground is None:
        found = page_network.shipped(threads).find(np.asarray(picture.convert("RGB")))
        if found.lines:
            return Picture(found.ink, reduced * found.scale, found.lines)
    drawn = binarize.picture_of(gray, name, True, ground)
    if ground is None and len(text_lines.components(drawn.ink)[1]) > LETTERS:
        raise binarize.NoWriting(f"no writing is found in {name}: take a sharp picture of the page alone")
    return replace(drawn, scale=reduced * drawn.scale)


def pages_of(file: str | io.BytesIO, name: str) -> Iterator[Source]:
    """The pages of a file, one by one: all of a TIFF or PDF, otherwise the one picture.

    Raises binarize.ImageError when it cannot be read.
    """
    data = binarize.read_file(file, name)
    if bytes(data.getbuffer()[:5]) == b"%PDF-":
        yield from _pdf_pages(data, name)
        return
    image = binarize.open_image(data, name)
    if image.format != "TIFF":
        yield data
        return
    try:
        pages = image.n_frames
    except Exception as error:   # Pillow raises many kinds of errors for damaged files
        raise binarize.damaged(name, error) from error
    for number in range(pages):
        image.seek(number)
        yield image


def _pdf_pages(data: io.BytesIO, name: str) -> Iterator[Image.Image]:
    try:
        import pypdfium2
    except ImportError:
        raise binarize.ImageError(f"{name} is a PDF: pip install pypdfium2, or save its pages as pictures") from None
    try:
        for page in pypdfium2.PdfDocument(data):
            width, height = page.get_size()
            yield page.render(scale=min(PDF_SCALE, math.sqrt(PDF_PIXELS / (width * height)))).to_pil()
    except pypdfium2.PdfiumError as error:
        raise binarize.damaged(name, error) from error


def ground_of(gray: np.ndarray) -> int | None:
    """The one brightness of the ground in a drawing of soft strokes without rules and boxes; None for other pictures.

    gray: uint8 (height, width).
    """
    ground = int(cv2.calcHist([gray], [0], None, [256], [0, 256]).argmax())
    contrast = cv2.absdiff(gray, np.full_like(gray, ground))
    peak = int(contrast.max())   # an integer: comparison with a float would turn all pixels into 8-byte floats
    strokes = (contrast > peak // 2).view(np.uint8)
    edge = np.count_nonzero(strokes > cv2.erode(strokes, np.ones((3, 3), np.uint8)))
    stray = (contrast > 0) & (cv2.dilate(strokes, np.ones((5, 5), np.uint8)) == 0)
    soft = (contrast > peak // 10) & (contrast < math.ceil(0.9 * peak))
    if np.count_nonzero(stray) > STRAY * edge or np.count_nonzero(soft) < SOFT * edge or not edge:
        return None
    contours, tree = cv2.findContours(strokes, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    parents = tree[0][:, 3]
    outer = parents < 0   # strokes that no other encloses
    if np.count_nonzero(outer) > STROKES:
        return None
    boxes = np.array([cv2.boundingRect(contour) for contour in contours])
    width, height = boxes[outer, 2:].T
    boxes[:, 2:] += boxes[:, :2]   # left, top, right, bottom
    usual = text_lines.usual_height(boxes[outer])
    rules, long = width == gray.shape[1], width > 8 * usual   # a rule all across, with letters standing on it
    if long.any():
        rules |= long & (height <= RULE * glyph.stroke_width(255 * strokes))
    return None if rules.any() or _has_boxes(boxes[:, 3] - boxes[:, 1], parents) else ground


def _has_boxes(heights: np.ndarray, parents: np.ndarray) -> bool:
    """Whether some strokes enclose others that are not dots.

    heights, parents: of all contours, (n,); a parent is the index of the contour around it, -1 where there is none.
    """
    inner = (parents >= 0) & (parents[parents] >= 0)
    if not inner.any():
        return False
    letters = np.delete(heights, parents[parents[inner]])
    return heights[inner].max() >= 0.5 * np.median(letters)
