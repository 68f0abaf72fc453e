"""Takes pictures of the drawing apps and all their windows on an invisible display.

    python -m tools.screenshots                                    those of the documentation, into docs/
    python -m tools.screenshots --folder=FOLDER --everything=True  all windows, in both themes and two sizes
"""
from collections.abc import Callable
from pathlib import Path

from PIL import ImageGrab

from common import runs, settings
from tools import draw_samples, processes, ui_driver
from training import corrections_store

# ---- settings: change them here or on the command line, as --name=value
folder = "docs"            # where the pictures go
everything = False         # all windows in both themes, at 1024x640 and, twice as large, at 3840x2160
# ---- end of settings

HELLO = str(runs.ROOT / "samples/hello.json")
DISPLAYS = {"1024x640": ((1024, 640), 96), "3840x2160": ((3840, 2160), 192)}   # px, px per inch


def character(driver: ui_driver.Driver) -> None:
    """One character."""
    driver.character("a", -20, 20, 2.4 * driver.app.looks.scale, seed=4)


def lines(driver: ui_driver.Driver) -> None:
    """Lines that have been read."""
    driver.app.files.open_file(HELLO)
    driver.press("Return")


def photograph(driver: ui_driver.Driver) -> None:
    """A picture that has been read."""
    driver.app.files.open_file(str(runs.ROOT / "samples/pages/lines.png"))
    driver.wait(lambda: driver.app.pad.drawing.image, "the picture")


def alternatives(driver: ui_driver.Driver) -> None:
    """Lines, and the alternatives of one word."""
    driver.app.files.open_file(HELLO)
    driver.read()
    driver.app.mark(len(driver.app.shown) - 4)
    driver.app.correct_chosen()


def shortcuts(driver: ui_driver.Driver) -> None:
    """The overview of shortcuts."""
    driver.app.commands.show_keys()


def selection(driver: ui_driver.Driver) -> None:
    """A zoomed page with a message, a selection and another network's reading."""
    app = driver.app
    app.files.open_file(HELLO)
    driver.read()
    app.pad.show_page(1.5, (0, 0))
    app.pad.select(app.pad.drawing.strokes[:6])
    app.session.compare(runs.DEFAULT_CHARACTERS)
    app.message("There is no picture on the clipboard: copy one first")
    driver.wait(app.other.winfo_ismapped, "what the other reads")


def writing(driver: ui_driver.Driver) -> None:
    """What is remembered of a person's writing."""
    driver.app.commands["My writing…"].do()


DOCUMENTED = [("tkRecogIndv", character, "light"), ("tkRecogAll", lines, "dark"),
              ("textrecog_ui", alternatives, "light")]
ALL = [(script, prepare, theme) for theme in ("light", "dark") for script, prepare in (
    ("tkRecogIndv", character), ("tkRecogAll", lines), ("tkRecogAll", photograph), ("textrecog_ui", alternatives),
    ("textrecog_ui", shortcuts), ("textrecog_ui", selection), ("textrecog_ui", writing))]


def take(script: str, prepare: Callable, theme: str, path: Path, display: str, whole: bool = False) -> None:
    """Take a picture of one window or, if `whole`, of the display."""
    with ui_driver.opened(script, theme=theme, corrections_path=str(path.parent / "corrections")) as driver:
        driver.ready()
        prepare(driver)
        driver.read()
        driver.rest(0.4)
        # Nothing moves the window out of the display's corner; the geometry that Tk reports leaves out the menu bar.
        root = driver.app.root
        box = 0, 0, root.winfo_rootx() + root.winfo_width(), root.winfo_rooty() + root.winfo_height()
        ImageGrab.grab(None if whole else box, xdisplay=display).save(path, optimize=True)
        print(path)


def take_all(where: Path, size: str) -> None:
    """Take pictures of all windows on a display of one size."""
    pixels, dpi = DISPLAYS[size]
    with ui_driver.display(pixels, dpi, always=True) as name:
        for script, prepare, theme in ALL:
            take(script, prepare, theme, where / f"{size}-{theme}-{script}-{prepare.__name__}.png", name, True)


def main(arguments: list[str]) -> None:
    """Take all pictures."""
    config, _ = settings.configure(globals(), arguments)
    where = Path(config.folder)
    where.mkdir(parents=True, exist_ok=True)
    if not config.everything:
        with ui_driver.display(always=True) as name:
            for script, prepare, theme in DOCUMENTED:
                take(script, prepare, theme, where / f"{script}.png", name)
        return
    for number, text in enumerate(("hello", "little", "minute")):
        corrections_store.remember_word(where / "corrections", draw_samples.cursive_strokes(text, 90, number), text)
    for size in DISPLAYS:     # each in its own process, because Tk ends it with the display
        processes.alone(take_all, where, size)


if __name__ == "__main__":
    settings.run(main)
