"""What happens between the steps of a training: fading augmentation, checkpoints, Ctrl-C, progress, logs."""
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import ops
from tqdm.keras import TqdmCallback

from common import errors, files, runs
from training import curves, networks
from training.config import TrainingConfig


class AugmentationSchedule(keras.callbacks.Callback):
    """Fades augmentation linearly from its first strength to its last.

    Strong augmentation keeps a network from memorising its training images; weak augmentation shows it images like
    those it will read.
    """

    def __init__(self, config: TrainingConfig):
        super().__init__()
        self.first, self.last, self.epochs = config.augmentation, config.last_augmentation, config.train_epochs

    def on_epoch_begin(self, epoch, logs=None):
        """Set the strength of this epoch."""
        if self.model.augmentation is not None:
            done = epoch / max(1, self.epochs - 1)
            self.model.augmentation.assign(self.first + done * (self.last - self.first))


# ---- checkpoints

_CALLBACK_STATE = ("wait", "best", "best_epoch", "stopped_epoch", "cooldown_counter")


class Checkpoint(keras.callbacks.Callback):
    """Saves the network to keep (model.keras) and all that --resume needs (checkpoint.npz) after each epoch."""

    def __init__(self, folder: Path, others: list[keras.callbacks.Callback], state: dict | None,
                 kept: Callable[[keras.Model], keras.Model], latest: bool = False):
        """others: Keras callbacks whose state is saved too.  state: from `restore`, to resume; None for a new run.

        kept: takes the training model, and returns the network that the run keeps: that of the epoch with the lowest
        validation loss or, if `latest`, of the last one.
        """
        super().__init__()
        self.folder, self.others, self.kept, self.latest = folder, others, kept, latest
        self.state = state or {"epoch": 0, "best": None, "history": []}

    def on_train_begin(self, logs=None):
        """Restore the state of the other callbacks."""
        for callback, kept in zip(self.others, self.state.get("callbacks", [])):
            for name, value in kept.items():
                setattr(callback, name, value)

    def on_epoch_end(self, epoch, logs=None):
        """Write both files."""
        logs = {name: float(value) for name, value in (logs or {}).items()}
        self.state["epoch"] = epoch + 1
        self.state["history"].append(logs)
        better = self.state["best"] is None or logs["val_loss"] < self.state["best"]["val_loss"]
        if better:
            self.state["best"] = {"epoch": epoch + 1, **logs}
        if better or self.latest:
            networks.save_network(networks.with_policy(self.kept(self.model), "float32"), self.folder / "model.keras")
        self.state["callbacks"] = [{name: float(getattr(callback, name)) for name in _CALLBACK_STATE
                                    if hasattr(callback, name)} for callback in self.others]
        files.write_atomically(self.folder / "checkpoint.npz", self._save)

    def _save(self, path: Path) -> None:
        values = {f"v{i}": ops.convert_to_numpy(v.value) for i, v in enumerate(_state_variables(self.model))}
        np.savez(path, state=json.dumps(self.state, allow_nan=False), **values)


def restore(model: keras.Model, path: Path) -> dict:
    """Put a checkpoint's values into a training model and its optimiser; returns the state of the training.

    Raises runs.RunError when it is damaged or belongs to another network or optimiser.
    """
    try:
        state, values = _read_checkpoint(path)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise runs.RunError(f"{path} cannot be used ({errors.reason(error)}): start a new training, for example with "
                            f"--finetune={path.parent.name}") from error
    model.optimizer.build(model.trainable_variables)
    variables = _state_variables(model)
    if [tuple(v.shape) for v in variables] != [v.shape for v in values]:
        raise runs.RunError(f"{path} belongs to another network, since its config.json or a setting was changed: "
                            "undo that, or start a new training")
    for variable, value in zip(variables, values):
        variable.assign(value)
    return state


def _read_checkpoint(path: Path) -> tuple[dict, list[np.ndarray]]:
    """The state and values of a checkpoint; ValueError, KeyError or TypeError if the file is not one."""
    arrays = files.read_arrays(path)
    state = json.loads(str(arrays.pop("state")))
    rows = *state["history"], state["best"], *state.get("callbacks", [])
    if not (type(state["epoch"]) is int and 0 < state["epoch"] == len(state["history"]) and "val_loss" in state["best"]
            and all(type(value) in (int, float) for row in rows for value in row.values())):
        raise ValueError("its state is not that of a training")
    values = [arrays[f"v{place}"] for place in range(len(arrays))]
    if not all(value.dtype.kind in "iuf" and np.isfinite(value).all() for value in values):
        raise ValueError("it holds values that are not finite")
    return state, values


