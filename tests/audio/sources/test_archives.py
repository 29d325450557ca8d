import hashlib
import io
import tarfile
import zipfile
from dataclasses import replace

import pytest
import soundfile

from sweep import cache
from sweep.audio.dataset import open_dataset
from sweep.audio.dataset_spec import DatasetSpec
from sweep.audio.sources import archives
from sweep.audio.sources.archives import (
    MINI_SPEECH_COMMANDS,
    SPEECH_COMMANDS,
    Archive,
    obtain,
    pcm_sha256,
)
from sweep.errors import DataError

from ..recordings import tone


def wav(hz):
    content = io.BytesIO()
    soundfile.write(content, tone(hz=hz), 16000, format="WAV", subtype="PCM_16")
    return content.getvalue()


@pytest.fixture
def packed(tmp_path):
    """An archive of two words with two clips each."""
    path = tmp_path / "small.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i, word in enumerate(("go", "stop")):
            for n in range(2):
                archive.writestr(f"small/{word}/anna_nohash_{n}.wav", wav(200 + 10 * i + n))
        archive.writestr("small/README.md", "two words")
    return path


@pytest.fixture
def archive(packed):
    """What is to be expected of it."""
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    return Archive("small", packed.as_uri(), digest, {"go": 2, "stop": 2})


def nothing_is_kept():
    return not any((cache.root() / "downloads").iterdir())


def test_recordings_are_downloaded_once(archive, packed):
    folder = obtain(archive)
    assert sorted(p.name for p in folder.iterdir()) == ["go", "stop"]
    packed.unlink()
    assert obtain(archive) == folder


def test_an_archive_with_another_digest_is_refused(archive):
    with pytest.raises(DataError, match="SHA-256 is .*, not 0000.* mirror can be named by --url"):
        obtain(archive, sha256="0" * 64)
    assert nothing_is_kept()


def test_a_mirror_may_have_packed_the_same_recordings_anew(archive, tmp_path):
    again = tmp_path / "again.zip"
    with zipfile.ZipFile(archive.url.removeprefix("file://")) as old:
        with zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                new.writestr(name, old.read(name))
    assert (obtain(archive, url=again.as_uri()) / "go").is_dir()


def test_an_archive_with_too_few_clips_is_refused(archive):
    other = Archive("small", archive.url, None, {"go": 2, "stop": 3})
    with pytest.raises(DataError, match="holds 2 clips of stop, not 3"):
        obtain(other)
    assert nothing_is_kept()


def test_an_archive_with_other_recordings_is_refused(archive):
    other = Archive("small", archive.url, None, archive.clips, {"go": "0" * 64})
    with pytest.raises(DataError, match="clips of go are not the published recordings"):
        obtain(other)
    assert nothing_is_kept()


def test_the_recordings_digest_does_not_depend_on_packing(archive, tmp_path):
    folder = obtain(archive) / "go"
    for path in folder.iterdir():
        samples, rate = soundfile.read(path, dtype="int16")
        soundfile.write(tmp_path / f"{path.stem}.flac", samples, rate)
    (tmp_path / "small.zip").unlink()
    assert pcm_sha256(tmp_path) == pcm_sha256(folder)


def test_address_and_digest_may_be_given_by_environment(archive, monkeypatch):
    archive = replace(archive, name="mini_speech_commands")
    monkeypatch.setitem(archives.ARCHIVES, archive.name, archive)
    monkeypatch.setenv("SWEEP_MINI_SPEECH_COMMANDS_SHA256", "1" * 64)
    with pytest.raises(DataError, match="not 1111"):
        archives.downloaded("mini_speech_commands")
    monkeypatch.setenv("SWEEP_MINI_SPEECH_COMMANDS_SHA256", archive.sha256.upper())
    monkeypatch.setenv("SWEEP_MINI_SPEECH_COMMANDS_URL", "nowhere")
    with pytest.raises(DataError, match="nowhere: not an address.*SWEEP_MINI_SPEECH_COMMANDS_URL"):
        archives.downloaded("mini_speech_commands")
    assert archives.downloaded("mini_speech_commands", url=archive.url).is_dir()


def test_the_name_stands_for_the_download(archive, monkeypatch):
    monkeypatch.setitem(archives.ARCHIVES, "mini_speech_commands", archive)
    with pytest.raises(DataError, match="no usable clip of .* for "):
        open_dataset(DatasetSpec("mini_speech_commands", ("go", "stop")))
    assert (cache.root() / "downloads" / "small" / "stop").is_dir()


def test_a_download_that_was_cut_short_is_gone_on_with(archive, packed, server):
    def interrupt(text, share):
        raise KeyboardInterrupt

    server.content, server.cuts = packed.read_bytes(), [5000]
    away = replace(archive, url=server.url)
    with pytest.raises(KeyboardInterrupt):
        obtain(away, progress=interrupt)
    assert (obtain(away) / "go").is_dir()
    assert server.asked == [None, "bytes=5000-"]
    assert [path.name for path in (cache.root() / "downloads").iterdir()] == ["small"]


