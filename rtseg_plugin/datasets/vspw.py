"""VSPW, densely labelled videos of 124 classes."""
from mmseg.registry import DATASETS

from .video_folder import VideoFolderDataset


@DATASETS.register_module()
class VSPWDataset(VideoFolderDataset):
    r"""Clips of VSPW.

    `VSPW: A Large-scale Dataset for Video Scene Parsing in the Wild
    <https://openaccess.thecvf.com/content/CVPR2021/html/Miao_VSPW_A_Large-scale_Dataset_for_Video_Scene_Parsing_in_the_CVPR_2021_paper.html>`_,
    in its own layout. All frames are labelled; in the files 0 and 255 are
    ignored and class c is c + 1::

        data_root/{train,val,test}.txt           names of videos
        data_root/data/{video}/origin/{frame}.jpg
        data_root/data/{video}/mask/{frame}.png

    See :class:`VideoFolderDataset` for what an item is. Frames are counted,
    whatever the numbers in their names.

    Args:
        data_prefix (dict): Folder of the videos, for images and for labels.
            Defaults to 'data' for both.
        img_suffix (str): Suffix of frames. Defaults to '.jpg'.
        reduce_zero_label (bool): Whether 0 is ignored and the classes begin
            at 1, as in the files. Defaults to True.
        **kwargs: Passed on to :class:`VideoFolderDataset`.
    """
    METAINFO = dict(
        classes=('wall', 'ceiling', 'door', 'stair', 'ladder', 'escalator',
                 'playground slide', 'handrail or fence', 'window', 'rail',
                 'goal', 'pillar', 'pole', 'floor', 'ground', 'grass', 'sand',
                 'athletic field', 'road', 'path', 'crosswalk', 'building',
                 'house', 'bridge', 'tower', 'windmill', 'well or well lid',
                 'other construction', 'sky', 'mountain', 'stone', 'wood',
                 'ice', 'snowfield', 'grandstand', 'sea', 'river', 'lake',
                 'waterfall', 'water', 'billboard or bulletin board',
                 'sculpture', 'pipeline', 'flag', 'parasol or umbrella',
                 'cushion or carpet', 'tent', 'roadblock', 'car', 'bus',
                 'truck', 'bicycle', 'motorcycle', 'wheeled machine',
                 'ship or boat', 'raft', 'airplane', 'tyre', 'traffic light',
                 'lamp', 'person', 'cat', 'dog', 'horse', 'cattle',
                 'other animal', 'tree', 'flower', 'other plant', 'toy',
                 'ball net', 'backboard', 'skateboard', 'bat', 'ball',
                 'cupboard or showcase or storage rack', 'box',
                 'traveling case or trolley case', 'basket', 'bag or package',
                 'trash can', 'cage', 'plate', 'tub or bowl or pot',
                 'bottle or cup', 'barrel', 'fishbowl', 'bed', 'pillow',
                 'table or desk', 'chair or seat', 'bench', 'sofa', 'shelf',
                 'bathtub', 'gun', 'commode', 'roaster', 'other machine',
                 'refrigerator', 'washing machine', 'microwave oven', 'fan',
                 'curtain', 'textiles', 'clothes', 'painting or poster',
                 'mirror', 'flower pot or vase', 'clock', 'book', 'tool',
                 'blackboard', 'tissue', 'screen or television', 'computer',
                 'printer', 'mobile phone', 'keyboard',
                 'other electronic product', 'fruit', 'food', 'instrument',
                 'train'))

    def __init__(self,
                 data_prefix: dict = dict(
                     img_path='data', seg_map_path='data'),
                 img_suffix: str = '.jpg',
                 reduce_zero_label: bool = True,
                 **kwargs) -> None:
        super().__init__(
            data_prefix=data_prefix,
            frame_pattern=r'(?P<video>.+)/origin/(?P<frame>[^/]+)',
            label_pattern=r'(?P<video>.+)/mask/(?P<frame>[^/]+)',
            img_suffix=img_suffix,
            reduce_zero_label=reduce_zero_label,
            **kwargs)
