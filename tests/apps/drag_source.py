"""A small window in a corner, from which something can be dragged with the mouse, for the tests of the drawing apps.

    python tests/apps/drag_source.py TYPE DATA...    TYPE: text/uri-list or text/plain;charset=utf-8
"""
import sys

from tkinterdnd2 import COPY, TkinterDnD

kind, data = sys.argv[1], sys.argv[2:]
root = TkinterDnD.Tk()
# As other programs do; what tkdnd itself chooses for addresses reaches no other process.
root.tk.eval("proc ::tkdnd::xdnd::getFormatForType {type} {return UTF8_STRING}")
root.geometry("60x60+1200+10")
root.drag_source_register(1, kind)
root.dnd_bind("<<DragInitCmd>>", lambda event: (COPY, kind, " ".join(data)))
root.dnd_bind("<<DragEndCmd>>", lambda event: print(event.action, flush=True))
root.bind("<Map>", lambda event: print("ready", flush=True))
root.mainloop()
