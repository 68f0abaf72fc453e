"""A small data set for the tests: characters of a stroke font, slanted and moved at random."""
import gzip
import json
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np

from common import line_image, pen_strokes
from common.alphabets import CHARACTERS
from common.glyph import glyph
from tools import draw_samples


def draw(character: str, rng: np.random.Generator) -> np.ndarray:
    """A glyph uint8 (28, 28) of a character."""
    ink = np.zeros((120, 120), np.uint8)
    cv2.putText(ink, character, (30, 85), cv2.FONT_HERSHEY_SIMPLEX, 2.4, 255, int(rng.integers(3, 9)), cv2.LINE_AA)
    slant = np.float32([[1, rng.uniform(-0.25, 0.25), rng.uniform(-8, 8)], [rng.uniform(-0.1, 0.1), 1, 0]])
    return glyph(cv2.warpAffine(ink, slant, (120, 120)))


def samples(each: int, seed: int, characters: str = CHARACTERS) -> tuple[np.ndarray, np.ndarray]:
    """`each` upright glyphs of every character, shuffled: uint8 (n, 28, 28) and labels uint8 (n,)."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat([CHARACTERS.index(c) for c in characters], each)).astype(np.uint8)
    return np.array([draw(CHARACTERS[label], rng) for label in labels]), labels


def idx(array: np.ndarray, magic: int) -> bytes:
    """An IDX file of unsigned bytes."""
    return struct.pack(f">I{array.ndim}I", magic, *array.shape) + array.tobytes()


def write(folder: Path, part: str, images: np.ndarray, labels: np.ndarray, compress=True, name="byclass") -> None:
    """Write one part as EMNIST does: transposed, gzip-compressed."""
    folder.mkdir(parents=True, exist_ok=True)
    transposed = np.ascontiguousarray(images.transpose(0, 2, 1))
    for kind, content in (("images-idx3", idx(transposed, 0x803)), ("labels-idx1", idx(labels, 0x801))):
        file = f"emnist-{name}-{part}-{kind}-ubyte"
        if compress:
            (folder / f"{file}.gz").write_bytes(gzip.compress(content, 1))
        else:
            (folder / file).write_bytes(content)


def write_all(folder: Path, each: int = 20, characters: str = CHARACTERS) -> Path:
    """Write a whole small data set."""
    write(folder, "train", *samples(each, 1, characters))
    write(folder, "test", *samples(max(2, each // 5), 2, characters))
    return folder


def write_pen(folder: Path, texts: dict[str, int], seed: int = 0) -> Path:
    """Write pen strokes of words and lines, each text as often as given, by writers of the splits train and val."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    records = {"words": [], "lines": [], "characters": [], "symbols": []}
    for text, count in texts.items():
        for number in range(count):
            seed = int(rng.integers(1 << 30))
            strokes = draw_samples.strokes_of([text], 60, seed, gap=rng.uniform(10, 30), tremor=0.8)
            split = "val" if number % 5 == 0 else "train"
            kind = "lines" if " " in text else "words" if len(text) > 1 else "characters"
            records[kind].append({"label": text, "writer": f"{split}/{number % 3}", "style": "printed", "split": split,
                                  "strokes": [np.rint(stroke[::3]).astype(int).ravel().tolist() for stroke in strokes]})
    for kind, found in records.items():
        with gzip.open(folder / f"{kind}.jsonl.gz", "wt") as file:
            file.write("".join(json.dumps(record) + "\n" for record in found))
    return folder


def write_paper(folder: Path, texts: list[str] = ("so we read it more and more",) * 9) -> Path:
    """Write a font, texts, paper and scanned lines by writers of both splits, but no real page."""
    import matplotlib
    for name in ("fonts", "text", "copiste", "dhsd", "backgrounds"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), folder / "fonts")
    (folder / "text" / "words.txt").write_text("\n".join(texts), "utf-8")
    (folder / "copiste" / "pages.jsonl").touch()
    cv2.imwrite(str(folder / "backgrounds" / "plain.png"), np.full((90, 200, 3), 240, np.uint8))
    (folder / "backgrounds" / "backgrounds.tsv").write_text("plain.png\tdrawn\t1\t0\n")
    for name, writers in (("copiste", ("wikitexte_0024", "wikitexte_0022")), ("dhsd", ("w3", "w1"))):
        rows = [(f"{row}.webp", writers[row % 4 > 0], text) for row, text in enumerate(texts)]
        (folder / name / "lines.tsv").write_text("".join(
            f"{file}\t{writer}\ttrain\t{text}\n" for file, writer, text in rows), "utf-8")
        with zipfile.ZipFile(folder / name / "lines.zip", "w") as archive:
            for seed, (file, _, text) in enumerate(rows):
                ink = pen_strokes.draw_strokes(draw_samples.strokes_of([text], 40, seed), 3)
                archive.writestr(file, cv2.imencode(".webp", 255 - ink)[1].tobytes())
    return folder


def line_network(x, dropout):
    """A network for lines, like the one in training/networks.py, that learns a few words within seconds."""
    from keras import layers
    x = layers.Reshape((line_image.HEIGHT, -1, 1))(x)
    x = layers.Conv2D(16, 5, (4, 2), padding="same", activation="relu")(x)
    x = layers.Conv2D(24, 3, (2, 2), padding="same", activation="relu")(x)
    x = layers.Reshape((-1, 96), name="columns")(layers.Permute((2, 1, 3))(x))
    return layers.Bidirectional(layers.LSTM(48, return_sequences=True))(layers.BatchNormalization()(x))


def page_network(x, dropout):
    """A network for pages, like the one in training/networks.py, that is quick to build."""
    from keras import layers

    from training.networks import DepthToSpace
    x = layers.Conv2D(4, 3, strides=2, padding="same")(x)
    return [DepthToSpace(name="ink")(x), layers.Conv2D(4, 3, padding="same", name="marks")(x)]


def history(folder: Path) -> list[float]:
    """val_loss of each epoch of a run."""
    if not (folder / "checkpoint.npz").is_file():
        return []
    with np.load(folder / "checkpoint.npz") as kept:
        return [epoch["val_loss"] for epoch in json.loads(str(kept["state"]))["history"]]


def logged(folder: Path) -> set[str]:
    """The tags of the scalars, pictures and settings in a folder of TensorBoard's logs."""
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
    events = EventMultiplexer().AddRunsFromDirectory(str(folder)).Reload()
    return {tag for run in events.Runs().values() for kind in ("scalars", "images", "tensors") for tag in run[kind]}


def cost_of_loading(module: str) -> tuple[float, set[str]]:
    """Processor time in seconds that module.load() takes in a new Python, and all modules loaded by then."""
    code = (f"import json, sys, time; from reading import {module}; start = time.process_time(); {module}.load(); "
            "print(json.dumps([time.process_time() - start, sorted(sys.modules)]))")
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).resolve().parents[1], capture_output=True,
                          text=True, timeout=60)
    seconds, modules = json.loads(done.stdout)
    return seconds, set(modules)


def commit(folder: Path) -> str:
    """Turn a folder into a Git repository that serves single files, and commit all; returns the commit's hash."""
    def git(*arguments) -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments]
        return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    git("config", "uploadpack.allowFilter", "true")
    git("config", "uploadpack.allowAnySHA1InWant", "true")
    git("add", ".")
    git("commit", "--quiet", "-m", "all")
    return git("rev-parse", "HEAD")
