"""Running ``.tflite`` bytes in LiteRT, one thread, float32 in and out whatever is inside."""

import os
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from sweep.arrays import blocks, to_float

_WARM_UPS = 10
CLIPS_TIMED = 20
_REPEATS = 10
_CLIPS_AT_ONCE = 128
_SILENCE = threading.Lock()


def arithmetic(reference: bool) -> str:
    """Return in words which of LiteRT's kernels predictions are made with."""
    return f"LiteRT's {'reference' if reference else 'default'} kernels"


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one invocation: the median, and the interquartile range around it."""

    median_ms: float
    spread_ms: float


class Model:
    """A ``.tflite`` ready to run.

    Args:
        content: the file.
        reference: whether LiteRT's reference kernels run it: slower, and int8 equals LiteRT for
            Microcontrollers in every bit.

    Attributes:
        input_shape: shape of one input, the leading 1 included.

    Raises:
        ValueError: if the bytes are no model.
    """

    def __init__(self, content: bytes, reference: bool = False) -> None:
        kernels = OpResolverType.BUILTIN_REF if reference else OpResolverType.AUTO
        with _silent_native_code():
            self._interpreter = Interpreter(
                model_content=bytes(content), num_threads=1, experimental_op_resolver_type=kernels
            )
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._output = self._interpreter.get_output_details()[0]
        self.input_shape = tuple(int(n) for n in self._input["shape"])

    def io_details(self) -> dict[str, dict[str, Any]]:
        """Return shape, type and quantization of the input and the output.

        A real value is ``(stored - zero_point) * scale``; float32 has no scale.
        """
        return {"input": _details(self._input), "output": _details(self._output)}

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """Return the outputs ``[n, ...]`` for inputs ``[n, ...]``, many in one call."""
        try:
            return np.concatenate([self._invoke(part) for part in blocks(inputs, _CLIPS_AT_ONCE)])
        except RuntimeError:  # Some shape in it is that of one clip alone.
            return self.run_each(inputs)

    def run_each(self, inputs: np.ndarray) -> np.ndarray:
        """Return the outputs for inputs ``[n, ...]``, one after the other as a device would."""
        return np.concatenate([self._invoke(one) for one in blocks(inputs, 1)])

    def run_stored(self, inputs: np.ndarray) -> np.ndarray:
        """Return the outputs for inputs ``[n, ...]``, one after the other, both as stored."""
        outputs = []
        for one in blocks(inputs, 1):
            self._resize(one.shape)
            self._interpreter.set_tensor(self._input["index"], one)
            self._interpreter.invoke()
            outputs.append(self._interpreter.get_tensor(self._output["index"]))
        return np.concatenate(outputs)

    def latencies_ms(self, inputs: np.ndarray, repeats: int) -> np.ndarray:
        """Return the milliseconds of each single invocation, ``[repeats * n]``, once warm."""
        self._resize((1, *inputs.shape[1:]))
        encoded = [self.encode(one[None]) for one in inputs]
        taken = []
        for i in range(_WARM_UPS + repeats * len(encoded)):
            self._interpreter.set_tensor(self._input["index"], encoded[i % len(encoded)])
            begin = time.perf_counter_ns()
            self._interpreter.invoke()
            taken.append(time.perf_counter_ns() - begin)
        return np.array(taken[_WARM_UPS:]) / 1e6

    def _invoke(self, inputs: np.ndarray) -> np.ndarray:
        self._resize(inputs.shape)
        self._interpreter.set_tensor(self._input["index"], self.encode(inputs))
        self._interpreter.invoke()
        return self.decode(self._interpreter.get_tensor(self._output["index"]))

    def _resize(self, shape: tuple[int, ...]) -> None:
        if tuple(self._interpreter.get_input_details()[0]["shape"]) != tuple(shape):
            self._interpreter.resize_tensor_input(self._input["index"], shape)
            self._interpreter.allocate_tensors()

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Return float32 inputs as they are stored."""
        kind = self._input["dtype"]
        if kind == np.float32:
            return np.asarray(values, np.float32)
        info = np.iinfo(kind)
        return np.clip(np.round(self.in_steps(values)), info.min, info.max).astype(kind)

    def in_steps(self, values: np.ndarray) -> np.ndarray:
        """Return float32 inputs in steps of a quantized input, before they are rounded."""
        scale, zero_point = self._input["quantization"]
        return values / scale + zero_point

    def decode(self, values: np.ndarray) -> np.ndarray:
        """Return outputs, as they are stored, in float32."""
        if self._output["dtype"] == np.float32:
            return values
        scale, zero_point = self._output["quantization"]
        return (values.astype(np.float32) - zero_point) * scale


