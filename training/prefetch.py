"""Batches of line images or pages, written by processes while the network learns from earlier ones.

This module does not import Keras, which the writing processes do not need.
"""
import contextlib
import itertools
import multiprocessing
import os
import queue
from collections.abc import Iterator

import cv2
import numpy as np

from common import alphabets, errors, interrupt, line_image
from training import devices, page_synthesis, synthesis
from training.config import TrainingConfig

AREA = 96                # px: average width of a line image in a batch
LONG = 700               # px: batches of images this wide hold twice as much, since an LSTM's steps cost most there
MOST = 2.5               # times batch_size: maximum number of images in a batch, however narrow
CHUNK = 12               # batches whose images are written and sorted by width together
WAITING = 24             # maximum number of waiting batches per writing process
MOST_WRITERS = 14        # maximum number of writing processes; each takes 0.8 GB of memory
EASY_EPOCHS = 2          # with synthesis.FIRST_KINDS, where a network starts from scratch


def batches(samples: list[synthesis.Sample], batch_size: int,
            rng: np.random.Generator | None = None) -> Iterator[tuple]:
    """Batches of similar width: images uint8 (n, height, width) and labels int32 (n, length).

    The wider the images, the fewer are in a batch, so that all batches take about as long.
    """
    blur = rng.normal(0, 8, len(samples)) if rng else np.zeros(len(samples))
    widths = [sample.picture.shape[1] for sample in samples]
    groups, group, widest = [], [], 0
    for row in np.argsort(widths + blur, kind="stable").tolist():
        wider = max(widest, widths[row])
        area = AREA * batch_size * (1 + wider / LONG)
        if group and (wider * (len(group) + 1) > area or len(group) >= MOST * batch_size):
            groups.append(group)
            group, wider = [], widths[row]
        group.append(samples[row])
        widest = wider
    groups.append(group)
    for place in rng.permutation(len(groups)) if rng else range(len(groups)):
        pictures, texts, _ = zip(*groups[place], strict=True)
        labels = np.zeros((len(texts), max(map(len, texts))), np.int32)
        for row, text in enumerate(texts):
            labels[row, :len(text)] = [alphabets.LABELS[character] for character in text]
        yield line_image.to_batch(pictures), labels


def _of_epoch(synthesizer: synthesis.LineSynthesizer, config: TrainingConfig, epoch: int, place: int,
              writers: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The batches of an epoch that process number `place` of `writers` writes: images and labels."""
    kinds = synthesis.FIRST_KINDS if epoch < EASY_EPOCHS and not config.finetune else synthesis.KINDS
    kinds = {kind: (1 - config.corrections) * share for kind, share in kinds.items()}
    left, chunk = (config.epoch_steps + place) // writers, place
    while left:
        rng = np.random.default_rng((config.seed, epoch, chunk))
        samples, area = [], 0
        while area < AREA * config.batch_size * CHUNK:
            sample = synthesizer.sample(rng, kinds | {"corrected": config.corrections})
            if sample:
                samples.append(sample)
                area += sample.picture.shape[1] + 8
        for batch in list(batches(samples, config.batch_size, rng))[:left]:
            yield batch
            left -= 1
        chunk += writers


def _line_batches(config: TrainingConfig, epoch: int, *place_of_writers) -> Iterator[tuple]:
    """The batches of all epochs from `epoch` on, as `_of_epoch` yields them."""
    synthesizer = synthesis.LineSynthesizer(
        config.pen_path, config.data_path, variety=config.augmentation, val_split=config.val_split,
        corrections_path=config.corrections_path if config.corrections else "", paper_path=config.paper_path)
    for number in itertools.count(epoch):
        yield from _of_epoch(synthesizer, config, number, *place_of_writers)


def _write(written: multiprocessing.Queue, config: TrainingConfig, epoch: int, *place_of_writers) -> None:
    """Fill the queue with batches from this epoch on; each process runs this."""
    interrupt.end_with_parent()
    cv2.setNumThreads(1)
    try:
        batches_of = page_synthesis.batches if config.reads == "pages" else _line_batches
        for batch in batches_of(config, epoch, *place_of_writers):
            written.put(batch)
    except Exception as error:
        written.put(error)   # the training raises it


def count_writers(config: TrainingConfig) -> int:
    """How many processes write: one feeds a dozen training CPU cores, and a GPU takes what fourteen write."""
    most = min(config.train_workers, config.epoch_steps, MOST_WRITERS, (os.cpu_count() or 2) - 1)
    return max(1, most) if devices.gpus() else 1


class Prefetcher:
    """Processes that write training batches from an epoch on."""
    error: Exception | None = None   # what `next` has raised; TensorFlow hides it in an error of its own

    def __init__(self, config: TrainingConfig, epoch: int = 0, writers: int = 0):
        """writers: number of processes; 0: as many as the training needs."""
        writers = writers or count_writers(config)
        context = multiprocessing.get_context("spawn")
        self._written = context.Queue(WAITING * writers)
        self.processes = [context.Process(target=_write, args=(self._written, config, epoch, place, writers),
                                          daemon=True) for place in range(writers)]
        for process in self.processes:
            process.start()
        self._written._writer.close()   # theirs alone: otherwise a batch that a kill cuts short is awaited forever

    def next(self) -> tuple:
        """The next batch, as soon as it is written: images uint8 (n, height, width), labels int32 (n, length).

        For pages, see page_synthesis.batches.

        Raises what a process has raised, and errors.DataError when one has ended.
        """
        while True:
            try:
                batch = self._written.get(timeout=5)
            except (queue.Empty, EOFError, OSError):   # or the pipe's end, even in the middle of a batch
                if all(process.is_alive() for process in self.processes):
                    continue
                batch = errors.DataError("a process that writes what is learned was ended: is there memory for "
                                         "--train_workers= of them?")
            if isinstance(batch, Exception):
                self.error = batch
                raise batch
            return batch

    @contextlib.contextmanager
    def surfacing(self) -> Iterator[None]:
        """A context for training: raises what `next` has raised, and ends the processes."""
        try:
            yield
        except Exception:
            if self.error:
                raise self.error from None
            raise
        finally:
            self.close()

    def close(self) -> None:
        """End the processes."""
        for process in self.processes:
            process.terminate()
            process.join()
