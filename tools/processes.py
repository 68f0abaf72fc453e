"""Runs programs, whose time and memory are measured with all processes that they start, and functions on their own."""
import contextlib
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NamedTuple

import psutil

from common import errors, runs


class Measured(NamedTuple):
    """A program that has ended: its stdout, the seconds that it took, and its memory in MB at each look."""
    output: str
    seconds: float
    memory: list[float]


def memory(process: psutil.Process) -> float:
    """Current resident memory in MB of a process and all programs that it has started.

    A fork that has not started its program yet does not count: its memory is its parent's.
    """
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        total += process.memory_info().rss
        for child in process.children(recursive=True):
            total += child.memory_info().rss if child.cmdline() != process.cmdline() else 0
    return total / 1e6


def run(command: list[str], look: Callable[[float, str], object] = lambda seconds, notes: None) -> Measured:
    """Run a program in the project's folder, and look at it a hundred times a second.

    look: gets the seconds since the start and all of stderr so far.
    Raises UserError with the last line of stderr when the program fails.
    """
    usage, began = [], time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        output, notes = Path(folder, "output"), Path(folder, "notes")
        with output.open("wb") as stdout, notes.open("wb") as stderr:
            process = psutil.Popen(command, cwd=runs.ROOT, stdout=stdout, stderr=stderr)
        try:
            while process.poll() is None:
                usage.append(memory(process))
                look(time.perf_counter() - began, notes.read_text(errors="replace"))
                time.sleep(0.01)
        finally:
            if process.poll() is None:   # after Ctrl-C
                for one in [*process.children(recursive=True), process]:
                    one.kill()
        seconds = time.perf_counter() - began
        if process.wait():
            last = (notes.read_text(errors="replace").splitlines() or [""])[-1]
            raise errors.UserError(f"{' '.join(command)[:200]} failed: {last}")
        return Measured(output.read_text(errors="replace"), seconds, usage)


def alone(function: Callable, *arguments):
    """Call a function in a new process, which shares no memory, threads or display; returns or raises what it does.

    Raises UserError when the process dies.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except BrokenProcessPool:
            raise errors.UserError(f"{function.__name__} was ended from outside, perhaps for want of memory") from None
