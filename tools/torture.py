"""Tries to break things: damaged files, wrong settings, kills, full disks, two writers, servers that mean harm.

    python -m tools.torture                     all kinds, some minutes
    python -m tools.torture --kind=pictures     one kind
    python -m tools.torture --share=0.1         a tenth of the tries, and none of those that start programs

A try fails when anything else happens than a result or a UserError, whose message is one sentence for the user; or when
it takes longer than SLOWEST.  Prints how many tries each kind took and how many failed, and ends with 1 if any did.
"""
import contextlib
import functools
import gzip
import io
import json
import os
import random
import resource
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

from common import errors, files, runs, settings

# ---- settings: change them here or on the command line, as --name=value
seed = 0              # of what is tried
share = 1.0           # of the tries; below 1 no programs are started
kind = "all"          # one kind, or all
# ---- end of settings

SLOWEST = 20.0        # seconds that a try in this process may take
PATIENCE = 180.0      # seconds that a program may take
SHOWN = 3             # failures of each kind that are described


def main(arguments: list[str]) -> int:
    """Try all kinds; returns the exit status."""
    config, _ = settings.configure(globals(), arguments)
    if config.kind not in ("all", *KINDS):
        raise settings.SettingsError(f"there is no kind {config.kind!r}; there are: {', '.join(KINDS)}, all")
    with tempfile.TemporaryDirectory() as folder:
        found = torture(Path(folder), config.seed, config.share, [config.kind] if config.kind != "all" else [*KINDS])
    print(f"{sum(tries for tries, _ in found.values()):,} tries, {sum(bad for _, bad in found.values())} failures")
    return 1 if any(bad for _, bad in found.values()) else 0


def torture(folder: Path, seed: int, share: float, kinds: list[str]) -> dict[str, tuple[int, int]]:
    """Tries and failures of each kind, printed when they are known; folder: an empty one."""
    found = {}
    for name in kinds:
        wanted, attempt, starts_programs = KINDS[name]
        tries = 0 if starts_programs and share < 1 else max(1, round(wanted * share))
        bad = []
        for number in range(tries):
            place = folder / f"{name}-{number}"
            place.mkdir()
            start = time.monotonic()
            try:
                attempt(random.Random(f"{seed} {name} {number}"), place)
                if not starts_programs and time.monotonic() - start > SLOWEST:
                    raise TimeoutError(f"it took {time.monotonic() - start:.0f} s")
            except errors.UserError:
                pass
            except Exception:
                bad.append(f"{number}: {traceback.format_exc(limit=-3)}")
        found[name] = tries, len(bad)
        print(f"{name:<14} {tries:>5} tries {len(bad):>4} failures", flush=True)
        print("".join(bad[:SHOWN]), end="")
    return found


# ---- what is damaged, and how

def mutated(data: bytes, rng: random.Random) -> bytes:
    """A file's content with some bytes changed, cut, doubled or put in."""
    data, at = bytearray(data), rng.randrange(len(data) + 1)
    end = min(len(data), at + rng.choice((1, 4, 64, 4096)))
    how = rng.randrange(6)
    if how == 0:
        del data[at:]
    elif how == 1:
        del data[at:end]
    elif how == 2:
        data[at:at] = data[at:end]
    elif how == 3:
        data[at:end] = bytes(end - at)
    elif how == 4:
        data[at:end] = rng.randbytes(end - at)
    for _ in range(rng.choice((1, 3, 20)) if how == 5 else 0):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


NASTY = (None, [], {}, "", "x", 0, -1, 1e308, float("nan"), float("inf"), True, 10**400, [[]], {"a": []}, [None] * 62,
         "\u0000", 62 * [0.5], "1e9", "-5", [1, "a"])


def mutated_json(content, rng: random.Random) -> str:
    """JSON of another shape: one value in it is exchanged for a nasty one, or has another name."""
    content = json.loads(json.dumps(content))
    holder, key = [content], 0
    while isinstance(holder[key], (dict, list)) and holder[key] and rng.random() < 0.8:
        holder = holder[key]
        key = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    if rng.random() < 0.3 and isinstance(holder, dict):
        holder[key + "2"] = holder.pop(key)
    else:
        holder[key] = rng.choice(NASTY)
        content = holder[0] if key == 0 and isinstance(holder, list) and len(holder) == 1 else content
    return rng.choice(("[" * 5000, "{}", "")) if rng.random() < 0.05 else json.dumps(content)


@functools.cache
def small_emnist() -> Path:
    """A folder with files as EMNIST's, of few images."""
    from tools import benchmark_train
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    benchmark_train.write_emnist(folder, 600)
    return folder


