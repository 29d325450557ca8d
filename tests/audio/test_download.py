import http.server
import stat
import threading
import zipfile

import pytest

from sweep.audio import download
from sweep.audio.download import fetch, unpack
from sweep.errors import DataError

CONTENT = bytes(range(256)) * 4000


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT; the first answers are cut short or refused as told.

    Attributes:
        cuts: for each of the first answers how many bytes to send before hanging up.
        refusals: status codes for the first answers.
        ranges: whether a request for a range is honoured.
        asked: the Range header of each request.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.cuts, self.refusals, self.asked = [], [], []
        self.ranges, self.tells_length = True, True
        self.content = CONTENT
        self.url = f"http://127.0.0.1:{self.server_address[1]}/clips.zip"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        if self.server.refusals:
            self.send_error(self.server.refusals.pop(0))
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        body = self.server.content[start:]
        self.send_response(206 if start else 200)
        if start:
            total = len(self.server.content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        if self.server.tells_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.cuts.pop(0)] if self.server.cuts else body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_file_arrives_whole(server, tmp_path):
    seen = []
    fetch(server.url, tmp_path / "file", lambda text, share: seen.append(share))
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert seen == sorted(seen) and seen[-1] == 1.0


def test_a_cut_connection_is_taken_up_where_it_ended(server, tmp_path):
    server.cuts = [300_000, 1000]
    fetch(server.url, tmp_path / "file", pause_in_s=0)
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-", "bytes=301000-"]


def test_a_server_without_ranges_is_asked_from_the_start(server, tmp_path):
    server.cuts, server.ranges = [300_000], False
    fetch(server.url, tmp_path / "file", pause_in_s=0)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_connection_that_is_always_cut_is_given_up(server, tmp_path):
    server.cuts, server.ranges = [1000] * 10, False
    with pytest.raises(DataError, match=r"clips\.zip: download failed: the connection was cut"):
        fetch(server.url, tmp_path / "file", attempts=3, pause_in_s=0)
    assert len(server.asked) == 3


def test_a_server_in_trouble_is_asked_again(server, tmp_path):
    server.refusals = [503, 429]
    fetch(server.url, tmp_path / "file", pause_in_s=0)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_wrong_address_is_not_asked_again(server, tmp_path):
    server.refusals = [404] * 5
    with pytest.raises(DataError, match="download failed: 404 Not Found"):
        fetch(server.url, tmp_path / "file", pause_in_s=0)
    assert len(server.asked) == 1


def test_a_server_that_is_not_there(server, tmp_path):
    url = server.url
    server.server_close()
    with pytest.raises(DataError, match="download failed: .*refused"):
        fetch(url, tmp_path / "file", attempts=2, pause_in_s=0)


def test_something_endless_is_stopped(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "LIMIT_BYTES", 1000)
    with pytest.raises(DataError, match="larger than"):
        fetch(server.url, tmp_path / "file")


def test_a_length_need_not_be_told(server, tmp_path):
    server.tells_length = False
    fetch(server.url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_local_file_is_a_mirror_too(tmp_path):
    (tmp_path / "clips.zip").write_bytes(CONTENT)
    fetch((tmp_path / "clips.zip").as_uri(), tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize("url", ["clips.zip", "ftp://host/clips.zip", ""])
def test_other_addresses_are_refused(url, tmp_path):
    with pytest.raises(DataError, match="not an address"):
        fetch(url, tmp_path / "file")


def pack(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def files(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_an_archive_packed_from_where_one_stands_is_unpacked_too(tmp_path):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("./", "")
        opened.writestr("./go/a.wav", "sound")
    (tmp_path / "out").mkdir()
    unpack(archive, tmp_path / "out")
    assert (tmp_path / "out" / "go" / "a.wav").read_text() == "sound"


def test_only_recordings_are_unpacked(tmp_path):
    members = [
        "mini/go/a.wav",
        "mini/README.md",
        "mini/go/.DS_Store",
        "__MACOSX/mini/go/._a.wav",
        "__MACOSX/mini/go/a.wav",
        "stray.wav",
    ]
    archive = pack(tmp_path / "a.zip", dict.fromkeys(members, b"sound"))
    (tmp_path / "out").mkdir()
    unpack(archive, tmp_path / "out")
    assert files(tmp_path / "out") == ["go/a.wav"]


@pytest.mark.parametrize(
    "name",
    ["../evil.wav", "mini/../../go/evil.wav", "/tmp/go/evil.wav", "C:/go/a.wav", "..\\a.wav"],
)
def test_members_that_point_outside_are_refused_before_anything_is_written(tmp_path, name):
    archive = pack(tmp_path / "a.zip", {"mini/go/a.wav": b"sound", name: b"evil"})
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="points outside it"):
        unpack(archive, tmp_path / "out")
    assert files(tmp_path) == ["a.zip"]


def test_links_are_refused(tmp_path):
    link = zipfile.ZipInfo("mini/go/a.wav")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = pack(tmp_path / "a.zip", {link: b"/etc/passwd"})
    with pytest.raises(DataError, match="not a plain file"):
        unpack(archive, tmp_path)


def test_archives_that_would_fill_the_disk_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "LIMIT_BYTES", 10_000)
    archive = pack(tmp_path / "a.zip", {"mini/go/a.wav": bytes(20_000)})
    assert archive.stat().st_size < 1000
    with pytest.raises(DataError, match="holds more than"):
        unpack(archive, tmp_path)


def test_a_damaged_member_is_noticed(tmp_path):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("mini/go/a.wav", b"sound" * 100)
    archive.write_bytes(archive.read_bytes().replace(b"sound", b"noise", 1))
    with pytest.raises(DataError, match="not a whole ZIP file .*CRC"):
        unpack(archive, tmp_path)


@pytest.mark.parametrize(("place", "value"), [(8, 99), (6, 1)], ids=["compression", "encrypted"])
def test_a_member_that_zipfile_cannot_read_is_told(tmp_path, place, value):
    content = bytearray(pack(tmp_path / "a.zip", {"mini/go/a.wav": b"sound"}).read_bytes())
    # The same two bytes stand in the member's own header and, two bytes later, in the directory.
    for header, shift in ((b"PK\3\4", 0), (b"PK\1\2", 2)):
        content[content.index(header) + place + shift] = value
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match="not a whole ZIP file"):
        unpack(tmp_path / "a.zip", tmp_path)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>"])
def test_something_else_called_zip_is_noticed(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match="not a whole ZIP file"):
        unpack(tmp_path / "a.zip", tmp_path)


def test_an_archive_that_points_outside_its_file_is_told_as_damaged(tmp_path):
    archive = pack(tmp_path / "a.zip", {"mini/go/a.wav": b"sound"})
    content = bytearray(archive.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    content[end + 12 : end + 16] = (2**31).to_bytes(4, "little")  # size of the directory
    archive.write_bytes(content)
    with pytest.raises(DataError, match="not a whole ZIP file"):
        unpack(archive, tmp_path)
