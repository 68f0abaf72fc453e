"""Other ways to read text, for comparison: functions that take a picture and return its text.

    read = other_readers.READERS["tesseract"](reader, "french")
    read(image)     image: uint8 (height, width), dark on white

- classic: Otsu's threshold, contours and the mean gap, with this project's network for characters.
- tesseract: the program of that name, which has to be installed, with its language data.
- ppocr: PP-OCRv4 from the package rapidocr-onnxruntime.
"""
import importlib.metadata
import shutil
import subprocess
from collections.abc import Callable

import cv2
import numpy as np

from common import alphabets, glyph, settings
from reading import recognizer
from reading.character_reader import CharacterReader

TESSERACT = {"english": "eng", "french": "fra", "german": "deu", "spanish": "spa"}   # its language codes


def classic(reader: recognizer.Recognizer, language: str) -> Callable:
    """Outer contours from left to right are characters, and a gap wider than the line's mean gap is a space."""
    if not isinstance(reader.characters, CharacterReader):
        raise settings.SettingsError("--reader=classic needs a network for characters: name another with --unixTime=")

    def read(image: np.ndarray) -> str:
        _, binary = cv2.threshold(image, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
        contours, _ = cv2.findContours(binary, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        boxes = sorted(map(cv2.boundingRect, contours))
        glyphs = np.array([glyph.glyph(255 - image[y:y + height, x:x + width]) for x, y, width, height in boxes])
        gaps = [right[0] - left[0] - left[2] for left, right in zip(boxes, boxes[1:])]
        spaces = [" " if gap > np.mean(gaps) else "" for gap in gaps]
        found = [alphabets.CHARACTERS[label] for label in reader.characters.probabilities(glyphs).argmax(axis=1)]
        return "".join(part for pair in zip(["", *spaces], found) for part in pair)
    return read


def tesseract(reader: recognizer.Recognizer, language: str) -> Callable:
    """Tesseract, told that the picture is one block of text; raises SettingsError if it is not installed."""
    settings.one_of("language of Tesseract", language, TESSERACT)
    if not shutil.which("tesseract"):
        raise settings.SettingsError("--reader=tesseract needs the program tesseract: install tesseract-ocr")
    command = ["tesseract", "stdin", "stdout", "--psm", "6", "-l", TESSERACT[language]]

    def read(image: np.ndarray) -> str:
        done = subprocess.run(command, input=cv2.imencode(".png", image)[1].tobytes(), capture_output=True)
        if done.returncode:
            raise settings.SettingsError(f"tesseract fails: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode("utf-8", "replace")
    return read


def ppocr(reader: recognizer.Recognizer, language: str) -> Callable:
    """PP-OCRv4, which finds lines and reads them; raises SettingsError if it is not installed."""
    try:
        from rapidocr_onnxruntime import RapidOCR
    except ImportError:
        raise settings.SettingsError("--reader=ppocr needs a package: install rapidocr-onnxruntime 1.4") from None
    engine = RapidOCR()
    return lambda image: " ".join(text for _, text, _ in engine(image)[0] or ())


READERS = {each.__name__: each for each in (classic, tesseract, ppocr)}


def about(name: str) -> str:
    """The name of a reader, with its version."""
    if name == "tesseract":
        return subprocess.run(["tesseract", "--version"], capture_output=True, text=True).stdout.split("\n")[0]
    if name == "ppocr":
        return f"PP-OCRv4 by rapidocr-onnxruntime {importlib.metadata.version('rapidocr-onnxruntime')}"
    return "the classic method"
