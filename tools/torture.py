"""Tries to break things: damaged files, wrong settings, kills, full disks, two writers, hostile servers.

    python -m tools.torture                     all kinds, some minutes
    python -m tools.torture --kind=pictures     one kind
    python -m tools.torture --share=0.1         a tenth of the tries, and none of those that start programs

A try fails if it ends in anything but a result or one sentence for the user, or if that takes too long.  Prints how
many tries of each kind were made and how many failed, and ends with status 1 if any did.
"""
import contextlib
import functools
import gzip
import hashlib
import io
import json
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
from PIL import Image

from common import errors, files, runs, settings
from reading import binarize, recognizer
from tools import benchmark_train, draw_samples
from training import config, corrections_store, dataset, devices, download, emnist, unipen

# ---- settings: change them here or on the command line, as --name=value
seed = 0              # random seed of the tries
share = 1.0           # share of the tries to make; below 1 no programs are started
kind = "all"          # one kind, or all
# ---- end of settings

SECONDS = 20          # seconds that a try in this process may take
PATIENCE = 180        # seconds that a program may take
NASTY = (None, [], {}, "", "x", 0, -1, 1e308, float("nan"), float("inf"), True, 10**400, {"a": []}, [None] * 62,
         [0.5] * 62, "\u0000", "1e9", "../..", "/dev/null", "0.99999", str(10**20), "line", "best", runs.DEFAULT)
MODEL = settings.constants(runs.ROOT / "model.py")


def main(arguments: list[str]) -> int:
    """Try all kinds, or one; returns the exit status."""
    asked, _ = settings.configure(globals(), arguments)
    settings.between("share", asked.share, 0, 1)
    settings.one_of("kind", asked.kind, ("all", *KINDS))
    signal.signal(signal.SIGINT, signal.default_int_handler)   # else, if run with &, its children would ignore Ctrl-C
    with tempfile.TemporaryDirectory() as folder:
        found = [torture(name, Path(folder), asked.seed, asked.share)
                 for name in ([asked.kind] if asked.kind != "all" else KINDS)]
    print(f"{sum(tries for tries, _ in found):,} tries, {sum(len(bad) for _, bad in found)} failures")
    return 1 if any(bad for _, bad in found) else 0


def torture(name: str, folder: Path, seed: int, share: float) -> tuple[int, list[str]]:
    """Try one kind; returns how often, and a traceback for each failure, and prints a summary."""
    wanted, attempt, starts_programs = KINDS[name]
    tries, bad = 0 if starts_programs and share < 1 else max(1, round(wanted * share)), []
    for number in range(tries):
        place = folder / f"{name}-{number}"
        place.mkdir()
        signal.signal(signal.SIGALRM, too_slow)
        signal.alarm(0 if starts_programs else SECONDS if number else 5 * SECONDS)   # the first makes what all share
        try:
            attempt(random.Random(f"{seed} {name} {number}"), place)
        except (errors.UserError, binarize.ImageError):
            pass
        except Exception:
            bad.append(f"{number}: {traceback.format_exc(limit=-3)}")
        finally:
            signal.alarm(0)
    print(f"{name:<18} {tries:>5} tries {len(bad):>4} failures", *bad[:3], sep="\n", flush=True)
    return tries, bad


def too_slow(*_) -> None:
    """End a try."""
    raise TimeoutError("it takes too long")


# ---- files that are damaged

def mutated(data: bytes, rng: random.Random) -> bytes:
    """A file's content, sometimes beneath its gzip compression, with bytes cut, doubled, zeroed or changed."""
    if data[:2] == b"\x1f\x8b" and rng.random() < 0.5:
        return gzip.compress(mutated(gzip.decompress(data), rng), 1)
    data, at = bytearray(data), rng.randrange(len(data))
    part = slice(at, at + rng.choice((1, 4, 64, 4096, len(data))))
    length = len(data[part])
    data[part] = rng.choice((b"", 2 * data[part], bytes(length), rng.randbytes(length)))
    return bytes(data)


