"""Many pictures, read in several processes, and a file of readings that can be continued after an interruption."""
import json
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from common import errors, interrupt, settings

BEGINNING = b'{"version": '   # of a reading
AHEAD = 8   # pictures per process under way or waiting, so that memory does not grow with the number of pictures


def read_all(read: Callable[[str], dict], names: Iterable[str], workers: int, ordered: bool = True) -> Iterator[dict]:
    """What `read` returns for each name: in the order of the names if `ordered`, otherwise as soon as it is done.

    read: picklable.  It runs in `workers` processes with one thread each; with one worker, in this process.
    Raises errors.UserError when a process dies, for example for lack of memory.
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
    """The results, with at most `size` pictures under way at once."""
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
    """Prepare a process of the pool: it has one thread, leaves Ctrl-C to its parent, and ends with its parent."""
    import cv2
    interrupt.end_with_parent()
    settings.open_streams()
    cv2.setNumThreads(1)
    _read.function = read


def _read(name: str) -> dict:
    """Apply the function given to `_begin` to a name."""
    return _read.function(name)


class Output:
    """A file of JSON lines, one reading each.  An existing file is continued: its readings are not made again."""

    def __init__(self, path: str | Path):
        """Open the file; a last line that an interruption left unfinished is cut off.

        Raises errors.UserError when the file holds something else or cannot be written to.
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
            if not line.endswith(b"\n") and (end or line.startswith(BEGINNING[:len(line)])):
                break
            try:
                self.done.add(json.loads(line)["file"])
            except (ValueError, KeyError, TypeError):
                raise errors.UserError(f"{self.path} holds something other than readings: name another file with "
                                       "--output=") from None
            end += len(line)
        self._file.truncate(end)

    def write(self, fields: dict) -> None:
        """Add a reading; it is in the file when this returns."""
        self._file.write(json.dumps(fields).encode() + b"\n")
        self._file.flush()
