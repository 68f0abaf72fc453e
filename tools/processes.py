"""Runs a program and measures it: seconds, and memory with all processes that it starts."""
import contextlib
import re
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from common import errors, runs

PAUSE = 0.01   # s between two looks at a program


class Measured(NamedTuple):
    """A program that has ended."""
    output: str             # its stdout
    seconds: float          # from its start to its end
    seen: float | None      # from its start to the first match of a pattern in its stderr
    memory: list[float]     # MB resident at each look


def memory(process: psutil.Process) -> float:
    """Resident memory in MB of a process and all that it has started, now."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in [process, *process.children(recursive=True)]:
            total += one.memory_info().rss
    return total / 1e6


def run(command: list[str], pattern: str = "") -> Measured:
    """Run a program in the project's folder to its end.

    pattern: a regular expression that is looked for in stderr.
    Raises UserError with the last line of its stderr when the program fails.
    """
    usage, seen, began = [], None, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        output, notes = Path(folder, "output"), Path(folder, "notes")
        with output.open("wb") as stdout, notes.open("wb") as stderr:
            process = psutil.Popen(command, cwd=runs.ROOT, stdout=stdout, stderr=stderr)
        try:
            while process.poll() is None:
                usage.append(memory(process))
                if pattern and seen is None and re.search(pattern, notes.read_text(errors="replace")):
                    seen = time.perf_counter() - began
                time.sleep(PAUSE)
            seconds = time.perf_counter() - began
        finally:
            with contextlib.suppress(psutil.NoSuchProcess):   # it is still there where Ctrl-C was pressed
                for one in [*process.children(recursive=True), process]:
                    one.kill()
        if process.returncode:
            last = (notes.read_text(errors="replace").strip().splitlines() or ["it gave no reason"])[-1]
            raise errors.UserError(f"{' '.join(command)[:200]} failed: {last}")
        return Measured(output.read_text(errors="replace"), seconds, seen, usage)
