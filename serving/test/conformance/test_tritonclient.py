"""
Triton's own client, over HTTP and gRPC, unmodified and mostly with its defaults, against the server at the addresses in the
environment variables REST and GRPC, which serves the repository of models.ts and lets clients load and unload.
"""

import asyncio
import os
import queue
import unittest

import numpy as np
import tritonclient.grpc
import tritonclient.grpc.aio
import tritonclient.http
import tritonclient.http.aio
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

EDGES = {
    "bool": np.array([[True, False]]),
    "uint8": np.array([[0, 255]], np.uint8),
    "uint16": np.array([[0, 65_535]], np.uint16),
    "uint32": np.array([[0, 2**32 - 1]], np.uint32),
    "uint64": np.array([[0, 2**53 + 1, 2**63 + 1, 2**64 - 1]], np.uint64),
    "int8": np.array([[-128, 127]], np.int8),
    "int16": np.array([[-32_768, 32_767]], np.int16),
    "int32": np.array([[-(2**31), 2**31 - 1]], np.int32),
    "int64": np.array([[-(2**63), -(2**53) - 1, 2**53 + 1, 2**63 - 1]], np.int64),
    "fp16": np.array([[0.1, -65_504, 6e-8, -0.0]], np.float16),
    "fp32": np.array([[0.1, np.finfo(np.float32).max, np.finfo(np.float32).smallest_subnormal, -0.0]], np.float32),
    "fp64": np.array([[0.1, np.finfo(np.float64).max, np.finfo(np.float64).smallest_subnormal, -0.0]], np.float64),
    "bytes": np.array([["", "plain", "Grüße, 世界 🎉", "\x01\n\"\\"]], np.object_),
}
A = np.arange(8, dtype=np.float32).reshape(2, 4)
B = np.full((2, 4), 0.5, np.float32)


def same(one, other):
    """To the last bit, and the sign of a zero."""
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def textual(array):
    return np.array([item.decode() for item in array.ravel()], np.object_).reshape(array.shape)


