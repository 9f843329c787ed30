"""Learning rates and decay of the SCTNet recipes, by the official formula.

lr(t) = w(t) * ((base - min) * (1 - t / T) + min), with base already multiplied
by 10 for heads and projections, and the warm-up w(t) = 1 - (1 - t / 1500) *
(1 - 1e-6). mmengine computes each step from the one before, so its product of
two schedules differs from that: in the warm-up by 0.082 %, afterwards by
0.016 % of a group's first rate at most.
"""
import pytest
import torch
from mmengine.optim import build_optim_wrapper

from tests.builders import build_model, load_config, schedulers_of

TOTAL = 160000
EARLY, LATE = 9e-4, 2e-4  # of a group's first rate
RECIPES = {
    # recipe: base rate, weight decay, least rate, classes of norm rule
    'sctnet-s-seg50_2xb8-160k_cityscapes-512x1024': (4e-4, 0.0125, 1e-6),
    'sctnet-s-seg75_2xb8-160k_cityscapes-512x1024': (4e-4, 0.0125, 1e-6),
    'sctnet-b-seg50_2xb8-160k_cityscapes-512x1024': (4e-4, 0.0125, 1e-6),
    'sctnet-b-seg75_2xb8-160k_cityscapes-512x1024': (4e-4, 0.0125, 1e-6),
    'sctnet-b-seg100_2xb8-160k_cityscapes-1024x1024': (4e-4, 0.0125, 1e-6),
    'sctnet-s_4xb8-160k_ade20k-512x512': (5e-4, 0.01, 0.),
    'sctnet-b_4xb8-160k_ade20k-512x512': (5e-4, 0.01, 0.),
    'sctnet-b_4xb4-160k_coco-stuff10k-640x640': (6e-5, 0.01, 0.),
}


def optimizer_of(cfg):
    model = build_model(cfg)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    names = {id(p): n for n, p in model.named_parameters()}
    return wrapper, [
        (names[id(g['params'][0])], g)
        for g in wrapper.optimizer.param_groups
    ]


@pytest.mark.parametrize('recipe', RECIPES)
def test_rate_and_decay_of_every_group(recipe):
    base, decay, _ = RECIPES[recipe]
    cfg = load_config(f'sctnet/{recipe}.py')
    _, groups = optimizer_of(cfg)
    unspared = 0
    for name, group in groups:
        head = name.startswith(('decode_head', 'auxiliary_head', 'alignments'))
        assert group['lr'] == pytest.approx(base * (10 if head else 1)), name
        # on ADE20K and COCO-Stuff the official rule hits the norms of the
        # Conv-Former blocks and no other tensor
        spared = base != 4e-4 and not head and '.norm.' in name
        assert group['weight_decay'] == (0 if spared else decay), name
        unspared += spared
    assert unspared == (0 if base == 4e-4 else 12)


@pytest.mark.parametrize('recipe', RECIPES)
def test_rates_over_the_whole_schedule(recipe):
    base, _, least = RECIPES[recipe]
    cfg = load_config(f'sctnet/{recipe}.py')
    assert cfg.train_cfg.max_iters == TOTAL
    _, groups = optimizer_of(cfg)
    # one group of each rate that the model's groups have
    rates = sorted({group['lr'] for _, group in groups})
    assert rates == pytest.approx([base, 10 * base])
    optimizer = torch.optim.AdamW(
        [dict(params=[torch.nn.Parameter(torch.zeros(1))], lr=rate)
         for rate in rates], lr=base)
    schedulers = schedulers_of(cfg, optimizer)
    early = late = 0.
    for t in range(TOTAL):
        warm = 1 - (1 - t / 1500) * (1 - 1e-6) if t < 1500 else 1
        for group, rate in zip(optimizer.param_groups, rates):
            want = warm * ((rate - least) * (1 - t / TOTAL) + least)
            error = abs(group['lr'] - want) / rate
            if t < 1500:
                early = max(early, error)
            else:
                late = max(late, error)
        for scheduler in schedulers:
            scheduler.step()
    assert early < EARLY
    assert late < LATE
    assert optimizer.param_groups[1]['lr'] == pytest.approx(least, abs=1e-6)
