"""Writing files so that an end at any moment leaves the old one or the new one; locks, pictures, hashes."""
import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def locked(path: Path, wait: bool = True) -> Iterator[None]:
    """Hold the lock file `path` against all other holders; the system releases it when the process ends.

    wait: for another holder to end; else BlockingIOError (on Windows OSError) is raised.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab") as file:
        if os.name == "nt":
            import msvcrt
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def set_aside(path: Path) -> Path:
    """Rename a damaged file, so that nothing overwrites it; returns its new path."""
    aside = path.with_name(f"damaged-{secrets.token_hex(4)}-{path.name}")
    return path.rename(aside)


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """write(temporary path), then rename: an end at any moment leaves the old file or the new one.

    The temporary name is unique, since several processes and threads may write one file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"partial-{secrets.token_hex(8)}-{path.name}")
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
