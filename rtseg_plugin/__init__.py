"""Real-time semantic segmentation of images and video for MMSegmentation.

Importing the package registers everything in MMSegmentation's registries.
Only ``import rtseg_plugin.apis.deployed``, which runs exported networks where
there may be no torch, puts that off until mmseg is imported.
"""
from . import compat
from .version import __version__

_ROOMS = ('datasets', 'engine', 'evaluation', 'models')


def _register() -> None:
    compat.check_versions()
    compat.install_mmcv_stand_in()
    compat.register_safe_loaders()
    compat.register_configs()

    from . import datasets, engine, evaluation, models  # noqa: F401


def __getattr__(name: str):
    if name in _ROOMS:  # before anything was registered
        import importlib
        return importlib.import_module(f'{__name__}.{name}')
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


if compat.only_deployed_is_wanted():
    compat.after_import_of('mmseg', _register)
else:
    _register()

__all__ = ['__version__', *_ROOMS]
