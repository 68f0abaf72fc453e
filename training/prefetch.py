"""Strips to learn from, written by processes of their own while the network learns from the last.

No Keras in here: the processes that write do not need it.
"""
import multiprocessing
import queue
import random
from collections.abc import Iterator

import cv2
import numpy as np

from common import alphabets, errors, line_image
from training import synthesis

AREA = 96                # px of width that a strip of a batch has on average
LONG = 700               # px: batches of strips so long hold twice as much, since an LSTM's steps cost most there
MOST = 2.5               # times batch_size: strips in a batch, however narrow
CHUNK = 12               # batches of strips are written and sorted by width together
WAITING = 24             # batches wait, at most
KEPT = 200               # batches that may be given again
EASY_EPOCHS = 2          # of synthesis.FIRST_KINDS, where a network starts from nothing


def batches(samples: list[synthesis.Sample], batch_size: int, rng: np.random.Generator | None = None) -> Iterator[tuple]:
    """Samples of like width together: strips uint8 (n, height, width), labels int32 (n, length), sources.

    The wider they are, the fewer are in a batch, so that each takes about as long.
    """
    blur = rng.normal(0, 8, len(samples)) if rng else np.zeros(len(samples))
    order = np.argsort([picture.shape[1] for picture, *_ in samples] + blur, kind="stable")
    groups, group, widest = [], [], 0
    for row in order.tolist():
        wider = max(widest, samples[row][0].shape[1])
        area = AREA * batch_size * (1 + wider / LONG)
        if group and (wider * (len(group) + 1) > area or len(group) >= MOST * batch_size):
            groups.append(group)
            group, wider = [], samples[row][0].shape[1]
        group.append(samples[row])
        widest = wider
    groups.append(group)
    for place in rng.permutation(len(groups)) if rng else range(len(groups)):
        pictures, texts, sources = zip(*groups[place], strict=True)
        labels = np.zeros((len(texts), max(map(len, texts))), np.int32)
        for row, text in enumerate(texts):
            labels[row, :len(text)] = [alphabets.LABELS[character] for character in text]
        yield line_image.to_batch(pictures), labels, sources


def _write(strips: queue.Queue, config: dict, epoch: int, dropped: set, place: int, writers: int) -> None:
    """Fill the queue with batches, from this epoch on; runs in a process of its own, one of `writers`."""
    cv2.setNumThreads(1)
    try:
        share = config["corrections"]
        writer = synthesis.LineSynthesizer(config["pen_path"], config["data_path"], variety=config["augmentation"],
                               corrections_path=config["corrections_path"] if share else "",
                               val_split=config["val_split"])
        writer.dropped = dropped
        while True:
            kinds = synthesis.FIRST_KINDS if epoch < EASY_EPOCHS and not config["finetune"] else synthesis.KINDS
            kinds = {kind: (1 - share) * often for kind, often in kinds.items()} | {"corrected": share}
            left, chunk = (config["epoch_steps"] + place) // writers, place
            while left:
                rng = np.random.default_rng((config["seed"], epoch, chunk))
                samples, area = [], 0
                while area < AREA * config["batch_size"] * CHUNK:
                    sample = writer.sample(rng, kinds)
                    if sample:
                        samples.append(sample)
                        area += sample[0].shape[1] + 8
                for batch in list(batches(samples, config["batch_size"], rng))[:left]:
                    while not _put(strips, batch[:2]):
                        if not multiprocessing.parent_process().is_alive():
                            return  # nobody will read on
                    left -= 1
                chunk += writers
            epoch += 1
    except (KeyboardInterrupt, BrokenPipeError):
        pass
    except Exception as error:  # the training shall say it, not wait for ever
        strips.put(error)
        raise


def _put(strips: queue.Queue, batch: tuple) -> bool:
    """Put a batch into the queue; False if it is full for long."""
    try:
        strips.put(batch, timeout=5)
        return True
    except queue.Full:
        return False


class Prefetcher:
    """Strips for training, written by other processes while the network learns from the last."""

    def __init__(self, config: dict, epoch: int = 0, dropped: set = frozenset(), writers: int = 1):
        self._echo = config["echo"]
        self._given: list[list] = []   # batches, each with how often it may be given again
        context = multiprocessing.get_context("spawn")
        self.queue = context.Queue(WAITING * writers)
        self.processes = [context.Process(target=_write, args=(self.queue, config, epoch, dropped, place, writers),
                                          daemon=True) for place in range(writers)]
        for process in self.processes:
            process.start()

    def next(self) -> tuple[np.ndarray, np.ndarray, bool]:
        """The next batch, strips and labels, and whether it was given before.

        While none is written yet, an earlier one comes again, each at most config["echo"]
        times (data echoing: Choi et al. 2019, arXiv 1907.05550).
        """
        if self._given and self.queue.empty():
            place = random.randrange(len(self._given))
            self._given[place][1] -= 1
            batch, left = self._given[place]
            if not left:
                del self._given[place]
            return *batch, True
        batch = self._written()
        if self._echo:
            self._given = [*self._given[-KEPT + 1:], [batch, self._echo]]
        return *batch, False

    def _written(self) -> tuple[np.ndarray, np.ndarray]:
        """The next batch that is written, as soon as it is."""
        while True:
            try:
                batch = self.queue.get(timeout=5)
            except queue.Empty:
                if not all(process.is_alive() for process in self.processes):
                    raise errors.DataError("a process that writes strips has ended: see its message above") from None
                continue
            if isinstance(batch, Exception):
                raise batch
            return batch

    def close(self) -> None:
        """End the processes."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.join()
