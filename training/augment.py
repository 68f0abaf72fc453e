"""Changes training glyphs at random, as people's writing varies: slant, size, position, waviness, pen.

Written in `keras.ops`, it runs inside the training step on any device, from uint8 to uint8.  Nothing is ever flipped:
a flipped letter is another letter, or none.
"""
import keras
import numpy as np
from keras import ops

from training import networks

ROTATION = 0.16   # radians, to either side
SHEAR = 0.20      # px of slant per px of height
SCALE = 0.10      # relative, per axis
SHIFT = 1.2       # px
ELASTIC = 0.9     # px, standard deviation of the displacement of a 5x5 grid (Simard et al. 2003)
STROKE = (-0.15, 0.2)  # range of the share of a 3x3 px erosion (below 0) or dilation; small, since in scans the stroke
                       # width relative to the letter size tells y, p, w from Y, P, W

SIDE = 28


def augment(images, seed: keras.random.SeedGenerator, group: int, strength: float = 1.0):
    """Change uint8 (batch, 28, 28) at random; returns the same shape and dtype.

    strength: 1 for the ranges above, less for a part of them.
    group: images that share one warp; batch must be a multiple of it.  Batches are shuffled, so this costs no variety
        that matters, and fetching a pixel for several images at once is several times faster than for one.
    """
    images = _change_stroke(ops.cast(images, "float32"), seed, strength)
    groups = ops.shape(images)[0] // group
    images = _warp(images, _positions(groups, seed, strength), groups, group)
    return ops.cast(ops.round(images), "uint8")


def softness(strength: float) -> float:
    """How much augmentation blurs pictures on average, in the unit of networks.Soften.

    A pixel fetched from f px aside is a mean of two pixels whose weights have the variance f (1 - f); the variance of
    Soften's weights is twice its softness.
    """
    positions = ops.convert_to_numpy(_positions(1000, keras.random.SeedGenerator(0), strength))
    aside = positions - np.floor(positions)
    return float((aside * (1 - aside)).mean() / 2)


def _change_stroke(images, seed, strength):
    """Blend each image with its own dilation or erosion."""
    amount = strength * keras.random.uniform((ops.shape(images)[0], 1, 1), *STROKE, seed=seed)
    grown, shrunk = images, images
    for axis in (1, 2):
        grown = _neighbours(grown, axis, ops.maximum)
        shrunk = _neighbours(shrunk, axis, ops.minimum)
    return images + ops.relu(amount) * (grown - images) + ops.relu(-amount) * (shrunk - images)


def _neighbours(images, axis, choose):
    return choose(choose(*networks.beside(images, axis)), images)


def _positions(groups, seed, strength):
    """For each output pixel, where in the image it comes from: float32 (groups, 2, 784), y and x in px."""
    centre = (SIDE - 1) / 2
    y, x = (ops.convert_to_tensor(axis.ravel() - centre, "float32") for axis in np.mgrid[:SIDE, :SIDE])
    draw = strength * keras.random.uniform((6, groups, 1), -1, 1, seed=seed)
    angle = ROTATION * draw[0]
    tall, wide = 1 + SCALE * draw[1], 1 + SCALE * draw[2]
    slanted = x + SHEAR * draw[3] * y
    across = wide * (ops.cos(angle) * slanted - ops.sin(angle) * y) + SHIFT * draw[4]
    down = tall * (ops.sin(angle) * slanted + ops.cos(angle) * y) + SHIFT * draw[5]
    grid = strength * ELASTIC * keras.random.normal((groups, 2, 5, 5), seed=seed)
    basis = ops.convert_to_tensor(_bumps())
    wave = ops.matmul(ops.matmul(basis, grid), ops.transpose(basis))
    wave = ops.reshape(wave, (-1, 2, SIDE * SIDE))
    return ops.stack([down, across], axis=1) + wave + centre


def _bumps() -> np.ndarray:
    """Five smooth bumps over 28 px that sum to one everywhere: float32 (28, 5)."""
    distance = np.arange(SIDE)[:, None] - np.linspace(0, SIDE - 1, 5)[None]
    bumps = np.exp(-0.5 * (distance / 5) ** 2)
    return (bumps / bumps.sum(axis=1, keepdims=True)).astype(np.float32)


def _warp(images, positions, groups, group):
    """Fetch every pixel from its position, with bilinear interpolation; positions are clipped to the dark border."""
    positions = ops.clip(positions, 0, SIDE - 1.001)
    corner = ops.floor(positions)
    part = positions - corner
    corner = ops.cast(corner, "int32")
    first = corner[:, 0] * SIDE + corner[:, 1] + SIDE * SIDE * ops.arange(groups, dtype="int32")[:, None]
    pixels = ops.transpose(ops.reshape(images, (-1, group, SIDE * SIDE)), (0, 2, 1))
    pixels = ops.reshape(pixels, (-1, group))             # one row per pixel, one column per image
    down, across = part[:, 0, :, None], part[:, 1, :, None]
    fetched = 0
    for dy in (0, 1):
        for dx in (0, 1):
            weight = (down if dy else 1 - down) * (across if dx else 1 - across)
            fetched = fetched + weight * ops.take(pixels, first + dy * SIDE + dx, axis=0)
    return ops.reshape(ops.transpose(fetched, (0, 2, 1)), (-1, SIDE, SIDE))
