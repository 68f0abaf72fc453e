"""Fetches files over HTTP; if a run is interrupted, the next one continues from there.

    from training import download
    download.fetch("https://example.org/data.zip", "Dataset", {"inside/labels.gz": "9f86d081..."}, size=1_000_000)

Each file that is kept is pinned by its SHA-256, and gets its name once that is right.  Until then the download grows
in `data.zip.part`.  A file that has changed on the server cannot pass, so no ETag is needed to resume the part.
"""
import errno
import sys
import threading
import time
import urllib.parse
import zipfile
import zlib
from concurrent.futures import Future
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import requests
import urllib3
from tqdm import tqdm

from common import errors, files

TIMEOUT = 30.0                        # seconds without a single byte before the server counts as gone
SLOWEST = 20_000                      # bytes per second, on average over a run; slower downloads are given up
RETRY_PAUSES = (1.0, 2.0, 4.0, 8.0)   # seconds before each retry; starts over when tries bring 1 % of the file
MOST_REDIRECTS = 5
MOST_UNPACKED = 20                    # times an archive's size, for one member
CHUNK = 1 << 16                       # bytes read at a time
HEADERS = {"Accept-Encoding": "identity", "User-Agent": "handwriting-recognition"}   # some servers refuse libraries
BUSY = {408, 429, 500, 502, 503, 504}   # statuses after which the same request may succeed
# What zipfile raises for an archive that is damaged, encrypted or lacks a member.
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError, ValueError)


class DownloadError(errors.UserError):
    """One sentence: the URL, what failed, and the folder to put its contents into."""


class _BrokenOff(Exception):
    """The transfer has stopped early; a retry may continue from the part file."""


def fetch(url: str, folder: Path | str, contents: dict[str, str], size: int) -> None:
    """Make sure that the wanted contents of the file at `url` are in `folder`.

    Files already there with the right checksum are left alone; if all are, the network is not used.

    url: http or https address.
    contents: for a zip archive, the path of each wanted member -> its SHA-256 in hex; members go into the folder under
        their base names.  For any other file, the URL's base name -> SHA-256.
    size: length of the file at `url` in bytes; if the server does not tell the length, the most it may have.

    Raises DownloadError if there is no connection, and for a refusal, a full disk, a wrong length, a trickle, a damaged
    archive, a missing member or a wrong checksum.  A bad download is removed, so that the next run starts afresh; any
    other is kept, even after Ctrl-C.
    """
    def missing() -> dict[str, str]:
        return {name: sha256 for name, sha256 in contents.items()
                if not _is_right(Path(folder, PurePosixPath(name).name), sha256)}

    transfer = _Transfer(url, Path(folder), size)
    try:
        if missing():
            with files.locked(Path(folder, ".lock")):   # two fetches at once would write into one part file
                if left := missing():
                    transfer.complete()
                    _keep(transfer, left)
    except OSError as error:   # the disk: network errors are caught where they happen
        raise transfer.error(_reason(error)) from error


