"""Labels for photos by ONNX Runtime: bundle, session, classifier, orientation correction."""

from clothing_classifier.inference.classifier import Candidate, Classifier, Prediction, PredictOptions

__all__ = ["Candidate", "Classifier", "PredictOptions", "Prediction"]
