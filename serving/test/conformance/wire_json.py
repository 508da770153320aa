"""Tensors as the JSON of the Open Inference Protocol, written from its specification and nothing of the server's."""

import json
import math

import numpy as np

# https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md#tensor-data-types
DATATYPES = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype(np.uint16),
    "UINT32": np.dtype(np.uint32),
    "UINT64": np.dtype(np.uint64),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype(np.int16),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
    "BYTES": np.dtype(object),
}


def datatype_of(array):
    """The protocol's name of an array's type; None where it has none."""
    if array.dtype.kind in "US":
        return "BYTES"
    return next((name for name, dtype in DATATYPES.items() if dtype == array.dtype), None)


def text_of(element):
    return element.decode() if isinstance(element, bytes) else str(element)


def _element(value):
    # JSON has no NaN and no infinities: strings, as in the JSON mapping of protocol buffers.
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return text_of(value) if isinstance(value, (bytes, str)) else value


def _nested(values):
    return [_nested(value) if isinstance(value, list) else _element(value) for value in values]


def encode(name, array, nested=False):
    """An entry of `inputs`, its data flat in row-major order or nested as its shape."""
    data = array.tolist() if nested and array.ndim > 0 else array.ravel().tolist()
    return {"name": name, "datatype": datatype_of(array), "shape": list(array.shape), "data": _nested(data)}


def decode(tensor):
    """An entry of `outputs` as an array."""
    dtype = DATATYPES[tensor["datatype"]]
    # By way of Python's own float and int, which round as the JSON says.
    data = [float(value) if dtype.kind == "f" else value for value in tensor["data"]]
    return np.array(data, dtype=dtype).reshape(tensor["shape"])


def request_body(arrays, nested=False, **more):
    """The JSON of an inference request for arrays by name."""
    inputs = [encode(name, array, nested) for name, array in arrays.items()]
    return json.dumps({"inputs": inputs, **more}, allow_nan=False)
