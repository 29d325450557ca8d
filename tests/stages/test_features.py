import numpy as np
import pytest

from sweep.arrays import load, save
from sweep.audio.augmentation import render
from sweep.audio.dataset import Dataset
from sweep.candidate import AugmentationParams
from sweep.frontends.base import Frontend
from sweep.frontends.compute import compute_features
from sweep.frontends.log_mel import LogMel
from sweep.frontends.mfcc import MFCC
from sweep.stages import features as stage
from sweep.stages.features import prepare_features

from ..memory import resident_mb

VARIED = AugmentationParams(time_shift_ms=100, noise_snr_db=5, gain_db=6)


def plain_features(clips: np.ndarray, frontend: Frontend) -> np.ndarray:
    return np.concatenate([*compute_features(clips, frontend)])


@pytest.mark.parametrize("normalization", ["none", "per_coefficient", "per_clip"])
def test_training_features_are_standardised_when_asked(spoken, normalization):
    frontend = MFCC(normalization=normalization)
    features = prepare_features(spoken, frontend, AugmentationParams())
    plain = plain_features(spoken.waveforms("training", 16000), frontend)
    if normalization == "none":
        np.testing.assert_array_equal(features.training[0], plain)
    else:
        np.testing.assert_allclose(features.training[0].mean(axis=(0, 1)), 0, atol=1e-3)
        np.testing.assert_allclose(features.training[0].std(axis=(0, 1)), 1, atol=1e-3)
    restored = features.validation * features.deviation + features.mean
    heard = plain_features(spoken.waveforms("validation", 16000), frontend)
    np.testing.assert_allclose(restored, heard, atol=1e-4)


def test_features_are_computed_once_for_all_studies(spoken, monkeypatch):
    frontend, augmentation = MFCC(num_mel_bins=12), AugmentationParams()
    first = prepare_features(spoken, frontend, augmentation)
    monkeypatch.setattr(Dataset, "waveforms", lambda *given: pytest.fail("clips are read again"))
    again = prepare_features(spoken, frontend, augmentation)
    np.testing.assert_array_equal(again.training, first.training)


def test_another_front_end_does_not_meet_the_same_features(spoken):
    features = [
        prepare_features(spoken, MFCC(lower_frequency=hz), AugmentationParams()) for hz in (20, 80)
    ]
    assert not np.array_equal(features[0].training, features[1].training)


def test_augmented_clips_come_in_eight_renderings_the_first_as_recorded(spoken):
    augmentation = AugmentationParams(time_shift_ms=100, noise_snr_db=5, gain_db=6)
    plain = prepare_features(spoken, MFCC(), AugmentationParams())
    varied = prepare_features(spoken, MFCC(), augmentation)
    clips = spoken.counts["training"]
    assert plain.training.shape == (1, clips, 31, 10)
    assert varied.training.shape == (8, clips, 31, 10)
    np.testing.assert_array_equal(varied.training[0], plain.training[0])
    np.testing.assert_array_equal(varied.validation, plain.validation)
    distinct = {rendering.tobytes() for rendering in varied.training}
    assert len(distinct) == 8


def test_augmented_features_are_those_of_the_rendered_waveforms(spoken):
    frontend = MFCC(normalization="per_clip", num_mel_bins=16, num_coefficients=12)
    features = prepare_features(spoken, frontend, VARIED)
    for seed in (1, 7):
        clips, noise = spoken.waveforms("training", 16000), spoken.noise(16000)
        waveforms = np.concatenate([*render(clips, noise, VARIED, 16000, seed)])
        plain = (plain_features(waveforms, frontend) - features.mean) / features.deviation
        np.testing.assert_allclose(features.training[seed], plain, atol=2e-3)


def test_front_ends_of_one_frame_share_the_augmented_spectra(spoken, monkeypatch):
    prepare_features(spoken, MFCC(num_mel_bins=13), VARIED)
    monkeypatch.setattr(stage, "render", lambda *given, **named: pytest.fail("rendered again"))
    mel = LogMel(num_mel_bins=14, lower_frequency=60)
    assert prepare_features(spoken, mel, VARIED).training.shape == (
        8,
        spoken.counts["training"],
        31,
        14,
    )


def at_hand(dataset, monkeypatch, cache):
    """Have clips read from where they are, and what is computed from them kept elsewhere."""
    noise = dataset.noise(16000)
    parts = {split: dataset.waveforms(split, 16000) for split in ("training", "validation")}
    monkeypatch.setattr(Dataset, "waveforms", lambda self, split, rate: parts[split])
    monkeypatch.setattr(Dataset, "noise", lambda self, rate: noise)
    monkeypatch.setenv("SWEEP_CACHE", str(cache))


@pytest.mark.parametrize("kept", [True, False])
def test_features_computed_twice_are_equal_bit_by_bit(spoken, monkeypatch, tmp_path, kept):
    once = prepare_features(spoken, MFCC(num_mel_bins=15), VARIED)
    at_hand(spoken, monkeypatch, tmp_path)
    if not kept:
        monkeypatch.setattr(stage, "_SPECTRA_KEPT_BYTES", 1000)
    again = prepare_features(spoken, MFCC(num_mel_bins=15), VARIED)
    assert (tmp_path / "tinysweep" / "spectra").is_dir() == kept
    np.testing.assert_array_equal(again.training, once.training)
    np.testing.assert_array_equal(again.validation, once.validation)


def test_statistics_are_those_of_all_frames(monkeypatch):
    features = np.random.default_rng(0).normal(1000, 3, (100, 31, 10)).astype(np.float32)
    monkeypatch.setattr(stage, "_CLIPS_AT_ONCE", 7)
    mean, deviation = stage._statistics(features, MFCC(normalization="per_clip"))
    wide = features.astype(np.float64)
    np.testing.assert_allclose(mean, wide.mean(axis=(0, 1)), rtol=1e-7)
    np.testing.assert_allclose(deviation, wide.std(axis=(0, 1)), rtol=1e-6)


def test_a_coefficient_that_never_changes_is_not_divided_by_nothing():
    frontend = MFCC(normalization="per_coefficient")
    _, deviation = stage._statistics(np.ones((4, 31, 10), np.float32), frontend)
    assert (deviation == np.float32(1e-3)).all()


def test_clips_and_features_on_disk_take_no_memory(spoken, monkeypatch, tmp_path):
    clips, small = 2000, spoken.waveforms("training", 16000)[:40]
    save(tmp_path / "clips.npy", (clips, 16000), np.int16, [small] * (clips // 40))
    many, seen = load(tmp_path / "clips.npy"), []
    prepare_features(spoken, MFCC(), AugmentationParams())
    before = resident_mb()
    at_hand(spoken, monkeypatch, tmp_path)
    monkeypatch.setattr(Dataset, "waveforms", lambda self, split, rate: many)
    parts = stage.blocks

    def watched(*given):
        for part in parts(*given):
            seen.append(resident_mb())
            yield part

    monkeypatch.setattr("sweep.frontends.compute.blocks", watched)
    monkeypatch.setattr(stage, "blocks", watched)
    made = prepare_features(spoken, MFCC(num_mel_bins=11), AugmentationParams())
    assert made.training.shape == (1, clips, 31, 10)
    assert many.nbytes > 60e6 and len(seen) > 30
    assert max(seen) - before < 40
