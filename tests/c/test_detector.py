"""A detector in C: the events that Python finds, from a pipe of samples."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from sweep import c
from sweep.api import Study
from sweep.audio.dataset import open_dataset
from sweep.audio.streams import Stream, stream_of
from sweep.c.compiler import compiled
from sweep.c.detector import detector_source
from sweep.c.emulator import is_installed
from sweep.detector import Decisions, OperatingPoint
from sweep.space import Space
from sweep.study.storage import StudyFolder

from ..cli.shell import SPOTTER, sweep_bytes
from ..conftest import exported_spotter
from .compiling import SANITIZED, STRICT, needs_compiler

pytestmark = needs_compiler


BY_FRAME = "network: temporal, kernel_frames: 5, streaming: true, normalization: per_coefficient"


@pytest.fixture(scope="module", params=["windows", "frames"])
def study(request, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study of a spotter that computes whole windows, or only new frames."""
    if request.param == "windows":
        spotter: Path = request.getfixturevalue("spotter")
    else:
        space = SPOTTER.replace("normalization: per_clip", BY_FRAME)
        spotter = exported_spotter(tmp_path_factory.mktemp("streaming"), space)
    return spotter.parent / "results"


@pytest.fixture(scope="module")
def exported(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study of the spotter, exported with C; it says that it is for a core."""
    folder = tmp_path_factory.mktemp("device") / "spotter"
    Study(StudyFolder(study, "words")).export(0, folder, with_c=True)
    metadata = json.loads((folder / "metadata.json").read_text())
    (folder / "metadata.json").write_text(json.dumps(metadata | {"target": "cortex-m4"}))
    return folder


@pytest.fixture(scope="module")
def files(exported: Path) -> dict[str, str]:
    """The sources of its example."""
    library = {name: exported / "c/src" / name for name in (*c.SOURCES, *c.DETECTOR)}
    paths = library | {"example.c": exported / "c/example.c"}
    return {name: path.read_text() for name, path in paths.items()}


@pytest.fixture(scope="module")
def stream() -> Stream:
    return stream_of(open_dataset(Space.parse(SPOTTER).file.dataset.spec()), "testing", 16000)


def printed(files: dict[str, str], samples: np.ndarray, flags=STRICT) -> list[str]:
    with compiled(files, flags) as program:
        return program.run(samples, np.dtype(np.uint8)).tobytes().decode().splitlines()


def test_the_export_says_that_the_events_of_the_validation_stream_are_the_same(exported) -> None:
    told = json.loads((exported / "metadata.json").read_text())["c"]["events"]
    assert told["differing"] == 0 and told["detected"] > 5
    assert told["seconds"] == pytest.approx(180, abs=1)


def test_a_network_that_keeps_its_frames_gives_the_same_and_takes_a_fraction(exported) -> None:
    told = json.loads((exported / "metadata.json").read_text())
    by_frame = told["network"]["streaming"]
    assert ("streamed" in told["c"]) == by_frame
    if by_frame:
        assert told["c"]["streamed"]["differing_clips"] == 0
    if is_installed():
        assert (told["c"]["device"]["frontend_instructions"] < 500_000) == by_frame


def test_the_example_finds_on_a_pipe_what_sweep_detect_finds(exported, files, stream) -> None:
    found = printed(files, stream.samples)
    wanted = sweep_bytes("detect", exported, "-", content=stream.samples.tobytes())
    assert len(found) > 5
    assert found == wanted.decode().splitlines()


def test_make_builds_it_and_another_export_takes_its_place(exported, study, tmp_path) -> None:
    folder = Path(shutil.copytree(exported, tmp_path / "spotter"))
    subprocess.run(["make", "-s", "example"], cwd=folder / "c", check=True, timeout=60)
    done = subprocess.run([folder / "c" / "example"], input=b"", check=True, timeout=60)
    assert done.returncode == 0
    Study(StudyFolder(study, "words")).export(0, folder, with_c=True)
    assert not (folder / "c" / "example").exists()


STUB = """
#include <cstddef>
#include <cstdint>
#include <cstdio>
struct {
    void begin(long) {}
    size_t readBytes(char *place, size_t size) { return fread(place, 1, size, stdin); }
    void println(const char *text) { puts(text); }
} Serial;
#include "%s"
int main()
{
    setup();
    while (!feof(stdin))
        loop();
}
"""


@pytest.mark.skipif(shutil.which("c++") is None, reason="this machine has no C++ compiler")
def test_the_sketch_for_arduino_detects_the_same(exported, files, stream, tmp_path) -> None:
    (tmp_path / "main.cpp").write_text(STUB % (exported / "c/examples/Listen/Listen.ino"))
    library = exported / "c/src"
    for source in sorted(library.glob("*.c")):
        command = ["cc", "-std=c99", "-O2", "-ffp-contract=off", "-c", source]
        subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    objects = sorted(path.name for path in tmp_path.glob("*.o"))
    command = ["c++", "-Wall", "-Wextra", "-Werror", f"-I{library}", "main.cpp", *objects, "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    samples = stream.samples.tobytes()
    done = subprocess.run([tmp_path / "a.out"], input=samples, capture_output=True, timeout=60)
    keywords = [line.split()[2] for line in printed(files, stream.samples)]
    assert done.stdout.decode().split() == keywords != []
    assert "includes=classifier.h" in (exported / "c/library.properties").read_text()


def test_whatever_comes_in_it_stays_within_its_memory(files, stream) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(-(2**15), 2**15, 40_000).astype(np.int16)
    extremes = np.repeat(np.array([-(2**15), 2**15 - 1, 0], np.int16), 20_000)
    odd = np.concatenate([noise, extremes]).tobytes() + b"\x7f"
    printed(files, np.frombuffer(odd, np.uint8), SANITIZED)
    assert printed(files, np.zeros(0, np.int16), SANITIZED) == []


@pytest.mark.parametrize("smoothing", [1, 4])
@pytest.mark.parametrize("refractory", [0, 5])
def test_scores_become_events_as_in_python(smoothing, refractory) -> None:
    labels, keywords = ("no", "yes", "left", 'say "où?"'), ("left", 'say "où?"')
    point = OperatingPoint(3, smoothing, 0.6, refractory)
    rng = np.random.default_rng(smoothing)
    rows = rng.dirichlet(np.full(len(labels), 0.5), 400).astype(np.float32)
    rows[100:110] = rows[100]  # Equal scores follow one another.
    found = printed(with_made_up_classifier(point, labels, keywords), rows)
    expected = Decisions(labels, keywords, point, 5, 8000).feed(rows)
    assert len(expected) > 3
    assert found == [str(event) for event in expected]


def with_made_up_classifier(point: OperatingPoint, labels, keywords) -> dict[str, str]:
    """Return a program that reads probabilities and prints events, of windows of 5 samples."""
    header = f"""
#ifndef CLASSIFIER_H
#define CLASSIFIER_H
#include <stdint.h>
#define FRONTEND_SAMPLES 5
#define FRONTEND_RATE_HZ 8000
#define CLASSIFIER_LABELS {len(labels)}
typedef struct {{ int unused; }} classifier_workspace;
void classifier_run(const int16_t *samples, classifier_workspace *work, float *probabilities);
#endif
"""
    main = f"""
#include "detector.h"
#include <stdio.h>
static float row[CLASSIFIER_LABELS];
void classifier_run(const int16_t *samples, classifier_workspace *work, float *probabilities)
{{
    (void)samples;
    (void)work;
    for (int i = 0; i < CLASSIFIER_LABELS; i++)
        probabilities[i] = row[i];
}}
int main(void)
{{
    static const int16_t samples[FRONTEND_SAMPLES] = {{0}};
    detector_state state;
    detector_event event;
    size_t next = FRONTEND_SAMPLES;
    detector_start(&state);
    while (fread(row, sizeof row, 1, stdin) == 1) {{
        for (size_t left = next; left > 0;)
            left -= detector_feed(&state, samples, left < 2 ? left : 2, &event);
        next = {point.stride};
        if (event.keyword >= 0)
            printf("%10.2f s  %s  %.3f\\n", (double)event.end / FRONTEND_RATE_HZ,
                   detector_keywords[event.keyword], (double)event.score);
    }}
    return 0;
}}
"""
    source = detector_source(point, labels, keywords)
    return {name: source[name] for name in c.DETECTOR} | {"classifier.h": header, "main.c": main}
