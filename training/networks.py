"""All network types, behind one interface, and their .keras files.

A network for characters takes uint8 (batch, 28, 28), upright glyphs with bright ink, and gives float32 logits
(batch, 62).  One for lines takes line images uint8 (batch, 32, width) and gives float32 logits (batch, width / 4,
labels).  One for pages takes pictures uint8 (batch, height, width, 3), RGB, and gives two maps of logits, see `page`.
Scaling to floats is a layer of the network, so that training and reading cannot differ.  The code uses only `keras`
and `keras.ops`: any Keras backend trains it.

    network = networks.build("resnet")
    network = networks.load_network("Models", "1700000000")
"""
import json
import re
import zipfile
from pathlib import Path

import keras
from keras import layers, ops

from common import alphabets, files, line_image, runs
from training import devices

CLASSES = 62
LINE_CLASSES = len(alphabets.ALPHABET) + 1   # CTC's blank first
PAGE_WIDTHS = 32, 48, 64, 96               # channels at 1/4, 1/8, 1/16 and 1/32 of a page's size
DTYPE_POLICY = re.compile(r'("DTypePolicy", "config": {"name": )"\w+"')   # of a layer, in JSON
CORE, RULE, ACROSS, DOWN = range(4)        # of a page's marks: the band from the baseline to the x-height of a whole
# line with its spaces; printed rules, boxes, underlines and drawings; and, not as logits, the cosine and sine of the
# reading direction on the cores, y downwards


def build(name: str, dropout: float = 0.3) -> keras.Model:
    """The network called `name`, with fresh weights."""
    if name == "page":
        pictures = keras.Input((None, None, 3), dtype="uint8", name="pictures")
        maps = NETWORKS[name](layers.Rescaling(1 / 127.5, offset=-1.0)(pictures), dropout)
        return keras.Model(pictures, maps, name=name)
    if name == "line":
        images = keras.Input((line_image.HEIGHT, None), dtype="uint8", name="line_images")
        features = NETWORKS[name](layers.Rescaling(1 / 255)(images), dropout)
        return keras.Model(images, layers.Dense(LINE_CLASSES, dtype="float32", name="logits")(features), name=name)
    glyphs = keras.Input((28, 28), dtype="uint8", name="glyphs")
    features = NETWORKS[name](Soften(name="soften")(layers.Rescaling(1 / 255)(glyphs)), dropout)
    # float32 logits even in mixed precision: float16 would lose small differences in the loss.
    logits = layers.Dense(CLASSES, dtype="float32", name="logits")(features)
    return keras.Model(glyphs, logits, name=name)


def load_network(models_path: str | Path, unix_time: str) -> keras.Model:
    """The trained network of a run; runs.RunError when there is none, or model.keras is damaged or of another shape."""
    reads = runs.read_config(models_path, unix_time)["reads"]
    path = Path(models_path, unix_time, "model.keras")
    try:
        network = keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises many kinds of exceptions for a damaged file
        raise runs.RunError(f"{path} cannot be loaded ({error.__class__.__name__}): copy it again, or choose one of "
                            f"the runs in {models_path}: {', '.join(runs.list_runs(models_path)) or 'none'}") from error
    runs.check_network(path, reads, getattr(network, "input_shape", ())[1:], getattr(network, "output_shape", ())[1:])
    network.jit_compile = devices.jit_compile()  # for predict_on_batch
    return network


def load_to_train(models_path: str | Path, unix_time: str) -> keras.Model:
    """As load_network, but computing under Keras's dtype policy: for a network that goes on learning, or teaches."""
    return with_policy(load_network(models_path, unix_time), keras.config.dtype_policy().name)


def save_network(network: keras.Model, path: Path) -> None:
    """Write a network as a .keras file; the .onnx file beside it belongs to the previous one, and is removed."""
    path.with_suffix(".onnx").unlink(missing_ok=True)
    files.write_atomically(path, lambda temporary: _save(network, temporary))


