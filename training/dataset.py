"""All images for training a network for characters, in one array, and which rows are for training and validation."""
from typing import NamedTuple

import numpy as np

from common import alphabets, errors
from training import corrections_store, devices, emnist, unipen
from training.config import TrainingConfig

DRY_RUN_IMAGES = 400
NATURAL, SCANS, PEN_STROKES, PEN_WORDS = range(4)   # class mixes, each with a row of Data.prior_shift


class Source(NamedTuple):
    """Images of one kind."""
    name: str             # in config.json
    images: np.ndarray    # uint8 (n, 28, 28)
    labels: np.ndarray    # uint8 (n,)
    mix: int              # NATURAL, SCANS, PEN_STROKES or PEN_WORDS
    others: np.ndarray | None = None   # uint8 (n,), the labels in the other case, where the case is unknown


class Data(NamedTuple):
    """The images of all sources."""
    images: np.ndarray       # uint8 (n, 28, 28)
    targets: np.ndarray      # int32 (n, 3): label, other label, mix; the labels are the same where the case is known
    groups: np.ndarray       # int32 (n,): class and source, for the setting class_cap
    train_rows: np.ndarray   # int32
    val_rows: np.ndarray     # int32, of EMNIST's training file, in the natural class mix
    prior_shift: np.ndarray  # float32 (4, 62), log(share of each class in a mix / natural share)
    sizes: dict              # how many images each source has, for config.json

    def validation(self) -> tuple[np.ndarray, np.ndarray]:
        """Images uint8 (m, 28, 28) and labels int32 (m,) of the validation rows, without copying them."""
        rows = slice(self.val_rows[0], self.val_rows[-1] + 1)
        return self.images[rows], self.targets[rows, 0]


def check_corrections(config: TrainingConfig) -> None:
    """Raise errors.DataError when a training should learn corrections but there are none."""
    if not config.corrections:
        return
    found = (corrections_store.read_corrected_words(config.corrections_path) if config.reads == "lines" else
             corrections_store.read_corrections(config.corrections_path)[1])
    if not len(found):
        kind = "words" if config.reads == "lines" else "characters"
        raise errors.DataError(f"{config.corrections_path} holds no corrected {kind} yet: switch on \"Remember my "
                               "writing\" in textrecog_ui.py and correct some, or give a --preset=")


def load(config: TrainingConfig) -> Data:
    """Read and check all images, and set those for validation aside; errors.DataError if some cannot be read."""
    return join(config, *load_sources(config))


def load_sources(config: TrainingConfig) -> tuple[np.ndarray, list[Source]]:
    """EMNIST's training images in one array, and all sources; the first two are parts of that array."""
    emnist.read_emnist(config.data_path, "test")  # better to find a damaged file now than after the training
    images, labels = emnist.read_emnist(config.data_path, "train")
    if config.dry_run:
        images, labels = images[-DRY_RUN_IMAGES:], labels[-DRY_RUN_IMAGES:]
    print(f"{len(images):,} training images in {config.data_path}")
    learn = len(images) - emnist.held_out(len(images), config.val_split)
    sources = [Source("emnist_train", images[:learn], labels[:learn], SCANS),
               Source("emnist_validation", images[learn:], labels[learn:], NATURAL),
               *_more_sources(config)]
    return images, sources


def _more_sources(config: TrainingConfig) -> list[Source]:
    """The sources that the settings ask for besides EMNIST's images."""
    limit = DRY_RUN_IMAGES if config.dry_run else 0
    sources = []
    if config.either_case and (found := emnist.read_either_case(config.data_path)):
        images, capitals, small = (array[:limit or None] for array in found)
        sources.append(Source("emnist_either_case", images, capitals, SCANS, small))
    for wanted, file, name, mix in ((config.pen, "characters", "pen_strokes", PEN_STROKES),
                                    (config.extracted, "extracted", "pen_words", PEN_WORDS)):
        if wanted:
            images, labels = unipen.read_pen(config.pen_path, "train", config.seed, config.train_workers, limit,
                                             file=file)
            sources.append(Source(name, images, labels, mix))
    if config.corrections:
        sources.append(corrections_of(*corrections_store.read_corrections(config.corrections_path)))
    return sources


def corrections_of(images: np.ndarray, labels: np.ndarray) -> Source:
    """The characters that a user has corrected, which are pen strokes too."""
    return Source("corrections", images, labels, PEN_STROKES)


def join(config: TrainingConfig, images: np.ndarray, sources: list[Source]) -> Data:
    """Join what load_sources has read into one data set."""
    sizes = {source.name: len(source.labels) for source in sources}
    if len(sources) > 2:
        parts = [source.images for source in sources]
        images = np.concatenate(parts, out=devices.aligned((sum(map(len, parts)), 28, 28)))
    targets = np.concatenate([np.stack([source.labels, other_labels(source), np.full_like(source.labels, source.mix)],
                                       axis=1) for source in sources], dtype=np.int32)
    groups = np.concatenate([source.labels.astype(np.int32) + 62 * place for place, source in enumerate(sources)])
    rows = np.arange(len(images), dtype=np.int32)
    learn = sizes["emnist_train"]
    validate = slice(learn, learn + sizes["emnist_validation"])
    shift = np.zeros((4, 62), np.float32)
    for mix in (SCANS, PEN_STROKES, PEN_WORDS):
        counts = (class_counts(source, config.class_cap) for source in sources if source.mix == mix)
        shift[mix] = alphabets.log_ratio(sum(counts, np.zeros(62)))
    train_rows = np.concatenate([np.delete(rows, validate), _repeated(config, sources, rows)])
    return Data(images, targets, groups, train_rows, rows[validate], shift, sizes)


def _repeated(config: TrainingConfig, sources: list[Source], rows: np.ndarray) -> np.ndarray:
    """The extra copies of the corrections' rows (the last ones) that bring them to their share of an epoch."""
    if not config.corrections:
        return rows[:0]
    others = sum(class_counts(source, config.class_cap).sum() for source in sources[:-1] if source.mix != NATURAL)
    wanted = others * config.corrections / (1 - config.corrections)
    count = len(sources[-1].labels)
    return np.resize(rows[-count:], max(0, round(wanted) - count))


def class_counts(source: Source, cap: int) -> np.ndarray:
    """How many images of each class an epoch takes from a source: float (62,).

    Where the case is unknown, an image counts for both letters, in proportion to their natural shares.
    """
    natural, counts = alphabets.OFFICIAL_COUNTS, np.zeros(62)
    seen = np.bincount(source.labels, minlength=62)
    seen = np.minimum(seen, cap) if cap else seen
    for label, other in set(zip(source.labels.tolist(), other_labels(source).tolist())):
        share = natural[label] / (natural[label] + natural[other]) if label != other else 1.0
        counts[label] += share * seen[label]
        counts[other] += (1 - share) * seen[label]
    return counts


def other_labels(source: Source) -> np.ndarray:
    """The second label of each image, uint8 (n,): the same as the first where the case is known."""
    return source.labels if source.others is None else source.others