class _Transfer:
    """A file on its way from a URL into a folder."""

    def __init__(self, url: str, folder: Path, size: int):
        self.url, self.folder, self.size = url, folder, size
        self.name = PurePosixPath(urllib.parse.urlsplit(url).path).name
        self.part = folder / f"{self.name}.part"
        self._answered = False   # whether the server has answered in this run

    def error(self, reason: object) -> DownloadError:
        """The error to raise for this reason."""
        return DownloadError(f"could not fetch {self.url} ({reason}): run again to go on from what is already here, "
                             f"or download it another way and put its contents into {self.folder.absolute()}")

    def complete(self) -> None:
        """Complete the part file; retries after a pause, unless several tries in a row bring next to nothing."""
        self._deadline = time.monotonic() + 2 * TIMEOUT + self.size / SLOWEST
        if self._length() > self.size:
            self.part.unlink()
        longest, failures = self._length(), 0
        while self._length() != self.size:
            try:
                return self._receive(self._length())
            except (requests.RequestException, urllib3.exceptions.HTTPError, _BrokenOff) as error:
                # If nothing has answered so far, a missing network is likelier than a hiccup.
                hopeless = isinstance(error, requests.ConnectionError) and not self._answered
                gained = self._length() - longest > self.size / 100
                failures, longest = (1, self._length()) if gained else (failures + 1, longest)
                hopeless |= isinstance(error, (ValueError, requests.TooManyRedirects))   # ValueError: the URL
                if hopeless or failures > len(RETRY_PAUSES):
                    raise self.error(_reason(error)) from error
                tqdm.write(f"{self.name}: {_reason(error)}; next try in {RETRY_PAUSES[failures - 1]:g} s",
                           file=sys.stderr)
            time.sleep(RETRY_PAUSES[failures - 1])

    def _length(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _receive(self, offset: int) -> None:
        """Ask for the file from byte `offset` on and append what comes."""
        with self._ask({"Range": f"bytes={offset}-"} if offset else {}) as response:
            self._answered = True
            status = response.status_code
            if status in BUSY:
                raise _BrokenOff(f"the server answered {status} {response.reason}")
            if status == 416 or status == 206 and not response.headers.get("Content-Range", "").startswith(
                    f"bytes {offset}-"):
                self.part.unlink(missing_ok=True)
                raise _BrokenOff(f"the server does not go on at byte {offset:,}")
            if status not in (200, 206):
                raise self.error(f"the server answered {status} {response.reason}")
            self._save(response.raw, offset if status == 206 else 0)

    def _ask(self, wanted: dict[str, str]) -> requests.Response:
        """The response to a request with these headers, its body unread, if it comes before the deadline.

        A thread asks, since requests would wait for any trickle of headers.
        """
        answer, session = Future(), requests.Session()
        session.max_redirects = MOST_REDIRECTS
        session.hooks["response"] = [_drop_redirect]

        def work() -> None:
            try:
                answer.set_result(session.get(self.url, headers=HEADERS | wanted, stream=True, timeout=TIMEOUT))
            except Exception as error:
                answer.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        try:
            return answer.result(max(0.0, self._deadline - time.monotonic()))
        except TimeoutError:
            raise self.error("no answer came in time") from None

    def _save(self, body: urllib3.HTTPResponse, offset: int) -> None:
        """Write a response's body to the part file from `offset` on."""
        if body.length_remaining is not None and offset + body.length_remaining != self.size:
            raise self.error(f"the server has {offset + body.length_remaining:,} bytes instead of {self.size:,}")
        try:
            with (open(self.part, "ab" if offset else "wb") as part,
                  tqdm(total=self.size, initial=offset, unit="B", unit_scale=True, desc=self.name) as bar):
                # Unlike read, read1 does not wait for a full chunk; compressed content stays compressed.
                while chunk := body.read1(CHUNK, decode_content=False):
                    offset += len(chunk)
                    if offset > self.size:
                        break
                    part.write(chunk)
                    part.flush()   # so that a kill loses nothing that the bar has counted
                    bar.update(len(chunk))
                    if time.monotonic() > self._deadline:
                        raise self.error(f"only {offset:,} of {self.size:,} bytes came in time")
        except urllib3.exceptions.HTTPError as error:
            raise _BrokenOff(f"the connection broke off at {offset:,} of {self.size:,} bytes") from error
        if offset > self.size:
            self.part.unlink()
            raise self.error(f"the server sends more than {self.size:,} bytes")


def _drop_redirect(response: requests.Response, *_, **__) -> None:
    """Drop the body of a redirection: requests would read it, however long."""
    if response.is_redirect:
        response.close()


def _is_right(path: Path, sha256: str) -> bool:
    return path.is_file() and files.sha256(path) == sha256


def _keep(transfer: _Transfer, contents: dict[str, str]) -> None:
    """Verify the wanted contents of a complete part file, give them their names, and remove the part file."""
    name = transfer.name
    try:
        if name in contents:
            with open(transfer.part, "rb") as source:
                _write(source, contents[name], transfer.folder / name, transfer.size)
        else:
            with zipfile.ZipFile(transfer.part) as archive:
                for name, sha256 in contents.items():
                    target = transfer.folder / PurePosixPath(name).name
                    with archive.open(name) as source:
                        _write(source, sha256, target, MOST_UNPACKED * transfer.size)
    except (*ZIP_ERRORS, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:   # EINVAL: an offset before the file's start
            raise
        transfer.part.unlink()
        raise transfer.error(f"the bad download was removed: {name}: {_reason(error)}") from error
    transfer.part.unlink()


def _write(source: BinaryIO, sha256: str, target: Path, most: int) -> None:
    """Write a source's content, at most `most` bytes, to a file, which gets its name if its SHA-256 is right.

    Raises ValueError otherwise.
    """
    def write(path: Path) -> None:
        with open(path, "wb") as copy:
            while copy.tell() <= most and (chunk := source.read(CHUNK)):
                copy.write(chunk)
        if not _is_right(path, sha256):
            raise ValueError("its SHA-256 is another one")

    files.write_atomically(target, write)


def _reason(error: BaseException) -> str:
    """The root cause of an error in words, without the exceptions that wrap it and without the errno."""
    while error.__context__ and not isinstance(error, _BrokenOff):
        error = error.__context__
    return str(getattr(error, "strerror", None) or error).strip("'\"") or type(error).__name__
