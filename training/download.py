"""Fetch a zip archive over HTTP and keep chosen members of it, checked by their SHA-256.

This module has no command line; `training/emnist.py` uses it like this:

    from training.download import fetch_members
    fetch_members("https://example.org/data.zip", "Dataset", {"inside/labels.gz": "9f86d081..."})

The archive grows in `data.zip.part`, beside `data.zip.part.validator`, which holds the ETag or the
date that says which version of the file it is. Whatever interrupts a run, the next one goes on
from there. The wanted members get their names only once they are verified; then both files go.
"""
from __future__ import annotations

import errno
import hashlib
import http.client
import re
import sys
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tqdm import tqdm

TIMEOUT = 30.0  # seconds without a single byte before the server counts as gone
RETRY_PAUSES = (1.0, 2.0, 4.0, 8.0)  # seconds before each new try; starts over when bytes arrive
CHUNK_BYTES = 1 << 16
USER_AGENT = "handwriting-recognition"  # some servers refuse urllib's own name

FILE_URL = re.compile(r"https?://[^/?#]+/(?:[^?#]*/)?([^/?#]+)(?:[?#].*)?", re.IGNORECASE)
RETRIED_STATUS = {408, 429, 500, 502, 503, 504}  # busy or overloaded: the same request may succeed
# What zipfile raises on a damaged archive, on a missing member and on an encrypted one.
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError, ValueError)

Response = http.client.HTTPResponse | urllib.error.HTTPError


class DownloadError(Exception):
    """One sentence: what failed, the URL, and the folder to put the archive into by hand."""


class _BrokenOff(Exception):
    """The transfer stopped early; another try may go on from the part file."""


