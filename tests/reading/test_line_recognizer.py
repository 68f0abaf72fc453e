"""Reading lines with the shipped network, and how its logits become text."""
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from common import alphabets, pen_strokes, runs, softmax
from reading import binarize, line_recognizer, recognizer, word_lm
from tools import draw_samples

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def shipped() -> recognizer.Recognizer:
    return recognizer.Recognizer(runs.DEFAULT)


@pytest.mark.parametrize("text", ["minimum", "little", "hello world"])
@pytest.mark.parametrize("height, width", [(40, 3), (90, 5), (150, 14)])
def test_cursive_is_read(shipped, text, height, width):
    page = pen_strokes.draw_strokes(draw_samples.cursive_strokes(text, height, 1), width, margin=20)
    reading = shipped.recog(255 - page)
    assert reading.text == text
    characters = [character for word in reading.lines[0].words for character in word.characters]
    assert "".join(character.text for character in characters) == text.replace(" ", "")
    for one, other in zip(characters, characters[1:]):
        assert one.box[0] < other.box[0] and one.box[0] + one.box[2] < other.box[0] + other.box[2] + 5
    assert all(0 < word.confidence < 1 for word in reading.lines[0].words)


def test_a_page_of_lines_is_read_from_top_to_bottom(shipped):
    page = pen_strokes.draw_strokes(draw_samples.strokes_of(draw_samples.LINES, 60, 5), 8, margin=24)
    assert shipped.recog(255 - page).text == "\n".join(draw_samples.LINES)


def test_it_reads_single_characters_too(shipped):
    samples = [path for path in (ROOT / "samples").iterdir() if path.suffix in (".png", ".jpg")]
    found = shipped.pages.read_characters([binarize.read_picture(path) for path in samples])
    right = sum(one.text.lower() == path.name[0].lower() for one, path in zip(found, samples, strict=True))
    assert right >= len(samples) - 1 and all(len(one.alternatives) == 5 for one in found)


def test_without_a_language_model_the_network_alone_decides(shipped):
    alone = recognizer.Recognizer(shipped.unixTime, language="none")
    assert alone.pages.lm is None
    page = pen_strokes.draw_strokes(draw_samples.cursive_strokes("hello", 80, 1), 5, margin=20)
    assert alone.recog(255 - page).text == "hello"


def test_what_a_network_expects_of_any_text_is_taken_away():
    shares = np.full(len(alphabets.ASCII), 0.004)
    shares[alphabets.LABELS["e"] - 1] = 1 - 0.004 * (len(alphabets.ASCII) - 1)
    seen = softmax.log_softmax(np.zeros((3, 96), np.float32))
    decoding = line_recognizer.Decoding(prior_share=0.5, label_prior=np.log(shares).tolist())
    fair = decoding.without_prior(seen)
    np.testing.assert_allclose(np.exp(fair).sum(axis=1), 1, rtol=1e-5)
    off = fair[:, alphabets.LABELS["q"]] - fair[:, alphabets.LABELS["e"]]
    np.testing.assert_allclose(off, 0.5 * np.log(shares[alphabets.LABELS["e"] - 1] / 0.004), rtol=1e-4)
    assert (replace(decoding, prior_share=0.0).without_prior(seen) == seen).all()


def test_decoding_of_older_runs_is_understood():
    old = {"strength": 1.5, "bonus": 3.2, "space": -2.0, "spacing": 0.6, "prior_share": 0.5}
    found = line_recognizer.Decoding.of(old)
    assert (found.lm_weight, found.insertion_bonus, found.space_bonus, found.space_lm_share, found.prior_share) == (
        1.5, 3.2, -2.0, 0.6, 0.5)
    assert line_recognizer.Decoding.of(asdict(found)) == found and line_recognizer.Decoding.of(None).lm_weight == 0.4


@pytest.mark.parametrize("wrong", [
    {"magic": 1.0}, {"lm_weight": [1.0]}, {"label_prior": 1.0}, {"label_prior": []}, {"confidence": [0.5] * 4}])
def test_decoding_of_another_shape_is_refused(wrong):
    with pytest.raises(runs.RunError, match=f"cannot hold {next(iter(wrong))} = "):
        line_recognizer.Decoding.of(wrong)


def test_a_prior_longer_than_the_labels_is_cut():
    seen = softmax.log_softmax(np.zeros((3, 96), np.float32))
    long = line_recognizer.Decoding(prior_share=0.5, label_prior=[-5.0] * 157)
    assert long.without_prior(seen).shape == seen.shape


def test_a_line_is_read_alike_whatever_stands_beside_it(shipped):
    lines = [pen_strokes.draw_strokes(draw_samples.cursive_strokes(text, 60, 1), 5) for text in ("hello", "minimum")]
    alone = [text for line in lines for text in shipped.pages.read_lines([line])]
    assert list(shipped.pages.read_lines(lines)) == alone


def said(text: str, small: float) -> np.ndarray:
    """Log probabilities of a network that reads a text, each letter as a small one with the probability `small`."""
    chances = np.full((2 * len(text) + 1, len(alphabets.ALPHABET) + 1), 1e-6)
    chances[::2, 0] = 1
    for place, character in enumerate(text):
        chances[2 * place + 1, alphabets.LABELS[character.lower()]] = small
        chances[2 * place + 1, alphabets.LABELS[character.upper()]] = 1 - small if character.isalpha() else 1
    return np.log(chances / chances.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("doubts, text", [((0.02, 0.9, 0.1, 0.95, 0.6), "BOULEVARD DU PORT"),
                                          ((0.999, 0.9999, 0.02), "boulevard du port")])
def test_a_line_of_capitals_is_read_as_capitals_and_no_other_line(doubts, text):
    network = said("boulevard du port", 0.5)
    for place in range(len(text)):   # the network is sure of the case of some letters only
        network[2 * place + 1] = said(text, doubts[place % len(doubts)])[2 * place + 1]
    reader = line_recognizer.LineReader(None, {"lm_weight": 0.6}, word_lm.load("french"))
    found = reader.decode(network)
    if text.isupper():
        assert found.text == text
        assert [rivals[0][0] for rivals in found.rivals] == text.split()
        assert line_recognizer.LineReader(None).decode(network).text != text
    else:
        assert not found.text.isupper() and found.text.lower() == text
    short = reader.decode(network[:2 * 4 + 1])   # "boul" may be an abbreviation
    assert not short.text.isupper()
