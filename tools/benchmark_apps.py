"""Measures the drawing apps, in real windows; a part of tools/benchmark.py, which see for how to run it."""
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from common import runs
from tools import draw_samples, ui_driver

WINDOW_BAR, READY_BAR = 1, 5       # s, from the start of Python
HANDLER_BAR, LIFT_BAR = 16, 150    # ms
MEMORY_BAR = 100                   # MB
STARTS, LIFTS = 3, 20
POINTS, SECONDS = 3000, 3          # of one stroke
LINE = "Hello there what is this"  # 20 characters
ROUNDS, STROKES, READ_AFTER, SWITCHES = 50, 40, 6, 20   # an hour: clears, strokes before each, changes of network
TEXTS = ["the hand is there", "what 25 men said", "also read on the rest"]
SETTLED = 0.3                      # of the rounds: what memory grows before is buffers and caches

START = """
import sys, time
import textrecog_ui as script
import settings
app = script.Live({name: getattr(script, name) for name in settings.meanings(script.__file__)})
while not app.root.winfo_viewable():
    app.root.update()
window = time.time()
while not app.model:
    app.root.update()
    time.sleep(0.005)
print(window - float(sys.argv[1]), time.time() - float(sys.argv[1]))
app.close()
"""


def start(config: dict) -> dict[str, float]:
    """Seconds from the start of Python to the window and to a network that reads: medians."""
    times = []
    with ui_driver.display():
        for _ in range(STARTS):
            done = subprocess.run([sys.executable, "-c", START, str(time.time())], stdout=subprocess.PIPE, text=True,
                                  check=True, cwd=Path(__file__).resolve().parents[1])
            times.append(list(map(float, done.stdout.split())))
    return dict(zip(("window", "ready"), np.median(times, axis=0).tolist()))


def pen(config: dict) -> dict[str, float]:
    """Draw one long stroke, a point each millisecond, while reading after reading runs."""
    with ui_driver.display(), timed_handlers() as handlers:
        app = ui_driver.start("textrecog_ui")
        hand = ui_driver.Hand(app)
        hand.ready()
        hand.write(LINE, 40, 120, 55)
        hand.read()
        handlers.clear()
        turn = np.linspace(0, 40 * np.pi, POINTS)
        points = np.stack([120 + 6 * turn + 40 * np.cos(turn), 350 + 90 * np.sin(turn)], axis=1).round().astype(int)
        readings = longest_turn = 0
        app.pad.event_generate("<ButtonPress-1>", x=points[0, 0], y=points[0, 1])
        began = time.perf_counter()
        for number, (x, y) in enumerate(points):
            while time.perf_counter() < began + SECONDS * number / POINTS:
                pass
            app.pad.event_generate("<B1-Motion>", x=x, y=y)
            turned = time.perf_counter()
            app.root.update()
            longest_turn = max(longest_turn, time.perf_counter() - turned)
            if not app.worker.busy:
                app.read()
                readings += 1
        took = time.perf_counter() - began
        app.pad.event_generate("<ButtonRelease-1>", x=x, y=y)
        kept = int((app.pad.drawing.strokes[-1].points[1:] == points).all(axis=1).sum())
        app.close()
    return {"points": kept, "seconds": took, "readings": readings, "handler": 1000 * max(handlers),
            "typical": 1000 * statistics.median(handlers), "turn": 1000 * longest_turn}


@contextlib.contextmanager
def timed_handlers():
    """A list to which the seconds of every handler are added that is made meanwhile."""
    import tkinter
    usual, seconds = tkinter.CallWrapper, []

    class Timed(usual):
        def __call__(self, *args):
            began = time.perf_counter()
            try:
                return super().__call__(*args)
            finally:
                seconds.append(time.perf_counter() - began)

    tkinter.CallWrapper = Timed
    try:
        yield seconds
    finally:
        tkinter.CallWrapper = usual


