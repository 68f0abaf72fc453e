"""What all drawing apps share: window, themes, toolbar, menus, shortcuts, status line, and the reading process.

An app is a subclass of App that lays out its pad and says what to do with an
answer; see tkRecogIndv.py, the smallest.
"""
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from common import settings

try:
    import tkinter as tk
    from tkinter import filedialog, font, ttk
except ImportError:
    settings.fail("Python's tkinter is missing: install it, for example with `sudo apt install python3-tk`")

from apps import drawing, icons, worker
from apps.canvas import PEN_WIDTHS, Colours, Pad
from common import runs

POLL_BUSY, POLL_IDLE = 4, 40     # ms between two looks for answers
TEXT_SIZES = (70, 220)           # %
PICTURES = "*.png *.jpg *.jpeg *.gif *.bmp *.tif *.tiff *.webp *.ppm *.pgm"
SHOWN = 60                       # characters of dropped text that a message repeats
MAC = sys.platform == "darwin"
CONTROL = "Command" if MAC else "Control"


class Theme(NamedTuple):
    """One palette, from which everything takes its colours."""
    window: str
    raised: str          # fields, buttons under the pointer
    line: str            # borders
    text: str
    muted: str
    accent: str
    on_accent: str
    warning: str         # background of messages
    pad: Colours


THEMES = {
    "light": Theme("#f3f4f6", "#ffffff", "#d5d9e0", "#1d2433", "#626b7b", "#3556d4", "#ffffff", "#fdecc8",
                   Colours("#ffffff", "#17213f", "#3556d4", "#c05406", "#1f8343", "#8da2f0", "#b9c6f8")),
    "dark": Theme("#171a21", "#262b36", "#39404e", "#e7eaf0", "#9aa4b5", "#8aa5ff", "#10131a", "#5a4415",
                  Colours("#1f232d", "#f2f4fa", "#94adff", "#ffb066", "#77d797", "#5f75c4", "#4a5a96")),
}


class Action(NamedTuple):
    """Something that a menu offers, a key does, and the overview of shortcuts names."""
    menu: str
    label: str
    keys: tuple[str, ...]            # as Tk names them; CTRL is Command on macOS
    do: Callable[[], None]
    icon: str = ""
    in_text: bool = False            # whether its keys count while a text field has the focus


