"""The drawing apps that most tests share, one of each kind."""

import pytest

pytest.importorskip("tkinter", reason="Python's tkinter is missing")

from windows import OWN_DISPLAY, opened

from tools import ui_driver


@pytest.fixture(scope="session")   # Tk ends a process that outlives one of its displays
def display():
    try:
        with ui_driver.display(always=OWN_DISPLAY) as name:
            yield name
    except ui_driver.DriverError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def live_app(display, tmp_path_factory):
    with opened("textrecog_ui", corrections_path=str(tmp_path_factory.mktemp("kept"))) as driver:
        driver.ready()
        yield driver


@pytest.fixture
def live(live_app):
    """textrecog_ui with an empty pad."""
    app = live_app.app
    app.pad.clear()
    app.toolbar.choose("pen")
    app.remember.set(False)
    app.escape()
    return live_app


@pytest.fixture(scope="module")
def everything_app(display):
    with opened("tkRecogAll") as driver:
        driver.ready()
        yield driver


@pytest.fixture
def everything(everything_app):
    """tkRecogAll with an empty pad, above the other windows."""
    app = everything_app.app
    app.root.lift()
    app.pad.clear()
    app.message("")
    return everything_app


@pytest.fixture(scope="module")
def single(display):
    with opened("tkRecogIndv") as driver:
        driver.ready()
        yield driver
