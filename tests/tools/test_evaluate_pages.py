"""tools/evaluate_pages.py counts lines and wrong characters as one would by hand."""
import numpy as np
import pytest

from reading.page_network import Core, FoundPage
from tools import evaluate_pages


def page(*lines):
    """A page in half its size with cores (left, right, y) that are 10 px high."""
    cores = [Core(left, right, np.full(right - left, float(y)), 10.0, 0.9) for left, right, y in lines]
    return FoundPage(np.zeros((9, 9), np.uint8), [], cores, 2.0, 0)


@pytest.mark.parametrize("cores, found", [
    ([(0, 100, 45), (0, 100, 95)], 2), ([(0, 45, 45), (55, 100, 45), (0, 100, 95)], 1),    # whole; one of them split
    ([(0, 100, 70)], 0), ([(0, 60, 45), (0, 100, 95)], 1), ([], 0)])                       # between; too short; none
def test_a_line_counts_if_one_core_covers_it(cores, found):
    known = [{"baseline": [[0, 100], [200, 100]]}, {"baseline": [[0, 200], [200, 200]]}]
    assert evaluate_pages.found_as_one(page(*cores), known) == found


def test_case_and_breaks_do_not_count_and_accents_only_if_asked():
    assert evaluate_pages.error("One\nTWO", "one two") == (0, 7)
    assert evaluate_pages.error("ete", "\u00e9t\u00e9") == (2, 3)
    assert evaluate_pages.error("ete", "\u00e9t\u00e9", accents=False) == (0, 3)
