"""Ctrl-C while a script's modules are imported ends it without a traceback."""
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRESSED = """
import os, runpy, signal, sys

class Press:
    def find_spec(self, name, *where):
        if name == "common.settings":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Press())
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("script", sorted(path.name for path in ROOT.glob("*.py")))
def test_ctrl_c_during_the_imports_shows_no_traceback(script):
    done = subprocess.run([sys.executable, "-c", PRESSED, script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode in (130, -signal.SIGINT) and done.stderr == ""
