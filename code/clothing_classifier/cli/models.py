"""`clothing models`: architectures and shipped bundles."""

from typing import Annotated

import typer

from clothing_classifier.cli import options
from clothing_classifier.cli.common import app, print_json
from clothing_classifier.errors import UsageError


@app.command(epilog="Example: clothing models --path wardrobe")
def models(
    path: Annotated[str | None, typer.Option(help="Print only the folder of this shipped bundle.")] = None,
    format: options.Output = options.Format.table,
) -> None:
    """List architectures and shipped models. What train builds, and what predict knows by name."""
    from clothing_classifier.config import ARCHITECTURES
    from clothing_classifier.inference import bundle

    if path is not None:
        if path not in bundle.shipped():
            raise UsageError(f"no shipped model '{path}' (shipped: {', '.join(bundle.shipped()) or 'none'})")
        print(bundle.find(path).resolve())
        return
    manifests = [bundle.load_bundle(name).manifest for name in bundle.shipped()]
    rows = [
        {"name": m.name, "classes": len(m.labels), "size": m.preprocessing.size, "precision": m.precision,
         "architecture": m.architecture, "validation_accuracy": m.validation["accuracy"]}
        for m in manifests
    ]  # fmt: skip
    if format is options.Format.json:
        print_json({"architectures": [*ARCHITECTURES, "timm:NAME"], "bundles": rows})
        return
    print("architectures:", ", ".join([*ARCHITECTURES, "timm:NAME"]))
    for row in rows:
        about = f"{row['classes']} classes, {row['size']} px, {row['precision']}"
        print(f"bundle {row['name']}: {about}, validation accuracy {row['validation_accuracy']:.3f}")
