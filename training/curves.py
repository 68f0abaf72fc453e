"""The curves of trainings: written into TensorBoard's event files, read from them, and drawn.

TensorFlow is not needed, so that every Keras backend can log.
"""
import itertools
import secrets
import sys
import time
import types
from pathlib import Path

import cv2
import numpy as np

from common import files, runs

# Okabe and Ito's palette, which colour-blind readers can tell apart; its yellow is too pale for lines.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#444444")
TRAINING = dict(linewidth=1.2, linestyle=(0, (4, 2)), alpha=0.8, marker=".", markersize=4)
VALIDATION = dict(linewidth=2, marker=".", markersize=6)
BEST = dict(linestyle="", marker="o", markersize=8, markerfacecolor="white", markeredgewidth=2, zorder=3)
LOSS, ACCURACY, RATE = "epoch_loss", "epoch_accuracy", "epoch_learning_rate"
WORDS = "epoch_cer_words"   # of line readers

Curve = dict[int, float]    # epoch, counted from 1: value


def spare_tensorflow() -> None:
    """Have TensorBoard handle event files by itself: importing TensorFlow for them would take seconds.

    If TensorBoard finds a module of this name, it leaves TensorFlow alone, see tensorboard/compat/__init__.py.
    """
    name = "tensorboard.compat.notf"
    sys.modules.setdefault(name, types.ModuleType(name))


class EventLog:
    """One run's event file in a folder.

    with EventLog("Models/1700000000/logs/train") as log:
        log.scalar("epoch_loss", 0.5, step=1)
    """

    def __init__(self, folder: str | Path):
        spare_tensorflow()
        from tensorboard.summary.writer.record_writer import RecordWriter
        Path(folder).mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time()):010}.{secrets.token_hex(4)}"
        self._writer = RecordWriter(open(Path(folder, name), "xb"))   # noqa: SIM115  TensorBoard's own uses a thread
        self._write(file_version="brain.Event:2")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Add a point of a curve."""
        self._add(step, tag, simple_value=float(value))

    def image(self, tag: str, picture: np.ndarray, step: int) -> None:
        """Add a picture: uint8 (height, width), as a PNG, or RGB (height, width, 3), as a JPEG: a run has many."""
        from tensorboard.compat.proto.summary_pb2 import Summary
        height, width, *colours = picture.shape
        encoded = cv2.imencode(*((".jpg", picture[..., ::-1]) if colours else (".png", picture)))[1].tobytes()
        self._add(step, tag, image=Summary.Image(height=height, width=width, colorspace=3 if colours else 1,
                                                encoded_image_string=encoded))

    def hparams(self, settings: dict[str, bool | int | float | str], metrics: dict[str, float]) -> None:
        """Add a row of the HParams table: this run's settings and its final metrics."""
        from tensorboard.plugins.hparams import summary_v2 as hp
        self._write(summary=hp.hparams_pb(settings))
        for tag, value in metrics.items():
            self.scalar(tag, value, 0)

    def close(self) -> None:
        """Write out what is left, and close the file."""
        self._writer.close()

    def _add(self, step: int, tag: str, **value) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary
        self._write(step=step, summary=Summary(value=[Summary.Value(tag=tag, **value)]))

    def _write(self, **content) -> None:
        """Write an event with this content."""
        from tensorboard.compat.proto.event_pb2 import Event
        self._writer.write(Event(wall_time=time.time(), **content).SerializeToString())
        self._writer.flush()


# ---- reading and drawing

def find_runs(models_path: str | Path) -> list[Path]:
    """Folders of all runs that have curves, oldest first; runs.RunError if there are none."""
    logs = sorted(Path(models_path).glob("*/logs/validation"))
    folders = [log.parents[1] for log in logs if read_curves(log).get(LOSS)]
    if not folders:
        raise runs.RunError(f"{models_path} holds no run with curves to draw: train one with `python model.py`, "
                            "or name another folder with --models_path=")
    return folders


