"""Errors that end a script with one sentence."""


class UserError(ValueError):
    """Something that the user can fix; the message is one sentence that names the problem and the remedy."""
    status = 2   # exit status of the script that it ends


class DataError(UserError):
    """Data that cannot be used; the message names the file and the remedy."""


class MachineError(UserError):
    """Something that the machine lacks: disk space, memory, rights to a folder."""
    status = 1


def reason(error: BaseException) -> str:
    """What went wrong, in one line; for an OSError its reason and file, without the number."""
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror + (f": {error.filename}" if error.filename else "")
    return " ".join(str(error).split()) or type(error).__name__
