"""Real-time semantic segmentation of images and video for MMSegmentation.

Importing the package registers everything in MMSegmentation's registries.
"""
from . import compat
from .version import __version__

compat.check_versions()
compat.install_mmcv_stand_in()
compat.register_safe_loaders()

from . import datasets, engine, evaluation, models  # noqa: E402

__all__ = ['__version__', 'datasets', 'engine', 'evaluation', 'models']