def mutated_json(text: bytes, rng: random.Random) -> bytes:
    """JSON with one value replaced or renamed."""
    whole = [json.loads(text)]
    holder, key = whole, 0
    while isinstance(holder[key], (dict, list)) and holder[key] and rng.random() < 0.8:
        holder = holder[key]
        key = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    if rng.random() < 0.3 and isinstance(holder, dict):
        holder[key + "2"] = holder.pop(key)
    else:
        holder[key] = rng.choice(NASTY)
    return b"[" * 5000 if rng.random() < 0.05 else json.dumps(whole[0]).encode()


def damaged(write: Callable[[random.Random, Path], object], use: Callable[[Path], object]) -> Callable:
    """A try: good files are written into a folder, one of them is damaged, and then they are used."""
    def attempt(rng: random.Random, folder: Path) -> None:
        write(rng, folder)
        victim = rng.choice(sorted(path for path in folder.iterdir() if path.stat().st_size))
        data = victim.read_bytes()
        of_json = victim.suffix == ".json" and rng.random() < 0.7
        victim.write_bytes(mutated_json(data, rng) if of_json else mutated(data, rng))
        use(folder)
    return attempt


@functools.cache
def pictures() -> list[bytes]:
    """Pictures of a few words in many formats."""
    page = Image.fromarray(255 - draw_samples.write_lines(["Hello", "and 25 more"], 40, 4, 0))
    found = []
    for form in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "PPM", "tiff_lzw", "tiff_deflate"):
        page.save(data := io.BytesIO(), form.partition("_")[0], compression=form if "_" in form else None)
        found.append(data.getvalue())
    return found


shared = functools.cache(tempfile.TemporaryDirectory)   # one folder, which lasts until the program ends


@functools.cache
def emnist_files() -> Path:
    """A folder with files like EMNIST's, with few images."""
    folder = Path(shared().name, "emnist")
    folder.mkdir()
    benchmark_train.write_emnist(folder, 600)
    return folder


@functools.cache
def trained() -> SimpleNamespace:
    """A training model for a few images, and modules with Keras; its checkpoint and network lie beside the images."""
    setup = config.configure(MODEL, [f"--data_path={emnist_files()}", "--dry_run"])
    devices.prepare(setup)
    from training import callbacks, character_trainer, networks
    model = character_trainer.CharacterTrainer(setup, dataset.load(setup)).build_model()
    model.optimizer.build(model.trainable_variables)
    keeper = callbacks.Checkpoint(emnist_files(), [], None, lambda model: model.network)
    keeper.set_model(model)
    keeper.on_epoch_end(0, {"loss": 1.0, "val_loss": 1.0})
    return SimpleNamespace(model=model, callbacks=callbacks, networks=networks)


def write_run(rng: random.Random, folder: Path) -> None:
    """A shipped run."""
    run = runs.ROOT / "Models" / rng.choice((runs.DEFAULT, runs.DEFAULT_CHARACTERS))
    for name in ("config.json", "metrics.json", "model.onnx"):
        shutil.copy(run / name, folder)


def read_run(folder: Path) -> None:
    """Describe a run, check the settings for finetuning it, and read with it."""
    assert isinstance(runs.describe(folder.parent, folder.name), str)
    with contextlib.suppress(errors.UserError):
        config.configure(MODEL, [f"--finetune={folder.name}", f"--models_path={folder.parent}"])
    recognizer.Recognizer(folder.name, folder.parent).recog(io.BytesIO(pictures()[0]))


def write_checkpoint(rng: random.Random, folder: Path) -> None:
    """A checkpoint, or one whose state or values are wrong."""
    trained()
    arrays = files.read_arrays(emnist_files() / "checkpoint.npz")
    wrong = rng.choice(({}, {"state": mutated_json(str(arrays["state"]).encode(), rng).decode()},
                        {rng.choice(sorted(arrays)): np.float32(rng.choice(([], float("nan"), 1e9)))}))
    np.savez(folder / "checkpoint.npz", **arrays | wrong)


def write_network(rng: random.Random, folder: Path) -> None:
    """A run that holds a network for Keras."""
    trained()
    about = {"reads": rng.choice(("characters", "lines")), "settings": {"network": "dense"}}
    (folder / "config.json").write_text(json.dumps(about))
    shutil.copy(emnist_files() / "model.keras", folder)