class App:
    """A window with a drawing pad."""
    title = "Draw"
    kind = "text"                    # what the worker is asked to read: text or character
    size = (1080, 680)               # px at 96 dpi

    def __init__(self, config: dict):
        """config: the script's settings: model, models_path, theme, text_size; may raise settings.SettingsError."""
        if config["theme"] not in THEMES:
            raise settings.SettingsError(f"there is no theme {config['theme']!r}; there are: {', '.join(THEMES)}")
        self.config = config
        self.models_path = runs.models_folder(config["models_path"])
        self.worker = worker.Worker()    # first: it takes seconds to get ready
        self.lifted = 0.0                # when the pen left the paper last
        self.answer: worker.Answer | None = None
        self.model = ""                  # that reads; "" until one is ready
        self.version = 0                 # of the drawing; answers to older ones are dropped
        try:
            self.root = open_window(self.title)
            self.root.report_callback_exception = self._failed
            self._build()
        except BaseException:
            self.worker.close()
            raise
        self._load(config["model"] or self._default_model())
        self._poll()

    # ---- for subclasses

    def build(self, frame: ttk.Frame) -> None:
        """Lay out the middle of the window; self.make_pad(frame) makes the pad."""
        raise NotImplementedError

    def show(self, answer: worker.Answer | None) -> None:
        """Show what was read; None: nothing is there to read."""
        raise NotImplementedError

    def actions(self) -> list[Action]:
        """More actions than all apps have."""
        return []

    def text(self) -> str:
        """What Copy copies."""
        return self.answer.text if self.answer else ""

    def drawing_changed(self) -> None:
        """Called after each change of the drawing."""
        self.read()

    def network_ready(self) -> None:
        """Called when a network has been loaded, or could not be."""
        self.read()

    def restyle(self) -> None:
        """Called after a change of theme or text size."""

    def tapped(self, x: float, y: float) -> bool:
        """Whether a tap of the pen meant something else than a dot."""
        return False

    # ---- the window

    def _build(self) -> None:
        self.scale = max(1.0, self.root.winfo_fpixels("1i") / 96)
        self.theme_name, self.text_size = self.config["theme"], self.config["text_size"]
        self.icons = icons.Icons(self.root, self.px(20))
        self.fonts = {name: font.nametofont(name).actual()["size"] for name in font.names(self.root)
                      if name.startswith("Tk")}
        self.every_action = self._common_actions() + self.actions()
        self.root.columnconfigure(0, weight=1)
        self.root.rowconfigure(2, weight=1)
        self.menus: list[tk.Menu] = []
        self._build_menus()
        self._build_toolbar().grid(row=0, sticky="ew", padx=self.px(12), pady=(self.px(8), 0))
        self.banner = ttk.Label(self.root, style="Banner.TLabel", wraplength=self.px(900))
        self.banner.bind("<Button-1>", lambda event: self.message(""))
        middle = ttk.Frame(self.root)
        middle.grid(row=2, sticky="nsew", padx=self.px(12), pady=self.px(8))
        self.build(middle)
        self._build_status().grid(row=3, sticky="ew", padx=self.px(12), pady=(0, self.px(8)))
        self._apply_theme()
        for action in self.every_action:
            for key in action.keys:
                self.root.bind(f"<{key}>", lambda event, action=action: self._key(event, action))
                if action.in_text:  # Tk has other uses for some
                    self.root.unbind_class("Text", f"<{key}>")
        self.root.protocol("WM_DELETE_WINDOW", self.close)
        width, height = (min(self.px(side), space - self.px(60)) for side, space in
                         zip(self.size, (self.root.winfo_screenwidth(), self.root.winfo_screenheight())))
        self.root.geometry(f"{width}x{height}")
        self.root.minsize(self.px(640), self.px(420))
        self.takes_drops = self._take_drops()
        self.root.update_idletasks()
        self.pad.focus_set()

    def px(self, number: float) -> int:
        """Pixels of this display, of so many at 96 dpi."""
        return round(number * self.scale)

    def make_pad(self, parent) -> Pad:
        """The drawing pad, in a frame of one pixel."""
        frame = tk.Frame(parent, borderwidth=self.px(1))
        self.pad_frame = frame
        self.pad = Pad(frame, THEMES[self.theme_name].pad, self.scale, self._changed, self._pen, self.tapped)
        self.pad.pack(fill="both", expand=True)
        self.hint = self.pad.create_text(0, 0, state="hidden")
        self.pad.bind("<Configure>", lambda event: self._place_hint(), add=True)
        return self.pad

    def pad_and_text(self, frame: ttk.Frame, lines: int) -> ttk.Frame:
        """The pad, below it a field for so many lines of text, self.field; returns a frame beside that, for buttons."""
        frame.columnconfigure(0, weight=1)
        frame.rowconfigure(0, weight=1)
        self.make_pad(frame)
        self.pad_frame.grid(row=0, column=0, columnspan=2, sticky="nsew")
        self.field = TextField(self, frame, lines)
        self.field.grid(row=1, column=0, sticky="nsew", pady=(self.px(8), 0))
        side = ttk.Frame(frame)
        side.grid(row=1, column=1, sticky="n", padx=(self.px(12), 0), pady=(self.px(8), 0))
        return side

    def copy_button(self, parent) -> ttk.Button:
        """A button that copies the text."""
        action = next(action for action in self.every_action if action.label == "Copy text")
        button = self._button(parent, action, "Copy", "TButton")
        tooltip(self, button, f"Copy the text  ({key_name(action.keys[0])})")
        return button

    def _common_actions(self) -> list[Action]:
        control = CONTROL
        return [
            Action("File", "Open…", (f"{control}-o",), self.open, "open", True),
            Action("File", "Paste picture", (f"{control}-v",), self.paste),
            Action("File", "Save…", (f"{control}-s",), self.save, "save", True),
            Action("File", "Close", (f"{control}-q", f"{control}-w"), self.close, "", True),
            Action("Edit", "Undo", (f"{control}-z",), self.undo, "undo"),
            Action("Edit", "Redo", (f"{control}-Shift-Z", f"{control}-y"), self.redo, "redo"),
            Action("Edit", "Clear", ("Delete",), self.clear, "clear"),
            Action("Edit", "Copy text", (f"{control}-c",), self.copy, "copy"),
            Action("Pen", "Pen", ("p",), lambda: self.choose("pen"), "pen"),
            Action("Pen", "Eraser", ("e",), lambda: self.choose("eraser"), "eraser"),
            Action("Pen", "Thinner", ("bracketleft",), lambda: self.set_pen(self.pen.get() - 1)),
            Action("Pen", "Thicker", ("bracketright",), lambda: self.set_pen(self.pen.get() + 1)),
            Action("View", "Light or dark", (f"{control}-t",), self.switch_theme, "theme", True),
            Action("View", "Larger text", (f"{control}-plus", f"{control}-equal"),
                   lambda: self.set_text_size(self.text_size + 10), "", True),
            Action("View", "Smaller text", (f"{control}-minus",), lambda: self.set_text_size(self.text_size - 10), "",
                   True),
            Action("View", "Usual text", (f"{control}-0",), lambda: self.set_text_size(100), "", True),
            Action("Help", "Shortcuts", ("F1",), self.help, "help", True),
            Action("", "Choose the network", (f"{control}-m",), self.post_models, "", True),
            Action("", "Close a message, leave a stroke", ("Escape",), self.escape, "", True),
        ]

    def _build_menus(self) -> None:
        bar = tk.Menu(self.root, tearoff=False)
        self.root.configure(menu=bar)
        self.menus = [bar]
        for name in ("File", "Edit", "Pen", "View", "Read", "Network", "Help"):
            menu = self._menu(bar, name, self._fill_models if name == "Network" else None)
            for action in self.every_action:
                if action.menu == name:
                    menu.add_command(label=action.label, accelerator=key_name(action.keys[0]), command=action.do)

    def _menu(self, bar: tk.Menu, name: str, fill=None) -> tk.Menu:
        menu = tk.Menu(bar, tearoff=False)
        menu.configure(postcommand=lambda: fill(menu) if fill else None)
        bar.add_cascade(label=name, menu=menu, underline=0)
        self.menus.append(menu)
        return menu

    def _build_toolbar(self) -> ttk.Frame:
        bar = ttk.Frame(self.root)
        self.tool, self.pen = tk.StringVar(value="pen"), tk.IntVar(value=5)
        by_name = {action.label: action for action in self.every_action}
        for name in ("Pen", "Eraser"):
            button = ttk.Radiobutton(bar, text=name, variable=self.tool, value=name.lower(), style="Tool.Toolbutton",
                                     image=self.icons[name.lower()], compound="left", command=by_name[name].do)
            self._add(button, by_name[name])
        slider = ttk.Scale(bar, from_=PEN_WIDTHS[0], to=PEN_WIDTHS[1], variable=self.pen, length=self.px(96),
                           command=lambda value: self.set_pen(float(value)))
        slider.pack(side="left", padx=(self.px(8), 0))
        tooltip(self, slider, "Width of the pen  ([ and ])")
        self.dot = tk.Canvas(bar, width=self.px(28), height=self.px(28), highlightthickness=0)
        self.dot.pack(side="left", padx=(self.px(4), self.px(8)))
        for name in ("Undo", "Redo", "Clear", "Open…", "Save…"):
            self._add(self._button(bar, by_name[name], name.rstrip("…")), by_name[name])
        for name in ("Light or dark", "Shortcuts"):
            self._add(self._button(bar, by_name[name], ""), by_name[name], "right")
        return bar

    def _button(self, parent, action: Action, text: str, style: str = "Tool.TButton") -> ttk.Button:
        return ttk.Button(parent, text=text, style=style, image=self.icons[action.icon] if action.icon else "",
                          compound="left" if text else "image", command=action.do)

    def _add(self, button, action: Action, side: str = "left") -> None:
        button.pack(side=side, padx=self.px(1))
        tooltip(self, button, f"{action.label.rstrip('…')}  ({key_name(action.keys[0])})")

    def _build_status(self) -> ttk.Frame:
        bar = ttk.Frame(self.root)
        self.model_button = ttk.Menubutton(bar, text="no network", style="Status.TMenubutton", direction="above",
                                           menu=self._status_menu())
        self.model_button.pack(side="left")
        tooltip(self, self.model_button, f"Network that reads  ({key_name(f'{CONTROL}-m')})")
        self.loading = ttk.Progressbar(bar, mode="indeterminate", length=self.px(90))
        self.status = ttk.Label(bar, style="Status.TLabel")
        self.status.pack(side="right")
        return bar

    def _status_menu(self) -> tk.Menu:
        self.models_popup = tk.Menu(self.root, tearoff=False, postcommand=lambda: self._fill_models(self.models_popup))
        self.menus.append(self.models_popup)
        return self.models_popup

    def _fill_models(self, menu: tk.Menu) -> None:
        menu.delete(0, "end")
        for name in runs.list_runs(self.models_path) or [""]:
            if not name:
                menu.add_command(label=f"none in {self.models_path}", state="disabled")
                continue
            mark = "●" if name == self.model else "   "
            menu.add_command(label=f"{mark} {runs.describe(self.models_path, name)}",
                             command=lambda name=name: self._load(name))

    # ---- looks

    def _apply_theme(self) -> None:
        theme = THEMES[self.theme_name]
        for name, size in self.fonts.items():
            font.nametofont(name).configure(size=round(size * self.text_size / 100))
        self.icons.paint(theme.text, theme.accent, theme.line)
        style(self.root, theme, self.px, self.icons)
        self.root.configure(background=theme.window)
        for menu in self.menus:
            menu.configure(background=theme.window, foreground=theme.text, activebackground=theme.accent,
                           activeforeground=theme.on_accent, disabledforeground=theme.muted, relief="flat",
                           borderwidth=0, activeborderwidth=self.px(3))
        self.pad_frame.configure(background=theme.line)
        self.pad.recolour(theme.pad)
        self.dot.configure(background=theme.window)
        self.set_pen(self.pen.get())
        self._place_hint()
        self.restyle()

    @property
    def theme(self) -> Theme:
        return THEMES[self.theme_name]

    def font_size(self, points: float) -> int:
        """A font's size in points, of one at the usual text size."""
        return round(points * self.text_size / 100)

    def _place_hint(self) -> None:
        """Say on an empty pad what can be done with it."""
        hidden = self.pad.drawing or self.pad.pen_down or self.pad.find_withtag("drop")
        self.pad.itemconfigure(self.hint, text=self.hint_text(), fill=self.theme.muted, justify="center",
                               state="hidden" if hidden else "normal",
                               font=("TkDefaultFont", self.font_size(14)))
        self.pad.coords(self.hint, self.pad.winfo_width() / 2, self.pad.winfo_height() / 2)

    def hint_text(self) -> str:
        return "Write here"

    def message(self, text: str) -> None:
        """Show a sentence above the pad until the next one, or a click on it; "" takes it away."""
        self.banner.configure(text=text)
        if text:
            self.banner.grid(row=1, sticky="ew", padx=self.px(12), pady=(self.px(8), 0))
        else:
            self.banner.grid_remove()

    def _failed(self, kind, error, trace) -> None:
        """An event was handled with an error: who started this without a terminal sees it too."""
        traceback.print_exception(kind, error, trace)
        self.message(f"This did not work ({kind.__name__}: {error}); save the drawing, and go on")

    def set_status(self, text: str) -> None:
        """Show words at the right of the status line."""
        self.status.configure(text=text)

    # ---- actions

    def _key(self, event, action: Action):
        focus = self.root.focus_get()
        typing = focus is not None and focus.winfo_class() in ("Entry", "TEntry", "Text")
        if focus is not None and focus.winfo_toplevel() is not self.root or typing and not action.in_text:
            return None
        action.do()
        return "break"

    def undo(self) -> None:
        self.pad.cancel()
        self.pad.drawing.undo()

    def redo(self) -> None:
        self.pad.drawing.redo()

    def clear(self) -> None:
        self.pad.cancel()
        self.pad.drawing.replace()

    def escape(self) -> None:
        self.message("")
        self.pad.cancel()

    def choose(self, tool: str) -> None:
        """Take "pen" or "eraser"."""
        self.tool.set(tool)
        self.pad.choose(tool)

    def set_pen(self, width: float) -> None:
        """Take a pen of so many px at 96 dpi."""
        width = round(min(max(width, PEN_WIDTHS[0]), PEN_WIDTHS[1]))
        self.pen.set(width)
        self.pad.pen_width = width * self.scale
        self.dot.delete("all")
        middle, reach = self.px(14), width * self.scale / 2
        self.dot.create_oval(middle - reach, middle - reach, middle + reach, middle + reach, outline="",
                             fill=self.theme.text)

    def switch_theme(self) -> None:
        """Light becomes dark, dark light."""
        self.theme_name = "light" if self.theme_name == "dark" else "dark"
        self._apply_theme()

    def set_text_size(self, percent: int) -> None:
        """Make all text larger or smaller."""
        self.text_size = min(max(percent, TEXT_SIZES[0]), TEXT_SIZES[1])
        self._apply_theme()

    def copy(self) -> None:
        """Put the text that was read on the clipboard."""
        self.root.clipboard_clear()
        self.root.clipboard_append(self.text())
        self.set_status("copied" if self.text() else "there is no text to copy yet")

    def post_models(self) -> None:
        """Open the list of networks."""
        self._fill_models(self.models_popup)
        self.models_popup.update_idletasks()
        self.models_popup.tk_popup(self.model_button.winfo_rootx(),
                                   self.model_button.winfo_rooty() - self.models_popup.winfo_reqheight())

    def help(self) -> None:
        """Show all shortcuts."""
        window = tk.Toplevel(self.root, background=self.theme.window, padx=self.px(24), pady=self.px(16))
        window.title("Shortcuts")
        window.transient(self.root)
        for row, action in enumerate(self.every_action):
            ttk.Label(window, text=action.label.rstrip("…")).grid(row=row, column=0, sticky="w", pady=self.px(1))
            ttk.Label(window, text=" or ".join(map(key_name, action.keys)), style="Key.TLabel").grid(
                row=row, column=1, sticky="e", padx=(self.px(40), 0))
        notes = ["The right mouse button rubs out at any time."]
        if self.takes_drops:
            notes.append("A picture that is dropped on the window is opened.")
        ttk.Label(window, text="\n".join(notes), style="Status.TLabel").grid(
            row=len(self.every_action), columnspan=2, sticky="w", pady=(self.px(10), 0))
        for key in ("Escape", "F1", "Return"):
            window.bind(f"<{key}>", lambda event: window.destroy())
        window.geometry(f"+{self.root.winfo_rootx() + self.px(80)}+{self.root.winfo_rooty() + self.px(20)}")
        window.focus_set()

    def close(self, status: int = 0) -> None:
        """End at once, whatever the worker does; status: with which the program ends."""
        self.status_at_end = status
        self.worker.close()
        for timer in self.root.tk.splitlist(self.root.tk.call("after", "info")):
            self.root.tk.call("after", "cancel", timer)
        self.root.destroy()

    # ---- files

    def open(self) -> None:
        """Ask for a picture or saved strokes, and show them."""
        name = filedialog.askopenfilename(parent=self.root, title="Open", filetypes=[
            ("Pictures and strokes", f"{PICTURES} *.json"), ("All files", "*")])
        if name:
            self.open_files([name])

    def open_files(self, names: Sequence[str]) -> None:
        """Open the first of some files; the drawing before comes back with Undo."""
        self.message(f"Only {names[0]} was opened, the first of {len(names)} files: open the others one at a time"
                     if len(names) > 1 else "")
        self.open_file(names[0])

    def open_file(self, name: str) -> None:
        """Show a picture under the ink, or strokes that were saved."""
        try:
            if name.lower().endswith(".json"):
                strokes, image = drawing.load(name)
                self.pad.drawing.replace(strokes, image)
            else:
                self.open_picture(Path(name).read_bytes())
        except OSError as error:
            self.message(f"{name} cannot be read ({error.strerror}): check the name")
        except drawing.DrawingError as error:
            self.message(str(error))

    def open_picture(self, data: bytes) -> None:
        """Show a picture, as the bytes of its file, under the ink once the worker has decoded it."""
        self.root.update_idletasks()
        size = self.pad.winfo_width() - self.px(16), self.pad.winfo_height() - self.px(16)
        self.worker.ask(worker.Request("picture", data=data, size=size))
        self.set_status("opening the picture…")

    def paste(self) -> None:
        """Take a picture from the clipboard."""
        import io

        from PIL import Image, ImageGrab
        try:
            found = None if self._clipboard_is_tks() else ImageGrab.grabclipboard()
        except (NotImplementedError, OSError) as error:
            self.message(f"The clipboard cannot be read ({error}): on Linux install xclip or wl-clipboard")
            return
        if isinstance(found, list) and found:  # names of files
            self.open_files(found)
        elif isinstance(found, Image.Image):
            file = io.BytesIO()
            found.save(file, "PNG")
            self.open_picture(file.getvalue())
        else:
            self.message("There is no picture on the clipboard: copy one first")

    def _clipboard_is_tks(self) -> bool:
        """Whether a program with Tk holds the clipboard, which then is text.

        It may be this one: xclip would wait for its answer, while this program waits for xclip.
        """
        try:
            return self.root.tk.call("tk", "windowingsystem") == "x11" and "TK_WINDOW" in self.root.tk.splitlist(
                self.root.clipboard_get(type="TARGETS"))
        except tk.TclError:  # it is empty, or its holder does not tell
            return False

    # ---- files dropped on the window

    def _take_drops(self) -> bool:
        """Open files that are dropped on the window; False where there is no tkinterdnd2, or none for this system."""
        try:
            from tkinterdnd2 import TkinterDnD  # here: the window works without it
            TkinterDnD.require(self.root)
            self.root.tk.call("tkdnd::drop_target", "register", self.root, ("DND_Files", "DND_Text"))
        except (ImportError, RuntimeError, tk.TclError):
            return False
        for event, do, value in (("<<DropEnter>>", self._dragged_in, ""), ("<<DropLeave>>", self._dragged_out, ""),
                                 ("<<Drop:DND_Files>>", self._dropped_files, "%D"),
                                 ("<<Drop:DND_Text>>", self._dropped_text, "%D")):
            self.root.tk.call("bind", self.root, event, f"{self.root.register(do)} {value}")
        return True

    def _dragged_in(self) -> str:
        self.pad.show_drop("Drop to open", ("TkDefaultFont", self.font_size(14)))
        self._place_hint()
        return "copy"  # what the other program is to do: by no means move its file

    def _dragged_out(self) -> None:
        self.pad.hide_drop()
        self._place_hint()
        self.pad.focus_set()  # tkdnd has given it to the window

    def _dropped_files(self, names: str) -> str:
        """names: a list of Tcl's."""
        return self._dropped(self.root.tk.splitlist(names))

    def _dropped_text(self, text: str) -> str:
        """Some programs give the addresses of files as text."""
        return self._dropped(text.splitlines())

    def _dropped(self, items: Sequence[str]) -> str:
        names = [name for name in map(local_file, items) if name]
        self._dragged_out()
        if names:
            self.open_files(names)
        else:
            text = " ".join(items)
            self.message(f"{text if len(text) <= SHOWN else text[:SHOWN] + '…'} is no file: drop a picture, or strokes "
                         "that were saved")
        return "copy"

    def save(self) -> None:
        """Ask for a name, and save the drawing."""
        name = filedialog.asksaveasfilename(parent=self.root, title="Save", defaultextension=".png", filetypes=[
            ("PNG picture", "*.png"), ("Strokes, to be opened again", "*.json")])
        if name:
            self.save_file(name)

    def save_file(self, name: str) -> None:
        """Save strokes if the name ends with .json, else a PNG picture."""
        if not self.pad.drawing:
            self.message("There is nothing to save yet: draw something first")
            return
        try:
            if name.lower().endswith(".json"):
                drawing.save(self.pad.drawing, name)
            else:
                drawing.save_png(self.pad.drawing, name, self.kind == "character")
            self.set_status(f"saved {Path(name).name}")
        except OSError as error:
            self.message(f"{name} cannot be written ({error.strerror}): choose another folder")

    # ---- reading

    def _default_model(self) -> str:
        there = runs.list_runs(self.models_path)
        shipped = runs.DEFAULT_CHARACTERS if self.kind == "character" else runs.DEFAULT
        return shipped if shipped in there or not there else there[-1]

    def _load(self, name: str) -> None:
        """Read with another network; drawing goes on meanwhile."""
        self.wanted = name
        self.message("")
        self.worker.ask(worker.Request("load", name, models_path=self.models_path))
        self.model_button.configure(text=f"loading {name}")
        self.loading.pack(side="left", padx=self.px(8))
        self.loading.start(20)
        self.set_status("the network is being loaded; you can draw already")

    def _pen(self, down: bool) -> None:
        if down:
            self.pad.hide_drop()  # it is there still if the program that dragged something has died
            self.pad.itemconfigure(self.hint, state="hidden")
        else:
            self.lifted = time.perf_counter()
            self._place_hint()

    def _changed(self) -> None:
        self.version += 1
        self._place_hint()
        self.drawing_changed()

    def read(self) -> None:
        """Have the drawing read, if a network is ready; an older reading that waits is dropped."""
        page = self.pad.drawing
        if not page:
            self.worker.forget(self.kind)
            self._show(None)
        elif self.model:
            self.worker.ask(worker.Request(self.kind, self.model, tuple(page.strokes), page.image,
                                           models_path=self.models_path, token=self.version))

    def _show(self, answer: worker.Answer | None) -> None:
        self.answer = answer
        self.show(answer)

    def _poll(self) -> None:
        for answer in self.worker.answers():
            self._take(answer)
        self._next_poll = self.root.after(POLL_BUSY if self.worker.busy else POLL_IDLE, self._poll)

    def _take(self, answer: worker.Answer) -> None:
        request = answer.request
        if request.kind == "load":
            self._loaded(answer)
        elif answer.error:
            if request.kind == "picture" or request.token == self.version:
                self.message(answer.error)
        elif request.kind == "picture":
            self.pad.drawing.replace((), answer.image)
        elif self.pad.drawing and request.model == self.model and request.token == self.version:
            self.set_status(f"{answer.seconds * 1000:.0f} ms   ·   {100 * answer.confidence:.0f} % sure")
            self._show(answer)

    def _loaded(self, answer: worker.Answer) -> None:
        name = answer.request.model
        if name != self.wanted:
            return  # another was chosen meanwhile
        self.loading.stop()
        self.loading.pack_forget()
        if answer.error:
            self.message(f"{answer.error}. Choose another in the menu Network." if not self.model else answer.error)
            print(f"{Path(sys.argv[0]).name}: {answer.error}", file=sys.stderr)
            self.set_status("")
        else:
            self.model = name
            self.set_status("ready")
        self.model_button.configure(text=runs.describe(self.models_path, self.model) if self.model else "no network")
        self.network_ready()