@functools.cache
def pictures() -> list[bytes]:
    """Pictures of a few words in all formats."""
    import numpy as np
    from PIL import Image

    from tools import draw_samples
    page = Image.fromarray(255 - draw_samples.write_lines(["Hello", "and 25 more"], 40, 4, 0))
    found = []
    for form, options in (("PNG", {}), ("JPEG", {}), ("GIF", {}), ("BMP", {}), ("WEBP", {}), ("PPM", {}),
                          ("TIFF", {"compression": "tiff_lzw"}), ("TIFF", {"compression": "tiff_deflate"})):
        page.save(data := io.BytesIO(), form, **options)
        found.append(data.getvalue())
    Image.fromarray(np.dstack([np.asarray(page)] * 4)).save(data := io.BytesIO(), "PNG")
    return [*found, data.getvalue()]


# ---- tries in this process

def try_picture(rng: random.Random, folder: Path) -> None:
    """A damaged picture has ink or is refused."""
    from reading import binarize
    with contextlib.suppress(binarize.ImageError):
        binarize.read_picture(io.BytesIO(mutated(rng.choice(pictures()), rng)), page=True)


def try_page(rng: random.Random, folder: Path) -> None:
    """A page of specks or dots is read in time."""
    import numpy as np

    import recogScript
    noise = np.random.default_rng(rng.randrange(10**6))
    page = np.full((1700, 1700), 255, np.uint8)
    page[noise.random(page.shape) < rng.choice((0.001, 0.01, 0.05))] = 0
    if rng.random() < 0.5:   # dots of 3 px
        page = np.minimum.reduce([np.roll(page, (y, x), (0, 1)) for y in range(3) for x in range(3)])
    with contextlib.suppress(ValueError):
        reader().read(recogScript.read_picture(page, page=True))


@functools.cache
def reader():
    """The shipped reader."""
    import recogScript
    return recogScript.Recognizer()


def try_emnist(rng: random.Random, folder: Path) -> None:
    """Damaged files of EMNIST's kind are refused, or read as images and labels."""
    from training import emnist
    for path in small_emnist().iterdir():
        data = path.read_bytes()
        packed = rng.random() < 0.5
        if "test" in path.name and rng.random() < 0.7:
            data = mutated(data, rng) if packed else gzip.compress(mutated(gzip.decompress(data), rng), 1)
        (folder / path.name).write_bytes(data)
    images, labels = emnist.read_emnist(folder, "test")
    assert images.shape == (len(labels), 28, 28) and (labels < 62).all()


def try_pen(rng: random.Random, folder: Path) -> None:
    """Damaged pen strokes are refused, or read as glyphs."""
    from training import unipen
    record = {"label": "a", "writer": "a/b", "style": "?", "split": "test", "strokes": [[0, 0, 9, 30, 20, 0], [3, 3]]}
    lines = [mutated_json(record, rng) if rng.random() < 0.3 else json.dumps(record) for _ in range(5)]
    data = gzip.compress("\n".join(lines).encode())
    (folder / "characters.jsonl.gz").write_bytes(mutated(data, rng) if rng.random() < 0.5 else data)
    unipen.read_pen(folder, "test", pen=8)


def try_run(rng: random.Random, folder: Path) -> None:
    """A run with damaged files is refused by all that read it, or it reads."""
    import recogScript
    from training import config
    shipped = runs.ROOT / "Models" / rng.choice((runs.DEFAULT, runs.DEFAULT_SEGMENTING))
    run = folder / "1700000000"
    run.mkdir()
    victim = rng.choice(("config.json", "config.json", "metrics.json", "model.onnx"))
    for name in ("config.json", "metrics.json", "model.onnx"):
        data = (shipped / name).read_bytes()
        if name == victim:
            as_json = name.endswith("json") and rng.random() < 0.8
            data = mutated_json(json.loads(data), rng).encode() if as_json else mutated(data, rng)
        (run / name).write_bytes(data)
    assert isinstance(runs.describe(folder, run.name), str)
    with contextlib.suppress(errors.UserError):
        config.configure(settings.constants(runs.ROOT / "model.py"), [f"--finetune={run.name}",
                                                                      f"--models_path={folder}"])
    if victim == "config.json" or rng.random() < 0.2:
        recogScript.Recognizer(run.name, folder).recog(io.BytesIO(pictures()[0]))


