"""Reading many pictures: processes, order, a window of work, and files that resume after a break."""
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from common import errors
from reading import bulk

ROOT = Path(__file__).resolve().parents[2]


def slow_length(name: str) -> dict:
    """Stands in for a reading: the longer the name, the longer it takes."""
    time.sleep(0.01 * len(name))
    return {"file": name, "length": len(name), "process": os.getpid()}


def test_two_processes_give_the_readings_in_order_or_as_they_come():
    names = ["x" * (30 if number % 10 == 0 else 1) for number in range(40)]
    ordered = list(bulk.read_all(slow_length, names, 2))
    assert [fields["file"] for fields in ordered] == names
    assert len({fields["process"] for fields in ordered} - {os.getpid()}) == 2
    loose = [fields["file"] for fields in bulk.read_all(slow_length, names, 2, ordered=False)]
    assert sorted(loose) == sorted(names) and loose != names


def test_names_are_taken_only_as_fast_as_they_are_read():
    taken = []

    def names():
        for number in range(1000):
            taken.append(number)
            yield str(number)

    readings = bulk.read_all(slow_length, names(), 2)
    for _ in range(5):
        next(readings)
    assert len(taken) <= 5 + 2 * bulk.AHEAD
    readings.close()


def test_a_process_that_dies_is_named():
    with pytest.raises(errors.UserError, match="--workers"):
        list(bulk.read_all(die, ["a"], 2))


def die(name: str) -> dict:
    """Ends its process at once, as the kernel does when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def test_processes_end_with_a_parent_that_is_killed(tmp_path):
    code = "import sys; sys.path.insert(0, 'tests/reading'); import test_bulk; from reading import bulk\n" \
           "for fields in bulk.read_all(test_bulk.slow_length, ('x' * 20 for _ in range(999)), 2): print(1, flush=True)"
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    parent.stdout.readline()
    children = psutil.Process(parent.pid).children(recursive=True)
    assert children
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


def test_a_file_of_readings_goes_on_after_a_break(tmp_path):
    path = tmp_path / "readings.jsonl"
    output = bulk.Output(path)
    for name in "ab":
        output.write({"file": name, "text": name.upper()})
    with open(path, "ab") as file:
        file.write(b'{"file": "c", "te')   # killed while writing
    output = bulk.Output(path)
    assert output.done == {"a", "b"}
    output.write({"file": "c", "text": "C"})
    assert [json.loads(line)["file"] for line in path.read_text().splitlines()] == ["a", "b", "c"]


@pytest.mark.parametrize("content", ["Dear all,\nwe read.\n", "Dear all", '{"a": 1}'])
def test_a_file_with_something_else_is_left_alone(tmp_path, content):
    path = tmp_path / "letter.txt"
    path.write_text(content)
    with pytest.raises(errors.UserError, match="something other than readings"):
        bulk.Output(path)
    assert path.read_text() == content
