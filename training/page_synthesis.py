"""Makes pages for the page network to learn from, with the ground truth of where their writing is.

`python -m tools.draw_training --pages` draws a sheet of them.  A page is written (page_layouts) with people's pen
strokes, fonts or real pages (page_writing) on paper, and photographed (paper).  Masks of writing, rules and lines of
text are drawn along with it, and bent like the page.
"""
import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import cv2
import numpy as np

from training import page_layouts, paper
from training.page_writing import Sources

SIDE, DRY_RUN_SIDE = 448, 128    # px of a picture
SIZES = 5.5, 64.0                # px: least and greatest x-height in a picture; most are small
USUAL = 14.5, 0.5                # px: their median, and the standard deviation of their logarithm
REAL = 0.16                      # share of the pages: real ones as they are, ...
COPIED = 0.14                    # ... and real writing on other paper
DARK = 0.08                      # share of the others: on boards
TURNED = 0.3                     # share of all: by 90, 180 or 270 degrees
PHOTOS, MIXED = 3, 24            # photos of each page, and fewest photos to choose the next one from
LARGER = 1.15                    # factor of page sizes; around a page smaller than its photo the table shows


class Sample(NamedTuple):
    """A picture, and what is where in it."""
    picture: np.ndarray          # uint8 (side, side, 3), RGB
    ink: np.ndarray              # uint8 (side, side): how much of each pixel is covered by writing
    core: np.ndarray             # uint8 (side / 2, side / 2): cores of lines
    rule: np.ndarray             # uint8 (side / 2, side / 2): rules, boxes, drawings
    known: np.ndarray            # uint8 (side / 2, side / 2): 0 where the truth is unknown
    direction: np.ndarray        # float32 (2,): cosine and sine of the reading direction, y downwards


class PageSynthesizer:
    """Makes pages from the sources of writing."""

    def __init__(self, sources: Sources, side: int = SIDE):
        """side: px of the square pictures."""
        self.sources, self.side = sources, side

    def stream(self, rng: np.random.Generator) -> Iterator[Sample]:
        """Endless pictures to learn from: PHOTOS of each page, mixed with those of other pages."""
        waiting = []
        while True:
            while len(waiting) < MIXED:
                page, zoom, gentle = self._page(rng)
                waiting += [self._photo(page, zoom, rng, gentle) for _ in range(PHOTOS)]
            yield waiting.pop(rng.integers(len(waiting)))

    def sample(self, rng: np.random.Generator) -> Sample:
        """A picture to learn from."""
        page, zoom, gentle = self._page(rng)
        return self._photo(page, zoom, rng, gentle)

    def _page(self, rng: np.random.Generator) -> tuple[page_layouts.Page, float, bool]:
        """A page, its zoom in px of the photo per px of the page, and whether it already is a photo."""
        lot = rng.random()
        x_height = float(np.clip(USUAL[0] * np.exp(rng.normal(0, USUAL[1])), *SIZES))
        if lot > REAL + COPIED or not self.sources.real:
            return self._written(rng, x_height), 1.0, False
        page, on_page = self._real(rng, x_height, copied=lot > REAL)
        x_height = max(x_height, rng.uniform(0.6, 1.1) * on_page * self.side / page.size[0])   # no small scraps
        return page, x_height / on_page, lot < REAL

    def _written(self, rng: np.random.Generator, x_height: float) -> page_layouts.Page:
        """A page of about the picture's size or larger, with letters at their final size in px."""
        shape = tuple((self.side * rng.uniform(0.7, 1.5, 2) * LARGER).astype(int).tolist())
        dark = rng.random() < DARK
        ground = paper.board(shape, rng) if dark else paper.sheet(shape, rng, self.sources.papers)
        page = page_layouts.Page(ground, rng, dark)
        if rng.random() < 0.07:
            self._show_through(page, x_height)
        layouts = list(page_layouts.LAYOUTS)
        shares = np.array(list(page_layouts.LAYOUTS.values()))
        layouts[rng.choice(len(layouts), p=shares / shares.sum())](page, self.sources, x_height)
        paper.dirt(page.picture, rng)
        return page

    def _show_through(self, page: page_layouts.Page, x_height: float) -> None:
        """Let writing on the other side show through faintly; it does not count as writing."""
        other = page_layouts.Page(np.full_like(page.picture, 255), page.rng)
        page_layouts.notes(other, self.sources, x_height)
        seen = cv2.GaussianBlur(other.ink[:, ::-1], (0, 0), page.rng.uniform(0.7, 2.5)).astype(np.float32) / 255
        page.picture *= 1 - page.rng.uniform(0.05, 0.25) * seen[..., None]

    def _real(self, rng: np.random.Generator, x_height: float, copied: bool) -> tuple[page_layouts.Page, float]:
        """A part of a real page, or its writing on other paper; and its x-height."""
        for _ in range(20 if copied else 1):
            block = self.sources.real.block(rng, int(np.clip(self.side * 15 / x_height, 200, 1400)))
            if not (copied and block.rules.any()):
                break
        if not copied:
            page = page_layouts.Page(block.picture.astype(np.float32), rng)
            page.rules = block.rules
        else:
            page = page_layouts.Page(paper.sheet(block.ink.shape, rng, self.sources.papers), rng)
            if rng.random() < 0.5:
                page_layouts.rule_page(page, block.x_height * rng.uniform(2, 5), rng.uniform(0, 99))
            page.stamp(block.ink, 0, 0, page_layouts.Pen(rng))
            paper.dirt(page.picture, rng)
        page.ink, page.core = block.ink, block.core
        # Where the truth about copied writing is known: everywhere, unless more than a fifth of the block is unknown.
        page.known = block.known if not copied or (block.known == 0).mean() > 0.2 else np.full_like(block.known, 255)
        return page, block.x_height

    def _photo(self, page: page_layouts.Page, zoom: float, rng: np.random.Generator, gentle: bool) -> Sample:
        """The page as a camera or scanner sees it."""
        size = (self.side, self.side)
        angle = rng.normal(0, 0.03) + (rng.random() < 0.15) * rng.normal(0, 0.12)
        extent = np.array(page.size)
        reach = np.maximum(0, extent - self.side / zoom) / 2
        centre = extent / 2 + rng.uniform(-1, 1, 2) * (reach + 0.12 * extent * (rng.random() < 0.5))
        x, y = paper.bend(page.ink.shape, size, rng, angle, zoom, centre)
        how = cv2.INTER_AREA if zoom < 0.8 else cv2.INTER_LINEAR
        picture, layers = page.picture, cv2.merge([page.ink, page.core, page.rules, page.known])
        if zoom < 0.8:   # remap samples single pixels: shrink first
            picture, layers = (cv2.resize(each, None, fx=zoom, fy=zoom, interpolation=how)
                               for each in (picture, layers))
            x, y = x * zoom, y * zoom
        inside = (x > 0) & (y > 0) & (x < picture.shape[1] - 1) & (y < picture.shape[0] - 1)
        edge = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.7)[..., None]
        picture = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        layers = cv2.remap(layers, x, y, cv2.INTER_LINEAR)
        layers[..., 3][~inside] = 255
        if not inside.all():
            picture = picture * edge + paper.table(size, rng) * (1 - edge)
        if not gentle or rng.random() < 0.6:
            picture = paper.light(picture, rng) if rng.random() < 0.65 else picture
        picture = paper.poor(picture, rng) if rng.random() < 0.12 else picture
        picture = paper.sensor(picture, rng)
        if rng.random() < 0.07:
            picture = paper.black_and_white(picture, rng)
        if rng.random() < 0.02:
            picture = 255 - picture
        return _turned(picture, layers, angle, rng)


