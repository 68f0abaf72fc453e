"""The word language model prefers words, pairs of words and marks as people write them; names still get through."""
import math
from pathlib import Path

import numpy as np
import pytest
import toy

from common import alphabets, softmax
from reading import character_lm, ctc, word_lm
from tools import build_language_models as build

ENGLISH = word_lm.load()


def end_gain(model: word_lm.WordLM, text: str, follower: str) -> float:
    """How much the end of a text's last word adds to the log probability of the mark or space after it."""
    word = word_lm.last_word(text)
    return 0.0 if follower == "'" else model._end_gain(text[:len(text) - len(word)], word)


def chances(text: str) -> np.ndarray:
    """P(next character | text) by label, without the share that is left for any character."""
    return (np.exp(ENGLISH.next_log_probs([text])[0]) - [0, *word_lm.ANY]) / (1 - word_lm.ANYTHING)


def chance(text: str, character: str) -> float:
    """P(character | text), from `chances`."""
    return chances(text)[alphabets.LABELS[character]]


@pytest.mark.parametrize("text", ["", "th", "Q", "19", "the ", "the end.", "the end. ", "(", "say \"", "$"])
def test_chances_of_what_may_follow_sum_to_one(text):
    # Without the gain at the end of a word.
    added = [math.exp(end_gain(ENGLISH, text, character)) if character in alphabets.MARKS else 1
             for character in alphabets.ALPHABET]
    assert (chances(text)[1:] / added).sum() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("text", ["", "A4", "isn't", "19", "the ", "(", "$"])
def test_with_any_character_they_sum_to_one_too(text):
    assert np.exp(ENGLISH.next_log_probs([text])[0][1:]).sum() == pytest.approx(1, abs=1e-3)


def test_many_texts_at_once_and_one_by_one_are_the_same_and_few_are_remembered(monkeypatch):
    texts = ["", "the dog", "The dog", "DelVillar", "19", "isn't", "the end. ", "the dgo", "New York",
             "in New York", "a  dog", "saw a  dog"]
    together = ENGLISH.next_log_probs(texts)
    monkeypatch.setattr(character_lm, "CACHE", 1)   # so that everything is forgotten before each text
    for text, found in zip(texts, together, strict=True):
        np.testing.assert_allclose(ENGLISH.next_log_probs([text])[0], found, atol=1e-5)
        assert len(ENGLISH._known) <= 2 + 2


def test_marks_stand_behind_words_and_spaces_behind_marks():
    behind, apart = chance("government", "."), chance("government", " ") * chance("government ", ".")
    assert behind > 3 * apart
    assert chance("dog,", " ") > 0.8 and chance("dog,", "s") < 0.01
    assert chance("(", " ") < 0.5 < chance("government", " ")
    assert chance("19", "%") > 10 * chance("dog", "%")


def test_any_character_may_come_anywhere():
    for text in ("gove", "the dog", "19", "the end. "):
        assert (np.exp(ENGLISH.next_log_probs([text])[0][1:]) >= 0.999 * word_lm.ANY).all()


def test_a_word_may_end_where_it_is_one():
    assert chance("the dog", " ") / chance("the dgo", " ") > 5 < chance("the dog", ".") / chance("the dgo", ".")


def test_known_words_gain_and_all_the_more_behind_a_word_that_they_often_follow():
    assert end_gain(ENGLISH, "the dog", " ") > 0 > end_gain(ENGLISH, "the dgo", " ")
    assert end_gain(ENGLISH, "New York", " ") > end_gain(ENGLISH, "old York", " ") + 2
    assert end_gain(ENGLISH, "New York", ".") == end_gain(ENGLISH, "New York", " ")


@pytest.mark.parametrize("language, usual, other", [
    ("english", "to London", "to london"), ("english", "the letters", "the Letters"), ("english", "Vienna", "vienna"),
    ("german", "das Haus", "das haus"), ("german", "wir gehen", "wir Gehen"), ("french", "de Paris", "de paris")])
def test_names_and_german_nouns_keep_their_capital_and_other_words_have_none(language, usual, other):
    model = word_lm.load(language)
    assert end_gain(model, usual, " ") > end_gain(model, other, " ") + 1
    assert end_gain(model, usual.upper(), " ") == pytest.approx(end_gain(model, other.upper(), " "))


