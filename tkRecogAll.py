"""Write words, numbers and lines, or open a photograph, and have them read.

    python tkRecogAll.py                          with the shipped network
    python tkRecogAll.py --unixTime=1700000000    with another one of Models/
    python tkRecogAll.py page.jpg                 opens a picture, or strokes that were saved
"""
from apps import window
from apps.commands import CONTROL, Action
from apps.toolkit import tk, ttk
from apps.widgets import action_button
from common import settings

# ---- settings: change them here or on the command line, as --name=value
unixTime = ""              # of the network that reads; without one, the shipped network
models_path = "Models"     # where networks are kept
theme = "light"            # or dark
text_size = 100            # % of the system's
boxes = True               # show what was read over the ink
# ---- end of settings


class All(window.App):
    """A wide pad for several lines, and the text below it."""
    title = "Write and read"
    hint = "Write words, numbers, several lines, or open a photograph.\nEnter reads them."
    image = None                     # under the ink when it was read last
    asked = False                    # to read before the network was ready

    def build(self, frame):
        """The pad, below it the text with buttons beside it."""
        side = self.pad_and_text(frame, lines=4)
        action_button(self, side, "Recognise", "Recognise", style="Accent.TButton").pack(fill="x")
        action_button(self, side, "Copy text", "Copy").pack(fill="x", pady=self.px(6))
        self.boxes = tk.BooleanVar(value=self.config.boxes)
        ttk.Checkbutton(side, text="Show on the ink", variable=self.boxes, command=self.show_boxes).pack(anchor="w")

    def actions(self):
        """Reading, and what it shows."""
        return [Action("Read", "Recognise", ("Return", "KP_Enter"), self.recognise, "", True),
                Action("Read", "Show on the ink", (f"{CONTROL}-b",), self._switch_boxes, "", True)]

    def recognise(self) -> None:
        """Read all that is on the pad."""
        self.asked = not self.session.model
        self.set_status("write something first" if not self.pad.drawing else
                        "will be read as soon as the network is ready" if self.asked else "reading…")
        self.read()

    def drawing_changed(self):
        """Take away what was read; a photograph is read as soon as it is opened."""
        self.pad.overlay.clear()
        if not self.pad.drawing or self.pad.drawing.image is not self.image:
            self.read()
        self.image = self.pad.drawing.image

    def network_ready(self):
        """Read what was to be read before, or has been read with another network."""
        if self.asked or self.session.answer or self.image:
            self.read()

    def show(self, answer):
        """Show the text, and what was read on the ink."""
        self.field.show(self.text())
        self.show_boxes()

    def _switch_boxes(self) -> None:
        self.boxes.set(not self.boxes.get())
        self.show_boxes()

    def show_boxes(self) -> None:
        """Show on the ink what was read of it, if that is wanted."""
        self.pad.overlay.clear()
        if self.session.current and self.boxes.get():
            self.pad.overlay.show_boxes(self.session.answer.reading)

    def restyle(self):
        """Take the theme's colours and the text size."""
        self.field.restyle()
        self.show_boxes()


if __name__ == "__main__":
    settings.run(All.main)
