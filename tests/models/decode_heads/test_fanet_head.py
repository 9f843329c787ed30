import pytest
import torch

from rtseg_plugin.models.decode_heads import FANetAuxiliaryHead, FANetHead


def test_head():
    head = FANetHead(num_classes=19).eval()
    # measured on the official network
    assert sum(p.numel() for p in head.parameters()) == 595200
    inputs = [
        torch.randn(1, 128, 16, 31),
        torch.randn(1, 128, 4, 8),
        torch.randn(1, 512, 2, 4)
    ]
    assert head(inputs).shape == (1, 19, 16, 31)
    assert head.align_corners


@pytest.mark.parametrize('arguments, index, size', [
    (dict(in_index=0), 0, (8, 8)),
    (dict(in_channels=32, in_index=1, smooth_channels=16), 1, (4, 4)),
])
def test_auxiliary_head(arguments, index, size):
    arguments = dict(dict(in_channels=16), **arguments)
    head = FANetAuxiliaryHead(num_classes=5, channels=8, **arguments)
    inputs = [torch.randn(2, 16, 8, 8), torch.randn(2, 32, 4, 4)]
    out = head(inputs)
    assert out.shape == (2, 5, *size)
    out.sum().backward()
    assert all(p.grad is not None for p in head.parameters())
    assert 'conv_seg.bias' not in head.state_dict()


def test_wrong_number_of_features():
    with pytest.raises(ValueError, match='takes two features'):
        FANetHead(
            in_channels=(8, 8, 8), in_index=(0, 1, 2), num_classes=19)
