"""Front end and network as one ``.tflite``, for devices that run the whole of LiteRT."""

from typing import Any

from ai_edge_litert import schema_py_generated as schema

from sweep.flatbuffer import packed, unpacked

PIPELINE = "pipeline.tflite"
"""The file in an exported folder."""

_VERSIONS = {"QUANTIZE": 1, "DEQUANTIZE": 2}
"""Those in which these operators know int8."""


def pipeline(frontend: bytes, model: bytes) -> bytes:
    """Return one ``.tflite`` from a waveform to probabilities, both float32.

    Args:
        frontend: from float32 samples ``[1, samples]`` to features.
        model: from features to probabilities, float32 or int8.
    """
    whole, network = unpacked(frontend), unpacked(model)
    (graph,), (added,) = whole.subgraphs, network.subgraphs
    features, first = graph.outputs[0], len(graph.tensors)
    taken, given = added.inputs[0] + first, added.outputs[0] + first
    for tensor in added.tensors:
        tensor.buffer += len(whole.buffers)
    for operator in added.operators:
        operator.opcodeIndex += len(whole.operatorCodes)
        operator.inputs = [i + first if i >= 0 else i for i in operator.inputs]
        operator.outputs = [i + first for i in operator.outputs]
    graph.tensors += added.tensors
    whole.buffers += network.buffers
    whole.operatorCodes += network.operatorCodes
    if graph.tensors[taken].type == schema.TensorType.FLOAT32:
        for operator in added.operators:
            operator.inputs = [features if i == taken else i for i in operator.inputs]
    else:
        graph.operators.append(_converting(whole, "QUANTIZE", features, taken))
    graph.operators += added.operators
    if graph.tensors[given].type != schema.TensorType.FLOAT32:
        probabilities = schema.TensorT()
        probabilities.shape, probabilities.buffer = graph.tensors[given].shape, 0
        graph.tensors.append(probabilities)
        graph.operators.append(_converting(whole, "DEQUANTIZE", given, len(graph.tensors) - 1))
        given = len(graph.tensors) - 1
    graph.outputs = [given]
    whole.signatureDefs = whole.metadata = whole.metadataBuffer = None
    return packed(whole)


def _converting(model: Any, name: str, before: int, after: int) -> Any:
    """Return an operator from one tensor to another; its code is added to the model."""
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, name)
    code.version = _VERSIONS[name]
    operator = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes)
    operator.inputs, operator.outputs = [before], [after]
    model.operatorCodes.append(code)
    return operator
