"""The seam to the host, each case in a process of its own."""
import subprocess
import sys

import pytest
from mmengine.registry import Registry

from rtseg_plugin import compat, registry  # isort: skip
from mmseg import registry as mmseg_registry  # isort: skip


def run(code, **kwargs):
    return subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code],
        capture_output=True,
        text=True,
        **kwargs)


def test_import_twice_beside_a_stock_config():
    """Nothing of the host changes, a stock network builds as before."""
    result = run("""
import importlib, sys
import rtseg_plugin
first = rtseg_plugin.models.backbones.SCTNet
import rtseg_plugin
from mmengine.runner.checkpoint import CheckpointLoader
from mmseg.registry import MODELS
before = dict(MODELS.module_dict), dict(CheckpointLoader._schemes)
from rtseg_plugin import compat
compat.check_versions()
compat.install_mmcv_stand_in()
compat.register_safe_loaders()
assert (dict(MODELS.module_dict), dict(CheckpointLoader._schemes)) == before
assert MODELS.get('SCTNet') is first
assert MODELS.get('rtseg_plugin.SCTNet') is first
from mmengine.hub import get_config
cfg = get_config('mmseg::stdc/stdc1_4xb12-80k_cityscapes-512x1024.py')
cfg.model.backbone.backbone_cfg.init_cfg = None
from mmengine.registry import init_default_scope
init_default_scope('mmseg')
MODELS.build(cfg.model)
print('fine')
""")
    assert result.returncode == 0, result.stderr
    assert 'fine' in result.stdout


def test_stranger_names_the_class_without_custom_imports():
    """``type='rtseg_plugin.X'`` resolves from mmengine alone.

    On mmcv-lite the stand-in must be there before mmseg.models is imported,
    so a stranger there uses custom_imports; the registry is the same.
    """
    prepare = ('import rtseg_plugin.compat as c; c.install_mmcv_stand_in()'
               if compat.install_mmcv_stand_in() else '')
    result = run(f"""
{prepare}
from mmseg.registry import MODELS
backbone = MODELS.build(dict(type='rtseg_plugin.SCTNet'))
print(type(backbone).__name__)
""")
    assert result.returncode == 0, result.stderr
    assert 'SCTNet' in result.stdout


def test_every_registered_class_resolves_with_the_scope():
    """Samplers, optical flow and what else the package registers."""
    found = {}
    for name, parent in vars(mmseg_registry).items():
        if isinstance(parent, Registry):
            for key, value in parent.module_dict.items():
                module = getattr(value, '__module__', '')
                if module.startswith('rtseg_plugin.'):
                    assert getattr(registry, name).get(key) is value
                    assert parent.get(f'rtseg_plugin.{key}') is value
                    found.setdefault(name, []).append(key)
    assert 'VideoSampler' in found['DATA_SAMPLERS']
    assert 'DISFlow' in found['TASK_UTILS']
    assert len(found) >= 8


def test_custom_imports_in_a_strangers_config(tmp_path):
    (tmp_path / 'mine.py').write_text("""
custom_imports = dict(imports=['rtseg_plugin'], allow_failed_imports=False)
default_scope = 'mmseg'
model = dict(
    type='EncoderDecoder',
    backbone=dict(type='SCTNet'),
    decode_head=dict(
        type='FCNHead', in_channels=128, in_index=0, channels=32,
        num_classes=4, num_convs=1))
""")
    result = run(f"""
from mmengine.config import Config
cfg = Config.fromfile({str(tmp_path / 'mine.py')!r})
from mmengine.registry import init_default_scope, MODELS
init_default_scope(cfg.default_scope)
print(type(MODELS.build(cfg.model)).__name__)
""")
    assert result.returncode == 0, result.stderr
    assert 'EncoderDecoder' in result.stdout


@pytest.mark.skipif(
    not compat.install_mmcv_stand_in(), reason='mmcv has its own extension')
def test_stand_in_names_the_op():
    result = run("""
import rtseg_plugin
import importlib.util
assert importlib.util.find_spec('mmcv._ext') is not None
import torch
from mmcv.ops import nms
nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
""")
    assert result.returncode != 0
    assert "The op 'nms' needs the compiled extension" in result.stderr
    assert 'rtseg_plugin[full]' in result.stderr


