"""The network that finds the writing on a page: a small U-Net (Ronneberger et al. 2015, arXiv 1505.04597).

    network = page_networks.build("page")

It takes uint8 (batch, height, width, 3), RGB, both sides multiples of STRIDE, and gives two maps of logits, float32:

- ink (batch, height, width, 1): how much of each pixel is covered by writing, by hand or print.
- marks (batch, height / 2, width / 2, 4), see MARKS.

Full convolutions near the picture, where channels are few, and depthwise ones farther down are what runs fastest on a
CPU at this size (Tan and Le 2021, "EfficientNetV2", arXiv 2104.00298).
"""
import keras
from keras import layers

STRIDE = 32                                # px: the deepest level sees the picture so much smaller
WIDTHS = 16, 24, 40, 64, 96                # channels at 1/2, 1/4, ... 1/32 of the picture's size
CORE, RULE, ACROSS, DOWN = range(4)        # channels of marks
MARKS = ("core",      # the band between baseline and the top of small letters, of a whole line with its spaces
         "rule",      # printed rules, boxes and tables, underlines, drawings
         "across",    # in cores: the reading direction's cosine ...
         "down")      # ... and sine, y downwards; these two are no logits
DROPOUT = 0.1


def build(name: str = "page") -> keras.Model:
    """The page network, with fresh weights."""
    pictures = keras.Input((None, None, 3), dtype="uint8", name="pictures")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(pictures)
    x = _full(x, WIDTHS[0], size=5, strides=2)
    skips = []
    for level, width in enumerate(WIDTHS):
        if level:
            x = _full(x, width, strides=2) if level < 3 else _separable(x, width, strides=2)
        for dilation in ((1,), (1,), (1, 1), (1, 1), (1, 2, 1))[level]:
            x = _residual(x, dilation, full=level < 2)
        skips.append(x)
    x = layers.Dropout(DROPOUT)(skips.pop())
    for level in (3, 2, 1, 0):
        x = layers.UpSampling2D(2)(_pointwise(x, WIDTHS[level]))
        x = _residual(layers.Add()([x, skips.pop()]), full=level < 2)
    marks = layers.Conv2D(len(MARKS), 3, padding="same", dtype="float32", name="marks")(x)
    fine = layers.Conv2D(4, 3, padding="same", dtype="float32", name="fine")(x)
    return keras.Model(pictures, [DepthToSpace(name="ink")(fine), marks], name=name)


@keras.saving.register_keras_serializable("handwriting")
class DepthToSpace(layers.Layer):
    """Four channels become the four pixels of a map twice as large (Shi et al. 2016, arXiv 1609.05158)."""

    def call(self, x):
        """float (batch, height, width, 4) -> (batch, 2 height, 2 width, 1)."""
        height, width = keras.ops.shape(x)[1:3]
        x = keras.ops.reshape(x, (-1, height, width, 2, 2))
        return keras.ops.reshape(keras.ops.transpose(x, (0, 1, 3, 2, 4)), (-1, 2 * height, 2 * width, 1))


def _normal(x, active: bool = True):
    x = layers.BatchNormalization(momentum=0.98)(x)
    return layers.Activation("relu")(x) if active else x


def _full(x, width: int, size: int = 3, strides: int = 1, active: bool = True):
    return _normal(layers.Conv2D(width, size, strides=strides, padding="same", use_bias=False)(x), active)


def _pointwise(x, width: int, active: bool = True):
    return _full(x, width, 1, active=active)


def _separable(x, width: int, strides: int = 1, dilation: int = 1, active: bool = True):
    x = layers.DepthwiseConv2D(5, strides=strides, padding="same", dilation_rate=dilation, use_bias=False)(x)
    return _pointwise(_normal(x), width, active)


def _residual(x, dilation: int = 1, full: bool = False):
    width = x.shape[-1]
    if full:
        return layers.Add()([x, _full(x, width)])
    wider = _pointwise(x, 2 * width)
    return layers.Add()([x, _separable(wider, width, dilation=dilation, active=False)])
