"""The network types, side by side, behind one interface.

Every network takes uint8 (batch, 28, 28), upright glyphs with bright ink, and
gives float32 logits (batch, 62).  Scaling to floats is a layer inside, so that
training and reading cannot differ.  Written against `keras` and `keras.ops`
alone: any Keras backend trains it.

    network = networks.build("resnet")
"""
import functools

import keras
import numpy as np
from keras import layers, ops

from common import line_image, settings

CLASSES = 62
LINE_CLASSES = 96   # CTC's blank, and scribe.ALPHABET


def reads(name: str) -> str:
    """What the network called `name` reads, "characters" or "lines"; SettingsError for an unknown name."""
    if name not in NETWORKS | LINE_NETWORKS:
        raise settings.SettingsError(f"there is no network {name!r}; choose one of: "
                                     f"{', '.join(NETWORKS | LINE_NETWORKS)}")
    return "lines" if name in LINE_NETWORKS else "characters"


def build(name: str, dropout: float = 0.3) -> keras.Model:
    """The network called `name`, with fresh weights; SettingsError lists the names for an unknown one."""
    if reads(name) == "lines":
        strips = keras.Input((line_image.HEIGHT, None), dtype="uint8", name="strips")
        features = LINE_NETWORKS[name](layers.Rescaling(1 / 255)(strips), dropout)
        return keras.Model(strips, layers.Dense(LINE_CLASSES, dtype="float32", name="logits")(features), name=name)
    glyphs = keras.Input((28, 28), dtype="uint8", name="glyphs")
    features = NETWORKS[name](Soften(name="soften")(layers.Rescaling(1 / 255)(glyphs)), dropout)
    # float32 logits also under mixed precision: float16 ones would lose the loss's small differences.
    logits = layers.Dense(CLASSES, dtype="float32", name="logits")(features)
    return keras.Model(glyphs, logits, name=name)


@keras.saving.register_keras_serializable("handwriting")
class Soften(layers.Layer):
    """Softens pictures that come as they are as much as augmentation softens those that teach.

    Augmentation fetches each pixel from between others, and so blurs a little; a network
    that has seen nothing else reads sharp pictures worse (what H. Touvron et al. 2019,
    "Fixing the train-test resolution discrepancy", arXiv 1906.06423, found for sizes).
    In training it does nothing.  How much that is tells augment.softness.

    pictures: float (batch, height, width) -> the same.  Each of the four pixels beside one
    adds `softness` of itself to it, in one direction after the other.
    """

    def build(self, shape):
        self.softness = self.add_weight(shape=(), initializer="zeros", trainable=False, name="softness")

    def call(self, pictures, training=False):
        if training:
            return pictures
        softness = ops.cast(self.softness, pictures.dtype)
        for axis in (1, 2):
            before, behind = beside(pictures, axis)
            pictures = pictures + softness * (before + behind - 2 * pictures)
        return pictures


def set_softness(network: keras.Model, softness: float) -> None:
    """How much a network, or each of those in it, softens what it reads, if it has a layer for that."""
    for variable in network.non_trainable_variables:
        if variable.name == "softness":
            variable.assign(softness)


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
    return layers.Dropout(0.2)(x)


def resnet(x, dropout):
    """A residual network (He et al. 2016, arXiv 1512.03385), for accuracy per CPU millisecond.

    Its stem halves the picture at once, and most of its weights work on 7x7 and
    4x4 maps, where a CPU gets most out of a convolution.
    """
    x = layers.Reshape((28, 28, 1))(x)
    x = layers.ReLU()(_convolution(x, 40, kernel=5, strides=2))
    for channels, strides in ((40, 1), (40, 1), (128, 2), (128, 1), (128, 1), (256, 2), (256, 1)):
        x = _residual(x, channels, strides)
    return layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(x))


