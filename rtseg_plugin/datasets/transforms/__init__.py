from .apply_to_clip import ApplyToClip
from .blur import RandomGaussianBlur
from .checked_loading import (
    DamagedSampleError,
    LoadAnnotations,
    LoadImageFromFile,
)
from .color_jitter import RandomColorJitter
from .load_clip import LoadClip
from .load_clip_annotations import LoadClipAnnotations
from .pack_clip_inputs import PackClipInputs
from .pad import PadBothSides
from .random_scale import RandomScale
from .random_shift import RandomShift
from .relabel_pixels import RelabelPixels
from .scales_and_flips import ScalesAndFlips
from .subsample_labels import SubsampleLabels
from .use_work_size import UseWorkSize

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
    'ScalesAndFlips',
    'SubsampleLabels',
    'UseWorkSize',
]
