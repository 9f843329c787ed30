"""Two runs of one recipe of each family give the same bits on a CPU."""
import pytest
import torch
from mmengine.runner import Runner

from tests.builders import load_config, run_tool

RECIPES = [
    'sctnet/sctnet-s_1xb4-demo_synthetic-street-256x512.py',
    'rtformer/rtformer-slim_1xb4-demo_synthetic-street-256x512.py',
    'fanet/fanet-18-t2_1xb4-demo_synthetic-street-256x512.py',
    'gain/gain-r18_1xb4-demo_synthetic-street-256x512.py',
    'lmanet/lmanet-erfnet-s4-r21_stage1_1xb4-demo_synthetic-street-128x256.py',
]


@pytest.fixture(scope='module')
def street(tmp_path_factory):
    """Two short snippets for training, one for validation."""
    root = tmp_path_factory.mktemp('street')
    result = run_tool('dataset_converters/synthetic_street.py', root,
                      '--train', '2', '--val', '1', '--frames', '20',
                      '--sequences', '--size', '128x256', '--jobs', '1')
    assert result.returncode == 0, result.stderr
    return root


@pytest.mark.slow
@pytest.mark.parametrize('recipe', RECIPES, ids=lambda r: r.split('/')[0])
def test_two_runs_give_the_same_bits(tmp_path, street, recipe):
    """Two iterations as shipped, with two workers, from random weights."""
    results = []
    for run in range(2):
        cfg = load_config(recipe)
        if 'teacher' in cfg.model:
            cfg.model.teacher.checkpoint = 'random'
        cfg.model.backbone.pop('init_cfg', None)
        cfg.train_dataloader.dataset.data_root = str(street)
        cfg.train_dataloader.update(batch_size=2, num_workers=2)
        cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=2)
        cfg.merge_from_dict(
            dict(
                load_from=None,
                val_dataloader=None,
                val_cfg=None,
                val_evaluator=None,
                work_dir=str(tmp_path / str(run)),
                randomness=dict(seed=11),
                log_level='ERROR',
                experiment_name=f'{tmp_path.name}-{run}'))
        cfg.visualizer.name = cfg.experiment_name
        runner = Runner.from_cfg(cfg)
        runner.train()
        results.append(runner.model.state_dict())
    first, second = results
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