def wide(x, dropout):
    """A wide residual network (Zagoruyko and Komodakis 2016, arXiv 1605.07146), to teach others; train it on a GPU."""
    x = layers.Reshape((28, 28, 1))(x)
    x = layers.ReLU()(_convolution(x, 64))
    for channels, strides in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1)):
        x = _residual(x, channels, strides)
    return layers.Dropout(dropout)(layers.GlobalAveragePooling2D()(x))


def _convolution(x, channels, kernel=3, strides=1):
    x = layers.Conv2D(channels, kernel, strides, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    return layers.BatchNormalization()(x)


def _residual(x, channels, strides):
    """Two convolutions, added to what they start from."""
    y = layers.ReLU()(_convolution(x, channels, strides=strides))
    y = _convolution(y, channels)
    if strides != 1:
        x = _convolution(layers.AveragePooling2D(strides, padding="same")(x), channels, kernel=1)
    return layers.ReLU()(layers.Add()([x, y]))


def lstm(x, dropout):
    """Reads the glyph as a sequence of rows and as a sequence of columns, each in both directions."""
    rows = layers.Bidirectional(layers.LSTM(64))(x)
    columns = layers.Bidirectional(layers.LSTM(64))(layers.Permute((2, 1))(x))
    x = layers.Concatenate()([rows, columns])
    return layers.Dropout(dropout)(layers.Dense(128, activation="relu")(x))


def mixer(x, dropout, patch=4, width=96, token_units=64, channel_units=192, blocks=4):
    """MLP-Mixer (Tolstikhin et al. 2021, arXiv 2105.01601): patches and dense layers, no convolution."""
    side = 28 // patch
    tokens = side * side
    x = layers.Reshape((side, patch, side, patch))(x)
    x = layers.Reshape((tokens, patch * patch))(layers.Permute((1, 3, 2, 4))(x))
    x = layers.Dense(width)(x)
    for _ in range(blocks):
        y = layers.Permute((2, 1))(layers.LayerNormalization()(x))       # channels x tokens
        y = layers.Dense(tokens)(layers.Dense(token_units, activation="relu")(y))
        x = layers.Add()([x, layers.Permute((2, 1))(y)])
        y = layers.Dense(channel_units, activation="relu")(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Dense(width)(y)])
    x = layers.Flatten()(layers.Dense(32)(layers.LayerNormalization()(x)))
    return layers.Dropout(dropout)(layers.Dense(256, activation="relu")(x))


