"""Another program on an X display, for the tests of the drawing apps: it holds the clipboard, or drags something.

    python tests/neighbour.py CLIPBOARD TYPE FILE [TYPE FILE ...]        offers the files' bytes, until it is ended
    python tests/neighbour.py XdndSelection TYPE FILE [TYPE FILE ...]    drags them to where standard input says

Lines of standard input: "to X Y" moves the pointer there, "drop" lets go, "back" gives up.  What the program under the
pointer answers comes out as one line each: "accepts", "refuses", "nothing here", "taken".

Speaks XDND 5 (https://freedesktop.org/wiki/Specifications/XDND/) through libX11, which Tk needs too, so that the apps
are not tested with tkdnd's own idea of it.
"""
import ctypes
import ctypes.util
import os
import select
import sys
from pathlib import Path

CURRENT_TIME, ATOM, CLIENT_MESSAGE, SELECTION_NOTIFY, SELECTION_REQUEST = 0, 4, 33, 31, 30
VERSION = 5
Words = ctypes.c_long * 24       # an XEvent: all of its members that are used here lie at multiples of a long


class Neighbour:
    """A window that owns a selection; offers: bytes by their type."""

    def __init__(self, selection: str, offers: dict[str, bytes]):
        self.x = ctypes.CDLL(ctypes.util.find_library("X11"))
        for name in ("XOpenDisplay", "XDefaultRootWindow", "XCreateSimpleWindow", "XInternAtom"):
            getattr(self.x, name).restype = ctypes.c_void_p if name == "XOpenDisplay" else ctypes.c_ulong
        self.display = ctypes.c_void_p(self.x.XOpenDisplay(None))
        self.root = self.x.XDefaultRootWindow(self.display)
        self.window = self.x.XCreateSimpleWindow(self.display, self.long(self.root), 0, 0, 1, 1, 0, self.long(0),
                                                 self.long(0))
        self.offers = {self.atom(kind): data for kind, data in offers.items()}
        self.target = 0                # the window that is dragged over
        self.accepted = False
        self.x.XSetSelectionOwner(self.display, self.long(self.atom(selection)), self.long(self.window),
                                  self.long(CURRENT_TIME))
        self.x.XFlush(self.display)

    @staticmethod
    def long(number: int) -> ctypes.c_ulong:
        return ctypes.c_ulong(number)

    def atom(self, name: str) -> int:
        return self.x.XInternAtom(self.display, name.encode(), 0)

    def serve(self) -> None:
        """Answer the display and standard input, until that ends; the clipboard's holder goes on."""
        commands, there = {"to": self.to, "drop": self.drop, "back": self.back}, True
        print("ready", flush=True)
        while True:
            while self.x.XPending(self.display):
                self.handle()
            sources = [self.x.XConnectionNumber(self.display)] + [sys.stdin] * there
            if sys.stdin in select.select(sources, [], [])[0]:
                line = os.read(sys.stdin.fileno(), 1000).decode().split()
                there = bool(line)
                if line:
                    commands[line[0]](*map(int, line[1:]))
            self.x.XFlush(self.display)

    def handle(self) -> None:
        """Take one event."""
        event = Words()
        self.x.XNextEvent(self.display, event)
        kind = event[0] & 0xffffffff
        if kind == SELECTION_REQUEST:
            self.give(*(self.long(word) for word in event[5:10]))
        elif kind == CLIENT_MESSAGE and event[5] == self.atom("XdndStatus"):
            self.accepted = bool(event[8] & 1)
            print("accepts" if self.accepted else "refuses", flush=True)
        elif kind == CLIENT_MESSAGE and event[5] == self.atom("XdndFinished"):
            print("taken", flush=True)

    def give(self, requestor, selection, target, place, time) -> None:
        """Hand the selection over, in one of its types."""
        if target.value == self.atom("TARGETS"):
            kinds = (ctypes.c_long * (len(self.offers) + 1))(target.value, *self.offers)
            self.x.XChangeProperty(self.display, requestor, place, self.long(ATOM), 32, 0, kinds, len(kinds))
        elif target.value in self.offers:
            data = self.offers[target.value]
            self.x.XChangeProperty(self.display, requestor, place, target, 8, 0, data, len(data))
        else:
            place = self.long(0)
        answer = (word.value for word in (requestor, selection, target, place, time))
        self.send(requestor.value, [SELECTION_NOTIFY, 0, 0, 0, *answer])

    def send(self, window: int, words: list[int]) -> None:
        self.x.XSendEvent(self.display, self.long(window), 0, self.long(0), Words(*words))

    def say(self, message: str, *words: int) -> None:
        """Send a message of XDND to the window that is dragged over."""
        self.send(self.target, [CLIENT_MESSAGE, 0, 0, 0, self.target, self.atom(message), 32, self.window, *words])

    def to(self, x: int, y: int) -> None:
        """Move the pointer, and tell the window that takes drops there, if there is one."""
        self.x.XWarpPointer(self.display, self.long(0), self.long(self.root), 0, 0, 0, 0, x, y)
        under = self.aware_window()
        if under != self.target:
            self.back()
            self.target = under
            if under:
                self.say("XdndEnter", VERSION << 24, *(list(self.offers) + [0, 0, 0])[:3])
        if under:
            self.say("XdndPosition", 0, x << 16 | y, CURRENT_TIME, self.atom("XdndActionCopy"))
        else:
            print("nothing here", flush=True)

    def aware_window(self) -> int:
        """The window under the pointer that takes drops, or 0."""
        window, number, data = self.long(self.root), ctypes.c_int(), ctypes.c_void_p()
        where, kind, count, aware = (self.long(word) for word in (0, 0, 0, self.atom("XdndAware")))
        while window.value:
            self.x.XGetWindowProperty(self.display, window, aware, self.long(0), self.long(1), 0, self.long(ATOM),
                                      *map(ctypes.byref, (kind, number, count, where, data)))
            if count.value:
                return window.value
            inside = self.long(0)
            self.x.XQueryPointer(self.display, window, *map(ctypes.byref, (where, inside)), *[ctypes.byref(number)] * 4,
                                 ctypes.byref(count))
            window = inside
        return 0

    def drop(self) -> None:
        """Let go."""
        if self.target and self.accepted:
            self.say("XdndDrop", 0, CURRENT_TIME)

    def back(self) -> None:
        """Leave the window."""
        if self.target:
            self.say("XdndLeave", 0)
        self.target, self.accepted = 0, False


if __name__ == "__main__":
    kinds, files = sys.argv[2::2], sys.argv[3::2]
    Neighbour(sys.argv[1], {kind: Path(file).read_bytes() for kind, file in zip(kinds, files)}).serve()
