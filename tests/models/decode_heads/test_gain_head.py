import pytest
import torch
from mmengine.config import Config
from torch import nn

from rtseg_plugin.models.decode_heads import (
    GAINLightHead,
)
from tests.builders import build_model, load_config


def count(module):
    return sum(p.numel() for p in module.parameters())


# Measured of the official networks: all parameters, those of inference.
CITYSCAPES = '_2xb8-80k_cityscapes-1024x1024.py'
COUNTS = {
    f'gain-r18{CITYSCAPES}': (12256, 11955),
    'gain-r18_2xb8-5k_camvid-720x960.py': (11941, 11642),
    'gain-r18_2xb8-160k_ade20k-512x512.py': (12307, 11972),
    f'gain-df2{CITYSCAPES}': (18364, 18063),
    'gain-df2_2xb8-5k_camvid-720x960.py': (18361, 18062),
    f'ablations/gain-r18-guide-query{CITYSCAPES}': (None, 11939),
    f'ablations/gain-r18-semantic-query{CITYSCAPES}': (None, 11939),
    f'ablations/gain-r18-bilinear{CITYSCAPES}': (None, 11912),
    f'ablations/gain-r18-non-local{CITYSCAPES}': (None, 11955),
    f'ablations/gain-r18-flow-aligned{CITYSCAPES}': (None, 11954),
    f'ablations/gain-r18-no-context{CITYSCAPES}': (None, 11791),
    f'ablations/gain-r18-ppm{CITYSCAPES}': (None, 11841),
    f'ablations/gain-r18-no-fuse3x3{CITYSCAPES}': (None, 11808),
    f'ablations/gain-r18-stride8{CITYSCAPES}': (None, 11914),
    f'ablations/gain-r18-two-contexts{CITYSCAPES}': (None, 12120),
}


@pytest.mark.parametrize('path', COUNTS)
def test_parameters_of_the_recipes(path):
    """To the thousand, as they were written down."""
    whole, inference = COUNTS[path]
    with torch.device('meta'):
        model = build_model(load_config(f'gain/{path}'))
    auxiliary = getattr(model, 'auxiliary_head', None) or nn.Identity()
    assert round((count(model) - count(auxiliary)) / 1000) == inference
    if whole is not None:
        assert round(count(model) / 1000) == whole


@torch.no_grad()
def test_light_head_takes_the_features_of_in_index():
    head = GAINLightHead([8, 8], 16, num_classes=5, in_index=[-2, -1]).eval()
    features = [torch.randn(1, 8, 6, 7) for _ in range(3)]
    out = head([torch.zeros(1, 3, 12, 14), *features])
    assert out.shape == (1, 5, 6, 7)
    want = head.conv_seg(head.merge(torch.cat(features[1:], 1)))
    torch.testing.assert_close(out, want)


def small_network():
    config = load_config(f'gain/gain-r18{CITYSCAPES}')
    model = Config(dict(model=config.model)).model
    model.backbone.update(base_channels=8, stem_channels=16)
    model.neck.update(in_channels=[8, 16, 32, 64], channels=32)
    model.neck.context = dict(type='PyramidPoolingContext')
    model.decode_head.update(in_channels=[32] * 4, channels=32)
    model.auxiliary_head = None
    torch.manual_seed(0)
    model = build_model(Config(dict(model=model)))
    model.eval()
    for gai in model.neck.interpolations:
        gai.attention.gamma.data.fill_(0.5)
    return model


@pytest.mark.slow
def test_exports_with_dynamic_sizes(tmp_path):
    """ONNX of the whole network, also at other sizes than the export's."""
    onnxruntime = pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    model = small_network()
    path = str(tmp_path / 'gain.onnx')
    torch.onnx.export(
        model, (torch.randn(2, 3, 96, 160), ),
        path,
        dynamo=True,
        verbose=False,
        dynamic_shapes=({0: 'n', 2: 'h', 3: 'w'}, ),
        input_names=['inputs'],
        external_data=False)
    session = onnxruntime.InferenceSession(
        path, providers=['CPUExecutionProvider'])
    for shape in ((2, 3, 96, 160), (1, 3, 256, 384), (1, 3, 129, 223)):
        x = torch.randn(shape)
        got = torch.from_numpy(session.run(None, dict(inputs=x.numpy()))[0])
        with torch.no_grad():
            want = model(x)
        # rounding, some of it before a softmax without a scale
        assert (got - want).abs().max() < 1e-3 * want.abs().max()
