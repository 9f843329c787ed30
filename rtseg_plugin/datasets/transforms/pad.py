from typing import Sequence, Union

import mmcv
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PadBothSides(BaseTransform):
    """Pad an image that is smaller than a size, on either side.

    A side that lacks n pixels gets n before and n after, so that a random
    crop of that size behind this finds the image at any place in it, padding
    around. The host's ``Pad`` and its data preprocessor pad to the right and
    below only. As in GAIN's official training (hustvl/simpleseg).

    Required and modified keys: ``img``, ``img_shape``, ``gt_seg_map`` (where
    it is present).

    Args:
        size (tuple[int, int]): Height and width, of the crop behind.
        pad_val (int | Sequence[int]): Value of the padded image. Defaults to
            0.
        seg_pad_val (int): Label of the padding. Defaults to 255.
    """

    def __init__(self,
                 size: Sequence[int],
                 pad_val: Union[int, Sequence[int]] = 0,
                 seg_pad_val: int = 255):
        if len(size) != 2 or min(size) < 1:
            raise ValueError('size must be a height and a width, got '
                             f'{size}')
        self.size = tuple(size)
        self.pad_val = pad_val
        self.seg_pad_val = seg_pad_val

    def transform(self, results: dict) -> dict:
        """Pad ``results['img']`` and its labels.

        Args:
            results (dict): With ``img``, of shape (H, W, C).

        Returns:
            dict: The same dict, with new arrays if anything was missing.
        """
        h, w = results['img'].shape[:2]
        rows, columns = max(self.size[0] - h, 0), max(self.size[1] - w, 0)
        if rows or columns:
            padding = (columns, rows, columns, rows)
            results['img'] = mmcv.impad(
                results['img'], padding=padding, pad_val=self.pad_val)
            results['img_shape'] = results['img'].shape[:2]
            if 'gt_seg_map' in results:
                results['gt_seg_map'] = mmcv.impad(
                    results['gt_seg_map'],
                    padding=padding,
                    pad_val=self.seg_pad_val)
        return results

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(size={self.size}, '
                f'pad_val={self.pad_val}, seg_pad_val={self.seg_pad_val})')