def _state_variables(model: keras.Model) -> list:
    return [*model.network.variables, *model.own_variables, *model.optimizer.variables]


# ---- early ends

class NotFinite(errors.UserError):
    """The loss is no longer a finite number, and would not become one again."""


class EarlyEnd(keras.callbacks.Callback):
    """Ends a training between two steps, after Ctrl-C or when the loss is not finite: a context manager and a callback.

    If the run's folder already holds a network, the script continues after the context, and `reason` is the exception.
    Python itself would raise KeyboardInterrupt anywhere: one time in forty in a destructor of TensorFlow, where it is
    only reported.  A second Ctrl-C ends the script at once.
    """

    def __init__(self, folder: Path):
        super().__init__()
        self.folder, self.pressed = folder, False
        self.reason: BaseException | None = None

    def __enter__(self):
        self.before = signal.getsignal(signal.SIGINT)
        if self.before is signal.default_int_handler:   # otherwise somebody wants it ignored, as nohup and & do
            signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, kind, error, _):
        signal.signal(signal.SIGINT, self.before)
        kept = isinstance(error, (KeyboardInterrupt, NotFinite)) and (self.folder / "model.keras").is_file()
        if kept:
            self.reason = error
            print(f"\nended early; python model.py --resume={self.folder.name} goes on", file=sys.stderr)
        return kept

    def _press(self, *_):
        if self.pressed:
            raise KeyboardInterrupt
        self.pressed = True

    def on_train_batch_end(self, batch, logs=None):
        """Raise KeyboardInterrupt if Ctrl-C was pressed, NotFinite if the loss is not finite."""
        if self.pressed:
            raise KeyboardInterrupt
        self.on_epoch_end(0, logs)

    on_test_batch_end = on_train_batch_end

    def on_epoch_end(self, epoch, logs=None):
        """Raise NotFinite if a loss is not finite, before other callbacks save or log it."""
        for name in ("loss", "val_loss"):
            if not np.isfinite((logs or {}).get(name, 0.0)):
                raise NotFinite(f"the {name} is no longer finite, and what this epoch has learned is lost: "
                                "train with a lower --learning_rate=")


# ---- progress and logs

class Progress(TqdmCallback):
    """tqdm bars for epochs and steps."""

    def on_train_batch_end(self, batch, logs=None):
        """Show the steps that are done: one call of the backend may run many, which tqdm would count as one."""
        self.batch_bar.set_postfix(logs, refresh=False)
        self.batch_bar.update(min(batch + 1, self.batch_bar.total) - self.batch_bar.n)

    def close(self) -> None:
        """Close the bars, however the training ended."""
        self.on_train_end()


class Log(keras.callbacks.Callback):
    """Writes the metrics, the learning rate and pictures of each epoch for TensorBoard.

    pictures: returns them for the model, {("train" or "validation", name): uint8 (height, width) or RGB}.
    """

    def __init__(self, folder: Path, pictures: Callable[[keras.Model], dict[tuple[str, str], np.ndarray]]):
        super().__init__()
        self.folder, self.pictures = folder, pictures

    def on_train_begin(self, logs=None):
        """Open the files."""
        self.files = {part: curves.EventLog(self.folder / part) for part in ("train", "validation")}

    def on_epoch_end(self, epoch, logs=None):
        """Write all of it."""
        figures = dict(logs, learning_rate=ops.convert_to_numpy(self.model.optimizer.learning_rate))
        for name, value in figures.items():
            part = "validation" if name.startswith("val_") else "train"
            self.files[part].scalar("epoch_" + name.removeprefix("val_"), float(value), epoch + 1)
        for (part, name), picture in self.pictures(self.model).items():
            self.files[part].image(name, picture, epoch + 1)

    def on_train_end(self, logs=None):
        """Close the files."""
        for file in self.files.values():
            file.close()
