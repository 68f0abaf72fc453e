"""How programs end: scripts, by Ctrl-C while their modules are imported, and the processes that they start."""
import _signal as signal  # `signal` imports enum first, in which Ctrl-C would be seen


def end_quietly(name: str) -> None:
    """Let Ctrl-C end the program without a traceback until settings.run, if `name` is "__main__".

    Each script calls it before it imports other modules.
    Where Ctrl-C is ignored, as nohup and & do, or somebody else handles it, that stays.
    """
    if name == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def end_with_parent() -> None:
    """Leave Ctrl-C to the process that has started this one, and end when that has ended, however it was killed."""
    import multiprocessing  # here: the scripts import this module before all others
    import os
    import threading
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
