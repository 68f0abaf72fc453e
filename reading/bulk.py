"""Many pictures, read in several processes, and a file of readings that goes on after a break."""
import json
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from common import errors, interrupt, settings

AHEAD = 8   # pictures that wait for each process or for their turn: memory does not grow with the number of pictures


def read_all(read: Callable[[str], dict], names: Iterable[str], workers: int, ordered: bool = True) -> Iterator[dict]:
    """What `read` returns of each name: in the order of the names, or else as soon as it is there.

    read: picklable.  It runs in `workers` processes with one thread each, in this process with one worker.
    Raises errors.UserError when a process dies, for example for want of memory.
    """
    if workers == 1:
        yield from map(read, names)
        return
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin, (read,))
    try:
        yield from _window(pool, iter(names), workers * AHEAD, ordered)
    except BrokenProcessPool:
        raise errors.UserError("a process that reads has died, perhaps for want of memory: start again with fewer "
                               "--workers=") from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _window(pool: ProcessPoolExecutor, names: Iterator[str], size: int, ordered: bool) -> Iterator[dict]:
    """Results of at most `size` pictures that are on their way at once."""
    running: deque[Future] = deque()
    while True:
        while len(running) < size and (name := next(names, None)) is not None:
            running.append(pool.submit(_read, name))
        if not running:
            return
        if ordered:
            yield running.popleft().result()
            continue
        done, left = wait(running, return_when=FIRST_COMPLETED)
        running = deque(left)
        yield from (future.result() for future in done)


def _begin(read: Callable[[str], dict]) -> None:
    """Get a process of the pool ready: one thread, Ctrl-C is its parent's business, and it ends with its parent."""
    import cv2
    interrupt.end_with_parent()
    settings.open_streams()
    cv2.setNumThreads(1)
    _read.function = read


def _read(name: str) -> dict:
    """What the function that `_begin` was given makes of a name."""
    return _read.function(name)


class Output:
    """A file of JSON lines with a reading each.  One that is there already goes on: its readings are not made again."""

    def __init__(self, path: str | Path):
        """Open the file; a last line that a break left unfinished is cut off.

        Raises errors.UserError when it holds something else, or cannot be written to.
        """
        self.path, self.done = Path(path), set()
        try:
            self._file = open(path, "a+b")   # noqa: SIM115  stays open
            self._read()
        except OSError as error:
            raise errors.UserError(f"{path} cannot be written to ({error.strerror}): name another with "
                                   "--output=") from None

    def _read(self) -> None:
        self._file.seek(0)
        end = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            try:
                self.done.add(json.loads(line)["file"])
            except (ValueError, KeyError, TypeError):
                raise errors.UserError(f"{self.path} holds something else than readings: name another file with "
                                       "--output=") from None
            end += len(line)
        self._file.truncate(end)

    def write(self, fields: dict) -> None:
        """Add a reading; it is in the file when this returns."""
        self._file.write(json.dumps(fields).encode() + b"\n")
        self._file.flush()
