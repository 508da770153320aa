"""
The backend test models of the `onnx` package through REST JSON, REST binary and gRPC.

usage: python onnx_backend.py FOLDER

Writes those that ONNX Runtime itself passes, and whose inputs and outputs the protocol has datatypes for, into FOLDER as a
model repository, and says so in a line of JSON. Then reads a line {"rest": "host:port", "grpc": "host:port"} from standard
input, sends each model its inputs in every way, compares, and writes a line of JSON with what became of them.
"""

import http.client
import json
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import tritonclient.grpc
import tritonclient.http
import wire_json
from onnx.backend.test.loader import load_model_tests, load_node_model_tests
from onnx.backend.test.runner import Runner

DATA = ("simple", "pytorch-operator", "pytorch-converted")
WAYS = ("json", "nested json", "binary", "grpc")


def cases():
    """Every test as (name, rtol, atol, model, [(inputs, outputs)])."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in load_node_model_tests():
            yield case.name, case.rtol, case.atol, case.model, case.data_sets
        for kind in DATA:
            for case in load_model_tests(kind=kind):
                folder = Path(case.model_dir)
                model = onnx.load(folder / "model.onnx")
                sets = [stored_set(model, each) for each in sorted(folder.glob("test_data_set_*"))]
                yield f"{kind}-{case.name}", case.rtol, case.atol, model, sets


def stored_set(model, folder):
    def tensors(kind, values):
        files = [folder / f"{kind}_{index}.pb" for index in range(len(list(folder.glob(f"{kind}_*.pb"))))]
        if any(not value.type.HasField("tensor_type") for value in values[: len(files)]):
            return [None] * len(files)
        return [onnx.numpy_helper.to_array(onnx.TensorProto.FromString(file.read_bytes())) for file in files]

    return tensors("input", model.graph.input), tensors("output", model.graph.output)


def out_of_scope(model, sets):
    """Why the protocol cannot carry a test's values; None where it can."""
    initialized = {tensor.name for tensor in model.graph.initializer}
    for value in [*model.graph.input, *model.graph.output]:
        if value.name in initialized:
            continue
        kind = value.type.WhichOneof("value")
        if kind != "tensor_type":
            return f"takes or gives a {(kind or 'value without a type').removesuffix('_type')}"
        element = onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type)
        if element in ("BFLOAT16", "COMPLEX64", "COMPLEX128") or element.startswith(("FLOAT8", "FLOAT4", "INT4", "UINT4", "INT2", "UINT2")):
            return f"takes or gives {element}"
    for inputs, _ in sets:
        for array in inputs:
            if array is None:
                return "leaves an optional input out"
            if wire_json.datatype_of(np.asarray(array)) == "BYTES" and any(
                "\0" in wire_json.text_of(element) for element in np.asarray(array).ravel()
            ):
                return "takes text with a NUL"
    return "has no test data" if not sets else None


def runtime_fault(model, rtol, atol, sets):
    """Why ONNX Runtime itself, without a server, does not pass; None where it does."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception:
        return "ONNX Runtime does not load it"
    names = [value.name for value in session.get_inputs()]
    for inputs, expected in sets:
        if len(inputs) != len(names):
            return "its data is not one tensor for each input"
        try:
            outputs = session.run(None, dict(zip(names, map(np.asarray, inputs))))
        except Exception:
            return "ONNX Runtime does not run it"
        if not similar(expected, outputs, rtol, atol):
            return "ONNX Runtime gives other values than it expects"
    return None


def similar(expected, outputs, rtol, atol):
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Runner.assert_similar_outputs([np.asarray(array) for array in expected], outputs, rtol, atol)
    except (AssertionError, TypeError):
        return False
    return True


class Rest:
    """One connection, one request after the other."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=60)

    def infer(self, model, body):
        headers = {"Content-Type": "application/json"}
        self.connection.request("POST", f"/v2/models/{model}/infer", body, headers)
        response = self.connection.getresponse()
        answer = json.loads(response.read())
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {answer['error']}")
        return [wire_json.decode(tensor) for tensor in answer["outputs"]]


def triton_infer(module, client, model, arrays, **options):
    inputs = []
    for name, array in arrays.items():
        tensor = module.InferInput(name, array.shape, wire_json.datatype_of(array))
        tensor.set_data_from_numpy(array)
        inputs.append(tensor)
    result = client.infer(model, inputs, **options)
    response = result.get_response(**({"as_json": True} if module is tritonclient.grpc else {}))
    return [result.as_numpy(output["name"]) for output in response["outputs"]]


class Ways:
    """Each way to send a request, by its name."""

    def __init__(self, rest, grpc):
        self.json = Rest(rest)
        self.http = tritonclient.http.InferenceServerClient(rest, network_timeout=60)
        self.grpc = tritonclient.grpc.InferenceServerClient(grpc)

    def infer(self, way, model, arrays):
        match way:
            case "json":
                return self.json.infer(model, wire_json.request_body(arrays))
            case "nested json":
                return self.json.infer(model, wire_json.request_body(arrays, nested=True))
            case "binary":
                return triton_infer(tritonclient.http, self.http, model, arrays)
            case _:
                return triton_infer(tritonclient.grpc, self.grpc, model, arrays, client_timeout=60)


def textual(array):
    """Text as the protocol has it: BYTES elements."""
    array = np.asarray(array)
    if wire_json.datatype_of(array) != "BYTES":
        return array
    return np.array([wire_json.text_of(element) for element in array.ravel()], dtype=object).reshape(array.shape)


def check(ways, name, rtol, atol, names, sets):
    """What is wrong with the answers, by the way of asking."""
    faults = {}
    for inputs, expected in sets:
        arrays = dict(zip(names, map(textual, inputs)))
        for way in WAYS:
            try:
                outputs = [textual(array) for array in ways.infer(way, name, arrays)]
                if not similar([textual(array) for array in expected], outputs, rtol, atol):
                    faults.setdefault(way, "other values than expected")
            except Exception as error:
                faults.setdefault(way, f"{type(error).__name__}: {error}")
    return faults


def main(folder):
    served = []
    skipped = Counter()
    for name, rtol, atol, model, sets in cases():
        reason = out_of_scope(model, sets) or runtime_fault(model, rtol, atol, sets)
        if reason is not None:
            skipped[reason] += 1
            continue
        version = folder / name / "1"
        version.mkdir(parents=True)
        onnx.save(model, version / "model.onnx")
        if any(np.asarray(array).size == 0 for inputs, _ in sets for array in inputs):
            (folder / name / "config.json").write_text('{"emptyTensors": true}')
        initialized = {tensor.name for tensor in model.graph.initializer}
        names = [value.name for value in model.graph.input if value.name not in initialized]
        served.append((name, rtol, atol, names, sets))
    print(json.dumps({"models": len(served), "skipped": dict(skipped)}), flush=True)

    addresses = json.loads(sys.stdin.readline())
    ways = Ways(**addresses)
    failed = {each[0]: faults for each in served if (faults := check(ways, *each))}
    passed = {way: sum(way not in failed.get(each[0], {}) for each in served) for way in WAYS}
    print(json.dumps({"passed": passed, "failed": failed}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
