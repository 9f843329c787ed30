"""IoU over all labelled frames of clips, and at the network's size."""
from typing import Sequence

import numpy as np
import torch
from mmseg.evaluation import IoUMetric
from mmseg.registry import METRICS


@METRICS.register_module()
class ClipIoUMetric(IoUMetric):
    """The host's IoUMetric over every labelled frame of a clip.

    For networks that predict all frames of a clip (``clip_pred_sem_seg``)
    with labels loaded by ``LoadClipAnnotations(all_frames=True)``, as for
    VSPW, where all frames count. Otherwise the last frame counts, as with the
    host's. Clips should not overlap: each clip's frames count. Arguments are
    the host's.
    """

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count all labelled frames of each sample in."""
        for sample in data_samples:
            if not ('clip_pred_sem_seg' in sample
                    and 'clip_gt_sem_seg' in sample):
                super().process(data_batch, [sample])
                continue
            truth = sample['clip_gt_sem_seg']['data']
            preds = sample['clip_pred_sem_seg']['data'].to(truth)
            # frame by frame, since the host counts pixels in float32
            areas = [
                self.intersect_and_union(pred, label,
                                         len(self.dataset_meta['classes']),
                                         self.ignore_index)
                for pred, label in zip(preds, truth)
            ]
            self.results.append(
                tuple(torch.stack(area).double().sum(0)
                      for area in zip(*areas)))


@METRICS.register_module()
class WorkSizeIoUMetric(IoUMetric):
    """IoU at the size that the network works at, as LMANet reports it.

    The host resizes logits to the size of the file and scores there. LMANet's
    evaluation scores at 512x1024 or 1025x2049 against labels brought to that
    size by nearest neighbour. The figures are named ``work/mIoU`` and so on
    and differ from the host's by some tenths.

    The pipeline has to load the labels before the resize and to hold
    :class:`UseWorkSize` behind it, as in ``configs/lmanet/worksize``; what
    was resized to the size of the file is refused.
    Labels of another size than the prediction are brought to its size.
    Arguments are the host's.
    """

    default_prefix = 'work'

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count each sample in."""
        for sample in data_samples:
            size = tuple(sample['img_shape'][:2])
            pred = sample['pred_sem_seg']['data'].squeeze()
            if tuple(pred.shape) != size:
                raise ValueError(
                    f'WorkSizeIoUMetric: the network works at {size}, its '
                    f'prediction has been resized to {tuple(pred.shape)}. '
                    'Load the labels before the resize and put '
                    "dict(type='UseWorkSize') behind it")
            truth = _shrink(sample['gt_sem_seg']['data'].squeeze(), size)
            self.results.append(
                self.intersect_and_union(pred, truth.to(pred),
                                         len(self.dataset_meta['classes']),
                                         self.ignore_index))


def _shrink(labels: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """Nearest neighbour between pixel centres, as PIL has it."""
    rows, cols = (
        torch.from_numpy(
            np.floor((np.arange(new) + 0.5) * old / new).astype(np.int64)).to(
                labels.device) for new, old in zip(size, labels.shape))
    return labels[rows][:, cols]
