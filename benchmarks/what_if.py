"""How do field and cost move when a network is changed? MobileNetV2 with one setting changed at a time, analysed.

Writes results/what-if.json: field, effective stride, MACs and parameters of each variant. Nothing is trained or timed.
"""

import argparse
from pathlib import Path

from clothing_classifier.analysis import analyze
from clothing_classifier.evaluation.provenance import provenance
from clothing_classifier.utils import write_json

BASE = "mobilenet_v2"
VARIANTS = {
    "as published": (BASE, 224),
    "depthwise kernels of 5 px": (f"{BASE}:kernel=5", 224),
    "depthwise kernels of 7 px": (f"{BASE}:kernel=7", 224),
    "dilation of 2 behind the last stride": (f"{BASE}:dilation=2", 224),
    "half the blocks": (f"{BASE}:depth=0.5", 224),
    "the last 3 blocks see no neighbours": (f"{BASE}:local_blocks=3", 224),
    "the last 10 blocks see no neighbours": (f"{BASE}:local_blocks=10", 224),
    "half the width": (f"{BASE}:width=0.5", 224),
    "an image of 128 px": (BASE, 128),
    "an image of 320 px": (BASE, 320),
}


def main() -> None:
    """Analyse each variant and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/what-if.json"))
    options = parser.parse_args()
    record = provenance()
    variants = {}
    for name, (model, side) in VARIANTS.items():
        totals = analyze(model, (3, side, side))["totals"]
        keys = ("receptive_field", "stride", "macs", "params")
        variants[name] = {"model": model, "input": [3, side, side], **{key: totals[key] for key in keys}}
    write_json(options.out, record | {"n": len(variants), "variants": variants})


if __name__ == "__main__":
    main()
