"""Settings at the top of a script, changed on the command line."""
import subprocess
import sys
from pathlib import Path

import pytest

from common import settings

VALUES = {"rate": 0.5, "epochs": 3, "network": "dense", "pen": False, "sizes": (1, 2)}


def test_values_take_the_type_of_what_they_replace():
    given, left = settings.apply(VALUES, ["--rate=2", "--epochs=7", "--network=7", "--pen", "--sizes=[3]", "image.png"])
    assert given == {"rate": 2.0, "epochs": 7, "network": "7", "pen": True, "sizes": (3,)}
    assert isinstance(given["rate"], float) and left == ["image.png"]
    assert settings.apply(VALUES, ["--pen=false"])[0] == {"pen": False}


def test_a_setting_may_have_another_name():
    assert settings.apply({"unixTime": ""}, ["--model=17"])[0] == {"unixTime": "17"}
    assert settings.apply({"unixTime": "", "model": ""}, ["--model=17"])[0] == {"model": "17"}


@pytest.mark.parametrize("argument, complaint", [
    ("--epoch=7", "no setting --epoch"),
    ("--epochs=7.5", "7.5 is not a whole number"),
    ("--rate=fast", "fast is not a number"),
    ("--pen=maybe", "maybe is not True or False"),
    ("--sizes=(1", r"\(1 is not a list"),
    ("--sizes=5", "5 is not a list"),
    ("--epochs", "--epochs needs a value"),
])
def test_a_wrong_setting_is_named(argument, complaint):
    with pytest.raises(settings.SettingsError, match=complaint) as error:
        settings.apply(VALUES, [argument])
    assert "needs a value" in complaint or "rate, epochs, network, pen, sizes" in str(error.value)


NOTES = """
import sys
from tqdm import tqdm
from common import settings
def main(arguments):
    for _ in tqdm(range(30), mininterval=0):
        print("a note", file=sys.stderr, flush=True)
    print("done")
    settings.tell("a complaint")
settings.run(main)
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
@pytest.mark.parametrize("into", ["2> /dev/full", "2>&-", "2> >(true)", "2> /dev/null"])
def test_progress_bars_and_notes_end_no_program(into):
    done = subprocess.run(["bash", "-c", f"{sys.executable} -c '{NOTES}' {into}"], capture_output=True, text=True,
                          cwd=Path(__file__).parents[2])
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
