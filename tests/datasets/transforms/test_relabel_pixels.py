import numpy as np
import torch
from mmseg.models.losses import CrossEntropyLoss

from rtseg_plugin.datasets import RelabelPixels


def test_image_and_clip():
    label = np.array([[0, 255], [19, 3]], np.uint8)
    want = np.array([[0, 19], [19, 3]], np.uint8)
    transform = RelabelPixels(old=255, new=19)
    image = transform(dict(gt_seg_map=label))['gt_seg_map']
    np.testing.assert_array_equal(image, want)
    assert image.dtype == label.dtype
    first, last = transform(dict(gt_seg_map=[None, label]))['gt_seg_map']
    assert first is None
    np.testing.assert_array_equal(last, want)
    np.testing.assert_array_equal(label[0], [0, 255])


def test_loss_is_the_official_one():
    """Weighted mean over 20 logits; class 19 counts only in the softmax."""
    torch.manual_seed(0)
    logits = torch.randn(2, 20, 4, 5, dtype=torch.float64)
    label = torch.randint(0, 20, (2, 4, 5))
    weight = torch.rand(20, dtype=torch.float64) + 1
    weight[19] = 0
    log = logits.log_softmax(1).gather(1, label.unsqueeze(1)).squeeze(1)
    counted = weight[label] * (label != 19)
    want = -(log * counted).sum() / counted.sum()
    got = CrossEntropyLoss(class_weight=weight.tolist())(
        logits, label, ignore_index=19)
    torch.testing.assert_close(got, want)
