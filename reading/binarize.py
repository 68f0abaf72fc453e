"""Picture -> ink: decodes pictures of every kind, and finds the ink in drawings and pictures of one character.

The ink is a uint8 image, bright on dark.  reading/page_network.py finds that of photographs and scans of text.
"""
import io
import math
import warnings
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps

from common import errors, files, glyph
from reading import readings, text_lines

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
MAX_BYTES = 500 << 20      # of a picture's file
MAX_PIXELS = 100_000_000   # of a picture's declared size: larger ones would take gigabytes to decode
WORKING_SIDE = 1000        # px: a character's longer side is reduced to this before looking for ink
PAGE_PIXELS = 3_000_000    # pages are reduced to this many pixels
PAPER_SIDE = 96            # px: the paper's brightness is estimated in a picture whose longer side is reduced to this
MIN_CONTRAST = 24          # of 255: ink is at least this much darker than its paper
NOISE_FACTOR = 6           # ... and by this many standard deviations of the paper's noise
WHITES = 1, 255, 1023, 4095, 16383, 65535   # of pictures with more than 8 bits, or of floats
BRIGHT = 170               # mean brightness from which a drawing on a transparent ground gets a dark one
MIN_SIDE = 4               # px: ink shorter than this both ways is a speck

Source = str | Path | io.BytesIO | Image.Image | np.ndarray


class ImageError(errors.UserError):
    """A picture that cannot be read; the message names it and the remedy."""


class NoWriting(ImageError):
    """A picture without writing."""


@dataclass(frozen=True)
class Picture:
    """The ink of a picture, and the way back to the picture's pixels."""
    ink: np.ndarray     # uint8 (height, width), bright on dark
    scale: float        # px of the picture per px of the ink
    lines: list[text_lines.StraightLine] | None = None   # if known; to_page maps to px of the ink

    @property
    def box(self) -> list[int]:
        """The ink's bounding box [x, y, width, height] in px of the upright picture."""
        x, y, width, height = glyph.ink_box(self.ink)
        return readings.box_of((x, y, x + width, y + height), self.scale)


def read_picture(image: Source, name: str = "", page: bool = False) -> Picture:
    """Decode a drawing or a picture of one character, and find its ink.

    image: a file's path, a PIL image, or a uint8 array (h, w), (h, w, 3) RGB or (h, w, 4) RGBA.
    name: what messages call it.  page: whether it may hold much text and so needs more pixels than one character.
    Raises ImageError, a ValueError, when the picture cannot be read or holds no ink.
    """
    name = name or name_of(image)
    return picture_of(np.asarray(decode(image, name).convert("L")), name, page)


def name_of(image: Source) -> str:
    """What messages call a picture."""
    return str(image) if isinstance(image, (str, Path)) else "the picture"


def picture_of(gray: np.ndarray, name: str, page: bool, ground: int | None = None) -> Picture:
    """The ink in a gray picture, uint8 (height, width); raises ImageError if there is none.

    ground: brightness of the paper if it is the same everywhere.
    """
    scale = max(1.0, math.sqrt(gray.size / PAGE_PIXELS) if page else max(gray.shape) / WORKING_SIDE)
    if scale > 1:
        gray = glyph.resize(gray, 1 / scale)
    ink = find_ink(gray, ground)
    if ink is None:
        raise NoWriting(f"no ink in {name}: take a picture in which the writing is clearly darker or lighter than its "
                        "paper")
    return Picture(ink, scale)


def decode(image: Source, name: str) -> Image.Image:
    """The picture as mode L or RGB, turned upright by its EXIF tag, with a contrasting ground if it is transparent.

    Raises ImageError when it cannot be read.
    """
    return decode_reduced(image, name, MAX_PIXELS)[0]


