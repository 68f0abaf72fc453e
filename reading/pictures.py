"""A picture -> its writing in straight lines: by the page network or, in clean drawings, by connected parts alone."""
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

SOFT = 0.1       # of an edge's pixels: a drawing's edges are soft, a black and white scan's are not
STRAY = 0.002    # of the same: so many may lie beside strokes
PDF_SCALE = 200 / 72          # px of a PDF page's picture in a point: 200 dpi, ...
PDF_PIXELS = 6_000_000        # ... but at most so many
STROKES = 3000   # no drawing has more; a page of specks has
LETTERS = 300    # ... and no writing that the page network does not see
RULE = 3.0       # pens: a long stroke that is no higher is a rule or an underline


def read_page(image: Source, name: str = "", threads: int = THREADS) -> Picture:
    """The writing in a picture of words, lines or a page; name: what messages call it.

    Raises binarize.ImageError when it cannot be read or nothing is there.
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
    if ground is None and len(text_lines.components((drawn.ink >= text_lines.INK).view(np.uint8))[1]) > LETTERS:
        raise binarize.ImageError(f"no writing is found in {name}: take a sharp picture of the page alone")
    return replace(drawn, scale=reduced * drawn.scale)


def pages_of(file: str | io.BytesIO, name: str) -> Iterator[Source]:
    """The pages of a file, one after the other: all of a TIFF or PDF, else the one picture.

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
    for number in range(image.n_frames):
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
        raise binarize.ImageError(f"{name} is damaged ({error}): copy or save it again") from error


def ground_of(gray: np.ndarray) -> int | None:
    """The one brightness that a drawing's soft strokes stand on, without rules and boxes; None of other pictures.

    gray: uint8 (height, width).
    """
    ground = int(cv2.calcHist([gray], [0], None, [256], [0, 256]).argmax())
    contrast = cv2.absdiff(gray, np.full_like(gray, ground))
    peak = int(contrast.max())   # a whole number: compared with others, pixels would become floats, of 8 bytes each
    strokes = (contrast > peak // 2).view(np.uint8)
    edge = np.count_nonzero(strokes > cv2.erode(strokes, np.ones((3, 3), np.uint8)))
    stray = (contrast > 0) & (cv2.dilate(strokes, np.ones((5, 5), np.uint8)) == 0)
    soft = (contrast > peak // 10) & (contrast < math.ceil(0.9 * peak))
    if np.count_nonzero(stray) > STRAY * edge or np.count_nonzero(soft) < SOFT * edge or not edge:
        return None
    contours, tree = cv2.findContours(strokes, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
    parents = tree[0][:, 3]
    outer = parents < 0   # the strokes that no other is closed around
    if np.count_nonzero(outer) > STROKES:
        return None
    boxes = np.array([cv2.boundingRect(contour) for contour in contours])
    width, height = boxes[outer, 2:].T
    boxes[:, 2:] += boxes[:, :2]   # left, top, right, bottom
    usual = text_lines.usual_height(boxes[outer])
    rules, long = width == gray.shape[1], width > 8 * usual   # all across, with letters that stand on it
    if long.any():
        rules |= long & (height <= RULE * glyph.stroke_width(255 * strokes))
    return None if rules.any() or _has_boxes(boxes[:, 3] - boxes[:, 1], parents) else ground


def _has_boxes(heights: np.ndarray, parents: np.ndarray) -> bool:
    """Whether some strokes are closed around others that are no dots.

    heights, parents: of all contours, (n,); a parent is the number of the contour around it, -1 where there is none.
    """
    inner = (parents >= 0) & (parents[parents] >= 0)
    if not inner.any():
        return False
    letters = np.delete(heights, parents[parents[inner]])
    return heights[inner].max() >= 0.5 * np.median(letters)