def _save(network: keras.Model, path: Path) -> None:
    """Write a .keras file, compressed: as Keras writes it, many small layers take a third more space."""
    network.save(path)
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)


@keras.saving.register_keras_serializable("handwriting")
class Soften(layers.Layer):
    """Blurs pictures in reading as much as augmentation does in training; in training this layer does nothing.

    Augmentation interpolates between pixels, which blurs a little; a network that has seen nothing else reads sharp
    pictures worse (H. Touvron et al. 2019, "Fixing the train-test resolution discrepancy", arXiv 1906.06423, found
    the same for sizes).  augment.softness computes the amount.

    pictures: float (batch, height, width) -> the same.  Each pixel takes the share `softness` from each of its four
    neighbours, along one axis after the other.
    """

    def build(self, shape):
        """Create the weight."""
        self.softness = self.add_weight(shape=(), initializer="zeros", trainable=False, name="softness")

    def call(self, pictures, training=False):
        """Blur pictures, unless in training."""
        if training:
            return pictures
        softness = ops.cast(self.softness, pictures.dtype)
        for axis in (1, 2):
            before, behind = beside(pictures, axis)
            pictures = pictures + softness * (before + behind - 2 * pictures)
        return pictures


def with_policy(network: keras.Model, policy: str) -> keras.Model:
    """A network that computes under a dtype policy, such as "mixed_bfloat16"; its outputs stay float32.

    It is the network itself if it does already, or else a copy.
    """
    before = network.to_json()
    described = json.loads(before)
    for layer in described["config"]["layers"]:
        if layer["name"] not in network.output_names:
            own = _recurrent(policy) if layer["class_name"] == "Bidirectional" else policy
            layer["config"] = json.loads(DTYPE_POLICY.sub(rf'\1"{own}"', json.dumps(layer["config"])))
    if described == json.loads(before):
        return network
    copy = keras.models.model_from_json(json.dumps(described))
    copy.set_weights(network.get_weights())
    copy.jit_compile = devices.jit_compile()
    return copy


def _recurrent(policy: str) -> str:
    """The dtype policy of LSTMs in a network of this policy: on CPUs bfloat16 makes their small steps slower."""
    return "float32" if policy == "mixed_bfloat16" else policy


def _lstm(units: int, **more):
    """An LSTM in both directions."""
    policy = _recurrent(keras.config.dtype_policy().name)
    return layers.Bidirectional(layers.LSTM(units, dtype=policy, **more), dtype=policy)


def set_softness(network: keras.Model, softness: float) -> None:
    """Set the softness of a network's Soften layer; without one, do nothing."""
    for variable in network.non_trainable_variables:
        if variable.name == "softness":
            variable.assign(softness)


def set_dropout(network: keras.Model, dropout: float) -> None:
    """Set the rate of all Dropout layers of a network."""
    for layer in network.layers:
        if isinstance(layer, layers.Dropout):
            layer.rate = dropout


def dense(x, dropout):
    """784-256-128-62: the classic main network."""
    x = layers.Flatten()(x)
    for units in (256, 128):
        x = layers.Dropout(dropout)(layers.Dense(units, activation="relu")(x))
    return x


def conv(x, dropout):
    """One wide convolution and a dense layer."""
    x = layers.Reshape((28, 28, 1))(x)
    x = layers.MaxPooling2D()(layers.Conv2D(32, 5, activation="relu")(x))
    x = layers.Flatten()(layers.Dropout(dropout)(x))
    return layers.Dense(128, activation="relu")(x)


