"""Setup for all tests."""
import os
import signal
import sys
from pathlib import Path

import pytest

# The tests run in several processes that share the cores, so more threads in each would only wait for one another.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
    os.environ.setdefault(name, "1")

# A shell that starts the tests in the background makes them ignore Ctrl-C, and the scripts that they start would, too.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

HERE = Path(__file__).parent
LONG = ("training/test_lines.py", "training/test_model.py", "training/test_character_trainer.py",
        "training/test_pipeline.py", "training/test_export.py", "tools/test_torture.py", "apps/test_text_app.py",
        "apps/test_apps.py", "apps/test_pages_app.py",
        "reading/test_network.py", "tools/test_benchmark.py")


def pytest_collection_modifyitems(items):
    """Long files first: each stays in one process, and the short ones fill the gaps at the end."""
    order = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.relative_to(HERE).as_posix(), len(order)))


@pytest.fixture(autouse=True)
def float32():
    """A training in 16 bits leaves Keras in them, which the next test would not expect."""
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].mixed_precision.set_global_policy("float32")
