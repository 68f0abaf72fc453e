"""Layouts of writing, rules and boxes on a page: notes, columns, lists, forms, tables, digits in boxes, boards."""
import math

import cv2
import numpy as np

from training import paper
from training.page_writing import Word

INKS = ((25, 25, 30), (20, 30, 110), (35, 50, 150), (30, 60, 180), (60, 40, 120), (110, 30, 30), (190, 30, 40),
        (20, 90, 50), (70, 70, 75), (40, 40, 60), (50, 35, 25))
CHALKS = ((235, 235, 230), (240, 230, 150), (240, 180, 190), (170, 210, 240), (190, 235, 190), (255, 255, 255))
SHIFT = 4     # fractional bits of the positions that OpenCV takes


class Pen:
    """A pen: its colour, how much it covers, and how unevenly."""

    def __init__(self, rng: np.random.Generator, dark_ground: bool = False, kind: str = ""):
        """kind: "pencil", "pen" or "marker"; by default one of them at random."""
        colours = CHALKS if dark_ground else INKS
        weights = None if dark_ground else np.array((6, 3, 3, 2, 1, 1, 1, 1, 2, 2, 1)) / 23
        self.colour = np.array(colours[rng.choice(len(colours), p=weights)]) + rng.normal(0, 8, 3)
        kind = kind or ("pen", "pencil", "marker")[rng.choice(3, p=(0.6, 0.25, 0.15))]
        self.cover = {"pen": rng.uniform(0.6, 1), "pencil": rng.uniform(0.22, 0.75), "marker": 1.0}[kind]
        self.grain = rng.uniform(0.2, 0.8) if kind == "pencil" or dark_ground else rng.uniform(0, 0.25)
        if kind == "pencil" and not dark_ground:
            self.colour = np.full(3, rng.uniform(30, 90)) + rng.normal(0, 3, 3)

    def on(self, ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """How much of its colour each pixel takes on: float32 (height, width), from coverage uint8."""
        cover = ink.astype(np.float32) * (self.cover / 255)
        if self.grain > 0.1:
            cover *= np.clip(1 + self.grain * rng.normal(0, 0.6, ink.shape).astype(np.float32), 0.2, 1.2)
        return np.minimum(cover, 1)


class Page:
    """A page that is being written: its picture, and what is where on it."""

    def __init__(self, ground: np.ndarray, rng: np.random.Generator, dark: bool = False):
        """ground: float32 (height, width, 3), the empty page.  dark: whether it is written on in bright colours."""
        self.picture, self.rng, self.dark = ground, rng, dark
        shape = ground.shape[:2]
        self.ink, self.core, self.rules = (np.zeros(shape, np.uint8) for _ in range(3))
        self.known = np.full(shape, 255, np.uint8)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in px."""
        return self.picture.shape[1], self.picture.shape[0]

    def stamp(self, ink: np.ndarray, x: float, y: float, pen: Pen, layer: np.ndarray | None = None) -> None:
        """Put ink, uint8 (height, width), on the page with its corner at x, y, and into a layer (default: ink)."""
        layer = self.ink if layer is None else layer
        x, y = round(x), round(y)
        left, top = max(0, -x), max(0, -y)
        right, bottom = min(ink.shape[1], self.size[0] - x), min(ink.shape[0], self.size[1] - y)
        if left >= right or top >= bottom:
            return
        part = ink[top:bottom, left:right]
        here = np.s_[y + top:y + bottom, x + left:x + right]
        np.maximum(layer[here], part, out=layer[here])
        self.picture[here] += (pen.colour - self.picture[here]) * pen.on(part, self.rng)[..., None]

    def draw(self, points: np.ndarray, width: float, pen: Pen, layer: np.ndarray | None = None,
             closed: bool = False) -> None:
        """Draw a line through points (n, 2), into the layer of rules by default."""
        points = np.asarray(points, float)
        reach = width + 3
        low = np.maximum(np.floor(points.min(axis=0) - reach), 0).astype(int)
        high = np.minimum(np.ceil(points.max(axis=0) + reach), self.size).astype(int)
        if (low >= high).any():
            return
        fine = np.zeros((high - low)[::-1] * 2, np.uint8)
        moved = np.round(((points - low) * 2 + 0.5) * (1 << SHIFT)).astype(np.int32)
        cv2.polylines(fine, [moved], closed, 255, max(1, round(2 * width)), cv2.LINE_AA, SHIFT)
        ink = cv2.resize(fine, (high - low).tolist(), interpolation=cv2.INTER_AREA)
        if width < 0.5:
            ink = cv2.convertScaleAbs(ink, alpha=2 * width)
        self.stamp(ink, *low.tolist(), pen, self.rules if layer is None else layer)

    def mark(self, left: float, right: float, height, x_height: float) -> None:
        """Mark the core of a line whose baseline is y = height(x)."""
        x = np.linspace(left, right, max(2, int((right - left) / 12)))
        y = np.array([height(each) for each in x])
        band = np.concatenate([np.stack([x, y], 1), np.stack([x, y - x_height], 1)[::-1]])
        cv2.fillPoly(self.core, [np.round(band * (1 << SHIFT)).astype(np.int32)], 255, cv2.LINE_8, SHIFT)

    def write(self, writer, pen: Pen, x_height: float, left: float, baseline: float, right: float,
              words: int = 99, texts: list[str] | None = None, slope: float | None = None) -> float:
        """Write one line from `left` to at most `right`; returns where it ends.

        words: how many at most.  texts: what to write; by default any words.
        """
        rng = self.rng
        slope = rng.normal(0, 0.008) if slope is None else slope
        wave, phase = rng.normal(0, 0.08) * x_height, rng.uniform(0, 6.3)

        def height(x: float) -> float:
            return baseline + slope * (x - left) + wave * math.sin((x - left) / (12 * x_height) + phase)

        space = x_height * (rng.uniform(0.5, 1.7) if rng.random() < 0.85 else rng.uniform(1.7, 3.5))
        x, end = left, left
        for number in range(len(texts) if texts else words):
            word = writer.word(x_height, texts[number] if texts else "")
            if x + word.ink.shape[1] > right and number:
                break
            if abs(slope) > 0.012:
                word = _sheared(word, slope)
            self.stamp(word.ink, x, height(x) - word.baseline + rng.normal(0, 0.05) * x_height, pen)
            end = x + word.ink.shape[1]
            x = end + space * rng.uniform(0.6, 1.5)
        if end > left:
            self.mark(left, end, height, x_height)
        return end


def _sheared(word: Word, slope: float) -> Word:
    """Shear a word so that it rises or falls."""
    height, width = word.ink.shape
    extra = abs(slope) * width
    up = extra if slope < 0 else 0.0
    ink = cv2.warpAffine(word.ink, np.array([[1, 0, 0], [slope, 1, up]]), (width, math.ceil(height + extra)))
    return Word(ink, word.baseline + up)


def rule_page(page: Page, pitch: float, first: float) -> None:
    """Print lines, squares or dots on the whole page, sometimes with a margin; lines lie at first + k * pitch."""
    rng = page.rng
    width, height = page.size
    pen = Pen(rng, kind="pen")
    pen.colour = np.array(paper.RULE_COLOURS[rng.integers(len(paper.RULE_COLOURS))], float)
    pen.cover, pen.grain = rng.uniform(0.25, 1.0), 0.0
    if page.dark:
        pen.colour = page.picture.mean(axis=(0, 1)) + rng.uniform(15, 60)
    thick = rng.uniform(0.4, 1.8) * max(1.0, pitch / 45)
    kind = rng.choice(4, p=(0.62, 0.22, 0.08, 0.08))    # lines, squares, dots, double lines
    step = pitch if kind in (0, 3) else pitch / rng.choice((1, 2, 2, 3))
    if step < 6:
        return
    rows = np.arange(first % step, height, step)
    if kind == 2:
        _dots(page, step, rows, thick, pen)
        return
    inset = rng.uniform(0, 0.12) * width if rng.random() < 0.3 else 0
    for y in rows:
        page.draw([(inset, y), (width - inset, y)], thick, pen)
        if kind == 3:
            page.draw([(0, y - 0.35 * pitch), (width, y - 0.35 * pitch)], 0.6 * thick, pen)
    if kind == 1:
        for x in np.arange(rng.uniform(0, step), width, step):
            page.draw([(x, 0), (x, height)], thick, pen)
    if rng.random() < 0.4:
        pen.colour = np.array(paper.MARGIN_COLOURS[rng.integers(len(paper.MARGIN_COLOURS))], float)
        x = width * rng.choice((rng.uniform(0.05, 0.25), rng.uniform(0.75, 0.95)))
        for offset in (0, rng.uniform(3, 8))[:rng.integers(1, 3)]:
            page.draw([(x + offset, 0), (x + offset, height)], thick, pen)


def _dots(page: Page, step: float, rows: np.ndarray, thick: float, pen: Pen) -> None:
    """Print dots at every `step` px of each row."""
    dots = np.zeros(page.ink.shape, np.uint8)
    columns = np.arange(page.rng.uniform(0, step), page.size[0], step)
    for x, y in np.round(np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2) * 8).astype(int).tolist():
        cv2.circle(dots, (x, y), round(8 * max(0.7, thick * 0.8)), 255, cv2.FILLED, cv2.LINE_AA, 3)
    page.stamp(dots, 0, 0, pen, page.rules)


# ---- layouts: each fills a page with letters of about this x-height, in px

def notes(page: Page, sources, x_height: float) -> None:
    """One to three columns of text, on plain or ruled paper."""
    rng = page.rng
    width, height = page.size
    pitch = x_height * rng.choice((rng.uniform(1.5, 2.3), rng.uniform(2.1, 3.4), rng.uniform(3, 5)))
    top = rng.uniform(0.5, 4) * pitch
    if rng.random() < 0.55:
        rule_page(page, pitch, top + rng.normal(0.1, 0.15) * x_height)
    columns = 1 if width < 45 * x_height else rng.choice((1, 2, 3), p=(0.6, 0.28, 0.12))
    gutter = x_height * rng.uniform(3, 6)
    side = rng.uniform(0, 0.08) * width
    each = (width - 2 * side - (columns - 1) * gutter) / columns
    writer, pen = sources.hand(rng), Pen(rng, page.dark)
    if rng.random() < 0.12:
        writer, pen = sources.printer(rng), Pen(rng, page.dark, "pen")
    slope = rng.normal(0, 0.06 if rng.random() < 0.15 else 0.012)
    for column in range(columns):
        left = side + column * (each + gutter)
        baseline = top + (rng.integers(0, 4) * pitch if column else 0)
        indent = rng.uniform(0, 3) * x_height * (rng.random() < 0.3)
        while baseline < height + x_height:
            short = rng.random() < 0.12
            line = left + indent + abs(rng.normal(0, 0.5)) * x_height
            end = page.write(writer, pen, x_height * np.exp(rng.normal(0, 0.03)), line,
                             baseline + rng.normal(0, 0.04) * pitch, left + each,
                             rng.integers(1, 5) if short else 99, slope=slope + rng.normal(0, 0.004))
            _touch(page, writer, pen, line, end, baseline, x_height, slope)
            baseline += pitch * (2 if short and rng.random() < 0.4 else 1)
            indent = rng.uniform(1, 4) * x_height if short and rng.random() < 0.5 else 0
        if rng.random() < 0.1:
            writer, pen = sources.hand(rng), Pen(rng, page.dark)


def _touch(page: Page, writer, pen: Pen, left: float, end: float, baseline: float, x_height: float,
           slope: float) -> None:
    """Underline or highlight some of the lines, as people do."""
    rng, kind = page.rng, page.rng.random()
    if kind < 0.05:       # underlined
        y = baseline + x_height * rng.uniform(0.25, 0.7)
        start = rng.uniform(left, max(left, end - 3 * x_height))
        x = np.linspace(start, end, 8)
        wobble = rng.normal(0, 0.05 * x_height, 8)
        page.draw(np.stack([x, y + slope * (x - left) + wobble], 1), max(1, 0.12 * x_height), pen)
    elif kind < 0.08:     # highlighted
        marker = Pen(rng, kind="marker")
        marker.colour = np.array(((255, 240, 60), (160, 250, 120), (255, 170, 200))[rng.integers(3)], float)
        band = np.zeros(page.ink.shape, np.uint8)
        ends = np.round([(left, baseline - 0.4 * x_height), (end, baseline - 0.4 * x_height + slope * (end - left))])
        cv2.line(band, *ends.astype(int).tolist(), 255, max(1, round(2.2 * x_height)), cv2.LINE_AA)
        darker = page.picture * (marker.colour / 255)
        page.picture += (darker - page.picture) * (band / 255.0).astype(np.float32)[..., None]


def lists(page: Page, sources, x_height: float) -> None:
    """Short lines, many after a number, a dash or a box to tick."""
    rng = page.rng
    width, height = page.size
    pitch = x_height * rng.uniform(2.2, 5.5)
    left, baseline = rng.uniform(0.02, 0.3) * width, rng.uniform(1, 4) * pitch
    if rng.random() < 0.6:
        rule_page(page, pitch if rng.random() < 0.7 else pitch / 2, baseline + 0.15 * x_height)
    writer, pen = sources.hand(rng), Pen(rng, page.dark)
    mark, number = rng.integers(6), 0
    while baseline < height + x_height:
        number += 1
        x = left
        if mark == 0:       # a number in a circle
            around = x_height * rng.uniform(1.1, 1.5)
            angles = np.linspace(0, 6.6, 24)
            centre = np.array((x + around, baseline - 0.7 * x_height))
            page.draw(centre + around * np.stack([np.cos(angles), np.sin(angles)], 1), max(1, .12 * x_height), pen)
            page.write(writer, pen, 0.8 * x_height, x + 0.5 * around, baseline, width, texts=[str(number)])
            x += 2 * around + x_height
        elif mark == 1:
            page.draw([(x, baseline - .5 * x_height), (x + x_height, baseline - .5 * x_height)], .15 * x_height, pen)
            x += 2 * x_height
        elif mark == 2:     # a box to tick
            corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * 1.5 * x_height + (x, baseline - 1.5 * x_height)
            page.draw(corners, max(1, 0.1 * x_height), pen, closed=True)
            x += 2.5 * x_height
        if rng.random() < 0.9:
            words = int(rng.integers(1, 7))
            texts = [f"{number}{').'[mark % 2]}"] + [""] * words if mark > 3 else [""] * words
            end = page.write(writer, pen, x_height, x, baseline, width, texts=texts, slope=rng.normal(0, 0.01))
            _touch(page, writer, pen, x, end, baseline, x_height, 0.0)
        baseline += pitch


def form(page: Page, sources, x_height: float) -> None:
    """Printed labels, and handwritten answers on lines, on dots or in boxes, partly over them."""
    rng = page.rng
    width, height = page.size
    print_pen, pen = Pen(rng, page.dark, "pen"), Pen(rng, page.dark)
    if rng.random() < 0.3:
        print_pen.colour, print_pen.cover = np.array(paper.RULE_COLOURS[rng.integers(8)]) * 0.8, 1.0
    printer, writer = sources.printer(rng), sources.hand(rng)
    pitch, baseline = x_height * rng.uniform(3, 5.5), x_height * rng.uniform(2, 5)
    thick = rng.uniform(0.6, 2.2) * max(1, x_height / 14)
    style = rng.integers(4)     # a line, dots, a box around the answer, boxes with the label inside
    fields = 1 if width < 40 * x_height else rng.integers(1, 4)
    while baseline < height + 2 * x_height:
        for number in range(fields):
            left, right = width * (number + 0.03) / fields, width * (number + 0.97) / fields
            small = x_height * rng.uniform(0.45, 0.9)
            if style == 3:
                page.draw([(left, baseline - 2.4 * x_height), (right, baseline - 2.4 * x_height),
                           (right, baseline + .9 * x_height), (left, baseline + .9 * x_height)], thick, print_pen,
                          closed=True)
                page.write(printer, print_pen, .5 * small + 2, left + 4, baseline - 1.6 * x_height, right,
                           rng.integers(1, 4), slope=0.0)
                start = left + x_height
            else:
                start = page.write(printer, print_pen, small, left, baseline, right, rng.integers(1, 4), slope=0.0)
                start += x_height * rng.uniform(0.3, 2.5)
                if start < right:
                    _field(page, print_pen, style, start, right, baseline, x_height, thick)
            if rng.random() < 0.8 and start < right - 4 * x_height:
                texts = [random_digits(rng)] if rng.random() < 0.25 else None
                page.write(writer, pen, x_height * rng.uniform(0.8, 1.2), start + rng.uniform(0.2, 2) * x_height,
                           baseline + rng.normal(0, 0.2) * x_height, right, rng.integers(1, 6), texts)
        baseline += pitch


def _field(page: Page, pen: Pen, style: int, left: float, right: float, baseline: float, x_height: float,
           thick: float) -> None:
    y = baseline + x_height * page.rng.uniform(0.1, 0.5)
    if style == 0:
        page.draw([(left, y), (right, y)], thick, pen)
    elif style == 1:
        for x in np.arange(left, right, max(4, 0.4 * x_height)):
            page.draw([(x, y), (x + 0.5, y)], thick, pen)
    else:
        top = baseline - x_height * page.rng.uniform(1.9, 2.4)
        page.draw([(left, top), (right, top), (right, y + x_height * 0.6), (left, y + x_height * 0.6)], thick, pen,
                  closed=True)


def grid(page: Page, sources, x_height: float) -> None:
    """A table with handwritten or printed cells."""
    rng = page.rng
    width, height = page.size
    rows = np.cumsum(x_height * rng.uniform(2.6, 5) * np.ones(60))
    rows = rows[rows < height + 5 * x_height] + rng.uniform(-1, 3) * x_height
    columns = np.concatenate([[rng.uniform(0, 3)], np.cumsum(rng.uniform(5, 16, 20))]) * x_height
    columns = columns[columns < width]
    if len(columns) < 2:
        columns = np.array([0.05, 0.95]) * width
    pen, rule = Pen(rng, page.dark), Pen(rng, page.dark, "pen")
    thick = rng.uniform(0.6, 2.5) * max(1, x_height / 14)
    writer, printer = sources.hand(rng), sources.printer(rng)
    by_hand = rng.random() < 0.3    # the grid is drawn with the same pen
    for y in rows:
        wobble = rng.normal(0, 0.15 * x_height * by_hand, 2)
        page.draw([(columns[0], y + wobble[0]), (columns[-1], y + wobble[1])], thick, pen if by_hand else rule)
    for x in columns:
        wobble = rng.normal(0, 0.15 * x_height * by_hand, 2)
        page.draw([(x + wobble[0], rows[0]), (x + wobble[1], rows[-1])], thick, pen if by_hand else rule)
    printed = rng.integers(0, 3)
    for number, (top, bottom) in enumerate(zip(rows, rows[1:])):
        for place, (left, right) in enumerate(zip(columns, columns[1:])):
            if rng.random() < 0.25:
                continue
            head = printed == 1 and number == 0 or printed == 2 and place == 0
            texts = [random_digits(rng)] if rng.random() < 0.35 else None
            page.write(printer if head else writer, rule if head else pen,
                       x_height * (0.8 if head else rng.uniform(0.8, 1.1)), left + rng.uniform(0.3, 1.5) * x_height,
                       (top + bottom) / 2 + 0.6 * x_height, right - 0.2 * x_height, rng.integers(1, 4), texts,
                       slope=0.0)


def boxes(page: Page, sources, x_height: float) -> None:
    """Digits and capitals in boxes, one per box or all in one, as on forms that machines read."""
    rng = page.rng
    width, height = page.size
    rule, pen = Pen(rng, page.dark, "pen"), Pen(rng, page.dark)
    writer, printer = sources.hand(rng), sources.printer(rng)
    y = x_height * rng.uniform(0.3, 3)
    capital = x_height / 0.62
    tight = rng.uniform(1.25, 2.4)
    thick = max(0.8, x_height * rng.uniform(0.05, 0.28))
    comb = rng.random() < 0.4
    while y < height:
        x = x_height * rng.uniform(0.3, 4)
        high = capital * tight
        while x < width:
            text = random_digits(rng, capitals=rng.random() < 0.3)
            cell = capital * rng.uniform(0.95, 1.5)
            wide = len(text) * cell if comb else (len(text) * 0.9 + rng.uniform(0.3, 3)) * capital
            corners = np.array([(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)])
            page.draw(corners, thick, rule, closed=True)
            baseline = y + (high + capital) / 2 + rng.normal(0, 0.08) * high
            if comb:
                for place, character in enumerate(text):
                    start = x + place * cell
                    if place:
                        page.draw([(start, y), (start, y + high)], thick, rule)
                    word = writer.word(x_height, character)
                    page.stamp(word.ink, start + (cell - word.ink.shape[1]) / 2, baseline - word.baseline, pen)
                page.mark(x + 0.2 * cell, x + wide - 0.2 * cell, lambda _, y=baseline: y, x_height)
            else:
                page.write(writer, pen, x_height, x + rng.uniform(0.2, 1) * capital, baseline, x + wide + capital,
                           texts=[text], slope=rng.normal(0, 0.02))
            x += wide + x_height * rng.uniform(1.5, 8)
        y += high
        if rng.random() < 0.5:
            y += x_height * 1.6
            page.write(printer, rule, x_height * rng.uniform(0.4, 0.7), rng.uniform(0, 0.5) * width, y, width,
                       rng.integers(1, 5), slope=0.0)
        y += x_height * rng.uniform(0.7, 4)


def single(page: Page, sources, x_height: float) -> None:
    """A word, or one to a few lines, with much empty paper around."""
    rng = page.rng
    width, height = page.size
    writer, pen = sources.hand(rng), Pen(rng, page.dark)
    if rng.random() < 0.2:
        rule_page(page, x_height * rng.uniform(2, 4), rng.uniform(0, 99))
    pitch = x_height * rng.uniform(2, 5)
    baseline = height * rng.uniform(0.2, 0.8)
    digits = rng.random() < 0.25    # apart or together
    for _ in range(rng.integers(1, 5)):
        left = width * rng.uniform(0.0, 0.5)
        texts = [random_digits(rng, rng.random() < 0.3) for _ in range(rng.integers(1, 4))] if digits else None
        texts = list(texts[0]) if texts and rng.random() < 0.5 else texts
        end = page.write(writer, pen, x_height, left, baseline, width, rng.integers(1, 7), texts,
                         slope=rng.normal(0, 0.02))
        _touch(page, writer, pen, left, end, baseline, x_height, 0.0)
        baseline += pitch


def board(page: Page, sources, x_height: float) -> None:
    """Words of all sizes anywhere, with boxes and curves, as on whiteboards and in sketches."""
    rng = page.rng
    width, height = page.size
    taken = np.zeros(page.ink.shape, bool)
    pens = [Pen(rng, page.dark, "marker") for _ in range(2)]
    writers = [sources.hand(rng) for _ in range(2)]
    for _ in range(30):
        size = x_height * np.exp(rng.normal(0, 0.3))
        left, top = rng.uniform(0, 0.9) * width, rng.uniform(0, 0.95) * height
        wide, lines = size * rng.uniform(5, 25), rng.integers(1, 4)
        pitch = size * rng.uniform(2.1, 3)
        area = np.s_[int(top):int(top + pitch * (lines + 1)), int(max(0, left - size)):int(left + wide + 2 * size)]
        if taken[area].any():
            continue
        taken[area] = True
        pen, writer = pens[rng.integers(2)], writers[rng.integers(2)]
        for row in range(lines):
            page.write(writer, pen, size, left, top + (row + 1) * pitch, min(width, left + wide), slope=0.0)
        if rng.random() < 0.3:
            corners = np.array([(left - .6 * size, top), (left + wide, top), (left + wide, top + pitch * (lines + .5)),
                                (left - .6 * size, top + pitch * (lines + .5))])
            page.draw(corners + rng.normal(0, 0.2 * size, (4, 2)), max(1, 0.2 * size), pen, closed=True)
    for _ in range(rng.integers(0, 5)):
        start = rng.uniform(0, 1, 2) * page.size
        end = start + rng.normal(0, 0.2, 2) * page.size
        bow = (start + end) / 2 + rng.normal(0, 0.04, 2) * page.size
        t = np.linspace(0, 1, 20)[:, None]
        points = start * (1 - t) ** 2 + 2 * bow * t * (1 - t) + end * t ** 2
        points = points[~_inside(taken, points)]
        if len(points) > 3:
            page.draw(points, max(1, 0.2 * x_height), pens[0])


def _inside(taken: np.ndarray, points: np.ndarray) -> np.ndarray:
    x, y = np.clip(points.astype(int), 0, np.array(taken.shape[::-1]) - 1).T
    return taken[y, x]


def random_digits(rng: np.random.Generator, capitals: bool = False) -> str:
    """A number of one to ten digits, or as many capitals."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if capitals else "0123456789"
    return "".join(rng.choice(list(letters), rng.choice((1, 2, 3, 4, 5, 6, 8, 10))))


LAYOUTS = {notes: 0.38, lists: 0.13, form: 0.12, grid: 0.09, boxes: 0.09, single: 0.1, board: 0.09}
