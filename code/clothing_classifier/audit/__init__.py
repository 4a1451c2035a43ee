"""What is wrong with a data set, before anything is trained on it: files, copies, labels, splits."""

from clothing_classifier.audit.auditor import Audit, audit
from clothing_classifier.audit.findings import Finding, Severity, write_findings

__all__ = ["Audit", "Finding", "Severity", "audit", "write_findings"]
