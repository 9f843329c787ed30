from torch import nn


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside of DDP and test-time augmentation."""
    while hasattr(model, 'module'):
        model = model.module
    return model
