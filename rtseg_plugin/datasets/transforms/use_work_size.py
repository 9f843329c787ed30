from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class UseWorkSize(BaseTransform):
    """Let predictions keep the size that the network works at.

    The host resizes logits to ``ori_shape``, the size of the file. After this
    transform that is the size of the image as it is, for images and clips;
    labels have to be loaded before the resize, so that they follow it. Used
    with :class:`WorkSizeIoUMetric`.
    """

    def transform(self, results: dict) -> dict:
        """Set ``ori_shape`` to ``img_shape``."""
        results['ori_shape'] = results['img_shape']
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'
