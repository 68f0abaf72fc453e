"""Takes pictures of the running drawing apps, on a display that nobody sees.

    python -m tools.screenshots                     those of the documentation, into docs/
    python -m tools.screenshots --folder=/tmp/new   into another folder
"""
from pathlib import Path

from PIL import ImageGrab

from common import runs, settings
from tools import ui_driver

# ---- settings: change them here or on the command line, as --name=value
folder = "docs"            # where the pictures go
# ---- end of settings

HELLO = str(runs.ROOT / "samples/hello.json")


def character(driver: ui_driver.Driver) -> None:
    """One character."""
    driver.character("a", -20, 20, 2.4, seed=4)


def lines(driver: ui_driver.Driver) -> None:
    """Lines, read."""
    driver.app.files.open_file(HELLO)
    driver.press("Return")


def alternatives(driver: ui_driver.Driver) -> None:
    """Lines, and what one of their characters may be."""
    driver.app.files.open_file(HELLO)
    driver.read()
    driver.app.mark(len(driver.app.shown) - 4)
    driver.app.correct_chosen()


PICTURES = {"tkRecogIndv": (character, "light"), "tkRecogAll": (lines, "dark"), "textrecog_ui": (alternatives, "light")}


def main(arguments: list[str]) -> None:
    """Take all pictures."""
    config, _ = settings.configure(globals(), arguments)
    with ui_driver.display(always=True) as name:
        for script, (prepare, theme) in PICTURES.items():
            app = ui_driver.start(script, theme=theme)
            driver = ui_driver.Driver(app)
            driver.ready()
            prepare(driver)
            driver.read()
            driver.rest(0.3)
            # Nothing moves the window from the display's corner; what Tk tells leaves out the menu bar.
            root = app.root
            box = 0, 0, root.winfo_rootx() + root.winfo_width(), root.winfo_rooty() + root.winfo_height()
            path = Path(config.folder, f"{script}.png")
            ImageGrab.grab(box, xdisplay=name).save(path, optimize=True)
            print(path)
            app.close()


if __name__ == "__main__":
    settings.run(main)
