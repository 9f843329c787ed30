"""GAIN against the official implementation, weights through the converter."""
import runpy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.model.utils import revert_sync_batchnorm
from mmengine.registry import DefaultScope
from mmengine.runner import load_checkpoint
from mmengine.runner.checkpoint import _load_checkpoint_with_prefix
from mmseg.registry import MODELS
from torch.nn import functional as F

from rtseg_plugin.models.backbones import DFNet
from rtseg_plugin.models.layers import (
    BilinearInterpolation,
    FlowAlignedInterpolation,
    GlobalAverageContext,
    GuidedAttentiveInterpolation,
    GuidedCrissCrossAttention,
    GuideQueryInterpolation,
    PyramidPoolingContext,
    SemanticQueryInterpolation,
)
from rtseg_plugin.utils.key_maps.gain import context_rules, interpolation_rules
from rtseg_plugin.utils.official_weights import convert_state_dict

from . import cases

ROOT = Path(__file__).resolve().parents[2]
# The inputs of the cases were picked so that float32 rounding stays below.
RTOL = 1e-5


def load_part(module, state, prefix, rules):
    """Load the official tensors under a prefix; strict."""
    part = {
        key[len(prefix):]: value
        for key, value in state.items() if key.startswith(prefix)
    }
    module.load_state_dict(convert_state_dict(part, rules).state_dict)
    return module.eval()


@torch.no_grad()
def test_criss_cross():
    case = cases.load('gain', 'criss-cross')
    config = case['config']
    layer = GuidedCrissCrossAttention(
        config['in_channels'], config['qk_channels'], recurrence=1)
    layer.load_state_dict(cases.state(case))
    query, value = cases.inputs(case).values()
    cases.check(layer(query, value), case['outputs']['output'], RTOL)
    weights = layer.attention(
        layer.query_conv(query).permute(2, 0, 3, 1),
        layer.key_conv(value).permute(2, 0, 3, 1))
    # (H, N, W, H + W) -> (N, H, W, H + W)
    weights = weights.transpose(0, 1)
    cases.check(weights, case['outputs']['weights'], RTOL)


@torch.no_grad()
def test_gai():
    case = cases.load('gain', 'gai')
    gai = load_part(
        GuidedAttentiveInterpolation(case['config']['channels']),
        cases.state(case), 'cross_layer_attentions.1.', interpolation_rules())
    guide, semantic = cases.inputs(case).values()
    outputs = case['outputs']
    resized = F.interpolate(semantic, guide.shape[2:], mode='bilinear')
    query = gai.query_conv(gai.query(guide, resized))
    cases.check(query, outputs['query'], RTOL)
    value = gai.value_conv(resized)
    cases.check(value, outputs['value'], RTOL)
    for passes in (1, 2):
        gai.attention.recurrence = passes
        cases.check(
            gai.attention(query, value), outputs[f'attended_{passes}'], RTOL)
    cases.check(gai(guide, semantic), outputs['output'], RTOL)


@torch.no_grad()
@pytest.mark.parametrize('name, build', [
    ('CC-B', GuideQueryInterpolation),
    ('CC-C', SemanticQueryInterpolation),
    ('non_local', lambda c: GuidedAttentiveInterpolation(
        c, attention=dict(type='OfficialDenseAttention'))),
    ('bilinear', BilinearInterpolation),
    ('align', FlowAlignedInterpolation),
    ('sparse', lambda c: GuidedAttentiveInterpolation(
        c, attention=dict(type='GuidedSampledAttention'))),
    ('gap', GlobalAverageContext),
    ('ppm', PyramidPoolingContext),
])
def test_gai_variants(name, build):
    case = cases.load('gain', 'gai-variants')
    is_context = name in ('gap', 'ppm')
    rules = context_rules() if is_context else interpolation_rules()
    module = load_part(
        build(case['config']['channels']), cases.state(case), f'{name}.',
        rules)
    guide, semantic = cases.inputs(case).values()
    out = module(semantic) if is_context else module(guide, semantic)
    cases.check(out, case['outputs'][name], RTOL)


@torch.no_grad()
def test_dfnet2():
    case = cases.load('gain', 'dfnet2')
    backbone = DFNet(out_indices=(0, 1, 2, 3)).eval()
    backbone.load_state_dict(cases.state(case))
    outs = backbone(cases.inputs(case)['image'])
    for name, out in zip(('stem', 'c3', 'c4', 'c5'), outs):
        cases.check(out, case['outputs'][name], RTOL)


def network(name):
    config = Config.fromfile(ROOT / f'configs/_base_/models/{name}.py')
    with DefaultScope.overwrite_default_scope('mmseg'):
        return revert_sync_batchnorm(MODELS.build(config.model))


@pytest.fixture
def convert(monkeypatch):
    """Run the converter, here and now: a process would import for long."""
    script = ROOT / 'tools/model_converters/gain2mmseg.py'

    def run(source, target):
        monkeypatch.syspath_prepend(str(script.parent))
        monkeypatch.setattr('sys.argv', ['', str(source), str(target)])
        runpy.run_path(str(script), run_name='__main__')

    return run


