"""The window that all drawing apps share, with a pad, a toolbar, menus and a status line.

An app is a subclass of App that lays out its pad and says what to do with a reading; tkRecogIndv.py is the smallest.
"""
import signal
import sys
import traceback
from collections.abc import Sequence
from types import SimpleNamespace

from apps import corrections, icons, memory, strokes
from apps.canvas import Pad
from apps.commands import Action, Commands
from apps.files import Files
from apps.session import Answer, Session
from apps.theme import Looks
from apps.toolkit import keep_each_motion, tk, ttk
from apps.widgets import Status, Toolbar
from common import errors, runs, settings
from reading import word_lm
from reading.readings import Reading, Word

POLL_BUSY, POLL_IDLE = 1, 40     # ms between two checks for answers
PUT_BY = "The unsaved ink of last time is among the recent files"


class App:
    """A window with a drawing pad, put together from commands, files, looks, a session, a toolbar and a status line."""
    title = "Draw"
    icon = "pen"                     # of apps/icons.json
    kind = "text"                    # what is read: text or character
    hint = "Write here"              # what an empty pad says
    size = (1080, 680)               # px at 96 dpi
    pen_width = 5                    # px at 96 dpi
    interrupted = False              # by Ctrl-C in the terminal
    reading: Reading | None = None   # what is shown, with corrections
    shown: Sequence[corrections.Place] = ()   # its characters
    field: tk.Text | None = None     # with the text, if there is one
    _about = ""                      # what the message is about
    _before = strokes.EMPTY          # the drawing at its last change

    def __init__(self, config: SimpleNamespace):
        """config: the script's settings, from memory.configure; may raise settings.SettingsError."""
        settings.one_of("language", config.language, word_lm.LANGUAGES)
        self.config, self.memory = config, config.memory
        self.saved = strokes.EMPTY    # what the newest saved file holds
        self.session = Session(self, self.kind, runs.models_folder(config.models_path))
        self.root = open_window(self.title)
        self.root.iconphoto(True, icons.app_icon(self.root, self.icon))
        self.root.report_callback_exception = self._failed
        self.looks = Looks(self.root, config.theme, config.text_size)
        self.px = self.looks.px
        self._build()
        self.session.start(config.unixTime, self.memory.kept.get("unixTime", ""), config.language)
        self.root.after_idle(self._poll)
        self.root.after(memory.EVERY, self._keep_all)

    @classmethod
    def main(cls, arguments: list[str]) -> int:
        """Open a script's window with the named pictures or strokes; returns the exit status."""
        script = vars(sys.modules[cls.__module__])
        given, names = settings.read(script, arguments, positional="FILE")
        signal.signal(signal.SIGINT, lambda *_: setattr(cls, "interrupted", True))  # Tk would go on after an exception
        app = cls(memory.configure(script, given))
        app.root.after(50, app.begin, names)
        app.root.mainloop()           # until the window is closed, whoever closes it
        return 130 if app.interrupted else 0

    # ---- for subclasses

    def build(self, frame: ttk.Frame) -> None:
        """Lay out the middle of the window; self.make_pad(frame) makes the pad."""
        raise NotImplementedError

    def show_reading(self) -> None:
        """Show self.reading, which is None when there is nothing to read."""
        raise NotImplementedError

    def actions(self) -> list[Action]:
        """The app's own actions, besides those of all apps."""
        return []

    def ink_changed(self) -> None:
        """Called after each change of the ink, or of the picture under it."""
        self.read()

    def network_ready(self) -> None:
        """Called when another network is ready, or could not be loaded."""
        self.read()

    def restyle(self) -> None:
        """Called after a change of theme or text size."""

    def tapped(self, x: float, y: float) -> bool:
        """Whether a tap of the pen meant something other than a dot."""
        return False

    # ---- for the session

    def show(self, answer: Answer | None) -> None:
        """Show what was read, with corrections; None: there is nothing to read."""
        self.reading = answer and corrections.apply(answer.reading, self.pad.drawing)
        self.shown = corrections.places(self.reading) if answer else []
        self.show_reading()
        self.commands.refresh()

    def message(self, text: str, about: str = "") -> None:
        """Show a sentence above the pad until the next one, or a click on it.

        "" removes it; with `about`, only a sentence about the same thing.
        """
        if text:
            self.banner.configure(text=text)
            self.banner.grid(row=1, sticky="ew", padx=self.px(12), pady=(self.px(8), 0))
            self._about = about
        elif about in ("", self._about):
            self.banner.configure(text="")
            self.banner.grid_remove()

    def show_other(self, text: str) -> None:
        """Show what another network has read, above the status line; "" shows nothing."""
        self.other.configure(text=text)
        self.other.grid_remove()
        if text:
            self.other.grid(row=3, sticky="w", padx=self.px(18), pady=(0, self.px(8)))

    def set_status(self, text: str) -> None:
        """Show a text at the right of the status line."""
        self.status.text.configure(text=text)

    def network_changed(self) -> None:
        """Show which network reads, or is being loaded."""
        self.status.show_network()
        if not self.session.loading:
            self.network_ready()

    # ---- layout

    def _build(self) -> None:
        root, px = self.root, self.px
        self.remember, self.whole = (tk.BooleanVar(value=on) for on in (self.config.remember, False))
        self.files = Files(self)
        self.commands = Commands(self, self.actions())
        self.toolbar, self.status = Toolbar(self), Status(self)
        self.banner = ttk.Label(root, style="Banner.TLabel", wraplength=px(900))
        self.banner.bind("<Button-1>", lambda event: self.message(""))
        middle = ttk.Frame(root)
        root.columnconfigure(0, weight=1)
        root.rowconfigure(2, weight=1)
        self.toolbar.grid(row=0, sticky="ew", padx=px(12), pady=(px(8), 0))
        middle.grid(row=2, sticky="nsew", padx=px(12), pady=px(8))
        self.other = ttk.Label(root, style="Status.TLabel", wraplength=px(900))
        self.status.grid(row=4, sticky="ew", padx=px(12), pady=(0, px(8)))
        self.build(middle)
        self.toolbar.set_pen(self.memory.kept.get("pen", self.pen_width))
        self.looks.parts = [self.commands, self.toolbar, self.pad, self]
        self.looks.apply()
        root.protocol("WM_DELETE_WINDOW", self.close)
        root.bind("<Destroy>", lambda event: event.widget is root and (self.session.close(), self.memory.close()))
        width, height = (min(px(side), space - px(60)) for side, space in
                         zip(self.size, (root.winfo_screenwidth(), root.winfo_screenheight())))
        root.geometry(self.memory.kept.get("geometry", f"{width}x{height}"))
        root.update_idletasks()
        if root.winfo_width() > root.winfo_screenwidth() or root.winfo_height() > root.winfo_screenheight():
            root.geometry(f"{width}x{height}")   # remembered from a larger display
        if not (0 <= root.winfo_x() < root.winfo_screenwidth() and 0 <= root.winfo_y() < root.winfo_screenheight()):
            root.geometry("+0+0")     # remembered from a display that is no longer there
        self.pad.focus_set()

    def make_pad(self, parent: ttk.Frame) -> ttk.Frame:
        """A frame with the drawing pad, self.pad."""
        frame = ttk.Frame(parent, style="Line.TFrame", padding=self.px(1))
        self.pad = Pad(frame, self.looks, self.hint, self._changed, self.tapped, self.restyle)
        return frame

    # ---- actions

    def read(self) -> None:
        """Have the drawing read."""
        self.session.read(self.pad.drawing)

    def copy(self) -> None:
        """Put the text that was read on the clipboard."""
        if self.field and self.root.focus_get() is self.field and self.field.tag_ranges("sel"):
            return                    # Tk has copied the selection
        self.root.clipboard_clear()
        self.root.clipboard_append(self.reading.text)
        self.set_status("copied")

    def correct(self, words: list[Word], text: str) -> None:
        """Read the ink of adjacent words as `text` from now on; "" means as the network reads it."""
        self.pad.drawing.correct(corrections.retyped(self.pad.drawing, words, text))

    def _keep(self, changed: set[corrections.Correction]) -> None:
        """Keep corrections for training."""
        try:
            kept = corrections.remember(self.config.corrections_path, self.reading, self.pad.drawing, changed)
            self.set_status(f"Remembered: {kept}")
            self.message("", "remember")
        except (OSError, ValueError) as error:
            self.message(f"The correction is shown but not remembered: {errors.reason(error)}", "remember")

    def usual_size(self) -> None:
        """Show the whole page, and text at its usual size."""
        self.pad.fit()
        self.looks.set_text_size(100)

    def escape(self) -> None:
        """Close the message, and cancel the current gesture."""
        self.message("")
        self.pad.cancel()

    def begin(self, names: Sequence[str] = ()) -> None:
        """Open the named files or, without any, bring back unsaved ink."""
        self.message(self.memory.problem, "memory")
        if names:
            self.files.open_files(names)
            if self.memory.put_by_ink():
                self.message(".  ".join(filter(None, (self.banner.cget("text"), PUT_BY))), "put by")
        elif any(ink := self.memory.ink(self.looks.scale)):
            self.pad.drawing.replace(ink)
            self.pad.fit()
            self.message("The unsaved ink of last time is here again: Clear removes it", "restored")

    def keep(self) -> None:
        """Remember settings and unsaved ink."""
        try:
            self.memory.keep({"theme": self.looks.name, "text_size": self.looks.text_size,
                              "unixTime": self.session.chosen, "language": self.session.language,
                              "remember": self.remember.get(), "pen": self.toolbar.pen.get(),
                              "geometry": self.root.geometry()})
            self.memory.keep_ink(self.pad.drawing, self.saved, self.looks.scale)
        except OSError as error:
            self.message(self.memory.why(error), "memory")

    def _keep_all(self) -> None:
        self.keep()
        self.root.after(memory.EVERY, self._keep_all)

    def close(self) -> None:
        """End at once, whatever the reading process is doing."""
        self.keep()
        self.root.report_callback_exception = lambda *_: None   # an open dialog ends with an error
        for timer in self.root.tk.splitlist(self.root.tk.call("after", "info")):
            self.root.tk.call("after", "cancel", timer)
        self.root.destroy()

    # ---- events

    def _changed(self) -> None:
        self.commands.refresh()
        before, self._before = self._before, self.pad.drawing.now
        if before[:2] != self._before[:2]:
            self.session.version += 1
            self.message("", "restored")
            self.ink_changed()
            return
        self.show(self.session.answer)
        if self.remember.get() and self.reading:
            self._keep(set(before.corrections) ^ set(self._before.corrections))

    def _poll(self) -> None:
        if self.interrupted:
            return self.close()
        self.session.poll()
        self.root.after(POLL_BUSY if self.session.worker.busy else POLL_IDLE, self._poll)

    def _failed(self, kind, error, trace) -> None:
        """Report an error in an event handler in the window too, for users without a terminal."""
        traceback.print_exception(kind, error, trace)
        self.message("This did not work; the drawing is as it was.  See the terminal for details.")


def open_window(title: str) -> tk.Tk:
    """The main window, still empty."""
    if sys.platform == "win32":  # otherwise Windows enlarges the window's picture on high-resolution displays
        import ctypes
        ctypes.windll.shcore.SetProcessDpiAwareness(1)
    try:
        root = tk.Tk(className=title)
    except tk.TclError as error:
        raise settings.SettingsError(f"no window opens ({error}): run it on a desktop, or set DISPLAY") from None
    root.title(title)
    keep_each_motion(root)
    return root
