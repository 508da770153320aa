"""The ONNX model of a repository behind FastAPI, as a team would write it that knows where the time goes.

Takes the protocol's JSON, or one tensor as plain bytes; parses and writes JSON with orjson; validates nothing.
"""

import os
import pathlib

import numpy as np
import onnxruntime
import orjson
from fastapi import FastAPI, Request, Response

DTYPES = {"FP32": np.float32, "INT32": np.int32, "INT64": np.int64}
DATATYPES = {np.dtype(dtype): name for name, dtype in DTYPES.items()}
OF_RUNTIME = {"tensor(float)": np.float32, "tensor(int32)": np.int32}

file = next(pathlib.Path(os.environ["MODEL_REPOSITORY"]).glob("*/*/model.onnx"))
name = file.parts[-3]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(os.environ["INTRA_OP_THREADS"])
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(str(file), options)
outputs = [output.name for output in session.get_outputs()]
first = session.get_inputs()[0]
shape = [size if isinstance(size, int) else 1 for size in first.shape]

app = FastAPI(openapi_url=None)


@app.get("/v2/health/ready")
async def ready():
    return Response()


@app.post(f"/v2/models/{name}/infer")
async def infer(request: Request):
    body = orjson.loads(await request.body())
    feeds = {
        tensor["name"]: np.array(tensor["data"], DTYPES[tensor["datatype"]]).reshape(tensor["shape"])
        for tensor in body["inputs"]
    }
    results = [
        {"name": output, "datatype": DATATYPES[value.dtype], "shape": value.shape, "data": value.ravel()}
        for output, value in zip(outputs, session.run(outputs, feeds))
    ]
    answer = {"model_name": name, "id": body.get("id"), "outputs": results}
    return Response(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


@app.post(f"/raw/{name}")
async def infer_raw(request: Request):
    tensor = np.frombuffer(await request.body(), OF_RUNTIME[first.type]).reshape(shape)
    [value] = session.run(outputs, {first.name: tensor})
    return Response(value.tobytes(), media_type="application/octet-stream")
