from .camvid import CamVidDataset
from .camvid_sequence import CamVidSequenceDataset
from .cityscapes_sequence import CityscapesSequenceDataset
from .samplers import VideoSampler
from .transforms import (
    ApplyToClip,
    LoadClip,
    LoadClipAnnotations,
    PackClipInputs,
    PadBothSides,
    RandomColorJitter,
    RandomGaussianBlur,
    RandomScale,
    RandomShift,
    RelabelPixels,
    SubsampleLabels,
    UseWorkSize,
)
from .video_folder import VideoFolderDataset
from .vspw import VSPWDataset

__all__ = [
    'ApplyToClip',
    'CamVidDataset',
    'CamVidSequenceDataset',
    'CityscapesSequenceDataset',
    'LoadClip',
    'LoadClipAnnotations',
    'PackClipInputs',
    'PadBothSides',
    'RandomColorJitter',
    'RandomGaussianBlur',
    'RandomScale',
    'RandomShift',
    'RelabelPixels',
    'SubsampleLabels',
    'UseWorkSize',
    'VSPWDataset',
    'VideoFolderDataset',
    'VideoSampler',
]
