import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class SubsampleLabels(BaseTransform):
    """Keep every n-th row and column of a label map, for cheaper losses.

    The host's heads bring their logits to the size of the labels before the
    loss. Logits of stride 8 hold nothing that labels of stride 2 do not
    teach, and their loss costs a quarter: on a CPU, where softmax, resize and
    accuracy at full size take more time than a small network, training is
    twice as fast. The first row and column are drawn at random, so that no
    shift is learnt. For training only, after everything that changes the
    image's size: image and labels then have different sizes, so the data
    preprocessor must not need to pad.

    Args:
        stride (int): Distance of the rows and columns kept. Defaults to 2.

    Raises:
        ValueError: If ``stride`` is below 1.
    """

    def __init__(self, stride: int = 2) -> None:
        if stride < 1:
            raise ValueError(f'stride must be at least 1, got {stride}')
        self.stride = stride

    def transform(self, results: dict) -> dict:
        """Thin out ``gt_seg_map``.

        Args:
            results (dict): With the map (H, W) or a clip's list of maps, of
                which some may be None.

        Returns:
            dict: The results, with maps (ceil(H / stride),
            ceil(W / stride)) at most; one row or column less where the first
            one drawn lies behind the remainder.
        """
        label = results['gt_seg_map']
        top, left = np.random.randint(self.stride, size=2)
        if isinstance(label, list):
            label = [one if one is None else self._thin(one, top, left)
                     for one in label]
        else:
            label = self._thin(label, top, left)
        results['gt_seg_map'] = label
        return results

    def _thin(self, label: np.ndarray, top: int, left: int) -> np.ndarray:
        thin = label[top::self.stride, left::self.stride]
        return np.ascontiguousarray(thin)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(stride={self.stride})'