@functools.cache
def trained():
    """A compiled training model of a few images, and a checkpoint of it as (path, state, arrays)."""
    import numpy as np

    from training import config, devices
    setup = config.configure(settings.constants(runs.ROOT / "model.py"), [f"--data_path={small_emnist()}", "--dry_run"])
    devices.prepare(setup)
    from training import callbacks, character_trainer, dataset
    model = character_trainer.CharacterTrainer(setup, dataset.load(setup)).build_model()
    model.optimizer.build(model.trainable_variables)
    keeper = callbacks.Checkpoint(small_emnist(), [], None)
    keeper.set_model(model)
    keeper.on_epoch_end(0, {"loss": 1.0, "val_loss": 1.0})
    path = small_emnist() / "checkpoint.npz"
    with np.load(path) as kept:
        return model, path.read_bytes(), json.loads(str(kept["state"])), {name: kept[name] for name in kept.files}


def try_checkpoint(rng: random.Random, folder: Path) -> None:
    """A damaged checkpoint is refused, or it restores finite numbers."""
    import numpy as np

    model, data, state, arrays = trained()
    from training import callbacks
    path = folder / "checkpoint.npz"
    if rng.random() < 0.5:
        path.write_bytes(mutated(data, rng))
    else:
        wrong = {rng.choice(sorted(arrays)): np.float32(rng.choice(([], float("nan"), 1e9)))}
        np.savez(path, **arrays | {"state": mutated_json(state, rng)} | (wrong if rng.random() < 0.5 else {}))
    state = callbacks.restore(model, path)
    assert state["epoch"] > 0 and all(np.isfinite(np.array(value)).all() for value in model.network.get_weights())


def try_network(rng: random.Random, folder: Path) -> None:
    """A damaged network, or one of another shape, is refused by Keras's loader."""
    trained()
    from training import networks
    (folder / "1").mkdir()
    files.write_json(folder / "1/config.json", {"reads": rng.choice(("characters", "lines")), "settings":
                                                {"network": "dense"}})
    data = (small_emnist() / "model.keras").read_bytes()
    (folder / "1/model.keras").write_bytes(data if rng.random() < 0.2 else mutated(data, rng))
    networks.load_network(folder, "1")


def try_settings(rng: random.Random, folder: Path) -> None:
    """Settings of any value are refused, or are within their bounds."""
    from training import config
    space = settings.constants(runs.ROOT / "model.py")
    values = ("", "0", "-1", "1", "nan", "inf", "1e9", "-1e-9", "True", "x", "../..", "/dev/null", "1e400", "0.99999",
              "²", str(10**20), "dense", "line", "best", runs.DEFAULT, runs.DEFAULT_CHARACTERS, "a,b", "\u0000", "[1]")
    given = [f"--{rng.choice(list(settings.meanings(space['__file__'])))}={rng.choice(values)}"
             for _ in range(rng.choice((1, 1, 2, 3)))]
    found = config.configure(space, [argument for argument in given if "--help" not in argument])
    assert 0 < found.learning_rate <= 1 <= found.batch_size and found.train_epochs >= 1


def try_corrections(rng: random.Random, folder: Path) -> None:
    """Damaged corrections are set aside, and what is remembered then is there."""
    import numpy as np

    from training import corrections_store
    stroke = np.array([[0.0, 0.0], [10.0, 20.0]])
    remember = rng.choice((lambda: corrections_store.remember(folder, np.full((28, 28), 7, np.uint8), "a"),
                           lambda: corrections_store.remember_word(folder, [stroke], "a")))
    remember()
    victim, = (path for path in folder.iterdir() if path.name != "lock")
    victim.write_bytes(mutated(victim.read_bytes(), rng))
    with contextlib.suppress(errors.DataError):
        remember()
    assert remember() >= 1


