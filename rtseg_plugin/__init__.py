"""Real-time semantic segmentation of images and video for MMSegmentation.

Importing the package registers everything in MMSegmentation's registries: at
once where mmseg is imported already, else at the moment when it is. So what
runs exported networks (``rtseg_plugin.apis.deployed``) works where there is
neither torch nor the host.
"""
import importlib

from . import compat
from .version import __version__

_ROOMS = ('datasets', 'engine', 'evaluation', 'models')


def _register() -> None:
    for name in (*_ROOMS, 'registry'):
        importlib.import_module(f'{__name__}.{name}')


def __getattr__(name: str):
    if name in _ROOMS:  # before anything was registered
        return importlib.import_module(f'{__name__}.{name}')
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


compat.install_mmcv_stand_in()
compat.when_imported('mmengine.config.utils', compat.register_configs)
compat.when_imported('mmengine.runner.checkpoint',
                     compat.register_safe_loaders)
compat.when_imported('mmseg', _register, before=compat.check_versions)

__all__ = ['__version__', *_ROOMS]
