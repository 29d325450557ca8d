"""Compression: one conversion to ``.tflite``, then every variant by ai-edge-quantizer."""

import threading
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_quantizer import quantizer
from ai_edge_quantizer.calibrator import CalibrationMode, Calibrator
from ai_edge_quantizer.recipe_manager import RecipeManager
from ai_edge_quantizer.utils.qsv_utils import min_max_update
from tqdm import tqdm

from sweep.flatbuffer import packed, unpacked
from sweep.networks.architecture import Architecture, Weights
from sweep.networks.conversion import convert

# Its own lock is a semaphore of the system, which a killed worker would leave behind.
tqdm.set_lock(threading.RLock())

_CALIBRATION_CLIPS = 200
_CHANNEL_AXIS = {
    schema.BuiltinOperator.CONV_2D: 0,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D: 3,
    schema.BuiltinOperator.FULLY_CONNECTED: 0,
}
_SMALLEST_RANGE = 1e-4


def compress(
    architecture: Architecture,
    weights: Weights,
    quantizations: tuple[str, ...],
    clips: np.ndarray,
    container: str = "full",
) -> dict[str, bytes]:
    """Return the ``.tflite`` of every variant of a trained network, by quantization.

    Args:
        architecture, weights: the network.
        quantizations: names out of ``candidate.QUANTIZATIONS``.
        clips: features of training clips ``[clips, frames, coeffs]``, to calibrate activations.
        container: which of ``candidate.CONTAINERS`` holds them.
    """
    files = quantize(convert(architecture, weights), quantizations, clips)
    if container == "full":
        return files
    pack = strip_metadata if container == "stripped" else compact
    return {name: pack(content) for name, content in files.items()}


def quantize(content: bytes, quantizations: tuple[str, ...], clips: np.ndarray) -> dict[str, bytes]:
    """Return the variants of a float32 ``.tflite``, by quantization.

    Args:
        content: the float32 file.
        quantizations: names out of ``candidate.QUANTIZATIONS``.
        clips: features of training clips ``[clips, frames, coeffs]``; 200 of them, evenly spread,
            calibrate the activations of the int8 variants.
    """
    variants: dict[str, bytes] = {}
    calibration: dict[str, Any] = {}
    for name in quantizations:
        if name == "float32":
            variants[name] = content
            continue
        tool = quantizer.Quantizer(content, [_recipe(name)])
        ranges = None
        if tool.need_calibration:
            calibration = calibration or _widened(
                content, _calibrate(content, _recipe(name), clips)
            )
            ranges = calibration | (_kernel_ranges(content) if name == "int8" else {})
        result = tool.quantize(ranges, enable_progress_report=False)
        variants[name] = bytes(result.quantized_model)
    return variants


def strip_metadata(content: bytes) -> bytes:
    """Return the model without tensor names, signatures and metadata, which no device reads."""
    return packed(_without_metadata(content))


def compact(content: bytes) -> bytes:
    """Return the same as ``strip_metadata``, equal vectors stored once.

    Most tensors share their shape or zero point with another, and biases of zero are all alike.
    """
    return packed(_without_metadata(content), sharing=True)


def _without_metadata(content: bytes) -> Any:
    model = unpacked(content)
    model.description = model.signatureDefs = model.metadata = model.metadataBuffer = None
    for graph in model.subgraphs:
        graph.name = None
        for tensor in graph.tensors:
            tensor.name = None
    wanted = {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
    for index, buffer in enumerate(model.buffers):
        if index not in wanted:
            buffer.data = None
    return model


def _calibrate(content: bytes, recipe: dict[str, Any], clips: np.ndarray) -> dict[str, Any]:
    """Return the range of every activation over some clips, drawn evenly from all."""
    signature = schema.Model.GetRootAs(content, 0).SignatureDefs(0)
    key, name = signature.SignatureKey().decode(), signature.Inputs(0).Name().decode()
    # Clips lie in the order of their words: the first ones would be of one word.
    places = np.linspace(0, len(clips) - 1, min(len(clips), _CALIBRATION_CLIPS)).round()
    inputs = [{name: clips[int(place)][None, ..., None]} for place in places]
    plan = RecipeManager()
    plan.load_quantization_recipe([recipe])
    # By default ranges are running means of the extremes: half of the clips would be cut off.
    calibrator = Calibrator(
        content,
        num_threads=1,
        # The ranges are those of the mode that keeps every tensor and takes 25 times longer.
        mode=CalibrationMode.CALIBRATION_PROFILER_BASED,
        qsv_update_func=min_max_update,
    )
    calibrator.calibrate({key: inputs}, plan)
    ranges: dict[str, Any] = calibrator.get_model_qsvs()
    return ranges


def _widened(content: bytes, ranges: dict[str, Any]) -> dict[str, Any]:
    """Return ranges of activations, none much narrower than the widest of what is computed.

    What is always 0 would get a scale so fine that LiteRT ends the process at a sum, and that a
    bias is cut off.
    """
    graph = unpacked(content).subgraphs[0]
    computed = {graph.tensors[i].name.decode() for one in graph.operators for i in one.outputs}
    known = {name: ranges[name] for name in computed & ranges.keys()}
    least = _SMALLEST_RANGE * max(np.ptp(list(found.values())) for found in known.values())
    return ranges | {
        name: found | {"max": np.maximum(found["max"], found["min"] + least)}
        for name, found in known.items()
    }


def _kernel_ranges(content: bytes) -> dict[str, dict[str, np.ndarray]]:
    """Return the range of each kernel's channels, by tensor, none much narrower than the others.

    The scale of a bias is that of its channel's weights: a channel that pruning has emptied needs
    a scale at which its bias still fits into 32 bits.
    """
    model = unpacked(content)
    graph, ranges = model.subgraphs[0], {}
    for operator in graph.operators:
        axis = _CHANNEL_AXIS.get(model.operatorCodes[operator.opcodeIndex].builtinCode)
        if axis is not None:
            tensor = graph.tensors[operator.inputs[1]]
            stored = bytes(model.buffers[tensor.buffer].data)
            kernel = np.frombuffer(stored, np.float32).reshape(tensor.shape)
            others = tuple(i for i in range(kernel.ndim) if i != axis)
            largest = np.abs(kernel).max(axis=others, keepdims=True)
            largest = np.maximum(largest, _SMALLEST_RANGE * largest.max())
            ranges[tensor.name.decode()] = {"min": -largest, "max": largest}
    return ranges


def _recipe(quantization: str) -> dict[str, Any]:
    """Return ai-edge-quantizer's rule for a variant, for every operator it supports."""
    integer = {"num_bits": 8, "symmetric": True, "dtype": "INT", "granularity": "CHANNELWISE"}
    config: dict[str, Any] = {
        "weight_tensor_config": integer,
        "compute_precision": "INTEGER",
        "explicit_dequantize": False,
    }
    algorithm = "min_max_uniform_quantize"
    if quantization.startswith("int8"):
        activations = integer | {"symmetric": False, "granularity": "TENSORWISE"}
        config["activation_tensor_config"] = activations
    if quantization == "int8_per_tensor":
        config["weight_tensor_config"] = integer | {"granularity": "TENSORWISE"}
    if quantization == "float16":
        algorithm = "float_casting"
        half = {"num_bits": 16, "symmetric": True, "dtype": "FLOAT", "granularity": "TENSORWISE"}
        config = {
            "weight_tensor_config": half,
            "compute_precision": "FLOAT",
            "explicit_dequantize": True,
        }
    return {"regex": ".*", "operation": "*", "algorithm_key": algorithm, "op_config": config}
