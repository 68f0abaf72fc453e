"""From settings to a trained network in Models/{unixTime}/, on one path for characters, lines and pages."""
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from common import files, runs
from training import dataset, devices, emnist
from training.config import TrainingConfig


class Trainer:
    """A training with its data; CharacterTrainer, LineTrainer and PageTrainer add what differs:

    build_model()       a compiled keras.Model; its `network` is what a run keeps, and `own_variables` are what --resume
                        needs beside that and the optimiser
    fit(model, callbacks, epoch)    trains from this epoch on; returns the History, with val_loss
    pictures(model)     for TensorBoard, see callbacks.Log
    describe()          what config.json tells of the data
    finish(folder)      calibrates and scores the best network of a run, draws pictures, exports it for reading
    """

    def __init__(self, config: TrainingConfig, data):
        self.config, self.data = config, data

    def first_network(self):
        """The keras.Model that the training begins with: a new network, or the one to finetune.

        One that an earlier version of training/networks.py built goes on as it is, with its own dropout.
        """
        from training import networks
        network = networks.build(self.config.network, self.config.dropout)
        if not self.config.finetune:
            return network
        trained = networks.load_network(self.config.models_path, self.config.finetune)
        if [weight.shape for weight in trained.weights] != [weight.shape for weight in network.weights]:
            return trained
        network.set_weights(trained.get_weights())
        return network


def load(config: TrainingConfig) -> Trainer:
    """Fetch and read the data, and import Keras; errors.UserError when something is missing or damaged."""
    dataset.check_corrections(config)
    if config.reads == "pages":
        devices.prepare(config)
        from training import page_trainer
        return page_trainer.PageTrainer(config, page_trainer.validation(config))
    emnist.fetch(config.data_path)
    with ThreadPoolExecutor(1) as pool:   # reading takes as long as importing Keras: both at once
        images = pool.submit(dataset.load, config) if config.reads == "characters" else None
        devices.prepare(config)
        from training import character_trainer, line_trainer
        if images:
            return character_trainer.CharacterTrainer(config, images.result())
        return line_trainer.LineTrainer(config, line_trainer.Validation(config))


def train(trainer: Trainer) -> Path:
    """Train until the epochs are over, val_loss stalls, or Ctrl-C; returns the run's folder.

    A run that is resumed goes on where its last epoch ended.
    """
    import keras

    from training import callbacks
    config = trainer.config
    folder = Path(config.models_path, config.resume or str(int(time.time())))
    model = trainer.build_model()
    state = callbacks.restore(model, folder / "checkpoint.npz") if config.resume else None
    if state:
        print(f"going on after epoch {state['epoch']} of {config.train_epochs}")
    write_config(trainer, folder)
    watching = [keras.callbacks.EarlyStopping("val_loss", patience=config.patience)]
    if config.schedule == "plateau":
        watching.append(keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.9, patience=10))
    with callbacks.Interrupt(folder) as interrupt, contextlib.closing(callbacks.Progress()) as progress:
        trainer.fit(model, [*watching, callbacks.Log(folder / "logs", trainer.pictures),
                            callbacks.Checkpoint(folder, watching, state), progress, interrupt],
                    state["epoch"] if state else 0)
    return folder


def write_config(trainer: Trainer, folder: Path) -> None:
    """Write config.json: everything needed to train this network again.  A resumed run keeps what it began with."""
    config = trainer.config
    kept = {name: value for name, value in asdict(config).items() if name != "resume"}
    if config.resume:
        about = runs.read_config(config.models_path, config.resume) | {"settings": kept}
    else:
        about = {"reads": config.reads, "settings": kept, **trainer.describe(), "versions": runs.versions(),
                 "git_commit": runs.git_commit()}
    folder.mkdir(parents=True, exist_ok=True)
    files.write_json(folder / "config.json", about)
