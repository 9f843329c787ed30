import math

import pytest
import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import nn

from rtseg_plugin.models.backbones.rtformer import RTFormerBlock
from rtseg_plugin.models.layers import (
    CrossResolutionAttention,
    GPUFriendlyAttention,
)
from tests.builders import build_model, load_config


def cross(size):
    return dict(type='CrossResolutionAttention', cross_size=size)


# counted on the official model, with and without auxiliary head
@pytest.mark.parametrize('arch, inject, size, classes, with_aux, without', [
    ('slim', (True, True), 12, 19, 5403398, 5365043),
    ('slim', (True, False), 8, 19, 5034374, 4996019),
    ('slim', (True, False), 8, 150, 5059788, 5012918),
    ('base', (True, False), 12, 19, 17916390, 17765971),
    ('base', (True, False), 12, 150, 17966956, 17799638),
    ('base', (True, True), 12, 19, 19391718, 19241299),
])
def test_parameters_of_the_official_network(arch, inject, size, classes,
                                            with_aux, without):
    model = build_model(
        load_config(f'_base_/models/rtformer-{arch}.py'),
        backbone=dict(inject=inject, high_attention=dict(cross_size=size)),
        decode_head=dict(num_classes=classes),
        auxiliary_head=dict(num_classes=classes))

    def count(*modules):
        return sum(p.numel() for m in modules for p in m.parameters())

    assert count(model) == with_aux
    assert count(model.backbone, model.decode_head) == without


def test_out_indices():
    backbone = MODELS.build(dict(type='RTFormer')).eval()
    only = MODELS.build(dict(type='RTFormer', out_indices=(0, ))).eval()
    only.load_state_dict(backbone.state_dict())
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        want, (got, ) = backbone(x)[0], only(x)
    torch.testing.assert_close(got, want)


def test_norms_are_those_of_paddle():
    backbone = MODELS.build(dict(type='RTFormer'))
    norms = {
        name: module
        for name, module in backbone.named_modules()
        if isinstance(module, nn.BatchNorm2d)
    }
    assert {norm.momentum for norm in norms.values()} == {0.9}
    for name, norm in norms.items():
        assert norm.eps == (1e-6 if 'ffn' in name else 1e-5), name
    assert sum('ffn' in name for name in norms) == 4


def test_biases_are_where_the_official_code_has_them():
    backbone = MODELS.build(dict(type='RTFormer'))
    biased = {
        name.rsplit('.', 1)[0]
        for name, p in backbone.named_parameters() if name.endswith('.bias')
    } - {
        name
        for name, m in backbone.named_modules()
        if isinstance(m, nn.BatchNorm2d)
    }
    assert biased == {
        'stem.0.conv', 'stem.1.conv',
        *(f'stage{i}.{branch}_ffn.conv{j}' for i in (4, 5)
          for branch in ('low', 'high') for j in (1, 2))
    }


def test_initialisation():
    torch.manual_seed(0)
    model = build_model(load_config('_base_/models/rtformer-base.py'))
    model.init_weights()
    tokens = {
        module.kv
        for module in model.modules()
        if isinstance(module, CrossResolutionAttention)
    }
    assert len(tokens) == 2
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            weight = module.weight
            fan_in = weight[0].numel()
            std = 0.02 if module in tokens else math.sqrt(2 / fan_in)
            # four standard deviations of the estimate
            bound = 4 / math.sqrt(2 * weight.numel())
            assert abs(weight.std() / std - 1) < bound, name
            if module.bias is not None:
                assert not module.bias.any(), name
        elif isinstance(module, GPUFriendlyAttention):
            for weight in (module.k, module.v):
                assert abs(weight.std() / 0.001 - 1) < 0.02, name
        elif isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all()
            assert not module.bias.any()