class Claims:
    """What holds over HTTP and over gRPC alike."""

    module = None

    def tensor(self, name, array, **options):
        tensor = self.module.InferInput(name, array.shape, np_to_triton_dtype(array.dtype))
        tensor.set_data_from_numpy(array, **options)
        return tensor

    def arithmetic(self):
        return [self.tensor("a", A), self.tensor("b", B)]

    def assertRefused(self, words, call, *args, **options):
        with self.assertRaises(InferenceServerException) as caught:
            call(*args, **options)
        self.assertIn(words, caught.exception.message())
        return caught.exception.status()

    def assertEdges(self, result):
        for name, array in EDGES.items():
            output = result.as_numpy(f"{name}_out")
            if name == "bytes":
                self.assertEqual(textual(output).tolist(), array.tolist())
            else:
                self.assertTrue(same(output, array), (name, output))

    def test_says_that_it_is_live_and_ready(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("arithmetic"))
        self.assertTrue(self.client.is_model_ready("arithmetic", "1"))

    def test_values_at_the_edges_of_every_datatype_come_back_in_binary(self):
        inputs = [self.tensor(name, array) for name, array in EDGES.items()]
        self.assertEdges(self.client.infer("identity", inputs))

    def test_nan_and_the_infinities_come_back_in_binary(self):
        for dtype in (np.float16, np.float32, np.float64):
            name = f"identity-{np_to_triton_dtype(dtype).lower()}"
            array = np.array([[np.nan, np.inf, -np.inf]], dtype)
            result = self.client.infer(name, [self.tensor("x", array)])
            self.assertTrue(same(result.as_numpy("x_out"), array))

    def test_each_datatype_alone_comes_back_also_when_empty(self):
        for name, array in EDGES.items():
            for each in (array, array[:0], array[:, :0]):
                output = self.client.infer(f"identity-{name}", [self.tensor("x", each)]).as_numpy("x_out")
                self.assertEqual(output.shape, each.shape, name)
                self.assertEqual((textual(output) if name == "bytes" else output).tolist(), each.tolist())

    def test_outputs_are_those_asked_for_in_that_order(self):
        outputs = [self.module.InferRequestedOutput(name) for name in ("difference", "sum")]
        result = self.client.infer("arithmetic", self.arithmetic(), outputs=outputs)
        self.assertTrue(same(result.as_numpy("difference"), A - B))
        self.assertTrue(same(result.as_numpy("sum"), A + B))
        one = self.client.infer("arithmetic", self.arithmetic(), outputs=outputs[:1])
        self.assertIsNone(one.as_numpy("sum"))

    def test_inputs_may_come_in_any_order(self):
        result = self.client.infer("arithmetic", self.arithmetic()[::-1])
        self.assertTrue(same(result.as_numpy("difference"), A - B))

    def test_a_scalar_has_no_dimensions(self):
        array = np.array(2.5, np.float32)
        self.assertTrue(same(self.client.infer("scalar", [self.tensor("x", array)]).as_numpy("x_out"), array))

    def test_an_image_comes_back(self):
        array = np.random.default_rng(1).random((224, 672), np.float32)
        self.assertTrue(same(self.client.infer("identity-fp32", [self.tensor("x", array)]).as_numpy("x_out"), array))

    def test_a_version_can_be_asked_for(self):
        for version in ("1", "2"):
            result = self.client.infer("arithmetic", self.arithmetic(), model_version=version, request_id="nr 7")
            response = self.as_json(result.get_response)
            self.assertEqual(response["model_version"], version)
            self.assertEqual(response["id"], "nr 7")

    def test_parameters_of_triton_are_taken(self):
        options = {"priority": 1, "timeout": 10_000_000, "sequence_id": 7, "sequence_start": True}
        result = self.client.infer("arithmetic", self.arithmetic(), parameters={"tenant": "a"}, **options)
        self.assertTrue(same(result.as_numpy("sum"), A + B))

    def test_requests_that_are_sent_at_once_are_all_answered(self):
        pending = [self.submit(np.full((1, 4), index, np.float32)) for index in range(50)]
        for index, answer in enumerate(pending):
            self.assertEqual(answer().as_numpy("sum").tolist(), [[index + 0.5] * 4])

    def test_metadata_names_what_a_model_takes_and_gives(self):
        server = self.metadata(self.client.get_server_metadata)
        self.assertEqual(server["name"], "model-server")
        self.assertIn("binary_tensor_data", server["extensions"])
        model = self.metadata(self.client.get_model_metadata, "arithmetic")
        self.assertEqual(model["versions"], ["1", "2"])
        self.assertEqual(model["platform"], "onnx_onnxv1")
        self.assertEqual([each["name"] for each in model["inputs"]], ["a", "b"])
        self.assertEqual(model["outputs"][1]["name"], "difference")
        self.assertEqual([int(size) for size in model["inputs"][0]["shape"]], [-1, 4])

    def test_the_configuration_is_told_in_tritons_terms(self):
        config = self.metadata(self.client.get_model_config, "arithmetic")
        config = config.get("config", config)
        self.assertEqual(config["backend"], "onnxruntime")
        self.assertEqual([each["data_type"] for each in config["input"]], ["TYPE_FP32"] * 2)

    def test_statistics_count_what_was_asked(self):
        def successes():
            statistics = self.metadata(self.client.get_inference_statistics, "identity-fp64", "1")
            return int(statistics["model_stats"][0].get("inference_stats", {}).get("success", {}).get("count", 0))

        before = successes()
        for _ in range(3):
            self.client.infer("identity-fp64", [self.tensor("x", EDGES["fp64"])])
        self.assertEqual(successes(), before + 3)
        names = [each["name"] for each in self.metadata(self.client.get_inference_statistics)["model_stats"]]
        self.assertIn("arithmetic", names)

    def test_a_model_can_be_unloaded_and_loaded_again(self):
        name = self.loadable
        self.client.unload_model(name)
        self.assertFalse(self.client.is_model_ready(name))
        self.assertEqual(self.index()[name]["state"], "UNAVAILABLE")
        self.assertRefused(f"model '{name}'", self.client.infer, name, [self.tensor("x", EDGES["int8"])])
        self.client.load_model(name)
        self.assertTrue(self.client.is_model_ready(name))
        self.assertEqual(self.index()[name]["state"], "READY")

    def test_errors_are_told_in_words(self):
        infer = self.client.infer
        arithmetic = self.arithmetic()
        for words, *args in (
            ("no model 'absent'", "absent", arithmetic),
            ("version", "arithmetic", arithmetic, "9"),
            ("input 'b' is missing; its inputs: a FP32[-1,4], b FP32[-1,4]", "arithmetic", arithmetic[:1]),
            ("input 'a' is there twice", "arithmetic", [*arithmetic, arithmetic[0]]),
            ("no input 'c'", "arithmetic", [*arithmetic, self.tensor("c", A)]),
            ("'datatype' is INT32, the model needs FP32", "arithmetic", [self.tensor("a", A.astype(np.int32))]),
            ("'shape' is [4,2], the model needs [-1,4]", "arithmetic", [self.tensor("a", A.reshape(4, 2))]),
        ):
            self.assertRefused(words, infer, *args)
        wrong = [self.module.InferRequestedOutput("product")]
        self.assertRefused("no output 'product'", infer, "arithmetic", arithmetic, outputs=wrong)
        classes = [self.module.InferRequestedOutput("sum", class_count=2)]
        self.assertRefused("classification", infer, "arithmetic", arithmetic, outputs=classes)
        self.assertRefused("no model 'absent'", self.client.get_model_metadata, "absent")
        self.assertRefused("absent", self.client.load_model, "absent")
        self.assertRefused("'config'", self.client.load_model, "arithmetic", config="{}")

    def test_text_that_no_onnx_model_can_hold_is_refused(self):
        for element, words in ((b"\xff\xfe", "not UTF-8"), (b"a\0b", "NUL")):
            tensor = self.tensor("x", np.array([[element]], np.object_))
            self.assertRefused(words, self.client.infer, "identity-bytes", [tensor])

    def test_what_is_not_offered_is_refused(self):
        self.assertRefused("", self.client.get_system_shared_memory_status)
        self.assertRefused("", self.client.update_log_settings, {"log_verbose_level": 1})
        self.assertTrue(self.client.is_server_live())


