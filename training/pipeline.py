"""From settings to a trained network in Models/{unixTime}/, the same way for characters, lines and pages."""
import contextlib
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from common import errors, files, runs
from training import curves, dataset, devices, emnist
from training.config import TrainingConfig

SAME_LOSS = "train_epochs", "patience", "train_workers", "steps_per_call", "preset", "mixed_precision"   # settings
NO_MEMORY = "RESOURCE_EXHAUSTED", "ResourceExhausted", "out of memory"   # in the backends' errors


class Trainer:
    """A training with its data; CharacterTrainer, LineTrainer and PageTrainer add what differs:

    build_model()       a compiled keras.Model; its `network` learns, and `own_variables` are what --resume needs
                        besides that and the optimiser
    kept(model)         the network that a run keeps of it
    fit(model, callbacks, epoch)    trains from this epoch on; returns the History, with val_loss
    pictures(model)     for TensorBoard, see callbacks.Log
    describe()          what config.json says about the data
    finish(folder, network)         scores the best network of a run and draws pictures
    """
    keeps_latest = False   # whether a run keeps the network of its last epoch, not of that with the lowest val_loss

    def __init__(self, config: TrainingConfig, data):
        self.config, self.data = config, data

    def first_network(self):
        """The keras.Model that the training starts with: a new network, or the one to finetune."""
        from training import networks
        config = self.config
        if not config.finetune:
            return networks.build(config.network, config.dropout)
        network = networks.load_to_train(config.models_path, config.finetune)
        networks.set_dropout(network, config.dropout)
        return network

    def kept(self, model):
        """The keras.Model that a run keeps of a training model."""
        return model.network


def run(config: TrainingConfig) -> Path:
    """Train a network and finish its run; returns the run's folder, which no other process trains in meanwhile.

    A resumed run continues where its last epoch ended; a finished one stays as it is unless a setting has changed.
    Raises errors.UserError and KeyboardInterrupt, which say what is kept.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(config.models_path, config.resume)
        if config.resume:
            _hold(folder, stack)
            about = runs.read_config(config.models_path, config.resume)
            if about.get("finished") and about["settings"] == _kept_settings(config):
                print(f"{folder} is finished, and nothing is changed: more --train_epochs= go on with it")
                return folder
        trainer = load(config)
        if not config.resume:
            folder = new_folder(config.models_path)
            _hold(folder, stack)
        stack.enter_context(telling_what_is_kept(folder))
        early = train(trainer, folder)
        finish(trainer, folder)
        print(f"{folder}: {', '.join(sorted(path.name for path in folder.iterdir() if path.name[0] != '.'))}")
        if isinstance(early, errors.UserError):
            raise early
        if not early:
            files.write_json(folder / "config.json",
                             runs.read_config(config.models_path, folder.name) | {"finished": True})
    return folder


def load(config: TrainingConfig) -> Trainer:
    """Fetch and read the data, and import Keras; errors.UserError when something is missing or damaged."""
    dataset.check_corrections(config)
    if config.reads == "pages":
        devices.prepare(config)
        from training import page_synthesis, page_trainer
        return page_trainer.PageTrainer(config, page_synthesis.validation(config))
    emnist.fetch(config.data_path)
    with ThreadPoolExecutor(1) as pool:   # reading takes as long as importing Keras: do both at once
        images = pool.submit(dataset.load, config) if config.reads == "characters" else None
        devices.prepare(config)
        from training import character_trainer, line_trainer
        if images:
            return character_trainer.CharacterTrainer(config, images.result())
        return line_trainer.LineTrainer(config, line_trainer.Validation(config))


def new_folder(models_path: str | Path) -> Path:
    """Make a run's folder, named by the current second or, if that is taken, by the next free one."""
    for second in range(int(time.time()), 10**11):
        with contextlib.suppress(FileExistsError):
            folder = Path(models_path, str(second))
            folder.mkdir(parents=True)
            return folder


def _hold(folder: Path, stack: contextlib.ExitStack) -> None:
    """Keep other processes from training in a folder until the stack closes; runs.RunError when one already does."""
    try:
        stack.enter_context(files.locked(folder / ".lock", wait=False))
    except BlockingIOError:
        raise runs.RunError(f"another process trains in {folder}: wait for its end, or start a new training") from None


