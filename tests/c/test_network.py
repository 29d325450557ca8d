"""A network in C computes what LiteRT's reference kernels do."""

from functools import cache

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from tflite_micro import runtime

from sweep.c.compiler import compiled
from sweep.c.graph import Graph
from sweep.c.network import network_source
from sweep.c.verification import OUTPUT_TOLERANCE
from sweep.errors import SweepError
from sweep.litert import Model
from sweep.networks.architecture import Architecture
from sweep.networks.conversion import convert
from sweep.stages.compression import quantize

from ..networks.architectures import EACH, EveryLayer
from ..networks.keras_network import random_weights
from ..stages.test_compression import random_clips
from .compiling import SANITIZED, STRICT, driver, needs_compiler

QUANTIZATIONS = ("float32", "int8", "int8_per_tensor")
EACH_QUANTIZATION = pytest.mark.parametrize("quantization", QUANTIZATIONS)
SMALL = EveryLayer().architecture((9, 20), 3)


@cache
def files(architecture: Architecture) -> dict[str, bytes]:
    content = convert(architecture, random_weights(architecture))
    return quantize(content, (*QUANTIZATIONS, "float16", "dynamic"), random_clips(architecture))


def inputs(model: Model, clips: int = 30) -> np.ndarray:
    """Return plausible inputs, the lowest, the highest, and in int8 ones that are all noise."""
    rng, shape = np.random.default_rng(7), (clips, *model.input_shape[1:])
    values = model.encode(np.concatenate([rng.normal(0, 2, shape), np.zeros((2, *shape[1:]))]))
    if values.dtype == np.int8:
        values[-2:] = np.array([-128, 127]).reshape(2, 1, 1, 1)
        noise = rng.integers(-128, 128, shape).astype(np.int8)
        values = np.concatenate([values, noise])
    return values


def computed(content: bytes, values: np.ndarray, flags: tuple[str, ...] = STRICT) -> np.ndarray:
    """Return the outputs that the C computes, ``[n, outputs]``."""
    source = network_source(content).files
    with compiled(source | driver("run_network.c"), flags) as program:
        return program.run(values, values.dtype).reshape(len(values), -1)


def cut(content: bytes, place: int) -> bytes:
    """Return the network that ends with one of its operators."""
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    (graph,) = model.subgraphs
    graph.operators = graph.operators[: place + 1]
    graph.outputs, model.signatureDefs = graph.operators[-1].outputs, None
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def on_a_device(content: bytes, values: np.ndarray) -> np.ndarray:
    """Return the outputs of LiteRT for Microcontrollers."""
    interpreter, outputs = (runtime.Interpreter.from_bytes(content, arena_size=400_000), [])
    for one in values:
        interpreter.set_input(one[None], 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0).copy())
    return np.concatenate(outputs)


def reference(content: bytes, values: np.ndarray) -> np.ndarray:
    return Model(content, reference=True).run_stored(values).reshape(len(values), -1)


@needs_compiler
@EACH
@EACH_QUANTIZATION
def test_it_equals_the_reference_kernels(architecture, quantization) -> None:
    content = files(architecture)[quantization]
    values = inputs(Model(content))
    found, expected = computed(content, values), reference(content, values)
    if quantization == "float32":
        np.testing.assert_allclose(found, expected, rtol=0, atol=OUTPUT_TOLERANCE)
    else:
        np.testing.assert_array_equal(found, expected)


@needs_compiler
@EACH_QUANTIZATION
def test_no_input_leads_outside_an_array_or_into_undefined_behaviour(quantization) -> None:
    content = files(SMALL)[quantization]
    values = inputs(Model(content))
    if quantization == "float32":
        values[0], values[1], values[2] = np.nan, np.inf, -1e38
    assert len(computed(content, values, SANITIZED)) == len(values)


@needs_compiler
def test_so_does_what_each_operator_gives_on_the_way() -> None:
    content = files(SMALL)["int8"]
    for operator in Graph(content).operators:
        part = cut(content, operator.place)
        values = inputs(Model(part), clips=15)
        np.testing.assert_array_equal(
            computed(part, values), reference(part, values), err_msg=operator.name
        )


@EACH
@pytest.mark.parametrize("quantization", ["int8", "int8_per_tensor"])
def test_so_does_litert_for_microcontrollers_but_for_a_step_of_a_product(
    architecture, quantization
) -> None:
    content = files(architecture)[quantization]
    product = next(o.place for o in Graph(content).operators if o.name == "FULLY_CONNECTED")
    before, after = cut(content, product - 1), cut(content, product)
    values = inputs(Model(content))
    np.testing.assert_array_equal(on_a_device(before, values), reference(before, values))
    apart = np.abs(on_a_device(after, values).astype(int) - reference(after, values))
    assert apart.max() <= 1 and np.mean(apart > 0) < 0.05


def test_it_is_written_the_same_every_time() -> None:
    content = files(SMALL)["int8"]
    assert network_source(content) == network_source(content)


@pytest.mark.parametrize(
    ("quantization", "message"),
    [
        ("float16", "DEQUANTIZE has no C for float16 and float32 together"),
        ("dynamic", "this CONV_2D has no C: it has weights of type int8 and values of float32"),
    ],
)
def test_a_variant_that_no_microcontroller_runs_has_no_c(quantization, message) -> None:
    with pytest.raises(SweepError, match=f"^{message}$"):
        network_source(files(SMALL)[quantization])


def test_an_operator_without_c_is_named() -> None:
    model = schema.ModelT.InitFromPackedBuf(bytearray(files(SMALL)["float32"]), 0)
    model.operatorCodes[0].builtinCode = schema.BuiltinOperator.COS
    builder = flatbuffers.Builder(0)
    builder.Finish(model.Pack(builder), b"TFL3")
    with pytest.raises(SweepError, match="^COS has no C for float32$"):
        network_source(bytes(builder.Output()))
