"""Data preprocessor for clips."""
from typing import Any, Dict

import torch
import torch.nn.functional as F
from mmseg.models import SegDataPreProcessor
from mmseg.registry import MODELS
from mmseg.utils import stack_batch


@MODELS.register_module()
class VideoSegDataPreProcessor(SegDataPreProcessor):
    """The host's data preprocessor for clips, and still for images.

    N clips (T, 3, H, W) become one tensor (N, T, 3, H, W), its frames
    converted, normalised and padded as :class:`SegDataPreProcessor` does it
    with images; ``clip_gt_sem_seg`` is padded as ``gt_sem_seg`` is. Images
    (3, H, W) go the host's way and become (N, 3, H, W). The arguments are the
    host's; ``batch_augments`` are refused for clips.
    """

    def forward(self, data: dict, training: bool = False) -> Dict[str, Any]:
        """Stack and normalise clips.

        Args:
            data (dict): ``inputs``, N clips (T, 3, H, W) or one tensor of
                them, and ``data_samples``.
            training (bool): Whether to pad to ``size`` or ``size_divisor``;
                otherwise the size is that of ``test_cfg``, if given.

        Returns:
            dict: ``inputs`` (N, T, 3, H, W) and ``data_samples``.

        Raises:
            ValueError: Clips of a batch differ in length or, without padding,
                in size; batch_augments are set.
        """
        if data['inputs'][0].dim() != 4:
            return super().forward(data, training)
        data = self.cast_data(data)
        inputs, samples = data['inputs'], data.get('data_samples')
        shape = inputs[0].shape[:2]
        if any(clip.shape[:2] != shape for clip in inputs):
            raise ValueError(
                'the clips of a batch must have one length, but have '
                f'{[clip.shape[0] for clip in inputs]} frames: set '
                'batch_size=1 where clips may be short')
        if self.channel_conversion and shape[1] == 3:
            inputs = [clip[:, [2, 1, 0]] for clip in inputs]
        inputs = [clip.float() for clip in inputs]
        if hasattr(self, 'mean'):
            inputs = [(clip - self.mean) / self.std for clip in inputs]
        # the host pads (C, H, W): (T, C, H, W) -> (T * C, H, W)
        flat = [clip.flatten(0, 1) for clip in inputs]
        if training:
            if samples is None:
                raise ValueError('training needs data_samples')
            if self.batch_augments is not None:
                raise ValueError('batch_augments do not work on clips')
            batch, samples = self._pad(flat, samples)
        elif self.test_cfg:
            batch, padding = stack_batch(
                flat,
                size=self.test_cfg.get('size'),
                size_divisor=self.test_cfg.get('size_divisor'),
                pad_val=self.pad_val)
            for sample, meta in zip(samples or (), padding):
                sample.set_metainfo(meta)
        else:
            if len({clip.shape for clip in flat}) > 1:
                raise ValueError('the clips of a batch must have one size')
            batch = torch.stack(flat)
        # (N, T * C, H, W) -> (N, T, C, H, W)
        return dict(inputs=batch.unflatten(1, shape), data_samples=samples)

    def _pad(self, flat: list, samples: list):
        batch, samples = stack_batch(flat, samples, self.size,
                                     self.size_divisor, self.pad_val,
                                     self.seg_pad_val)
        for sample in samples:
            if 'clip_gt_sem_seg' in sample:
                labels = sample.clip_gt_sem_seg.data
                del sample.clip_gt_sem_seg.data
                sample.clip_gt_sem_seg.data = F.pad(
                    labels, sample.padding_size, value=self.seg_pad_val)
        return batch, samples
