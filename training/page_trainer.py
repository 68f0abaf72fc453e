"""Trains the page network: pages from parallel processes, and validation on pages by other people."""
from pathlib import Path

import cv2
import keras
import numpy as np
from keras import ops

from common import files
from training import devices, networks, optimizer, page_synthesis, prefetch
from training.pipeline import Trainer

WEIGHTS = {"ink": 1.0, "core": 1.0, "rule": 0.5, "direction": 0.5}   # weights of the parts of the loss
SHOWN, REDUCED = 2, 0.5  # validation pages in a picture for TensorBoard, and the scale of pictures
BATCH = 8                # validation pages at once


class PageTrainingModel(keras.Model):
    """Trains `network` on pictures uint8 (batch, side, side, 3) and what is where in them, see page_synthesis.Sample.

    Cross-entropy teaches how sure to be, the Dice coefficient that few pixels are ink (Milletari et al. 2016, "V-Net",
    arXiv 1606.04797).
    """
    own_variables = ()   # that --resume needs besides the network and the optimiser

    def __init__(self, network):
        super().__init__()
        self.network = network
        self.built = True

    def call(self, pictures, training=False):
        """The network's two maps of logits."""
        return self.network(pictures, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of the losses of ink, cores, rules and direction."""
        ink, core, rule, known = (ops.cast(each, "float32") / 255 for each in y[:4])
        fine, marks = y_pred
        off = ops.sum((marks[..., networks.ACROSS:] - y[4][:, None, None]) ** 2, axis=-1)
        of_core = core * known
        parts = {"ink": _loss(fine[..., 0], ink, ops.repeat(ops.repeat(known, 2, axis=1), 2, axis=2)),
                 "core": _loss(marks[..., networks.CORE], core, known),
                 "rule": _loss(marks[..., networks.RULE], rule, known),
                 "direction": ops.sum(of_core * off) / (ops.sum(of_core) + 1)}
        return sum(WEIGHTS[name] * part for name, part in parts.items())


def _loss(logits, target, weight):
    """Cross-entropy and Dice loss of a map (batch, height, width); weight: 0 where the truth is unknown."""
    cross = ops.sum(weight * ops.binary_crossentropy(target, logits, from_logits=True)) / (ops.sum(weight) + 1)
    found = ops.sigmoid(logits)
    both = 2 * ops.sum(weight * found * target) + 1
    return cross + 0.5 * (1 - both / (ops.sum(weight * (found * found + target * target)) + 1))


class PageTrainer(Trainer):
    """Trains a network that finds the writing on pages; its data are validation pages, see page_synthesis.Sample."""

    def build_model(self) -> PageTrainingModel:
        """See Trainer."""
        model = PageTrainingModel(self.first_network())
        adam = optimizer.optimizer_of(self.config, self.config.epoch_steps * self.config.train_epochs, clipnorm=1.0,
                                      beta_2=0.99)
        model.compile(adam, jit_compile=devices.jit_compile())
        adam.build(model.trainable_variables)
        return model

    def fit(self, model, callbacks, epoch=0):
        """See Trainer."""
        config = self.config
        prefetcher = prefetch.Prefetcher(config, epoch)
        batches = (batch for batch in iter(prefetcher.next, None))   # endless; Keras takes generators
        with prefetcher.surfacing():
            return model.fit(batches, epochs=config.train_epochs, initial_epoch=epoch,
                             steps_per_epoch=config.epoch_steps, validation_data=page_synthesis.stacked(self.data),
                             validation_batch_size=BATCH, shuffle=False, verbose=0, callbacks=callbacks)

    def pictures(self, model) -> dict[tuple[str, str], np.ndarray]:
        """Validation pages with what is there and what the network finds."""
        return {("validation", "truth above, found below"): found_picture(model.network, self.data[:SHOWN])}

    def describe(self) -> dict:
        """Hashes of the files with pen strokes and of the list of real pages."""
        paths = (*(Path(self.config.pen_path, f"{kind}.jsonl.gz") for kind in ("words", "characters")),
                 Path(self.config.paper_path, "copiste", "pages.jsonl"))
        return {"sha256": {path.name: files.sha256(path) for path in paths}}

    def finish(self, folder: Path, network: keras.Model) -> None:
        """Write metrics.json and pictures into a run's folder."""
        pictures, truth = page_synthesis.stacked(self.data)
        outputs = network.predict(pictures, BATCH, verbose=0)
        loss = PageTrainingModel(network).compute_loss(y=truth, y_pred=outputs)
        found = {"parameters": network.count_params(), "pages": len(self.data),
                 "loss": round(float(ops.convert_to_numpy(loss)), 4)}
        files.write_json(folder / "metrics.json", {"validation": found})
        files.save_picture(found_picture(network, self.data[:2 * SHOWN]), folder / "pages.png")
        print(f"loss {found['loss']}")


def found_picture(network, samples: list[page_synthesis.Sample]) -> np.ndarray:
    """Pages with what is known above and what a network finds below, scaled by REDUCED: uint8 RGB."""
    outputs = network.predict(np.stack([sample.picture for sample in samples]), BATCH, verbose=0)
    columns = []
    for sample, fine, marks in zip(samples, *outputs, strict=True):
        ink, core, rule = ((255 / (1 + np.exp(-logits))).astype(np.uint8) for logits in
                           (fine[..., 0], marks[..., networks.CORE], marks[..., networks.RULE]))
        found = sample._replace(ink=ink, core=core, rule=rule, known=np.full_like(core, 255))
        columns.append(np.vstack([page_synthesis.overlay(each) for each in (sample, found)]))
    return cv2.resize(np.hstack(columns), None, fx=REDUCED, fy=REDUCED, interpolation=cv2.INTER_AREA)
