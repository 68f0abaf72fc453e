"""Reads handwriting: pictures in, text out.

    python recogScript.py a.png                      the character in a picture
    python recogScript.py --json photos/ b.jpg       a folder's pictures and one more, a JSON object a line
    cat a.png | python recogScript.py -              from standard input
    python recogScript.py --model=1700000000 a.png   with another network; see Models/

Each picture holds one character, 0-9 A-Z a-z, dark on light or light on dark,
scanned, drawn or photographed; crop a photo to the paper.  In other programs:

    reader = recogScript.Recognizer()
    reader.recog_character("a.png").text
"""
import functools
import io
import math
import os
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from json import dumps
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

import dataset
import glyph
import runs
import settings

# ---- settings: change them here or on the command line, as --name=value
model = ""                 # unixTime of the network that reads; without one, the shipped network
models_path = "Models"     # where networks are kept
prior = "drawings"         # class mix to expect: drawings, as people write; forms, as NIST's forms were filled
characters = True          # each picture holds one character
json = False               # print a JSON object for each picture
# ---- end of settings

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
MAX_PIXELS = 100_000_000   # of a picture's declared size: more would take gigabytes to decode
WORKING_SIDE = 1000        # px: longer sides are reduced to this before the ink is looked for
PAPER_SIDE = 96            # px: the paper's brightness is estimated in a picture reduced to this
MIN_CONTRAST = 24          # of 255: ink is at least so much darker than its paper
NOISE_FACTOR = 6           # ... and by so many standard deviations of the paper's noise
MIN_SIDE = 4               # px: ink that is not even so long and so high is a speck
ALTERNATIVES = 5
GLYPHS_AT_ONCE = 512       # in one call of the network

Source = str | Path | io.BytesIO | Image.Image | np.ndarray


class ImageError(ValueError):
    """A picture that cannot be read; the message names it and the remedy."""


# ---- picture -> ink

@dataclass(frozen=True)
class Picture:
    """The ink of a picture, and the way back to the picture's pixels."""
    ink: np.ndarray     # uint8 (height, width), bright on dark
    scale: float        # px of the picture in a px of the ink

    @property
    def box(self) -> list[int]:
        """The ink's bounding box [x, y, width, height] in px of the upright picture."""
        x, y, width, height = glyph.ink_box(self.ink)
        left, top = math.floor(x * self.scale), math.floor(y * self.scale)
        return [left, top, math.ceil((x + width) * self.scale) - left, math.ceil((y + height) * self.scale) - top]


def ink_of(image: Source) -> np.ndarray:
    """The ink of a picture: uint8 (height, width), bright on dark, at most WORKING_SIDE px.

    image: a file's path, a PIL image, or a uint8 array (h, w), (h, w, 3) RGB or (h, w, 4) RGBA.
    Raises ImageError, a ValueError, when it cannot be read or holds no ink.
    """
    return read_picture(image).ink


def read_picture(image: Source, name: str = "") -> Picture:
    """Decode a picture and find its ink.  name: what messages call it."""
    name = name or (str(image) if isinstance(image, (str, Path)) else "the picture")
    gray = decode(image, name)
    scale = max(1.0, max(gray.shape) / WORKING_SIDE)
    if scale > 1:
        size = tuple(max(1, round(side / scale)) for side in gray.shape[::-1])
        gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    ink = find_ink(gray)
    if ink is None:
        raise ImageError(f"no ink in {name}: take a picture in which the character is clearly darker or "
                         "lighter than its paper")
    return Picture(ink, scale)


def decode(image: Source, name: str) -> np.ndarray:
    """The picture's brightness as uint8 (height, width), upright by its EXIF tag, transparent parts white."""
    if isinstance(image, np.ndarray):
        image = _from_array(image, name)
    elif not isinstance(image, Image.Image):
        image = _open(image, name)
    if 0 in image.size:
        raise ImageError(f"{name} is 0 pixels wide or high: choose one with a character")
    if image.width * image.height > MAX_PIXELS:
        raise ImageError(f"{name} is {image.width}x{image.height} pixels large, more than "
                         f"{MAX_PIXELS // 1_000_000} megapixels: reduce it")
    try:
        return np.asarray(_gray(ImageOps.exif_transpose(image)))
    except Exception as error:  # Pillow's decoders raise many kinds for damaged files
        raise ImageError(f"{name} is damaged ({error}): copy or save it again") from error


