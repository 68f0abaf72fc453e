"""training/download.py against a real HTTP server that misbehaves in the ways that servers do."""

import hashlib
import io
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from training import download
from training.download import DownloadError, fetch_members

IMAGES, LABELS = "gzip/images.gz", "gzip/labels.gz"
CONTENT = {
    IMAGES: random.Random(1).randbytes(300_000),
    LABELS: random.Random(2).randbytes(2_000),
    "gzip/unwanted.gz": random.Random(3).randbytes(100_000),
}
MEMBERS = {name: hashlib.sha256(CONTENT[name]).hexdigest() for name in (IMAGES, LABELS)}


def zip_of(content: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return buffer.getvalue()


ZIP = zip_of(CONTENT)


class Server(ThreadingHTTPServer):
    """Serves `payload` at any path; the attributes switch its behaviour."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.payload = ZIP
        self.headers = {"ETag": '"one"'}
        self.errors = []  # HTTP statuses with which the coming requests are refused
        self.ranges = True
        self.heeds_if_range = True
        self.range_shift = 0  # start of the ranges sent, relative to those asked for
        self.break_off = []  # bytes after which the coming answers break off
        self.delay = 0.0  # seconds before each 4 KiB
        self.asked = []  # (Range, If-Range) of each request

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/data/gzip.zip?version=1"

    @property
    def ranges_asked(self):
        return [wanted for wanted, _ in self.asked]


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        server, wanted = self.server, self.headers["Range"]
        server.asked.append((wanted, self.headers["If-Range"]))
        if server.errors:
            return self.send_error(server.errors.pop(0))
        validators = (None, *server.headers.values())
        if server.heeds_if_range and self.headers["If-Range"] not in validators:
            wanted = None
        if wanted and server.ranges:
            return self.send_range(int(wanted.removeprefix("bytes=").removesuffix("-")))
        self.send_body(200, 0)

    def send_range(self, start):
        total = len(self.server.payload)
        if start >= total:
            return self.send_body(416, total, f"bytes */{total}")
        start += self.server.range_shift
        self.send_body(206, start, f"bytes {start}-{total - 1}/{total}")

    def send_body(self, status, start, content_range=None):
        body = self.server.payload[start:]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if content_range:
            self.send_header("Content-Range", content_range)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.server.break_off:
            body = body[: self.server.break_off.pop(0)]
        try:
            for first in range(0, len(body), 4096):
                time.sleep(self.server.delay)
                self.wfile.write(body[first : first + 4096])
        except ConnectionError:
            self.close_connection = True  # the client was killed, as the test wanted


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(download, "RETRY_PAUSES", (0.01, 0.02))
    monkeypatch.setattr(download, "TIMEOUT", 5.0)
    monkeypatch.setenv("no_proxy", "*")


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def assert_fetched(folder: Path) -> None:
    """Both members are there, right, and nothing else is."""
    assert files(folder) == {"images.gz", "labels.gz"}
    assert (folder / "images.gz").read_bytes() == CONTENT[IMAGES]
    assert (folder / "labels.gz").read_bytes() == CONTENT[LABELS]


def assert_only_part(folder: Path) -> int:
    """Only an honest beginning of the archive is there; return its length in bytes."""
    assert files(folder) == {"gzip.zip.part", "gzip.zip.part.validator"}
    part = (folder / "gzip.zip.part").read_bytes()
    assert ZIP.startswith(part)
    return len(part)


def assert_sentence(error, server_url: str, folder: Path) -> None:
    """The message says where from and where to, on one line."""
    assert server_url in str(error.value)
    assert str(folder) in str(error.value)
    assert "\n" not in str(error.value)


# ---- All goes well ------------------------------------------------------------------------------


def test_fetches_only_the_wanted_members_with_a_progress_bar(server, tmp_path, capsys):
    folder = tmp_path / "new" / "folder"
    fetch_members(server.url, folder, MEMBERS, len(ZIP))
    assert_fetched(folder)
    assert server.asked == [(None, None)]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "gzip.zip: 100%" in captured.err and "B/s]" in captured.err


def test_members_that_are_there_need_no_network(server, tmp_path):
    fetch_members(server.url, tmp_path, MEMBERS | {LABELS: None})
    server.asked.clear()
    fetch_members(server.url, tmp_path, MEMBERS | {LABELS: None})
    assert server.asked == []


def test_a_damaged_member_is_fetched_again(server, tmp_path):
    fetch_members(server.url, tmp_path, MEMBERS)
    (tmp_path / "labels.gz").write_bytes(CONTENT[LABELS][:-1])
    fetch_members(server.url, tmp_path, MEMBERS)
    assert_fetched(tmp_path)


def test_an_archive_put_there_by_hand_is_read_and_kept(server, tmp_path):
    (tmp_path / "gzip.zip").write_bytes(ZIP)
    fetch_members(server.url, tmp_path, MEMBERS, len(ZIP))
    assert server.asked == []
    assert (tmp_path / "gzip.zip").read_bytes() == ZIP
    (tmp_path / "gzip.zip").unlink()
    assert_fetched(tmp_path)


# ---- Broken downloads go on ---------------------------------------------------------------------


def test_goes_on_within_one_run_when_the_server_breaks_off(server, tmp_path, capsys):
    server.break_off = [50_000, 60_000, 70_000, 80_000]  # more often than there are pauses
    fetch_members(server.url, tmp_path, MEMBERS, len(ZIP))
    assert_fetched(tmp_path)
    offsets = [None, "bytes=50000-", "bytes=110000-", "bytes=180000-", "bytes=260000-"]
    assert server.ranges_asked == offsets
    assert f"broke off at 50,000 of {len(ZIP):,} bytes" in capsys.readouterr().err


def test_goes_on_in_the_next_run_with_the_bar_at_the_parts_size(server, tmp_path, capsys):
    server.break_off = [200_000, 0, 0]
    with pytest.raises(DownloadError, match="broke off at 200,000") as error:
        fetch_members(server.url, tmp_path, MEMBERS, len(ZIP))
    assert_sentence(error, server.url, tmp_path)
    assert assert_only_part(tmp_path) == 200_000
    server.asked.clear()
    capsys.readouterr()
    fetch_members(server.url, tmp_path, MEMBERS, len(ZIP))
    assert_fetched(tmp_path)
    assert server.asked == [("bytes=200000-", '"one"')]
    first_shown = capsys.readouterr().err.split("%")[0]
    assert first_shown.endswith(f" {100 * 200_000 / len(ZIP):.0f}")


def test_a_busy_server_is_asked_again(server, tmp_path):
    server.errors = [503, 429]
    fetch_members(server.url, tmp_path, MEMBERS)
    assert_fetched(tmp_path)
    assert len(server.asked) == 3


def test_starts_over_on_a_server_without_ranges(server, tmp_path):
    server.ranges, server.break_off = False, [150_000]
    fetch_members(server.url, tmp_path, MEMBERS, len(ZIP))
    assert_fetched(tmp_path)
    assert server.ranges_asked == [None, "bytes=150000-"]


@pytest.mark.parametrize("size", [None, len(ZIP)])
@pytest.mark.parametrize("heeds_if_range", [True, False])
@pytest.mark.parametrize("old, new", [
    ({"ETag": '"one"'}, {"ETag": '"two"'}),
    ({"ETag": 'W/"one"'}, {"ETag": 'W/"two"'}),
    ({"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"},
     {"Last-Modified": "Tue, 02 Jan 2024 00:00:00 GMT"}),
])
def test_starts_over_when_the_file_has_changed(server, tmp_path, old, new, heeds_if_range, size):
    server.payload, server.headers = zip_of(dict.fromkeys(CONTENT, bytes(100_000))), old
    server.break_off = [90_000, 0, 0]
    with pytest.raises(DownloadError):
        fetch_members(server.url, tmp_path, MEMBERS)
    server.payload, server.headers, server.heeds_if_range = ZIP, new, heeds_if_range
    fetch_members(server.url, tmp_path, MEMBERS, size)
    assert_fetched(tmp_path)
    # RFC 9110 forbids weak ETags in If-Range
    assert not any((if_range or "").startswith("W/") for _, if_range in server.asked)


def test_a_range_that_starts_elsewhere_is_not_appended(server, tmp_path):
    (tmp_path / "gzip.zip.part").write_bytes(ZIP[:1000])
    server.range_shift = -10
    fetch_members(server.url, tmp_path, MEMBERS)
    assert_fetched(tmp_path)
    assert server.ranges_asked == ["bytes=1000-", None]


def test_a_complete_part_of_known_size_needs_no_network(server, tmp_path):
    (tmp_path / "gzip.zip.part").write_bytes(ZIP)
    (tmp_path / "images.gz.part").write_bytes(b"left by a kill while unpacking")
    fetch_members(server.url, tmp_path, MEMBERS, len(ZIP))
    assert_fetched(tmp_path)
    assert server.asked == []


def test_a_complete_part_of_unknown_size_is_not_fetched_again(server, tmp_path):
    (tmp_path / "gzip.zip.part").write_bytes(ZIP)
    fetch_members(server.url, tmp_path, MEMBERS)
    assert_fetched(tmp_path)
    assert server.ranges_asked == [f"bytes={len(ZIP)}-"]


@pytest.mark.parametrize("size, asked", [
    (None, [f"bytes={len(ZIP) + 1}-", None]),
    (len(ZIP), [None]),
])
def test_a_part_that_is_too_long_is_discarded(server, tmp_path, size, asked):
    (tmp_path / "gzip.zip.part").write_bytes(ZIP + b"x")
    fetch_members(server.url, tmp_path, MEMBERS, size)
    assert_fetched(tmp_path)
    assert server.ranges_asked == asked


# ---- Killed and interrupted ---------------------------------------------------------------------


def stop_in_mid_download(server: Server, folder: Path, how: signal.Signals) -> int:
    """Stop a real run once it has written something, and return its exit status."""
    server.delay = 0.02
    code = f"""if True:
        import signal
        from training import download
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background jobs
        download.fetch_members({server.url!r}, {str(folder)!r}, {MEMBERS})"""
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL,
                             cwd=Path(download.__file__).parents[1])
    part = folder / "gzip.zip.part"
    try:
        deadline = time.monotonic() + 8
        while not (part.exists() and part.stat().st_size > 20_000):
            assert child.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        child.send_signal(how)
        return child.wait(5)
    finally:
        child.kill()
        child.wait()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_goes_on_after_kill_and_ctrl_c(server, tmp_path, how):
    how = signal.Signals[how]
    assert stop_in_mid_download(server, tmp_path, how) == -how  # KeyboardInterrupt got through
    length = assert_only_part(tmp_path)
    assert 20_000 < length < len(ZIP)
    server.delay = 0
    fetch_members(server.url, tmp_path, MEMBERS)
    assert_fetched(tmp_path)
    assert server.asked == [(None, None), (f"bytes={length}-", '"one"')]


# ---- One clear sentence -------------------------------------------------------------------------


def test_not_found(server, tmp_path):
    server.errors = [404]
    with pytest.raises(DownloadError, match="404 Not Found") as error:
        fetch_members(server.url, tmp_path, MEMBERS)
    assert_sentence(error, server.url, tmp_path)
    assert len(server.asked) == 1  # asking again would not help


@pytest.mark.parametrize("address", [
    "http://127.0.0.1:{port}/gzip.zip",  # a closed port
    "http://not..a.host/gzip.zip",
    "http://127.0.0.1:port/gzip.zip",
    "file:///etc/hostname",
    "gzip.zip",
])
def test_no_server(tmp_path, address):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound but not listening
        url = address.format(port=closed.getsockname()[1])
        with pytest.raises(DownloadError) as error:
            fetch_members(url, tmp_path, MEMBERS)
    assert_sentence(error, url, tmp_path)
    assert files(tmp_path) == set()


def test_a_server_that_goes_away_leaves_the_part(tmp_path, capsys):
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/gzip.zip"

    def answer_once():
        connection = listener.accept()[0]
        listener.close()
        with connection:
            connection.recv(4096)
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(ZIP)}\r\n\r\n"
            connection.sendall(head.encode() + ZIP[:30_000])

    thread = threading.Thread(target=answer_once, daemon=True)
    thread.start()
    with pytest.raises(DownloadError) as error:
        fetch_members(url, tmp_path, MEMBERS)
    thread.join()
    assert_sentence(error, url, tmp_path)
    assert assert_only_part(tmp_path) == 30_000
    assert capsys.readouterr().err.count("next try in") == len(download.RETRY_PAUSES)


def test_a_silent_server_times_out(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(download, "TIMEOUT", 0.05)
    begin = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/gzip.zip"
        with pytest.raises(DownloadError, match="timed out") as error:
            fetch_members(url, tmp_path, MEMBERS)
    assert time.monotonic() - begin < 3
    assert_sentence(error, url, tmp_path)
    assert capsys.readouterr().err.count("next try in") == len(download.RETRY_PAUSES)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk(server, tmp_path):
    (tmp_path / "gzip.zip.part").symlink_to("/dev/full")
    with pytest.raises(DownloadError, match="No space left") as error:
        fetch_members(server.url, tmp_path, MEMBERS)
    assert_sentence(error, server.url, tmp_path)


def test_trouble_with_the_folder_while_unpacking_keeps_the_archive(server, tmp_path):
    (tmp_path / "labels.gz").mkdir()  # cannot be replaced by a file
    with pytest.raises(DownloadError) as error:
        fetch_members(server.url, tmp_path, MEMBERS)
    assert_sentence(error, server.url, tmp_path)
    assert (tmp_path / "gzip.zip.part").read_bytes() == ZIP
    (tmp_path / "labels.gz").rmdir()
    fetch_members(server.url, tmp_path, MEMBERS, len(ZIP))
    assert_fetched(tmp_path)
    assert len(server.asked) == 1


def test_another_length_is_refused_at_once(server, tmp_path):
    server.payload = b"<html>Please log in to the network.</html>"
    with pytest.raises(DownloadError, match=f"42 bytes instead of {len(ZIP):,}") as error:
        fetch_members(server.url, tmp_path, MEMBERS, len(ZIP))
    assert_sentence(error, server.url, tmp_path)
    assert files(tmp_path) == set()


@pytest.mark.parametrize("bad, named", [
    (zip_of(CONTENT | {LABELS: b"something else"}), LABELS),  # a wrong checksum
    (zip_of({IMAGES: CONTENT[IMAGES]}), LABELS),  # a missing member
    (ZIP.replace(CONTENT[LABELS], bytes(2000)), LABELS),  # damaged inside
    (ZIP[:-1000], "not a zip file"),
    (b"<html>Please log in to the network.</html>", "not a zip file"),
], ids=["checksum", "missing", "damaged", "truncated", "html"])
def test_a_bad_archive_is_named_and_removed(server, tmp_path, bad, named):
    server.payload = bad
    with pytest.raises(DownloadError, match=named) as error:
        fetch_members(server.url, tmp_path, MEMBERS)
    assert_sentence(error, server.url, tmp_path)
    assert files(tmp_path) <= {"images.gz"}  # verified before the bad one was met
    server.payload = ZIP
    fetch_members(server.url, tmp_path, MEMBERS)
    assert_fetched(tmp_path)
    assert server.ranges_asked == [None, None]


def test_a_bad_archive_put_there_by_hand_is_named_and_kept(server, tmp_path):
    (tmp_path / "gzip.zip").write_bytes(ZIP[:-1000])
    with pytest.raises(DownloadError, match="gzip.zip, put there by hand, is bad") as error:
        fetch_members(server.url, tmp_path, MEMBERS)
    assert_sentence(error, server.url, tmp_path)
    assert files(tmp_path) == {"gzip.zip"}
