"""Trains a network on EMNIST ByClass and writes it, with its logs and score, to Models/{unixTime}/.

    python model.py                                   the classic run: the dense network
    python model.py --preset=dense                    scans and pen strokes, taught by the mixer; also mixer, resnet
    python model.py --preset=line                     a reader of words and lines
    python model.py --preset=page                     finds the writing on pages
    python model.py --finetune=1700000000             learn your corrections from the apps
    python model.py --resume=1700000000               continue a run that was interrupted
    python model.py --dry_run                         see everything work, in a minute
    tensorboard --logdir Models                       watch it

--help explains every setting.  EMNIST is fetched if it is missing.  Ctrl-C ends a run early; its best network is kept.
"""
# ---- settings: change them here or on the command line, as --name=value
learning_rate = 0.0005     # highest step size of the optimiser (Adam)
train_epochs = 50          # passes over the training images, at most
train_workers = 20         # threads (line and page on a GPU: processes) that prepare data, at most; no more than cores
val_split = 0.1            # share of the training file, taken from its end, for validation
batch_size = 100           # images per training step
dropout = 0.3              # share of features hidden from the next layer in training
network = "dense"          # dense, conv, deepconv, resnet, lstm or mixer read characters; line: lines; page: pages
preset = ""                # name of a set of settings from PRESETS below: dense, mixer, resnet, line, page, best, ...
seed = 0                   # seed of all random numbers
data_path = "Dataset/EMNIST"   # folder with EMNIST's files; fetched if it has none
either_case = False        # add letters of unknown case, if there are any, made by python -m tools.either_case
pen = False                # add pen strokes, drawn as glyphs
extracted = False          # add letters taken out of written words by python -m tools.extract_characters
pen_path = "Dataset/UNIPEN"    # folder with the pen strokes, made by python -m tools.fetch_data --archive=UNIPEN
paper_path = "Dataset/Paper"   # line and page: folder with fonts, texts and real writing, see docs/data.md
class_cap = 0              # most images of one class and source in an epoch; 0: all
augmentation = 0.0         # strength of random changes of slant, size, position, waviness and stroke width; 1 is strong
augmentation_last = -1.0   # its strength in the last epoch, reached linearly; -1: the same throughout
label_smoothing = 0.0      # share of the target spread over all classes
schedule = "plateau"       # plateau: times 0.9 when val_loss stalls for 10 epochs; cosine: warm up, then fall to 0
cycles = 1                 # line with cosine: how often the rate falls to 0; the mean of the networks there is kept
patience = 20              # epochs without a better val_loss before the training ends
weight_decay = 0.0         # weight decay of AdamW; 0 is plain Adam
finetune = ""              # unixTime of a trained network to start from; without a --preset it learns corrections
start_share = 0.0          # line with finetune: share of the old weights in the network that is kept, to forget less
corrections = 0.0          # share of an epoch made up of corrections, each repeated as often as that takes
corrections_path = "Dataset/Corrections"   # folder where the apps keep corrections
teacher = ""               # unixTime of a network to learn from; it also checks pen labels
teacher_share = 0.7        # the teacher's share of the loss
mixed_precision = False    # multiply in 16 bits: float16 on GPUs, bfloat16 on CPUs that have it
epoch_steps = 400          # line and page: steps in an epoch, since their training data never end
steps_per_call = 0         # training steps in one call of the backend; 0: 100 for dense, 10 for slower networks
models_path = "Models"     # where runs are kept
resume = ""                # unixTime of a run to continue, with its own settings
dry_run = False            # run everything on a few hundred images
# ---- end of settings

PRESETS = {
    # Any network for characters: scans and pen strokes, and a learning rate that falls to 0 by the last epoch.
    "best": {"train_epochs": 28, "batch_size": 256, "learning_rate": 0.002, "schedule": "cosine", "dropout": 0.2,
             "val_split": 0.04, "either_case": True, "pen": True, "class_cap": 5000, "augmentation": 1.0,
             "augmentation_last": 0.3, "label_smoothing": 0.02, "weight_decay": 0.01},
    # One preset for each network for characters, from scratch; resnet teaches mixer, and mixer teaches dense.
    "resnet": {"network": "resnet", "train_epochs": 24, "batch_size": 256, "learning_rate": 0.002,
               "schedule": "cosine", "dropout": 0.2, "val_split": 0.02, "either_case": True, "pen": True,
               "extracted": True, "class_cap": 5000, "augmentation": 1.0, "augmentation_last": 0.3,
               "label_smoothing": 0.02, "weight_decay": 0.05, "mixed_precision": True},
    "mixer": {"network": "mixer", "teacher": "1795678193", "teacher_share": 0.75, "train_epochs": 24,
              "batch_size": 256, "learning_rate": 0.002, "schedule": "cosine", "dropout": 0.1, "val_split": 0.02,
              "either_case": True, "pen": True, "extracted": True, "class_cap": 5000, "augmentation": 0.95,
              "augmentation_last": 0.3, "weight_decay": 0.05, "mixed_precision": True},
    "dense": {"network": "dense", "teacher": "1795678194", "teacher_share": 0.85, "train_epochs": 20,
              "batch_size": 256, "learning_rate": 0.002, "schedule": "cosine", "dropout": 0.0, "val_split": 0.04,
              "either_case": True, "pen": True, "class_cap": 5000, "augmentation": 0.5, "augmentation_last": 0.2,
              "weight_decay": 0.01},
    # A reader of words and lines, from the first one, which read only pen strokes; with --finetune= from scratch.
    "line": {"network": "line", "finetune": "1795724860", "start_share": 0.1, "train_epochs": 60, "epoch_steps": 200,
             "batch_size": 64, "learning_rate": 0.0005, "schedule": "cosine", "cycles": 3, "dropout": 0.2,
             "augmentation": 1.0, "weight_decay": 0.01, "mixed_precision": True},
    # Finds the writing on pages.
    "page": {"network": "page", "train_epochs": 60, "epoch_steps": 200, "batch_size": 6, "learning_rate": 0.002,
             "schedule": "cosine", "dropout": 0.1, "weight_decay": 0.0001},
    # With --finetune: one writer's corrections, and enough other data that other writers are not forgotten.
    "corrections": {"train_epochs": 1, "batch_size": 128, "learning_rate": 0.0005, "schedule": "cosine", "dropout": 0.0,
                    "pen": True, "class_cap": 150, "augmentation": 0.3, "corrections": 0.5},
    # The same for a reader of lines, which learns whole words.
    "corrected_words": {"network": "line", "train_epochs": 1, "epoch_steps": 60, "batch_size": 64,
                        "learning_rate": 0.0003, "schedule": "cosine", "dropout": 0.0, "augmentation": 1.0,
                        "corrections": 0.35, "mixed_precision": True},
}

from common import interrupt

interrupt.end_quietly(__name__)

from common import settings


def main(arguments: list[str]) -> None:
    """Read the settings, load the data, train the network and score it; Models/{unixTime}/ keeps the run."""
    from training import config, pipeline  # here, since --help should not wait for them
    pipeline.run(config.configure(globals(), arguments))


if __name__ == "__main__":
    settings.run(main, "ended before anything was learned; nothing is lost")
