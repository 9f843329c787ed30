from mmengine.structures import PixelData
from mmseg.models.utils import resize
from mmseg.structures import SegDataSample
from mmseg.utils import OptSampleList, SampleList
from torch import Tensor

from ..layers.label_map import label_map


class FastPostprocess:
    """A segmentor's ``postprocess_result`` that takes the argmax faster.

    The same logits and labels. On a CPU ``torch.argmax`` along the classes
    takes as long as a small network.
    """

    def postprocess_result(self,
                           seg_logits: Tensor,
                           data_samples: OptSampleList = None) -> SampleList:
        """See the host's method.

        Args:
            seg_logits (Tensor): (N, num_classes, H, W).
            data_samples (list[SegDataSample], optional): With the meta of the
                host's pipelines. Defaults to None.

        Returns:
            list[SegDataSample]: With ``seg_logits`` and ``pred_sem_seg``.
        """
        if seg_logits.device.type != 'cpu' or seg_logits.shape[1] == 1:
            return super().postprocess_result(seg_logits, data_samples)
        results = data_samples or [SegDataSample() for _ in seg_logits]
        for logits, sample in zip(seg_logits, results):
            logits = logits[None]
            if data_samples is not None:
                logits = self._as_the_image(logits, sample.metainfo)
            labels = label_map(logits, logits.shape[2:]).long()
            sample.set_data(
                dict(
                    seg_logits=PixelData(data=logits[0]),
                    pred_sem_seg=PixelData(data=labels)))
        return results

    def _as_the_image(self, logits: Tensor, meta: dict) -> Tensor:
        """Without padding, not flipped, of the original size."""
        left, right, top, bottom = meta.get(
            'img_padding_size', meta.get('padding_size', [0] * 4))
        logits = logits[:, :, top:logits.shape[2] - bottom,
                        left:logits.shape[3] - right]
        if meta.get('flip'):
            axis = dict(horizontal=3, vertical=2)[meta['flip_direction']]
            logits = logits.flip(axis)
        return resize(
            logits,
            size=meta['ori_shape'],
            mode='bilinear',
            align_corners=self.align_corners,
            warning=False)
