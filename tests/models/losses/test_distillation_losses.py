import math

import pytest
import torch
from mmseg.registry import MODELS

import rtseg_plugin  # noqa: F401


def test_l2():
    loss = MODELS.build(dict(type='L2DistillationLoss', loss_weight=2.))
    student = torch.full((1, 2, 3, 3), 1.5)
    assert loss(student, torch.ones_like(student)).item() == pytest.approx(0.5)


def test_kl_is_zero_only_for_equal_distributions():
    loss = MODELS.build(dict(type='KLDistillationLoss', temperature=2.))
    torch.manual_seed(0)
    teacher = torch.randn(2, 5, 4, 6)
    # a constant added to all channels of a pixel changes no distribution
    shifted = teacher + torch.randn(2, 1, 4, 6)
    assert loss(shifted, teacher).item() == pytest.approx(0, abs=1e-5)
    other = torch.randn(2, 5, 4, 6)
    want = torch.nn.functional.kl_div((other / 2).log_softmax(1),
                                      (teacher / 2).softmax(1),
                                      reduction='none')
    want = 4 * want.sum(1).mean()
    assert loss(other, teacher).item() == pytest.approx(want.item(), rel=1e-5)


def test_cwd_ignores_a_constant_per_channel():
    loss = MODELS.build(dict(type='ChannelWiseDistillationLoss'))
    teacher = torch.randn(2, 5, 4, 6)
    shifted = teacher + torch.randn(2, 5, 1, 1)
    assert loss(shifted, teacher).item() == pytest.approx(0, abs=1e-5)
    assert loss(teacher * 2, teacher).item() > 0.01


def test_variational_information():
    torch.manual_seed(0)
    loss = MODELS.build(
        dict(type='VariationalInformationLoss', channels=4, init_variance=5.))
    student, teacher = torch.randn(2, 4, 3, 3), torch.randn(2, 4, 3, 3)
    with torch.no_grad():
        error = (loss.mean(student) - teacher).square().mean()
    want = 0.5 * (error / 5 + math.log(5))
    value = loss(student, teacher)
    assert value.item() == pytest.approx(want.item(), rel=1e-4)
    value.backward()
    assert all(p.grad is not None for p in loss.parameters())