@contextlib.contextmanager
def telling_what_is_kept(folder: Path) -> Iterator[None]:
    """Make machine errors and Ctrl-C say what is kept of a training; a folder with nothing to keep is removed."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_what_is_kept(folder)) from None
    except Exception as error:
        kept = _what_is_kept(folder)
        if isinstance(error, (OSError, MemoryError)):
            raise errors.MachineError(f"{errors.reason(error)}: {kept}") from error
        if any(words in f"{type(error)} {error}" for words in NO_MEMORY):
            raise errors.MachineError(f"there is not enough memory, give a smaller --batch_size=: {kept}") from error
        raise


def _what_is_kept(folder: Path) -> str:
    if (folder / "checkpoint.npz").is_file():
        return f"{folder} keeps what was learned; python model.py --resume={folder.name} goes on"
    shutil.rmtree(folder, ignore_errors=True)
    return "ended before anything was learned; nothing is lost"


def train(trainer: Trainer, folder: Path) -> BaseException | None:
    """Train until the epochs are over or val_loss stalls.

    Returns what ended the training earlier, if the folder holds a network: Ctrl-C, or a UserError for a loss that is
    not finite.
    """
    import keras

    from training import callbacks
    config = trainer.config
    model = trainer.build_model()
    state = callbacks.restore(model, folder / "checkpoint.npz") if config.resume else None
    if state and _other_settings(config):   # losses under other settings cannot be compared
        state |= {"best": None, "callbacks": []}
    if state:
        print(f"going on after epoch {state['epoch']} of {config.train_epochs}")
    write_config(trainer, folder)
    waited = state["callbacks"][0].get("wait", 0) if state and state.get("callbacks") else 0   # EarlyStopping's
    if state and (state["epoch"] >= config.train_epochs or waited >= config.patience):
        return None
    watching = [keras.callbacks.EarlyStopping("val_loss", patience=config.patience)]
    if config.schedule == "plateau":
        watching.append(keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.9, patience=10))
    with callbacks.EarlyEnd(folder) as end, contextlib.closing(callbacks.Progress()) as progress:
        checkpoint = callbacks.Checkpoint(folder, watching, state, trainer.kept, trainer.keeps_latest)
        trainer.fit(model, [end, *watching, callbacks.Log(folder / "logs", trainer.pictures), checkpoint, progress],
                    state["epoch"] if state else 0)
    return end.reason


def finish(trainer: Trainer, folder: Path) -> None:
    """Score the network that a training has kept, export it for reading, and draw its pictures and curves."""
    from training import export, networks
    trainer.finish(folder, networks.load_network(folder.parent, folder.name))
    export.export_run(folder)
    curves.plot([folder], folder / "training.png")


def write_config(trainer: Trainer, folder: Path) -> None:
    """Write config.json: everything needed to train this network again.  A resumed run keeps what it began with.

    resumed_at: commits, other than the first, at which it was resumed.
    """
    config, kept, commit = trainer.config, _kept_settings(trainer.config), runs.git_commit()
    if config.resume:
        about = runs.read_config(config.models_path, config.resume) | {"settings": kept, "finished": False}
        later = about.get("resumed_at", [])
        if commit not in (about.get("git_commit"), *later):
            about["resumed_at"] = [*later, commit]
    else:
        about = {"reads": config.reads, "settings": kept, **trainer.describe(), "versions": runs.versions(),
                 "git_commit": commit}
    files.write_json(folder / "config.json", about)


def _other_settings(config: TrainingConfig) -> bool:
    """Whether a resumed run has other settings than before that change its losses; those it did not have were off."""
    before = runs.read_config(config.models_path, config.resume)["settings"]
    return any(before.get(name, type(value)()) != value for name, value in _kept_settings(config).items()
               if name not in SAME_LOSS and not name.endswith("_path"))


def _kept_settings(config: TrainingConfig) -> dict:
    return {name: value for name, value in asdict(config).items() if name != "resume"}
