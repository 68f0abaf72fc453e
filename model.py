"""Trains a network on EMNIST ByClass and writes it, with its logs and score, to Models/{unixTime}/.

    python model.py                                   the classic run: the dense network
    python model.py --network=resnet --preset=best    the shipped way, with all data at hand
    python model.py --finetune=1700000000             learn what was put right in textrecog_ui.py
    python model.py --resume=1700000000               go on with a run that was ended
    python model.py --dry_run                         see everything work in seconds
    python model.py --help                            every setting with its meaning
    tensorboard --logdir Models                       watch it

EMNIST is fetched when it is not there.  Ctrl-C ends a training early: the best
network so far is kept and scored.
"""
# ---- settings: change them here or on the command line, as --name=value
learning_rate = 0.0005     # step size of the optimiser (Adam), at its highest
train_epochs = 50          # passes over the training images, at most
train_workers = 20         # threads, for line beside a GPU processes, that prepare data; no more than there are cores
val_split = 0.1            # share of the training file, from its end, that validates
batch_size = 100           # images per step
dropout = 0.3              # share of features hidden from the next layer in training
network = "dense"          # for characters dense, conv, deepconv, resnet, wide, lstm or mixer; line; see training/networks.py
preset = ""                # a named set of settings instead of these: best trains what is shipped
seed = 0                   # of everything random
data_path = "Dataset/EMNIST"   # folder with EMNIST's files; fetched if it has none
either = False             # add images of letters whose case is not known, if the folder has them
pen = False                # add pen strokes, drawn as glyphs
harvest = False            # add letters out of words written with a pen, taken out by python -m tools.extract_characters
pen_path = "Dataset/UNIPEN"    # folder with the pen strokes, made by training/emnist.py
renderings = 1             # with how many pens each of them is drawn; an epoch takes one of the pictures
class_cap = 0              # most images of one class and source in an epoch; 0: all
natural_prior = True       # correct for classes that the training files hold too often or too seldom
calibrate = True           # after the training, correct the class biases
augmentation = 0.0         # strength of random changes of slant, size, place, waviness and stroke; 1 is strong
augmentation_last = -1.0   # its strength in the last epoch, reached evenly; -1: the same throughout
label_smoothing = 0.0      # share of the target spread over all classes
schedule = "plateau"       # plateau: times 0.9 when val_loss stalls for 10 epochs; cosine: warm up, then fall to 0
patience = 20              # epochs without a better val_loss before the training ends
weight_decay = 0.0         # of AdamW; 0 is plain Adam
finetune = ""              # unixTime of a trained network to start from; without a --preset, to learn corrections
average = False            # with finetune, end with the mean of the first and the last weights that validates best
corrections = 0.0          # share of what an epoch learns from that is corrections, each as often as that takes
corrections_path = "Dataset/Corrections"   # folder with the corrections that textrecog_ui.py has kept
teacher = ""               # unixTime (or several, a,b,c) of a network to learn from; it also checks pen labels
teacher_share = 0.7        # share of that in the loss
mixed_precision = False    # 16 bits in multiplications: float16 on GPUs, bfloat16 on CPUs that have it
epoch_steps = 400          # line: steps in an epoch, since what it learns from is written anew all the time
echo = 0                   # line: so often a batch may come again, changed, while no other is written yet: for a GPU
steps_per_call = 0         # training steps in one call of the backend; 0: 100 for dense, 10 for slower networks
models_path = "Models"     # where runs are kept
resume = ""                # unixTime of a run to go on with, with its own settings
dry_run = False            # go through everything on a few hundred images
# ---- end of settings

import contextlib
import math
import os
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from common import errors, files, runs, settings
from training import corrections_store, dataset, devices, emnist, unipen

