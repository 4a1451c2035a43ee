"""Labels for photos by ONNX Runtime: bundle, session, classifier, orientation correction."""

from clothing_classifier.inference.classifier import Asked, Candidate, Classifier, Prediction

__all__ = ["Asked", "Candidate", "Classifier", "Prediction"]
