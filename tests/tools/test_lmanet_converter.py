"""Which official tensors become which of ours, for all four kinds of file."""
import re

import pytest
import torch

from rtseg_plugin.utils.key_maps.lmanet import finish_lmanet, lmanet_rules
from rtseg_plugin.utils.official_weights import convert_state_dict
from tests import builders
from tests.parity import cases


def our_state(base):
    with torch.device('meta'):
        model = builders.build_model(
            builders.load_config(f'_base_/models/{base}.py'))
    return {
        key: torch.zeros(value.shape, dtype=value.dtype)
        for key, value in model.state_dict().items()
    }


# our name -> official name, of PSPNet-101 with a memory, from the sheet of
# official prefixes
_PSP = [(r'backbone\.stem\.', 'encoder.layer0.'),
        (r'backbone\.layer', 'encoder.layer'),
        (r'decode_head\.psp_modules\.(\d)\.1\.conv', r'ppm.features.\1.1'),
        (r'decode_head\.psp_modules\.(\d)\.1\.bn', r'ppm.features.\1.2'),
        (r'decode_head\.bottleneck\.conv', 'decoder.cls.0'),
        (r'decode_head\.bottleneck\.bn', 'decoder.cls.1'),
        (r'decode_head\.conv_seg', 'decoder.cls.4'),
        (r'neck\.memory_key', 'kv_M_r4.Key'),
        (r'neck\.query_key', 'kv_Q_r4.Key'),
        (r'neck\.fusion\.reduce\.', 'memory_fusion.conv_layer_1.'),
        (r'neck\.fusion\.query_gate', 'memory_fusion.conv_layer_3'),
        (r'neck\.fusion\.read_gate', 'memory_fusion.conv_layer_4'),
        (r'neck\.fusion\.reduce_norm', 'memory_fusion.bn0'),
        (r'neck\.fusion\.norm', 'memory_fusion.bn')]


@pytest.fixture(scope='module')
def psp():
    """Ours and the official state dict of LMANet on PSPNet-101."""
    ours, official = our_state('lmanet-psp101'), {}
    for key, value in ours.items():
        if key.startswith('decode_head.conv_seg'):
            value = torch.ones(19, *value.shape[1:])
        for pattern, name in _PSP:
            key = re.sub(f'^{pattern}', name, key)
        official[key] = value
    for name, shape in (('weight', (256, 2048, 1, 1)), ('bias', (256, ))):
        official[f'memory_fusion.conv_layer_2.{name}'] = torch.zeros(shape)
    return ours, official


def convert(official):
    result = convert_state_dict(official, lmanet_rules(official))
    finish_lmanet(result.state_dict)
    return result


def same(got, want):
    assert {k: v.shape for k, v in got.items()} == {
        k: v.shape for k, v in want.items()
    }


def test_lmanet_on_pspnet(psp):
    ours, official = psp
    # the sheet counts 690 entries
    assert len(official) == 690
    got, left_out = convert(official)
    same(got, ours)
    assert left_out == [
        'memory_fusion.conv_layer_2.weight', 'memory_fusion.conv_layer_2.bias'
    ]
    row = got['decode_head.conv_seg.weight'][:, 0, 0, 0]
    assert row.tolist() == [1.] * 19 + [0.]
    assert got['decode_head.conv_seg.bias'][19] == 0


def test_semseg_pspnet(psp):
    """The names without 'encoder.' and 'decoder.', an auxiliary head."""
    ours, official = psp
    plain = {
        re.sub(r'^(encoder|decoder)\.', '', key): value
        for key, value in official.items()
        if not key.startswith(('kv_', 'memory_'))
    }
    plain.update({
        'aux.0.weight': torch.zeros(1),
        'aux.4.bias': torch.zeros(1)
    })
    got, left_out = convert(plain)
    same(got, {k: v for k, v in ours.items() if not k.startswith('neck.')})
    assert left_out == ['aux.0.weight', 'aux.4.bias']


@pytest.mark.parametrize('last', ['output_conv', 'output_conv_new'])
def test_plain_erfnet(last):
    official = cases.state(cases.load('lmanet', 'erfnet-baseline'))
    official = {
        key.replace('decoder.output_conv.', f'decoder.{last}.'): value
        for key, value in official.items()
    }
    official['encoder.output_conv.weight'] = torch.zeros(20, 128, 1, 1)
    got, left_out = convert(official)
    same(got, our_state('erfnet'))
    assert left_out == ['encoder.output_conv.weight']


def test_constant_and_keys_are_copied():
    official = cases.state(cases.load('lmanet', 'lmanet-erf-clip'))
    assert len(official) == 374
    official['memory_module_local.const'] = torch.tensor([0.5])
    got, _ = convert(official)
    assert got.pop('neck.constant').shape == ()
    same(got, our_state('lmanet-erfnet'))


def test_other_structures_are_refused():
    official = cases.state(cases.load('lmanet', 'lmanet-erf-clip'))
    official['kv_init_r4.Key.weight'] = torch.zeros(1)
    with pytest.raises(ValueError, match='kv_init_r4'):
        convert(official)
