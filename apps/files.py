"""Pictures and strokes that enter and leave a window: by dialogs, the clipboard, and files dropped on it."""
import io
import re
from collections.abc import Sequence
from pathlib import Path

from apps import export, page, strokes
from apps.toolkit import filedialog, tk

PICTURES = "*.png *.jpg *.jpeg *.gif *.bmp *.tif *.tiff *.webp *.ppm *.pgm"
SHOWN = 60                       # characters of dropped text that a message repeats


class Files:
    """Opens and saves what is on the pad of an app; app: a window.App."""

    def __init__(self, app):
        self.app, self.root = app, app.root
        self.takes_drops = self._take_drops()
        self.names: list[str] = []       # opened in turn
        self.at = 0                      # the number of the one shown

    def open(self) -> None:
        """Ask for pictures or saved strokes, and show them."""
        names = filedialog.askopenfilenames(parent=self.root, title="Open", filetypes=[
            ("Pictures and strokes", f"{PICTURES} *.json"), ("All files", "*")])
        if names:
            self.open_files(names)

    def open_files(self, names: Sequence[str]) -> None:
        """Open files, the first now and the others in turn; Undo brings back the previous drawing."""
        self.names, self.at = list(names), 0
        self.turn(0)

    def turn(self, by: int) -> None:
        """Open the next of several files, or the previous one."""
        if 0 <= self.at + by < len(self.names):
            self.at += by
            keys = "Page Down opens the next" if self.at + 1 < len(self.names) else "Page Up opens the previous one"
            several = f"{self.names[self.at]} is {self.at + 1} of {len(self.names)} files: {keys}"
            self.app.message(several if len(self.names) > 1 else "", "open")
            self.open_file(self.names[self.at])

    def fill_recent(self, menu: tk.Menu) -> None:
        """Fill a menu with the files that were opened or saved last."""
        menu.delete(0, "end")
        for name in self.app.memory.recent:
            menu.add_command(label=name, command=lambda name=name: self.open_files([name]))

    def open_file(self, name: str) -> None:
        """Show a picture under the ink, or saved strokes."""
        try:
            if name.lower().endswith(".json"):
                found = strokes.load(name, self.app.looks.scale)
                self.app.session.opened += 1   # a picture that is still being decoded comes too late
                self.app.pad.drawing.replace(found)
                self.app.pad.fit()
                self.app.saved = self.app.pad.drawing.now
            else:
                self.open_picture(Path(name).read_bytes(), Path(name).name)
            self.app.memory.note_file(name)
        except OSError as error:
            self.app.message(f"{name} cannot be read ({error.strerror}): check the name", "open")
        except strokes.DrawingError as error:
            self.app.message(str(error), "open")

    def open_picture(self, data: bytes, name: str) -> None:
        """Show a picture, given as its file's bytes, under the ink once it is decoded; name: used in messages."""
        self.root.update_idletasks()
        margin, pad = self.app.px(16), self.app.pad
        self.app.session.open_picture(data, name, (pad.winfo_width() - margin, pad.winfo_height() - margin))
        self.app.set_status("opening the picture…")

    def paste(self) -> None:
        """Take a picture from the clipboard."""
        from PIL import Image, ImageGrab  # late: the window need not wait for it
        try:
            found = None if self._clipboard_is_tks() else ImageGrab.grabclipboard()
        except NotImplementedError:
            self.app.message("The clipboard cannot be read: install xclip or wl-clipboard", "open")
            return
        except OSError:   # xclip's answer to text
            found = None
        except Image.DecompressionBombError:
            self.app.message("The picture on the clipboard is too large: copy a part of it", "open")
            return
        if isinstance(found, list) and found:  # file names
            self.open_files(found)
        elif isinstance(found, Image.Image):
            file = io.BytesIO()
            found.save(file, "PNG")
            self.app.message("", "open")
            self.open_picture(file.getvalue(), "the picture on the clipboard")
        else:
            self.app.message("There is no picture on the clipboard: copy one first", "open")

    def _clipboard_is_tks(self) -> bool:
        """Whether a Tk program, maybe this one, owns the clipboard: text, which xclip would wait for in vain."""
        try:
            return "TK_WINDOW" in self.root.clipboard_get(type="TARGETS").split()
        except tk.TclError:  # it is empty, or its owner does not say
            return False

    def save(self) -> None:
        """Ask for a name, and save the drawing."""
        self._ask("Save", ".png", [("Picture", "*.png *.jpg *.bmp *.tif *.webp"),
                                   ("Strokes, to be opened again", "*.json")])

    def export(self) -> None:
        """Ask for a name, and save the text."""
        self._ask("Export the text", ".txt", [("Text", "*.txt"), ("PDF of the picture, to be searched", "*.pdf")])

    def _ask(self, title: str, usual: str, kinds: list[tuple[str, str]]) -> None:
        name = filedialog.asksaveasfilename(parent=self.root, title=title, defaultextension=usual, filetypes=kinds)
        if name:
            self.save_file(name)

    def save_file(self, name: str) -> None:
        """Save in the format of the name's ending: strokes, the text, a PDF with the text, or a picture."""
        drawing, reading = self.app.pad.drawing, self.app.reading
        kind = Path(name).suffix.lower()
        try:
            if kind == ".json":
                strokes.save(drawing, name, self.app.looks.scale)
            elif kind == ".txt":
                export.write_text(name, reading.text if reading else "")
            else:
                picture = page.picture_of(drawing.strokes, drawing.image, self.app.kind == "character")
                if kind == ".pdf":
                    export.write_pdf(name, picture.pixels, [
                        (word.text, picture.box(word.box)) for line in (reading.lines if reading else ())
                        for word in line.words])
                else:
                    page.save_picture(picture, name)
            if kind not in (".txt", ".pdf"):
                self.app.saved = drawing.now
                self.app.memory.note_file(name)
            self.app.message("", "save")
            self.app.set_status(f"saved {Path(name).name}")
        except OSError as error:
            self.app.message(f"{name} cannot be written ({error.strerror}): choose another folder", "save")
        except ValueError:
            self.app.message(f"{name} is not a picture's name: end it with .png, .jpg or .json", "save")

    # ---- files dropped on the window

    def _take_drops(self) -> bool:
        """Open files dropped on the window; returns False if tkinterdnd2 is missing or does not work on this system."""
        try:
            from tkinterdnd2 import TkinterDnD  # here: the window works without it
            TkinterDnD.require(self.root)
            self.root.tk.call("tkdnd::drop_target", "register", self.root, ("DND_Files", "DND_Text"))
        except (ImportError, RuntimeError, tk.TclError):
            return False
        for event, do in (("<<DropEnter>>", self._dragged_in), ("<<DropLeave>>", self._dragged_out),
                          ("<<Drop:DND_Files>>", lambda names: self._dropped(self.root.tk.splitlist(names))),
                          # Some programs pass the addresses of files as text.
                          ("<<Drop:DND_Text>>", lambda text: self._dropped(text.splitlines()))):
            self.root.tk.call("bind", self.root, event, f"{self.root.register(do)} %D")
        return True

    def _dragged_in(self, data: str) -> str:
        self.app.pad.show_drop("Drop to open")
        return "copy"  # tells the other program to copy its file, not to move it

    def _dragged_out(self, data: str = "") -> None:
        self.app.pad.show_drop("")
        self.app.pad.focus_set()  # tkdnd has given the focus to the window

    def _dropped(self, items: Sequence[str]) -> str:
        names = [name for name in map(local_file, items) if name]
        self._dragged_out()
        if names:
            self.open_files(names)
        else:
            text = " ".join(items)
            self.app.message(f"{text if len(text) <= SHOWN else text[:SHOWN] + '…'} is not a file: drop a picture or "
                             "saved strokes", "open")
        return "copy"


def local_file(address: str) -> str:
    """The path of a file from its path or its URI; "" if it is neither."""
    if uri := re.fullmatch("file:(?://[^/]*)?(/.*)", address):
        from urllib.request import url2pathname  # late: this import is slow
        return url2pathname(uri[1])
    return address if Path(address).is_absolute() else ""
