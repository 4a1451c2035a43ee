"""torch -> ONNX -> int8 and OpenVINO, behind gates on real photos."""

from clothing_classifier.export.exporter import CALIBRATION_PHOTOS, export_bundle

__all__ = ["CALIBRATION_PHOTOS", "export_bundle"]
