"""Ctrl-C while a script's modules are imported: each script calls `end_quietly` before it imports the others."""
import _signal as signal  # `signal` imports enum first, in which Ctrl-C would be seen


def end_quietly(name: str) -> None:
    """Let Ctrl-C end the program without a traceback until settings.run, if `name` is "__main__".

    Where Ctrl-C is ignored, as nohup and & do, or somebody else handles it, that stays.
    """
    if name == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