def lift(config: dict) -> dict[str, float]:
    """Milliseconds from the lift of the pen to the text of a line of 20 characters."""
    with ui_driver.display():
        app = ui_driver.start("textrecog_ui")
        hand, times = ui_driver.Hand(app), []
        hand.ready()
        hand.write(LINE, 40, 120, 55)
        last = app.pad.drawing.strokes[-1].points
        for _ in range(LIFTS):
            hand.read()
            app.undo()
            hand.read()
            hand.rest(0.1)
            hand.stroke(last)
            lifted = app.lifted
            hand.wait(lambda: app.answer.request.token == app.version, "the text")
            times.append(time.perf_counter() - lifted)
        text = app.field.text
        app.close()
    return {"median": 1000 * statistics.median(times), "worst": 1000 * max(times), "text": text}


def hour(config: dict) -> dict[str, float]:
    """An hour of use, compressed."""
    return use(ROUNDS, SWITCHES)


def use(rounds: int, changes: int) -> dict[str, float]:
    """Fill and clear the pad again and again, and change the network now and then.

    Returns what was done, the memory of window and reading process in MB when it had settled
    and how much more it was at the end, and the number of lines on stderr.
    """
    strokes = readings = switches = 0
    settled = 0.0
    with ui_driver.display(), tempfile.TemporaryFile() as notes:
        kept = os.dup(2)
        os.dup2(notes.fileno(), 2)
        try:
            app = ui_driver.start("textrecog_ui")
            hand = ui_driver.Hand(app)
            hand.ready()
            models = runs.list_runs(app.models_path)
            for done in range(1, rounds + 1):
                for number, points in enumerate(draw_samples.strokes_of(TEXTS, 50, done)[:STROKES], 1):
                    hand.stroke(points[::ui_driver.SPACING] + (40, 100))
                    strokes += 1
                    if number % READ_AFTER == 0:
                        hand.read()
                        readings += 1
                if done * changes // rounds > switches:
                    switches += 1
                    wanted = models[switches % len(models)]
                    app._load(wanted)
                    hand.wait(lambda wanted=wanted: app.model == wanted, "another network", 60)
                app.clear()
                if done == round(SETTLED * rounds):
                    settled = memory(app)
            grown = memory(app) - settled
            app.close()
        finally:
            os.dup2(kept, 2)
        notes.seek(0)
        said = len(notes.read().splitlines())
    return {"strokes": strokes, "readings": readings, "switches": switches, "settled": settled, "grown": grown,
            "stderr": said}


def memory(app) -> float:
    """Resident memory of the window's process and of the reading one, in MB; 0 where the system does not tell."""
    total = 0
    for pid in (os.getpid(), app.worker.pid):
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            return 0.0
        total += int(next(line.split()[1] for line in lines if line.startswith("VmRSS")))
    return total * 1024 / 1e6


def describe_start(found: dict) -> str:
    """What was measured, for people."""
    return (f"  window on the screen     {found['window']:8.2f} s   (bar: {WINDOW_BAR} s; from the start of Python, "
            f"median of {STARTS})\n  network ready            {found['ready']:8.2f} s   (bar: {READY_BAR} s)")


def describe_pen(found: dict) -> str:
    """What was measured, for people."""
    return (f"  points in the stroke     {found['points']:8,}     (of {POINTS:,} in {found['seconds']:.1f} s, during "
            f"{found['readings']} readings)\n"
            f"  longest handler          {found['handler']:8.1f} ms  (bar: {HANDLER_BAR} ms; median "
            f"{found['typical']:.2f} ms; longest turn of the event loop {found['turn']:.1f} ms)")


def describe_lift(found: dict) -> str:
    """What was measured, for people."""
    return (f"  from pen lift to text    {found['median']:8.0f} ms  (bar: {LIFT_BAR} ms; 20 characters, median of "
            f"{LIFTS}, the worst {found['worst']:.0f} ms)")


def describe_hour(found: dict) -> str:
    """What was measured, for people."""
    return (f"  memory of an hour        {found['settled']:8,.0f} MB, and {found['grown']:+.0f} MB at the end  (bar: "
            f"{MEMORY_BAR} MB more; {found['strokes']:,} strokes, {found['readings']} readings waited for, {ROUNDS} "
            f"clears, {found['switches']} switches; {found['stderr']} lines on stderr)")


MEASUREMENTS = {"app_start": start, "app_pen": pen, "app_lift": lift, "app_hour": hour}
PARTS = {"app_start": describe_start, "app_pen": describe_pen, "app_lift": describe_lift, "app_hour": describe_hour}
