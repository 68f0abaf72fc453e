"""Does work in a separate process, so that no window ever waits.

Finding ink, running a network and searching for words hold Python's lock: in the window's process, they would
make the pen stutter.  The window asks, goes on, and gets the answer when it polls:

    worker = Worker(print)
    worker.ask("load", jobs.load, "1700000000", "Models", then=loaded)   # loaded(result, error)
    worker.poll()

Of several waiting jobs of one kind, only the newest is done.
"""
import contextlib
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable
from typing import NamedTuple

from common import errors, interrupt

SPAWN = multiprocessing.get_context("spawn")   # a forked process would share the window's connection to the display
# s that such a job may take: a network may have to be converted first
LIMITS = dict.fromkeys(("load", "compare", "measure"), 300.0)
LIMIT = 30.0               # ... of other kinds


class Job(NamedTuple):
    """What the process is asked to do."""
    kind: str
    work: Callable                       # a function of a module: the process finds it by its name
    arguments: tuple
    then: Callable[[object, str], None]  # gets what work returns, or None and one sentence that says why not
    again: bool = False                  # whether a process has already ended over it


class Worker:
    """The window's end: starts the process, replaces it if it dies or does not answer, and ends it.

    The process gets the next job only after answering the previous one, so it takes what is sent at once.
    """

    def __init__(self, on_end: Callable[[str], None]):
        """on_end(reason) is called when the process had to be replaced."""
        self._on_end = on_end
        self._waiting: dict[str, Job] = {}   # by kind
        self._job: Job | None = None         # what the process is working on
        self.process = None                  # None until there is something to do

    def start(self) -> None:
        """Start the process before there is anything to do."""
        self._pipe, end = SPAWN.Pipe()
        self.process = SPAWN.Process(target=serve, args=(end,), daemon=True)
        usual = signal.signal(signal.SIGINT, signal.SIG_IGN)   # inherited: Ctrl-C is the window's business
        try:
            self.process.start()
        finally:
            signal.signal(signal.SIGINT, usual)
        end.close()   # otherwise the pipe would outlive the process

    @property
    def busy(self) -> bool:
        """Whether an answer is pending."""
        return self._job is not None

    def ask(self, kind: str, work: Callable, *arguments, then: Callable[[object, str], None]) -> None:
        """Ask without waiting; a job of the same kind that still waits is dropped."""
        self._waiting[kind] = Job(kind, work, arguments, then)
        self._hand_over()

    def forget(self, kind: str) -> None:
        """Drop a job of this kind that still waits."""
        self._waiting.pop(kind, None)

    def poll(self) -> None:
        """Pass on the answers that have come, and replace a process that has ended or is stuck."""
        while self.process:
            try:
                if not self._pipe.poll():
                    break
                answer = self._pipe.recv()
            except (OSError, EOFError):
                self._replace(f"has ended with status {self.close()}")
                break
            job, self._job = self._job, None
            self._hand_over()
            job.then(*answer)
        if self._job and time.monotonic() > self._until:
            self.close()
            self._replace("did not answer in time")

    def _replace(self, reason: str) -> None:
        """Have another process repeat, once, the job that the old one was doing."""
        job, self._job = self._job, None
        reason = f"The reading process {reason}"
        if job and job.again:
            job.then(None, f"{reason} twice: change the drawing, or close other programs if memory is short")
            return self._hand_over()
        if job:
            self._waiting.setdefault(job.kind, job._replace(again=True))
        self._on_end(reason)
        self._hand_over()

    def _hand_over(self) -> None:
        if self._job is None and self._waiting:
            if not self.process:
                self.start()
            self._job = self._waiting.pop(next(iter(self._waiting)))
            self._until = time.monotonic() + LIMITS.get(self._job.kind, LIMIT)
            with contextlib.suppress(OSError):  # it has died; poll() notices that
                self._pipe.send((self._job.work, self._job.arguments))

    def close(self) -> int | None:
        """End the process at once, whatever it is doing; returns its exit status."""
        process, self.process = self.process, None
        if process is None:
            return None
        process.kill()
        process.join()
        self._pipe.close()
        return process.exitcode


# ---- the process

def serve(pipe) -> None:
    """Do jobs until the window is gone, or anything is wrong with the pipe."""
    interrupt.end_with_parent()
    if hasattr(os, "nice"):
        os.nice(5)    # the pen comes first when all cores are busy
    try:
        while True:
            pipe.send(_done(*pipe.recv()))
    finally:
        os._exit(1)   # so that nothing still running holds the process up


def _done(work: Callable, arguments: tuple) -> tuple[object, str]:
    """What a job returns and "", or None and what went wrong."""
    try:
        return work(*arguments), ""
    except (ValueError, MemoryError, OSError) as error:   # what the user can fix
        return None, errors.reason(error)
    except Exception:
        traceback.print_exc()
        return None, "This did not work; see the terminal for details"
