"""The hard-example loss against the official codes of FANet and GAIN."""
import pytest
import torch

from rtseg_plugin.models.losses import HardExampleCrossEntropyLoss

from . import cases


def batch(case, margin):
    """Logits and labels as the case's ``how`` says."""
    tensors = cases.inputs(case)
    label = tensors['label_scores'].argmax(1)
    ignored = tensors['ignore_score'] > 1
    channel = label.masked_fill(ignored, 18).unsqueeze(1)
    scores = tensors['base'].scatter_add(
        1, channel, torch.full(channel.shape, margin))
    return scores, label.masked_fill(ignored, case['config']['ignore_index'])


@pytest.mark.parametrize('network, output, margin, arguments', [
    ('fanet', 'hard', 4., dict()),
    ('fanet', 'easy', 5.5, dict()),
    ('fanet', 'easy', 5.5, dict(min_kept_ratio=1 / 16)),
    ('gain', 'hard', 4., dict(min_kept_per_image=300)),
    ('gain', 'easy', 5.5, dict(min_kept_per_image=300)),
    ('gain', 'easy_past_valid', 5.5, dict(min_kept_per_image=3000)),
])
def test_ohem(network, output, margin, arguments):
    case = cases.load(network, 'ohem')
    scores, label = batch(case, margin)
    loss = HardExampleCrossEntropyLoss(**arguments)(
        scores, label, ignore_index=case['config']['ignore_index'])
    # one mean in float32: a few units in the last place
    cases.check(loss, case['outputs'][output], rtol=1e-6)
