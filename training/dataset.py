"""Files to arrays: all images of a training, and which of them teach and which validate."""
from typing import NamedTuple

import numpy as np

from common import alphabets, errors
from training import corrections_store, emnist, unipen

DRY_RUN_IMAGES = 400


class Source(NamedTuple):
    """Images of one kind.  Their two labels differ where a letter's case is unknown."""
    name: str             # in config.json
    images: np.ndarray    # uint8 (n, 28, 28)
    labels: np.ndarray    # uint8 (n,)
    others: np.ndarray    # uint8 (n,)
    mix: int              # row of Data.prior_shift: which class mix they have
    again: tuple = ()     # the same, drawn with other pens: arrays like images


NATURAL, SCANS, DRAWINGS, WORDS = range(4)


class Data(NamedTuple):
    """All images of a training, and which of them teach and which validate."""
    images: np.ndarray       # uint8 (n, 28, 28)
    targets: np.ndarray      # int32 (n, 3): see character_trainer.TrainingModel
    groups: np.ndarray       # int32 (n,): class and source, for model.class_cap
    train_rows: np.ndarray
    val_rows: np.ndarray     # of EMNIST's own training file, in the natural class mix
    prior_shift: np.ndarray  # float32 (4, 62): see character_trainer.TrainingModel
    sizes: dict              # what came from where, for config.json
    alike: np.ndarray | None = None   # int32 (n, model.renderings): for each row those of the same drawing, itself first


def load_data(config: dict) -> Data:
    """Read and check everything, and set the validation images aside."""
    return join(config, *load_sources(config))


def load_sources(config: dict) -> tuple[np.ndarray, list[Source]]:
    """EMNIST's training images in one array, and all sources; the first two are parts of that array."""
    images, labels = emnist.read_emnist(config["data_path"], "train")
    emnist.read_emnist(config["data_path"], "test")  # a damaged file is better found now than after the training
    if config["dry_run"]:
        images, labels = images[-DRY_RUN_IMAGES:], labels[-DRY_RUN_IMAGES:]
    print(f"{len(images):,} training images in {config['data_path']}")
    learn = len(images) - emnist.held_out(len(images), config["val_split"])
    sources = [Source("emnist_train", images[:learn], labels[:learn], labels[:learn], SCANS),
               Source("emnist_validation", images[learn:], labels[learn:], labels[learn:], NATURAL),
               *more_sources(config)]
    return images, sources


def join(config: dict, images: np.ndarray, sources: list[Source]) -> Data:
    """What load_sources has read, as one."""
    sizes = {source.name: len(source.labels) for source in sources}
    if len(sources) > 2:
        images = _in_one([source.images for source in sources])
    targets = np.concatenate([np.stack([source.labels, source.others, np.full(len(source.labels), source.mix)], 1)
                              for source in sources], dtype=np.int32)
    groups = np.concatenate([source.labels + 62 * place for place, source in enumerate(sources)], dtype=np.int32)
    rows = np.arange(len(images), dtype=np.int32)
    learn = sizes["emnist_train"]
    validate = slice(learn, learn + sizes["emnist_validation"])
    shift = np.zeros((4, 62), np.float32)
    for mix in (SCANS, DRAWINGS, WORDS) if config["natural_prior"] else ():
        counts = (class_counts(source, config["class_cap"]) for source in sources if source.mix == mix)
        shift[mix] = alphabets.log_ratio(sum(counts, np.zeros(62)))
    train_rows = np.concatenate([np.delete(rows, validate), repeated(config, sources, rows)])
    data = Data(images, targets, groups, train_rows, rows[validate], shift, sizes)
    return with_renderings(data, sources) if config["renderings"] > 1 else data