def deepconv(x, dropout):
    """Four convolutions with batch normalisation and global average pooling."""
    def convolution(x, channels):
        return layers.Conv2D(channels, 3, padding="same", activation="relu", kernel_initializer="he_normal")(x)

    x = layers.Reshape((28, 28, 1))(x)
    x = layers.BatchNormalization()(layers.MaxPooling2D()(convolution(x, 32)))
    x = layers.BatchNormalization()(convolution(x, 64))
    x = layers.BatchNormalization()(layers.MaxPooling2D()(x))
    x = layers.BatchNormalization()(convolution(x, 256))
    x = layers.BatchNormalization()(convolution(x, 256))
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(256, activation="relu", kernel_initializer="he_normal")(x)
    return layers.Dropout(dropout)(x)


def resnet(x, dropout):
    """A residual network (He et al. 2016, arXiv 1512.03385), built for accuracy per CPU millisecond.

    Its stem halves the picture at once, and most of its weights work on 7x7 and 4x4 maps, where convolutions are
    most efficient on a CPU.
    """
    x = layers.Reshape((28, 28, 1))(x)
    x = layers.ReLU()(_convolution(x, 40, kernel=5, strides=2))
    for channels, strides in ((40, 1), (40, 1), (128, 2), (128, 1), (128, 1), (256, 2), (256, 1)):
        x = _residual(x, channels, strides)
    return layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(x))


def _convolution(x, channels, kernel=3, strides=1):
    x = layers.Conv2D(channels, kernel, strides, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    return layers.BatchNormalization()(x)


def _residual(x, channels, strides):
    """Two convolutions with a skip connection."""
    y = layers.ReLU()(_convolution(x, channels, strides=strides))
    y = _convolution(y, channels)
    if strides != 1:
        x = _convolution(layers.AveragePooling2D(strides, padding="same")(x), channels, kernel=1)
    return layers.ReLU()(layers.Add()([x, y]))


def lstm(x, dropout):
    """Reads the glyph as a sequence of rows and as a sequence of columns, each in both directions."""
    rows = _lstm(64)(x)
    columns = _lstm(64)(layers.Permute((2, 1))(x))
    x = layers.Concatenate()([rows, columns])
    return layers.Dropout(dropout)(layers.Dense(128, activation="relu")(x))


def mixer(x, dropout, patch=4, width=96):
    """MLP-Mixer (Tolstikhin et al. 2021, arXiv 2105.01601): patches and dense layers, no convolution."""
    side = 28 // patch
    tokens = side * side
    x = layers.Reshape((side, patch, side, patch))(x)
    x = layers.Reshape((tokens, patch * patch))(layers.Permute((1, 3, 2, 4))(x))
    x = layers.Dense(width)(x)
    for _ in range(4):
        y = layers.Permute((2, 1))(layers.LayerNormalization()(x))       # channels x tokens
        y = layers.Dense(tokens)(layers.Dense(64, activation="relu")(y))
        x = layers.Add()([x, layers.Permute((2, 1))(y)])
        y = layers.Dense(192, activation="relu")(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Dense(width)(y)])
    x = layers.Flatten()(layers.Dense(32)(layers.LayerNormalization()(x)))
    return layers.Dropout(dropout)(layers.Dense(256, activation="relu")(x))


