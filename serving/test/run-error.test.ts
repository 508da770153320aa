import { expect, test } from "vitest";
import { RunError } from "../src/runtime/run-error.ts";

const RESHAPE =
  "Non-zero status code returned while running Reshape node. Name:'' Status Message: " +
  "/onnxruntime_src/onnxruntime/core/providers/cpu/tensor/reshape_helper.h:45 " +
  "onnxruntime::ReshapeHelper::ReshapeHelper(const onnxruntime::TensorShape&, onnxruntime::TensorShapeVector&, bool) " +
  "input_shape_size == size was false. The input tensor cannot be reshaped to the requested shape.";

test("leaves out where in the runtime's source it happened", () => {
  expect(new RunError(RESHAPE).message).toBe(
    "Non-zero status code returned while running Reshape node. Name:'' Status Message: " +
      "input_shape_size == size was false. The input tensor cannot be reshaped to the requested shape.",
  );
});

test.each([
  [RESHAPE, "Reshape"],
  ["Non-zero status code returned while running Gather node. Name:'pick' Status Message: idx=7", "Gather 'pick'"],
  ["Got invalid dimensions for input: x", "before any operator"],
])("names the operator alone: %s", (text, operator) => {
  expect(new RunError(text).operator).toBe(operator);
});

test.each([
  ["std::bad_alloc", true],
  ["Failed to allocate memory for requested buffer of size 8589934592", true],
  ["indices element out of data bounds", false],
])("tells a lack of memory from all else: %s", (text, isExhausted) => {
  expect(new RunError(text).isExhausted).toBe(isExhausted);
});
