"""openmim's commands, each in a process of its own, as a user calls them."""
import os
import subprocess
import sys

import pytest
from mmengine.config import Config

from rtseg_plugin.utils.host_tools import resolve_config
from tests.builders import CONFIGS, write_cityscapes

DEMO = 'sctnet-s_1xb4-demo_synthetic-street-256x512'
# the first demo of each network
RECIPES = {
    path.parent.name: min(path.parent.glob('*demo*.py')).stem
    for path in CONFIGS.glob('*/README.md')
}


def mim(cwd, *args, **env):
    result = subprocess.run(
        [sys.executable, '-W', 'ignore', '-m', 'mim', *map(str, args)],
        cwd=cwd,
        env=dict(os.environ, **env),
        capture_output=True,
        text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_run_finds_scripts_and_configs(tmp_path):
    out = mim(tmp_path, 'run', 'rtseg_plugin', 'get_flops', DEMO, '--shape',
              64, 96)
    assert '4,654,643' in out


def test_search_lists_the_zoo(tmp_path):
    out = mim(tmp_path, 'search', 'rtseg_plugin', '--model', 'sctnet')
    assert 'sctnet-b-seg100' in out
    assert 'none published' in out


def test_download_dumps_configs_alone(tmp_path):
    """There are no checkpoints to fetch, and nothing tries to."""
    nowhere = 'http://127.0.0.1:9'
    mim(tmp_path, 'download', 'rtseg_plugin', '--config', *RECIPES.values(),
        '--dest', 'here', http_proxy=nowhere, https_proxy=nowhere)
    assert sorted(p.name for p in (tmp_path / 'here').iterdir()) == sorted(
        f'{name}.py' for name in RECIPES.values())
    for name in RECIPES.values():
        dumped = Config.fromfile(tmp_path / 'here' / f'{name}.py')
        assert dumped.model == Config.fromfile(resolve_config(name)).model


@pytest.mark.slow
def test_train_and_test_by_bare_name(tmp_path):
    """Two iterations of a recipe, and a test of what they gave."""
    write_cityscapes(tmp_path / 'data' / 'synthetic_street', size=(256, 512))
    name = f'{RECIPES["rtformer"]}.py'
    loaders = [f'{loader}.{option}' for loader in
               ('train_dataloader', 'val_dataloader', 'test_dataloader')
               for option in ('num_workers=0', 'persistent_workers=False')]
    out = mim(tmp_path, 'train', 'rtseg_plugin', name, '--gpus', 0,
              '--work-dir', 'work', '--cfg-options', *loaders,
              'train_cfg.max_iters=2', 'train_cfg.val_interval=2',
              'train_dataloader.batch_size=2')
    assert 'Iter(val) [2/2]' in out
    assert (tmp_path / 'work' / 'iter_2.pth').is_file()
    out = mim(tmp_path, 'test', 'rtseg_plugin', name, '--checkpoint',
              'work/iter_2.pth', '--gpus', 0, '--work-dir', 'work',
              '--out', 'predictions', '--cfg-options', *loaders)
    assert 'Iter(test) [2/2]' in out
    assert 'mIoU' in out
    assert len(list((tmp_path / 'predictions').glob('*.png'))) == 2


def test_help_of_a_tool(tmp_path):
    """openmim keeps --help for itself, and knows the host's packages only."""
    out = mim(tmp_path, 'run', 'rtseg_plugin', 'convert', '--', '--help')
    assert 'usage: convert.py' in out
