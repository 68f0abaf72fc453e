"""Run as python -m tools.NAME.  Measure: evaluate, other_readers, evaluate_pages, check_acc_loss, plotScript,
measure_adaptation, benchmark, benchmark_read, benchmark_train, benchmark_apps, processes, torture.  Draw: draw_samples,
draw_line_images, ui_driver, screenshots.  Make: fetch_data, extract_characters, build_language_models."""
import signal
import sys

if sys.argv[0] == "-m" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:   # a tool is to run
    signal.signal(signal.SIGINT, signal.SIG_DFL)   # until settings.run: no traceback while the rest is imported
