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
    raise SystemExit(settings.tell("Python's tkinter is missing: install it, for example with "
                                   "`sudo apt install python3-tk`"))

__all__ = ["ImageTk", "filedialog", "font", "keep_each_motion", "tk", "ttk"]


def keep_each_motion(root: tk.Tk) -> None:
    """Let Tk report each motion of the pointer on X11, however late, instead of merging those that wait into one."""
    if root.tk.call("tk", "windowingsystem") == "x11" and root.tk.call("info", "patchlevel").startswith("8.6"):
        with contextlib.suppress(OSError, AttributeError):   # a Tk built into the Python executable
            library = ctypes.CDLL(_tkinter.__file__)
            library.Tk_MainWindow.argtypes, library.Tk_MainWindow.restype = [ctypes.c_void_p], ctypes.c_void_p
            library.Tk_CollapseMotionEvents.argtypes = [ctypes.c_void_p, ctypes.c_int]
            window = library.Tk_MainWindow(root.tk.interpaddr())
            # It asks for a Display but uses it as a TkDisplay (tkEvent.c): a window's second field, after the Display.
            library.Tk_CollapseMotionEvents(ctypes.cast(window, ctypes.POINTER(ctypes.c_void_p))[1], 0)
