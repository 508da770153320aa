"""The ONNX model of a repository behind KServe's Python server."""

import os
import pathlib

import onnxruntime
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.utils.numpy_codec import from_np_dtype


class OnnxModel(Model):
    def __init__(self, file: pathlib.Path):
        super().__init__(file.parts[-3])
        self.file = file
        self.open()
        self.ready = True

    def open(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ["INTRA_OP_THREADS"])
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(self.file), options)
        self.gives = [output.name for output in self.session.get_outputs()]

    def __getstate__(self):
        # Each worker process gets a copy of the model; a session cannot be copied, so it opens its own.
        return {**self.__dict__, "session": None}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.open()

    def load(self):
        return self.ready

    async def predict(self, payload: InferRequest, headers=None, response_headers=None) -> InferResponse:
        feeds = {tensor.name: tensor.as_numpy() for tensor in payload.inputs}
        outputs = []
        for name, value in zip(self.gives, self.session.run(self.gives, feeds)):
            output = InferOutput(name, list(value.shape), from_np_dtype(value.dtype))
            output.set_data_from_numpy(value, binary_data=payload.use_binary_outputs)
            outputs.append(output)
        return InferResponse(payload.id, self.name, outputs)


if __name__ == "__main__":
    found = next(pathlib.Path(os.environ["MODEL_REPOSITORY"]).glob("*/*/model.onnx"))
    ModelServer().start([OnnxModel(found)])