PRESETS = {
    # The shipped networks: everything at hand, and a schedule that ends when the time is up.
    "best": dict(train_epochs=28, batch_size=256, learning_rate=0.002, schedule="cosine", dropout=0.2, val_split=0.04,
                 either=True, pen=True, class_cap=5000, augmentation=1.0, augmentation_last=0.3, label_smoothing=0.02,
                 weight_decay=0.01),
    # A trained network gets to know a hand: corrections, and enough of all else not to forget it.
    "corrections": dict(train_epochs=1, batch_size=128, learning_rate=0.0005, schedule="cosine", dropout=0.0,
                        pen=True, class_cap=150, augmentation=0.3, corrections=0.5, calibrate=False),
    # A reader of words and lines; with --finetune, going on with its training.
    "line": dict(network="line", train_epochs=30, batch_size=128, learning_rate=0.0015, schedule="cosine", dropout=0.2,
                 augmentation=1.0, weight_decay=0.01, mixed_precision=True),
    # The same as "corrections" for such a reader, which learns whole words.
    "corrected_words": dict(network="line", train_epochs=1, epoch_steps=60, batch_size=64, learning_rate=0.0003,
                            schedule="cosine", dropout=0.0, augmentation=1.0, corrections=0.35, mixed_precision=True),
}
DRY_RUN = dict(train_epochs=2, steps_per_call=2, epoch_steps=8)
DOUBTFUL = 0.01   # probability below which a teacher refuses a pen stroke's label


def main(arguments: list[str]) -> None:
    """Read the settings, train, score."""
    config = configure(arguments)
    folder = Path(config["models_path"], config["resume"] or str(int(time.time())))
    if config["network"] == "line":
        return train_line(config, folder)
    emnist.fetch(config["data_path"])
    with ThreadPoolExecutor() as pool:  # reading takes as long as importing Keras: do both at once
        reading = pool.submit(dataset.load_data, config)
        prepare_backend(config)
        data = reading.result()
    from training import character_trainer, metrics
    if config["teacher"] and (config["pen"] or config["harvest"]):
        data = without_doubtful(config, data)
    state, values = load_run(folder) if config["resume"] else (None, None)
    trainee, order = build_training_model(config, data)
    folder.mkdir(parents=True, exist_ok=True)
    write_config(config, folder, lambda: describe_run(config, data))
    train(config, order, trainee, folder, state, values)

    validation = data.images[data.val_rows], data.targets[data.val_rows, 0]
    if config["average"]:
        character_trainer.average(folder, config, lambda network: metrics.measure(
            metrics.predict(network, *validation, "validation images"))["loss"])
    if config["calibrate"]:
        character_trainer.calibrate(folder, dataset.scans(data, character_trainer.MOST_TO_CALIBRATE), validation)
    metrics.finish(folder, data)


def configure(arguments: list[str]) -> dict:
    """All settings: the script's, then those of a preset or of the run to resume, then the command line's."""
    given, _ = settings.read(__file__, globals(), arguments)
    config = {name: globals()[name] for name in settings.meanings(__file__)}
    first = config | given
    if first["preset"] not in ("", *PRESETS):
        raise settings.SettingsError(f"there is no preset {first['preset']!r}; there are: {', '.join(PRESETS)}")
    if first["schedule"] not in ("plateau", "cosine"):
        raise settings.SettingsError(f"there is no schedule {first['schedule']!r}; there are: plateau, cosine")
    for name, least in (("renderings", 1), ("echo", 0)):
        if first[name] < least:
            raise settings.SettingsError(f"--{name}={first[name]} has to be {least} or more")
    if not 0 < first["val_split"] < 1:
        raise settings.SettingsError(f"--val_split={first['val_split']} has to lie between 0 and 1")
    before = runs.read_config(first["models_path"], first["finetune"])["settings"] if first["finetune"] else first
    network = before["network"]
    learning = "corrected_words" if network == "line" else "corrections"   # a hand's corrections
    preset = first["preset"] or (learning if first["finetune"] else "line" if network == "line" else "")
    config |= {"network": network, "preset": preset} | PRESETS.get(preset, {}) | (DRY_RUN if first["dry_run"] else {})
    if first["finetune"]:   # what the first training learned from does not tell how well others are read
        config["val_split"] = before["val_split"]
    if first["finetune"] and (network == "line") != (PRESETS[preset].get("network") == "line"):
        raise settings.SettingsError(f"the run {first['finetune']} is a {network}: --preset={preset} does not fit it; "
                                     f"{learning} does")
    if first["finetune"] and given.get("network", network) != network:
        raise settings.SettingsError(f"the run {first['finetune']} is a {network}: leave --network= out")
    if first["resume"]:
        saved = runs.read_config(first["models_path"], first["resume"])["settings"]
        config |= {name: saved[name] for name in config if name in saved and name != "models_path"}
    config |= given
    if config["average"] and not config["finetune"]:
        raise settings.SettingsError("--average needs --finetune=, the network whose weights count too")
    if not 0 <= config["corrections"] < 1 or config["corrections"] and not config["finetune"]:
        raise settings.SettingsError("--corrections has to lie between 0 and 1, and needs --finetune=, the network "
                                     "that was corrected")
    return config


