"""Writing files so that an end at any moment leaves the old one or the new one; pictures, hashes."""
import hashlib
import json
import os
from pathlib import Path

import cv2
import numpy as np


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, write) -> None:
    """write(temporary path), then rename: an end at any moment leaves the old file or the new one."""
    temporary = path.with_name(f"partial-{os.getpid()}-{path.name}")   # several processes may write one file
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, content: dict) -> None:
    """Write a dict as a JSON file."""
    write_atomically(path, lambda temporary: temporary.write_text(json.dumps(content, indent=1) + "\n"))


def in_rows(tiles: list[np.ndarray], columns: int) -> np.ndarray:
    """Tiles of one size side by side, `columns` in a row; the last row is filled up dark."""
    missing = -len(tiles) % columns
    tiles = list(tiles) + [np.zeros_like(tiles[0])] * missing
    return np.vstack([np.hstack(tiles[start:start + columns]) for start in range(0, len(tiles), columns)])


def save_picture(picture: np.ndarray, path: Path) -> None:
    """Write RGB or gray uint8 as a PNG."""
    pixels = picture[..., ::-1] if picture.ndim == 3 else picture
    write_atomically(path, lambda temporary: cv2.imwrite(str(temporary), pixels))
