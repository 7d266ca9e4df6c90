"""ONNX models as graphs: `importer.import_model`, and `backend.TaktBackend` for onnx's own test suite."""