def read_curves(folder: Path) -> dict[str, Curve]:
    """The scalars in a folder of event files: tag -> {step: value}.

    A resumed run leaves several files; where two hold the same step, the later file counts.
    """
    spare_tensorflow()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    curves: dict[str, Curve] = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):   # their names begin with the time
        events = EventAccumulator(str(path), size_guidance={"scalars": 0, "images": 1}).Reload()
        for tag in events.Tags()["scalars"]:
            curves.setdefault(tag, {}).update((event.step, event.value) for event in events.Scalars(tag))
    return {tag: dict(sorted(curve.items())) for tag, curve in curves.items()}


def read_run(folder: Path) -> tuple[str, dict[str, Curve], dict[str, Curve]]:
    """A run's label for the legend, and its curves in training and in validation; runs.RunError if it has none."""
    config = runs.read_config(str(folder.parent), folder.name)
    train, validation = (read_curves(folder / "logs" / part) for part in ("train", "validation"))
    if not train.get(LOSS) or not validation.get(LOSS):
        raise runs.RunError(f"{folder / 'logs'} holds no curves: the run has not finished an epoch, "
                            "or its logs were removed")
    if WORDS in validation:
        validation[ACCURACY] = {step: 1 - value for step, value in validation[WORDS].items()}
    return f"{config['settings']['network']} {folder.name}", train, validation


def plot(folders: list[Path], out: Path) -> None:
    """Draw the curves of one or more runs into a picture file, whose extension sets its format.

    folders: Models/{unixTime}, each with config.json and logs/{train,validation}.
    Raises runs.RunError for a run without them, or when the picture cannot be written.
    """
    figure = draw([read_run(Path(folder)) for folder in folders])
    try:
        files.write_atomically(Path(out), lambda temporary: figure.savefig(temporary, dpi=120))
    except (OSError, ValueError) as error:   # ValueError: an extension that matplotlib does not know
        raise runs.RunError(f"{out} cannot be written: {getattr(error, 'strerror', None) or error}") from error


def draw(curves: list[tuple[str, dict[str, Curve], dict[str, Curve]]]):
    """A matplotlib Figure with the curves of the runs that read_run returned."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    figure = Figure(figsize=(11, 6.8 + 0.25 * ((len(curves) - 1) // 5)), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(3, 1))
    loss, accuracy, rate = map(figure.add_subplot, (grid[0, 0], grid[0, 1], grid[1, :]))
    entries = []
    for (label, train, validation), colour in zip(curves, itertools.cycle(COLOURS)):
        best = min(validation[LOSS], key=validation[LOSS].get)
        for axes, tag in ((loss, LOSS), (accuracy, ACCURACY)):
            of_validation = validation.get(tag, {})
            for curve, style in ((train.get(tag, {}), TRAINING), (of_validation, VALIDATION)):
                axes.plot(curve.keys(), curve.values(), color=colour, **style)
            if best in of_validation:
                axes.plot(best, of_validation[best], color=colour, **BEST)
        learning_rate = train.get(RATE, {})
        rate.plot(learning_rate.keys(), learning_rate.values(), color=colour, linewidth=1.5)
        entries.append(Line2D([], [], color=colour, linewidth=4, label=label))
    of_lines = any(WORDS in validation for *_, validation in curves)
    _dress(loss, accuracy, rate, "Accuracy; of line readers 1 − CER of words" if of_lines else "Accuracy")
    figure.legend(handles=entries, loc="outside upper center", ncols=min(5, len(entries)), frameon=False)
    kinds = {"validation": VALIDATION, "training": TRAINING, "lowest validation loss": BEST}
    figure.legend(handles=[Line2D([], [], color="#666666", label=label, **style) for label, style in kinds.items()],
                  loc="outside lower center", ncols=3, frameon=False)
    return figure


def _dress(loss, accuracy, rate, title: str) -> None:
    """Set titles, ticks and grid; title: that of the accuracy."""
    from matplotlib.ticker import MaxNLocator, PercentFormatter
    for axes, name in ((loss, "Loss"), (accuracy, title), (rate, "Learning rate")):
        axes.set(title=name, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        axes.grid(color="#e4e4e4")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    accuracy.yaxis.set_major_formatter(PercentFormatter(1))
    rate.set_ylim(bottom=0)
    rate.ticklabel_format(axis="y", scilimits=(0, 0))
