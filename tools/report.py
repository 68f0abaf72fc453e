"""What the measuring tools show: Markdown tables, and a picture of the worst readings."""
import itertools
import math
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common import files
from training import metrics

ONE_DECIMAL = ("MB", "ms", "ms per 20")   # columns; other fractions get four
ACROSS = 4                                # readings side by side in the picture


class Result(NamedTuple):
    """A picture with known text, and what was read."""
    image: np.ndarray                # uint8 (height, width), dark ink on white
    truth: str
    text: str
    seconds: float = 0.0             # that it took
    confidences: list[float] = []    # of the words


def print_table(columns: tuple[str, ...], rows: Iterable[dict]) -> None:
    """Print a Markdown table, each row {column: value} as soon as it comes; missing values and NaN stay blank."""
    def cell(column: str, value: object) -> str:
        if not isinstance(value, float):
            return str(value)
        return "" if math.isnan(value) else f"{value:.{1 if column in ONE_DECIMAL else 4}f}"

    for row in itertools.chain([dict(zip(columns, columns)), dict.fromkeys(columns, "---")], rows):
        print(f"| {' | '.join(cell(column, row.get(column, '')) for column in columns)} |", flush=True)


def draw_worst(results: dict[str, list[Result]], path: str, shown: int) -> None:
    """Draw about `shown` readings with the highest CER without case, equally many per set; path: "" draws none.

    The truth stands above each, the reading below.
    """
    if not path:
        return
    from matplotlib.figure import Figure  # here, since --help should not wait for it
    worst = []
    for of_set in results.values():
        wrong = [result for result in of_set if result.text != result.truth]
        wrong.sort(key=lambda result: -metrics.cer([(result.truth.lower(), result.text.lower())]))
        worst += wrong[:max(1, shown // len(results))]
    rows = max(1, math.ceil(len(worst) / ACROSS))
    figure = Figure(figsize=(4 * ACROSS, 1.6 * rows), layout="constrained")
    for axes, result in itertools.zip_longest(figure.subplots(rows, ACROSS).flat, worst):
        axes.set(xticks=[], yticks=[], frame_on=bool(result))
        if result:
            axes.imshow(result.image, cmap="gray", vmin=0, vmax=255)
            truth, text = (textwrap.shorten(each, 60, placeholder="...") for each in (result.truth, result.text))
            axes.set_title(truth, color="green", fontsize=9, parse_math=False)
            axes.set_xlabel(text, color="firebrick", fontsize=9, parse_math=False)
    files.write_atomically(Path(path), lambda temporary: figure.savefig(temporary))
    print(f"the worst readings: {path}")
