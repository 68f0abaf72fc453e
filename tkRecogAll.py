"""Write words, numbers and lines, or open a photograph, and have them read.

    python tkRecogAll.py                          with the shipped network
    python tkRecogAll.py --unixTime=1700000000    with another one of Models/
    python tkRecogAll.py page.jpg                 opens a picture, or strokes that were saved
"""
from common import interrupt

interrupt.end_quietly(__name__)

from apps import text_app
from common import settings

# ---- settings: change them here or on the command line, as --name=value
unixTime = ""              # the network that reads; without one, the shipped network
models_path = "Models"     # where networks are kept
language = "english"       # language of the text; none: without a language model
theme = "light"            # or dark
text_size = 100            # % of the system's
boxes = True               # show what was read over the ink
remember = False           # keep corrected characters and words as training data
corrections_path = "Dataset/Corrections"   # where they are kept
state_path = ""            # where settings and unsaved ink are remembered; "": the system's own folder, none: nowhere
reset = False              # forget the remembered settings and ink
# ---- end of settings


class All(text_app.TextApp):
    """A wide pad for several lines, and the text below it."""
    title, icon = "Handwriting: pages", "lines"
    hint = "Write words, numbers, several lines, or open a photograph.\nEnter reads them."
    live, lines = False, 4


if __name__ == "__main__":
    settings.run(All.main)
