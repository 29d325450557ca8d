import gzip
import io
import stat
import tarfile
import zipfile

import numpy as np
import pytest

from sweep.audio.download import fetch, unpack
from sweep.errors import DataError

from .server import CONTENT


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


def test_something_endless_is_stopped(server, tmp_path):
    with pytest.raises(DataError, match="larger than"):
        fetch(server.url, tmp_path / "file", limit_bytes=1000)


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


def pack_tar(path, members, **changes):
    """Pack members as TAR with gzip; ``changes`` are made to the header of each."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(content)
            for attribute, value in changes.items():
                setattr(header, attribute, value)
            archive.addfile(header, io.BytesIO(content))
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


@pytest.mark.parametrize("kind", [pack, pack_tar])
def test_only_recordings_are_unpacked(tmp_path, kind):
    members = [
        "mini/go/a.wav",
        "mini/README.md",
        "mini/go/.DS_Store",
        "__MACOSX/mini/go/._a.wav",
        "__MACOSX/mini/go/a.wav",
        "stray.wav",
    ]
    archive = kind(tmp_path / "a", dict.fromkeys(members, b"sound"))
    (tmp_path / "out").mkdir()
    unpack(archive, tmp_path / "out")
    assert files(tmp_path / "out") == ["go/a.wav"]


@pytest.mark.parametrize(
    "name",
    ["../evil.wav", "mini/../../go/evil.wav", "/tmp/go/evil.wav", "C:/go/a.wav", "..\\a.wav"],
)
def test_members_of_a_zip_that_point_outside_are_refused_before_any_is_written(tmp_path, name):
    archive = pack(tmp_path / "a.zip", {"mini/go/a.wav": b"sound", name: b"evil"})
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match="points outside it"):
        unpack(archive, tmp_path / "out")
    assert files(tmp_path) == ["a.zip"]


@pytest.mark.parametrize(
    "name",
    ["../evil.wav", "mini/../../go/evil.wav", "/tmp/go/evil.wav", "C:/go/a.wav", "..\\a.wav"],
)
def test_members_of_a_tar_that_point_outside_are_refused(tmp_path, name):
    archive = pack_tar(tmp_path / "a", {name: b"evil", "mini/go/a.wav": b"sound"})
    with pytest.raises(DataError, match="points outside it"):
        unpack(archive, tmp_path)
    assert files(tmp_path) == ["a"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE]
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    archive = pack_tar(tmp_path / "a", {"mini/go/a.wav": b""}, type=kind, linkname="/etc/passwd")
    with pytest.raises(DataError, match="not a plain file"):
        unpack(archive, tmp_path)


def test_a_header_of_a_tar_that_asks_for_much_memory_is_refused(tmp_path):
    header = tarfile.TarInfo("mini/go/a.wav")
    header.type, header.size = tarfile.XHDTYPE, 2**30
    with gzip.open(tmp_path / "a", "wb") as file:
        file.write(header.tobuf(tarfile.USTAR_FORMAT))
    with pytest.raises(DataError, match="holds a member above 64 MB"):
        unpack(tmp_path / "a", tmp_path, limit_bytes=2**40)


@pytest.mark.parametrize("kept", [0.5, 0.98])
def test_a_tar_cut_short_is_noticed(tmp_path, kept):
    noise = np.random.default_rng(0).bytes(100_000)
    archive = pack_tar(tmp_path / "a", {f"mini/go/{i}.wav": noise for i in range(3)})
    archive.write_bytes(archive.read_bytes()[: int(kept * archive.stat().st_size)])
    with pytest.raises(DataError, match="not a whole ZIP or TAR.GZ file"):
        unpack(archive, tmp_path)


def test_a_damaged_tar_is_noticed(tmp_path):
    noise = np.random.default_rng(0).bytes(1000)
    archive = pack_tar(tmp_path / "a", {"mini/go/a.wav": noise})
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    with pytest.raises(DataError, match="not a whole ZIP or TAR.GZ file"):
        unpack(archive, tmp_path)


def test_lists_are_unpacked_where_they_are_asked_for(tmp_path):
    members = {"./validation_list.txt": b"go/a.wav", "./README.md": b"", "./go/a.wav": b"sound"}
    archive = pack_tar(tmp_path / "a", members)
    seen = []
    out = tmp_path / "out"
    out.mkdir()
    unpack(archive, out, lists=["validation_list.txt"], progress=lambda *told: seen.append(told))
    assert files(out) == ["go/a.wav", "validation_list.txt"]
    assert all(text == "unpacking" and 0 <= share <= 1 for text, share in seen) and seen


def test_links_are_refused(tmp_path):
    link = zipfile.ZipInfo("mini/go/a.wav")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = pack(tmp_path / "a.zip", {link: b"/etc/passwd"})
    with pytest.raises(DataError, match="not a plain file"):
        unpack(archive, tmp_path)


@pytest.mark.parametrize("kind", [pack, pack_tar])
def test_archives_that_would_fill_the_disk_are_refused(tmp_path, kind):
    archive = kind(tmp_path / "a", {"mini/go/a.wav": bytes(20_000)})
    assert archive.stat().st_size < 1000
    with pytest.raises(DataError, match="holds more than"):
        unpack(archive, tmp_path, limit_bytes=10_000)


def test_a_damaged_member_is_noticed(tmp_path):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("mini/go/a.wav", b"sound" * 100)
    archive.write_bytes(archive.read_bytes().replace(b"sound", b"noise", 1))
    with pytest.raises(DataError, match="not a whole ZIP or TAR.GZ file .*CRC"):
        unpack(archive, tmp_path)


@pytest.mark.parametrize(("place", "value"), [(8, 99), (6, 1)], ids=["compression", "encrypted"])
def test_a_member_that_zipfile_cannot_read_is_told(tmp_path, place, value):
    content = bytearray(pack(tmp_path / "a.zip", {"mini/go/a.wav": b"sound"}).read_bytes())
    # The same two bytes stand in the member's own header and, two bytes later, in the directory.
    for header, shift in ((b"PK\3\4", 0), (b"PK\1\2", 2)):
        content[content.index(header) + place + shift] = value
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match="not a whole ZIP or TAR.GZ file"):
        unpack(tmp_path / "a.zip", tmp_path)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>"])
def test_something_else_called_zip_is_noticed(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match="not a whole ZIP or TAR.GZ file"):
        unpack(tmp_path / "a.zip", tmp_path)


def test_an_archive_that_points_outside_its_file_is_told_as_damaged(tmp_path):
    archive = pack(tmp_path / "a.zip", {"mini/go/a.wav": b"sound"})
    content = bytearray(archive.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    content[end + 12 : end + 16] = (2**31).to_bytes(4, "little")  # size of the directory
    archive.write_bytes(content)
    with pytest.raises(DataError, match="not a whole ZIP or TAR.GZ file"):
        unpack(archive, tmp_path)
