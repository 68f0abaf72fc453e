"""training/download.py against a real HTTP server that misbehaves in the ways that servers do."""
import contextlib
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
    """Serves `payload` at any path; the attributes control its behaviour."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.payload = ZIP
        self.errors = []          # HTTP statuses that refuse the next requests
        self.ranges = True
        self.range_shift = 0      # start of the ranges sent, relative to those requested
        self.tells_length = True
        self.break_off = []       # bytes after which the next answers break off
        self.delay = 0.0          # seconds before each 4 KiB
        self.asked = []           # Range of each request

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/data/gzip.zip?version=1"


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        server, wanted = self.server, self.headers["Range"]
        server.asked.append(wanted)
        if server.errors:
            return self.send_error(server.errors.pop(0))
        if not wanted or not server.ranges:
            return self.send_body(200, 0)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) + server.range_shift
        self.send_body(206, start)

    def send_body(self, status, start):
        body, server = self.server.payload[start:], self.server
        self.send_response(status)
        if server.tells_length:
            self.send_header("Content-Length", str(len(body)))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(server.payload) - 1}/{len(server.payload)}")
        self.end_headers()
        if server.break_off:
            body = body[:server.break_off.pop(0)]
        try:
            for first in range(0, len(body), 4096):
                time.sleep(server.delay)
                self.wfile.write(body[first:first + 4096])
        except ConnectionError:
            self.close_connection = True  # the client has enough, as the test wanted


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
    monkeypatch.setattr(download, "RETRY_PAUSES", (0.001, 0.002))
    monkeypatch.setattr(download, "TIMEOUT", 5.0)
    monkeypatch.setenv("no_proxy", "*")


def fetch(server: Server, folder: Path, size: int = len(ZIP)) -> None:
    download.fetch(server.url, folder, MEMBERS, size)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != ".lock"}


def assert_fetched(folder: Path) -> None:
    """Both members are there and correct, and nothing else is."""
    assert files(folder) == {"images.gz", "labels.gz"}
    assert (folder / "images.gz").read_bytes() == CONTENT[IMAGES]
    assert (folder / "labels.gz").read_bytes() == CONTENT[LABELS]


def assert_only_part(folder: Path) -> int:
    """Only a correct beginning of the archive is there; returns its length in bytes."""
    assert files(folder) == {"gzip.zip.part"}
    part = (folder / "gzip.zip.part").read_bytes()
    assert ZIP.startswith(part)
    return len(part)


def refused(url: str, folder: Path, size: int = len(ZIP)) -> str:
    """The message of a failed download: one line that says where from and where to."""
    with pytest.raises(download.DownloadError) as error:
        download.fetch(url, folder, MEMBERS, size)
    message = str(error.value)
    assert url in message and str(folder) in message and "\n" not in message
    return message


# ---- all goes well

def test_fetches_only_the_wanted_members_with_a_progress_bar(server, tmp_path, capsys):
    folder = tmp_path / "new" / "folder"
    fetch(server, folder)
    assert_fetched(folder)
    assert server.asked == [None]
    captured = capsys.readouterr()
    assert captured.out == "" and "gzip.zip: 100%" in captured.err and "B/s]" in captured.err


def test_what_is_there_is_left_alone_and_what_is_damaged_is_fetched_again(server, tmp_path):
    fetch(server, tmp_path)
    fetch(server, tmp_path)
    assert server.asked == [None]
    (tmp_path / "labels.gz").write_bytes(CONTENT[LABELS][:-1])
    fetch(server, tmp_path)
    assert_fetched(tmp_path)


def test_a_single_file_is_fetched_and_verified(server, tmp_path):
    server.payload = CONTENT[LABELS]
    wanted = {"gzip.zip": MEMBERS[LABELS]}
    (tmp_path / "gzip.zip").write_bytes(b"an older version")
    download.fetch(server.url, tmp_path, wanted, len(CONTENT[LABELS]))
    assert files(tmp_path) == {"gzip.zip"} and (tmp_path / "gzip.zip").read_bytes() == CONTENT[LABELS]
    (tmp_path / "gzip.zip").unlink()
    server.payload = bytes(len(CONTENT[LABELS]))
    with pytest.raises(download.DownloadError, match="SHA-256"):
        download.fetch(server.url, tmp_path, wanted, len(CONTENT[LABELS]))
    assert files(tmp_path) == set()


def test_a_server_that_tells_no_length_may_send_less_than_the_limit(server, tmp_path):
    server.tells_length = False
    fetch(server, tmp_path, len(ZIP) + 1000)
    assert_fetched(tmp_path)


# ---- broken downloads go on

def test_goes_on_within_one_run_when_the_server_breaks_off(server, tmp_path, capsys):
    server.break_off = [50_000, 60_000, 70_000, 80_000]  # more often than there are pauses
    fetch(server, tmp_path)
    assert_fetched(tmp_path)
    assert server.asked == [None, "bytes=50000-", "bytes=110000-", "bytes=180000-", "bytes=260000-"]
    assert f"broke off at 50,000 of {len(ZIP):,} bytes" in capsys.readouterr().err


def test_goes_on_in_the_next_run_with_the_bar_at_the_parts_size(server, tmp_path, capsys):
    server.break_off = [200_000, 0, 0]
    assert "broke off at 200,000" in refused(server.url, tmp_path)
    assert assert_only_part(tmp_path) == 200_000
    server.asked.clear()
    capsys.readouterr()
    fetch(server, tmp_path)
    assert_fetched(tmp_path)
    assert server.asked == ["bytes=200000-"]
    assert capsys.readouterr().err.split("%")[0].endswith(f" {100 * 200_000 / len(ZIP):.0f}")


def test_a_busy_server_is_asked_again(server, tmp_path):
    server.errors = [503, 429]
    fetch(server, tmp_path)
    assert_fetched(tmp_path)
    assert len(server.asked) == 3


def test_starts_over_on_a_server_without_ranges(server, tmp_path):
    server.ranges, server.break_off = False, [150_000]
    fetch(server, tmp_path)
    assert_fetched(tmp_path)
    assert server.asked == [None, "bytes=150000-"]


def test_a_range_that_starts_elsewhere_is_not_appended(server, tmp_path):
    (tmp_path / "gzip.zip.part").write_bytes(ZIP[:1000])
    server.range_shift = -10
    fetch(server, tmp_path)
    assert_fetched(tmp_path)
    assert server.asked == ["bytes=1000-", None]


@pytest.mark.parametrize("part, asked", [(ZIP, []), (ZIP + b"x", [None])])
def test_a_complete_part_needs_no_network_and_one_that_is_too_long_is_discarded(server, tmp_path, part, asked):
    (tmp_path / "gzip.zip.part").write_bytes(part)
    fetch(server, tmp_path)
    assert_fetched(tmp_path)
    assert server.asked == asked


# ---- killed and interrupted

@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_goes_on_after_kill_and_ctrl_c(server, tmp_path, how):
    server.delay = 0.02
    code = f"""if True:
        import signal
        from training import download
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background jobs
        download.fetch({server.url!r}, {str(tmp_path)!r}, {MEMBERS}, {len(ZIP)})"""
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL,
                             cwd=Path(download.__file__).parents[1])
    part = tmp_path / "gzip.zip.part"
    try:
        deadline = time.monotonic() + 60
        while not (part.exists() and part.stat().st_size > 20_000):
            assert child.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        child.send_signal(how)
        assert child.wait(5) == -how  # KeyboardInterrupt got through
    finally:
        child.kill()
        child.wait()
    length = assert_only_part(tmp_path)
    assert 20_000 < length < len(ZIP)
    server.delay = 0
    fetch(server, tmp_path)
    assert_fetched(tmp_path)
    assert server.asked == [None, f"bytes={length}-"]


# ---- one clear sentence

def test_not_found(server, tmp_path):
    server.errors = [404]
    assert "404 Not Found" in refused(server.url, tmp_path)
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
        refused(address.format(port=closed.getsockname()[1]), tmp_path)
    assert files(tmp_path) == set()


def test_a_server_that_goes_away_leaves_the_part(tmp_path, capsys):
    listener = socket.create_server(("127.0.0.1", 0))

    def answer_once():
        connection = listener.accept()[0]
        listener.close()
        with connection:
            connection.recv(4096)
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(ZIP)}\r\n\r\n"
            connection.sendall(head.encode() + ZIP[:30_000])

    url = f"http://127.0.0.1:{listener.getsockname()[1]}/gzip.zip"
    thread = threading.Thread(target=answer_once, daemon=True)
    thread.start()
    assert "Connection refused" in refused(url, tmp_path)
    thread.join()
    assert assert_only_part(tmp_path) == 30_000
    assert capsys.readouterr().err.count("next try in") == len(download.RETRY_PAUSES)


def test_a_silent_server_times_out(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(download, "TIMEOUT", 0.02)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert "timed out" in refused(f"http://127.0.0.1:{silent.getsockname()[1]}/gzip.zip", tmp_path)
    assert capsys.readouterr().err.count("next try in") == len(download.RETRY_PAUSES)


def test_a_trickle_is_given_up_and_its_bytes_are_kept(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "TIMEOUT", 0.02)
    monkeypatch.setattr(download, "SLOWEST", 10 * len(ZIP))   # 0.04 s for the pauses and 0.1 s for the file
    server.delay = 0.01   # 1 s for the file, never silent for TIMEOUT
    assert "bytes came in time" in refused(server.url, tmp_path)
    assert 4096 <= assert_only_part(tmp_path) < len(ZIP)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk(server, tmp_path):
    (tmp_path / "gzip.zip.part").symlink_to("/dev/full")
    assert "No space left" in refused(server.url, tmp_path)


def test_trouble_with_the_folder_while_unpacking_keeps_the_archive(server, tmp_path):
    (tmp_path / "labels.gz").mkdir()  # cannot be replaced by a file
    refused(server.url, tmp_path)
    assert (tmp_path / "gzip.zip.part").read_bytes() == ZIP
    (tmp_path / "labels.gz").rmdir()
    fetch(server, tmp_path)
    assert_fetched(tmp_path)
    assert len(server.asked) == 1


@pytest.mark.parametrize("tells_length", [True, False])
def test_another_length_is_refused(server, tmp_path, tells_length):
    server.payload, server.tells_length = bytes(1_000_000), tells_length
    message = refused(server.url, tmp_path)
    assert f"1,000,000 bytes instead of {len(ZIP):,}" in message or f"more than {len(ZIP):,} bytes" in message
    assert files(tmp_path) == set()


@pytest.mark.parametrize("bad, named", [
    (zip_of(CONTENT | {LABELS: b"something else"}), LABELS),  # a wrong checksum
    (zip_of({IMAGES: CONTENT[IMAGES]}), LABELS),              # a missing member
    (ZIP.replace(CONTENT[LABELS], bytes(2000)), LABELS),      # damaged inside
    (ZIP[:-1000], "not a zip file"),
], ids=["checksum", "missing", "damaged", "truncated"])
def test_a_bad_archive_is_named_and_removed(server, tmp_path, bad, named):
    server.payload = bad
    assert named in refused(server.url, tmp_path, len(bad))
    assert files(tmp_path) <= {"images.gz"}  # verified before the bad one was reached
    server.payload = ZIP
    fetch(server, tmp_path)
    assert_fetched(tmp_path)
    assert server.asked == [None, None]


# ---- hostile servers

def serve(answer, monkeypatch) -> str:
    """The address of a server that calls `answer` with each connection after reading the request."""
    listener = socket.create_server(("127.0.0.1", 0))

    def work():
        while True:
            connection = listener.accept()[0]
            with connection, contextlib.suppress(OSError):
                connection.recv(4096)
                answer(connection)

    threading.Thread(target=work, daemon=True).start()
    monkeypatch.setattr(download, "TIMEOUT", 0.3)
    return f"http://127.0.0.1:{listener.getsockname()[1]}/gzip.zip"


def trickle(connection):
    for letter in b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 10_000:
        connection.sendall(bytes([letter]))
        time.sleep(0.02)


def flood(head: bytes, sent: list[int]):
    def answer(connection):
        connection.sendall(head)
        while True:
            sent[0] += connection.send(bytes(1 << 16))
    return answer


def step(bytes_more: list[int]):
    """Send the file from its beginning each time, and break off one byte later than before."""
    def answer(connection):
        bytes_more[0] += 1
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(ZIP)}\r\n\r\n".encode() + ZIP[:bytes_more[0]])
    return answer


def test_headers_that_trickle_are_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "SLOWEST", 10 * len(ZIP))
    start = time.monotonic()
    assert "no answer came in time" in refused(serve(trickle, monkeypatch), tmp_path)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("head", [
    b"HTTP/1.1 302 Found\r\nLocation: /gzip.zip\r\n\r\n",            # again and again, with an endless body
    b"HTTP/1.1 200 OK\r\n\r\n",                                       # of unknown length
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"], ids=["redirect", "endless", "packed"])
def test_no_more_comes_than_is_known(tmp_path, monkeypatch, head):
    sent = [0]
    refused(serve(flood(head, sent), monkeypatch), tmp_path)
    assert sent[0] < 100 << 20, "sockets hold some megabytes"
    assert not any(path.stat().st_size > len(ZIP) for path in tmp_path.iterdir())


def test_tries_that_bring_next_to_nothing_end(tmp_path, monkeypatch):
    tries = [0]
    assert "broke off" in refused(serve(step(tries), monkeypatch), tmp_path)
    assert tries[0] <= 1 + len(download.RETRY_PAUSES)


def test_a_redirection_is_followed(server, tmp_path, monkeypatch):
    answer = f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {server.url}\r\n\r\n".encode()
    download.fetch(serve(lambda connection: connection.sendall(answer), monkeypatch), tmp_path, MEMBERS, len(ZIP))
    assert_fetched(tmp_path)


def test_two_that_fetch_at_once_fetch_once(server, tmp_path):
    server.delay = 0.002
    two = [threading.Thread(target=fetch, args=(server, tmp_path)) for _ in range(2)]
    for one in two:
        one.start()
    for one in two:
        one.join()
    assert_fetched(tmp_path)
    assert server.asked == [None]