def line(x, dropout, units=192):
    """Reads a strip of a word or line from left to right: convolutions, then LSTMs in both directions, for CTC.

    A step for every 4 px of width (Shi et al. 2017, arXiv 1507.05717, with residual
    blocks).  What its convolutions find in each column, the layer "columns", can be
    trained by a CTC loss of its own (Retsinas et al. 2022, arXiv 2404.11339).
    """
    x = layers.Reshape((line_image.HEIGHT, -1, 1))(x)
    x = layers.ReLU()(_convolution(x, 32, kernel=5, strides=2))
    for channels, strides in ((32, 1), (64, 2), (64, 1), (112, (2, 1)), (112, 1)):
        x = _residual(x, channels, strides)
    x = layers.Permute((2, 1, 3))(x)
    x = layers.Reshape((-1, line_image.HEIGHT // 8 * 112), name="columns")(x)
    x = layers.Dropout(dropout)(layers.Dense(192, activation="relu")(x))
    for _ in range(2):
        x = layers.Bidirectional(layers.LSTM(units, return_sequences=True))(x)
        x = layers.Dropout(dropout)(x)
    return x


NETWORKS = {network.__name__: network for network in (dense, conv, deepconv, resnet, wide, lstm, mixer)}
LINE_NETWORKS = {network.__name__: network for network in (line,)}


# ---- the LSTMs of a line reader once more, for reading on a CPU

AT_A_TIME = 8   # steps in one pass of the loop, which itself costs as much as a step; more take longer to compile


def with_both_ways(network: keras.Model, compiled=lambda function: function) -> keras.Model:
    """A trained network with the same logits, whose LSTMs, if it is a line reader, take about half the time on a CPU.

    compiled: what makes the loop a function that is traced once for all LSTMs, if the backend has it.
    """
    slow = [layer for layer in network.layers if isinstance(layer, layers.Bidirectional) and layer.return_sequences]
    if not slow:
        return network
    loop = _compiled_loop(compiled)
    return keras.models.clone_model(
        network, clone_function=lambda layer: BothWays(layer, loop) if layer in slow else layer)


@functools.cache   # a network that is loaded later need not have it traced again
def _compiled_loop(compiled):
    return compiled(_loop)


class BothWays(layers.Layer):
    """What a trained Bidirectional(LSTM) computes, features float32 (batch, steps, n) -> (batch, steps, 2 units).

    Keras multiplies inputs and state in every step anew.  For one strip a CPU then waits
    for weights and for the loop: here all inputs are multiplied beforehand, and only the
    state within it.
    """

    def __init__(self, trained: layers.Bidirectional, loop):
        super().__init__(name=trained.name)
        self.units, self.loop = trained.forward_layer.units, loop
        # Keras's order is input, forget, new, output; the three that are sigmoids go side by side.
        order = np.arange(4 * self.units).reshape(4, -1)[[0, 1, 3, 2]].ravel()
        self.ways = [[weights[..., order] for weights in layer.get_weights()]
                     for layer in (trained.forward_layer, trained.backward_layer)]

    def compute_output_spec(self, x, mask=None):
        return keras.KerasTensor((*x.shape[:2], 2 * self.units))

    def call(self, x, mask=None):
        forward, backward = self.ways
        back = ops.flip(self._along(ops.flip(x, axis=1), *backward), axis=1)
        return ops.concatenate([self._along(x, *forward), back], axis=-1)

    def _along(self, x, kernel, recurrent, bias):
        """One direction: (batch, steps, n) -> (batch, steps, units)."""
        batch, steps, _ = ops.shape(x)
        inputs = ops.transpose(ops.matmul(x, kernel) + bias, (1, 0, 2))   # steps first
        inputs = ops.concatenate([inputs, ops.zeros((-steps % AT_A_TIME, batch, 4 * self.units))])
        inputs = ops.reshape(inputs, (-1, AT_A_TIME, batch, 4 * self.units))
        outputs = ops.reshape(self.loop(inputs, ops.convert_to_tensor(recurrent)), (-1, batch, self.units))
        return ops.transpose(outputs[:steps], (1, 0, 2))


def _loop(inputs, recurrent):
    """The steps of an LSTM, one after the other.

    inputs: float32 (n, AT_A_TIME, batch, 4 units), multiplied already, those of the sigmoids
    first.  recurrent: (units, 4 units).  Returns (n, AT_A_TIME, batch, units).
    """
    units = recurrent.shape[0]

    def several(last, inputs):
        """The outputs of some steps, and behind them the state of the last, (AT_A_TIME + 1, batch, units)."""
        output, state = last[-2], last[-1]
        outputs = []
        for step in range(AT_A_TIME):
            gates = inputs[step] + ops.matmul(output, recurrent)
            let_in, keep, let_out = ops.split(ops.sigmoid(gates[:, :3 * units]), 3, axis=-1)
            state = keep * state + let_in * ops.tanh(gates[:, 3 * units:])
            output = let_out * ops.tanh(state)
            outputs.append(output)
        found = ops.stack([*outputs, state])
        return found, found   # carried on, and kept

    return ops.scan(several, ops.zeros((AT_A_TIME + 1, ops.shape(inputs)[2], units)), inputs)[1][:, :AT_A_TIME]


def beside(images, axis: int):
    """For each pixel of (batch, height, width) that before it and that behind it in the axis, 1 or 2; beyond is 0."""
    padded = ops.pad(images, [(1, 1) if i == axis else (0, 0) for i in range(3)])
    return (padded[:, :-2], padded[:, 2:]) if axis == 1 else (padded[:, :, :-2], padded[:, :, 2:])
