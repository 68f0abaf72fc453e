"""The house: which files stand where, and who may import whom."""
import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = {"model.py", "recogScript.py", "tkRecogIndv.py", "tkRecogAll.py", "textrecog_ui.py"}
# Each folder may import from itself and from those named here.
BELOW = {"common": set(), "reading": {"common"}, "training": {"common", "reading"},
         "apps": {"common", "reading", "training"}, "tools": {"common", "reading", "training", "apps"}}


def imports(path: Path) -> set[str]:
    """The first names of all modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            found.add(node.module.split(".")[0])
    return found


def test_the_scripts_stand_alone_at_the_top():
    assert {path.name for path in ROOT.glob("*.py")} == SCRIPTS


@pytest.mark.parametrize("folder", BELOW)
def test_imports_run_downward(folder):
    forbidden = (set(BELOW) - BELOW[folder] - {folder}) | {Path(script).stem for script in SCRIPTS}
    for path in sorted((ROOT / folder).glob("*.py")):
        assert not imports(path) & forbidden, path


@pytest.mark.parametrize("folder", BELOW)
def test_each_folder_says_what_it_does_and_in_which_order_it_is_read(folder):
    text = ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text(encoding="utf-8")))
    assert text and len(text.splitlines()) <= 3
    named = {path.stem for path in (ROOT / folder).glob("*.py")} - {"__init__"}
    assert folder == "tools" or all(name in text for name in named), [name for name in named if name not in text]


def test_reading_loads_nothing_of_training():
    code = "import sys, recogScript; print(*sorted(name for name in sys.modules if name.startswith('training')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
