"""Write words, numbers and lines, or open a photograph, and have them read.

    python tkRecogAll.py                       with the shipped network
    python tkRecogAll.py --model=1700000000    with another one of Models/
    python tkRecogAll.py page.jpg              opens a picture, or strokes that were saved
"""
import tkinter as tk
from tkinter import ttk

from apps import window

# ---- settings: change them here or on the command line, as --name=value
model = ""                 # unixTime of the network that reads; without one, the shipped network
models_path = "Models"     # where networks are kept
theme = "light"            # or dark
text_size = 100            # % of the system's
boxes = True               # show what was read over the ink
# ---- end of settings


class All(window.App):
    """A wide pad for several lines, and the text below it."""
    title = "Write and read"
    image = None                     # under the ink when it was read last
    asked = False                    # to read before the network was ready

    def build(self, frame):
        side = self.pad_and_text(frame, lines=4)
        ttk.Button(side, text="Recognise", style="Accent.TButton", command=self.recognise).pack(fill="x")
        self.copy_button(side).pack(fill="x", pady=self.px(6))
        self.boxes = tk.BooleanVar(value=self.config["boxes"])
        ttk.Checkbutton(side, text="Show on the ink", variable=self.boxes, command=self.show_boxes).pack(anchor="w")

    def actions(self):
        return [window.Action("Read", "Recognise", ("Return", "KP_Enter"), self.recognise, "", True),
                window.Action("Read", "Show on the ink", (f"{window.CONTROL}-b",), self._switch_boxes, "", True)]

    def hint_text(self):
        return "Write words, numbers, several lines, or open a photograph.\nEnter reads them."

    def recognise(self) -> None:
        """Read all that is on the pad."""
        self.asked = not self.model
        self.set_status("write something first" if not self.pad.drawing else
                        "will be read as soon as the network is ready" if self.asked else "reading…")
        self.read()

    def drawing_changed(self):
        self.pad.delete("read")
        if not self.pad.drawing or self.pad.drawing.image is not self.image:
            self.read()  # a photograph is read as soon as it is opened
        self.image = self.pad.drawing.image

    def network_ready(self):
        if self.asked or self.answer or self.image:
            self.read()

    def show(self, answer):
        self.field.show(answer.text if answer else "")
        self.show_boxes()

    def _switch_boxes(self) -> None:
        self.boxes.set(not self.boxes.get())
        self.show_boxes()

    def restyle(self):
        self.field.restyle()
        self.show_boxes()

    def show_boxes(self) -> None:
        """Show on the ink what was read of it, if that is wanted."""
        self.pad.delete("read")
        if self.answer and self.boxes.get() and self.answer.request.token == self.version:
            self.pad.show_boxes(self.answer.characters, self.font_size(11), "TkDefaultFont")


if __name__ == "__main__":
    window.run(All, __file__, globals())
