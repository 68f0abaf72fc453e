"""Settings at the top of a script, changed on the command line as --name=value, and one way to run scripts.

A script's settings are the plain assignments between two marker lines, each explained by the comment after it:

    # ---- settings: ...
    learning_rate = 0.0005     # step size of the optimiser
    # ---- end of settings

`configure` applies the command line to them, --help prints them, and `run` runs the script's main.
"""
import ast
import contextlib
import io
import math
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace

from common import errors

ALIASES = {"model": "unixTime",        # other names for settings, unless a script has a setting of that name
           "harvest": "extracted"}
KINDS = {bool: "True or False", int: "a whole number", float: "a number", str: "a text"}   # of settings
UNFIT = KeyError, ValueError, TypeError, SyntaxError   # what `parse` raises
_LINE = re.compile(r"(\w+) = (.*?)(?:\s{2,}#\s*(.*))?$")


class SettingsError(errors.UserError):
    """A command line that names an unknown setting, or gives a setting an invalid value."""


def meanings(script: str | Path) -> dict[str, str]:
    """The settings of a script, each with the comment after it."""
    text = Path(script).read_text(encoding="utf-8")
    block = text.split("# ---- settings", 1)[1].split("# ---- end of settings", 1)[0]
    matches = (_LINE.match(line) for line in block.splitlines()[1:])
    return {match[1]: match[3] or "" for match in matches if match}


def constants(script: str | Path) -> dict:
    """The globals() of a script, for `read`; its main does not run."""
    import runpy  # here: only tools need it
    return runpy.run_path(str(script))


def parse(text: str, default) -> object:
    """`text` as a value of the default's type; raises one of UNFIT if it is not one."""
    if isinstance(default, bool):
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text.lower()]
    if isinstance(default, (int, float)):
        return type(default)(text)
    if isinstance(default, (tuple, list)):
        return type(default)(ast.literal_eval(text))
    return text


def apply(values: dict, arguments: list[str]) -> tuple[dict, list[str]]:
    """Apply --name=value arguments to settings; returns those named, with their new values, and the other arguments."""
    given, left = {}, []
    known = f"the settings are: {', '.join(values)}"
    for argument in arguments:
        if not argument.startswith("--"):
            left.append(argument)
            continue
        name, equals, text = argument[2:].partition("=")
        name = name.replace("-", "_")
        if name not in values and ALIASES.get(name) in values:
            name = ALIASES[name]
        if name not in values:
            raise SettingsError(f"there is no setting --{name}; {known}")
        default = values[name]
        if not equals and not isinstance(default, bool):
            raise SettingsError(f"--{name} needs a value, such as --{name}={default}; {known}")
        try:
            given[name] = parse(text, default) if equals else True
        except UNFIT:
            kind = KINDS.get(type(default), "a list")
            raise SettingsError(f"--{name}={text} is not {kind}, such as {default}; {known}") from None
    return given, left


def read(space: dict, arguments: list[str], positional: str = "") -> tuple[dict, list[str]]:
    """Apply the command line to the settings of a script, whose globals() are `space`.

    --help prints the script's docstring and settings and ends the program.
    positional: what other arguments mean, such as "IMAGE..."; if it is empty, none are allowed.
    Returns the settings named on the command line and the other arguments; raises SettingsError for a wrong one.
    """
    explained = meanings(space["__file__"])
    values = {name: space[name] for name in explained}
    if "--help" in arguments or "-h" in arguments:
        print((space.get("__doc__") or "").strip() + "\n\nsettings, as --name=value:")
        for name, meaning in explained.items():
            print(f"  --{name}={values[name]!s:<12} {meaning}")
        raise SystemExit(0)
    given, left = apply(values, arguments)
    unknown = [argument for argument in left if argument.startswith("-") and argument != "-"]
    if unknown or (left and not positional):
        raise SettingsError(f"{(unknown or left)[0]!r} is not a setting; give settings as --name=value: "
                            f"{', '.join(values)}")
    return given, left


def one_of(name: str, value: object, known: Iterable[str]) -> None:
    """Raise SettingsError unless a setting's value is one of the known ones."""
    if value not in (known := list(known)):
        raise SettingsError(f"there is no {name} {value!r}; there are: {', '.join(known)}")


def between(name: str, value: float, least: float, most: float = math.inf) -> None:
    """Raise SettingsError unless a setting's value is a number from `least` to `most`."""
    if not least <= value <= most:   # so NaN is refused, too
        span = f"from {least} to {most}" if most < math.inf else f"{least} or more"
        raise SettingsError(f"--{name}={value} has to be {span}")


def configure(space: dict, arguments: list[str], positional: str = "") -> tuple[SimpleNamespace, list[str]]:
    """All settings of a script as attributes, with the command line applied, and the other arguments; see `read`."""
    given, left = read(space, arguments, positional)
    return SimpleNamespace(**{name: space[name] for name in meanings(space["__file__"])} | given), left


def run(main: Callable[[list[str]], int | None], interrupted: str = "ended") -> None:
    """Run a script's main with the command line, and end the program.

    A UserError becomes one sentence on stderr and exit status 2; so does a lack of disk space or memory, with status 1.
    Ctrl-C ends with 130 and prints what the KeyboardInterrupt says, or else `interrupted`.  A reader of the output that
    stops early, such as `head`, is no error; nor are closed streams, nor a stderr that takes nothing more.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:   # as set while modules were imported
        signal.signal(signal.SIGINT, signal.default_int_handler)
    open_streams()
    try:
        try:
            status = main(sys.argv[1:])
        except SystemExit as end:   # of --help
            status = end.code
        sys.stdout.flush()
    except errors.UserError as error:
        status = tell(error)
    except BrokenPipeError:
        status = 0
    except (OSError, MemoryError) as error:
        status = tell(errors.MachineError(errors.reason(error)))
    except KeyboardInterrupt as pressed:
        status = tell(str(pressed) or interrupted, 130)
    try:
        sys.stdout.flush()
    except OSError:   # otherwise Python would complain at its last flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(status)


def open_streams() -> None:
    """Open the standard streams that the program was started without, and let them print any file name."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))   # noqa: SIM115  it takes the number of the closed stream
    sys.stdout.reconfigure(errors="backslashreplace")   # a file name may hold what the terminal cannot show
    if sys.stderr is sys.__stderr__:   # not that of a test or another program
        notes = io.BufferedWriter(_Notes(sys.stderr.fileno(), "w", closefd=False))
        sys.stderr = io.TextIOWrapper(notes, sys.stderr.encoding, "backslashreplace", line_buffering=True)


class _Notes(io.FileIO):
    """Standard error, for progress bars and notes: what it does not take is lost, but does not end the program."""

    def write(self, data) -> int | None:
        """Write what can be written; returns how many bytes are dealt with."""
        try:
            return super().write(data)
        except OSError:   # a full disk, or a pipe that nobody reads
            return len(data)


def tell(error: object, status: int = 2) -> int:
    """Say in one sentence on stderr what ends the program; returns its exit status."""
    with contextlib.suppress(OSError):   # before `run` has opened it
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr, flush=True)
    return getattr(error, "status", status)
