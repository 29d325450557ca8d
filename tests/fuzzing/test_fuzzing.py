"""Whatever is read from outside: a line or a result, in time, and nothing written elsewhere.

``SWEEP_FUZZ=20000`` sets how many inputs all readers together get.
"""

import gzip
import io
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sweep.audio.dataset import open_dataset
from sweep.study.security import new_key

from ..cli.shell import SPACE, clips, sweep
from ..report.fake_studies import make_record, with_finalists
from ..report.study_fixtures import RunningSweep
from ..study import fake_workers
from .bounded import examine
from .readers import READERS, spec

ROOT = Path(__file__).parents[2]
SHORT = 120
INPUTS = int(os.environ.get("SWEEP_FUZZ") or SHORT)
FORMATS = (
    *(("wav", "WAV", "PCM_16"), ("24.wav", "WAV", "PCM_24"), ("float.wav", "WAV", "FLOAT")),
    *(("ulaw.wav", "WAV", "ULAW"), ("adpcm.wav", "WAV", "IMA_ADPCM"), ("8.wav", "WAV", "PCM_U8")),
    *(("flac", "FLAC", "PCM_16"), ("ogg", "OGG", "VORBIS"), ("opus", "OGG", "OPUS")),
    *(("mp3", "MP3", "MPEG_LAYER_III"), ("aiff", "AIFF", "PCM_16"), ("au", "AU", "PCM_16")),
    *(("caf", "CAF", "PCM_16"), ("w64", "W64", "PCM_16"), ("rf64", "RF64", "PCM_16")),
)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good inputs for each reader but that of exports."""
    folder = tmp_path_factory.mktemp("seeds")
    for name in READERS:
        (folder / name).mkdir()
    _spaces(folder / "spaces")
    _recordings(folder / "recordings")
    for file in (folder / "recordings").glob("*.wav"):
        shutil.copy(file, folder / "plain_recordings")
    _archives(folder / "archives")
    _studies(folder)
    _cached(folder / "caches/inside")
    (folder / "keys/key").write_text(new_key())
    return folder


def _spaces(folder: Path) -> None:
    for file in (ROOT / "search_spaces").glob("*.yaml"):
        shutil.copy(file, folder)
    for number, text in enumerate((SPACE, fake_workers.SPACE, fake_workers.FINITE)):
        (folder / f"{number}.yaml").write_text(text)


def _recordings(folder: Path) -> None:
    tone = np.sin(np.arange(6000) / 9) * np.random.default_rng(0).uniform(0.1, 0.5, 6000)
    for name, form, subtype in FORMATS:
        soundfile.write(folder / f"tone.{name}", tone, 16000, subtype, format=form)


def _archives(folder: Path) -> None:
    sound = np.random.default_rng(0).bytes(500)
    names = ("mini/go/a.wav", "mini/stop/b.wav", "mini/list.txt", "mini/README")
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            packed.writestr(name, sound)
    with tarfile.open(folder / "a.tar.gz", "w:gz") as opened:
        for name in names:
            header = tarfile.TarInfo(name)
            header.size = len(sound)
            opened.addfile(header, io.BytesIO(sound))
    (folder / "a.gz").write_bytes(gzip.compress(b"no archive"))


def _studies(folder: Path) -> None:
    results = folder / "requests/inside/results"
    begun = RunningSweep(results, with_finalists(make_record(16, seed=11, name="ended"), 2))
    begun.end(16)
    begun.train_again(2)
    begun.stop()
    shutil.copytree(results / "ended", folder / "studies/ended")
    inside = folder / "arguments/inside"
    shutil.copytree(results / "ended", inside / "results/study")
    space = (ROOT / "search_spaces/quickstart.yaml").read_text(encoding="utf-8")
    assert "source: synthetic" in space  # speech would be made by another program
    (inside / "space.yaml").write_text(space.replace("source: synthetic", "source: recordings"))
    (inside / "recordings/go").mkdir(parents=True)
    shutil.copy(folder / "recordings/tone.wav", inside / "recordings/go/a_nohash_0.wav")


def _cached(inside: Path) -> None:
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (12, 2, 2000))
    for speaker, words in enumerate(noise):
        for word, sound in zip(("go", "stop"), words, strict=True):
            file = inside / "recordings" / word / f"{speaker}_nohash_0.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(file, sound, 16000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SWEEP_CACHE", str(inside / "cache"))
        dataset = open_dataset(spec(inside / "recordings"))
        for split in ("training", "validation", "testing"):
            dataset.waveforms(split, 16000)


@pytest.mark.parametrize("name", [name for name in READERS if name != "exports"])
def test_whatever_is_read_costs_a_line_at_most(name: str, seeds: Path, tmp_path: Path) -> None:
    _hold(name, seeds, tmp_path)


def test_whatever_an_exported_folder_holds_costs_a_line_at_most(
    finished: Path, seeds: Path, tmp_path: Path
) -> None:
    done = sweep("export", "words", "--out", seeds / "exports/words", cwd=finished)
    assert done.returncode == 0, done.stderr
    shutil.copy(clips("validation")[0], seeds / "exports/words/clip.wav")
    _hold("exports", seeds, tmp_path)


def _hold(name: str, seeds: Path, room: Path) -> None:
    shares = sum(reader.share for reader in READERS.values())
    inputs = -(-INPUTS * READERS[name].share // shares)
    found = examine(name, seeds, room, range(inputs))
    print(f"{name}: {dict(found.counts)}, the slowest {found.slowest_s:.2f} s")
    for number, wrong in found.wrong.items():
        print(f"{name} {number}: {wrong}")
    assert not found.wrong
    assert sum(found.counts.values()) == inputs
    assert found.counts["read"] and found.counts["refused"] or name in ("arguments", "requests")
