"""The 28x28 picture: EMNIST's geometry, whatever the pen and the size."""
import cv2
import numpy as np
import pytest

from common import glyph
from common.pen_strokes import draw_strokes, trace

ANGLE = [np.float32([[20, 0], [0, 90], [60, 90]]), np.float32([[30, 40], [30, 60]])]


def _extent(picture: np.ndarray) -> tuple[int, int, int, int]:
    return cv2.boundingRect((picture > 16).view(np.uint8))


@pytest.mark.parametrize("pen", [1, 3, 8, 20])
@pytest.mark.parametrize("size", [0.3, 1, 6])
def test_extent_centre_and_stroke_are_emnists(pen, size):
    picture = glyph.glyph(draw_strokes([stroke * size for stroke in ANGLE], max(1, pen * size)))
    x, y, width, height = _extent(picture)
    assert picture.shape == (28, 28) and picture.dtype == np.uint8 and picture.max() == 255
    assert 23 <= height <= 25, "EMNIST's longest side is 23.8 px"
    assert abs(x + (width - 1) / 2 - 13.5) <= 0.6 and abs(y + (height - 1) / 2 - 13.5) <= 0.6
    assert 0.62 <= width / height <= 0.80, "the aspect ratio is kept"
    fine = cv2.resize(picture, None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR)
    assert 2.4 <= glyph.stroke_width(fine) / 4 <= 4.2, "EMNIST's strokes are 3 px by this measure"


def test_pens_of_all_widths_give_nearly_one_picture():
    thin, thick = (glyph.glyph(draw_strokes(ANGLE, pen)).astype(float) for pen in (2, 14))
    assert np.corrcoef(thin.ravel(), thick.ravel())[0, 1] > 0.93


def test_stroke_widths_that_are_usual_in_emnist_stay():
    narrow, wide = (glyph.stroke_width(cv2.resize(glyph.glyph(draw_strokes(ANGLE, pen)), None, fx=4, fy=4)) / 4
                    for pen in (12, 16))
    assert wide - narrow > 0.4, "2.5 and 3.3 px of the glyph"


@pytest.mark.parametrize("way", [(200, 0), (0, 200), (150, 150), (180, 70)])
@pytest.mark.parametrize("pen", [1, 2, 3.3, 8, 20])
def test_ink_is_as_wide_as_the_pen(pen, way):
    """Without its round ends, which together make a dot, a stroke is a rectangle as wide as the pen."""
    images = np.zeros((2, 260, 260), np.uint8)
    start = np.float32([30, 30])
    box = trace(images[0], [np.stack([start, start + way])], pen)
    trace(images[1], [start[None]], pen)
    line, dot = images.sum(axis=(1, 2)) / 255
    assert (line - dot) / np.hypot(*way) == pytest.approx(pen, abs=0.45)
    assert 2 * np.sqrt(dot / np.pi) == pytest.approx(pen, abs=0.45)
    outside = images[0].copy()
    outside[box[1]:box[3], box[0]:box[2]] = 0
    assert not outside.any()


def test_large_ink_is_drawn_in_parts(monkeypatch):
    strokes = [ANGLE[0], ANGLE[1], np.float32([[50, 20]])]
    whole = draw_strokes(strokes, 7)
    monkeypatch.setattr("common.pen_strokes.MOST", 10_000)
    np.testing.assert_array_equal(draw_strokes(strokes, 7), whole)


def test_ink_outside_of_the_image_is_cut_off():
    image = np.zeros((20, 30), np.uint8)
    left, top, right, bottom = trace(image, [np.float32([[40, 5], [60, 5]])], 4)
    assert left >= 30 and left >= right and not image.any(), "nothing has changed"
    trace(image, [np.float32([[-10, 5], [60, 5]])], 4)
    assert (image[5] > 200).all() and not image[9:].any()


def test_margin_and_specks_of_dark_do_not_matter():
    ink = draw_strokes(ANGLE, 6)
    np.testing.assert_array_equal(glyph.glyph(ink), glyph.glyph(np.pad(ink, ((50, 3), (0, 80)))))


@pytest.mark.parametrize("ink", [np.full((1, 1), 255, np.uint8), np.full((300, 2), 255, np.uint8),
                                 np.full((40, 40), 255, np.uint8), np.eye(3, dtype=np.uint8) * 255])
def test_odd_shapes_give_a_picture(ink):
    assert glyph.glyph(ink).max() == 255


def test_what_is_no_ink_is_refused():
    with pytest.raises(ValueError, match="no ink"):
        glyph.glyph(np.zeros((20, 20), np.uint8))
    with pytest.raises(ValueError, match="uint8"):
        glyph.glyph(np.ones((20, 20)))
    with pytest.raises(ValueError, match="no strokes"):
        draw_strokes([], 3)
