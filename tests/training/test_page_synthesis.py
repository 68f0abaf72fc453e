import numpy as np
import pytest

from common import alphabets
from tests import toy
from training import (
    line_records,
    networks,
    page_layouts,
    page_synthesis,
    page_writing,
    paper,
    unipen,
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> page_writing.Sources:
    folder = toy.write_pen(tmp_path_factory.mktemp("pen"), {"hello": 8, "tinder": 8, "5": 5})
    words = list(line_records.read_records(folder, "words", "train"))
    glyphs = dict.fromkeys(alphabets.CHARACTERS[:36], list(unipen.read_strokes(folder / "characters.jsonl.gz")))
    faces = page_writing.typefaces()
    return page_writing.Sources({"someone": words}, glyphs, faces[:2], faces, ["so many words"], [])


@pytest.mark.parametrize("layout", page_layouts.LAYOUTS)
def test_layout_writes_inside_its_cores(layout, sources):
    rng = np.random.default_rng(1)
    page = page_layouts.Page(paper.sheet((400, 500), rng, []), rng)
    layout(page, sources, 14.0)
    assert page.picture.shape == (400, 500, 3) and page.ink.max() > 200
    within = page.ink[page.core > 0].astype(float).sum() / page.ink.sum()
    assert within > 0.45      # the rest are ascenders and descenders
    covered = (page.ink[page.core > 0] > 96).mean()
    assert 0.05 < covered < 0.7


@pytest.mark.parametrize("seed", range(12))
def test_sample_has_the_same_size_everywhere(seed, sources):
    sample = page_synthesis.PageSynthesizer(sources, 192).sample(np.random.default_rng(seed))
    assert sample.picture.shape == (192, 192, 3) and sample.picture.dtype == np.uint8
    assert sample.ink.shape == (192, 192)
    assert sample.core.shape == sample.rule.shape == sample.known.shape == (96, 96)
    assert np.hypot(*sample.direction) == pytest.approx(1)


def test_same_seed_gives_the_same_page(sources):
    synthesizer = page_synthesis.PageSynthesizer(sources, 128)
    first, second = (synthesizer.sample(np.random.default_rng(5)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second))


def test_pen_writer_stands_on_the_baseline(sources):
    writer = page_writing.PenWriter(sources.writers["someone"], sources.glyphs, np.random.default_rng(0))
    word = writer.word(20.0, "5")
    rows = np.flatnonzero(word.ink.max(axis=1) > 96)
    assert rows[-1] == pytest.approx(word.baseline, abs=6)
    assert rows[-1] - rows[0] == pytest.approx(20 / alphabets.X_HEIGHT, rel=0.35)


def test_x_height_of_a_line_is_measured():
    rng = np.random.default_rng(0)
    writer = page_writing.FontWriter(page_writing.typefaces()[0], ["anne moves"], rng, printed=True)
    word = writer.word(22.0, "annemoves")
    baseline = np.array([(0.0, word.baseline), (word.ink.shape[1] - 1.0, word.baseline)])
    assert page_writing._x_height(word.ink / 255, baseline) == pytest.approx(22, abs=2.5)


def test_network_maps_have_the_size_of_the_picture():
    network = networks.build("page")
    ink, marks = network(np.zeros((1, 64, 96, 3), np.uint8))
    assert ink.shape == (1, 64, 96, 1) and marks.shape == (1, 32, 48, 4)
    assert network.count_params() < 350_000