def load_run(folder: Path):
    """The state of an ended training."""
    from training import character_trainer
    if not (folder / "checkpoint.npz").is_file():
        raise settings.SettingsError(f"{folder} holds no checkpoint.npz: it cannot be resumed; train it anew")
    return character_trainer.load_checkpoint(folder / "checkpoint.npz")


def prepare_backend(config: dict) -> None:
    """Seeds, precision and, where there are several GPUs, all of them."""
    if config["mixed_precision"]:  # read by TensorFlow's CPU kernels when it is imported
        os.environ.setdefault("TF_SET_ONEDNN_FPMATH_MODE", "BF16")
    import keras
    keras.utils.set_random_seed(config["seed"])
    gpus = devices.gpus()
    if config["mixed_precision"] and gpus:
        keras.mixed_precision.set_global_policy("mixed_float16")
    if len(gpus) < 2:
        return
    if config["batch_size"] % len(gpus):
        raise settings.SettingsError(f"--batch_size={config['batch_size']} has to be a multiple of {len(gpus)}, "
                                     "the number of GPUs")
    if keras.backend.backend() == "jax":
        keras.distribution.set_distribution(keras.distribution.DataParallel())
    elif keras.backend.backend() == "tensorflow":
        import tensorflow
        tensorflow.distribute.experimental_set_strategy(tensorflow.distribute.MirroredStrategy())


def without_doubtful(config: dict, data: dataset.Data) -> dataset.Data:
    """Leave out pen strokes whose label the teacher finds nearly impossible: most of them are labelled wrongly."""
    from training import metrics
    sizes = data.sizes.copy()
    prior = runs.read_config(config["models_path"], config["teacher"].split(",")[0])["prior_of_drawings"]
    rows = np.unique(data.train_rows[data.targets[data.train_rows, 2] >= dataset.DRAWINGS])
    labels = data.targets[rows, 0]
    reading = metrics.predict(load_teacher(config), data.images[rows], labels, "checking labels", prior)
    doubtful = rows[reading.probabilities[np.arange(len(rows)), labels] < DOUBTFUL]
    print(f"{len(doubtful):,} of {len(rows):,} pen strokes left out: {config['teacher']} finds their labels impossible")
    for name, mix in (("pen_strokes", dataset.DRAWINGS), ("pen_words", dataset.WORDS)):
        if name in sizes:
            sizes[name] -= int((data.targets[doubtful, 2] == mix).sum())
    return data._replace(train_rows=np.setdiff1d(data.train_rows, doubtful), sizes=sizes)


def load_teacher(config: dict):
    """The teacher: one network, or the mean of several."""
    import keras
    from keras import ops

    from training import networks
    teachers = [networks.load_network(config["models_path"], name) for name in config["teacher"].split(",")]
    if len(teachers) == 1:
        return teachers[0]
    for teacher, unix_time in zip(teachers, config["teacher"].split(","), strict=True):
        teacher.name = f"teacher_{unix_time}"   # two of one kind share a name, which Keras refuses
    glyphs = keras.Input((28, 28), dtype="uint8")
    mean = ops.mean(ops.stack([ops.softmax(teacher(glyphs)) for teacher in teachers]), axis=0)
    return keras.Model(glyphs, ops.log(mean + 1e-7))