def line(x, dropout):
    """Reads a word or line from left to right for CTC: convolutions, then LSTMs in both directions.

    One step is 4 px wide (Shi et al. 2017, arXiv 1507.05717, but with residual blocks).  The layer "columns", the
    convolutions' output by column, can take a second CTC loss (Retsinas et al. 2022, arXiv 2404.11339).
    """
    x = layers.Reshape((line_image.HEIGHT, -1, 1))(x)
    x = layers.ReLU()(_convolution(x, 32, kernel=5, strides=2))
    for channels, strides in ((32, 1), (64, 2), (64, 1), (112, (2, 1)), (112, 1)):
        x = _residual(x, channels, strides)
    x = layers.Permute((2, 1, 3))(x)
    x = layers.Reshape((-1, line_image.HEIGHT // 8 * 112), name="columns")(x)
    x = layers.Dropout(dropout)(layers.Dense(192, activation="relu")(x))
    for _ in range(2):
        x = _lstm(192, return_sequences=True)(x)
        x = layers.Dropout(dropout)(x)
    return x


def page(x, dropout):
    """Finds the writing on a page: a small U-Net (Ronneberger et al. 2015, arXiv 1505.04597).

    Returns "ink" (batch, height, width, 1), how much of each pixel writing covers, and "marks" (batch, height / 2,
    width / 2, 4), with channels CORE to DOWN; both sides of the picture must be multiples of 32.  It works at a quarter
    of the size and below: at half the size a page would take twice the time and memory.  Full convolutions near the
    picture, where channels are few, and depthwise ones further down are fastest on a CPU (Tan and Le 2021,
    "EfficientNetV2", arXiv 2104.00298).
    """
    x = layers.ReLU()(_convolution(x, PAGE_WIDTHS[0], kernel=8, strides=4))
    x = layers.Add()([x, layers.ReLU()(_convolution(x, PAGE_WIDTHS[0]))])
    skips = []
    for level, width in enumerate(PAGE_WIDTHS):
        if level:
            x = layers.ReLU()(_separable(x, width, strides=2))
        for dilation in ((1, 1), (1, 1), (1, 1), (1, 2, 1))[level]:
            x = _page_residual(x, dilation, expand=level > 0)
        skips.append(x)
    x = layers.Dropout(dropout)(skips.pop())
    for level in (2, 1, 0):
        x = layers.UpSampling2D(2)(layers.ReLU()(_convolution(x, PAGE_WIDTHS[level], kernel=1)))
        x = layers.Add()([x, skips.pop()])
        for _ in range(1 if level else 2):
            x = _page_residual(x, expand=level > 0)
    ink = layers.Conv2D(4 * 4, 3, padding="same", dtype="float32")(x)
    marks = layers.Conv2D(2 * 2 * 4, 1, dtype="float32")(x)
    return [DepthToSpace(4, dtype="float32", name="ink")(ink), DepthToSpace(2, dtype="float32", name="marks")(marks)]


def _page_residual(x, dilation: int = 1, expand: bool = True):
    """A depthwise convolution with a skip connection; with twice as many channels where there are few pixels."""
    width = x.shape[-1]
    y = layers.ReLU()(_convolution(x, 2 * width, kernel=1)) if expand else x
    return layers.Add()([x, _separable(y, width, dilation=dilation)])


def _separable(x, channels, strides=1, dilation=1):
    x = layers.DepthwiseConv2D(5, strides, padding="same", dilation_rate=dilation, use_bias=False)(x)
    return _convolution(layers.ReLU()(layers.BatchNormalization()(x)), channels, kernel=1)


@keras.saving.register_keras_serializable("handwriting")
class DepthToSpace(layers.Layer):
    """Channels become the pixels of a map `block` times as large (Shi et al. 2016, arXiv 1609.05158)."""

    def __init__(self, block: int = 2, **more):
        super().__init__(**more)
        self.block = block

    def call(self, x):
        """float (batch, height, width, block * block * n) -> (batch, block * height, block * width, n)."""
        (_, height, width, _), block = ops.shape(x), self.block
        x = ops.reshape(x, (-1, height, width, block, block, x.shape[-1] // block ** 2))
        return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, block * height, block * width, x.shape[-1]))

    def get_config(self):
        """What Keras rebuilds it from."""
        return super().get_config() | {"block": self.block}


NETWORKS = {network.__name__: network for network in (dense, conv, deepconv, resnet, lstm, mixer, line, page)}


def beside(images, axis: int):
    """The neighbours before and after each pixel of (batch, height, width) along axis 1 or 2; 0 beyond the border."""
    padded = ops.pad(images, [(1, 1) if i == axis else (0, 0) for i in range(3)])
    return (padded[:, :-2], padded[:, 2:]) if axis == 1 else (padded[:, :, :-2], padded[:, :, 2:])
