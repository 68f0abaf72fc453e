"""The language model prefers English, and leaves codes, names and digits readable."""
import numpy as np
import pytest

from reading import word_lm
from reading.character_lm import SPELT
from tools import build_language_models as build

ENGLISH = word_lm.load().spelling


def next_log_probs(context: str) -> np.ndarray:
    """Log P(next | context), which may be empty, after a word that tells nothing."""
    return ENGLISH.next_log_probs([context], [""])[0] if context else ENGLISH.first_log_probs("")


def next_probs(context: str) -> dict[str, float]:
    """P(next) by character; "" is the end of the word."""
    return dict(zip([*SPELT, ""], np.exp(next_log_probs(context)), strict=True))


@pytest.mark.parametrize("context", ["", "t", "The", "TH", "19", "A4", "xqzjk", "straightforwardnes", "i", "McD", "3r"])
def test_what_may_follow_is_a_distribution_without_zeros(context):
    log_probs = next_log_probs(context)
    assert log_probs.shape == (len(SPELT) + 1,) and log_probs.dtype == np.float32
    assert np.exp(log_probs.astype(float)).sum() == pytest.approx(1, abs=1e-4)
    assert log_probs[:-1].min() > np.log(1e-5)


@pytest.mark.parametrize("likely, unlikely", [
    ("the", "tqe"), ("hello", "hcllo"), ("modem", "rnodem"), ("house", "hOuse"), ("HOUSE", "HOuSE"),
    ("1995", "l995"), ("2001", "2OO1"), ("I", "i"), ("a", "q"), ("good", "g00d"), ("London", "LonDon"),
])
def test_a_word_is_likelier_than_what_it_is_mistaken_for(likely, unlikely):
    assert ENGLISH.word_log_prob(likely) > ENGLISH.word_log_prob(unlikely) + 1


def test_digits_follow_digits_and_capitals_follow_capitals():
    after_digits, after_capitals, after_capital = next_probs("19"), next_probs("THE"), next_probs("Th")
    assert sum(after_digits[c] for c in "0123456789") > 0.5
    assert sum(after_capitals[c] for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ") > 10 * sum(
        after_capitals[c] for c in "abcdefghijklmnopqrstuvwxyz")
    assert after_capital["e"] > 100 * after_capital["E"]
    assert next_probs("q")["u"] > 0.5 and next_probs("Q")["u"] > next_probs("Q")["z"]
    assert next_probs("the")[""] > 10 * next_probs("tha")[""]


@pytest.mark.parametrize("word", ["Xq7Zk", "zzgtrw", "A4B2C9", "Mlakar"])
def test_what_is_no_word_stays_readable(word):
    """Each character costs little more than it would among 62 equally likely ones."""
    flat = -np.log(62)
    assert ENGLISH.word_log_prob(word) / (len(word) + 1) > flat - 1.5


def test_it_is_made_from_counts(monkeypatch):
    monkeypatch.setattr(build, "CHARACTER_FLATTEN", 1.0)
    rows = build.smooth(build.count({"ab": 1e-8, "ac": 3e-8}))
    for _, row in rows.values():
        assert row.sum() == pytest.approx(1)
    after_a = rows["a"][1]
    # By hand: "a" was seen 4 times, followed by b once and by c three times; those are two letters, so the
    # shorter context counts as two more; there c is 3 of 12 characters before the same kind of smoothing.
    shorter = (3 + 4 / build.LABELS) / (12 + 4)
    assert after_a[2] == pytest.approx((3 + 2 * shorter) / (4 + 2))
    monkeypatch.setattr(build, "CONTEXTS", 2)
    assert len(build.prune(rows)) == 3 and "" in build.prune(rows)
