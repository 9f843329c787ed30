"""RTFormer against the official implementation, through the real converter.

The tolerances stand in each case: 1e-6 in float64 (Paddle keeps interpolation
weights in float32), in float32 what the recorded noise allows.
"""
import pickle
from collections import OrderedDict

import pytest
import torch
from mmseg.apis import init_model
from mmseg.registry import MODELS

from rtseg_plugin.models.backbones.rtformer import RTFormerBlock
from rtseg_plugin.utils.key_maps.rtformer import RULES, add_batch_counters
from rtseg_plugin.utils.official_weights import convert_state_dict
from tests.builders import build_model, load_config, run_tool
from tests.parity import cases

PRECISIONS = [(torch.float32, 'outputs'), (torch.float64, 'outputs64')]
CONFIGS = {
    'rtformer-slim': 'rtformer-slim_4xb3-120k_cityscapes-512x1024.py',
    'rtformer-slim-ade20k': 'rtformer-slim_4xb4-160k_ade20k-512x512.py'
}


def write_pdparams(path, case):
    """What ``paddle.save`` writes for the state dict of a case."""
    state = OrderedDict(
        (name, value.numpy()) for name, value in cases.state(case).items())
    state['StructuredToParameterName@@'] = {
        name: f'tensor_{i}' for i, name in enumerate(state)}
    path.write_bytes(pickle.dumps(dict(state), protocol=4))
    return path


@pytest.fixture(scope='module', params=sorted(CONFIGS))
def converted(request, tmp_path_factory):
    """A case, its config and the converted file."""
    folder = tmp_path_factory.mktemp('official')
    case = cases.load('rtformer', request.param)
    src = write_pdparams(folder / 'model.pdparams', case)
    result = run_tool('model_converters/rtformer2mmseg.py', src,
                      folder / 'model.pth')
    assert result.returncode == 0, result.stderr
    number = len(case['state'])
    assert f'{number} tensors, {number} mapped, 0 left out' in result.stdout
    cfg = load_config(f'rtformer/{CONFIGS[request.param]}')
    return case, cfg, folder / 'model.pth'


def test_converted_file_is_complete(converted):
    _, cfg, path = converted
    # strict: no key is missing, the auxiliary head's included
    build_model(cfg).load_state_dict(torch.load(path)['state_dict'])
    init_model(cfg, str(path), device='cpu')


@pytest.mark.parametrize('dtype, key', PRECISIONS)
def test_network(converted, dtype, key):
    case, cfg, path = converted
    model = build_model(cfg).eval()
    model.load_state_dict(torch.load(path)['state_dict'])
    model.to(dtype)
    got = {}

    def keep(*names):

        def hook(module, args, out):
            out = out if isinstance(out, tuple) else (out, )
            # a copy: later layers may not change it either
            got.update(zip(names, (x.clone() for x in out)))

        return hook

    backbone = model.backbone
    backbone.stage3.register_forward_hook(keep('layer3_low'))
    backbone.stage3_high.register_forward_hook(keep('layer3_high'))
    backbone.stage4.register_forward_hook(keep('layer4_high', 'layer4_low'))
    backbone.stage5.register_forward_hook(keep('layer5_high', 'layer5_low'))
    backbone.spp.register_forward_hook(keep('dappm'))
    with torch.no_grad():
        feats = backbone(cases.inputs(case, dtype)['image'])
        got['logits'] = model.decode_head(feats)
        got['aux_logits'] = model.auxiliary_head(feats)
    assert set(got) == set(case[key])
    for name, tensor in got.items():
        cases.check(tensor, case[key][name], case['rtol'][key])


def part(module, case, official, ours, dtype):
    """Load a part with the rules of the whole network."""
    state = {official + k: v for k, v in cases.state(case).items()}
    converted = convert_state_dict(state, RULES).state_dict
    add_batch_counters(converted)
    assert all(name.startswith(ours) for name in converted)
    module.load_state_dict(
        {name[len(ours):]: value
         for name, value in converted.items()})
    return module.to(dtype).eval()


@pytest.mark.parametrize('dtype, key', PRECISIONS)
@pytest.mark.parametrize('name, arguments', [
    ('gfa', dict()),
    ('gfa-strided', dict(out_channels=128, stride=2)),
])
def test_gfa(name, arguments, dtype, key):
    case = cases.load('rtformer', name)
    gfa = MODELS.build(
        dict(type='GPUFriendlyAttention', in_channels=64, **arguments))
    gfa = part(gfa, case, 'layer4.attn_l.', 'backbone.stage4.low_attention.',
               dtype)
    with torch.no_grad():
        out = gfa(cases.inputs(case, dtype)['x'])
    cases.check(out, case[key]['out'], case['rtol'][key])


@pytest.mark.parametrize('dtype, key', PRECISIONS)
def test_cross_resolution_attention(dtype, key):
    case = cases.load('rtformer', 'cross-resolution-attention')
    attention = MODELS.build(
        dict(
            type='CrossResolutionAttention',
            in_channels=64,
            low_channels=128,
            cross_size=8))
    attention = part(attention, case, 'layer4.',
                     'backbone.stage4.high_attention.', dtype)
    x = cases.inputs(case, dtype)
    with torch.no_grad():
        out = dict(
            cross_kv=attention.cross_feature(x['low']),
            out=attention(x['high'], x['low']))
    for name, tensor in out.items():
        cases.check(tensor, case[key][name], case['rtol'][key])


@pytest.mark.parametrize('dtype, key', PRECISIONS)
def test_block(dtype, key):
    case = cases.load('rtformer', 'eablock')
    block = RTFormerBlock(
        64,
        128,
        256,
        inject=True,
        low_attention=dict(type='GPUFriendlyAttention'),
        high_attention=dict(type='CrossResolutionAttention'),
        ffn=dict(type='ConvFFN'))
    block = part(block, case, 'layer4.', 'backbone.stage4.', dtype)
    x = cases.inputs(case, dtype)
    with torch.no_grad():
        high, low = block(x['high'], x['low'])
    cases.check(high, case[key]['high'], case['rtol'][key])
    cases.check(low, case[key]['low'], case['rtol'][key])
