"""FANet against the official code, through the converter."""
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.runner import load_checkpoint
from torch.nn import functional as F

from rtseg_plugin.models.necks.fanet_neck import FastAttentionStage
from rtseg_plugin.utils.safe_load import safe_torch_load
from tests.builders import build_model, load_config

from . import cases

CONVERTERS = Path(__file__).resolve().parents[2] / 'tools/model_converters'
# Of the largest value. Ours in float32 comes within 2.2e-6 with one thread and
# two, oneDNN on and off, AVX2 and scalar; the recorded numbers, float32 of
# another machine, are 0.8e-6 from ours in float64. The rest is for others.
RTOL = 1e-5


@pytest.fixture
def convert(tmp_path, monkeypatch):
    """Function from official content to the converted file."""

    def run(content, *arguments):
        src, dst = str(tmp_path / 'official.pth'), str(tmp_path / 'ours.pth')
        torch.save(content, src)
        monkeypatch.setattr(sys, 'argv', ['x', src, dst, *arguments])
        monkeypatch.syspath_prepend(str(CONVERTERS))
        runpy.run_path(str(CONVERTERS / 'fanet2mmseg.py'), {}, '__main__')
        return dst

    return run


def build(**model):
    """The segmentor of ``configs/_base_/models/fanet-18.py``, changed."""
    return build_model(
        load_config('_base_/models/fanet-18.py'), **model).eval()


def keep_outputs(modules):
    outputs = {}
    for name, module in modules.items():
        module.register_forward_hook(
            lambda _, __, out, name=name: outputs.__setitem__(name, out))
    return outputs


@torch.no_grad()
def test_fanet_18(convert):
    case = cases.load('fanet', 'fanet-18')
    path = convert(cases.state(case))
    # the Testing copy has no auxiliary heads
    network = build(auxiliary_head=None)
    load_checkpoint(network, path, strict=True)
    stages = network.neck.stages
    outputs = keep_outputs({
        'fam_32.up': stages['3'].up,
        'fam_16.up': stages['2'].up,
        'fam_8.up': stages['1'].up,
    })
    feats = network.backbone(cases.inputs(case)['image'])
    outputs.update((f'stage{i + 1}', feat) for i, feat in enumerate(feats))
    outputs['fam_4.smooth'], outputs['fam_16.smooth'], deepest = (
        outs := network.neck(feats))
    outputs['logits'] = network.decode_head(outs)
    # the official file's fam_32.smooth is left out, it reaches no logits
    assert set(outputs) == set(case['outputs']) - {'fam_32.smooth'}
    assert deepest.shape == feats[3].shape
    for name, want in case['outputs'].items():
        if name in outputs:
            cases.check(outputs[name], want, RTOL)


@torch.no_grad()
@pytest.mark.parametrize('wrapper', [None, 'model_state'])
def test_fanet_18_train(convert, wrapper):
    case = cases.load('fanet', 'fanet-18-train')
    content = cases.state(case)
    if wrapper:
        content = {wrapper: content, 'iter': 40000, 'best_iou': 0.5}
    classes = dict(num_classes=14)
    network = build(
        decode_head=classes, auxiliary_head={'0': classes, '1': classes})
    load_checkpoint(network, convert(content), strict=True)
    image = cases.inputs(case)['image']
    outs = network.neck(network.backbone(image))
    logits = network.decode_head(outs)
    aux_16, aux_32 = (head(outs) for head in network.auxiliary_head)
    full = F.interpolate(
        logits,
        size=image.shape[2:],
        mode='bilinear',
        align_corners=network.decode_head.align_corners)
    outputs = dict(
        logits=logits, logits_full=full, aux_32=aux_32, aux_16=aux_16)
    assert set(outputs) == set(case['outputs'])
    for name, want in case['outputs'].items():
        cases.check(outputs[name], want, RTOL)


@torch.no_grad()
def test_fast_attention(convert):
    case = cases.load('fanet', 'fast-attention')
    # fam_16 is a stage that keeps both outputs
    converted = safe_torch_load(
        convert({f'fam_16.{k}': v for k, v in cases.state(case).items()}),
        'cpu')['state_dict']
    stage = FastAttentionStage(
        64, 32, 128,
        dict(type='FastAttention'),
        dict(type='BN'),
        act_cfg=dict(type='LeakyReLU')).eval()
    stage.load_state_dict({
        key.replace('neck.stages.2.', ''): value
        for key, value in converted.items()
    })
    attention = stage.attention
    outputs = keep_outputs({
        'query': attention.query,
        'key': attention.key,
        'value': attention.value,
        'attention': attention,
        'lateral': stage.lateral,
    })
    feature = cases.inputs(case)['feature']
    fused = stage(feature)
    outputs.update(up=stage.up(fused), smooth=stage.smooth(fused))
    assert set(outputs) == set(case['outputs'])
    for name, want in case['outputs'].items():
        cases.check(outputs[name], want, RTOL)


def test_foreign_tensor_is_refused(convert):
    case = cases.load('fanet', 'fast-attention')
    with pytest.raises(SystemExit, match='cannot be placed'):
        convert({f'fam_64.{k}': v for k, v in cases.state(case).items()})