def test_a_word_that_begins_a_sentence_may_have_a_capital():
    assert end_gain(ENGLISH, "ends. The", " ") == pytest.approx(end_gain(ENGLISH, "ends. the", " "), abs=0.5)
    assert end_gain(ENGLISH, "ends the", " ") > end_gain(ENGLISH, "ends The", " ") + 1


@pytest.mark.parametrize("text", ["Del", "the McDon"])
def test_behind_a_capital_within_a_name_a_new_word_begins(text):
    assert chance(text + "Vill", "a") == pytest.approx(chance(text + " Vill", "a"), rel=0.05)
    assert end_gain(ENGLISH, text + "Flower", " ") > end_gain(ENGLISH, text + "flower", " ") + 1
    assert end_gain(ENGLISH, text + "Letters", " ") > end_gain(ENGLISH, "xqz Letters", " ") + 1, "its capital is usual"


@pytest.mark.parametrize("row, aside", [("A B C", "A B X"), ("h i j k", "h i j t"), ("1 2 3", "1 2 5"),
                                        ("8 9 0", "8 9 1")])
def test_what_stands_alone_gains_where_it_is_the_next_in_order(row, aside):
    assert end_gain(ENGLISH, row, " ") > end_gain(ENGLISH, aside, " ") + 1
    assert end_gain(ENGLISH, f"look: {row}", " ") == end_gain(ENGLISH, row, " ")


def test_words_follow_words_of_their_kind():
    assert chance("OVER THE ", "L") > 2 * chance("over the ", "L")
    assert chance("OVER THE L", "A") > 3 * chance("over the L", "A") > 0
    assert chance("over the ", "l") > chance("OVER THE ", "l") * 2
    assert chance("(OVER) ", "T") > 2 * chance("(over) ", "T"), "marks aside"


@pytest.mark.parametrize("text", ["1 3", "9 4", "3 2", "a 2"])
def test_digits_out_of_order_gain_nothing(text):
    assert end_gain(ENGLISH, text, " ") == 0


def test_it_can_weigh_less_at_spaces_than_elsewhere():
    """The ink says "Vu Rwan" rather than "VuRwan"; such short words are rare."""
    of_steps = np.full((40, ctc.LABELS), -12.0)
    of_steps[:, 0] = -0.1
    for step, character in enumerate("Vu Rwan"):
        of_steps[5 * step + 2, 0] = -6
        of_steps[5 * step + 2, alphabets.LABELS[character]] = -0.1
    of_steps[12, [0, alphabets.LABELS[" "]]] = math.log(0.15), math.log(0.85)
    of_steps = softmax.log_softmax(of_steps)
    assert ctc.search(of_steps, ENGLISH, ctc.Weights(1.0))[0].text == "VuRwan"
    assert ctc.search(of_steps, ENGLISH, ctc.Weights(1.0, space_lm_share=0.5))[0].text == "Vu Rwan"


@pytest.mark.parametrize("text", ["Mr. Mlakar", "code Xqzk", "the rndint"])
def test_what_is_no_word_loses_little(text):
    assert math.log(1 - word_lm.LISTED) == pytest.approx(end_gain(ENGLISH, text, " "))


@pytest.mark.parametrize("text, follower", [("", " "), ("the ", "("), ("isn", "'"), ("isn't", " "), ("19", "%"),
                                            ("A4", " ")])
def test_nothing_is_added_where_no_word_ends(text, follower):
    assert end_gain(ENGLISH, text, follower) == 0


def test_the_word_before_decides_what_the_ink_leaves_open():
    """The ink slightly favours "New Yerk" over "New York"."""
    of_steps = np.full((40, ctc.LABELS), -12.0)
    of_steps[:, 0] = -0.1
    for step, choices in enumerate([*"New ", "Y", "eo", *"rk"]):
        of_steps[5 * step + 2, 0] = -6
        for character, share in zip(choices, (0.6, 0.4)):
            of_steps[5 * step + 2, alphabets.LABELS[character]] = math.log(share)
    of_steps = softmax.log_softmax(of_steps)
    assert ctc.search(of_steps)[0].text == "New Yerk"
    assert ctc.search(of_steps, ENGLISH, ctc.Weights(0.5))[0].text == "New York"
    alone = of_steps[20:]
    both = {way.text: way.language for way in ctc.search(alone, ENGLISH, ctc.Weights(0.5), before="New ")}
    without = {way.text: way.language for way in ctc.search(alone, ENGLISH, ctc.Weights(0.5))}
    assert both["York"] > without["York"] + 1 and both["Yerk"] == pytest.approx(without["Yerk"], abs=0.5)


