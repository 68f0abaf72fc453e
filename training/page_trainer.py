"""Trains the page network on pages that another process makes meanwhile; goes on from its checkpoint.

    python -m training.page_trainer --run=FOLDER            train, or go on
    python -m training.page_trainer --run=FOLDER --export   write FOLDER/page.onnx from its checkpoint, and end

FOLDER/checkpoint.npz holds all that a training goes on from, FOLDER/log.jsonl how it went.  What reads are the
averaged weights (Polyak and Juditsky 1992), so that the learning rate need not fall: end it when you like.
"""
import itertools
import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np

from common import files, settings

# ---- settings: change them here or on the command line, as --name=value
run = "Models/page"              # folder of the checkpoint and the log
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes
shared = "Dataset/shared"        # folder with fonts, text, copiste and backgrounds
side = 512                       # px of a picture
batch = 8                        # pictures in a step
steps = 1000000                  # in all
learning_rate = 0.002            # step size of the optimiser
warm_up = 200                    # steps until it is reached
average = 0.998                  # of the averaged weights stays in a step
minutes = 4.0                    # between two checkpoints
workers = 1                      # processes that make pages
threads = 1                      # of the training itself
export = False                   # write the network for reading, and end
# ---- end of settings

REPORT = 25                      # steps between two lines of the log
WEIGHTS = {"ink": 1.0, "core": 1.0, "rule": 0.5, "direction": 0.5}


def losses(outputs, truth):
    """The parts of the loss, a dict of scalars.

    outputs: of the network.  truth: ink, core, rule, known uint8 (batch, height, width) and direction (batch, 2).
    Cross entropy tells how sure to be, Dice's coefficient that few pixels are ink (Milletari et al. 2016, V-Net).
    """
    import tensorflow as tf

    from training.page_networks import CORE, RULE
    ink, core, rule, known = (tf.cast(each, "float32") / 255 for each in truth[:4])
    fine, marks = outputs
    known_fine = tf.repeat(tf.repeat(known, 2, axis=1), 2, axis=2)

    def told(logits, target, weight):
        cross = tf.nn.sigmoid_cross_entropy_with_logits(target, logits)
        found = tf.sigmoid(logits)
        both = 2 * tf.reduce_sum(weight * found * target) + 1
        every = tf.reduce_sum(weight * (found * found + target * target)) + 1
        return tf.reduce_sum(weight * cross) / (tf.reduce_sum(weight) + 1) + 0.5 * (1 - both / every)

    direction = marks[..., 2:] - truth[4][:, None, None]
    of_core = core * known
    return {"ink": told(fine[..., 0], ink, known_fine), "core": told(marks[..., CORE], core, known),
            "rule": told(marks[..., RULE], rule, known),
            "direction": tf.reduce_sum(of_core[..., None] * direction ** 2) / (tf.reduce_sum(of_core) + 1)}


def make_pages(queue, config: dict, number: int) -> None:
    """Put batches into a queue until the process is ended."""
    import cv2

    from training.page_synthesis import PageSynthesizer
    from training.page_writing import Sources
    cv2.setNumThreads(1)
    rng = np.random.default_rng((int(time.time()), number))
    samples_of = PageSynthesizer(Sources.read(config["pen_path"], config["shared"]), config["side"]).stream(rng)
    while True:
        samples = list(itertools.islice(samples_of, config["batch"]))
        queue.put([np.stack(part) for part in zip(*samples)])


class Training:
    """The network, its optimiser, and where they are kept."""

    def __init__(self, config):
        """config: the settings above, as attributes."""
        import keras

        from training import page_networks
        self.folder, self.config, self.step = Path(config.run), config, 0
        self.folder.mkdir(parents=True, exist_ok=True)
        self.network = page_networks.build()
        self.optimizer = keras.optimizers.AdamW(config.learning_rate, weight_decay=1e-4, clipnorm=1.0, beta_2=0.99)
        self.optimizer.build(self.network.trainable_variables)
        self.averaged = [np.array(variable) for variable in self.network.weights]
        if (self.folder / "checkpoint.npz").exists():
            self._load()

    def _load(self) -> None:
        with np.load(self.folder / "checkpoint.npz") as kept:
            self.step = int(kept["step"])
            for place, variable in enumerate(self.network.weights):
                variable.assign(kept[f"network_{place}"])
                self.averaged[place] = kept[f"averaged_{place}"]
            for place, variable in enumerate(self.optimizer.variables):
                variable.assign(kept[f"optimizer_{place}"])

    def save(self) -> None:
        """Write the checkpoint."""
        content = {f"network_{place}": np.array(each) for place, each in enumerate(self.network.weights)}
        content |= {f"averaged_{place}": each for place, each in enumerate(self.averaged)}
        content |= {f"optimizer_{place}": np.array(each) for place, each in enumerate(self.optimizer.variables)}

        def write(temporary: Path) -> None:
            with open(temporary, "wb") as file:
                np.savez(file, step=self.step, **content)

        files.write_atomically(self.folder / "checkpoint.npz", write)

    def average(self) -> None:
        """Take the newest weights into the average, soon of as many steps as the setting says."""
        kept = min(self.config.average, (1 + self.step) / (10 + self.step))
        for place, variable in enumerate(self.network.weights):
            self.averaged[place] += (1 - kept) * (np.array(variable) - self.averaged[place])

    def export(self) -> Path:
        """Write the network with averaged weights as ONNX, for pictures of any size."""
        for variable, value in zip(self.network.weights, self.averaged):
            variable.assign(value)
        self.network(np.zeros((1, 64, 64, 3), np.uint8))
        path = self.folder / "page.onnx"
        files.write_atomically(path, lambda temporary: self.network.export(str(temporary), format="onnx",
                                                                           verbose=False))
        return path

    def compiled_step(self):
        """A function of one batch that trains, and gives the parts of the loss."""
        import tensorflow as tf

        @tf.function(reduce_retracing=True)
        def train(picture, *truth):
            with tf.GradientTape() as tape:
                parts = losses(self.network(picture, training=True), truth)
                loss = sum(WEIGHTS[name] * part for name, part in parts.items())
            variables = self.network.trainable_variables
            self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
            return parts

        return train

    def go_on(self, queue) -> None:
        """Train on the batches of a queue."""
        train, seen, last = self.compiled_step(), [], time.time()
        begun = self.step
        while self.step < self.config.steps:
            self.optimizer.learning_rate.assign(self.config.learning_rate
                                                * min(1.0, (self.step - begun + 1) / self.config.warm_up))
            seen.append({name: float(part) for name, part in train(*queue.get()).items()})
            self.step += 1
            self.average()
            if self.step % REPORT == 0:
                means = {name: round(float(np.mean([each[name] for each in seen])), 4) for name in WEIGHTS}
                with open(self.folder / "log.jsonl", "a", encoding="utf-8") as log:
                    log.write(json.dumps({"step": self.step, "time": round(time.time())} | means) + "\n")
                seen = []
            if time.time() - last > 60 * self.config.minutes:
                self.save()
                last = time.time()


def main(arguments: list[str]) -> None:
    """Train, or export."""
    config, _ = settings.configure(globals(), arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(config.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    training = Training(config)
    if config.export:
        print(training.export(), "after", training.step, "steps")
        return
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(4)
    makers = [context.Process(target=make_pages, args=(queue, vars(config), number), daemon=True)
              for number in range(config.workers)]
    for maker in makers:
        maker.start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        training.go_on(queue)
    finally:
        training.save()


if __name__ == "__main__":
    settings.run(main, interrupted="the checkpoint is kept")
