"""The drawing apps: window, pad, strokes.
Read in this order: window, canvas, drawing, worker, corrections, icons.
"""
