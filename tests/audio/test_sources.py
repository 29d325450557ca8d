import hashlib
import io
import zipfile

import pytest
import soundfile

from sweep import cache
from sweep.audio import sources
from sweep.audio.dataset import DatasetSpec, open_dataset
from sweep.audio.sources import MINI_SPEECH_COMMANDS, Archive, obtain, pcm_sha256
from sweep.errors import DataError

from .recordings import tone


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
    monkeypatch.setattr(sources, "MINI_SPEECH_COMMANDS", archive)
    monkeypatch.setenv("SWEEP_MINI_SPEECH_COMMANDS_SHA256", "1" * 64)
    with pytest.raises(DataError, match="not 1111"):
        sources.mini_speech_commands()
    monkeypatch.setenv("SWEEP_MINI_SPEECH_COMMANDS_SHA256", archive.sha256.upper())
    monkeypatch.setenv("SWEEP_MINI_SPEECH_COMMANDS_URL", "nowhere")
    with pytest.raises(DataError, match="nowhere: not an address.*SWEEP_MINI_SPEECH_COMMANDS_URL"):
        sources.mini_speech_commands()
    assert sources.mini_speech_commands(url=archive.url).is_dir()


def test_the_name_stands_for_the_download(archive, monkeypatch):
    monkeypatch.setattr(sources, "MINI_SPEECH_COMMANDS", archive)
    with pytest.raises(DataError, match="no usable clip of .* for "):
        open_dataset(DatasetSpec("mini_speech_commands", ("go", "stop")))
    assert (cache.root() / "downloads" / "small" / "stop").is_dir()


@pytest.mark.parametrize("word", ["go", "stop"])
def test_the_digests_of_the_published_recordings(word, speech_commands):
    assert pcm_sha256(speech_commands / word) == MINI_SPEECH_COMMANDS.pcm_sha256[word]