class TextField(tk.Frame):
    """Text that can be selected and copied, but not changed."""

    def __init__(self, app: App, parent, lines: int):
        super().__init__(parent, borderwidth=app.px(1))
        self.app = app
        self._text = tk.Text(self, height=lines, width=20, wrap="word", relief="flat", borderwidth=0,
                             highlightthickness=0, padx=app.px(10), pady=app.px(6))
        self._text.pack(fill="both", expand=True)
        self._text.bind("<Key>", self._key)
        for event in ("<<Paste>>", "<<Cut>>", "<<PasteSelection>>"):
            self._text.bind(event, lambda event: "break")

    def _key(self, event):
        copies = event.state & 0x4 or event.state & 0x8 and MAC
        return None if copies or event.keysym in ("Left", "Right", "Up", "Down", "Home", "End", "Tab") else "break"

    def show(self, text: str) -> None:
        """Show a text, unless it is there already, so that a selection stays."""
        if text != self.text:
            self._text.delete("1.0", "end")
            self._text.insert("1.0", text)
            self._text.see("end")

    @property
    def text(self) -> str:
        return self._text.get("1.0", "end-1c")

    def restyle(self) -> None:
        """Take the theme's colours and the text size."""
        theme = self.app.theme
        self.configure(background=theme.line)
        self._text.configure(background=theme.raised, foreground=theme.text, selectbackground=theme.accent,
                             selectforeground=theme.on_accent, insertbackground=theme.raised,
                             font=("TkDefaultFont", self.app.font_size(15)))


