import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from sweep.litert import Model
from sweep.networks import conversion
from sweep.networks.conversion import convert

from .architectures import EACH
from .keras_network import random_weights
from .test_layered import features_for


@EACH
def test_weights_written_in_place_give_the_file_the_converter_gives(architecture):
    for seed in (1, 2):
        weights = random_weights(architecture, seed)
        converted = conversion._convert(architecture, architecture.fold(weights))
        assert convert(architecture, weights) == converted


@EACH
def test_the_file_answers_as_tensorflow_does(architecture):
    weights, clips = random_weights(architecture), features_for(architecture)
    logits = architecture.forward(architecture.fold(weights), clips)
    answers = Model(convert(architecture, weights)).run(clips)
    np.testing.assert_allclose(answers, tf.nn.softmax(logits), atol=1e-5)


@EACH
def test_the_operators_of_the_file_are_those_the_layers_name(architecture):
    content = convert(architecture, random_weights(architecture))
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    names = {code: name for name, code in vars(schema.BuiltinOperator).items()}
    graph = model.subgraphs[0]
    codes = [model.operatorCodes[operator.opcodeIndex].builtinCode for operator in graph.operators]
    assert sorted(names[code] for code in codes) == sorted(architecture.operators())
