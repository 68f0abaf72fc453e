"""How programs end: scripts on Ctrl-C while they import modules, and the processes that they start."""
import _signal as signal  # `signal` first imports enum, where Ctrl-C would leave a traceback


def end_quietly(name: str) -> None:
    """Let Ctrl-C end the program without a traceback until settings.run, if `name` is "__main__".

    Each script calls this before it imports other modules.
    If Ctrl-C is ignored, as under nohup or &, or already has another handler, nothing changes.
    """
    if name == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def end_with_parent() -> None:
    """Leave Ctrl-C to the process that started this one, and end when that one ends, even if it was killed."""
    import multiprocessing  # here: the scripts import this module before all others
    import os
    import threading
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