def test_it_is_made_from_counts(tmp_path):
    frequencies = {"cat": 0.25, "dog": 0.25, "the": 0.5}
    counts = {("the", "cat"): 3 * build.PAIRS_COUNTED // 10, ("the", "dog"): build.PAIRS_COUNTED // 10,
              ("the", "mouse"): 10**12}
    pairs = build.pair_probabilities(counts, frequencies)
    # By hand: "the" is 0.5 of all words, which is more than its listed pairs; 0.3 / 0.5 and 0.1 / 0.5.
    assert pairs == {("the", "cat"): pytest.approx(0.6), ("the", "dog"): pytest.approx(0.2)}
    marks = build.count_marks(["a dog.", "19% (dog)"])
    places = word_lm.PLACES
    assert marks.sum(axis=1) == pytest.approx(1)
    assert marks[places["%"], places[" "]] > 0.5 and marks[places["a"], places["a"]] == 0
    assert marks[places["0"], places["%"]] > marks[places["0"], places["."]]
    odds = build.capital_odds(["The Cat and the Cat, the dog", "no dog. Dog"], dict.fromkeys(("cat", "dog", "he"), 1))
    assert odds["cat"] > 1 and odds["dog"] < -1 and odds["he"] == 0, "a sentence's first word tells nothing"
    contexts = build.prune(build.smooth(build.count(frequencies)))
    build.write(tmp_path / "small.npz", contexts, build.word_probabilities(frequencies), pairs, marks,
                dict.fromkeys(frequencies, 0.0))
    small = word_lm.load("small", tmp_path)
    assert build.with_sharp_s({"strasse": 1.0, "dass": 0.5}, ["Die Straße."]) == {"straße": 1.0, "dass": 0.5}
    assert end_gain(small, "the cat", " ") - end_gain(small, "the dog", " ") == pytest.approx(
        small.spelling.word_log_prob("dog") - small.spelling.word_log_prob("cat")
        + math.log((0.6 + 0.2 * 0.25) / (0.2 + 0.2 * 0.25)), abs=0.4)
    assert end_gain(small, "the bird", " ") == pytest.approx(math.log(1 - word_lm.LISTED))


def test_pairs_are_counted_where_only_a_space_lies_between():
    found = build.pairs_in_sentences(["Il est un an, un an de plus", "il est l'an un an", "Est Il"],
                                     dict.fromkeys(("il", "est", "un", "an", "de", "l"), 0.1))
    # By hand: "il" comes before "est" in two of two places, "un" before "an" in three of three.
    assert found == {("il", "est"): (2 - 0.75) / 2, ("un", "an"): (3 - 0.75) / 3}


@pytest.mark.parametrize("language, likely, other", [("french", "il est", "an est"), ("german", "gibt es", "haus es"),
                                                     ("spanish", "no es", "sol es")])
def test_each_language_knows_pairs(language, likely, other):
    model = word_lm.load(language)
    assert end_gain(model, likely, " ") > end_gain(model, other, " ") + 1


@pytest.mark.parametrize("language, word, other", [("french", "été", "etë"), ("german", "Straße", "Strabe"),
                                                   ("spanish", "año", "azo"), ("english", "where", "wherc")])
def test_each_language_knows_its_words(language, word, other):
    model = word_lm.load(language)
    assert model.spelling.word_log_prob(word) > model.spelling.word_log_prob(other) + 1
    assert end_gain(model, f"a {word}", " ") > end_gain(model, f"a {other}", " ") + 1


def test_the_model_is_small_and_quick_to_load():
    assert all(path.stat().st_size < 1_300_000 for path in Path(word_lm.__file__).parent.glob("*.npz"))
    seconds, modules = toy.cost_of_loading("word_lm")
    assert seconds < 0.4, "of processor time, which other programs do not lengthen; usually 0.1"
    assert not {"wordfreq", "symspellpy", "tensorflow", "keras"} & modules