@dataclass
class _Archive:
    """The zip file at `url` and its unfinished copy in `folder`."""

    url: str
    folder: Path
    size: int | None  # bytes, if known
    reached: bool = False  # has the server answered during this run?

    @property
    def name(self) -> str:
        """Last part of the URL's path, '' if it is no http or https address of a file."""
        match = FILE_URL.fullmatch(self.url)
        return match[1] if match else ""

    @property
    def part(self) -> Path:
        return self.folder / f"{self.name}.part"

    @property
    def validator_file(self) -> Path:
        return self.folder / f"{self.name}.part.validator"

    def bytes_here(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def validator(self) -> str:
        """ETag or Last-Modified date of the version that the part file belongs to, or ''."""
        return self.validator_file.read_text("latin-1") if self.validator_file.exists() else ""

    def discard(self) -> None:
        # The part goes first: a validator without a part is harmless, the reverse is not.
        self.part.unlink(missing_ok=True)
        self.validator_file.unlink(missing_ok=True)

    def error(self, reason: object) -> DownloadError:
        return DownloadError(
            f"could not fetch {self.url} ({reason}): run again to go on from what is already here, "
            f"or download it another way and put {self.name or 'it'} into {self.folder.absolute()}"
        )


def fetch_members(
    url: str, folder: Path | str, members: dict[str, str | None], size: int | None = None
) -> None:
    """Make sure that the wanted members of the zip archive at `url` are in `folder`.

    A member that is already there with the right checksum is left alone; if all are, the network
    is not used. A `folder/<zip name>` that the user put there is read instead of the network, and
    kept.

    Args:
        url: http or https address of the zip archive.
        folder: where the members go, under their base names; created if missing.
        members: path inside the archive -> SHA-256 in hex, or None where none is recorded.
        size: length of the archive in bytes, if known.

    Raises:
        DownloadError: no connection, a refusal, a full disk, a damaged archive, a missing member
            or a wrong checksum. A damaged download is removed, so that the next run starts afresh.
        KeyboardInterrupt: passes through; the next run goes on from the part file.
    """
    archive = _Archive(url, Path(folder), size)
    try:
        missing = {m: sha for m, sha in members.items() if not _is_here(archive.folder, m, sha)}
        if missing:
            _fetch_missing(archive, missing)
    except OSError as error:  # the disk: errors of the network are turned into others below
        raise archive.error(_reason(error)) from error


def _is_here(folder: Path, member: str, sha256: str | None) -> bool:
    path = folder / PurePosixPath(member).name
    if not path.is_file():
        return False
    if sha256 is None:
        return True
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256.lower()


def _fetch_missing(archive: _Archive, members: dict[str, str | None]) -> None:
    if not archive.name:
        raise archive.error("not the http or https address of a file")
    archive.folder.mkdir(parents=True, exist_ok=True)
    put_by_hand = archive.folder / archive.name
    if put_by_hand.is_file():
        try:
            _extract(put_by_hand, members, archive.folder)
        except ZIP_ERRORS as error:
            raise archive.error(f"{put_by_hand.name}, put there by hand, is bad and should be "
                                f"deleted: {_reason(error)}") from error
        return
    _download(archive)
    try:
        _extract(archive.part, members, archive.folder)
    except ZIP_ERRORS as error:
        archive.discard()
        raise archive.error(f"the damaged download was removed: {_reason(error)}") from error
    archive.discard()


# ---- The transfer ------------------------------------------------------------------------------


def _download(archive: _Archive) -> None:
    """Complete the part file, with pauses and new tries as long as the server breaks off."""
    longest, failures = archive.bytes_here(), 0
    while True:
        try:
            return _transfer(archive)
        except _BrokenOff as error:
            grown = archive.bytes_here() > longest
            longest, failures = max(longest, archive.bytes_here()), 1 if grown else failures + 1
            if failures > len(RETRY_PAUSES):
                raise archive.error(error) from error
            pause = RETRY_PAUSES[failures - 1]
            tqdm.write(f"{archive.name}: {error}; next try in {pause:g} s", file=sys.stderr)
            time.sleep(pause)


def _transfer(archive: _Archive) -> None:
    """Fetch what the part file lacks, or all of it where the part cannot be continued."""
    if archive.size is not None and archive.bytes_here() > archive.size:
        archive.discard()
    offset = archive.bytes_here()
    if offset and offset == archive.size:
        return
    with _open(archive, offset) as response:
        start, total = _content_range(response)
        if response.status == 416 and total == offset and archive.size is None:
            return  # nothing lies beyond the part: it is complete
        if response.status == 200:
            return _save(archive, response, 0, _content_length(response))
        if start == offset and not _has_changed(archive, response):
            return _save(archive, response, offset, total)
    # Only a complete answer replaces the part, so that a failure here costs nothing.
    with _open(archive, 0) as response:
        _save(archive, response, 0, _content_length(response))


def _open(archive: _Archive, offset: int) -> Response:
    """Ask for the archive from byte `offset` on; the answer's status is 200, 206 or 416."""
    headers = {"Accept-Encoding": "identity", "User-Agent": USER_AGENT}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        validator = archive.validator()
        if validator and not validator.startswith("W/"):  # a weak ETag must not be sent: RFC 9110
            headers["If-Range"] = validator
    try:
        response = urllib.request.urlopen(
            urllib.request.Request(archive.url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        response = error
    except urllib.error.URLError as error:
        # Without any answer so far, a missing network is likelier than a hiccup: say so at once.
        raise (_BrokenOff if archive.reached else archive.error)(_reason(error)) from error
    except (ValueError, http.client.InvalidURL) as error:  # a host name or port that cannot be
        raise archive.error(_reason(error)) from error
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenOff(_reason(error)) from error
    archive.reached = True
    return _accepted(archive, response, offset)


def _accepted(archive: _Archive, response: Response, offset: int) -> Response:
    """Return `response` if its status fits the request; otherwise close it and raise."""
    if response.status == 200 or offset and response.status in (206, 416):
        return response
    response.close()
    reason = f"the server answered {response.status} {response.reason}"
    raise (_BrokenOff if response.status in RETRIED_STATUS else archive.error)(reason)


def _content_length(response: Response) -> int | None:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _content_range(response: Response) -> tuple[int | None, int | None]:
    """First byte and total length in the answer's Content-Range, None where not given."""
    text = response.headers.get("Content-Range", "")
    match = re.fullmatch(r"bytes\s+(?:(\d+)-\d+|\*)/(\d+|\*)", text.strip())
    numbers = match.groups() if match else (None, None)
    start, total = (int(n) if n and n != "*" else None for n in numbers)
    return start, total


def _validator_of(response: Response) -> str:
    return response.headers.get("ETag") or response.headers.get("Last-Modified") or ""


def _has_changed(archive: _Archive, response: Response) -> bool:
    """Does a 206 answer come from another version of the file, If-Range unheeded?"""
    known, seen = archive.validator(), _validator_of(response)
    return bool(known and seen and known != seen)


def _save(archive: _Archive, response: Response, offset: int, total: int | None) -> None:
    """Write the answer's body to the part file from `offset` on, which must make `total` bytes."""
    if archive.size is not None and total not in (None, archive.size):
        raise archive.error(f"the server has {total:,} bytes instead of {archive.size:,}")
    total = archive.size if total is None else total
    with (
        open(archive.part, "ab" if offset else "wb") as part,
        tqdm(total=total, initial=offset, unit="B", unit_scale=True, desc=archive.name) as bar,
    ):
        if not offset:  # only now, with the part empty: it must never carry another's validator
            archive.validator_file.write_text(_validator_of(response), "latin-1")
        for chunk in _chunks(response):
            part.write(chunk)
            part.flush()  # so that a kill loses nothing that the bar has counted
            bar.update(len(chunk))
    if total is not None and archive.bytes_here() != total:
        raise _BrokenOff(f"the connection broke off at {archive.bytes_here():,} of {total:,} bytes")


def _chunks(response: Response) -> Iterator[bytes]:
    """Yield the body as it arrives; read1, unlike read, does not wait for a full chunk."""
    try:
        while chunk := response.read1(CHUNK_BYTES):
            yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenOff(_reason(error)) from error


def _reason(error: Exception) -> str:
    """The error in words, without urllib's wrapping and the errno."""
    error = getattr(error, "reason", None) or error
    return str(getattr(error, "strerror", None) or error).strip("'\"") or type(error).__name__


# ---- The archive -------------------------------------------------------------------------------


def _extract(source: Path, members: dict[str, str | None], folder: Path) -> None:
    """Write the members of the zip file `source` to `folder`.

    Raises one of ZIP_ERRORS if the archive is damaged or a member is missing or wrong.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            for member, sha256 in members.items():
                _extract_member(archive, member, folder, sha256)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        # zipfile followed a damaged offset to before the start of the file.
        raise zipfile.BadZipFile("an offset points out of the file") from error


def _extract_member(
    archive: zipfile.ZipFile, member: str, folder: Path, sha256: str | None
) -> None:
    """Write one member under a temporary name and rename it once it is verified."""
    target = folder / PurePosixPath(member).name
    unverified = target.with_name(target.name + ".part")
    try:
        seen = _copy_member(archive, member, unverified)
        if sha256 is not None and seen != sha256.lower():
            raise ValueError(f"its SHA-256 is {seen} instead of {sha256}")
        unverified.replace(target)
    except ZIP_ERRORS as error:
        raise zipfile.BadZipFile(f"{member}: {_reason(error)}") from error
    finally:
        unverified.unlink(missing_ok=True)


def _copy_member(archive: zipfile.ZipFile, member: str, path: Path) -> str:
    """Unpack one member to `path` and return its SHA-256 in hex."""
    digest = hashlib.sha256()
    with archive.open(member) as source, open(path, "wb") as copy:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            copy.write(chunk)
    return digest.hexdigest()