def decode_reduced(image: Source, name: str, enough: int) -> tuple[Image.Image, float]:
    """As `decode`, but reduces a picture of many more than `enough` pixels; also returns how many times.

    A JPEG file is reduced while it is decoded, which takes a quarter of the time and memory.
    """
    callers = isinstance(image, Image.Image)
    if isinstance(image, np.ndarray):
        image = _from_array(image, name)
    elif not callers:
        image = open_image(image, name)
    if 0 in image.size:
        raise ImageError(f"{name} is 0 pixels wide or high: choose one with a character")
    if image.width * image.height > MAX_PIXELS:
        raise ImageError(f"{name} is {image.width}x{image.height} pixels large, more than "
                         f"{MAX_PIXELS // 1_000_000} megapixels: reduce it")
    longest = max(image.size)
    try:
        with files.quiet(), warnings.catch_warnings():   # warnings from libtiff and Pillow
            warnings.simplefilter("ignore")
            if not callers:   # a caller's image would change size
                image.draft(None, [side // _times(image, enough) for side in image.size])
            image.load()
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
            image = _opaque(ImageOps.exif_transpose(image) if turned else image)   # it would copy an upright image too
            image = image.reduce(times) if (times := _times(image, enough)) > 1 else image
            return image, longest / max(image.size)
    except MemoryError as error:
        raise ImageError(f"{name} is too large for the memory that is left: reduce it") from error
    except Exception as error:  # Pillow's decoders raise many kinds of errors for damaged files
        raise damaged(name, error) from error


def damaged(name: str, error: Exception) -> ImageError:
    """The error to raise for a file that a decoder has failed on."""
    return ImageError(f"{name} is damaged ({error}): copy or save it again")


def _times(image: Image.Image, enough: int) -> int:
    """How many times an image can be reduced and still have enough pixels."""
    return max(1, math.isqrt(image.width * image.height // enough))


def _from_array(array: np.ndarray, name: str) -> Image.Image:
    if array.dtype != np.uint8 or not (array.ndim == 2 or array.ndim == 3 and array.shape[2] in (3, 4)):
        raise ImageError(f"{name} is an array {array.dtype} {array.shape}: give uint8 (height, width), "
                         "(height, width, 3) or (height, width, 4)")
    return Image.fromarray(array)


def read_file(file: str | Path | io.BytesIO, name: str) -> io.BytesIO:
    """The content of a file; raises ImageError when it cannot be read or is empty."""
    try:
        data = file if isinstance(file, io.BytesIO) else io.BytesIO(files.read_bytes(Path(file), MAX_BYTES + 1))
    except (OSError, ValueError) as error:   # ValueError: a name with a null byte
        raise ImageError(f"{name} cannot be read ({getattr(error, 'strerror', None) or error}): check the name"
                         ) from error
    if data.getbuffer().nbytes > MAX_BYTES:
        raise ImageError(f"{name} holds more than {MAX_BYTES >> 20} MB: save it as PNG or JPEG")
    if not data.getbuffer().nbytes:
        raise ImageError(f"{name} is empty: save it again")
    return data


def open_image(file: str | Path | io.BytesIO, name: str) -> Image.Image:
    """Open a picture without decoding it: only its header is parsed."""
    data = read_file(file, name)
    formats = FORMATS + _heic(bytes(data.getbuffer()[4:12]), name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")   # Pillow's warnings; decode has its own pixel limit
            return Image.open(data, formats=formats)
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} declares more than {MAX_PIXELS // 1_000_000} megapixels: reduce it") from error
    except Exception as error:  # Pillow's decoders raise many kinds of errors for damaged files
        raise ImageError(f"{name} is not a picture that can be read: save it as PNG or JPEG") from error


def _heic(kind: bytes, name: str) -> tuple[str, ...]:
    """Pillow's name for HEIC, in which phones save photos, if a file begins as one; an optional package decodes it."""
    if kind not in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        return ()
    try:
        import pillow_heif
    except ImportError:
        raise ImageError(f"{name} is a HEIC picture: pip install pillow-heif, or save it as JPEG") from None
    pillow_heif.register_heif_opener()
    return ("HEIF",)


def _opaque(image: Image.Image) -> Image.Image:
    """Any mode -> L or RGB, on white where it is transparent, or on black if the drawing is bright."""
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_to_8_bits(np.asarray(image)))
    if not image.has_transparency_data:
        return image if image.mode in ("L", "RGB") else image.convert("RGB")
    image = image.convert("RGBA")
    gray, drawn = np.asarray(image.convert("L")), np.asarray(image.getchannel("A")) > 127
    bright = drawn.any() and not drawn.all() and gray[drawn].mean() > BRIGHT
    ground = Image.new("RGB", image.size, "black" if bright else "white")
    return Image.composite(image.convert("RGB"), ground, image.getchannel("A"))


def _to_8_bits(values: np.ndarray) -> np.ndarray:
    """Wider integers, or floats, as uint8; white is the first of WHITES, or else the peak, that fits."""
    values = np.nan_to_num(values)
    peak = float(values.max())
    white = next((level for level in WHITES if peak <= level), peak)
    return np.clip(values * (255 / white), 0, 255).astype(np.uint8)


def find_ink(gray: np.ndarray, ground: int | None = None) -> np.ndarray | None:
    """The ink in a picture, uint8 (height, width), bright on dark with soft edges; None if there is none.

    The picture is divided by the paper's brightness, `ground` or a local estimate, so that shadows and uneven light
    vanish.  Otsu's threshold (1979), taken near the ink, becomes the middle of the brightness scale.
    """
    if ground is None:
        bright_paper, paper = _paper(gray)
    else:
        bright_paper, paper = ground > 127, max(ground, 255 - ground)
    density = np.subtract(paper, gray if bright_paper else 255 - gray, dtype=np.float32)
    if bright_paper:  # reflectance of paper and ink multiplies the light; in a negative it does not
        density *= 255 / np.maximum(paper, 1, dtype=np.float32)
    usual, noise = _level(density) if ground is None else (0.0, 0.0)
    if noise > MIN_CONTRAST / NOISE_FACTOR and max(gray.shape) > 2 * PAPER_SIDE:  # blur would harm strokes of a few px
        density = cv2.GaussianBlur(density, (0, 0), 1)
        usual, noise = _level(density)
    density -= usual
    sure = density >= max(MIN_CONTRAST, NOISE_FACTOR * noise)
    if not sure.any():
        return None
    near = cv2.dilate(sure.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
    density *= 128 / _otsu(np.clip(density[near], 0, 255).astype(np.uint8))
    return _without_specks(np.clip(density, 0, 255, out=density).astype(np.uint8), sure)


def _paper(gray: np.ndarray) -> tuple[bool, np.ndarray]:
    """Whether the paper is brighter than the ink, and its brightness at each pixel: uint8 (height, width).

    On dark paper this is the brightness in the negative.
    """
    height, width = gray.shape
    small = glyph.resize(gray, min(1.0, PAPER_SIDE / max(gray.shape)))
    # The border is paper more often than the middle is: extending it outward gives it weight.
    pad = max(small.shape) // 2
    wide = cv2.copyMakeBorder(small, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    # Ink covers less than half of its surroundings and is far from their median; uneven light is near it.
    change = wide.astype(np.float32) - cv2.medianBlur(wide, 2 * (pad // 2) + 1)
    bright = float((change * np.abs(change)).sum()) <= 0
    # Closing fills whatever is dark and narrower than the kernel: strokes.
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * (pad // 3) + 1,) * 2)
    wide = cv2.morphologyEx(cv2.medianBlur(wide if bright else 255 - wide, 3), cv2.MORPH_CLOSE, kernel)
    paper = cv2.GaussianBlur(wide, (0, 0), 2)[pad:pad + small.shape[0], pad:pad + small.shape[1]]
    return bright, cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR)


def _level(density: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of the paper's density, from the lighter pixels.

    The 5th and the 30th percentile are paper even where ink fills half of the picture.  In a normal distribution they
    lie 1.12 standard deviations apart, and the 30th lies 0.52 below the mean.
    """
    low, middle = np.percentile(density[::2, ::2], (5, 30))
    noise = float(middle - low) / 1.12
    return float(middle) + 0.52 * noise, noise


def _otsu(values: np.ndarray) -> float:
    """The value half-way between the means of the two classes into which Otsu's threshold divides uint8 values (n,)."""
    threshold = cv2.threshold(values, 0, 255, cv2.THRESH_OTSU)[0]
    high = values > threshold
    return max(1.0, (float(values[high].mean()) + float(values[~high].mean())) / 2) if high.any() else 128.0


def _without_specks(ink: np.ndarray, sure: np.ndarray) -> np.ndarray | None:
    """The ink without parts that are much smaller than a dot of its pen, or mostly unsure; None if nothing is left."""
    box = glyph.ink_box(ink)
    if box is None:
        return None
    x, y, width, height = box
    there = np.s_[max(0, y - 1):y + height + 1, max(0, x - 1):x + width + 1]   # the rest, often most, is paper
    found, ink = np.zeros_like(ink), ink[there]
    mask = (ink >= glyph.INK).view(np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask)
    area = stats[:, cv2.CC_STAT_AREA].astype(float)
    area[np.bincount(parts[sure[there]], minlength=count) < area / 4] = 0
    area[0] = 0
    largest = int(area.argmax())
    left, top, width, height, _ = stats[largest]
    if not largest or max(width, height) < MIN_SIDE:
        return None
    its = np.s_[top:top + height, left:left + width]
    pen = glyph.stroke_width(np.where(parts[its] == largest, ink[its], 0).astype(np.uint8))
    kept = area >= max(0.3 * pen ** 2, min(0.005 * area[largest], 0.6 * pen ** 2), 1)
    mine = mask > 0 if kept[1:].all() else kept[parts]
    found[there] = text_lines.with_edges(ink, mine, mask == 0)
    return found
