"""Tk's modules, or one sentence that says what to install; and what Tk can do but tkinter does not offer."""
import contextlib
import ctypes

from common import settings

try:
    import _tkinter
    import tkinter as tk
    from tkinter import filedialog, font, ttk

    from PIL import ImageTk
except ImportError:
    settings.fail("Python's tkinter is missing: install it, for example with `sudo apt install python3-tk`")

__all__ = ["ImageTk", "filedialog", "font", "keep_each_motion", "tk", "ttk"]


def keep_each_motion(root: tk.Tk) -> None:
    """Let Tk hand on each motion of the pointer, where X reports it, however late: it joins those that wait to one."""
    if root.tk.call("tk", "windowingsystem") == "x11" and root.tk.call("info", "patchlevel").startswith("8.6"):
        with contextlib.suppress(OSError, AttributeError):   # a Tk that is part of Python's own program
            library = ctypes.CDLL(_tkinter.__file__)
            library.Tk_MainWindow.argtypes, library.Tk_MainWindow.restype = [ctypes.c_void_p], ctypes.c_void_p
            library.Tk_CollapseMotionEvents.argtypes = [ctypes.c_void_p, ctypes.c_int]
            window = library.Tk_MainWindow(root.tk.interpaddr())
            # It asks for a Display, but takes it for a TkDisplay (tkEvent.c): a window's second field, behind that.
            library.Tk_CollapseMotionEvents(ctypes.cast(window, ctypes.POINTER(ctypes.c_void_p))[1], 0)
