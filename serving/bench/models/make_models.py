"""Writes the benchmark's models, and one request with its right answer for each, into a folder.

    python make_models.py FOLDER

FOLDER/<model>/<model>/1/model.onnx is a model repository of one model; FOLDER/<model>/sample.json and the files it
names hold the tensors. The answers are ONNX Runtime's own, so that a server is compared with the runtime it uses.
"""

import json
import pathlib
import shutil
import sys

import magika
import numpy as np
import onnx
import onnxruntime
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression


def digits():
    """64 floats in, a class and ten probabilities out: the tiny model."""
    data = load_digits()
    pixels = data.data.astype(np.float32)
    classifier = LogisticRegression(max_iter=5000).fit(pixels, data.target)
    model = to_onnx(classifier, pixels[:1], options={id(classifier): {"zipmap": False}})
    return model.SerializeToString(), {"X": pixels[:1]}


def image():
    """150,528 floats in, the mean of each channel out: next to no computing, so that the transport shows."""
    tensor = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("ReduceMean", ["image"], ["mean"], axes=[2, 3], keepdims=0)],
        "image",
        [tensor("image", onnx.TensorProto.FLOAT, ["batch", 3, 224, 224])],
        [tensor("mean", onnx.TensorProto.FLOAT, ["batch", 3])],
    )
    model = onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 17)])
    onnx.checker.check_model(model)
    pixels = np.random.default_rng(7).random((1, 3, 224, 224), dtype=np.float32)
    return model.SerializeToString(), {"image": pixels}


def compute():
    """2,048 token ids in, 214 scores out: magika's own model, which computes for milliseconds."""
    folder = pathlib.Path(magika.__file__).parent / "models"
    file = next(iter(sorted(folder.glob("*/model.onnx"))))
    tokens = np.random.default_rng(7).integers(0, 256, (1, 2048), dtype=np.int32)
    return file.read_bytes(), {"bytes": tokens}


DATATYPES = {"float32": "FP32", "int32": "INT32", "int64": "INT64"}


def describe(folder, kind, name, value):
    file = f"{kind}-{name}.bin"
    (folder / file).write_bytes(value.tobytes())
    return {"name": name, "datatype": DATATYPES[str(value.dtype)], "shape": list(value.shape), "file": file}


def write(folder, name, model, inputs):
    shutil.rmtree(folder, ignore_errors=True)
    version = folder / name / "1"
    version.mkdir(parents=True)
    (version / "model.onnx").write_bytes(model)
    session = onnxruntime.InferenceSession(str(version / "model.onnx"))
    names = [output.name for output in session.get_outputs()]
    assert [i.name for i in session.get_inputs()] == list(inputs), [i.name for i in session.get_inputs()]
    outputs = dict(zip(names, session.run(names, inputs)))
    sample = {
        "model": name,
        "inputs": [describe(folder, "input", *item) for item in inputs.items()],
        "outputs": [describe(folder, "output", *item) for item in outputs.items()],
    }
    (folder / "sample.json").write_text(json.dumps(sample, indent=2))


for make in (digits, image, compute):
    write(pathlib.Path(sys.argv[1]) / make.__name__, make.__name__, *make())