def write_pen(rng: random.Random, folder: Path) -> None:
    """Pen strokes, one record of which may be wrong."""
    record = {"label": "a", "writer": "a/b", "style": "?", "split": "test", "strokes": [[0, 0, 9, 30, 20, 0], [3, 3]]}
    lines = [json.dumps(record).encode()] * 5
    lines[2] = mutated_json(lines[2], rng) if rng.random() < 0.5 else lines[2]
    (folder / "characters.jsonl.gz").write_bytes(gzip.compress(b"\n".join(lines)))


def remember(folder: Path, number: int = 0) -> None:
    """Remember a corrected character and a corrected word; a damaged file may be set aside once."""
    for one in (lambda: corrections_store.remember(folder, np.full((28, 28), number, np.uint8), "a"),
                lambda: corrections_store.remember_word(folder, [np.array([[number, 0.0], [9, 9]])], "a")):
        with contextlib.suppress(errors.DataError):
            one()
        assert one() >= 1


# ---- other tries in this process

def try_page(rng: random.Random, folder: Path) -> None:
    """A photo-sized picture full of specks or dots is read in time."""
    size, share = rng.choice((1, 2, 3, 5)), rng.choice((0.001, 0.01, 0.03))
    dots = np.random.default_rng(rng.randrange(99)).random((4000 // size, 3000 // size)) < share
    with contextlib.suppress(binarize.ImageError):
        recognizer.Recognizer().recog(np.where(dots.repeat(size, 0).repeat(size, 1), 0, 255).astype(np.uint8))


def try_settings(rng: random.Random, folder: Path) -> None:
    """Settings with any value are refused, or are within their bounds."""
    names = list(settings.meanings(MODEL["__file__"]))
    found = config.configure(MODEL, [f"--{rng.choice(names)}={rng.choice(NASTY)}" for _ in range(rng.randint(1, 3))])
    assert 0 < found.learning_rate <= 1 <= found.batch_size and found.train_epochs >= 1


def try_disk(rng: random.Random, folder: Path) -> None:
    """Writing a file that does not fit keeps the old one and reports an error."""
    network = trained().model.network
    path, save = rng.choice((
        (folder / "model.keras", lambda: trained().networks.save_network(network, folder / "model.keras")),
        (folder / "a.json", lambda: files.write_json(folder / "a.json", {"a": [0.5] * 5000})),
        (folder / "a.png", lambda: files.save_picture(np.tile(np.uint8(range(256)), (300, 3)), folder / "a.png")),
        (folder / "characters.npz", lambda: remember(folder, rng.randrange(256)))))
    save()
    before, (_, most) = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (rng.randrange(len(before)) // 2, most))
    try:
        save()
    except OSError as error:
        assert errors.reason(error) and path.read_bytes() == before and not list(folder.glob("partial-*"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def try_server(rng: random.Random, folder: Path) -> None:
    """Whatever a server sends, the right file or an error comes in time, and no more than the known size is kept."""
    content = rng.randbytes(20_000)
    with zipfile.ZipFile(data := io.BytesIO(), "w") as archive:
        archive.writestr("a.bin", content)
    data = data.getvalue()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                with contextlib.suppress(ConnectionError), listener.accept()[0] as connection:
                    connection.recv(4096)
                    answer(connection, data, rng)

    threading.Thread(target=serve, daemon=True).start()
    with (listener, mock.patch.multiple(download, TIMEOUT=0.3, RETRY_PAUSES=(0.01, 0.02), SLOWEST=100_000),
          mock.patch.dict(os.environ, no_proxy="*"), contextlib.redirect_stderr(io.StringIO())):
        url, sha256 = f"http://127.0.0.1:{listener.getsockname()[1]}/a.zip", hashlib.sha256(content).hexdigest()
        try:
            download.fetch(url, folder, {"a.bin": sha256}, len(data))
            assert (folder / "a.bin").read_bytes() == content
        finally:
            assert sum(path.stat().st_size for path in folder.iterdir()) <= len(data)


def answer(connection: socket.socket, data: bytes, rng: random.Random) -> None:
    """Answer a request correctly, or in one of the ways in which servers go wrong."""
    head = f"HTTP/1.1 {rng.choice((200, 200, 200, 206, 302, 404, 416, 500, 503))} Well\r\n"
    head += rng.choice(("", f"Content-Length: {len(data)}\r\n", f"Content-Length: {rng.randrange(10**7)}\r\n",
                        "Transfer-Encoding: chunked\r\n", "Content-Encoding: gzip\r\n", "Location: /a.zip\r\n"))
    head += rng.choice(("", "", f"Content-Range: bytes {rng.randrange(99)}-/9\r\n", "X: " + "x" * 70_000 + "\r\n"))
    sent = rng.choice((data, data, data[:rng.randrange(len(data))], mutated(data, rng), data + bytes(10**6)))
    whole, step = head.encode() + b"\r\n" + sent, rng.choice((50, 10**7, 10**7, 10**7))
    for start in range(0, len(whole), step):
        connection.sendall(whole[start:start + step])
        time.sleep(0.01)


# ---- tries that start programs

def start(*arguments: str, **options) -> subprocess.Popen:
    """Start a Python program in the project's folder."""
    return subprocess.Popen([sys.executable, *arguments], cwd=runs.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, errors="replace", **options)


def end(process: subprocess.Popen, *allowed: int) -> str:
    """Wait for a program to end, and return its output; AssertionError for a traceback or another exit status."""
    try:
        output, notes = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()   # if it hangs
    assert "Traceback" not in notes and process.returncode in allowed, f"{process.returncode}: {notes[-2000:]}"
    return output + notes


def train(models: Path, *more: str, **options) -> subprocess.Popen:
    """Start a short training, or resume the one in `models`."""
    kept = [path.parent.name for path in models.glob("*/checkpoint.npz")]
    more += (f"--resume={kept[0]}",) if kept else ()
    return start("model.py", f"--data_path={emnist_files()}", f"--models_path={models}", "--batch_size=60",
                 "--steps_per_call=2", "--augmentation=0.5", "--train_epochs=40", "--val_split=0.2", *more, **options)


@functools.cache
def uninterrupted() -> tuple:
    """What the training learns when nothing disturbs it."""
    models = Path(shared().name, "models")
    end(train(models), 0)
    return learned(models)


def learned(models: Path) -> tuple:
    """What the one finished run has learned: its history, and all values as bytes."""
    run, = (path.parent for path in models.glob("*/model.onnx"))
    arrays = files.read_arrays(run / "checkpoint.npz")
    return json.loads(str(arrays.pop("state")))["history"], {name: value.tobytes() for name, value in arrays.items()}


def try_kill_training(rng: random.Random, folder: Path) -> None:
    """A training that is killed at random moments learns what an uninterrupted one learns."""
    expected = uninterrupted()
    for _ in range(5):
        process = train(folder)
        time.sleep(rng.uniform(4, 14))
        process.kill()
        assert "Traceback" not in process.communicate()[1]
    end(train(folder), 0)
    assert learned(folder) == expected


def try_full_disk(rng: random.Random, folder: Path) -> None:
    """A training whose disk is full ends with one sentence and status 1, and resumes once there is room."""
    size = rng.choice((500, 2_000, 200_000, 2_000_000))   # limits for the logs, the network and the checkpoint
    answer = end(train(folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))), 1)
    assert "File too large" in answer and answer.count("model.py: ") == 1, answer[-1000:]
    end(train(folder), 0)
    assert learned(folder) == uninterrupted()


def try_two_trainings(rng: random.Random, folder: Path) -> None:
    """Two trainings started at once get two folders; of two that resume the same run, one says that it is taken."""
    endless = "--train_epochs=9999", "--patience=9999"
    two = [train(folder, *endless) for _ in range(2)]
    while len(list(folder.glob("*/checkpoint.npz"))) < 2 and any(process.poll() is None for process in two):
        time.sleep(0.1)
    for process in two:
        process.send_signal(signal.SIGINT)
        end(process, 0)
    assert len(list(folder.glob("*/metrics.json"))) == 2
    two = [train(folder) for _ in range(2)]
    answers = sorted(end(process, 0, 2) for process in two)
    assert sum("another process trains in" in answer for answer in answers) == 1, answers


REMEMBER = """
import sys, numpy as np
from training import corrections_store
while True:
    glyph = np.random.default_rng().integers(0, 256, (28, 28), np.uint8)
    print(corrections_store.remember(sys.argv[1], glyph, "a"), flush=True)
"""


def try_kill_remembering(rng: random.Random, folder: Path) -> None:
    """Two programs that are killed while both remember corrections lose nothing that they have reported."""
    processes = [start("-c", REMEMBER, str(folder)) for _ in range(2)]
    time.sleep(rng.uniform(0.5, 2))
    for process in processes:
        process.kill()
    told = sum(process.communicate()[0].count("\n") for process in processes)
    assert told <= len(corrections_store.read_corrections(folder)[1]) <= told + 2


def try_kill_reading(rng: random.Random, folder: Path) -> None:
    """The output of readings killed again and again has each picture once, bad ones with an error."""
    for number in range(40):
        data = rng.choice(pictures())
        (folder / f"{number}.png").write_bytes(mutated(data, rng) if number % 5 == 0 else data)
    (folder / "empty").mkdir()
    command = ("recogScript.py", f"--output={folder / 'readings.jsonl'}", str(folder), str(folder / "empty"),
               "missing.png", "/dev/null")
    for _ in range(3):
        process = start(*command)
        time.sleep(rng.uniform(0.3, 2))
        process.kill()
        process.communicate()
    end(start(*command), 2)
    read = [json.loads(line)["file"] for line in (folder / "readings.jsonl").read_text().splitlines()]
    assert len(read) == len(set(read)) and {f"{folder}/{number}.png" for number in range(40)} <= set(read)


def try_streams(rng: random.Random, folder: Path) -> None:
    """Scripts whose streams are full, closed or broken, or that are interrupted at their start, show no traceback."""
    script = rng.choice(("model.py --help", "recogScript.py --help", "recogScript.py samples/pages/lines.png",
                         "-m tools.plotScript --help", "-m tools.check_acc_loss --help", "model.py --seed=-1"))
    after = rng.choice((" > /dev/full", " 2> /dev/full", " >&-", " <&- >&-", " | head -1", " 2>&1 >&- | head -1"))
    done = subprocess.run(["bash", "-c", f"{sys.executable} {script} {after}"], cwd=runs.ROOT, capture_output=True,
                          text=True, timeout=PATIENCE)
    process = start(*script.split())
    time.sleep(rng.uniform(0.06, 0.6))
    process.send_signal(signal.SIGINT)
    notes = process.communicate(timeout=PATIENCE)[1]
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr, done.stderr
    assert f'File "{runs.ROOT}' not in notes, notes   # Python itself may show one before our code begins


KINDS: dict[str, tuple[int, Callable, bool]] = {   # number of tries, what to do, whether it starts programs
    "pictures": (500, damaged(lambda rng, folder: (folder / "a.png").write_bytes(rng.choice(pictures())),
                              lambda folder: binarize.read_picture(folder / "a.png", page=True)), False),
    "pages": (6, try_page, False),
    "emnist": (200, damaged(lambda rng, folder: [shutil.copy(path, folder) for path in emnist_files().glob("*test*")],
                            lambda folder: emnist.read_emnist(folder, "test")), False),
    "pen strokes": (150, damaged(write_pen, lambda folder: unipen.read_pen(folder, "test", pen=8)), False),
    "runs": (150, damaged(write_run, read_run), False),
    "checkpoints": (100, damaged(write_checkpoint, lambda folder: trained().callbacks.restore(
        trained().model, folder / "checkpoint.npz")), False),
    "networks": (60, damaged(write_network, lambda folder: trained().networks.load_network(
        folder.parent, folder.name)), False),
    "corrections": (100, damaged(lambda rng, folder: remember(folder), remember), False),
    "settings": (250, try_settings, False), "disk": (60, try_disk, False), "servers": (100, try_server, False),
    "streams": (20, try_streams, True), "kill reading": (3, try_kill_reading, True),
    "kill remembering": (5, try_kill_remembering, True), "kill training": (2, try_kill_training, True),
    "full disk": (3, try_full_disk, True), "two trainings": (1, try_two_trainings, True)}


if __name__ == "__main__":
    settings.run(main)
