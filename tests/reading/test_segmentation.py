"""A network for single characters reads drawn pages: their lines, words, boxes, and what is not writing."""
import time

import cv2
import numpy as np
import pages
import pytest

from common import runs
from reading import binarize, pictures, recognizer, text_lines


@pytest.fixture(scope="module")
def reader() -> recognizer.Recognizer:
    return recognizer.Recognizer(runs.DEFAULT_CHARACTERS)


def characters(reading: recognizer.Reading) -> list[recognizer.Character]:
    return [character for line in reading.lines for word in line.words for character in word.characters]


def lines_of(page: pages.Drawn) -> list[text_lines.StraightLine]:
    return text_lines.straight_lines(binarize.read_picture(page.image, page=True).ink)


@pytest.mark.parametrize("text, how", [
    ("the quick brown fox", {}), ("UNIVERSITY", {}), ("EMPTY HALF", {}), ("jig is in", {}),
    ("kitchen table\nsummer garden\n1984", {}), ("morning light", {"slope": 0.15}), ("morning light", {"slope": -0.2}),
    ("paper\nwindow\ngarden", {"size": 1.3, "pen": 3, "pitch": 75}), ("green house", {"size": 4, "pen": 14,
                                                                                       "space": 90, "pitch": 220}),
])
def test_text_and_boxes(reader, text, how):
    page = pages.draw_page(text, **how)
    reading = reader.recog(page.image)
    assert reading.text == text
    assert [line.text for line in reading.lines] == text.split("\n")
    assert [word.text for line in reading.lines for word in line.words] == text.split()
    boxes = np.array([character.box for character in characters(reading)])
    assert np.abs(boxes - np.array(page.boxes)).max() <= 3
    for line in reading.lines:
        for part in line.words:
            assert within(part.box, line.box) and all(within(each.box, part.box) for each in part.characters)


def within(inner: list[int], outer: list[int]) -> bool:
    return (outer[0] <= inner[0] and outer[1] <= inner[1] and inner[0] + inner[2] <= outer[0] + outer[2]
            and inner[1] + inner[3] <= outer[1] + outer[3])


@pytest.mark.parametrize("gap", [4, 20, 45, 70])
def test_a_word_stays_whole_however_wide_its_letters_stand(reader, gap):
    assert reader.recog(pages.draw_page("sound", gap=gap).image).text == "sound"


@pytest.mark.parametrize("space", [35, 60, 120])
def test_spaces_are_wider_than_the_gaps_of_their_line(reader, space):
    assert reader.recog(pages.draw_page("we met them there", space=space).image).text == "we met them there"


def test_neighbours_decide_between_digits_and_letters(reader):
    assert reader.recog(pages.draw_page("room 1050").image).text == "room 1050"
    assert reader.recog(pages.draw_page("pool").image).text == "pool"


@pytest.mark.parametrize("language", ["english", "none"])
def test_size_beside_the_other_letters_tells_the_case(language):
    reader = recognizer.Recognizer(runs.DEFAULT_CHARACTERS, language=language)
    texts = ["SEVEN seven", "VASE vase", "Summer Sun"]
    assert [reader.recog(pages.draw_page(text).image).text for text in texts] == texts


def test_without_a_language_network_and_height_decide():
    reader = recognizer.Recognizer(runs.DEFAULT_CHARACTERS, language="none")
    assert reader.recog(pages.draw_page("qxkr").image).text == "qxkr"


def test_confidence_and_alternatives(reader):
    reading = reader.recog(pages.draw_page("garden").image)
    for character in characters(reading):
        assert character.alternatives[0] == (character.text, character.confidence)
        assert len(character.alternatives) == 5 and 0 < character.confidence <= 1
    word, = reading.lines[0].words
    assert word.alternatives[0] == (word.text, word.confidence) and 0.5 < word.confidence < 1
    assert recognizer.recog(pages.draw_page("garden").image) == "garden"


