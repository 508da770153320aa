"""
KServe's own clients, over REST and gRPC, unmodified and mostly with their defaults, against the server at the addresses
in the environment variables REST and GRPC, which serves the repository of models.ts.
"""

import asyncio
import itertools
import os
import unittest

import grpc
import httpx
import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput
from kserve.utils.numpy_codec import from_np_dtype

EDGES = {
    "bool": np.array([[True, False]]),
    "uint8": np.array([[0, 255]], np.uint8),
    "uint16": np.array([[0, 65_535]], np.uint16),
    "uint32": np.array([[0, 2**32 - 1]], np.uint32),
    "uint64": np.array([[0, 2**53 + 1, 2**64 - 1]], np.uint64),
    "int8": np.array([[-128, 127]], np.int8),
    "int16": np.array([[-32_768, 32_767]], np.int16),
    "int32": np.array([[-(2**31), 2**31 - 1]], np.int32),
    "int64": np.array([[-(2**63), -(2**53) - 1, 2**53 + 1, 2**63 - 1]], np.int64),
    "fp16": np.array([[0.1, -65_504, 6e-8]], np.float16),
    "fp32": np.array([[0.1, np.finfo(np.float32).max, np.finfo(np.float32).smallest_subnormal]], np.float32),
    "fp64": np.array([[0.1, np.finfo(np.float64).max, np.finfo(np.float64).smallest_subnormal]], np.float64),
    "bytes": np.array([["", "plain", "Grüße, 世界 🎉", "\x01\n\"\\"]], np.object_),
}
# The client itself sends FP16 in binary alone.
WITHOUT_FP16 = {name: array for name, array in EDGES.items() if name != "fp16"}
A = np.arange(8, dtype=np.float32).reshape(2, 4)
B = np.full((2, 4), 0.5, np.float32)
BINARY_OUTPUT = {"binary_data_output": True}


def tensor(name, array, binary):
    made = InferInput(name, list(array.shape), from_np_dtype(array.dtype))
    made.set_data_from_numpy(array, binary_data=binary)
    return made


def arithmetic(binary=True, **options):
    return InferRequest("arithmetic", [tensor("a", A, binary), tensor("b", B, binary)], **options)


def bits(array):
    """Elements to the last bit, and the sign of a zero; text as text, which the client gives as str or as bytes."""
    if array.dtype != np.object_:
        return array.dtype, array.shape, array.tobytes()
    return array.shape, [each if isinstance(each, str) else each.decode() for each in array.ravel()]


class Claims:
    """What holds over REST and over gRPC alike."""

    def assertOutputs(self, response, expected):
        self.assertEqual([output.name for output in response.outputs], list(expected))
        for output in response.outputs:
            self.assertEqual(bits(output.as_numpy()), bits(expected[output.name]), output.name)

    def assertEdges(self, response):
        self.assertOutputs(response, {f"{name}_out": array for name, array in EDGES.items()})

    async def assertAlone(self, arrays, binary):
        for name, array in arrays.items():
            response = await self.infer(InferRequest(f"identity-{name}", [tensor("x", array, binary)]))
            self.assertOutputs(response, {"x_out": array})

    async def test_says_that_it_is_live_and_ready(self):
        self.assertIs(await self.is_server_live(), True)
        self.assertIs(await self.is_server_ready(), True)
        self.assertIs(await self.is_model_ready("arithmetic"), True)

    async def test_binary_tensors_of_each_datatype_alone_come_back(self):
        await self.assertAlone(EDGES, binary=True)

    async def test_typed_tensors_of_each_datatype_alone_come_back(self):
        await self.assertAlone(WITHOUT_FP16, binary=False)

    async def test_the_sign_of_a_zero_comes_back_in_binary(self):
        # Not in JSON: the client reads the JSON number -0 as the integer 0.
        array = np.array([[-0.0, 0.0]], np.float32)
        request = InferRequest("identity-fp32", [tensor("x", array, binary=True)], parameters=BINARY_OUTPUT)
        self.assertOutputs(await self.infer(request), {"x_out": array})

    async def test_a_scalar_has_no_dimensions(self):
        array = np.array(2.5, np.float32)
        for binary in (True, False):
            response = await self.infer(InferRequest("scalar", [tensor("x", array, binary)]))
            self.assertOutputs(response, {"x_out": array})

    async def test_an_image_comes_back(self):
        array = np.random.default_rng(1).random((224, 672), np.float32)
        response = await self.infer(InferRequest("identity-fp32", [tensor("x", array, binary=True)]))
        self.assertOutputs(response, {"x_out": array})

    async def test_outputs_are_those_asked_for_in_that_order(self):
        outputs = [RequestedOutput(name) for name in ("difference", "sum")]
        response = await self.infer(arithmetic(request_outputs=outputs))
        self.assertOutputs(response, {"difference": A - B, "sum": A + B})
        response = await self.infer(arithmetic(request_outputs=outputs[:1]))
        self.assertOutputs(response, {"difference": A - B})

    async def test_an_answer_names_its_request_and_model(self):
        response = await self.infer(arithmetic(request_id="nr 7"))
        self.assertEqual((response.id, response.model_name), ("nr 7", "arithmetic"))

    async def test_parameters_of_others_are_taken(self):
        response = await self.infer(arithmetic(parameters={"tenant": "a", "priority": 1, "urgent": True}))
        self.assertOutputs(response, {"sum": A + B, "difference": A - B})

    async def test_requests_that_are_sent_at_once_are_all_answered(self):
        for response in await asyncio.gather(*[self.infer(arithmetic()) for _ in range(50)]):
            self.assertOutputs(response, {"sum": A + B, "difference": A - B})

    async def test_what_does_not_fit_the_model_is_refused_in_words(self):
        for words, inputs in (
            ("input 'b' is missing", [tensor("a", A, binary=True)]),
            ("'datatype' is INT32, the model needs FP32", [tensor("a", A.astype(np.int32), binary=True)]),
            ("'shape' is [4,2], the model needs [-1,4]", [tensor("a", A.reshape(4, 2), binary=True)]),
        ):
            refusal = await self.refusal(InferRequest("arithmetic", inputs))
            self.assertEqual(refusal[0], self.invalid)
            self.assertIn(words, refusal[1])

    async def test_a_model_that_there_is_not_is_refused_in_words(self):
        request = arithmetic()
        request.model_name = "absent"
        status, words = await self.refusal(request)
        self.assertEqual(status, self.unknown)
        self.assertIn("no model 'absent'", words)