def test_who_asks_for_mmseg_has_not_imported_it():
    result = run("""
import importlib.util
import rtseg_plugin
for _ in range(2):
    assert importlib.util.find_spec('mmseg') is not None
import mmseg
from mmseg.registry import MODELS
assert 'SCTNet' in MODELS
""")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize('name', compat.SUPPORTED)
def test_gates_tell_found_lowest_and_highest(monkeypatch, name):
    lowest, too_high = compat.SUPPORTED[name]
    real = compat.installed_version
    for version in ('0.0.1', '99.0'):
        monkeypatch.setattr(
            compat, 'installed_version',
            lambda n, v=version: v if n == name else real(n))
        with pytest.raises(ImportError) as error:
            compat.check_versions()
        for part in (name, version, lowest, too_high):
            assert part in str(error.value)


def test_gate_of_an_absent_host(monkeypatch):
    def absent(name):
        raise compat.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(compat.importlib.metadata, 'version', absent)
    with pytest.raises(ImportError, match='pip install'):
        compat.check_versions()


def test_the_gates_stand_before_the_host():
    """The package alone imports anywhere; the host does not with it."""
    result = run("""
from importlib import metadata
real = metadata.version
metadata.version = lambda n: '0.1' if n == 'mmsegmentation' else real(n)
import rtseg_plugin
import mmseg
""")
    assert result.returncode == 1
    assert 'ImportError: rtseg_plugin found mmsegmentation 0.1' in (
        result.stderr.splitlines()[-1])


@pytest.mark.parametrize('first', ['registry', 'datasets.camvid', 'engine'])
def test_any_room_may_be_imported_first(first):
    """It brings the host, and with it the other rooms, while on its way."""
    result = run(f"""
import rtseg_plugin.{first}
from mmseg.registry import MODELS, TRANSFORMS
assert 'SCTNet' in MODELS.module_dict
loading = TRANSFORMS.get('rtseg_plugin.LoadAnnotations')
assert loading.__module__.startswith('rtseg_plugin.'), loading
""")
    assert result.returncode == 0, result.stderr


def test_a_config_inherits_from_the_package(tmp_path):
    """As of the host's packages, from anywhere and after the import."""
    (tmp_path / 'mine.py').write_text("""
_base_ = 'rtseg_plugin::sctnet/sctnet-s_1xb4-demo_synthetic-street-256x512.py'
model = dict(teacher=dict(checkpoint='random'))
train_dataloader = dict(
    dataset=dict(data_root='none', serialize_data=False, lazy_init=True))
""")
    result = run(f"""
import rtseg_plugin
from mmengine.config import Config
from mmengine.registry import init_default_scope
cfg = Config.fromfile({str(tmp_path / 'mine.py')!r})
init_default_scope(cfg.default_scope)
from mmengine.registry import DATASETS, EVALUATOR, HOOKS, METRICS, MODELS
from mmengine.registry import VISUALIZERS
print(type(MODELS.build(cfg.model)).__name__)
dataset = DATASETS.build(cfg.train_dataloader.dataset)
print(type(dataset.pipeline.transforms[0]).__module__)
print([type(HOOKS.build(hook)).__name__ for hook in cfg.custom_hooks])
METRICS.build(cfg.val_evaluator)
VISUALIZERS.build(dict(cfg.visualizer, save_dir={str(tmp_path)!r}))
""", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert 'DistilledEncoderDecoder' in result.stdout
    assert 'rtseg_plugin.datasets.transforms.checked_loading' in result.stdout
    assert 'CheckpointCheckHook' in result.stdout


def test_deployed_networks_import_without_torch():
    """And importing mmseg later registers all the same."""
    result = run("""
import sys
import rtseg_plugin.apis.deployed
heavy = {'torch', 'mmseg', 'mmengine', 'mmcv'} & set(sys.modules)
assert not heavy, heavy
import rtseg_plugin
import mmseg
from mmseg.registry import MODELS
assert MODELS.get('SCTNet') is rtseg_plugin.models.backbones.SCTNet
assert mmseg is sys.modules['mmseg']
assert mmseg.__spec__.loader is mmseg.__loader__
print(type(mmseg.__loader__).__name__)
""")
    assert result.returncode == 0, result.stderr
    assert 'SourceFileLoader' in result.stdout


def test_deployed_networks_import_after_the_rest():
    result = run("""
import mmseg
import rtseg_plugin.apis.deployed
from mmseg.registry import MODELS
assert 'SCTNet' in MODELS.module_dict
""")
    assert result.returncode == 0, result.stderr
