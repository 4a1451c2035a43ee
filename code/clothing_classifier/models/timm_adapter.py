"""Any convolutional network of timm as a feature extractor, under the package's own head."""

from typing import Any

import torch

from clothing_classifier.errors import ConfigError, MissingExtraError
from clothing_classifier.models.base import ImageClassifier
from clothing_classifier.utils import reason_of


def timm_model(name: str, num_classes: int, dropout: float = 0.0, /, **settings: Any) -> ImageClassifier:
    """Build timm's `name` without its pooling and classifier; `settings` go to `timm.create_model`.

    Raises `ConfigError` where timm does not know the name or the network's features are no map `(N, D, h, w)`.
    """
    try:
        import timm
    except ImportError as error:
        raise MissingExtraError("timm", "timm") from error
    try:
        extractor = timm.create_model(name, num_classes=0, global_pool="", **settings)
    except (RuntimeError, TypeError, ValueError) as error:
        raise ConfigError(f"model timm:{name}: timm can't build it ({reason_of(error)})") from error
    config = extractor.pretrained_cfg
    with torch.no_grad():
        features = extractor.eval()(torch.zeros(1, *config.get("input_size", (3, 224, 224))))
    extractor.train()
    widths = (extractor.num_features, getattr(extractor, "head_hidden_size", None))
    if features.ndim != 4 or features.shape[1] not in widths:
        raise ConfigError(f"model timm:{name}: its features are {tuple(features.shape)}, not a map (N, D, h, w)")
    architecture = {"name": f"timm:{name}", "settings": settings}
    width = int(features.shape[1])
    mean, std = (tuple(config.get(key, (0.5,) * 3)) for key in ("mean", "std"))
    return ImageClassifier(extractor, width, num_classes, architecture, dropout, (), mean, std)