@torch.no_grad()
def test_gain_r18(tmp_path, convert, capsys):
    case = cases.load('gain', 'gain-r18')
    state = {f'module.{k}': v for k, v in cases.state(case).items()}
    torch.save(dict(model=state, iteration=1), tmp_path / 'official.pth')
    convert(tmp_path / 'official.pth', tmp_path / 'converted.pth')
    assert '246 tensors, 246 mapped' in capsys.readouterr().out
    model = network('gain-r18')
    load_checkpoint(model, str(tmp_path / 'converted.pth'), strict=True)
    model.eval()

    want = case['outputs']
    features = model.backbone(cases.inputs(case)['image'])
    for name, feature in zip(('c2', 'c3', 'c4', 'c5'), features):
        cases.check(feature, want[name], RTOL)
    neck = model.neck
    laterals = [f(x) for f, x in zip(neck.laterals, features)]
    for name, feature in zip(('p2', 'p3', 'p4', 'p5'), laterals):
        cases.check(feature, want[name], RTOL)
    cases.check(neck.contexts[0](laterals[3]), want['p5_context'], RTOL)
    outs = neck(features)
    cases.check(outs[2], want['gai_p4'], RTOL)
    cases.check(outs[3], want['gai_p5'], RTOL)
    merged = model.decode_head.merge(torch.cat(outs[1:], dim=1))
    cases.check(merged, want['merged'], RTOL)
    cases.check(model.decode_head(outs), want['logits'], RTOL)
    for name, head in zip(('aux_p4', 'aux_p5'), model.auxiliary_head):
        cases.check(head(outs), want[name], RTOL)


def official_df2_keys():
    """Names and shapes of an official DF2 checkpoint.

    Section by section what the official code registers: the backbone as in
    the parity case, the light head and the auxiliary heads.
    """
    case = cases.load('gain', 'dfnet2')
    shapes = {f'backbone.{k}': shape for k, shape in case['state']}

    def norm(name, channels):
        shapes[f'{name}.num_batches_tracked'] = []
        for key in ('weight', 'bias', 'running_mean', 'running_var'):
            shapes[f'{name}.{key}'] = [channels]

    def conv(name, cout, cin, kernel=1, bias=False):
        shapes[f'{name}.weight'] = [cout, cin, kernel, kernel]
        if bias:
            shapes[f'{name}.bias'] = [cout]

    for i, channels in enumerate((128, 256, 512)):
        conv(f'seg_head.fpn_in.{i}.0', 128, channels)
        norm(f'seg_head.fpn_in.{i}.1', 128)
    conv('seg_head.ppm.conv1.0', 128, 128)
    norm('seg_head.ppm.conv1.1', 128)
    conv('seg_head.ppm.conv2.0', 128, 128, 3)
    norm('seg_head.ppm.conv2.1', 128)
    for i in range(2):
        gai = f'seg_head.cross_layer_attentions.{i}'
        conv(f'{gai}.conv1', 64, 256, bias=True)
        conv(f'{gai}.conv2', 64, 128, bias=True)
        conv(f'{gai}.attention.query_conv', 8, 64, bias=True)
        conv(f'{gai}.attention.key_conv', 8, 64, bias=True)
        conv(f'{gai}.attention.value_conv', 64, 64, bias=True)
        shapes[f'{gai}.attention.gamma'] = [1]
        conv(f'{gai}.bottleneck.0', 128, 192)
        norm(f'{gai}.bottleneck.1', 128)
        conv(f'dsn.{i}.layers.0', 128, 128, 3, bias=True)
        norm(f'dsn.{i}.layers.1', 128)
        conv(f'dsn.{i}.layers.4', 19, 128, bias=True)
    conv('seg_head.output.0', 128, 384)
    norm('seg_head.output.1', 128)
    conv('seg_head.output.3', 128, 128, 3)
    norm('seg_head.output.4', 128)
    conv('seg_head.output.7', 19, 128, bias=True)
    return shapes


def test_gain_df2_converts(tmp_path, convert):
    """No official numbers of the whole network are at hand: names only."""
    shapes = official_df2_keys()
    assert len(shapes) == 384  # as counted in the official network
    torch.save({k: torch.zeros(s) for k, s in shapes.items()},
               tmp_path / 'official.pth')
    convert(tmp_path / 'official.pth', tmp_path / 'converted.pth')
    load_checkpoint(
        network('gain-df2'), str(tmp_path / 'converted.pth'), strict=True)


def bare_encoder(name):
    """Official tensors as the ImageNet file of an encoder has them."""
    if name == 'gain-df2':
        encoder = cases.state(cases.load('gain', 'dfnet2'))
    else:
        encoder = {
            key[len('backbone.'):]: value
            for key, value in cases.state(
                cases.load('gain', 'gain-r18')).items()
            if key.startswith('backbone.')
        }
    return dict(encoder, **{
        'fc.weight': torch.zeros(1000, 512), 'fc.bias': torch.zeros(1000)})


@pytest.mark.parametrize('name', ['gain-r18', 'gain-df2'])
def test_a_bare_encoder_converts(name, tmp_path, convert, capsys):
    encoder = bare_encoder(name)
    torch.save(encoder, tmp_path / 'imagenet.pth')
    convert(tmp_path / 'imagenet.pth', tmp_path / 'converted.pth')
    assert '2 left out on purpose' in capsys.readouterr().out
    state = _load_checkpoint_with_prefix(
        'backbone.', str(tmp_path / 'converted.pth'), 'cpu')
    backbone = network(name).backbone
    backbone.load_state_dict(state, strict=True)
    key = 'bn1.weight' if name == 'gain-r18' else 'stage1.1.weight'
    ours = backbone.stem[7].weight if name == 'gain-r18' else (
        backbone.stage1[1].weight)
    assert torch.equal(ours, encoder[key])


def test_a_file_of_another_network_is_refused(tmp_path, convert):
    torch.save({'backbone.conv1.0.weight': torch.zeros(1),
                'head.weight': torch.zeros(1)}, tmp_path / 'other.pth')
    with pytest.raises(SystemExit, match='head.weight'):
        convert(tmp_path / 'other.pth', tmp_path / 'converted.pth')
    assert not (tmp_path / 'converted.pth').exists()
