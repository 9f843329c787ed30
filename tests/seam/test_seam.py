"""The seam to the host, each case in a process of its own."""
import subprocess
import sys

import pytest

from rtseg_plugin import compat


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
