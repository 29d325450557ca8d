"""One candidate by the published procedure, written out plainly as its authors would run it.

A yardstick for ``throughput.py``: clips through ``tf.data``, a ``tf_keras`` model in tfmot's
wrapper, ``fit``, strip, SavedModel, TFLiteConverter, zip; then the ``.tflite`` clip by clip behind
the eager front end.  Nothing of ``sweep`` is used.  Prints one line of JSON; accuracy and latency
are those on the validation clips.
"""

import argparse
import hashlib
import json
import math
import time
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import soundfile
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras

PARAMETERS = {
    "downsampling_rate": 16000,
    "frame_length_in_s": 0.032,
    "frame_step_in_s": 0.032,
    "num_mel_bins": 10,
    "lower_frequency": 20,
    "upper_frequency": 8000,
    "num_coefficients": 10,
    "filters": 128,
    "alpha": 0.5,
    "final_sparsity": 0.7,
    "batch_size": 20,
    "initial_learning_rate": 0.01,
    "end_learning_rate": 1e-5,
    "epochs": 10,
}
LABELS = ["stop", "go"]
RATE = 16000


def split_of(path: Path) -> str:
    """Return the split of a clip by the hash rule of Speech Commands."""
    speaker = path.name.partition("_nohash_")[0]
    number = int(hashlib.sha1(speaker.encode()).hexdigest(), 16)
    percentage = number % 2**27 * 100 / (2**27 - 1)
    return "validation" if percentage < 10 else "testing" if percentage < 20 else "training"


def find_clips(folder: Path, lists: str | None, split: str) -> list[Path]:
    """Return the clips of a split, by the lists that begin with a prefix or by the hash rule."""
    clips = sorted(clip for label in LABELS for clip in (folder / label).glob("*_nohash_*"))
    if lists is None:
        return [clip for clip in clips if split_of(clip) == split]
    names = Path(f"{lists}{split}_list.txt").read_text(encoding="utf-8").split()
    wanted = {str(Path(name).with_suffix("")) for name in names}
    return [c for c in clips if str(c.relative_to(folder).with_suffix("")) in wanted]


def read_clip(path: bytes) -> tuple[Any, Any]:
    """Return a clip's samples, padded to one second, and the number of its label."""
    samples, _ = soundfile.read(path.decode(), dtype="float32")
    label = LABELS.index(Path(path.decode()).parent.name)
    return np.pad(samples, (0, RATE - len(samples))), np.int64(label)


def mel_matrix(p: dict[str, Any]) -> Any:
    """Return the filter bank of a candidate."""
    return tf.signal.linear_to_mel_weight_matrix(
        num_mel_bins=p["num_mel_bins"],
        num_spectrogram_bins=int(p["downsampling_rate"] * p["frame_length_in_s"]) // 2 + 1,
        sample_rate=p["downsampling_rate"],
        lower_edge_hertz=p["lower_frequency"],
        upper_edge_hertz=p["upper_frequency"],
    )


def get_mfccs(audio: Any, matrix: Any, p: dict[str, Any]) -> Any:
    """Return the features of one clip."""
    length = int(p["downsampling_rate"] * p["frame_length_in_s"])
    stft = tf.signal.stft(
        audio,
        frame_length=length,
        frame_step=int(p["downsampling_rate"] * p["frame_step_in_s"]),
        fft_length=length,
    )
    log_mel = tf.math.log(tf.matmul(tf.abs(stft), matrix) + 1e-6)
    mfccs = tf.signal.mfccs_from_log_mel_spectrograms(log_mel)
    return mfccs[:, : p["num_coefficients"], tf.newaxis]


def make_dataset(clips: list[Path], p: dict[str, Any]) -> Any:
    """Return the features and labels of clips, computed in the first epoch and kept."""
    matrix = mel_matrix(p)

    def preprocess(path: Any) -> tuple[Any, Any]:
        audio, label = tf.numpy_function(read_clip, [path], (tf.float32, tf.int64))
        audio.set_shape((RATE,))
        label.set_shape(())
        return get_mfccs(audio, matrix, p), label

    names = tf.data.Dataset.from_tensor_slices([str(clip) for clip in clips])
    return names.map(preprocess).cache()


def make_model(shape: tuple[int, ...], p: dict[str, Any]) -> Any:
    """Return the network."""
    layers, filters = tf_keras.layers, int(p["filters"] * p["alpha"])
    model = tf_keras.Sequential([layers.Input(shape)])
    model.add(layers.Conv2D(filters, (3, 3), strides=(2, 2), use_bias=False, padding="valid"))
    model.add(layers.BatchNormalization())
    model.add(layers.ReLU())
    for _ in range(2):
        model.add(layers.DepthwiseConv2D((3, 3), use_bias=False, padding="same"))
        model.add(layers.Conv2D(filters, (1, 1), use_bias=False))
        model.add(layers.BatchNormalization())
        model.add(layers.ReLU())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(len(LABELS)))
    model.add(layers.Softmax())
    return model


