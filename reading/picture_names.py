"""The pictures that a command line names: files, folders, lists of names."""
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from reading.binarize import FORMATS

OPTIONAL = {".pdf": "pypdfium2", ".heic": "pillow_heif", ".heif": "pillow_heif"}   # extensions, and what reads them


def find(names: list[str], recursive: bool = False, leave: tuple[str, ...] = ()) -> tuple[list[str], list[str]]:
    """The names of all pictures, and a sentence for each name that stands for none.

    A name is a picture; "-" for standard input; a folder for the pictures in it, sorted, and with `recursive` those in
    its subfolders; or "@" and a file with one name per line.
    leave: endings of file names to leave out.
    """
    found, problems = [], []
    for name in names:
        try:
            found += _of_list(name[1:]) if name.startswith("@") else _of_folder(name, recursive, leave, problems)
        except OSError as error:
            problems.append(_unreadable(error))
        except LookupError as error:
            problems.append(str(error))
    return found, problems


def _unreadable(error: OSError) -> str:
    return f"{error.filename} cannot be read: {error.strerror}"


def _of_list(path: str) -> list[str]:
    text = Path(path).read_text(encoding="utf-8-sig", errors="surrogateescape")   # as names on the command line
    if "\0" in text:
        raise LookupError(f"{path} cannot be read: it is no text")
    return [line for line in text.splitlines() if line.strip()]


def _of_folder(name: str, recursive: bool, leave: tuple[str, ...], problems: list[str]) -> list[str]:
    """The pictures in a folder; subfolders that cannot be read are added to the problems."""
    if not os.path.isdir(name):
        return [name]
    endings = {ending for ending, kind in Image.registered_extensions().items() if kind in FORMATS}
    endings |= {ending for ending, package in OPTIONAL.items() if importlib.util.find_spec(package)}
    found = [path for path in _files(name, recursive, problems) if not path.endswith(leave or "/")
             and os.path.splitext(path)[1].lower() in endings]
    if not found:
        remedy = "name another" if recursive else "name another, or use --recursive"
        raise LookupError(f"the folder {name} holds no pictures: {remedy}")
    return found


def _files(folder: str, recursive: bool, problems: list[str]) -> Iterator[str]:
    """The files of a folder, sorted, then those of its subfolders if `recursive`; hidden ones are left out."""
    with os.scandir(folder) as entries:
        entries = sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)
    yield from (entry.path for entry in entries if not entry.is_dir())
    for entry in entries:
        if recursive and entry.is_dir(follow_symlinks=False):
            try:
                yield from _files(entry.path, recursive, problems)
            except OSError as error:
                problems.append(_unreadable(error))
