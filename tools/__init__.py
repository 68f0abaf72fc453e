"""Run as python -m tools.NAME.  Measure: evaluate, other_readers, evaluate_pages, check_acc_loss, plotScript,
measure_adaptation, measure_writing, benchmark, benchmark_read, benchmark_train, benchmark_apps, processes, torture.
Draw: draw_samples, draw_line_images, ui_driver, screenshots.  Make: fetch_data, extract_characters,
build_language_models."""
import sys

from common import interrupt

interrupt.end_quietly("__main__" if sys.argv[0] == "-m" else "")   # a tool is to run
