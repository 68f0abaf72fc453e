"""The drawing apps. Read in this order: window, text_app, commands, files, export, memory, session, worker, jobs, page
(ink for the reader), stillness, learning; canvas (the pad), gestures, ink, overlay, strokes (the drawing), curve,
boxes, corrections, alternatives (their popup); theme, widgets, icons, toolkit (Tk, or what to install)."""
