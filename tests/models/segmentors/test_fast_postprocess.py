"""Results are those of the host, whatever the pipeline did."""
import pytest
import torch
from mmseg.models.segmentors import EncoderDecoder
from mmseg.structures import SegDataSample
from torch import nn

from rtseg_plugin.models.segmentors.fast_postprocess import FastPostprocess


class Fast(FastPostprocess, EncoderDecoder):

    def __init__(self, align_corners=False):
        nn.Module.__init__(self)
        self.align_corners = align_corners
        self.decode_head = nn.Module()
        self.decode_head.threshold = 0.4


def samples(count, **meta):
    return [SegDataSample(metainfo=dict(ori_shape=(33, 47), **meta))
            for _ in range(count)]


@pytest.mark.parametrize('classes', [1, 7, 300])
@pytest.mark.parametrize('meta', [
    None,
    dict(),
    dict(flip=True, flip_direction='horizontal'),
    dict(flip=True, flip_direction='vertical', padding_size=[1, 2, 3, 4]),
    dict(img_padding_size=[0, 5, 0, 6], padding_size=[9, 9, 9, 9]),
])
def test_equals_the_hosts(classes, meta):
    torch.manual_seed(0)
    model = Fast(align_corners=classes == 7)
    logits = torch.randn(2, classes, 40, 50)
    given = None if meta is None else samples(2, **meta)
    also = None if meta is None else samples(2, **meta)
    got = model.postprocess_result(logits, given)
    want = EncoderDecoder.postprocess_result(model, logits, also)
    assert len(got) == 2
    for a, b in zip(got, want):
        assert torch.equal(a.pred_sem_seg.data, b.pred_sem_seg.data)
        assert a.pred_sem_seg.data.dtype == b.pred_sem_seg.data.dtype
        torch.testing.assert_close(a.seg_logits.data, b.seg_logits.data)