# ---- window, theme, small things

def open_window(title: str) -> tk.Tk:
    """The main window, not yet filled."""
    if sys.platform == "win32":  # without this, Windows enlarges the window's picture on displays of high resolution
        import ctypes
        ctypes.windll.shcore.SetProcessDpiAwareness(1)
    try:
        root = tk.Tk(className=title)
    except tk.TclError as error:
        settings.fail(f"no window can be opened ({error}): run it on a desktop, or set DISPLAY")
    root.title(title)
    return root


def run(app: type[App], script: str, space: dict) -> None:
    """The command line of an app: its settings and, if named, a picture or strokes to open."""
    try:
        given, names = settings.read(script, space, sys.argv[1:], positional="FILE")
        config = {name: space[name] for name in settings.meanings(script)} | given
        window = app(config)
    except settings.SettingsError as error:
        settings.fail(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    signal.signal(signal.SIGINT, lambda *_: window.close(130))  # Tk would report a KeyboardInterrupt, and go on
    if names:
        window.root.after(50, window.open_files, names)
    window.root.mainloop()
    raise SystemExit(window.status_at_end)


def local_file(address: str) -> str:
    """The path of a file from its path or its URI, "" if it is neither."""
    if uri := re.fullmatch("file:(?://[^/]*)?(/.*)", address):
        from urllib.request import url2pathname  # late: an import that takes long
        return url2pathname(uri[1])
    return address if Path(address).is_absolute() else ""


def key_name(key: str) -> str:
    """A key as people call it."""
    names = {"bracketleft": "[", "bracketright": "]", "plus": "+", "minus": "−", "equal": "=", "Control": "Ctrl",
             "Return": "Enter", "Command": "⌘"}
    return "+".join(names.get(part, part.upper() if len(part) == 1 else part) for part in key.split("-"))


def tooltip(app: App, widget, text: str) -> None:
    """Show a hint while the pointer rests on a widget."""
    state = {}

    def show() -> None:
        tip = state["tip"] = tk.Toplevel(app.root, background=app.theme.text)
        tip.overrideredirect(True)
        tk.Label(tip, text=text, background=app.theme.text, foreground=app.theme.window, padx=app.px(6),
                 pady=app.px(3)).pack()
        tip.geometry(f"+{widget.winfo_rootx()}+{widget.winfo_rooty() + widget.winfo_height() + app.px(6)}")

    def hide(event=None) -> None:
        if "timer" in state:
            app.root.after_cancel(state.pop("timer"))
        if "tip" in state:
            state.pop("tip").destroy()

    def wait(event) -> None:
        hide()
        state["timer"] = app.root.after(600, show)

    widget.bind("<Enter>", wait, add=True)
    for event in ("<Leave>", "<Button-1>", "<Destroy>"):
        widget.bind(event, hide, add=True)


def style(root: tk.Tk, theme: Theme, px: Callable[[float], int], pictures) -> None:
    """Dress ttk's widgets in a theme: flat, with room to breathe, the same look on every system."""
    ttk_style = ttk.Style(root)
    ttk_style.theme_use("clam")
    flat = dict(background=theme.window, foreground=theme.text, bordercolor=theme.line, lightcolor=theme.window,
                darkcolor=theme.window, troughcolor=theme.line, focuscolor=theme.accent, relief="flat")
    ttk_style.configure(".", **flat)
    ttk_style.configure("Status.TLabel", foreground=theme.muted)
    ttk_style.configure("Key.TLabel", foreground=theme.accent)
    ttk_style.configure("Banner.TLabel", background=theme.warning, padding=px(8))
    button = dict(padding=(px(8), px(6)), borderwidth=1, width=0)
    states = dict(background=[("pressed", theme.line), ("active", theme.raised), ("selected", theme.raised)],
                  bordercolor=[("selected", theme.accent), ("focus", theme.accent), ("active", theme.line)],
                  lightcolor=[("pressed", theme.line), ("active", theme.raised), ("selected", theme.raised)],
                  darkcolor=[("pressed", theme.line), ("active", theme.raised), ("selected", theme.raised)],
                  foreground=[("disabled", theme.muted)])
    for name in ("Tool.TButton", "Tool.Toolbutton", "Status.TMenubutton"):
        ttk_style.configure(name, **button, bordercolor=theme.window, background=theme.window, lightcolor=theme.window,
                            darkcolor=theme.window)
        ttk_style.map(name, **states)
    ttk_style.configure("Status.TMenubutton", padding=(px(6), px(3)), arrowcolor=theme.muted, arrowsize=px(4))
    ttk_style.configure("TButton", **button, background=theme.raised, lightcolor=theme.raised, darkcolor=theme.raised)
    ttk_style.map("TButton", **states)
    ttk_style.configure("Alternative.TButton", justify="center", anchor="center", padding=(px(6), px(4)))
    ttk_style.configure("Accent.TButton", **button, background=theme.accent, foreground=theme.on_accent,
                        bordercolor=theme.accent, lightcolor=theme.accent, darkcolor=theme.accent)
    ttk_style.map("Accent.TButton", background=[("active", theme.pad.box)], foreground=[], bordercolor=[],
                  lightcolor=[("active", theme.pad.box)], darkcolor=[("active", theme.pad.box)])
    ttk_style.configure("TCheckbutton", indicatorbackground=theme.raised, indicatorforeground=theme.on_accent,
                        upperbordercolor=theme.muted, lowerbordercolor=theme.muted, indicatorsize=px(12),
                        padding=(px(6), px(4)))
    ttk_style.map("TCheckbutton", background=[("active", theme.window)], indicatorbackground=[
        ("selected", theme.accent)], foreground=[("focus", theme.accent)])
    ttk_style.configure("TEntry", fieldbackground=theme.raised, insertcolor=theme.text, padding=px(6))
    ttk_style.map("TEntry", bordercolor=[("focus", theme.accent)], lightcolor=[("focus", theme.accent)])
    ttk_style.configure("Card.TFrame", background=theme.raised, bordercolor=theme.line, borderwidth=1, relief="solid")
    ttk_style.configure("Card.TLabel", background=theme.raised)
    ttk_style.configure("Muted.Card.TLabel", foreground=theme.muted)
    ttk_style.configure("TProgressbar", background=theme.accent, thickness=px(4), borderwidth=0)
    ttk_style.layout("TProgressbar", [("Horizontal.Progressbar.trough", {"sticky": "ew", "children": [
        ("Horizontal.Progressbar.pbar", {"side": "left", "sticky": "ns"})]})])
    if "Round.slider" not in ttk_style.element_names():  # clam's own slider is a bevelled box
        ttk_style.element_create("Round.slider", "image", pictures["knob"])
        ttk_style.element_create("Round.trough", "image", pictures["groove"], border=(px(6), 0), sticky="ew")
    ttk_style.layout("Horizontal.TScale", [("Round.trough", {"sticky": "ew", "children": [
        ("Round.slider", {"side": "left", "sticky": ""})]})])
