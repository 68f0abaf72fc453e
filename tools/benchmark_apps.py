"""Measures the drawing apps in real windows; part of tools/benchmark.py, which says how to run it.

    start      the time from the start of Python to the window and to a ready network, then to the text of a first word
    lift       the time from pen lift to the text of a line of 20 characters
    points     how many of the 3,000 points that a pen reports in 3 s arrive while the app reads again and again
    endurance  memory over an hour of use, compressed: 2,000 strokes, 300 readings, 50 clears, 20 changes of network
"""
import contextlib
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace
from unittest import mock

import numpy as np
import psutil

from apps.toolkit import tk
from common import runs
from tools import draw_samples, processes, ui_driver

STARTS, LIFTS = 3, 20
POINTS, POINTS_TAKE = 3000, 3.0    # and the seconds that they take
READ_EACH = 10                     # ms from one reading to the next
LINE = "Hello there what is this"  # 20 characters
ROUNDS, STROKES, READ_AFTER, SWITCHES = 50, 40, 6, 20   # an hour: clears, strokes before each, changes of network
TEXTS = ["the hand is there", "what 25 men said", "also read on the rest"]
SETTLED = 0.3                      # of the rounds: memory growth before that is buffers and caches

# The driver is imported late, because no user's app waits for it.
START = """
import sys, time
import textrecog_ui as script
from apps import memory
app = script.Live(memory.configure(vars(script), {"state_path": "none"}))
app.errors = []
while not app.root.winfo_viewable():
    app.root.update()
window = time.time() - float(sys.argv[1])
while app.session.loading:
    app.root.update()
    time.sleep(0.001)
ready = time.time() - float(sys.argv[1])
from tools import ui_driver
began = time.time()
driver = ui_driver.Driver(app)
driver.write("then", 60, 160)
driver.read()
print(window, ready, time.time() - began)
app.close()
"""


def start(config: SimpleNamespace) -> Iterator[tuple]:
    """Median seconds from the start of Python to the window and to a ready network, then to the text of a word."""
    times = []
    with ui_driver.display():
        for _ in range(STARTS):
            done = processes.run([sys.executable, "-c", START, str(time.time())])
            times.append([float(number) for number in done.output.split()])
    window, ready, text = np.median(times, axis=0).tolist()
    yield "window on the screen", window, "s", "at most 0.5"
    yield "network ready", ready, "s", "at most 1.5"
    yield "from the first stroke to the text of a word", text, "s", "at most 0.5"


@contextlib.contextmanager
def opened() -> Iterator[ui_driver.Driver]:
    """A Driver on textrecog_ui once its network is loaded."""
    with ui_driver.display(), ui_driver.opened("textrecog_ui") as driver:
        driver.ready()
        yield driver


def lift(config: SimpleNamespace) -> Iterator[tuple]:
    """Milliseconds from pen lift to the text of a line of 20 characters."""
    times = []
    with opened() as driver:
        app = driver.app
        driver.write(LINE, 40, 120, 55)
        last = app.pad.drawing.strokes[-1].points
        for _ in range(LIFTS):
            driver.read()
            app.pad.undo()
            driver.read()
            driver.rest(0.1)
            driver.stroke(last)
            began = time.perf_counter()
            driver.read()
            times.append(1000 * (time.perf_counter() - began))
    yield "pen lift to text, 20 characters", statistics.median(times), "ms", "at most 30"
    yield "... the longest", max(times), "ms", ""


def points(config: SimpleNamespace) -> Iterator[tuple]:
    """How many points of a fast pen arrive while the window reads; needs xdotool and a display that nobody uses."""
    turn = np.linspace(0, 30 * np.pi, POINTS)
    path = np.stack([500 + 300 * np.cos(turn), 260 + 90 * np.sin(1.1 * turn)], axis=1).round().astype(int)
    path = path[np.concatenate([[True], (np.diff(path, axis=0) != 0).any(axis=1)])]
    with ui_driver.display(always=True) as name, opened() as driver:
        app = driver.app
        driver.write(LINE, 40, 120, 55)
        driver.read()
        place = app.pad.winfo_rootx(), app.pad.winfo_rooty()
        moves = [["mousemove", str(x), str(y), "sleep", f"{POINTS_TAKE / len(path):.6f}"]
                 for x, y in (path + place).tolist()]
        commands = [*moves[0], "mousedown", "1", *itertools.chain(*moves[1:]), "mouseup", "1"]

        def read_again() -> None:
            app.read()
            app.root.after(READ_EACH, read_again)

        usual, times = tk.CallWrapper.__call__, []   # each event handler and timer is timed

        def call(self, *arguments):
            began = time.thread_time()
            try:
                return usual(self, *arguments)
            finally:
                times.append(time.thread_time() - began)

        read_again()
        with mock.patch.object(tk.CallWrapper, "__call__", call):
            tool = subprocess.Popen(["xdotool", *commands], env=os.environ | {"DISPLAY": name})
            driver.wait(lambda: tool.poll() is not None, "the pen's end", 60)
            driver.rest(0.2)
        kept = len(app.pad.drawing.strokes[-1].points)
    yield "points of a fast pen that arrive", 100 * kept / len(path), "%", "100"
    yield "... the longest event handler, of processor time", 1000 * max(times), "ms", "at most 16"


def endurance(config: SimpleNamespace) -> Iterator[tuple]:
    """Memory over an hour of use, compressed."""
    done = use(ROUNDS, SWITCHES)
    yield "strokes", done.strokes, "", ""
    yield "memory of window and reading process", done.settled, "MB", "at most 450"
    yield "... and how much more at the end", done.grown, "MB", "at most 100"


def use(rounds: int, switches: int) -> SimpleNamespace:
    """Fill and clear the pad again and again, and change the network now and then.

    Returns the numbers of strokes, readings and switches, the memory in MB of the window and the reading process once
    it has settled, and how much it has grown by the end.
    """
    done = SimpleNamespace(strokes=0, readings=0, switches=0)
    with opened() as driver:
        session = driver.app.session
        networks = runs.list_runs(session.models_path)
        for number in range(1, rounds + 1):
            for place, points in enumerate(draw_samples.strokes_of(TEXTS, 50, number)[:STROKES], 1):
                driver.stroke(points[::ui_driver.SPACING] + (40, 100))
                done.strokes += 1
                if place % READ_AFTER == 0:
                    driver.read()
                    done.readings += 1
            if number * switches // rounds > done.switches:
                done.switches += 1
                session.load(networks[done.switches % len(networks)])
                driver.ready()
            driver.app.pad.clear()
            if number == round(SETTLED * rounds):
                done.settled = memory(session.worker.process.pid)
        done.grown = memory(session.worker.process.pid) - done.settled
    return done


def memory(reader: int) -> float:
    """Resident memory in MB of this process and the reading process."""
    return sum(psutil.Process(pid).memory_info().rss for pid in (os.getpid(), reader)) / 1e6


PARTS = {"start": start, "lift": lift, "points": points, "endurance": endurance}
