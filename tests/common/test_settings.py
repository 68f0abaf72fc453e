"""Settings at the top of a script, changed on the command line."""
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
