"""Writes TensorBoard's event files, without TensorFlow, so that every Keras backend can log."""
import secrets
import sys
import time
import types
from pathlib import Path

import cv2
import numpy as np


def spare_tensorflow() -> None:
    """Have TensorBoard handle event files by itself: importing TensorFlow for them would take seconds.

    If TensorBoard finds a module of this name, it leaves TensorFlow alone, see tensorboard/compat/__init__.py.
    """
    name = "tensorboard.compat.notf"
    sys.modules.setdefault(name, types.ModuleType(name))


class EventLog:
    """One run's event file in a folder.

    with EventLog("Models/1700000000/logs/train") as log:
        log.scalar("epoch_loss", 0.5, step=1)
    """

    def __init__(self, folder: str | Path):
        spare_tensorflow()
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.summary.writer.record_writer import RecordWriter
        Path(folder).mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time()):010}.{secrets.token_hex(4)}"
        self._writer = RecordWriter(open(Path(folder, name), "xb"))   # noqa: SIM115  TensorBoard's own uses a thread
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Add a point of a curve."""
        self._add(step, tag=tag, simple_value=float(value))

    def image(self, tag: str, picture: np.ndarray, step: int) -> None:
        """Add a picture: uint8 (height, width), as a PNG, or RGB (height, width, 3), as a JPEG: a run has many."""
        from tensorboard.compat.proto.summary_pb2 import Summary
        height, width, *colours = picture.shape
        encoded = cv2.imencode(*((".jpg", picture[..., ::-1]) if colours else (".png", picture)))[1].tobytes()
        self._add(step, tag=tag, image=Summary.Image(height=height, width=width, colorspace=3 if colours else 1,
                                                     encoded_image_string=encoded))

    def hparams(self, settings: dict, metrics: dict[str, float]) -> None:
        """Add a row of the HParams table: this run's settings and its final metrics."""
        from tensorboard.plugins.hparams import summary_v2 as hp
        self._add_summary(hp.hparams_pb({name: value if isinstance(value, (bool, int, float, str)) else str(value)
                                         for name, value in settings.items()}))
        for tag, value in metrics.items():
            self.scalar(tag, value, 0)

    def close(self) -> None:
        """Write out what is left, and close the file."""
        self._writer.close()

    def _add(self, step: int, **value) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary
        self._add_summary(Summary(value=[Summary.Value(**value)]), step)

    def _add_summary(self, summary, step: int = 0) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        self._write(Event(wall_time=time.time(), step=step, summary=summary))

    def _write(self, event) -> None:
        self._writer.write(event.SerializeToString())
        self._writer.flush()
