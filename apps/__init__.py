"""The drawing apps. Read in this order: window, commands, files, session, worker, page (a drawing for the reader);
canvas (the pad), ink, overlay, strokes (the drawing), curve, boxes, corrections, alternatives (their popup);
theme, widgets, icons, toolkit (Tk, or what to install)."""
