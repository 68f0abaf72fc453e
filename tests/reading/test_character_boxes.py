"""Which ink belongs to which character, given where a network sees the characters of a line."""
import cv2
import numpy as np

from reading import character_boxes, text_lines


def test_letters_that_stand_apart_keep_their_ink_where_the_network_has_seen_them_early():
    ink_of_line = np.zeros((60, 100), np.uint8)
    cv2.ellipse(ink_of_line, (30, 40), (18, 17), 0, 0, 360, 255, 4, cv2.LINE_AA)   # from 10 to 50
    for x in (58, 74):
        cv2.line(ink_of_line, (x, 3), (x, 57), 255, 4, cv2.LINE_AA)
    found = character_boxes.shapes(ink_of_line, [28, 46, 60])
    assert [np.unique(np.searchsorted([54, 66], shape.x)).tolist() for shape in found] == [[0], [1], [2]]
    assert all(shape.alone for shape in found)


def test_joined_letters_are_parted_and_others_left_whole():
    line = np.zeros((40, 120), np.uint8)
    for left in (5, 40, 80):
        cv2.rectangle(line, (left, 5), (left + 20, 35), 255, 3)
    line[20:23, 60:80] = 255   # the second and the third are joined
    first, second, third = character_boxes.shapes(line, [12, 50, 92])
    assert (first.alone, second.alone, third.alone) == (True, False, False)
    assert (first.x.min(), first.x.max()) == (3, 27)
    assert 62 <= second.x.max() <= 78 and third.x.min() == second.x.max() + 1
    assert len(first.x) + len(second.x) + len(third.x) == np.count_nonzero(line >= text_lines.INK)
