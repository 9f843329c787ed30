from typing import List, Optional

import numpy as np
from mmseg.registry import TRANSFORMS

from .checked_loading import LoadAnnotations


@TRANSFORMS.register_module()
class LoadClipAnnotations(LoadAnnotations):
    """Load the label of the last frame of a clip, or all labels.

    Reads ``seg_map_paths``; adds ``gt_seg_map``, a list with None for frames
    without a label. After :class:`ApplyToClip` with a resize, as in the
    host's test pipelines, labels keep their own size.

    Args:
        all_frames (bool): Whether to load the labels of all frames that have
            one. Defaults to False.
        num_classes (int, optional): If given, labels must lie below it, or
            be ``ignore_index``.
        ignore_index (int): Label of no class. Defaults to 255.
        reduce_zero_label (bool, optional): As the host's.
        backend_args (dict, optional): As the host's.
        imdecode_backend (str): As the host's. Defaults to 'pillow'.
    """

    def __init__(self,
                 all_frames: bool = False,
                 num_classes: Optional[int] = None,
                 ignore_index: int = 255,
                 reduce_zero_label: Optional[bool] = None,
                 backend_args: Optional[dict] = None,
                 imdecode_backend: str = 'pillow') -> None:
        super().__init__(
            num_classes=num_classes,
            ignore_index=ignore_index,
            reduce_zero_label=reduce_zero_label,
            backend_args=backend_args,
            imdecode_backend=imdecode_backend)
        self.all_frames = all_frames

    def transform(self, results: dict) -> dict:
        """Load the labels."""
        labels: List[Optional[np.ndarray]] = []
        paths = results.get('seg_map_paths', [])
        for index, path in enumerate(paths):
            if path is None or not (self.all_frames
                                    or index == len(paths) - 1):
                labels.append(None)
                continue
            frame = dict(
                img_path=results['img_paths'][index],
                seg_map_path=path,
                seg_fields=[],
                ori_shape=results['ori_shape'],
                label_map=results.get('label_map'),
                reduce_zero_label=results.get('reduce_zero_label', False))
            labels.append(super().transform(frame)['gt_seg_map'])
        if any(label is not None for label in labels):
            results['gt_seg_map'] = labels
            results['seg_fields'].append('gt_seg_map')
        return results