def test_light_on_dark_reads_alike(reader):
    page = pages.draw_page("garden")
    assert reader.recog(255 - page.image).text == reader.recog(page.image).text == "garden"


def test_a_large_photo_has_boxes_in_its_own_pixels(reader):
    page = pages.draw_page("kitchen table\nsummer garden", size=8, pen=20, gap=32, space=160, pitch=440, margin=700)
    light = np.linspace(1, 0.6, page.image.shape[1])
    photo = (page.image * 0.5 + 110) * light + np.random.default_rng(0).normal(0, 4, page.image.shape)
    reading = reader.recog(photo.clip(0, 255).astype(np.uint8))
    assert page.image.size > 5_000_000
    assert reading.text == "kitchen table\nsummer garden"
    off = np.abs(np.array([each.box for each in characters(reading)]) - np.array(page.boxes))
    assert off.max() <= 9, "a photo is looked at in half its size"


# ---- what is not writing

def rule(image: np.ndarray, first: int, pitch: int, gray: int = 90, pen: int = 2, slope: float = 0, bend: float = 0):
    """A copy of a page with printed lines, the first at y = first at the left border; bend in px."""
    page = image.copy()
    x = np.linspace(0, page.shape[1], 40)
    for y in range(first, page.shape[0], pitch):
        paper = np.full_like(page, 255)
        points = np.stack([x, y + slope * x + bend * (2 * x / page.shape[1] - 1) ** 2], axis=1)
        cv2.polylines(paper, [np.rint(16 * points).astype(np.int32)], False, gray, pen, cv2.LINE_AA, 4)
        np.minimum(page, paper, out=page)
    return page


@pytest.mark.parametrize("rules", [dict(first=110, pitch=110), dict(first=240, pitch=900),
                                   dict(first=112, pitch=110, pen=3, bend=8)])
def test_printed_lines_go_and_what_crosses_them_stays(reader, rules):
    page = pages.draw_page("kitchen table\nsummer garden\n1984")
    reading = reader.recog(rule(page.image, **rules))
    assert reading.text == "kitchen table\nsummer garden\n1984"
    off = np.abs(np.array([each.box for each in characters(reading)]) - np.array(page.boxes))
    assert off[:, :3].max() <= 3 and off[:, 3].max() <= 8, "a line at the feet of letters takes some of them along"


def test_rules_that_all_letters_touch_are_seen(reader):
    page = pages.draw_page("kitchen table\nsummer garden\n1984")
    reading = reader.recog(rule(page.image, 105, 110, slope=0.015))
    assert reading.text == "kitchen table\nsummer garden\n1984"
    assert np.abs(np.array([each.box for each in characters(reading)]) - np.array(page.boxes)).max() <= 4


@pytest.mark.parametrize("letter", ["E", "T", "Z", "L"])
def test_a_hairline_letter_is_a_drawing_and_not_taken_for_printed_lines(letter):
    assert pictures.ground_of(pages.draw_page(letter, size=16, pen=2, margin=4, pitch=500).image) == 255


def test_rules_boxes_scans_and_photos_are_no_drawings():
    drawing = pages.draw_page("it is 5 o'clock\nand 10 past").image
    assert pictures.ground_of(drawing) is not None
    boxed = cv2.rectangle(drawing.copy(), (10, 10), (drawing.shape[1] - 10, 150), 0, 3, cv2.LINE_AA)
    noisy = np.clip(drawing + np.random.default_rng(0).normal(0, 3, drawing.shape), 0, 255).astype(np.uint8)
    for other in (boxed, noisy, rule(drawing, 110, 900), np.where(drawing > 128, 255, 0).astype(np.uint8)):
        assert pictures.ground_of(other) is None


