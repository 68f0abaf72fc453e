"""The pictures that a command line names: files, folders, lists of names."""
import importlib.util
import os
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
        raise LookupError(f"{path} cannot be read: it is not a text file")
    return [line for line in text.splitlines() if line.strip()]


def _of_folder(name: str, recursive: bool, leave: tuple[str, ...], problems: list[str]) -> list[str]:
    """The pictures in a folder, each folder's before those of its subfolders, without hidden files and folders.

    Folders that cannot be read are added to the problems.
    """
    if not os.path.isdir(name):
        return [name]
    endings = {ending for ending, kind in Image.registered_extensions().items() if kind in FORMATS}
    endings |= {ending for ending, package in OPTIONAL.items() if importlib.util.find_spec(package)}
    found, unreadable = [], []
    for folder, folders, files in os.walk(name, onerror=lambda error: unreadable.append(_unreadable(error))):
        folders[:] = sorted(each for each in folders if recursive and not each.startswith("."))
        found += [os.path.join(folder, each) for each in sorted(files)
                  if os.path.splitext(each)[1].lower() in endings and not each.startswith(".")
                  and not each.endswith(leave)]
    problems += unreadable
    if not found and not unreadable:
        remedy = "name another" if recursive else "name another, or use --recursive"
        raise LookupError(f"the folder {name} holds no pictures: {remedy}")
    return found