class OverHttp(Claims, unittest.TestCase):
    module = tritonclient.http
    loadable = "identity-int8"

    def setUp(self):
        self.client = tritonclient.http.InferenceServerClient(os.environ["REST"], concurrency=8)

    def tearDown(self):
        self.client.close()

    def as_json(self, get):
        return get()

    def metadata(self, get, *args):
        return get(*args)

    def index(self):
        return {each["name"]: each for each in self.client.get_model_repository_index()}

    def submit(self, row):
        inputs = [self.tensor("a", row), self.tensor("b", B[:1])]
        return self.client.async_infer("arithmetic", inputs).get_result

    def test_values_at_the_edges_of_every_datatype_come_back_in_json(self):
        inputs = [self.tensor(name, array, binary_data=False) for name, array in EDGES.items()]
        outputs = [tritonclient.http.InferRequestedOutput(f"{name}_out", binary_data=False) for name in EDGES]
        result = self.client.infer("identity", inputs, outputs=outputs)
        self.assertNotIn("parameters", result.get_output("fp32_out"))
        for name, array in EDGES.items():
            self.assertEqual(result.as_numpy(f"{name}_out").tolist(), array.tolist())

    def test_json_and_binary_can_be_mixed_both_ways(self):
        inputs = [self.tensor("a", A, binary_data=False), self.tensor("b", B)]
        outputs = [tritonclient.http.InferRequestedOutput("sum", binary_data=False)]
        outputs.append(tritonclient.http.InferRequestedOutput("difference"))
        result = self.client.infer("arithmetic", inputs, outputs=outputs)
        self.assertEqual(result.get_output("sum")["data"], (A + B).ravel().tolist())
        self.assertTrue(same(result.as_numpy("difference"), A - B))

    def test_compressed_requests_are_taken(self):
        for algorithm in ("gzip", "deflate"):
            result = self.client.infer("arithmetic", self.arithmetic(), request_compression_algorithm=algorithm)
            self.assertTrue(same(result.as_numpy("sum"), A + B))

    def test_a_compressed_answer_may_be_asked_for(self):
        for algorithm in ("gzip", "deflate"):
            result = self.client.infer("arithmetic", self.arithmetic(), response_compression_algorithm=algorithm)
            self.assertTrue(same(result.as_numpy("sum"), A + B))

    def test_statuses_are_those_of_the_protocol(self):
        status = self.assertRefused("no model", self.client.infer, "absent", self.arithmetic())
        self.assertEqual(status, "404")
        self.assertEqual(self.assertRefused("missing", self.client.infer, "arithmetic", self.arithmetic()[:1]), "400")

    def test_what_asyncio_asks_is_answered(self):
        async def ask():
            async with tritonclient.http.aio.InferenceServerClient(os.environ["REST"]) as client:
                asked = [client.infer("arithmetic", self.arithmetic()) for _ in range(20)]
                return [result.as_numpy("sum").tolist() for result in await asyncio.gather(*asked)]

        self.assertEqual(asyncio.run(ask()), [(A + B).tolist()] * 20)


