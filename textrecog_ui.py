"""Write and see the text as you write; click a word to correct it.

    python textrecog_ui.py                          with the shipped network
    python textrecog_ui.py --unixTime=1700000000    with another one of Models/
    python textrecog_ui.py --theme=dark             light letters on dark paper
    python textrecog_ui.py --remember=True          keeps corrections, for model.py --finetune
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
remember = False           # keep corrected characters and words as training data
corrections_path = "Dataset/Corrections"   # where they are kept
state_path = ""            # where settings and unsaved ink are remembered; "": the system's own folder, none: nowhere
reset = False              # forget the remembered settings and ink
# ---- end of settings


class Live(text_app.TextApp):
    """A pad that shows each character under its ink, and the text below."""
    title = "Handwriting: write and see"
    hint = "Write here; the text appears as you write.\nClick a word that was read wrongly."


if __name__ == "__main__":
    settings.run(Live.main)
