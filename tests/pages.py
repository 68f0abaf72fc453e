"""Draws pages of text in OpenCV's own fonts, and knows where each character and each found line is."""
from typing import NamedTuple

import cv2
import numpy as np

from reading import text_lines


class Drawn(NamedTuple):
    """A page, dark on white, and the boxes [x, y, width, height] of its characters except spaces."""
    image: np.ndarray
    boxes: list[list[int]]


def draw_page(text: str, size: float = 2.0, pen: int = 5, gap: float = 8, space: float = 40, pitch: float = 110,
              slope: float = 0.0, font: int = cv2.FONT_HERSHEY_SIMPLEX, margin: int = 40) -> Drawn:
    """Draw lines of text.

    size: of the font; 2 makes capitals 42 px high.  pen, gap between letters, space between words
    and pitch of lines in px.  slope: px that a line falls per px to the right.
    """
    lines = text.split("\n")
    width = 2 * margin + max(sum(cv2.getTextSize(c, font, size, pen)[0][0] + gap + (space if c == " " else 0)
                                 for c in line) for line in lines)
    height = 2 * margin + pitch * len(lines) + abs(slope) * width
    ink = np.zeros((int(height), int(width)), np.uint8)
    boxes = []
    for row, line in enumerate(lines):
        x, y = margin, margin + pitch * (row + 0.6) + max(0, -slope * width)
        for character in line:
            if character == " ":
                x += space
                continue
            left, top, wide, high = box = _draw(ink, character, x, y + slope * x, size, pen, font)
            boxes.append(box)
            x = left + wide + gap
    return Drawn(255 - ink, boxes)


def box_on_page(line) -> tuple[int, int, int, int]:
    """Left, top, right and bottom, in px of its page, of the ink of a text_lines.StraightLine."""
    y, x = np.nonzero(line.ink >= text_lines.INK)
    ends = [np.stack([x + more, y + more, np.ones_like(x)], axis=1) @ line.to_page.T for more in (0, 1)]
    return tuple(np.concatenate([np.min(ends, axis=(0, 1)), np.max(ends, axis=(0, 1))]).round().astype(int).tolist())


def _draw(ink: np.ndarray, character: str, x: float, y: float, size: float, pen: int, font: int) -> list[int]:
    """Draw one character with its left edge at x and its baseline at y; returns its box."""
    alone = np.zeros_like(ink)
    cv2.putText(alone, character, (round(x) + 20, round(y)), font, size, 255, pen, cv2.LINE_AA)
    left = cv2.boundingRect(alone)[0]
    alone = np.roll(alone, round(x) - left, axis=1)
    np.maximum(ink, alone, out=ink)
    return list(cv2.boundingRect((alone >= 96).view(np.uint8)))