def try_disk(rng: random.Random, folder: Path) -> None:
    """A file that does not fit leaves the old one, and says so."""
    import numpy as np

    model = trained()[0]
    from training import corrections_store, networks
    path = folder / "model.keras"
    saves = {path: lambda: networks.save_network(model.network, path),
             folder / "a.json": lambda: files.write_json(folder / "a.json", {"a": [0.5] * 5000}),
             folder / "a.png": lambda: files.save_picture(np.tile(np.uint8(range(256)), (300, 3)), folder / "a.png"),
             folder / corrections_store.WORDS: lambda: corrections_store.remember_word(
                 folder, [np.array([[rng.random() * 99, rng.random() * 99] for _ in range(400)])], "a")}
    path, save = rng.choice(list(saves.items()))
    save()
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (rng.randrange(len(before)) // 2, limits[1]))
    try:
        save()
    except OSError as error:
        assert errors.reason(error) and path.read_bytes() == before
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(folder.glob("partial-*"))


def try_server(rng: random.Random, folder: Path) -> None:
    """Whatever a server sends, the right file is there in time or an error is, and no more than is known is kept."""
    from unittest import mock

    from training import download
    content = rng.randbytes(20_000)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("a.bin", content)
    data = zipped.getvalue()
    listener = socket.create_server(("127.0.0.1", 0))

    def work() -> None:
        with contextlib.suppress(OSError):
            while True:
                with contextlib.suppress(ConnectionError), listener.accept()[0] as connection:
                    connection.recv(4096)
                    answer(connection, data, rng)

    threading.Thread(target=work, daemon=True).start()
    with listener, mock.patch.multiple(download, TIMEOUT=0.3, RETRY_PAUSES=(0.01, 0.02), SLOWEST=100_000), \
            mock.patch.dict(os.environ, no_proxy="*"), contextlib.redirect_stderr(io.StringIO()):
        try:
            sha256 = __import__("hashlib").sha256(content).hexdigest()
            download.fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/a.zip", folder, {"a.bin": sha256}, len(data))
            assert (folder / "a.bin").read_bytes() == content
        finally:
            assert sum(path.stat().st_size for path in folder.iterdir()) <= len(data)


def answer(connection: socket.socket, data: bytes, rng: random.Random) -> None:
    """Answer a request rightly, or in one of the ways in which servers go wrong."""
    head = f"HTTP/1.1 {rng.choice((200, 200, 200, 206, 302, 404, 416, 500, 503))} Well\r\n"
    head += rng.choice(("", f"Content-Length: {len(data)}\r\n", f"Content-Length: {rng.randrange(10**7)}\r\n",
                        "Transfer-Encoding: chunked\r\n", "Content-Encoding: gzip\r\n", "Location: /a.zip\r\n"))
    head += rng.choice(("", "", f"Content-Range: bytes {rng.randrange(99)}-/9\r\n", "X: " + "x" * 70_000 + "\r\n"))
    sent = rng.choice((data, data, data[:rng.randrange(len(data))], mutated(data, rng), data + bytes(10**6)))
    whole = head.encode() + b"\r\n" + sent
    slow = rng.random() < 0.1
    for start in range(0, len(whole), 50 if slow else len(whole)):
        connection.sendall(whole[start:start + (50 if slow else len(whole))])
        time.sleep(0.01 if slow else 0)


# ---- tries that start programs

def start(*arguments: str, **options) -> subprocess.Popen:
    """Start a script of the project."""
    return subprocess.Popen([sys.executable, *arguments], cwd=runs.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, errors="replace", **options)


def end(process: subprocess.Popen, *allowed: int) -> str:
    """What a program has written when it ends; AssertionError for a traceback or another exit status."""
    output, notes = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in notes and process.returncode in allowed, f"{process.returncode}: {notes[-2000:]}"
    return output + notes


TRAIN = ("model.py", "--batch_size=60", "--steps_per_call=2", "--augmentation=0.5", "--train_epochs=40",
         "--val_split=0.2")


def train(models: Path, *more: str, **options) -> subprocess.Popen:
    """Start a short training."""
    return start(*TRAIN, f"--data_path={small_emnist()}", f"--models_path={models}", *more, **options)


def state_of(run: Path) -> tuple:
    """All that a training has learned: its history, and its weights as bytes."""
    arrays = files.read_arrays(run / "checkpoint.npz")
    return json.loads(str(arrays.pop("state")))["history"], {name: value.tobytes() for name, value in arrays.items()}


@functools.cache
def uninterrupted() -> tuple:
    """What the training learns when nothing disturbs it."""
    models = Path(tempfile.mkdtemp(prefix="torture-"))
    end(train(models), 0)
    return state_of(next(models.iterdir()))


def try_kill_training(rng: random.Random, folder: Path) -> None:
    """A training that is killed at random moments, four times, learns what an uninterrupted one learns."""
    expected = uninterrupted()
    resume: tuple[str, ...] = ()
    for _ in range(4):
        process = train(folder, *resume)
        time.sleep(rng.uniform(4, 14))
        process.send_signal(rng.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGINT)))
        output, notes = process.communicate(timeout=PATIENCE)
        assert "Traceback" not in notes, notes
        kept = [path.parent.name for path in folder.glob("*/checkpoint.npz")]
        resume = (f"--resume={kept[0]}",) if kept else ()
    end(train(folder, *resume), 0)
    run, = (path.parent for path in folder.glob("*/checkpoint.npz"))
    assert state_of(run) == expected and (run / "model.onnx").is_file() and (run / "metrics.json").is_file()


REMEMBER = """
import sys
import numpy as np
from training import corrections_store
while True:
    glyph = np.frombuffer(np.random.default_rng().bytes(784), np.uint8).reshape(28, 28)
    print(corrections_store.remember(sys.argv[1], glyph, "a"), flush=True)
"""


