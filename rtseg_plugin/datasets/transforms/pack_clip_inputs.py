"""Packing of clips: what pipelines and networks agree on.

Between :class:`LoadClip` and :class:`PackClipInputs` ``results['img']`` is a
list of T images (H, W, 3) of one size, oldest first, and
``results['gt_seg_map']``, if there are labels, a list of T maps (H, W) or
None. What the pipeline hands to the network:

- ``inputs`` (T, 3, H, W), uint8,
- ``data_samples.gt_sem_seg`` (1, H, W), the label of the last frame, if it
  has one,
- ``data_samples.clip_gt_sem_seg`` (T, H, W), labels of all frames, if any was
  loaded but the last; what stands there for a frame without one means nothing,
- meta ``labelled`` (list[bool]), which frames have a label,
- meta ``video_id`` (str), ``frame_id`` (int, of the last frame), ``frame_ids``
  (list[int]) and ``img_paths`` (list[str]) beside the host's.

A video segmentor answers with ``pred_sem_seg`` (1, H, W), the prediction of
the last frame, and, if it predicts every frame, ``clip_pred_sem_seg``
(T, H, W), a PixelData like the others. The metrics read these names.
"""
from typing import Sequence

import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.datasets.transforms import PackSegInputs
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackClipInputs(PackSegInputs):
    """Pack a clip; the module's docstring says what comes out.

    Args:
        meta_keys (Sequence[str]): Keys that become meta of the data sample.
            Defaults to the host's and those of clips.
    """

    def __init__(
        self,
        meta_keys: Sequence[str] = ('img_path', 'seg_map_path', 'ori_shape',
                                    'img_shape', 'pad_shape', 'scale_factor',
                                    'flip', 'flip_direction',
                                    'reduce_zero_label', 'video_id',
                                    'frame_id', 'frame_ids', 'img_paths')
    ) -> None:
        super().__init__(meta_keys=meta_keys)

    def transform(self, results: dict) -> dict:
        """Pack.

        Returns:
            dict: ``inputs`` and ``data_samples``.
        """
        labels = results.get('gt_seg_map', [None])
        still = {
            key: value
            for key, value in results.items()
            if key not in ('img', 'gt_seg_map')
        }
        if labels[-1] is not None:
            still['gt_seg_map'] = labels[-1]
        packed = super().transform(still)
        # (T, H, W, 3) -> (T, 3, H, W)
        clip = np.ascontiguousarray(
            np.stack(results['img']).transpose(0, 3, 1, 2))
        packed['inputs'] = torch.from_numpy(clip)
        labelled = [label is not None for label in labels]
        if 'gt_seg_map' in results:
            packed['data_samples'].set_metainfo(dict(labelled=labelled))
        if any(labelled[:-1]):
            blank = np.full_like(labels[labelled.index(True)], 255)
            data = np.stack(
                [blank if label is None else label for label in labels])
            packed['data_samples'].set_data(
                dict(clip_gt_sem_seg=PixelData(
                    data=torch.from_numpy(data.astype(np.int64)))))
        return packed
