"""Writing files so that a crash at any moment leaves the old file or the new one; locks, pictures, hashes."""
import contextlib
import errno
import hashlib
import json
import math
import os
import secrets
import select
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from common import errors

CHUNK = 1 << 20   # bytes read at a time
SILENCE = 10.0    # seconds without a byte before a pipe counts as dead


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def locked(path: Path, wait: bool = True) -> Iterator[None]:
    """Hold the lock file `path` against all other holders; the system releases it when the process ends.

    wait: whether to wait for another holder; if not, BlockingIOError is raised.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab") as file:
        if os.name == "nt":
            import msvcrt
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            except OSError as error:
                raise BlockingIOError(errno.EAGAIN, "another process holds this file", str(path)) from error
        else:
            import fcntl
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def set_aside(path: Path) -> Path:
    """Rename a damaged file, so that nothing overwrites it; returns its new path."""
    aside = path.with_name(f"damaged-{secrets.token_hex(4)}-{path.name}")
    return path.rename(aside)


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Call write(temporary path), then rename: a crash at any moment leaves the old file or the new one.

    The temporary name is unique, since several processes and threads may write the same file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"partial-{secrets.token_hex(8)}-{path.name}")
    try:
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        if error.filename == str(temporary):   # a name that the caller does not know
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, content: dict) -> None:
    """Write a dict as a JSON file; NaN and infinities become null, since JSON has neither."""
    text = json.dumps(_finite(content), indent=1, allow_nan=False) + "\n"
    write_atomically(path, lambda temporary: temporary.write_text(text))


def _finite(content):
    if isinstance(content, dict):
        return {name: _finite(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def read_json(path: Path) -> dict:
    """The dict in a JSON file; raises errors.DataError when there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError(f"it holds a {type(content).__name__}, not names with values")
    except (OSError, ValueError, RecursionError) as error:
        raise errors.DataError(f"{path} cannot be read ({errors.reason(error)})") from error
    return content


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an .npz file; raises errors.DataError when it is missing or damaged."""
    try:
        with np.load(path) as kept:
            return {name: kept[name] for name in kept.files}
    except Exception as error:   # NumPy and zipfile raise many kinds of errors for damaged files
        raise errors.DataError(f"{path} is damaged ({errors.reason(error)})") from error


def read_bytes(path: Path, most: int) -> bytes:
    """At most `most` bytes of a file, pipe or device; raises OSError, also for a pipe that stays silent."""
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb",
              buffering=0) as file:
        parts = []
        while most > 0:
            if stat.S_ISFIFO(os.fstat(file.fileno()).st_mode) and not select.select([file], [], [], SILENCE)[0]:
                raise TimeoutError(errno.ETIMEDOUT, "nothing comes from this pipe", str(path))
            part = file.read(min(most, CHUNK))
            if not part:
                break
            parts.append(part)
            most -= len(part)
        return b"".join(parts)


def in_rows(tiles: list[np.ndarray], columns: int) -> np.ndarray:
    """Tiles of one size side by side, `columns` in a row; dark tiles fill up the last row."""
    missing = -len(tiles) % columns
    tiles = list(tiles) + [np.zeros_like(tiles[0])] * missing
    return np.vstack([np.hstack(tiles[start:start + columns]) for start in range(0, len(tiles), columns)])


def save_picture(picture: np.ndarray, path: Path) -> None:
    """Write RGB or gray uint8 as a PNG."""
    data = cv2.imencode(".png", picture[..., ::-1] if picture.ndim == 3 else picture)[1].tobytes()
    write_atomically(path, lambda temporary: temporary.write_bytes(data))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Discard what C libraries write to stderr while the context lasts."""
    try:
        before = os.dup(2)
    except OSError:   # there is no stderr
        yield
        return
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
