"""ONNX Runtime as a model of MLServer, which brings none of its own."""

import os

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse

OF_RUNTIME = {"tensor(float)": np.float32, "tensor(int32)": np.int32}


class OnnxModel(MLModel):
    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ["INTRA_OP_THREADS"])
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(self.settings.parameters.uri, options)
        self.takes = {given.name: given for given in self.session.get_inputs()}
        self.gives = [output.name for output in self.session.get_outputs()]
        return True

    def decode(self, tensor):
        if tensor.datatype != "BYTES":
            return NumpyCodec.decode_input(tensor)
        # A tensor's bytes as one string: faster here than the protocol's own numbers and raw contents.
        given = self.takes[tensor.name]
        shape = [size if isinstance(size, int) else 1 for size in given.shape]
        return np.frombuffer(tensor.data.root[0], OF_RUNTIME[given.type]).reshape(shape)

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        feeds = {tensor.name: self.decode(tensor) for tensor in payload.inputs}
        results = zip(self.gives, self.session.run(self.gives, feeds))
        return InferenceResponse(
            id=payload.id,
            model_name=self.name,
            outputs=[NumpyCodec.encode_output(name, value) for name, value in results],
        )