class TestSpeechCommands:
    """The large data set, from an archive of the same layout."""

    SPLITS = {"validation": ("b",), "testing": ("c",), "training": ("a", "d")}

    @pytest.fixture
    def layout(self) -> dict[str, bytes]:
        """Three words by four speakers, with noise and lists that are not those of the hash."""
        clips = {
            f"./{word}/{who}_nohash_{n}.wav": wav(200 + 40 * i + 3 * n + 11 * ord(who))
            for i, word in enumerate(("cat", "go", "stop"))
            for who in "abcd"
            for n in range(2)
        }
        members = dict(clips)
        for split in ("validation", "testing"):
            names = [name[2:] for name in clips if name.split("/")[2][0] in self.SPLITS[split]]
            members[f"./{split}_list.txt"] = "\n".join(names).encode()
        members["./_background_noise_/tap.wav"] = wav(3000)
        return members | {"./README.md": b"words", "./LICENSE": b"CC BY 4.0"}

    @pytest.fixture
    def small(self, layout, server, monkeypatch) -> Archive:
        """It at a server, in place of the published one."""
        server.content = tar_gz(layout)
        clips = {"cat": 8, "go": 8, "stop": 8}
        known = hashlib.sha256(server.content).hexdigest()
        small = replace(SPEECH_COMMANDS, url=server.url, sha256=known, clips=clips)
        monkeypatch.setitem(archives.ARCHIVES, small.name, small)
        return small

    def test_its_lists_are_the_split(self, small) -> None:
        dataset = open_dataset(DatasetSpec("speech_commands", ("stop", "go")))
        assert dataset.counts == {"training": 8, "validation": 4, "testing": 4}
        for split, speakers in self.SPLITS.items():
            assert {name.split("/")[1][0] for name in dataset.names(split)} == set(speakers)
        assert dataset.labels == ("stop", "go") and dataset.speakers.disjoint
        assert dataset.noises == ("_background_noise_/tap.wav",)

    def test_words_it_does_not_have_are_told_with_those_it_has(self, small) -> None:
        with pytest.raises(DataError, match="no clips of dog; there are: cat, go, stop"):
            open_dataset(DatasetSpec("speech_commands", ("dog", "go")))

    def test_other_splits_may_be_asked_for(self, small, tmp_path) -> None:
        for split, who in (("validation", "a"), ("testing", "b")):
            names = [f"{word}/{who}_nohash_{n}.wav" for word in ("go", "stop") for n in range(2)]
            (tmp_path / f"{split}.txt").write_text("\n".join(names))
        lists = {split: str(tmp_path / f"{split}.txt") for split in ("validation", "testing")}
        dataset = open_dataset(DatasetSpec("speech_commands", ("go", "stop"), lists))
        assert {name.split("/")[1][0] for name in dataset.names("validation")} == {"a"}

    def test_progress_is_told_of_download_and_unpacking(self, small) -> None:
        told = []
        archives.downloaded("speech_commands", progress=lambda *one: told.append(one))
        assert {text for text, _ in told} == {"downloading", "unpacking"}
        assert all(0 <= share <= 1 for _, share in told)

    def test_a_changed_archive_is_refused(self, small, server) -> None:
        server.content = server.content[:-9] + b"x" + server.content[-8:]
        with pytest.raises(DataError, match="SHA-256 is .* can be named by --url or SWEEP_SPEECH"):
            archives.downloaded("speech_commands")
        assert nothing_is_kept()

    def test_a_mirror_without_the_lists_is_refused(self, small, layout, server) -> None:
        server.content = tar_gz({k: v for k, v in layout.items() if "testing" not in k})
        with pytest.raises(DataError, match="holds no testing_list.txt"):
            archives.downloaded("speech_commands", url=f"{server.url}?mirror")
        assert nothing_is_kept()

    def test_a_mirror_that_lacks_clips_is_refused(self, small, layout, server) -> None:
        del layout["./go/a_nohash_0.wav"]
        server.content = tar_gz(layout)
        with pytest.raises(DataError, match="holds 7 clips of go, not 8"):
            archives.downloaded("speech_commands", url=f"{server.url}?mirror")

    def test_the_published_one_has_35_words_and_105829_clips(self) -> None:
        assert len(SPEECH_COMMANDS.clips) == 35 and sum(SPEECH_COMMANDS.clips.values()) == 105_829


def tar_gz(members: dict[str, bytes]) -> bytes:
    """Return members packed as TAR with gzip."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, member in members.items():
            header = tarfile.TarInfo(name)
            header.size = len(member)
            archive.addfile(header, io.BytesIO(member))
    return content.getvalue()


@pytest.mark.parametrize("word", ["go", "stop"])
def test_the_digests_of_the_published_recordings(word, speech_commands):
    assert pcm_sha256(speech_commands / word) == MINI_SPEECH_COMMANDS.pcm_sha256[word]