def try_kill_remembering(rng: random.Random, folder: Path) -> None:
    """A program that is killed while it remembers corrections leaves all but the last, and so does one beside it."""
    processes = [start("-c", REMEMBER, str(folder)) for _ in range(2)]
    time.sleep(rng.uniform(0.5, 2))
    for process in processes:
        process.kill()
    told = sum(process.communicate()[0].count("\n") for process in processes)
    from training import corrections_store
    assert told <= len(corrections_store.read_corrections(folder)[1]) <= told + 2


def try_kill_reading(rng: random.Random, folder: Path) -> None:
    """Readings that are killed again and again hold each picture once, the bad ones with an error."""
    for number in range(40):
        data = rng.choice(pictures())
        (folder / f"{number}.png").write_bytes(mutated(data, rng) if number % 5 == 0 else data)
    command = "recogScript.py", f"--output={folder / 'readings.jsonl'}", str(folder), "missing.png", "/dev/null"
    for _ in range(3):
        process = start(*command)
        time.sleep(rng.uniform(0.3, 2))
        process.kill()
        process.communicate()
    end(start(*command), 2)
    read = [json.loads(line)["file"] for line in (folder / "readings.jsonl").read_text().splitlines()]
    assert len(read) == len(set(read)) and {f"{folder}/{number}.png" for number in range(40)} <= set(read)


def try_full_disk(rng: random.Random, folder: Path) -> None:
    """A training on a full disk ends with one sentence and 1, and goes on when there is room."""
    expected, size = uninterrupted(), rng.choice((0, 2_000, 200_000, 2_000_000, 3_500_000))
    answer = end(train(folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))), 1)
    assert "File too large" in answer, answer[-1000:]
    kept = [path.parent.name for path in folder.glob("*/checkpoint.npz")]
    end(train(folder, *([f"--resume={kept[0]}"] if kept else [])), 0)
    run, = (path.parent for path in folder.glob("*/checkpoint.npz"))
    assert state_of(run) == expected


def try_two_trainings(rng: random.Random, folder: Path) -> None:
    """Two trainings that begin at once have two folders; of two that resume one run, one says that it is taken."""
    two = [train(folder, "--train_epochs=3") for _ in range(2)]
    for process in two:
        end(process, 0)
    first, second = sorted(folder.iterdir())
    assert (first / "metrics.json").is_file() and (second / "metrics.json").is_file()
    two = [train(folder, f"--resume={first.name}", "--train_epochs=300") for _ in range(2)]
    while all(process.poll() is None for process in two):
        time.sleep(0.1)
    taken, going = sorted(two, key=lambda process: process.poll() is None)
    assert "another process trains in" in end(taken, 2)
    going.send_signal(signal.SIGINT)
    end(going, 0, 130)


def try_streams(rng: random.Random, folder: Path) -> None:
    """Scripts whose streams are full, closed or broken, or that are ended while they start, show no traceback."""
    script = rng.choice(("model.py --help", "recogScript.py --help", "recogScript.py samples/pages/lines.png",
                         "-m tools.plotScript --help", "-m tools.check_acc_loss --help", "model.py --seed=-1"))
    end_of = rng.choice(("> /dev/full", ">&-", "<&- >&-", "| head -1", "2>&1 >&- | head -1", "& sleep 0.$((RANDOM % 3))"
                         "$((RANDOM % 10)); kill -INT $!; wait"))
    process = subprocess.run(["bash", "-c", f"{sys.executable} {script} {end_of}"], cwd=runs.ROOT,
                             capture_output=True, text=True, timeout=PATIENCE)
    assert "Traceback" not in process.stderr and "Exception ignored" not in process.stderr, process.stderr


KINDS: dict[str, tuple[int, Callable, bool]] = {   # how often, what, whether it starts programs
    "pictures": (500, try_picture, False), "pages": (6, try_page, False), "emnist": (200, try_emnist, False),
    "pen": (200, try_pen, False), "runs": (200, try_run, False), "checkpoints": (120, try_checkpoint, False),
    "networks": (60, try_network, False), "settings": (250, try_settings, False),
    "corrections": (100, try_corrections, False), "disk": (60, try_disk, False), "servers": (100, try_server, False),
    "streams": (20, try_streams, True), "kill reading": (3, try_kill_reading, True),
    "kill remembering": (4, try_kill_remembering, True), "kill training": (3, try_kill_training, True),
    "full disk": (3, try_full_disk, True), "two trainings": (1, try_two_trainings, True)}


if __name__ == "__main__":
    settings.run(main)
