"""The command lines of all scripts and tools."""
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from common import settings

ROOT = Path(__file__).resolve().parents[2]
WITH_SETTINGS = sorted(path for folder in (".", "tools") for path in (ROOT / folder).glob("*.py")
                       if re.search(r"^# ---- settings", path.read_text(encoding="utf-8"), re.MULTILINE))
HEAVY = {"tensorflow", "keras", "jax", "torch", "sklearn", "matplotlib", "tensorboard", "onnxruntime"}


def run(path: Path, *arguments: str, flags: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    name = ["-m", f"tools.{path.stem}"] if path.parent == ROOT / "tools" else [str(path)]
    done = subprocess.run([sys.executable, *flags, *name, *arguments], capture_output=True, text=True, cwd=ROOT,
                          timeout=60)
    if not find_spec("tkinter") and "Python's tkinter is missing: install it" in done.stderr:
        pytest.skip("Python's tkinter is missing")   # as the tests of the apps do
    return done


@pytest.mark.parametrize("path", WITH_SETTINGS, ids=lambda path: path.stem)
def test_help_waits_for_no_heavy_package_and_explains_every_setting(path):
    done = run(path, "--help", flags=("-X", "importtime"))
    assert done.returncode == 0, done.stderr[-500:]
    imported = set(re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE))
    assert "common.settings" in imported and not imported & HEAVY
    assert "python" in done.stdout.split("settings, as --name=value")[0]
    lines = dict(re.findall(r"^  --(\w+)=(.*)$", done.stdout, re.MULTILINE))
    assert list(lines) == list(settings.meanings(path))
    assert all(re.fullmatch(r"(\S.*)? +\S.{5,}", line) for line in lines.values()), lines


@pytest.mark.parametrize("path", WITH_SETTINGS, ids=lambda path: path.stem)
def test_an_unknown_setting_ends_with_one_sentence_that_lists_the_known(path):
    done = run(path, "--learning_speed=1")
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "--learning_speed" in done.stderr and ", ".join(settings.meanings(path)) in done.stderr


def test_the_settings_begin_on_line_15_of_model():
    assert (ROOT / "model.py").read_text().splitlines()[14].startswith("learning_rate = 0.0005 ")