def train(model: Any, training: Any, validation: Any, clips: int, p: dict[str, Any]) -> Any:
    """Train and prune the network; return it without the pruning wrapper."""
    steps = math.ceil(clips / p["batch_size"]) * p["epochs"]
    wrapped = tfmot.sparsity.keras.prune_low_magnitude(
        model,
        pruning_schedule=tfmot.sparsity.keras.PolynomialDecay(
            initial_sparsity=0.20,
            final_sparsity=p["final_sparsity"],
            begin_step=int(0.2 * steps),
            end_step=steps,
        ),
    )
    rate = tf_keras.optimizers.schedules.PolynomialDecay(
        initial_learning_rate=p["initial_learning_rate"],
        end_learning_rate=p["end_learning_rate"],
        decay_steps=steps,
    )
    wrapped.compile(
        loss=tf_keras.losses.SparseCategoricalCrossentropy(),
        optimizer=tf_keras.optimizers.Adam(learning_rate=rate),
        metrics=[tf_keras.metrics.SparseCategoricalAccuracy()],
    )
    wrapped.fit(
        training.shuffle(clips).batch(p["batch_size"]),
        epochs=p["epochs"],
        validation_data=validation.batch(p["batch_size"]),
        callbacks=[tfmot.sparsity.keras.UpdatePruningStep()],
        verbose=0,
    )
    return tfmot.sparsity.keras.strip_pruning(wrapped)


def convert(model: Any, folder: Path) -> tuple[bytes, float]:
    """Return the ``.tflite`` of a network, and its zipped size in KB."""
    model.save(str(folder / "model"))
    content = tf.lite.TFLiteConverter.from_saved_model(str(folder / "model")).convert()
    (folder / "model.tflite").write_bytes(content)
    with zipfile.ZipFile(folder / "model.zip", "w", compression=zipfile.ZIP_DEFLATED) as file:
        file.write(folder / "model.tflite", "model.tflite")
    return content, (folder / "model.zip").stat().st_size / 1024


def measure(content: bytes, clips: list[Path], p: dict[str, Any]) -> dict[str, float]:
    """Return accuracy and median latencies of the ``.tflite`` behind the eager front end."""
    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    place = interpreter.get_input_details()[0]["index"]
    answer = interpreter.get_output_details()[0]["index"]
    matrix = mel_matrix(p)
    right, preprocessing, network = [], [], []
    for clip in clips:
        samples, label = read_clip(str(clip).encode())
        audio = tf.constant(samples)
        began = time.perf_counter()
        features = get_mfccs(audio, matrix, p)[tf.newaxis].numpy()
        ready = time.perf_counter()
        interpreter.set_tensor(place, features)
        interpreter.invoke()
        heard = interpreter.get_tensor(answer)[0]
        network.append(time.perf_counter() - ready)
        preprocessing.append(ready - began)
        right.append(heard.argmax() == label)
    preprocessing_ms, model_ms = (1000 * float(np.median(t)) for t in (preprocessing, network))
    return {
        "tflite_accuracy": float(np.mean(right)),
        "preprocessing_latency_ms": preprocessing_ms,
        "model_latency_ms": model_ms,
        "total_latency_ms": preprocessing_ms + model_ms,
    }


def run(data: Path, lists: str | None, changes: dict[str, Any], seed: int) -> dict[str, Any]:
    """Run one candidate; return what it measured."""
    p = PARAMETERS | changes
    # The processor time used so far: nothing but imports has happened.
    seconds = {"import": time.process_time()}
    began = time.perf_counter()

    def lap(stage: str) -> None:
        nonlocal began
        seconds[stage] = time.perf_counter() - began
        began = time.perf_counter()

    tf_keras.utils.set_random_seed(seed)
    clips = {split: find_clips(data, lists, split) for split in ("training", "validation")}
    datasets = {split: make_dataset(paths, p) for split, paths in clips.items()}
    for dataset in datasets.values():
        for _ in dataset:
            pass
    lap("features")
    model = make_model(tuple(datasets["training"].element_spec[0].shape), p)
    trained = train(model, datasets["training"], datasets["validation"], len(clips["training"]), p)
    lap("training")
    with TemporaryDirectory() as folder:
        content, zipped_kb = convert(trained, Path(folder))
    lap("conversion")
    measured = measure(content, clips["validation"], p)
    lap("measurement")
    return measured | {
        "clips": len(clips["validation"]),
        "tflite_size_kb": len(content) / 1024,
        "compressed_size_kb": zipped_kb,
        "seconds": seconds,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parameters", default="{}", help="JSON of what differs from the winner")
    parser.add_argument("--data", type=Path, required=True, help="folder of Speech Commands")
    parser.add_argument("--lists", help="prefix of the lists of clips; else the hash rule")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(json.dumps(run(given.data, given.lists, json.loads(given.parameters), given.seed)))