def _from_array(array: np.ndarray, name: str) -> Image.Image:
    if array.dtype != np.uint8 or not (array.ndim == 2 or array.ndim == 3 and array.shape[2] in (3, 4)):
        raise ImageError(f"{name} is an array {array.dtype} {array.shape}: give uint8 (height, width), "
                         "(height, width, 3) or (height, width, 4)")
    return Image.fromarray(array)


def _open(file: str | Path | io.BytesIO, name: str) -> Image.Image:
    """Open a picture without decoding it; only its header has been read."""
    try:
        data = file if isinstance(file, io.BytesIO) else io.BytesIO(Path(file).read_bytes())
    except OSError as error:
        raise ImageError(f"{name} cannot be read ({error.strerror}): check the name") from error
    if not data.getbuffer().nbytes:
        raise ImageError(f"{name} is empty: save it again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # decode() has a limit of its own
            return Image.open(data, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} declares more than {MAX_PIXELS // 1_000_000} megapixels: reduce it") from error
    except Exception as error:  # Pillow's decoders raise many kinds for damaged files
        raise ImageError(f"{name} is not a picture that can be read: save it as PNG or JPEG") from error


def _gray(image: Image.Image) -> Image.Image:
    """Any mode -> "L", over white paper where the picture is transparent."""
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_to_8_bits(np.asarray(image)))
    if not image.has_transparency_data:
        return image.convert("RGB").convert("L")
    image = image.convert("RGBA")
    return Image.composite(image.convert("L"), Image.new("L", image.size, 255), image.getchannel("A"))


def _to_8_bits(values: np.ndarray) -> np.ndarray:
    """Integers of more bits, or floats, as uint8; white is 1, 255, 65535 or the peak, whichever fits."""
    peak = float(values.max())
    white = next((level for level in (1, 255, 65535) if peak <= level), peak)
    return np.clip(values * (255 / white), 0, 255).astype(np.uint8)


def find_ink(gray: np.ndarray) -> np.ndarray | None:
    """The ink in a picture uint8 (height, width), bright on dark, its edges soft; None if there is none.

    The picture is divided by the paper's brightness, estimated at each place, so
    that shadows and uneven light vanish.  Otsu's threshold (1979), taken near the
    ink, becomes the middle of the brightness scale.
    """
    bright_paper, paper = _paper(gray)
    light = (gray if bright_paper else 255 - gray).astype(np.float32)
    density = paper - light
    if bright_paper:  # light is multiplied with the paper's and the ink's reflectance; a negative's is not
        density *= 255 / np.maximum(paper, 1)
    usual, noise = _level(density)
    if noise > MIN_CONTRAST / NOISE_FACTOR and max(gray.shape) > 2 * PAPER_SIDE:  # strokes of a few px would suffer
        density = cv2.GaussianBlur(density, (0, 0), 1)
        usual, noise = _level(density)
    density -= usual
    sure = density >= max(MIN_CONTRAST, NOISE_FACTOR * noise)
    if not sure.any():
        return None
    near = cv2.dilate(sure.view(np.uint8), np.ones((5, 5), np.uint8)) > 0
    ink = density * (128 / _otsu(np.clip(density[near], 0, 255).astype(np.uint8)))
    return _without_specks(np.clip(ink, 0, 255).astype(np.uint8), sure)


def _paper(gray: np.ndarray) -> tuple[bool, np.ndarray]:
    """Whether the paper is brighter than the ink, and its brightness at each pixel: float32 (height, width).

    Brightness counts upward from the ink: on dark paper it is that of the negative.
    """
    height, width = gray.shape
    scale = min(1.0, PAPER_SIDE / max(gray.shape))
    small = cv2.resize(gray, (max(1, round(width * scale)), max(1, round(height * scale))),
                       interpolation=cv2.INTER_AREA)
    # The border is paper more often than the middle: continuing it outward gives it weight.
    pad = max(small.shape) // 2
    wide = cv2.copyMakeBorder(small, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    # Ink is the smaller part of its surroundings, and far from their median; uneven light is near it.
    change = wide.astype(np.float32) - cv2.medianBlur(wide, 2 * (pad // 2) + 1)
    bright = float((change * np.abs(change)).sum()) <= 0
    # Closing fills whatever is dark and narrower than its kernel: strokes.
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * (pad // 3) + 1,) * 2)
    wide = cv2.morphologyEx(cv2.medianBlur(wide if bright else 255 - wide, 3), cv2.MORPH_CLOSE, kernel)
    paper = cv2.GaussianBlur(wide, (0, 0), 2)[pad:pad + small.shape[0], pad:pad + small.shape[1]]
    return bright, cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)


def _level(density: np.ndarray) -> tuple[float, float]:
    """Mean of the paper's density and its standard deviation, from the lighter part of all pixels.

    Fifth and thirtieth percentile are paper, not ink, even where the ink fills
    half of the picture; in a normal distribution they lie 1.12 standard
    deviations apart, and the thirtieth 0.52 below the mean.
    """
    low, middle = np.percentile(density[::2, ::2], (5, 30))
    noise = float(middle - low) / 1.12
    return float(middle) + 0.52 * noise, noise


def _otsu(values: np.ndarray) -> float:
    """Brightness half-way between the two classes that Otsu's threshold makes of uint8 values (n,)."""
    threshold = cv2.threshold(values, 0, 255, cv2.THRESH_OTSU)[0]
    high = values > threshold
    return max(1.0, (float(values[high].mean()) + float(values[~high].mean())) / 2) if high.any() else 128.0


def _without_specks(ink: np.ndarray, sure: np.ndarray) -> np.ndarray | None:
    """The ink without parts that are narrower than its pen or mostly unsure; None if nothing is left."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats((ink >= glyph.INK).view(np.uint8))
    area = stats[:, cv2.CC_STAT_AREA].astype(float)
    area[np.bincount(parts[sure], minlength=count) < area / 4] = 0
    area[0] = 0
    largest = int(area.argmax())
    if not largest or max(stats[largest, cv2.CC_STAT_WIDTH], stats[largest, cv2.CC_STAT_HEIGHT]) < MIN_SIDE:
        return None
    pen = glyph.stroke_width(np.where(parts == largest, ink, 0).astype(np.uint8))
    kept = area >= max(0.3 * pen ** 2, 0.005 * area[largest], 1)
    edge = cv2.dilate(kept[parts].view(np.uint8), np.ones((3, 3), np.uint8))
    return np.where((edge > 0) & ((parts == 0) | kept[parts]), ink, 0).astype(np.uint8)


# ---- ink -> text

@dataclass(frozen=True)
class Character:
    """A character that was read."""
    text: str
    confidence: float                       # probability of it, 0..1
    alternatives: list[tuple[str, float]]   # the likeliest characters with their probabilities, best first
    box: list[int]                          # [x, y, width, height] of its ink in px of the upright picture


class Recognizer:
    """Reads pictures with one trained network, which is loaded once, when it is first needed."""

    def __init__(self, unixTime: str | None = None, models_path: str | Path = "Models", prior: str = "drawings"):
        """unixTime: the run that reads; None takes the shipped one or, without that, the newest.

        A relative models_path is looked for in the current folder, then beside this script.
        prior: how often each character is expected.  A network's own logits expect NIST's
        forms, where half of all is digits and S is eight times as frequent as s: "forms".
        "drawings" expects the mix of the drawings that the run was trained on.
        Raises runs.RunError when there is no such run.
        """
        there = Path(models_path)
        self.models_path = str(there if there.is_dir() else Path(__file__).resolve().parent / there)
        self.unixTime = unixTime or runs.DEFAULT or self._newest()
        config = runs.read_config(self.models_path, self.unixTime)
        if prior not in ("drawings", "forms"):
            raise settings.SettingsError(f"there is no prior {prior!r}; there are: drawings, forms")
        self.shift = np.array(config.get("prior_of_drawings", 0.0) if prior == "drawings" else 0.0, np.float32)
        reads = config.get("reads")
        if reads != "characters":
            raise runs.RunError(f"the run {self.unixTime} reads {reads}, not characters: name another with --model=")

    def _newest(self) -> str:
        there = runs.list_runs(self.models_path)
        if not there:
            raise runs.RunError(f"{self.models_path} holds no trained network: train one with `python model.py`")
        return there[-1]

    @functools.cached_property
    def network(self):
        """The keras.Model: uint8 (batch, 28, 28) -> logits (batch, 62)."""
        with runs.quiet_import():
            return runs.load_network(self.models_path, self.unixTime)

    def load(self) -> None:
        """Load the network now, which takes seconds, rather than at the first picture.

        Raises runs.RunError when its file is damaged.
        """
        self.network  # noqa: B018  the property loads it

    def recog_character(self, image: Source) -> Character:
        """Read the one character in a picture: a path, PIL image or uint8 array, as for ink_of.

        Raises ImageError, a ValueError, when the picture cannot be read or holds no ink.
        """
        return self.recog_characters([image])[0]

    def recog_characters(self, images: list[Source]) -> list[Character]:
        """Read pictures of one character each, together in one batch."""
        return self.recog_pictures([read_picture(image) for image in images])

    def recog_pictures(self, pictures: list[Picture]) -> list[Character]:
        """Read pictures whose ink has been found, each as one character."""
        glyphs = np.array([glyph.glyph(picture.ink) for picture in pictures], np.uint8).reshape(-1, 28, 28)
        return [_character(picture, row) for picture, row in zip(pictures, self.probabilities(glyphs), strict=True)]

    def probabilities(self, glyphs: np.ndarray) -> np.ndarray:
        """Probabilities float32 (n, 62), in the order of dataset.CHARACTERS, of glyphs uint8 (n, 28, 28)."""
        network = self.network
        from keras import ops
        # A direct call: predict() spends more time on its preparations than on a few glyphs.
        parts = [ops.convert_to_numpy(ops.softmax(self.shift + network(glyphs[start:start + GLYPHS_AT_ONCE],
                                                                       training=False)))
                 for start in range(0, len(glyphs), GLYPHS_AT_ONCE)]
        return np.concatenate(parts) if parts else np.empty((0, len(dataset.CHARACTERS)), np.float32)


def _character(picture: Picture, probabilities: np.ndarray) -> Character:
    best = np.argsort(-probabilities)[:ALTERNATIVES]
    alternatives = [(dataset.CHARACTERS[label], round(float(probabilities[label]), 6)) for label in best]
    return Character(*alternatives[0], alternatives, picture.box)


# ---- command line

def main(arguments: list[str]) -> int:
    """Read all pictures that are named; returns the exit status: 2 if any could not be read."""
    given, names = settings.read(__file__, globals(), arguments, positional="IMAGE...")
    config = globals() | given
    if not names:
        raise settings.SettingsError("name a picture, a folder of pictures, or - for standard input")
    if not config["characters"]:
        raise settings.SettingsError("--characters=False is not possible yet: each picture is read as one character")
    pictures = [picture for name in names for picture in find_pictures(name)]
    reader = Recognizer(config["model"] or None, config["models_path"], config["prior"])
    status = 0
    for name in tqdm(pictures, "reading", disable=len(pictures) <= 10 or not sys.stderr.isatty()):
        try:
            line = read_one(reader, name)
        except ImageError as error:
            tqdm.write(f"{Path(__file__).name}: {error}", file=sys.stderr)
            status = 2
            continue
        text = dumps(line) if config["json"] else line["text"] if len(pictures) == 1 else f"{name}: {line['text']}"
        tqdm.write(text)
        sys.stdout.flush()
    return status


def find_pictures(name: str) -> Iterator[str]:
    """The pictures that a name on the command line stands for: those in a folder, sorted, or itself."""
    if not os.path.isdir(name):
        yield name
        return
    endings = {ending for ending, kind in Image.registered_extensions().items() if kind in FORMATS}
    found = sorted(str(path) for path in Path(name).iterdir()
                   if path.suffix.lower() in endings and not path.name.startswith("."))
    if not found:
        raise settings.SettingsError(f"the folder {name} holds no pictures: name another")
    yield from found


def read_one(reader: Recognizer, name: str) -> dict:
    """Read one picture of the command line; returns the fields of --json."""
    source = io.BytesIO(sys.stdin.buffer.read()) if name == "-" else name
    picture, seconds = _timed(read_picture, source, "standard input" if name == "-" else name)
    reader.load()  # here: a bad picture has been noticed by now, and loading does not count as reading
    (character,), more = _timed(reader.recog_pictures, [picture])
    return {"file": name} | asdict(character) | {"seconds": round(seconds + more, 4)}


def _timed(function, *arguments) -> tuple:
    start = time.perf_counter()
    return function(*arguments), time.perf_counter() - start


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may hold what the terminal cannot show
    try:
        raise SystemExit(main(sys.argv[1:]))
    except (settings.SettingsError, runs.RunError) as error:
        settings.fail(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:  # whoever read our output, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None
