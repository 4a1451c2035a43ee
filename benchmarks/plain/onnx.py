"""What a careful user would write around a bundle with Pillow and ONNX Runtime; paths on standard input.

The other side of `benchmarks speed predict`. ONNX Runtime has its defaults: all processors work on each photo.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image, ImageOps

folder = Path(sys.argv[1])
about = json.loads((folder / "bundle.json").read_text())
labels, side = about["labels"], about["preprocessing"]["size"]
session = ort.InferenceSession(folder / "model.onnx")
for line in sys.stdin:
    path = line.rstrip("\n")
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    scale = side / max(image.size)
    width, height = (max(1, round(length * scale)) for length in image.size)
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    left, top = (side - width) // 2, (side - height) // 2
    margins = ((top, side - height - top), (left, side - width - left), (0, 0))
    probabilities = session.run(["probabilities"], {"image": np.pad(pixels, margins, mode="edge")[None]})[0][0]
    best = int(probabilities.argmax())
    print(json.dumps({"path": path, "label": labels[best], "confidence": float(probabilities[best])}))
