"""The learning rates of RTFormer's recipes against the official formula."""
import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmseg.registry import PARAM_SCHEDULERS

import rtseg_plugin  # noqa: F401
from tests.builders import build_model, load_config, schedulers_of

NAMES = ('spp.', 'decode_head.', 'auxiliary_head.')


def official(iteration, rate, floor, last, factor, power=1.):
    """Warm-up from 1e-6, then poly from the full rate; all times factor."""
    if iteration < 1500:
        rate = 1e-6 + (rate - 1e-6) * iteration / 1500
    else:
        left = 1 - (iteration - 1500) / (last - 1500)
        rate = (rate - floor) * left**power + floor
    return factor * rate


@pytest.mark.parametrize('name, rate, decay, floor, last, power', [
    ('slim_4xb3-120k_cityscapes-512x1024', 4e-4, .0125, 1e-6, 120000, 1.),
    ('base_4xb4-160k_ade20k-512x512', 1e-4, .05, 1e-7, 160000, 1.),
    ('slim_4xb3-38k_camvid-720x960', 1e-3, .05, 1e-6, 37752, 1.),
    ('base_4xb3-82k_coco-stuff10k-640x640', 1e-4, .05, 1e-6, 82500, .9),
])
def test_rates_of_the_recipes(name, rate, decay, floor, last, power):
    cfg = load_config(f'rtformer/rtformer-{name}.py')
    assert cfg.train_cfg.max_iters == last
    init_default_scope('mmseg')
    model = build_model(cfg)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    named = {id(p): n for n, p in model.named_parameters()}
    first = {1.: [], 10.: []}
    for group in wrapper.optimizer.param_groups:
        assert group['weight_decay'] == decay
        for param in group['params']:
            fast = any(part in named[id(param)] for part in NAMES)
            factor = 10. if fast else 1.
            assert group['lr'] == pytest.approx(factor * rate)
            first[factor].append(param)
    assert all(first.values())

    # one group of each kind stands for all: the schedule is long
    optimizer = torch.optim.SGD([
        dict(params=params[:1], lr=factor * rate)
        for factor, params in first.items()
    ])
    schedulers = schedulers_of(cfg, optimizer)
    checked = {0, 1, 700, 1499, 1500, 1501, 2000, last // 2, last - 1}
    for iteration in range(last):
        if iteration in checked:
            for factor, group in zip(first, optimizer.param_groups):
                # the host multiplies step by step: rounding adds up
                assert group['lr'] == pytest.approx(
                    official(iteration, rate, floor, last, factor, power),
                    rel=1e-6), iteration
        if iteration == 0:
            optimizer.step()
        for scheduler in schedulers:
            scheduler.step()


def test_ratio_is_that_of_each_group():
    params = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    optimizer = torch.optim.SGD([
        dict(params=params[:1], lr=1.),
        dict(params=params[1:], lr=10.)
    ])
    scheduler = PARAM_SCHEDULERS.build(
        dict(
            type='PolyRatioLR',
            optimizer=optimizer,
            eta_min_ratio=0.01,
            power=2.,
            end=10,
            by_epoch=False))
    optimizer.step()
    for step in range(1, 10):
        scheduler.step()
        want = 0.01 + 0.99 * (1 - step / 10)**2
        rates = [group['lr'] for group in optimizer.param_groups]
        assert rates == pytest.approx([want, 10 * want])


def test_bad_ratio():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))])
    with pytest.raises(ValueError, match='eta_min_ratio'):
        PARAM_SCHEDULERS.build(
            dict(type='PolyRatioLR', optimizer=optimizer, eta_min_ratio=2))