def _details(tensor: dict[str, Any]) -> dict[str, Any]:
    kind = np.dtype(tensor["dtype"]).name
    told = {"shape": [int(n) for n in tensor["shape"]], "dtype": kind}
    if kind == "float32":
        return told
    scale, zero_point = tensor["quantization"]
    return told | {"scale": float(scale), "zero_point": int(zero_point)}


@contextmanager
def _silent_native_code() -> Iterator[None]:
    """Keep LiteRT's greeting, which no setting turns off, out of the shell."""
    if sys.stderr is None:  # A host without a console.
        yield
        return
    with _SILENCE, open(os.devnull, "wb") as nowhere:
        sys.stderr.flush()
        kept = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def measure_latency(content: bytes, clips: np.ndarray) -> Latency:
    """Time a ``.tflite`` on clips in turn, while no other process of this machine measures.

    Args:
        content: the file.
        clips: float32 inputs ``[clips, ...]``, shaped as the file wants them; 20 are used.
    """
    from sweep import cache  # not for predicting, which needs nothing but NumPy and LiteRT

    model = Model(content)
    with cache.locked("measurement"):
        taken = model.latencies_ms(clips[:CLIPS_TIMED], _REPEATS)
    low, median, high = np.percentile(taken, [25, 50, 75])
    return Latency(float(median), float(high - low))


@dataclass(frozen=True)
class Deployed:
    """What a front end and a network make of clips one after the other, as on a device.

    Attributes:
        features: float32 ``[clips, frames, coefficients]``.
        probabilities: float32 ``[clips, labels]``.
    """

    features: np.ndarray
    probabilities: np.ndarray


def run_deployed(
    frontend: bytes, model: bytes, waveforms: np.ndarray, reference: bool = False
) -> Deployed:
    """Classify clips with two ``.tflite`` files.

    Args:
        frontend, model: the files.
        waveforms: 16-bit, ``[clips, samples]``.
        reference: whether the network classifies in LiteRT's reference kernels.
    """
    run, parts = Model(frontend).run_each, blocks(waveforms, _CLIPS_AT_ONCE)
    features = np.concatenate([run(to_float(part)) for part in parts])
    return Deployed(features, Model(model, reference).run_each(features))


def run_windows(
    frontend: bytes, model: bytes, samples: np.ndarray, stride: int, reference: bool = False
) -> np.ndarray:
    """Return what two ``.tflite`` files make of the windows of a stream, ``[windows, labels]``.

    One window after the other, as on a device: so it does not matter how a stream is cut.

    Args:
        frontend, model: the files.
        samples: 16-bit, ``[samples]``, a window at least.
        stride: samples from one window to the next.
        reference: whether the network runs in LiteRT's reference kernels.
    """
    features, probabilities = Model(frontend), Model(model, reference)
    windows = np.lib.stride_tricks.sliding_window_view(samples, features.input_shape[1])[::stride]
    parts = blocks(windows, _CLIPS_AT_ONCE)
    return np.concatenate(
        [probabilities.run_each(features.run_each(to_float(part))) for part in parts]
    )


def zipped_kb(content: bytes) -> float:
    """Return the size of the file in a zip archive of its own (DEFLATE), in KB of 1024 bytes."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(zipfile.ZipInfo("model.tflite"), content, zipfile.ZIP_DEFLATED)
    return len(archive.getvalue()) / 1024
