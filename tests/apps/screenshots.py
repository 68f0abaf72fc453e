"""Makes the README's pictures of the drawing apps, from the running apps:

    python tests/screenshots.py

On an Xvfb of its own, so that no other window is seen.  Writes docs/tkRecogIndv.png, docs/tkRecogAll.png and
docs/textrecog_ui.png.
"""
import sys
from pathlib import Path

from PIL import ImageGrab

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools import ui_driver

HELLO = str(ROOT / "samples/hello.json")


def indv(hand: ui_driver.Hand) -> None:
    """One character."""
    hand.character("a", -20, 20, 2.4, seed=4)


def everything(hand: ui_driver.Hand) -> None:
    """Lines, read."""
    hand.app.open_file(HELLO)
    hand.press("Return")


def live(hand: ui_driver.Hand) -> None:
    """Lines, and the alternatives of a character."""
    hand.app.open_file(HELLO)
    hand.read()
    hand.app.mark(len(hand.app.shown) - 4)
    hand.app.correct_chosen()


PICTURES = {"tkRecogIndv": (indv, "light"), "tkRecogAll": (everything, "dark"), "textrecog_ui": (live, "light")}


def main() -> None:
    """Take all pictures."""
    with ui_driver.display(always=True) as name:
        for script, (prepare, theme) in PICTURES.items():
            app = ui_driver.start(script, theme=theme)
            hand = ui_driver.Hand(app)
            hand.ready()
            prepare(hand)
            hand.read()
            hand.rest(0.3)
            # Nothing moves the window from the display's corner; what Tk tells leaves out the menu bar.
            root = app.root
            box = 0, 0, root.winfo_rootx() + root.winfo_width(), root.winfo_rooty() + root.winfo_height()
            path = ROOT / "docs" / f"{script}.png"
            ImageGrab.grab(box, xdisplay=name).save(path, optimize=True)
            print(f"{path.relative_to(ROOT)}, {path.stat().st_size // 1024} KB")
            app.close()


if __name__ == "__main__":
    main()
