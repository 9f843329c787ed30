"""The count of operations against one by hand."""
import torch
import torch.nn.functional as F
from torch import nn

from rtseg_plugin.utils.multiply_adds import count_multiply_adds


class _Attention(nn.Module):
    """Fused attention behind a projection."""

    def __init__(self):
        super().__init__()
        self.value = nn.Linear(8, 6, bias=False)

    def forward(self, x):
        # (N, C, H, W) to (N, 1, H * W, C)
        x = x.flatten(2).transpose(1, 2)[:, None]
        few = x[..., :5, :]
        return F.scaled_dot_product_attention(x, few, self.value(few))


def test_fused_attention_counts():
    counter = count_multiply_adds(_Attention(), torch.rand(2, 8, 3, 4))
    # values, q k^T and weights v of 2 images, 12 queries, 5 keys
    assert counter.total() == 2 * (5 * 8 * 6 + 12 * 5 * 8 + 12 * 5 * 6)
    assert not counter.unsupported_ops()