class OverRest(Claims, unittest.IsolatedAsyncioTestCase):
    invalid = 400
    unknown = 404

    async def asyncSetUp(self):
        self.url = f"http://{os.environ['REST']}"
        self.client = InferenceRESTClient(RESTConfig(protocol="v2"))

    async def asyncTearDown(self):
        await self.client.close()

    async def infer(self, request, **options):
        return await self.client.infer(self.url, request, model_name=request.model_name, **options)

    def is_server_live(self):
        return self.client.is_server_live(self.url)

    def is_server_ready(self):
        return self.client.is_server_ready(self.url)

    def is_model_ready(self, name):
        return self.client.is_model_ready(self.url, name)

    async def refusal(self, request):
        with self.assertRaises(httpx.HTTPStatusError) as caught:
            await self.infer(request)
        return caught.exception.response.status_code, str(caught.exception)

    async def test_edges_of_every_datatype_come_back_in_json_and_in_binary_whichever_they_were_sent_in(self):
        for sent_binary, asked_binary in itertools.product((True, False), repeat=2):
            # FP16 goes in binary in any case, or the client would refuse to send it.
            inputs = [tensor(name, array, sent_binary or name == "fp16") for name, array in EDGES.items()]
            request = InferRequest("identity", inputs, parameters={"binary_data_output": asked_binary})
            headers = {}
            self.assertEdges(await self.infer(request, response_headers=headers))
            self.assertEqual("inference-header-content-length" in headers, asked_binary)

    async def test_each_output_may_be_asked_for_in_json_or_in_binary(self):
        outputs = [RequestedOutput("sum", {"binary_data": True}), RequestedOutput("difference", {"binary_data": False})]
        headers = {}
        response = await self.infer(arithmetic(request_outputs=outputs), response_headers=headers)
        self.assertOutputs(response, {"sum": A + B, "difference": A - B})
        self.assertIn("inference-header-content-length", headers)

    async def test_nan_and_the_infinities_come_back_in_json(self):
        array = np.array([[np.nan, np.inf, -np.inf]], np.float32)
        response = await self.infer(InferRequest("identity-fp32", [tensor("x", array, binary=True)]))
        self.assertEqual(response.outputs[0].data, ["NaN", "Infinity", "-Infinity"])
        self.assertOutputs(response, {"x_out": array})

    async def test_a_request_may_be_a_dict(self):
        inputs = [{"name": "x", "datatype": "INT64", "shape": [1, 1], "data": [[2**53 + 1]]}]
        response = await self.client.infer(self.url, {"inputs": inputs}, model_name="identity-int64")
        self.assertEqual(response.outputs[0].data, [2**53 + 1])

    async def test_a_slash_at_the_end_of_the_address_changes_nothing(self):
        self.url += "/"
        self.assertIs(await self.is_server_ready(), True)
        self.assertOutputs(await self.infer(arithmetic()), {"sum": A + B, "difference": A - B})

    async def test_a_model_that_there_is_not_is_not_ready(self):
        self.assertIs(await self.is_model_ready("absent"), False)


class OverGrpc(Claims, unittest.IsolatedAsyncioTestCase):
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    unknown = grpc.StatusCode.NOT_FOUND

    async def asyncSetUp(self):
        self.client = InferenceGRPCClient(os.environ["GRPC"])

    async def asyncTearDown(self):
        await self.client.close()

    def infer(self, request):
        return self.client.infer(request)

    def is_server_live(self):
        return self.client.is_server_live()

    def is_server_ready(self):
        return self.client.is_server_ready()

    def is_model_ready(self, name):
        return self.client.is_model_ready(name)

    async def refusal(self, request):
        with self.assertRaises(grpc.RpcError) as caught:
            await self.infer(request)
        return caught.exception.code(), caught.exception.details()

    async def test_edges_of_every_datatype_at_once_come_back_in_binary(self):
        inputs = [tensor(name, array, binary=True) for name, array in EDGES.items()]
        self.assertEdges(await self.infer(InferRequest("identity", inputs)))

    async def test_nan_and_the_infinities_come_back_both_ways(self):
        array = np.array([[np.nan, np.inf, -np.inf]], np.float32)
        for binary in (True, False):
            response = await self.infer(InferRequest("identity-fp32", [tensor("x", array, binary)]))
            self.assertOutputs(response, {"x_out": array})

    async def test_a_version_can_be_asked_for(self):
        for version in ("1", "2"):
            response = await self.infer(arithmetic(model_version=version))
            self.assertEqual(response.model_version, version)
        status, words = await self.refusal(arithmetic(model_version="9"))
        self.assertEqual(status, self.unknown)
        self.assertIn("version", words)

    async def test_whether_a_model_that_there_is_not_is_ready_is_refused(self):
        with self.assertRaises(grpc.RpcError) as caught:
            await self.is_model_ready("absent")
        self.assertEqual(caught.exception.code(), self.unknown)


if __name__ == "__main__":
    unittest.main()