def with_renderings(data: Data, sources: list[Source]) -> Data:
    """The data with all other pictures of its drawings, which lie behind everything else."""
    rows = np.split(np.arange(len(data.images), dtype=np.int32), np.cumsum([len(source.labels) for source in sources]))
    images, targets, behind = [data.images], [data.targets], len(data.images)
    alike = np.repeat(np.concatenate(rows)[:, None], 1 + max(len(source.again) for source in sources), axis=1)
    for source, mine in zip(sources, rows):
        for place, again in enumerate(source.again):
            images.append(again)
            targets.append(data.targets[mine])
            alike[mine, 1 + place] = behind + np.arange(len(mine))
            behind += len(mine)
    return data._replace(images=_in_one(images), targets=np.concatenate(targets), alike=alike)


def _in_one(parts: list[np.ndarray]) -> np.ndarray:
    """Images as one array."""
    return np.concatenate(parts)


def repeated(config: dict, sources: list[Source], rows: np.ndarray) -> np.ndarray:
    """Rows of the model.corrections, which are the last source, once more as often as gives them their share of an epoch."""
    if not config["corrections"]:
        return rows[:0]
    others = sum(class_counts(source, config["class_cap"]).sum() for source in sources[:-1] if source.mix != NATURAL)
    wanted = others * config["corrections"] / (1 - config["corrections"])
    count = len(sources[-1].labels)
    return np.resize(rows[-count:], max(0, round(wanted) - count))


def scans(data: Data, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of EMNIST's training file that teach, at most so many of them, chosen at random."""
    count = data.sizes["emnist_train"]
    rows = np.random.default_rng(0).permutation(count)[:most]
    return data.images[rows], data.targets[rows, 0]


def more_sources(config: dict) -> list[Source]:
    """What there is beside EMNIST's exact labels, as far as it is asked for and at hand."""
    limit = DRY_RUN_IMAGES if config["dry_run"] else 0
    sources = []
    if config["either"] and emnist.find(config["data_path"], "emnist-byclass-model.train-model.either-images-idx3-ubyte"):
        sources.append(Source("emnist_either_case", *(
            array[:limit or None] for array in emnist.read_either(config["data_path"])), SCANS))
    for wanted, file, name, mix in ((config["pen"], "characters", "pen_strokes", DRAWINGS),
                                    (config["harvest"], "extracted", "pen_words", WORDS)):
        if wanted:
            (images, labels), *again = (
                unipen.read_pen(config["pen_path"], "train", config["seed"] + place, config["train_workers"], limit,
                                 file=file) for place in range(config["renderings"]))
            sources.append(Source(name, images, labels, labels, mix, tuple(images for images, _ in again)))
    if config["corrections"]:
        images, labels = corrections_store.read_corrections(config["corrections_path"])
        if not len(labels):
            raise no_corrections(config, "characters")
        sources.append(corrections_of(images, labels))
    return sources


def no_corrections(config: dict, kind: str) -> errors.DataError:
    """What is wrong when there is nothing to learn from."""
    return errors.DataError(f"{config['corrections_path']} holds no corrected {kind} yet: switch on \"Remember my "
                             "writing\" in textrecog_ui.py and correct some, or give a --preset=")


def corrections_of(images: np.ndarray, labels: np.ndarray) -> Source:
    """Characters that were put right by hand: drawings, too."""
    return Source("corrections", images, labels, labels, DRAWINGS)


def class_counts(source: Source, cap: int) -> np.ndarray:
    """How many images of each class an epoch sees of a source: float (62,).

    Where case is unknown, images count for both letters in the natural share.
    """
    natural, counts = alphabets.OFFICIAL_COUNTS, np.zeros(62)
    seen = np.bincount(source.labels, minlength=62).astype(float)
    seen = np.minimum(seen, cap) if cap else seen
    for label, other in set(zip(source.labels.tolist(), source.others.tolist())):
        share = natural[label] / (natural[label] + natural[other]) if label != other else 1
        counts[label] += share * seen[label]
        counts[other] += (1 - share) * seen[label]
    return counts