@pytest.mark.parametrize("sides", [(0, 60, 35, 0), (40, 40, 40, 40), (0, 0, 0, 90)])
def test_a_dark_table_around_the_paper_is_not_read(reader, sides):
    page = pages.draw_page("kitchen table\nsummer garden")
    photo = cv2.copyMakeBorder(page.image // 2 + 100, *sides, cv2.BORDER_CONSTANT, value=50)
    photo = photo + np.random.default_rng(0).normal(0, 4, photo.shape)
    assert reader.recog(photo.clip(0, 255).astype(np.uint8)).text == "kitchen table\nsummer garden"


def test_a_page_full_of_blots_takes_seconds_at_most():
    texture = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 1, (1500, 2000)).astype(np.float32), (0, 0), 2)
    start = time.process_time()
    lines = text_lines.straight_lines(np.where(texture > texture.std() / 2, 255, 0).astype(np.uint8))
    assert time.process_time() - start < 6, "usually 1.5; it was 15 once"
    assert len(lines) > 10


# ---- lines

@pytest.mark.parametrize("slope", [-0.25, 0.0, 0.25])
def test_lines_are_found_from_top_to_bottom(slope):
    page = pages.draw_page("alpha beta\ngamma\ndelta epsilon", slope=slope)
    lines = lines_of(page)
    assert len(lines) == 3
    tops = [pages.box_on_page(line)[1] for line in lines]
    assert tops == sorted(tops)


def test_a_large_dot_is_no_line_of_its_own():
    page = pages.draw_page("minimum", margin=60).image
    x, y, width, _ = pages.draw_page("minimum", margin=60).boxes[1]
    cv2.line(page, (x + width // 2, y - 20), (x + width // 2, y - 9), 0, 5)
    assert len(lines_of(pages.Drawn(page, []))) == 1


def _row(left: int, top: int, count: int, width: int = 40, height: int = 50) -> list[tuple]:
    """Boxes of letters with gaps of 20 px between them."""
    return [(x, top, x + width, top + height) for x in range(left, left + count * (width + 20), width + 20)]


@pytest.mark.parametrize("others", [
    pytest.param([(x, 68, x + 16, 108) for x in (42, 162, 222)], id="powers, high in the gaps"),
    pytest.param(_row(485, 64, 2, 14, 30), id="quotes high at the end"),
    pytest.param(_row(-300, 140, 5), id="a word beside it, lower"),
    pytest.param(_row(500, 62, 4), id="a word beside it, higher"),
])
def test_what_stands_in_gaps_or_beside_is_no_line_of_its_own(others):
    line, = text_lines.group_lines(np.array(_row(0, 100, 8) + others))
    assert len(line) == 8 + len(others)


@pytest.mark.parametrize("others", [_row(0, 160, 8), _row(100, 155, 3), _row(330, 160, 4), _row(500, 170, 2),
                                    _row(30, 175, 2)])
def test_words_under_letters_are_a_line_of_their_own(others):
    first, second = text_lines.group_lines(np.array(_row(0, 100, 8) + others))
    assert first.tolist() == list(range(8)) and len(second) == len(others)


@pytest.mark.parametrize("word, gap", [("reason", 1), ("boats", 2), ("kitten", 1), ("jig", 8)])
def test_boxes_part_close_letters_and_hold_dots(reader, word, gap):
    page = pages.draw_page(word, gap=gap)
    reading = reader.recog(page.image)
    assert reading.text == word
    assert np.abs(np.array([each.box for each in characters(reading)]) - np.array(page.boxes)).max() <= 4


def test_marks_stay_as_the_reader_of_lines_found_them(reader):
    assert reader.recog(pages.draw_page("well, it is 10:45!").image).text == "well, it is 10:45!"


def test_slant_is_taken_out():
    page = pages.draw_page("HILLTIE", gap=12)
    shear = np.array([[1, -0.35, 60], [0, 1, 0]], float)
    leaning = cv2.warpAffine(255 - page.image, shear, (page.image.shape[1] + 60, page.image.shape[0]))
    upright, forward = text_lines.straighten(leaning)
    assert forward[0, 1] == pytest.approx(0.35, abs=0.11)
    assert upright.shape[1] < cv2.boundingRect(leaning)[2]
