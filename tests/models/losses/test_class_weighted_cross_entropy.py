import pytest
import torch
import torch.nn.functional as F
from mmseg.models.losses import CrossEntropyLoss

from rtseg_plugin.models.losses import ClassWeightedCrossEntropyLoss

WEIGHTS = [1., 7., 0., 0.3]


def batch(dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(2, 4, 5, 6, generator=generator, dtype=dtype)
    label = torch.randint(0, 4, (2, 5, 6), generator=generator)
    return scores.requires_grad_(), label


@pytest.mark.parametrize('ignore_index', [255, 3])
def test_is_the_weighted_mean_of_torch(ignore_index):
    scores, label = batch()
    label[:, 1:3] = ignore_index
    loss = ClassWeightedCrossEntropyLoss(WEIGHTS, loss_weight=0.4)(
        scores, label, ignore_index=ignore_index)
    want = 0.4 * F.cross_entropy(
        scores, label, torch.tensor(WEIGHTS).double(),
        ignore_index=ignore_index)
    torch.testing.assert_close(loss, want)
    torch.testing.assert_close(
        *(torch.autograd.grad(x, scores)[0] for x in (loss, want)))


def test_is_the_host_where_nothing_is_ignored():
    scores, label = batch()
    torch.testing.assert_close(
        ClassWeightedCrossEntropyLoss(WEIGHTS)(scores, label),
        CrossEntropyLoss(class_weight=WEIGHTS)(scores, label))


def test_the_host_cannot():
    """What this class is for; where the host can, it may go."""
    scores, label = batch()
    label[0, 0, 0] = 255
    for avg_non_ignore in (False, True):
        with pytest.raises(IndexError, match='255'):
            CrossEntropyLoss(
                class_weight=WEIGHTS, avg_non_ignore=avg_non_ignore)(
                    scores, label, ignore_index=255)


def test_a_batch_without_a_class():
    scores, label = batch()
    loss = ClassWeightedCrossEntropyLoss(WEIGHTS)(
        scores, torch.full_like(label, 255))
    loss.backward()
    assert loss.item() == 0
    assert not scores.grad.any()


def test_pixels_have_factors_of_their_own():
    scores, label = batch()
    loss = ClassWeightedCrossEntropyLoss(WEIGHTS)
    factors = torch.ones(label.shape).double()
    torch.testing.assert_close(
        loss(scores, label, weight=3 * factors), 3 * loss(scores, label))


def test_half_precision_is_left():
    scores, label = batch(torch.bfloat16)
    loss = ClassWeightedCrossEntropyLoss(WEIGHTS)(scores, label)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(
        loss, ClassWeightedCrossEntropyLoss(WEIGHTS)(scores.float(), label))


@pytest.mark.parametrize('weights', [[1., -1.], [0., 0.]])
def test_weights_that_make_no_sense(weights):
    with pytest.raises(ValueError, match='positive'):
        ClassWeightedCrossEntropyLoss(weights)


def test_as_many_weights_as_classes():
    with pytest.raises(ValueError, match='holds 3 weights for 4 classes'):
        ClassWeightedCrossEntropyLoss([1, 2, 3])(*batch())


def test_one_channel_needs_a_sigmoid():
    with pytest.raises(ValueError, match='use_sigmoid'):
        ClassWeightedCrossEntropyLoss([1.])(
            torch.zeros(1, 1, 4, 4), torch.zeros(1, 4, 4).long())
