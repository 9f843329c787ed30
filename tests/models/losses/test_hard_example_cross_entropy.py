import math

import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.models.decode_heads import FCNHead
from mmseg.structures import SegDataSample

from rtseg_plugin.models.losses import HardExampleCrossEntropyLoss


def by_sorting(losses, threshold, min_kept):
    """The definition, with the sort."""
    losses = losses.sort(descending=True).values
    if losses[min_kept] > threshold:
        return losses[losses > threshold].mean()
    return losses[:min_kept].mean()


def random_batch(scale, seed=0):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(2, 5, 12, 16, generator=generator) * scale
    label = torch.randint(0, 5, (2, 12, 16), generator=generator)
    label[0, :3] = 255
    return scores.requires_grad_(), label


def test_class_weights_count_before_the_selection():
    scores, label = random_batch(1.)
    weights = [0.1, 3., 1., 1., 2.]
    loss = HardExampleCrossEntropyLoss(
        0.7, 50, class_weight=weights)(scores, label)
    pixels = F.cross_entropy(
        scores, label, torch.tensor(weights), reduction='none',
        ignore_index=255).flatten()
    torch.testing.assert_close(
        loss, by_sorting(pixels, -math.log(0.7), 100))
    with pytest.raises(ValueError, match='holds 3 weights for 5 classes'):
        HardExampleCrossEntropyLoss(class_weight=[1, 1, 1])(scores, label)


@pytest.mark.parametrize('scale', [0.01, 1., 5.])
@pytest.mark.parametrize('threshold', [0.2, 0.7, 0.95])
@pytest.mark.parametrize('min_kept', [1, 50, 150, 191])
def test_equals_sorting(scale, threshold, min_kept):
    scores, label = random_batch(scale)
    loss = HardExampleCrossEntropyLoss(threshold, min_kept)(scores, label)
    pixels = F.cross_entropy(
        scores, label, reduction='none', ignore_index=255).flatten()
    want = by_sorting(pixels, -math.log(threshold), 2 * min_kept)
    torch.testing.assert_close(loss, want)
    got, = torch.autograd.grad(loss, scores)
    expected, = torch.autograd.grad(want, scores)
    torch.testing.assert_close(got, expected)


def test_exactly_as_many_hard_as_kept():
    # all losses tie at ln 5: with 192 pixels above, none is at index 192
    scores, label = torch.zeros(1, 5, 12, 16), torch.zeros(
        1, 12, 16, dtype=torch.long)
    scores[:, :, 6:, :] = torch.tensor([20., 0, 0, 0, 0])[:, None, None]
    for min_kept in (95, 96):
        loss = HardExampleCrossEntropyLoss(min_kept_per_image=min_kept)(scores,
                                                                       label)
        assert loss.item() == pytest.approx(math.log(5))
    loss = HardExampleCrossEntropyLoss(min_kept_per_image=97)(scores, label)
    assert loss.item() == pytest.approx(math.log(5) * 96 / 97)


@pytest.mark.parametrize('pixels', [384, 720 * 960, 1024 * 1024])
@pytest.mark.parametrize('min_kept', [93, 97, 101, 361])
def test_ratio_of_a_count_is_that_count(pixels, min_kept):
    loss = HardExampleCrossEntropyLoss(min_kept_ratio=min_kept / pixels)
    for images in (1, 7, 8):
        label = torch.empty(1).expand(images, pixels // 8, 8)
        assert loss._min_kept(label) == images * min_kept


def test_default_rounds_down():
    label = torch.empty(1).expand(1, 3, 37)
    assert HardExampleCrossEntropyLoss()._min_kept(label) == 111 // 16


def test_weight_and_loss_weight():
    scores, label = random_batch(1.)
    plain = HardExampleCrossEntropyLoss(min_kept_per_image=191)
    half = HardExampleCrossEntropyLoss(
        min_kept_per_image=191, loss_weight=0.5)
    torch.testing.assert_close(half(scores, label), plain(scores, label) / 2)
    left = torch.zeros(label.shape)
    left[:, :, :8] = 1
    masked = label.clone()
    masked[:, :, 8:] = 255
    torch.testing.assert_close(
        plain(scores, label, weight=left), plain(scores, masked))


def test_all_ignored_is_zero_and_differentiable():
    scores, label = random_batch(1.)
    loss = HardExampleCrossEntropyLoss()(scores, torch.full_like(label, 255))
    loss.backward()
    assert loss.item() == 0
    assert not scores.grad.any()


def test_too_few_pixels():
    scores, label = random_batch(1.)
    with pytest.raises(ValueError, match='min_kept_per_image=192.*have 192 '
                       r'pixels \(12 x 16\)'):
        HardExampleCrossEntropyLoss(min_kept_per_image=192)(scores, label)


@pytest.mark.parametrize('arguments, message', [
    (dict(threshold=0.), 'threshold'),
    (dict(threshold=1.5), 'threshold'),
    (dict(min_kept_ratio=1.), 'min_kept_ratio'),
    (dict(min_kept_ratio=0.), 'min_kept_ratio'),
    (dict(min_kept_per_image=0), 'min_kept_per_image'),
    (dict(min_kept_per_image=8, min_kept_ratio=0.5), 'not both'),
])
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        HardExampleCrossEntropyLoss(**arguments)


def test_in_a_host_head():
    head = FCNHead(
        in_channels=4, channels=4, num_classes=5, num_convs=0,
        concat_input=False,
        loss_decode=dict(type='HardExampleCrossEntropyLoss', loss_weight=0.4))
    _, label = random_batch(1.)
    samples = [
        SegDataSample(gt_sem_seg=PixelData(data=x[None])) for x in label
    ]
    losses = head.loss([torch.randn(2, 4, 6, 8)], samples, None)
    losses['loss_ohem'].backward()
    assert head.conv_seg.weight.grad.abs().sum() > 0


def test_one_channel_needs_a_sigmoid():
    with pytest.raises(ValueError, match='use_sigmoid'):
        HardExampleCrossEntropyLoss()(
            torch.zeros(1, 1, 4, 4), torch.zeros(1, 4, 4).long())
