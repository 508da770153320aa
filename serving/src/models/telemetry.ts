// ONNX Runtime reads this when its library is loaded: this module is imported before it (see runtime.ts).
process.env.ORT_DISABLE_TELEMETRY = "1";
