"""A window's actions, by menu, key or button: one table for all of these and for the overview of shortcuts."""
import sys
from collections.abc import Callable
from typing import NamedTuple

from apps import learning
from apps.toolkit import tk, ttk

CONTROL = "Command" if sys.platform == "darwin" else "Control"
MENUS = ("File", "Edit", "Pen", "View", "Read", "Network", "Help")
KEY_NAMES = {"bracketleft": "[", "bracketright": "]", "plus": "+", "minus": "−", "equal": "=", "Control": "Ctrl",
             "Return": "Enter", "Command": "⌘", "Next": "Page Down", "Prior": "Page Up"}
# On layouts without Latin letters or plain digits, a shortcut is the key in its place on a US keyboard.  These are
# X11's key codes, by rows; other systems have other codes.
PLACES = {} if sys.platform in ("win32", "darwin") else {
    first + offset: sign for first, row in ((10, "123456789"), (24, "qwertyuiop"), (38, "asdfghjkl"), (52, "zxcvbnm"))
    for offset, sign in enumerate(row)}
MODIFIERS = CONTROL, *["Alt"] * (sys.platform != "darwin"), "Shift"   # on a Mac, Alt types other letters
STATES = {"Control": 0x4, "Shift": 0x1, "Command": 0x8,                # bits of an event's state
          "Alt": 0x20000 if sys.platform == "win32" else 0x8}
COLUMNS = 3              # of the overview of shortcuts, ...
WIDE = 150               # % of the usual text size: ... one less for text larger than this


class Action(NamedTuple):
    """Something that a menu offers and a key triggers."""
    menu: str                        # "": in none, only by key
    label: str
    keys: tuple[str, ...]            # as Tk names them
    do: Callable[[], object]
    icon: str = ""
    in_text: bool = False            # whether its keys work while text is being typed
    switch: tk.BooleanVar | None = None         # what it turns on and off
    can: Callable[[], object] | None = None     # whether it does anything now

    @property
    def key(self) -> str:
        """Its first key, as shown to people."""
        return "+".join(KEY_NAMES.get(part, part.upper() if len(part) == 1 else part)
                        for part in self.keys[0].split("-")) if self.keys else ""


def pressed(keysym: str, state: int, code: int) -> str:
    """A key as Action.keys names it, whatever Caps Lock and the layout make of its letter."""
    name = keysym.lower() if len(keysym) == 1 else keysym
    if "_" in name and not name.startswith("KP_"):
        name = PLACES.get(code, name)     # Cyrillic_ya, Greek_zeta
    held = [modifier for modifier in MODIFIERS if state & STATES[modifier]]
    if not (len(name) == 1 and name.isalpha()) and "Shift" in held:
        held.remove("Shift")              # it has already chosen the character
    return "-".join([*held, name])


def common(app) -> list[Action]:
    """The actions of all apps; parts that are built after this table are looked up on use."""
    return [
        Action("File", "Open…", (f"{CONTROL}-o",), app.files.open, "open", True),
        Action("File", "Paste picture", (f"{CONTROL}-v",), app.files.paste),
        Action("File", "Save…", (f"{CONTROL}-s",), app.files.save, "save", True,
               can=lambda: app.pad.drawing),
        Action("File", "Export the text…", (f"{CONTROL}-e",), app.files.export, "", True, can=lambda: app.reading),
        Action("File", "Next file", ("Next",), lambda: app.files.turn(1),
               can=lambda: app.files.at + 1 < len(app.files.names)),
        Action("File", "File before", ("Prior",), lambda: app.files.turn(-1), can=lambda: app.files.at),
        Action("File", "Close", (f"{CONTROL}-q", f"{CONTROL}-w"), app.close, "", True),
        Action("Edit", "Undo", (f"{CONTROL}-z",), lambda: app.pad.undo(), "undo",
               can=lambda: app.pad.drawing.before),
        Action("Edit", "Redo", (f"{CONTROL}-Shift-z", f"{CONTROL}-y"), lambda: app.pad.drawing.redo(), "redo",
               can=lambda: app.pad.drawing.undone),
        Action("Edit", "Clear", ("Delete",), lambda: app.pad.clear(), "clear", can=lambda: app.pad.drawing),
        Action("Edit", "Copy text", (f"{CONTROL}-c",), app.copy, "copy", can=lambda: app.reading and app.reading.text),
        Action("Pen", "Pen", ("p",), lambda: app.toolbar.choose("pen"), "pen"),
        Action("Pen", "Eraser", ("e",), lambda: app.toolbar.choose("eraser"), "eraser"),
        Action("Pen", "Select", ("s",), lambda: app.toolbar.choose("select"), "select"),
        Action("Pen", "Erase whole strokes", ("w",), lambda: setattr(app.pad, "whole", app.whole.get()), "", False,
               app.whole),
        Action("Pen", "Thinner", ("bracketleft",), lambda: app.toolbar.set_pen(app.toolbar.pen.get() - 1)),
        Action("Pen", "Thicker", ("bracketright",), lambda: app.toolbar.set_pen(app.toolbar.pen.get() + 1)),
        Action("View", "Light or dark", (f"{CONTROL}-t",), app.looks.switch_theme, "theme", True),
        Action("View", "Larger text", (f"{CONTROL}-plus", f"{CONTROL}-equal"),
               lambda: app.looks.set_text_size(app.looks.text_size + 10), "", True),
        Action("View", "Smaller text", (f"{CONTROL}-minus",),
               lambda: app.looks.set_text_size(app.looks.text_size - 10), "", True),
        Action("View", "All of the page", (f"{CONTROL}-0",), lambda: app.usual_size(), "", True),
        Action("Read", "Remember my writing", (f"{CONTROL}-r",), lambda: None, "", True, app.remember),
        Action("Read", "My writing…", (f"{CONTROL}-l",), lambda: learning.show(app), "", True),
        Action("Help", "Shortcuts", ("F1",), lambda: app.commands.show_keys(), "help", True),
        Action("", "Choose the network", (f"{CONTROL}-m",), lambda: app.status.post_networks(), "", True),
        Action("", "Close a message, leave a stroke", ("Escape",), app.escape, "", True),
    ]


