"""Front end and network in one file, against the two files one after the other."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from sweep.arrays import to_float
from sweep.candidate import QUANTIZATIONS
from sweep.flatbuffer import unpacked
from sweep.frontends.compute import convert_frontend
from sweep.litert import Model
from sweep.pipeline import pipeline


@pytest.mark.parametrize("reference", [False, True])
@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_it_gives_what_both_files_give(lesson, variants, spoken, quantization, reference) -> None:
    frontend = convert_frontend(
        lesson.candidate.frontend, lesson.features.mean, lesson.features.deviation
    )
    clips = to_float(spoken.waveforms("validation", 16000))
    features = Model(frontend).run_each(clips)
    expected = Model(variants[quantization], reference).run_each(features)
    found = Model(pipeline(frontend, variants[quantization]), reference).run_each(clips)
    assert found.shape == expected.shape == (len(clips), 2)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_it_has_builtin_operators_only_and_no_large_tail(variants, lesson) -> None:
    frontend = convert_frontend(lesson.candidate.frontend)
    content = pipeline(frontend, variants["int8"])
    codes = {code.builtinCode for code in unpacked(content).operatorCodes}
    assert schema.BuiltinOperator.CUSTOM not in codes
    assert {schema.BuiltinOperator.QUANTIZE, schema.BuiltinOperator.DEQUANTIZE} <= codes
    assert len(content) < len(frontend) + len(variants["int8"]) + 1024
