"""The shipped networks read the real writing in tests/records as well as when they were shipped.

Measured: CER 0.049 for words and 0.052 for lines; accuracy 0.83 for the dense network, 0.80 for the resnet
and the mixer.  The limits below leave a little room for other processors.
"""
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from reading import recognizer
from tools import evaluate
from training import unipen

RECORDS = Path(__file__).resolve().parents[1] / "records"
NETWORKS = {"1796083215": 0.79, "1795678193": 0.77, "1795678194": 0.77}   # minimum accuracy


def samples(kind: str) -> list[evaluate.Sample]:
    """Each record of one category drawn three times, at random sizes and with random pens."""
    config = SimpleNamespace(split="test", texts="all", labels="written", number=100, pen_path=RECORDS)
    return [sample for seed in range(3) for sample in evaluate.draw_set(config, np.random.default_rng(seed), kind)]


@pytest.mark.parametrize("kind, most", [("words", 0.055), ("lines", 0.058)])
def test_the_character_error_rate_of_words_and_lines_stays(kind, most):
    results = evaluate.read_all(samples(kind), recognizer.Recognizer().recog, kind)
    assert evaluate.measure(results)["CER"] <= most, [(result.truth, result.text) for result in results]


@pytest.mark.parametrize("unix_time", NETWORKS)
def test_the_accuracy_of_isolated_characters_stays(unix_time):
    results = evaluate.read_all(samples("characters"), recognizer.Recognizer(unix_time).recog_character, unix_time)
    assert evaluate.measure(results)["exact"] >= NETWORKS[unix_time]


def test_the_records_are_few_small_and_of_the_test_split():
    counts = {path.name: len(list(unipen.read_strokes(path, "test"))) for path in RECORDS.glob("*.jsonl.gz")}
    assert counts == {"characters.jsonl.gz": 20, "words.jsonl.gz": 25, "lines.jsonl.gz": 15}
    assert sum(path.stat().st_size for path in RECORDS.iterdir()) < 200_000