def test_drop_path_keeps_or_drops_whole_samples():
    torch.manual_seed(0)
    backbone = MODELS.build(dict(type='RTFormer', drop_path_rate=0.5))
    block = backbone.stage5.train()
    out = block.drop_path(torch.ones(64, 8, 2, 2))
    values = out.flatten(1)
    assert (values == values[:, :1]).all()
    assert set(values[:, 0].tolist()) == {0., 2.}


@pytest.mark.slow
def test_exports_with_dynamic_sizes(tmp_path):
    """ONNX of the whole network: batch, height and width are free."""
    onnxruntime = pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    torch.manual_seed(0)
    backbone = MODELS.build(dict(type='RTFormer', out_indices=(0, ))).eval()
    backbone.init_weights()
    path = str(tmp_path / 'rtformer.onnx')
    torch.onnx.export(
        backbone, (torch.randn(2, 3, 96, 160), ),
        path,
        dynamo=True,
        verbose=False,
        dynamic_shapes=({0: 'n', 2: 'h', 3: 'w'}, ),
        input_names=['x'],
        external_data=False)
    session = onnxruntime.InferenceSession(
        path, providers=['CPUExecutionProvider'])
    for shape in ((2, 3, 96, 160), (1, 3, 256, 512), (1, 3, 129, 95)):
        x = torch.randn(shape)
        got = torch.from_numpy(session.run(None, dict(x=x.numpy()))[0])
        with torch.no_grad():
            want, = backbone(x)
        # rounding stays below 1e-4 of the largest value
        assert (got - want).abs().max() < 1e-3 * want.abs().max()


class Shift(BaseModule):
    """An attention of somebody else, unregistered, without ``cross``."""

    def __init__(self, in_channels, norm_cfg, by=1.):
        super().__init__()
        self.by = by

    def forward(self, x):
        return x + self.by


def test_foreign_attention():
    backbone = MODELS.build(
        dict(type='RTFormer', high_attention=dict(type=Shift, by=2.))).eval()
    with torch.no_grad():
        assert backbone(torch.randn(1, 3, 64, 64))[0].isfinite().all()


@pytest.mark.parametrize('bad, error, message', [
    (dict(arch='tiny'), ValueError, "'base', 'slim'.*'tiny'"),
    (dict(arch=dict(base_channels=8)), ValueError, 'spp_channels'),
    (dict(inject=(True, )), ValueError, 'each of the two'),
    (dict(out_indices=(0, 2)), ValueError, 'out_indices'),
    (dict(low_attention=dict(type='GPUFriendlyAttention', groups=7)),
     ValueError, r'groups \(7\) must divide'),
    (dict(high_attention=cross(0)), ValueError, 'cross_size'),
    (dict(ffn=dict(type='NoSuchFFN')), KeyError, 'NoSuchFFN'),
    (dict(cross_size=8), TypeError, 'cross_size'),
])
def test_bad_arguments(bad, error, message):
    with pytest.raises(error, match=message):
        MODELS.build(dict(type='RTFormer', **bad))


class EndsInReLU(nn.Sequential):
    """An attention whose last layer needs its own output to go backward."""

    def __init__(self, in_channels, norm_cfg, out_channels=None, stride=1):
        super().__init__(
            nn.Conv2d(in_channels, out_channels or in_channels, 1,
                      stride=stride), nn.ReLU())


def test_a_block_with_any_attention_goes_backward():
    torch.manual_seed(0)
    attention = dict(type=EndsInReLU)
    block = RTFormerBlock(4, 8, 8, True, attention, attention,
                          dict(type='ConvFFN'))
    high = torch.randn(2, 4, 16, 16, requires_grad=True)
    low = torch.randn(2, 8, 4, 4, requires_grad=True)
    sum(x.square().sum() for x in block(high, low)).backward()
    assert all(p.grad is not None for p in block.parameters())
    block.eval()
    want = block(high, low)
    with torch.no_grad():
        got = block(high, low)
    torch.testing.assert_close(got, want)
