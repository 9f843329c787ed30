"""Cityscapes with the frames around each annotated one."""
from mmseg.datasets import CityscapesDataset
from mmseg.registry import DATASETS

from .video_folder import VideoFolderDataset


@DATASETS.register_module()
class CityscapesSequenceDataset(VideoFolderDataset):
    r"""Clips of Cityscapes that end at an annotated frame.

    Frames come from ``leftImg8bit_sequence``, 30 per snippet, labels from
    ``gtFine``; the annotated frame is the 20th of its snippet. Its number is
    taken from the name of the label: it is 19 in most cities, but a few
    cities hold one long sequence with running numbers::

        leftImg8bit_sequence/val/{city}/{city}_{sequence}_{frame}_leftImg8bit.png
        gtFine/val/{city}/{city}_{sequence}_{frame}_gtFine_labelTrainIds.png

    The defaults are LMANet's clips for a memory of four frames; see
    :class:`VideoFolderDataset` for what an item is. ``clip_length=None``
    gives whole snippets, on which temporal consistency is measured.

    Args:
        missing (str): See :class:`VideoFolderDataset`. Defaults to 'error'.
        frame_pattern (str): See :class:`VideoFolderDataset`. Defaults to the
            names above.
        img_suffix (str): Suffix of frames. Defaults to '_leftImg8bit.png'.
        seg_map_suffix (str): Suffix of labels. Defaults to
            '_gtFine_labelTrainIds.png'.
        **kwargs: Passed on to :class:`VideoFolderDataset`.
    """
    METAINFO = CityscapesDataset.METAINFO

    def __init__(self,
                 missing: str = 'error',
                 frame_pattern: str = r'(?P<video>.+)_(?P<frame>\d+)',
                 img_suffix: str = '_leftImg8bit.png',
                 seg_map_suffix: str = '_gtFine_labelTrainIds.png',
                 **kwargs) -> None:
        super().__init__(
            missing=missing,
            by_number=True,
            frame_pattern=frame_pattern,
            img_suffix=img_suffix,
            seg_map_suffix=seg_map_suffix,
            **kwargs)