def _turned(picture: np.ndarray, layers: np.ndarray, angle: float, rng: np.random.Generator) -> Sample:
    """The sample, sometimes turned by a multiple of 90 degrees."""
    turns = int(rng.integers(1, 4)) if rng.random() < TURNED else 0
    picture, layers = np.rot90(picture, turns), np.rot90(layers, turns)
    direction = angle - turns * np.pi / 2     # rot90 turns anticlockwise, and y points down
    ink, core, rule, known = (np.ascontiguousarray(layers[..., k]) for k in range(4))
    half = [cv2.resize(each, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for each in (core, rule)]
    known = cv2.resize(known, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_NEAREST)
    return Sample(np.ascontiguousarray(picture), ink, *half, known,
                  np.array([np.cos(direction), np.sin(direction)], np.float32))


def overlay(sample: Sample) -> np.ndarray:
    """The picture with cores green, rules red and ink blue: uint8 (side, side, 3)."""
    shown = cv2.cvtColor(cv2.cvtColor(sample.picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB).astype(np.float32)
    core, rule, unknown = (cv2.resize(each, sample.ink.shape[::-1]) for each in
                           (sample.core, sample.rule, 255 - sample.known))
    for mask, colour, share in ((unknown, (128, 128, 128), 0.6), (core, (0, 220, 0), 0.45), (rule, (255, 0, 0), 0.9),
                                (sample.ink, (0, 0, 255), 0.8)):
        shown += (np.array(colour, np.float32) - shown) * (mask / 255.0 * share)[..., None]
    return shown.astype(np.uint8)


# ---- for a training

def _synthesizer(config, split: str) -> PageSynthesizer:
    return PageSynthesizer(Sources.read(config.pen_path, config.paper_path, split),
                           DRY_RUN_SIDE if config.dry_run else SIDE)


def validation(config) -> list[Sample]:
    """Pages by people whose writing no network learns from, for a TrainingConfig.

    Raises errors.DataError when a file is missing.
    """
    return list(itertools.islice(_synthesizer(config, "val").stream(np.random.default_rng(0)),
                                 8 if config.dry_run else 32))


def batches(config, epoch: int, place: int, _writers: int) -> Iterator[tuple[np.ndarray, tuple]]:
    """Endless batches of process number `place`, from an epoch on: pictures, and the other fields of Sample."""
    stream = _synthesizer(config, "train").stream(np.random.default_rng((config.seed, epoch, place)))
    while True:
        yield stacked(itertools.islice(stream, config.batch_size))


def stacked(samples: Iterable[Sample]) -> tuple[np.ndarray, tuple]:
    """The pictures of some samples in one array, and their other fields in one array each."""
    pictures, *truth = map(np.stack, zip(*samples, strict=True))
    return pictures, tuple(truth)

