"""CamVid with the video frames before each annotated one."""
from mmseg.registry import DATASETS

from .camvid import CamVidDataset
from .video_folder import VideoFolderDataset


@DATASETS.register_module()
class CamVidSequenceDataset(VideoFolderDataset):
    r"""Clips of CamVid that end at an annotated frame.

    The annotated stills are frames of five videos and carry the frame's
    number in their name (``0016E5_07959``, ``Seq05VD_f02220``). The frames of
    the videos, extracted under the same names, lie anywhere below
    ``data_prefix['img_path']``; the labels are those of
    ``tools/dataset_converters/camvid.py``::

        frames/{any folders}/0016E5_07955.png ... 0016E5_07959.png
        labels/{train,val,test}/0016E5_07959.png

    See :class:`VideoFolderDataset` for what an item is.

    Args:
        missing (str): See :class:`VideoFolderDataset`. Defaults to 'error'.
        frame_pattern (str): See :class:`VideoFolderDataset`. Defaults to the
            names above.
        **kwargs: Passed on to :class:`VideoFolderDataset`.
    """
    METAINFO = CamVidDataset.METAINFO

    def __init__(self,
                 missing: str = 'error',
                 frame_pattern: str = (
                     r'(?:.+/)?(?P<video>[^/]+)_f?(?P<frame>\d+)'),
                 **kwargs) -> None:
        super().__init__(
            missing=missing,
            by_number=True,
            frame_pattern=frame_pattern,
            **kwargs)
