"""The parts of a window around its pad: toolbar, status line, text field, tooltips."""
from collections.abc import Callable, Sequence

from apps.gestures import PEN_WIDTHS
from apps.toolkit import tk, ttk
from common import runs
from reading import word_lm
from reading.readings import FAINT, Line


class Toolbar(ttk.Frame):
    """The tools, with the pen's width, and buttons for the most common actions; app: a window.App."""

    def __init__(self, app):
        super().__init__(app.root)
        self.app, px = app, app.px
        self.tool, self.pen = tk.StringVar(value="pen"), tk.IntVar(value=5)
        for label in ("Pen", "Eraser", "Select"):
            action_button(app, self, label, label, ttk.Radiobutton, style="Tool.Toolbutton", variable=self.tool,
                          value=label.lower())
        slider = ttk.Scale(self, from_=PEN_WIDTHS[0], to=PEN_WIDTHS[1], variable=self.pen, length=px(96),
                           command=lambda value: self.set_pen(float(value)))
        tooltip(app, slider, "Width of the pen  ([ and ])")
        self.dot = tk.Canvas(self, width=px(28), height=px(28), highlightthickness=0)
        for label in ("Undo", "Redo", "Clear", "Open…", "Save…"):
            action_button(app, self, label, label.rstrip("…"), style="Tool.TButton")
        for label in ("Light or dark", "Shortcuts"):
            action_button(app, self, label, "", style="Tool.TButton")
        self.bind("<Configure>", lambda event: self.flow())

    def flow(self) -> None:
        """Lay the buttons out in as many rows as the width needs."""
        x, y, gap = 0, 0, self.app.px(2)
        height = max(part.winfo_reqheight() for part in self.winfo_children())
        for part in self.winfo_children():
            width = part.winfo_reqwidth()
            if x and x + width > self.winfo_width():
                x, y = 0, y + height + gap
            part.place(x=x, y=y + (height - part.winfo_reqheight()) // 2)
            x += width + gap
        self.configure(height=y + height)

    def choose(self, tool: str) -> None:
        """Take a tool: "pen", "eraser" or "select"."""
        self.tool.set(tool)
        self.app.pad.choose(tool)

    def set_pen(self, width: float) -> None:
        """Set the width of the pen in px at 96 dpi, within its limits."""
        width = round(min(max(width, PEN_WIDTHS[0]), PEN_WIDTHS[1]))
        self.pen.set(width)
        self.app.pad.pen_width = width * self.app.looks.scale
        self.restyle()

    def restyle(self) -> None:
        """Show the pen's width, in the theme's colours."""
        theme, middle, reach = self.app.looks.theme, self.app.px(14), self.app.pad.pen_width / 2
        self.dot.configure(background=theme.window)
        self.dot.delete("all")
        self.dot.create_oval(middle - reach, middle - reach, middle + reach, middle + reach, outline="",
                             fill=theme.text)
        self.after_idle(self.flow)


class Status(ttk.Frame):
    """The network that reads, with the menu of all networks, and what happens; app: a window.App."""

    def __init__(self, app):
        super().__init__(app.root)
        self.app = app
        self.networks = app.commands.menus["Network"]
        self._marked: dict[tk.Menu, tk.StringVar] = {}   # what is chosen in a menu; Tk shows it while this is kept
        app.commands.cascade("Read", "Language", self.fill_languages)
        app.commands.cascade("Read", "Compare with", self.fill_others)
        self.networks.configure(postcommand=self.fill_networks)
        self.network = ttk.Menubutton(self, style="Status.TMenubutton", direction="above", menu=self.networks)
        tooltip(app, self.network, f"Network that reads  ({app.commands['Choose the network'].key})")
        self.text = ttk.Label(self, style="Status.TLabel")
        self.text.pack(side="right")         # first: where room is short, the network's name is cut off
        self.network.pack(side="left")

    def fill_networks(self) -> None:
        """Fill the menu with all networks."""
        session = self.app.session
        self._fill(self.networks, self._networks(), session.model, session.choose)
        if self.networks.index("end") is None:
            self.networks.add_command(label=f"none in {session.models_path}", state="disabled")

    def fill_others(self, menu: tk.Menu) -> None:
        """Fill a menu with all networks to compare with."""
        session = self.app.session
        self._fill(menu, {"": "No other"} | self._networks(), session.other, session.compare)

    def fill_languages(self, menu: tk.Menu) -> None:
        """Fill a menu with all languages."""
        session = self.app.session
        self._fill(menu, {name: name.capitalize() for name in word_lm.LANGUAGES}, session.language,
                   session.choose_language)

    def _fill(self, menu: tk.Menu, labels: dict[str, str], chosen: str, choose: Callable[[str], None]) -> None:
        menu.delete(0, "end")
        self._marked[menu] = variable = tk.StringVar(self, chosen)
        for name, label in labels.items():
            menu.add_radiobutton(label=label, variable=variable, value=name, command=lambda name=name: choose(name))

    def _networks(self) -> dict[str, str]:
        """The descriptions of all networks, by unixTime."""
        session = self.app.session
        marks = {session.default_network(): " (the default)"}
        return {name: runs.describe(session.models_path, name) + marks.get(name, "")
                for name in runs.list_runs(session.models_path)}

    def post_networks(self) -> None:
        """Open the menu of networks."""
        self.network.tk.call("ttk::menubutton::Popdown", self.network)

    def show_network(self) -> None:
        """Show which network reads, or is being loaded."""
        session = self.app.session
        self.fill_networks()   # a menu that is empty until it is opened gets its size too late
        self.network.configure(text=f"loading {session.loading}" if session.loading else
                               runs.describe(session.models_path, session.model) if session.model else "no network")


class TextField(tk.Text):
    """Text that can be selected and copied, but not changed; app: a window.App."""

    def __init__(self, app, parent: ttk.Frame, lines: int):
        super().__init__(parent, height=lines, width=20, wrap="word", relief="flat", borderwidth=0, state="disabled",
                         highlightthickness=app.px(1), padx=app.px(10), pady=app.px(6))
        self.looks = app.looks
        self.bind("<Button-1>", lambda event: self.focus_set())   # otherwise a selection could not be copied

    def show(self, lines: Sequence[Line]) -> None:
        """Show the text of lines, doubtful ones faintly; text that is already there stays, with its selection."""
        text = "\n".join(line.text for line in lines)
        if text != self.text:
            self.configure(state="normal")
            self.replace("1.0", "end", text)
            self.configure(state="disabled")
            self.see("end")
        self.tag_remove("faint", "1.0", "end")
        for number, line in enumerate(lines, 1):
            if line.confidence < FAINT:
                self.tag_add("faint", f"{number}.0", f"{number}.end")

    @property
    def text(self) -> str:
        """What is shown."""
        return self.get("1.0", "end-1c")

    def restyle(self) -> None:
        """Apply the theme's colours and the text size."""
        theme = self.looks.theme
        self.configure(background=theme.raised, foreground=theme.text, selectbackground=theme.accent,
                       selectforeground=theme.on_accent, highlightbackground=theme.line, highlightcolor=theme.accent,
                       inactiveselectbackground=theme.line, font=self.looks.font(15))
        self.tag_configure("faint", foreground=theme.muted)


def scrolled(widget, which: str) -> dict[str, ttk.Scrollbar]:
    """Lay a widget out in its frame with scroll bars that show only while part of it is hidden.

    which: "y", or "yx".  Returns them by these names; the widget tells them what is visible.
    """
    widget.master.columnconfigure(0, weight=1)
    widget.master.rowconfigure(0, weight=1)
    widget.grid(row=0, column=0, sticky="nsew")
    bars = {one: ScrollBar(widget.master, orient={"x": "horizontal", "y": "vertical"}[one],
                           command=getattr(widget, f"{one}view")) for one in which}
    for one, bar in bars.items():
        bar.grid(row=one == "x", column=one == "y", sticky="nsew")
    return bars


class ScrollBar(ttk.Scrollbar):
    """A scroll bar that hides while everything is visible."""

    def set(self, first, last):
        """Called by Tk with the visible part."""
        super().set(first, last)
        self.grid_remove() if float(first) <= 0 and float(last) >= 1 else self.grid()


def percent(probability: float) -> str:
    """A probability as text; only what is certain shows 100 %."""
    return f"{int(100 * probability + 1e-9)} %"


def action_button(app, parent, label: str, text: str, kind: type[ttk.Widget] = ttk.Button, **options) -> ttk.Widget:
    """A button for the action with this label, with the label and its key as a tooltip."""
    action = app.commands[label]
    button = kind(parent, text=text, command=action.do, image=app.looks.icons[action.icon] if action.icon else "",
                  compound="left" if text else "image", **options)
    app.commands.buttons.setdefault(label, []).append(button)
    tooltip(app, button, f"{action.label}  ({action.key})")
    return button


def switch(app, parent, label: str) -> ttk.Checkbutton:
    """A check button for the action with this label, which turns something on and off, with its key as a tooltip."""
    action = app.commands[label]
    button = ttk.Checkbutton(parent, text=label, variable=action.switch, command=action.do)
    tooltip(app, button, action.key)
    button.pack(anchor="w", pady=(app.px(4), 0))
    return button


def tooltip(app, widget, text: str) -> None:
    """Show a hint while the pointer rests on a widget."""
    shown = []   # the timer or the window of the hint

    def show() -> None:
        theme, px = app.looks.theme, app.px
        shown[:] = [tip := tk.Toplevel(app.root, background=theme.text)]
        tip.overrideredirect(True)
        tk.Label(tip, text=text, background=theme.text, foreground=theme.window, padx=px(6), pady=px(3)).pack()
        tip.geometry(f"+{widget.winfo_rootx()}+{widget.winfo_rooty() + widget.winfo_height() + px(6)}")

    def hide(event) -> None:
        for one in shown:
            app.root.after_cancel(one) if isinstance(one, str) else one.destroy()
        shown[:] = [app.root.after(600, show)] if event.type == tk.EventType.Enter else []

    for event in ("<Enter>", "<Leave>", "<Button-1>", "<Destroy>"):
        widget.bind(event, hide, add=True)
