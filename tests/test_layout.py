"""Which files are where, what may import what, how long things are, and whether the commands in the docs exist."""
import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from common import settings

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = {"model.py", "recogScript.py", "tkRecogIndv.py", "tkRecogAll.py", "textrecog_ui.py"}
# Each folder may import from itself and from those named here.
BELOW = {"common": set(), "reading": {"common"}, "training": {"common", "reading"},
         "apps": {"common", "reading", "training"}, "tools": {"common", "reading", "training", "apps"}}
LONGEST = {ast.FunctionDef: 45, ast.ClassDef: 250}
SOURCES = sorted(path for folder in (".", *BELOW, "docs") for path in (ROOT / folder).glob("*.py"))
TEXTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "Dataset/README.md",
         ROOT / "tests/records/README.md"]


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> set[str]:
    """The top-level names of all modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(parse(path)):
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
    text = ast.get_docstring(parse(ROOT / folder / "__init__.py"))
    assert text and len(text.splitlines()) <= 4
    named = {path.stem for path in (ROOT / folder).glob("*.py")} - {"__init__"}
    assert not named - set(re.findall(r"\w+", text))


def test_reading_loads_nothing_of_training():
    heavy = ("training", "tensorflow", "keras", "matplotlib", "sklearn")
    code = "import sys, recogScript; print(*sorted(name for name in sys.modules if name.startswith(sys.argv[1:])))"
    done = subprocess.run([sys.executable, "-c", code.replace("sys.argv[1:]", repr(heavy))], cwd=ROOT,
                          capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_functions_and_classes_fit_on_a_screen_or_two():
    lengths = {f"{path.relative_to(ROOT)}: {node.name}": (node.end_lineno - node.lineno + 1, LONGEST[type(node)])
               for path in SOURCES for node in ast.walk(parse(path)) if type(node) in LONGEST}
    assert not {where: length for where, (length, most) in lengths.items() if length > most}


def test_the_readme_is_read_to_its_end():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150 and len(text.split()) <= 1500


def test_no_file_knows_the_machine_it_was_written_on():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git repository")
    for path in map(ROOT.joinpath, tracked.stdout.splitlines()):
        if path.suffix in (".py", ".md", ".json", ".txt", ".ini", ".toml"):
            assert not re.search(r"(?<![\w.<])/(?:work|home|root)/\w", path.read_text(encoding="utf-8")), path


# ---- the commands that people are told to run

def commands(path: Path) -> Iterator[tuple[Path, list[str]]]:
    """The project's Python files that a text says to run, each with its arguments."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":   # only code, each piece on one line
        pieces = re.findall(r"(?s:^```.*?^```)|(?<!`)`[^`]+`(?!`)|^    .*", text, re.MULTILINE)
        text = "\n".join(" ".join(piece.split()) for piece in pieces)
    for module, script, rest in re.findall(r"python3? (?:-m (\w+\.\w+)|([\w/]+\.py))((?: [^\s`]+)*)", text):
        if module.split(".")[0] in (*BELOW, "") and "NAME" not in module:
            yield ROOT / (script or module.replace(".", "/") + ".py"), rest.split()


def test_each_command_that_people_are_told_exists_with_its_settings():
    wrong = []
    for path in TEXTS + SOURCES:
        for script, arguments in commands(path):
            named = {match[1] for argument in arguments if (match := re.match(r"--(\w+)", argument))}
            known = {"help", *settings.ALIASES}
            if script.is_file() and "# ---- settings" in script.read_text(encoding="utf-8"):
                known |= settings.meanings(script).keys()
            if not script.is_file() or named - known:
                wrong.append(f"{path.relative_to(ROOT)}: {script.relative_to(ROOT)} {' '.join(arguments)}")
    assert not wrong


def test_each_link_leads_to_a_file():
    links = [(path, link) for path in TEXTS for link in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))]
    assert len(links) > 20
    local = [(path, link) for path, link in links if "://" not in link]
    assert not [f"{path.name}: {link}" for path, link in local if not (path.parent / link).exists()]


def test_one_line_of_the_readme_is_the_test_command_that_ci_runs():
    lines = [line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if "-m pytest" in line]
    assert lines and lines[0].startswith("python3 -m venv .venv && ") and lines[0].endswith("-m pytest -q tests")
