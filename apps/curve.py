"""A pen's smooth line through the points it reported.

A centripetal Catmull-Rom curve (Yuksel et al. 2011): it passes through its knots and has no loops or overshoots,
however far apart the points of a fast pen lie.
"""
from collections.abc import Sequence

import numpy as np

KNOT = 3.0               # least px between the knots of a curve: closer points jitter by whole pixels, ...
KNOT_IN_PENS = 0.6       # ... which a wide pen makes more visible: at least so many pen widths, too
STEP = 4.0               # most px between the points of a curve


def smooth(points: np.ndarray, width: float) -> np.ndarray:
    """A smooth line through points (n, 2) for a pen of this width, a point at least every STEP px: float32 (m, 2)."""
    points = np.array(knots(np.asarray(points, float).reshape(-1, 2).tolist(), width))
    if len(points) < 2:
        return points.astype(np.float32)
    ends = [2 * points[0] - points[1], *points, 2 * points[-1] - points[-2]]
    return np.vstack([points[:1], through(ends)]).astype(np.float32)


def through(knots: Sequence) -> np.ndarray:
    """The curve after the second of the knots (n, 2), up to the last but one: (m, 2)."""
    knots = np.asarray(knots, float)
    counts = np.ceil(np.hypot(*np.diff(knots[1:-1], axis=0).T) / STEP).astype(int)   # of points in each piece
    piece = np.repeat(np.arange(len(counts)), counts)
    along = (np.arange(len(piece)) - np.repeat(np.cumsum(counts) - counts, counts) + 1) / counts[piece]
    return _catmull_rom(*(knots[piece + offset] for offset in range(4)), along[:, None])


def knots(points: list, width: float) -> list:
    """The points of a stroke that its curve passes through: those far enough from the previous knot, and the last."""
    found = [points[0]]
    for point in points[1:]:
        if is_knot(found[-1], point, width):
            found.append(point)
    if found[-1] != points[-1]:
        found.append(points[-1])
    return found


def is_knot(before, point, width: float) -> bool:
    """Whether a point is far enough from the previous knot for a pen of this width."""
    return (point[0] - before[0]) ** 2 + (point[1] - before[1]) ** 2 >= max(KNOT, KNOT_IN_PENS * width) ** 2


def _catmull_rom(p0, p1, p2, p3, along):
    """Points at `along` (n, 1), 0..1, on the path from p1 to p2, each (n, 2), by Barry and Goldman's pyramid."""
    a, b, c = (np.sqrt(np.hypot(*(q - p).T))[:, None] for p, q in ((p0, p1), (p1, p2), (p2, p3)))
    t = along * b
    q1, q2, q3 = p1 + (p1 - p0) * t / a, p1 + (p2 - p1) * t / b, p2 + (p3 - p2) * (t - b) / c
    r1, r2 = (q1 * (b - t) + q2 * (t + a)) / (a + b), (q2 * (b + c - t) + q3 * t) / (b + c)
    return (r1 * (b - t) + r2 * t) / b


def distance(points: np.ndarray, start, end) -> np.ndarray:
    """Distance of points (n, 2) from the straight line from start to end: float (n,)."""
    start, line = np.asarray(start, float), np.subtract(end, start, dtype=float)
    along = np.clip((points - start) @ line / max(float(line @ line), 1e-9), 0, 1)
    return np.hypot(*(points - start - along[:, None] * line).T)
