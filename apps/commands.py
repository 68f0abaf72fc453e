"""What a window can be told, by menu, key or button: one table for all of them and for the overview of shortcuts."""
import sys
from collections.abc import Callable
from typing import NamedTuple

from apps.toolkit import tk, ttk

CONTROL = "Command" if sys.platform == "darwin" else "Control"
MENUS = ("File", "Edit", "Pen", "View", "Read", "Network", "Help")
KEY_NAMES = {"bracketleft": "[", "bracketright": "]", "plus": "+", "minus": "−", "equal": "=", "Control": "Ctrl",
             "Return": "Enter", "Command": "⌘"}


class Action(NamedTuple):
    """Something that a menu offers and a key does."""
    menu: str                        # "": none, only the key
    label: str
    keys: tuple[str, ...]            # as Tk names them
    do: Callable[[], object]
    icon: str = ""
    in_text: bool = False            # whether its keys count while a text field has the focus

    @property
    def key(self) -> str:
        """Its first key, as people call it."""
        return key_name(self.keys[0])


def key_name(key: str) -> str:
    """A key as people call it."""
    return "+".join(KEY_NAMES.get(part, part.upper() if len(part) == 1 else part) for part in key.split("-"))


def common(app) -> list[Action]:
    """What all apps can do; what is built later than this table is looked up when it is used."""
    return [
        Action("File", "Open…", (f"{CONTROL}-o",), app.files.open, "open", True),
        Action("File", "Paste picture", (f"{CONTROL}-v",), app.files.paste),
        Action("File", "Save…", (f"{CONTROL}-s",), app.files.save, "save", True),
        Action("File", "Close", (f"{CONTROL}-q", f"{CONTROL}-w"), app.close, "", True),
        Action("Edit", "Undo", (f"{CONTROL}-z",), lambda: app.pad.undo(), "undo"),
        Action("Edit", "Redo", (f"{CONTROL}-Shift-Z", f"{CONTROL}-y"), lambda: app.pad.drawing.redo(), "redo"),
        Action("Edit", "Clear", ("Delete",), lambda: app.pad.clear(), "clear"),
        Action("Edit", "Copy text", (f"{CONTROL}-c",), app.copy, "copy"),
        Action("Pen", "Pen", ("p",), lambda: app.toolbar.choose("pen"), "pen"),
        Action("Pen", "Eraser", ("e",), lambda: app.toolbar.choose("eraser"), "eraser"),
        Action("Pen", "Thinner", ("bracketleft",), lambda: app.toolbar.set_pen(app.toolbar.pen.get() - 1)),
        Action("Pen", "Thicker", ("bracketright",), lambda: app.toolbar.set_pen(app.toolbar.pen.get() + 1)),
        Action("View", "Light or dark", (f"{CONTROL}-t",), app.looks.switch_theme, "theme", True),
        Action("View", "Larger text", (f"{CONTROL}-plus", f"{CONTROL}-equal"),
               lambda: app.looks.set_text_size(app.looks.text_size + 10), "", True),
        Action("View", "Smaller text", (f"{CONTROL}-minus",),
               lambda: app.looks.set_text_size(app.looks.text_size - 10), "", True),
        Action("View", "Usual text", (f"{CONTROL}-0",), lambda: app.looks.set_text_size(100), "", True),
        Action("Help", "Shortcuts", ("F1",), lambda: app.commands.show_keys(), "help", True),
        Action("", "Choose the network", (f"{CONTROL}-m",), lambda: app.status.post_networks(), "", True),
        Action("", "Close a message, leave a stroke", ("Escape",), app.escape, "", True),
    ]


class Commands:
    """The table of an app's actions, and what is made of it; app: a window.App."""

    def __init__(self, app, more: list[Action]):
        self.app, self.root = app, app.root
        self.actions = {action.label: action for action in common(app) + more}
        self.bar = tk.Menu(self.root, tearoff=False)
        self.menus = {name: tk.Menu(self.bar, tearoff=False) for name in MENUS}
        for name, menu in self.menus.items():
            self.bar.add_cascade(label=name, menu=menu, underline=0)
        for action in self.actions.values():
            if action.menu:
                self.menus[action.menu].add_command(label=action.label, accelerator=action.key, command=action.do)
        self.root.configure(menu=self.bar)
        self._bind_keys()

    def __getitem__(self, label: str) -> Action:
        return self.actions[label]

    def _bind_keys(self) -> None:
        for action in self.actions.values():
            for key in action.keys:
                self.root.bind(f"<{key}>", lambda event, action=action: self._press(action))
                if action.in_text:  # Tk has other uses for some
                    self.root.unbind_class("Text", f"<{key}>")

    def _press(self, action: Action) -> str | None:
        focus = self.root.focus_get()
        typing = focus is not None and focus.winfo_class() in ("Entry", "TEntry", "Text")
        if focus is not None and focus.winfo_toplevel() is not self.root or typing and not action.in_text:
            return None
        action.do()
        return "break"

    def restyle(self) -> None:
        """Take the theme's colours."""
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
        for row, action in enumerate(self.actions.values()):
            ttk.Label(window, text=action.label.rstrip("…")).grid(row=row, column=0, sticky="w", pady=px(1))
            ttk.Label(window, text=" or ".join(map(key_name, action.keys)), style="Key.TLabel").grid(
                row=row, column=1, sticky="e", padx=(px(40), 0))
        notes = ["The right mouse button rubs out at any time."]
        if self.app.files.takes_drops:
            notes.append("A picture that is dropped on the window is opened.")
        ttk.Label(window, text="\n".join(notes), style="Status.TLabel").grid(
            row=len(self.actions), columnspan=2, sticky="w", pady=(px(10), 0))
        for key in ("Escape", "F1", "Return"):
            window.bind(f"<{key}>", lambda event: window.destroy())
        window.geometry(f"+{self.root.winfo_rootx() + px(80)}+{self.root.winfo_rooty() + px(20)}")
        window.focus_set()
