"""The window that all drawing apps share, with a pad, a toolbar, menus and a status line.

An app is a subclass of App that lays out its pad and says what to do with a reading; tkRecogIndv.py is the smallest.
"""
import signal
import sys
import traceback
from types import SimpleNamespace

from apps.canvas import Pad
from apps.commands import Action, Commands
from apps.files import Files
from apps.session import Session
from apps.theme import Looks
from apps.toolkit import tk, ttk
from apps.widgets import Status, TextField, Toolbar
from apps.worker import Answer
from common import runs, settings

POLL_BUSY, POLL_IDLE = 4, 40     # ms between two looks for answers


class App:
    """A window with a drawing pad, put together from commands, files, looks, a session, a toolbar and a status line."""
    title = "Draw"
    kind = "text"                    # what is read: text or character
    hint = "Write here"              # what an empty pad says
    size = (1080, 680)               # px at 96 dpi
    interrupted = False              # by Ctrl-C in the terminal

    def __init__(self, config: SimpleNamespace):
        """config: the script's settings: unixTime, models_path, theme, text_size; may raise settings.SettingsError."""
        self.config = config
        self.session = Session(self, self.kind, runs.models_folder(config.models_path))
        try:
            self.root = open_window(self.title)
            self.root.report_callback_exception = self._failed
            self.looks = Looks(self.root, config.theme, config.text_size)
            self.px = self.looks.px
            self._build()
        except BaseException:
            self.session.worker.close()
            raise
        self.session.load(config.unixTime or self.session.default_network())
        self.root.after_idle(self._poll)

    @classmethod
    def main(cls, arguments: list[str]) -> int:
        """Open the window of a script, with the picture or strokes that are named; returns the exit status."""
        script = vars(sys.modules[cls.__module__])
        config, names = settings.configure(script, arguments, positional="FILE")
        signal.signal(signal.SIGINT, lambda *_: setattr(cls, "interrupted", True))  # Tk would go on after an exception
        app = cls(config)
        if names:
            app.root.after(50, app.files.open_files, names)
        app.root.mainloop()
        return 130 if app.interrupted else 0

    # ---- for subclasses

    def build(self, frame: ttk.Frame) -> None:
        """Lay out the middle of the window; self.make_pad(frame) makes the pad."""
        raise NotImplementedError

    def show(self, answer: Answer | None) -> None:
        """Show what was read; None: nothing is there to read."""
        raise NotImplementedError

    def actions(self) -> list[Action]:
        """More actions than all apps have."""
        return []

    def text(self) -> str:
        """What Copy copies."""
        return self.session.answer.reading.text if self.session.answer else ""

    def drawing_changed(self) -> None:
        """Called after each change of the drawing."""
        self.read()

    def network_ready(self) -> None:
        """Called when another network reads, or could not be loaded."""
        self.read()

    def restyle(self) -> None:
        """Called after a change of theme or text size."""

    def tapped(self, x: float, y: float) -> bool:
        """Whether a tap of the pen meant something else than a dot."""
        return False

    # ---- for the session

    def message(self, text: str) -> None:
        """Show a sentence above the pad until the next one, or a click on it; "" takes it away."""
        self.banner.configure(text=text)
        if text:
            self.banner.grid(row=1, sticky="ew", padx=self.px(12), pady=(self.px(8), 0))
        else:
            self.banner.grid_remove()

    def set_status(self, text: str) -> None:
        """Show words at the right of the status line."""
        self.status.text.configure(text=text)

    def network_changed(self) -> None:
        """Show which network reads, or is being loaded."""
        self.status.show_network()
        if not self.session.loading:
            self.network_ready()

    # ---- layout

    def _build(self) -> None:
        root, px = self.root, self.px
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
        self.status.grid(row=3, sticky="ew", padx=px(12), pady=(0, px(8)))
        self.build(middle)
        self.looks.parts = [self.commands, self.toolbar, self.pad, self]
        self.looks.apply()
        root.protocol("WM_DELETE_WINDOW", self.close)
        width, height = (min(px(side), space - px(60)) for side, space in
                         zip(self.size, (root.winfo_screenwidth(), root.winfo_screenheight())))
        root.geometry(f"{width}x{height}")
        root.minsize(px(640), px(420))
        root.update_idletasks()
        self.pad.focus_set()

    def make_pad(self, parent: ttk.Frame) -> Pad:
        """The drawing pad, self.pad."""
        self.pad = Pad(parent, self.looks, self.hint, self._changed, self.tapped)
        return self.pad

    def pad_and_text(self, frame: ttk.Frame, lines: int) -> ttk.Frame:
        """The pad, below it a field for so many lines of text, self.field; returns a frame beside that, for buttons."""
        gap = self.px(8)
        frame.columnconfigure(0, weight=1)
        frame.rowconfigure(0, weight=1)
        self.make_pad(frame).grid(row=0, column=0, columnspan=2, sticky="nsew")
        self.field = TextField(self, frame, lines)
        self.field.grid(row=1, column=0, sticky="nsew", pady=(gap, 0))
        side = ttk.Frame(frame)
        side.grid(row=1, column=1, sticky="n", padx=(self.px(12), 0), pady=(gap, 0))
        return side

    # ---- actions

    def read(self) -> None:
        """Have the drawing read."""
        self.session.read(self.pad.drawing)

    def copy(self) -> None:
        """Put the text that was read on the clipboard."""
        self.root.clipboard_clear()
        self.root.clipboard_append(self.text())
        self.set_status("copied" if self.text() else "there is no text to copy yet")

    def escape(self) -> None:
        """Close a message, leave a stroke."""
        self.message("")
        self.pad.cancel()

    def close(self) -> None:
        """End at once, whatever the worker does."""
        self.session.worker.close()
        for timer in self.root.tk.splitlist(self.root.tk.call("after", "info")):
            self.root.tk.call("after", "cancel", timer)
        self.root.destroy()

    # ---- events

    def _changed(self) -> None:
        self.session.version += 1
        self.drawing_changed()

    def _poll(self) -> None:
        if self.interrupted:
            return self.close()
        self.session.poll()
        self.root.after(POLL_BUSY if self.session.worker.busy else POLL_IDLE, self._poll)

    def _failed(self, kind, error, trace) -> None:
        """An event was handled with an error: who started this without a terminal sees it too."""
        traceback.print_exception(kind, error, trace)
        self.message(f"This did not work ({kind.__name__}: {error}); save the drawing, and go on")


def open_window(title: str) -> tk.Tk:
    """The main window, not yet filled."""
    if sys.platform == "win32":  # without this, Windows enlarges the window's picture on displays of high resolution
        import ctypes
        ctypes.windll.shcore.SetProcessDpiAwareness(1)
    try:
        root = tk.Tk(className=title)
    except tk.TclError as error:
        raise settings.SettingsError(f"no window opens ({error}): run it on a desktop, or set DISPLAY") from None
    root.title(title)
    return root
