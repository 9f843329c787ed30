"""LMANet against its official code, through the converter where weights are.

float32 against float64 of the official code differs by at most 5e-6 in each
case, and the order of sums differs here: 1e-5 for single parts, 1e-4 for
networks of some thirty layers whose weights amplify.
"""
import pytest
import torch
from mmengine.runner.checkpoint import load_checkpoint, load_state_dict

from rtseg_plugin.models.layers import (
    ConcatFusion,
    GatedFusion,
    ReducedGatedFusion,
    global_attention,
    local_attention,
    local_attention_reference,
    local_attention_weights,
)
from rtseg_plugin.utils.key_maps.lmanet import fusion_rules
from rtseg_plugin.utils.official_weights import convert_state_dict
from tests import builders

from . import cases

PART, NETWORK = 1e-5, 1e-4


def convert(state, tmp_path):
    """Through the converter, from a file as the authors publish it."""
    source, target = tmp_path / 'official.pth', tmp_path / 'converted.pth'
    torch.save({f'module.{key}': value for key, value in state.items()},
               source)
    done = builders.run_tool('model_converters/lmanet2mmseg.py', source,
                             target)
    assert done.returncode == 0, done.stderr
    return str(target)


def network(base, checkpoint, **model):
    model = builders.build_model(
        builders.load_config(f'_base_/models/{base}.py'), **model)
    load_checkpoint(model, checkpoint, 'cpu', strict=True)
    return model.eval()


def official_state(case):
    state = cases.state(case)
    for key, factor in case.get('scale', {}).items():
        state[key] = state[key] * factor
    return state


@torch.no_grad()
def test_baseline(tmp_path):
    case = cases.load('lmanet', 'erfnet-baseline')
    model = network('erfnet', convert(cases.state(case), tmp_path))
    image = cases.inputs(case)['image']
    features = model.backbone(image)
    cases.check(features[-1], case['outputs']['encoder'], NETWORK)
    cases.check(model(image), case['outputs']['logits'], NETWORK)
    assert sum(p.numel() for p in model.parameters()) == 2064256


@torch.no_grad()
@pytest.mark.parametrize('name', ['lmanet-erf', 'lmanet-erf-soft'])
def test_streaming(name, tmp_path):
    """The memory fills from empty and rolls over with the sixth frame."""
    case = cases.load('lmanet', name)
    model = network('lmanet-erfnet', convert(official_state(case), tmp_path))
    assert sum(p.numel() for p in model.parameters()) == 2692128
    frames, state, inside = cases.inputs(case), None, case['internals']
    for t in range(6):
        before = state
        logits, state = model.step(frames[f'frame{t}'], state)
        cases.check(logits, case['outputs'][f'logits{t}'], NETWORK)
    neck, x = model.neck, model.backbone(frames['frame5'])[-1]
    query, read = neck.query_value(x), neck.read(x, before)
    for key, value in {
            'encoder': x,
            'query_key': neck.query_key(x),
            'query_value': query,
            'memory_keys': before.keys.transpose(1, 2),
            'memory_values': before.values.transpose(1, 2),
            'attention': neck.attention(x, before),
            'read': read,
            'fused': neck.fusion(read, query)
    }.items():
        cases.check(value, inside[key], NETWORK)


@torch.no_grad()
def test_clip(tmp_path):
    case = cases.load('lmanet', 'lmanet-erf-clip')
    model = network('lmanet-erfnet', convert(cases.state(case), tmp_path))
    clip = torch.stack(list(cases.inputs(case).values()), 1)
    meta = [dict(img_shape=clip.shape[-2:])] * len(clip)
    cases.check(
        model.encode_decode(clip, meta), case['outputs']['logits'], NETWORK)


def memory(case):
    inputs = cases.inputs(case)
    keys, values = (
        torch.stack([inputs[f'memory_{kind}{t}'] for t in range(3)], 1)
        for kind in ('key', 'value'))
    return inputs['query_key'], keys, values


@pytest.mark.parametrize('read',
                         [local_attention, local_attention_reference])
def test_local_attention(read):
    case = cases.load('lmanet', 'local-attention')
    query, keys, values = memory(case)
    cases.check(read(query, keys, values, 7), case['outputs']['read'], PART)
    cases.check(
        local_attention_weights(query, keys, 7), case['outputs']['attention'],
        PART)


def test_global_attention():
    case = cases.load('lmanet', 'global-attention')
    query, keys, values = memory(case)
    cases.check(
        global_attention(query, keys, values), case['outputs']['read'], PART)


@torch.no_grad()
@pytest.mark.parametrize('name, fusion', [
    ('fusion-sigmoid-do1', GatedFusion),
    ('fusion-down1', ReducedGatedFusion),
    ('fusion-concat', ConcatFusion),
])
def test_fusion(name, fusion):
    case = cases.load('lmanet', name)
    module = fusion(16).eval()
    rules = fusion_rules(reduced=fusion is ReducedGatedFusion)
    load_state_dict(
        module, convert_state_dict(cases.state(case), rules).state_dict,
        strict=True)
    inputs = cases.inputs(case)
    cases.check(
        module(inputs['memory'], inputs['query']), case['outputs']['fused'],
        PART)