class Commands:
    """The table of an app's actions, with the menus and keys made from it; app: a window.App."""

    def __init__(self, app, more: list[Action]):
        self.app, self.root = app, app.root
        self.actions = {action.label: action for action in common(app) + more}
        self.buttons: dict[str, list[ttk.Widget]] = {}   # by the labels of their actions
        self.bar = tk.Menu(self.root, tearoff=False)
        self.menus = {name: tk.Menu(self.bar, tearoff=False) for name in MENUS}
        for name, menu in self.menus.items():
            self.bar.add_cascade(label=name, menu=menu, underline=0)
        for action in self.actions.values():
            if action.menu:
                self.menus[action.menu].add(
                    "checkbutton" if action.switch else "command", label=action.label, accelerator=action.key,
                    command=action.do, **{"variable": action.switch} if action.switch else {})
        self.cascade("File", "Open recent", lambda menu: app.files.fill_recent(menu))
        self.root.configure(menu=self.bar)
        self._bind_keys()

    def __getitem__(self, label: str) -> Action:
        return self.actions[label]

    def _bind_keys(self) -> None:
        self.keys = {key: action for action in self.actions.values() for key in action.keys}
        self.root.bind("<Key>", self._press)
        for key, action in self.keys.items():
            if action.in_text:  # Tk uses some for other things
                self.root.unbind_class("Text", f"<{key}>")

    def _press(self, event) -> str | None:
        action, focus = self.keys.get(pressed(event.keysym, event.state, event.keycode)), self.root.focus_get()
        typing = focus is not None and focus.winfo_class() in ("Entry", "TEntry")
        if (action is None or focus is not None and focus.winfo_toplevel() is not self.root
                or typing and not action.in_text):
            return None
        if action.switch:
            action.switch.set(not action.switch.get())
        if action.can is None or action.can():
            action.do()
        return "break"

    def refresh(self) -> None:
        """Grey out the actions that do nothing now."""
        for label, action in self.actions.items():
            if action.can:
                state = "normal" if action.can() else "disabled"
                self.menus[action.menu].entryconfigure(label, state=state)
                for button in self.buttons.get(label, ()):
                    button.configure(state=state)

    def cascade(self, menu: str, label: str, fill: Callable[[tk.Menu], None]) -> None:
        """Add a submenu, which fill(menu) fills whenever it is opened."""
        inner = self.menus[label] = tk.Menu(self.bar, tearoff=False)
        inner.configure(postcommand=lambda: fill(inner))
        self.menus[menu].add_cascade(label=label, menu=inner)

    def restyle(self) -> None:
        """Apply the theme's colours."""
        theme = self.app.looks.theme
        for menu in (self.bar, *self.menus.values()):
            menu.configure(background=theme.window, foreground=theme.text, activebackground=theme.accent,
                           activeforeground=theme.on_accent, disabledforeground=theme.muted, relief="flat",
                           borderwidth=0, activeborderwidth=self.app.px(3))

    def show_keys(self) -> None:
        """Show all shortcuts in a window."""
        px = self.app.px
        window = tk.Toplevel(self.root, background=self.app.looks.theme.window, padx=px(24), pady=px(16))
        window.title("Shortcuts")
        window.transient(self.root)
        shown = [action for action in self.actions.values() if action.keys]
        columns = COLUMNS - (self.app.looks.text_size > WIDE)
        rows = -(-len(shown) // columns)
        for number, action in enumerate(shown):
            row, column = number % rows, 2 * (number // rows)
            ttk.Label(window, text=action.label.rstrip("…")).grid(
                row=row, column=column, sticky="w", pady=px(1), padx=(px(30) * bool(column), px(16)))
            ttk.Label(window, text=action.key, style="Key.TLabel").grid(row=row, column=column + 1, sticky="e")
        notes = "The right mouse button always erases."
        if self.app.files.takes_drops:
            notes += " Pictures dropped on the window are opened."
        ttk.Label(window, text=notes, style="Status.TLabel").grid(row=rows, columnspan=2 * columns, sticky="w",
                                                                  pady=(px(10), 0))
        for key in ("Escape", "F1", "Return"):
            window.bind(f"<{key}>", lambda event: window.destroy())
        window.geometry(f"+{self.root.winfo_rootx() + px(20)}+{self.root.winfo_rooty() + px(20)}")
        window.focus_set()
