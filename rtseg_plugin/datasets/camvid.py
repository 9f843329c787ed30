"""CamVid, the 701 annotated stills, as 11 classes."""
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS


@DATASETS.register_module()
class CamVidDataset(BaseSegDataset):
    """CamVid with the 11 classes that segmentation papers report.

    `Semantic object classes in video
    <https://doi.org/10.1016/j.patrec.2008.04.005>`_. Labels are index images
    as ``tools/dataset_converters/camvid.py`` writes them: 0 to 10 in the
    order of ``METAINFO``, 255 for all else::

        data_root/images/{train,val,test}/{name}.png
        data_root/labels/{train,val,test}/{name}.png
        data_root/{train,val,test,trainval}.txt

    A split is a folder (``data_prefix`` images/val and labels/val) or a list
    (``ann_file`` trainval.txt, ``data_prefix`` images and labels).

    Args:
        img_suffix (str): Suffix of the images. Defaults to '.png'.
        seg_map_suffix (str): Suffix of the labels. Defaults to '.png'.
        **kwargs: Passed on to :class:`mmseg.datasets.BaseSegDataset`.
    """
    METAINFO = dict(
        classes=('sky', 'building', 'column-pole', 'road', 'sidewalk', 'tree',
                 'sign-symbol', 'fence', 'car', 'pedestrian', 'bicyclist'),
        palette=[[128, 128, 128], [128, 0, 0], [192, 192, 128],
                 [128, 64, 128], [0, 0, 192], [128, 128, 0], [192, 128, 128],
                 [64, 64, 128], [64, 0, 128], [64, 64, 0], [0, 128, 192]])

    def __init__(self,
                 img_suffix: str = '.png',
                 seg_map_suffix: str = '.png',
                 **kwargs) -> None:
        super().__init__(
            img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)
