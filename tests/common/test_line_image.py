"""Line images: one height, one letter size and one letter width, whatever the writer's."""
import cv2
import numpy as np
import pytest

from common import line_image, pen_strokes
from tools import draw_samples


def written(text: str, height: float = 60, width: float = 5, gap: float = 16, seed: int = 3) -> np.ndarray:
    return pen_strokes.draw_strokes(draw_samples.strokes_of([text], height, seed, gap), width)


def test_a_line_looks_alike_whatever_the_size():
    line = written("salted", 160, 14)
    large, small = (line_image.normalize(cv2.resize(line, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))[0]
                    for scale in (1, 0.25))
    assert small.shape[0] == line_image.HEIGHT and abs(small.shape[1] - large.shape[1]) <= 3
    width = min(small.shape[1], large.shape[1])
    small, large = (cv2.GaussianBlur(each[:, :width], (0, 0), 1.5).astype(float) for each in (small, large))
    assert np.corrcoef(small.ravel(), large.ravel())[0, 1] > 0.9


def test_letters_take_about_the_same_room_however_wide_they_stand():
    narrow, wide = (line_image.normalize(written("salted", gap=gap))[0].shape[1] for gap in (8, 60))
    assert wide < 1.35 * narrow, f"{wide} and {narrow} px: without it would be about twice as wide"


def test_a_full_stop_stays_small():
    seen, _ = line_image.normalize(pen_strokes.draw_strokes([[(0, 0)]], 9))
    assert np.count_nonzero(seen >= line_image.DARK) < 100


def test_px_of_a_line_image_map_back_to_the_ink():
    line = np.pad(written("melt"), 30)
    seen, to_ink = line_image.normalize(line)
    y, x = np.nonzero(seen >= 128)
    back = np.stack([x + 0.5, y + 0.5, np.ones(len(x))], axis=1) @ to_ink.T
    left, top, width, height = cv2.boundingRect((line >= 128).view(np.uint8))
    assert back.min(axis=0) == pytest.approx([left, top], abs=3)
    assert back.max(axis=0) == pytest.approx([left + width, top + height], abs=3)


def test_an_empty_image_is_refused():
    with pytest.raises(ValueError, match="no ink"):
        line_image.normalize(np.zeros((20, 30), np.uint8))
