"""The maps of a page become straight lines in reading order, and the shipped network sees what people see."""
import io

import cv2
import numpy as np
import pages
import pytest
from PIL import ExifTags, Image

from reading import binarize, page_network, recognizer
from reading.page_network import Maps

TINGE = 32   # of 255: how much green differs from red in cores


class Drawn(page_network.PageNetwork):
    """Finds ink where red is low, cores where green differs from red; upright if the top left has no blue."""

    def __init__(self):
        pass

    def maps(self, picture):
        core = cv2.absdiff(picture[..., 0], picture[..., 1]).astype(np.float32) / TINGE
        core = cv2.resize(core, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        height, width = picture.shape[:2]
        core = core[:(height + 1) // 2, :(width + 1) // 2]
        return Maps(255 - picture[..., 0], core, np.zeros_like(core), float(picture[0, 0, 2] == 0))


def page(*lines, shape=(400, 600), strokes=(), dots=()):
    """Lines (left, top, width): cores 16 px tall with letters 28 px tall every 20 px; plus strokes and dots."""
    ink, core = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    for left, top, width in lines:
        cv2.rectangle(core, (left, top), (left + width, top + 16), TINGE, cv2.FILLED)
        for x in range(left + 4, left + width - 4, 20):
            cv2.line(ink, (x, top - 12), (x, top + 16), 255, 3)
    for start, end in strokes:
        cv2.line(ink, start, end, 255, 3)
    for middle in dots:
        cv2.circle(ink, middle, 2, 255, cv2.FILLED)
    corner = np.full(shape, 255, np.uint8)
    corner[:20, :20] = 0
    return cv2.merge([255 - ink, cv2.absdiff(255 - ink, core), corner])


def widths(found):
    return [core.right - core.left for core in found.cores]


def test_each_core_is_a_line_in_reading_order():
    found = Drawn().find(page((50, 300, 200), (50, 100, 500), (50, 200, 400)))
    assert widths(found) == pytest.approx([500, 400, 200], abs=4)
    assert [round(core.x_height) for core in found.cores] == pytest.approx([16, 16, 16], abs=2)
    assert all(line.ink.max() > 200 for line in found.lines)


def test_columns_are_read_one_after_the_other():
    rows = range(60, 360, 60)
    found = Drawn().find(page(*((30, y, 220) for y in rows), *((330, y, 240) for y in rows)))
    assert [core.left < 200 for core in found.cores] == [True] * 5 + [False] * 5


def test_cells_of_a_row_are_read_from_left_to_right():
    rows = (60, 140, 220)
    found = Drawn().find(page(*((left, y, 60) for left in (300, 30, 500) for y in rows)))
    assert [core.left // 100 for core in found.cores] == [0, 3, 5] * 3


def test_parts_of_a_sloping_line_stay_together():
    picture = page((30, 120, 200), (330, 120, 220), (30, 190, 500))
    sloping = cv2.warpAffine(picture, np.float32([[1, 0, 0], [-0.12, 1, 40]]), picture.shape[1::-1],
                             borderValue=(255, 255, 255))
    assert widths(Drawn().find(sloping)) == pytest.approx([200, 220, 500], abs=8)


def test_a_gap_within_a_line_is_bridged_and_a_wide_one_is_not():
    found = Drawn().find(page((30, 100, 150), (200, 102, 150), (450, 100, 100)))
    assert widths(found) == pytest.approx([320, 100], abs=4)


def test_ink_that_joins_two_lines_is_cut_between_them():
    joined = page((50, 100, 300), (50, 160, 300), strokes=[((134, 100), (134, 176))])
    upper, lower = Drawn().find(joined).lines
    assert upper.ink.shape[0] < 75 and lower.ink.shape[0] < 75


@pytest.mark.parametrize("place", [(200, 208), (200, 133), (30, 108)])   # far from both lines, below one, before it
def test_a_speck_belongs_to_no_line(place):
    lines = (50, 100, 300), (50, 300, 300)
    clean, specked = (Drawn().find(page(*lines, dots=dots)).lines for dots in ([], [place]))
    assert all(np.array_equal(a.ink, b.ink) for a, b in zip(clean, specked, strict=True))


@pytest.mark.parametrize("line, dot", [((50, 100, 300), (360, 116)), ((50, 100, 535), (599, 116))])   # cut by the edge
def test_a_dot_behind_a_line_belongs_to_it(line, dot):
    clean, dotted = (Drawn().find(page(line, dots=dots)).lines[0] for dots in ([], [dot]))
    assert dotted.ink.shape[1] > clean.ink.shape[1]


@pytest.mark.parametrize("turns", range(4))
def test_a_turned_page_is_read_upright_and_its_boxes_are_as_it_lies(turns):
    upright = page((50, 100, 300), (50, 200, 200))   # 31 x-heights of lines in all
    found = Drawn().find(np.ascontiguousarray(np.rot90(upright, -turns)))
    assert found.turns == turns and widths(found) == pytest.approx([300, 200], abs=4)
    ink = found.ink.copy()
    for line in found.lines:
        left, top, right, bottom = pages.box_on_page(line)
        assert ink[top:bottom, left:right].any()
        ink[top - 2:bottom + 2, left - 2:right + 2] = 0
    assert not ink.any()


def test_a_page_that_looks_upright_at_first_is_not_turned_for_a_doubt_at_the_second_look(monkeypatch):
    small = cv2.resize(page((50, 100, 300), (50, 200, 200)), None, fx=0.5, fy=0.5)
    maps = Drawn.maps
    first, second = {True: 0.8, False: 0.9}, {True: 0.4, False: 0.9}   # by whether the picture is as it was

    def doubtful(self, picture):
        found = maps(self, picture)
        found.upright = (first if picture.size == small.size else second)[found.upright == 1]
        return found

    monkeypatch.setattr(Drawn, "maps", doubtful)
    found = Drawn().find(small)
    assert found.scale < 1 and found.turns == 0


def test_specks_are_not_looked_at_in_other_directions(monkeypatch):
    picture = page((300, 200, 3), dots=[(x, y) for x in range(20, 600, 40) for y in range(20, 400, 40)])
    picture[:20, :20, 2] = 255   # as if it were not upright
    seen = []
    maps = Drawn.maps
    monkeypatch.setattr(Drawn, "maps", lambda self, picture: seen.append(picture.shape) or maps(self, picture))
    Drawn().find(picture)
    assert seen and all(height < width for height, width, _ in seen)


def test_an_empty_page_has_no_lines():
    found = Drawn().find(page())
    assert found.lines == [] and found.cores == []


def test_bright_ink_on_transparent_ground_gets_a_dark_one():
    picture = np.zeros((40, 60, 4), np.uint8)
    picture[10:20, 10:50] = 255
    assert binarize.decode(picture, "it").getpixel((0, 0)) == (0, 0, 0)
    picture[10:20, 10:50, :3] = 30
    assert binarize.decode(picture, "it").getpixel((0, 0)) == (255, 255, 255)


# ---- the shipped network

def photographed(image: np.ndarray) -> np.ndarray:
    """A drawing on gray paper with a little noise, so that it needs the network."""
    return (image * 0.6 + 80 + np.random.default_rng(0).normal(0, 3, image.shape)).clip(0, 255).astype(np.uint8)


def side_by_side(left: str, right: str) -> np.ndarray:
    """A photographed page with lines of text on the left and as many on the right."""
    images = [pages.draw_page(text, size=1.3, pen=3, pitch=75).image for text in (left, right)]
    height = max(image.shape[0] for image in images)
    return photographed(np.hstack([np.pad(image, ((0, height - len(image)), (20, 20)), constant_values=255)
                                   for image in images]))


@pytest.fixture(scope="module")
def reader() -> recognizer.Recognizer:
    return recognizer.Recognizer()


def test_two_columns_of_text_are_read_one_after_the_other(reader):
    left = "the summer garden\nis open until ten\nin the morning\nand after seven"
    right = "a kitchen table\nwith four windows\nstands beside the\ngreen paper house"
    assert reader.recog(side_by_side(left, right)).text == f"{left}\n{right}"


def test_labels_and_what_stands_behind_them_stay_in_rows(reader):
    labels, answers = "name\ntown\nroom\nyear", "summer garden\nkitchen\nmorning light\nthirteen"
    rows = [part for row in zip(labels.split(), answers.split("\n")) for part in row]
    assert reader.recog(side_by_side(labels, answers)).text.split("\n") == rows


def test_a_large_picture_is_reduced_when_it_is_decoded_and_the_callers_image_is_not():
    large = Image.new("RGB", (1000, 600), "white")
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    large.save(jpeg := io.BytesIO(), "JPEG", exif=turned)
    for source, size in ((jpeg, (300, 500)), (large, (500, 300)), (Image.open(jpeg), (300, 500))):
        decoded, reduced = binarize.decode_reduced(source, "it", 150_000)
        assert decoded.size == size and reduced == 2
        assert source is jpeg or source.size == (1000, 600)
    assert binarize.decode(jpeg, "it").size == (600, 1000)
