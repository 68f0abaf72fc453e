"""Draws how networks learned: loss, accuracy and learning rate of each epoch.

    python -m tools.plotScript                              every run in Models, to Models/training.png
    python -m tools.plotScript 1700000000                   one run, to Models/1700000000/training.png
    python -m tools.plotScript 1700000000 1700001234 --out=compared.png

The curves come from the runs' event files, Models/{unixTime}/logs.
"""
from pathlib import Path

from common import files, runs
from training import tensorboard_log

# Okabe and Ito's palette, which colour-blind readers can tell apart too; its yellow is too pale for lines.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#444444")
TRAINING = dict(linewidth=1.2, linestyle=(0, (4, 2)), alpha=0.8)
VALIDATION = dict(linewidth=2)
BEST = dict(linestyle="", marker="o", markersize=8, markerfacecolor="white", markeredgewidth=2)
FEW_EPOCHS = 25            # up to so many each is marked with a dot
LOSS, ACCURACY, RATE = "epoch_loss", "epoch_accuracy", "epoch_learning_rate"
WORDS = "epoch_cer_words"   # of readers of lines

Curve = dict[int, float]   # epoch, counted from 1: value


def find_runs(models_path: str) -> list[Path]:
    """Folders of all runs that have curves, oldest first; RunError if there are none."""
    logs = sorted(Path(models_path).glob("*/logs/validation"))
    folders = [log.parents[1] for log in logs if read_curves(log).get(LOSS)]
    if not folders:
        raise runs.RunError(f"{models_path} holds no run with curves to draw: train one with `python model.py`, "
                            "or name another folder with --models_path=")
    return folders


# ---- reading

def read_curves(folder: Path) -> dict[str, Curve]:
    """The scalars in a folder of event files: tag -> {step: value}.

    A resumed run leaves several files; where two hold the same step, the later file counts.
    """
    tensorboard_log.spare_tensorflow()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    curves: dict[str, Curve] = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):  # their names begin with the time
        events = EventAccumulator(str(path), size_guidance={"scalars": 0, "images": 1}).Reload()
        for tag in events.Tags()["scalars"]:
            curves.setdefault(tag, {}).update((event.step, event.value) for event in events.Scalars(tag))
    return {tag: dict(sorted(curve.items())) for tag, curve in curves.items()}


def read_run(folder: Path) -> tuple[str, dict[str, Curve], dict[str, Curve]]:
    """A run's label for the legend, and its curves in training and in validation; RunError if it has none."""
    config = runs.read_config(str(folder.parent), folder.name)
    train, validation = (read_curves(folder / "logs" / part) for part in ("train", "validation"))
    if not train.get(LOSS) or not validation.get(LOSS):
        raise runs.RunError(f"{folder / 'logs'} holds no curves: the run has not finished an epoch, "
                            "or its logs were removed")
    if WORDS in validation:
        validation[ACCURACY] = {step: 1 - value for step, value in validation[WORDS].items()}
    return f"{config['settings']['network']} {folder.name}", train, validation


# ---- drawing

def plot(folders: list[Path], out: Path) -> None:
    """Draw the curves of one or several runs into a picture, of the kind that its ending says.

    folders: Models/{unixTime}, each with config.json and logs/{train,validation}.
    Raises runs.RunError for a run without them, or when the picture cannot be written.
    """
    curves = [read_run(Path(folder)) for folder in folders]
    _save(draw(curves), Path(out))


def draw(curves: list[tuple[str, dict[str, Curve], dict[str, Curve]]]):
    """A matplotlib Figure with the curves of the runs that read_run returned."""
    from matplotlib.figure import Figure
    figure = Figure(figsize=(11, 6.8 + 0.25 * ((len(curves) - 1) // 5)), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(3, 1))
    loss, accuracy = (figure.add_subplot(grid[0, column]) for column in range(2))
    rate = figure.add_subplot(grid[1, :])
    colours = _colours(len(curves))
    for (_, train, validation), colour in zip(curves, colours):
        for axes, tag in ((loss, LOSS), (accuracy, ACCURACY)):
            _line(axes, train.get(tag, {}), colour, **TRAINING)
            _line(axes, validation.get(tag, {}), colour, **VALIDATION)
        _mark_best(loss, accuracy, validation, colour)
        _line(rate, train.get(RATE, {}), colour, linewidth=1.5)
    _dress(loss, accuracy, rate)
    if any(WORDS in validation for *_, validation in curves):
        accuracy.set(title="Accuracy; of readers of lines 1 − CER of words")
    _add_legends(figure, [label for label, _, _ in curves], colours)
    return figure


def _colours(count: int) -> list:
    """A colour for each run, as different as their number allows."""
    from matplotlib import colormaps
    if count <= len(COLOURS):
        return list(COLOURS[:count])
    return [colormaps["turbo"](i / (count - 1)) for i in range(count)]


def _line(axes, curve: Curve, colour: str, **style) -> None:
    dots = "o" if len(curve) <= FEW_EPOCHS else None
    axes.plot(list(curve), list(curve.values()), color=colour, marker=dots, markersize=3, **style)


def _mark_best(loss, accuracy, validation: dict[str, Curve], colour: str) -> None:
    """A ring around the epoch whose network is kept: the one with the lowest validation loss."""
    best = min(validation[LOSS], key=validation[LOSS].get)
    for axes, tag in ((loss, LOSS), (accuracy, ACCURACY)):
        if best in validation.get(tag, {}):
            axes.plot(best, validation[tag][best], color=colour, zorder=3, **BEST)


def _dress(loss, accuracy, rate) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter
    loss.set(title="Loss", xlabel="epoch")
    accuracy.set(title="Accuracy", xlabel="epoch")
    rate.set(title="Learning rate", xlabel="epoch")
    rate.update_datalim([(1, 0)])  # so that its axis begins at 0 and keeps its margin at the top
    rate.autoscale_view()
    rate.set_ylim(bottom=0)
    rate.ticklabel_format(axis="y", scilimits=(0, 0))
    accuracy.yaxis.set_major_formatter(PercentFormatter(1))
    for axes in (loss, accuracy, rate):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        axes.grid(color="#e4e4e4")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)


def _add_legends(figure, labels: list[str], colours: list) -> None:
    """The runs and their colours above, the kinds of line below."""
    from matplotlib.lines import Line2D
    entries = [Line2D([], [], color=colour, linewidth=4, label=label) for label, colour in zip(labels, colours)]
    figure.legend(handles=entries, loc="outside upper center", ncols=min(5, len(entries)), frameon=False)
    kinds = (("validation", VALIDATION), ("training", TRAINING), ("lowest validation loss: the network kept", BEST))
    entries = [Line2D([], [], color="#666666", label=label, **style) for label, style in kinds]
    figure.legend(handles=entries, loc="outside lower center", ncols=3, frameon=False)


def _save(figure, path: Path) -> None:
    """Write the PNG; RunError where that cannot be done."""
    try:
        files.write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=120))
    except (OSError, ValueError) as error:  # ValueError: an ending that matplotlib does not know
        raise runs.RunError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}") from error
