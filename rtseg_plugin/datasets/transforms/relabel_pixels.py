import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RelabelPixels(BaseTransform):
    """Give pixels of one label another one, in an image or in all of a clip.

    LMANet counts pixels without a class as a class of its own: with
    ``old=255, new=19``, ``ignore_index=19`` and a class weight of 0 for it
    the host's loss is the official one. For training only: the metrics expect
    255.

    Args:
        old (int): Label to replace. Defaults to 255.
        new (int): Its new label. Defaults to 19.
    """

    def __init__(self, old: int = 255, new: int = 19) -> None:
        self.old, self.new = old, new

    def _relabel(self, label: np.ndarray) -> np.ndarray:
        return np.where(label == self.old, label.dtype.type(self.new), label)

    def transform(self, results: dict) -> dict:
        """Relabel ``gt_seg_map``.

        Returns:
            dict: The results, with a new map or list of maps.
        """
        label = results['gt_seg_map']
        if isinstance(label, list):
            label = [one if one is None else self._relabel(one)
                     for one in label]
        else:
            label = self._relabel(label)
        results['gt_seg_map'] = label
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(old={self.old}, new={self.new})'
