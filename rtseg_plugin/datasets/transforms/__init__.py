from .blur import RandomGaussianBlur
from .checked_loading import (
    DamagedSampleError,
    LoadAnnotations,
    LoadImageFromFile,
)
from .clip import (
    ApplyToClip,
    LoadClip,
    LoadClipAnnotations,
    PackClipInputs,
    RandomShift,
    UseWorkSize,
)
from .color_jitter import RandomColorJitter
from .pad import PadBothSides
from .random_scale import RandomScale
from .relabel_pixels import RelabelPixels

__all__ = [
    'ApplyToClip',
    'DamagedSampleError',
    'LoadAnnotations',
    'LoadClip',
    'LoadClipAnnotations',
    'LoadImageFromFile',
    'PackClipInputs',
    'PadBothSides',
    'RandomColorJitter',
    'RandomGaussianBlur',
    'RandomScale',
    'RandomShift',
    'RelabelPixels',
    'UseWorkSize',
]
