"""Building layers whatever the default scope is.

Under MMPretrain, which trains backbones of this package on ImageNet,
``MODELS.build`` looks in MMPretrain's registry first, and a layer of a layer
is not found there.
"""
from mmseg.registry import MODELS
from torch import nn


def layer_class(cfg: dict) -> type:
    """The class that ``cfg['type']`` names, in MMSegmentation's registry.

    Args:
        cfg (dict): Config of a layer.

    Returns:
        type: Its class.

    Raises:
        KeyError: If there is none of that name.
    """
    name = cfg['type']
    found = MODELS.get(name) if isinstance(name, str) else name
    if found is None:
        raise KeyError(f'{name} is not in the models registry')
    return found


def build_layer(cfg: dict, **kwargs) -> nn.Module:
    """Build a layer from its config and further arguments."""
    arguments = {k: v for k, v in cfg.items() if k != 'type'}
    return layer_class(cfg)(**arguments, **kwargs)