class OverGrpc(Claims, unittest.TestCase):
    module = tritonclient.grpc
    loadable = "identity-uint8"

    def setUp(self):
        self.client = tritonclient.grpc.InferenceServerClient(os.environ["GRPC"])

    def tearDown(self):
        self.client.close()

    def as_json(self, get):
        return get(as_json=True)

    def metadata(self, get, *args):
        return get(*args, as_json=True)

    def index(self):
        return {each["name"]: each for each in self.client.get_model_repository_index(as_json=True)["models"]}

    def submit(self, row):
        answers = queue.Queue()
        inputs = [self.tensor("a", row), self.tensor("b", B[:1])]
        self.client.async_infer("arithmetic", inputs, lambda result, error: answers.put((result, error)))

        def answer():
            result, error = answers.get(timeout=20)
            if error is not None:
                raise error
            return result

        return answer

    def test_codes_are_those_of_the_protocol(self):
        for code, *args in (
            ("NOT_FOUND", "absent", self.arithmetic()),
            ("INVALID_ARGUMENT", "arithmetic", self.arithmetic()[:1]),
        ):
            self.assertEqual(self.assertRefused("", self.client.infer, *args), f"StatusCode.{code}")

    def test_compressed_messages_are_taken(self):
        for algorithm in ("gzip", "deflate"):
            result = self.client.infer("arithmetic", self.arithmetic(), compression_algorithm=algorithm)
            self.assertTrue(same(result.as_numpy("sum"), A + B))

    def test_a_stream_of_requests_is_answered_one_by_one(self):
        answers = queue.Queue()
        self.client.start_stream(lambda result, error: answers.put((result, error)))
        for index in range(20):
            name = "arithmetic" if index != 10 else "absent"
            self.client.async_stream_infer(name, self.arithmetic(), request_id=str(index))
        got = [answers.get(timeout=20) for _ in range(20)]
        self.client.stop_stream()
        results = {result.get_response().id: result for result, error in got if error is None}
        self.assertEqual(len(results), 19)
        self.assertTrue(same(results["19"].as_numpy("sum"), A + B))
        self.assertIn("no model 'absent'", next(error for _, error in got if error is not None).message())

    def test_what_asyncio_asks_is_answered(self):
        async def ask():
            async with tritonclient.grpc.aio.InferenceServerClient(os.environ["GRPC"]) as client:
                asked = [client.infer("arithmetic", self.arithmetic()) for _ in range(20)]
                return [result.as_numpy("sum").tolist() for result in await asyncio.gather(*asked)]

        self.assertEqual(asyncio.run(ask()), [(A + B).tolist()] * 20)


if __name__ == "__main__":
    unittest.main()
