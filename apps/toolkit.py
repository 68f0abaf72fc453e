"""Tk's modules, or one sentence that says what to install."""
from common import settings

try:
    import tkinter as tk
    from tkinter import filedialog, font, ttk

    from PIL import ImageTk
except ImportError:
    settings.fail("Python's tkinter is missing: install it, for example with `sudo apt install python3-tk`")

__all__ = ["ImageTk", "filedialog", "font", "tk", "ttk"]