def build_training_model(config: dict, data: dataset.Data):
    """The network with its optimiser, ready to fit."""
    from training import augment, character_trainer, networks

    order = character_trainer.EpochSampler(data.train_rows, data.groups, data.val_rows, config["batch_size"], config["class_cap"],
                           config["seed"], data.alike)
    rate = learning_rate_of(config, order.steps * config["train_epochs"])
    teacher = load_teacher(config) if config["teacher"] else None
    network = first_network(config)
    networks.set_softness(network, augment.softness(last_augmentation(config)))
    trainee = character_trainer.TrainingModel(network, data.images, data.targets, data.prior_shift,
                               order.images + len(data.val_rows), config["batch_size"],
                               math.gcd(config["batch_size"] // character_trainer.replicas(), 8), config["augmentation"],
                               config["label_smoothing"], teacher, config["teacher_share"], config["seed"])
    trainee.compile(character_trainer.Adam(rate, weight_decay=config["weight_decay"] or None),
                    steps_per_execution=steps_in_a_call(config), jit_compile=devices.jit_compile())
    return trainee, order


def last_augmentation(config: dict) -> float:
    """The strength of augmentation in the last epoch."""
    return config["augmentation"] if config["augmentation_last"] < 0 else config["augmentation_last"]


def first_network(config: dict):
    """The network that a training begins with: fresh, or as another run has left it."""
    from training import character_trainer, networks

    network = networks.build(config["network"], config["dropout"])
    if not config["finetune"]:
        return network
    trained = networks.load_network(config["models_path"], config["finetune"])
    if len(trained.layers) != len(network.layers):   # training/networks.py built it otherwise then: it goes on as it is
        return trained
    character_trainer.take_over(network, trained)
    return network


def learning_rate_of(config: dict, steps: int):
    """The setting itself, or a schedule over so many steps that warms up and then falls to 0."""
    rate = config["learning_rate"]
    if config["schedule"] != "cosine":
        return rate
    import keras
    warm = max(1, steps // 20)
    return keras.optimizers.schedules.CosineDecay(
        rate / 20, max(1, steps - warm), warmup_target=rate, warmup_steps=warm)


def steps_in_a_call(config: dict) -> int:
    """Many where a step takes milliseconds; few where the progress bar and Ctrl-C would have to wait."""
    import keras

    from training import character_trainer

    if character_trainer.replicas() > 1 or keras.backend.backend() == "torch":
        return 1  # Keras's loop over steps does not run in TensorFlow's replicas, and PyTorch has none
    return config["steps_per_call"] or (100 if config["network"] == "dense" else 10)


def train(config: dict, order, trainee, folder: Path, state: dict | None, values: list | None) -> None:
    """Fit until the epochs are over, val_loss stalls, or Ctrl-C."""
    import keras

    from training import character_trainer

    callbacks = [keras.callbacks.EarlyStopping("val_loss", patience=config["patience"])]
    if config["schedule"] == "plateau":
        callbacks.append(keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.9, patience=10))
    epoch = 0
    if state:
        epoch = state["epoch"]
        character_trainer.restore(trainee, values)
        print(f"going on after epoch {epoch} of {config['train_epochs']}")
    callbacks += [character_trainer.AugmentationSchedule(config["augmentation"], last_augmentation(config), config["train_epochs"]), order,
                  character_trainer.GlyphLog(folder / "logs", order), character_trainer.Checkpoint(folder, callbacks, state),
                  character_trainer.Progress(order.images, config["batch_size"], config["train_epochs"])]
    with ended_early(folder) as interrupt:
        trainee.fit(order.places, batch_size=config["batch_size"], shuffle=False,
                    validation_data=(order.val_places,), validation_batch_size=config["batch_size"],
                    epochs=config["train_epochs"], initial_epoch=epoch, callbacks=[*callbacks, interrupt], verbose=0)


@contextlib.contextmanager
def ended_early(folder: Path):
    """Let Ctrl-C end a training but not the script, once there is a network to keep.

    Yields the callback that the training needs for it.
    """
    from training import character_trainer
    try:
        with character_trainer.Interrupt() as interrupt:
            yield interrupt
    except KeyboardInterrupt:
        if not (folder / "model.keras").is_file():
            raise
        print(f"\nended early; python model.py --resume={folder.name} goes on", file=sys.stderr)


def train_line(config: dict, folder: Path) -> None:
    """Train a network that reads words and lines, and measure it."""
    if config["corrections"] and not corrections_store.read_corrected_words(config["corrections_path"]):
        raise dataset.no_corrections(config, "words")
    emnist.fetch(config["data_path"])
    prepare_backend(config)
    import keras

    from training import character_trainer, line_trainer
    validation = line_trainer.Validation(config)
    state, values = load_run(folder) if config["resume"] else (None, None)
    trainee = build_line_training_model(config)
    if state:
        character_trainer.restore(trainee, values)
        print(f"going on after epoch {state['epoch']} of {config['train_epochs']}")
    folder.mkdir(parents=True, exist_ok=True)
    write_config(config, folder, lambda: describe_line_run(config))
    log = line_trainer.LineLog(folder / "logs", validation)
    callbacks = [log, character_trainer.Checkpoint(folder, (), state), character_trainer.Progress(
        config["batch_size"] * config["epoch_steps"], config["batch_size"], config["train_epochs"])]
    with ended_early(folder) as interrupt:
        line_trainer.fit(trainee, config, validation,
                          keras.callbacks.CallbackList([*callbacks, interrupt], model=trainee), log,
                          state["epoch"] if state else 0)
    if config["average"]:
        character_trainer.average(folder, config, lambda network: validation.measure(network)[0]["val_loss"])
    line_trainer.finish(folder, validation)


def build_line_training_model(config: dict):
    """The network that reads lines with its optimiser, ready to fit."""
    from training import character_trainer, line_trainer
    network = first_network(config)
    if config["corrections"]:  # some words of one hand do not tell how all writing is distributed
        character_trainer.freeze_statistics(network)
    # The shortcut begins at random, and what a trained network's convolutions know would give way to it.
    trainee = line_trainer.LineTrainingModel(network, 0.0 if config["finetune"] else line_trainer.SHORTCUT)
    rate = learning_rate_of(config, config["epoch_steps"] * config["train_epochs"])
    trainee.compile(character_trainer.Adam(rate, weight_decay=config["weight_decay"] or None, global_clipnorm=1.0),
                    jit_compile=devices.jit_compile())
    return trainee


def describe_run(config: dict, data: dataset.Data) -> dict:
    """What config.json tells of the data of a network that reads characters."""
    prior = data.prior_shift[dataset.DRAWINGS].astype(float).round(4).tolist()
    if config["corrections"]:  # what one hand needed corrected does not tell how often people write each character
        prior = runs.read_config(config["models_path"], config["finetune"])["prior_of_drawings"]
    found = (emnist.find(config["data_path"], Path(member).stem) for member in emnist.MEMBERS)
    return {"images": data.sizes, "prior_of_drawings": prior, "sha256": hashes(path for path in found if path)}


def describe_line_run(config: dict) -> dict:
    """What config.json tells of the data of a network that reads lines."""
    about = {"sha256": hashes(Path(config["pen_path"], f"{kind}.jsonl.gz") for kind in unipen.CATEGORIES)}
    if config["corrections"]:
        about["corrected_words"] = len(corrections_store.read_corrected_words(config["corrections_path"]))
        about["decoding"] = runs.read_config(config["models_path"], config["finetune"]).get("decoding")
    return about


def hashes(paths: Iterable[Path]) -> dict[str, str]:
    """The SHA-256 of files, by their names."""
    return {path.name: files.sha256(path) for path in paths}


def write_config(config: dict, folder: Path, describe: Callable[[], dict]) -> None:
    """Write config.json: everything needed to train this network again.  A resumed run keeps what it began with.

    describe: tells of the data, if the run is new.
    """
    from training import networks
    kept = {name: value for name, value in config.items() if name != "resume"}
    about = runs.read_config(config["models_path"], folder.name) | {"settings": kept} if config["resume"] else {
        "reads": networks.reads(config["network"]), "settings": kept, **describe(), "versions": runs.versions(),
        "git_commit": runs.git_commit()}
    files.write_json(folder / "config.json", about)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (errors.UserError,
            runs.RunError) as error:
        settings.fail(error)
    except KeyboardInterrupt:
        print("\nended before anything was learned; nothing is lost", file=sys.stderr)
        raise SystemExit(130) from None
