"""Options that the backbones share with the host's ResNet."""
import pytest
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from rtseg_plugin.models.backbones import DFNet, FANetResNet, GAINResNet

GAIN = dict(base_channels=8, stem_channels=8)
RESNETS = [(GAINResNet, GAIN), (FANetResNet, dict(base_channels=8))]
DF = (DFNet, dict(out_indices=(1, )))


@pytest.mark.parametrize('kind, config', RESNETS)
def test_frozen_stages_do_not_train(kind, config):
    backbone = kind(frozen_stages=1, **config).train()
    trained = {name.partition('.')[0]
               for name, parameter in backbone.named_parameters()
               if parameter.requires_grad}
    assert trained == {'layer2', 'layer3', 'layer4'}
    before = {name: value.clone() for name, value in backbone.named_buffers()}
    sum(out.mean() for out in backbone(torch.randn(2, 3, 128, 128))).backward()
    drifting = {name.partition('.')[0]
                for name, value in backbone.named_buffers()
                if not torch.equal(value, before[name])}
    assert drifting == trained


@pytest.mark.parametrize('kind, config', [*RESNETS, DF])
def test_norms_keep_their_statistics(kind, config):
    backbone = kind(norm_eval=True, **config).train()
    before = {name: value.clone() for name, value in backbone.named_buffers()}
    sum(out.mean() for out in backbone(torch.randn(2, 3, 128, 128))).backward()
    for name, value in backbone.named_buffers():
        assert torch.equal(value, before[name]), name
    # and are trained all the same
    norms = [m for m in backbone.modules() if isinstance(m, _BatchNorm)]
    assert norms
    assert all(norm.weight.grad is not None for norm in norms)


@pytest.mark.parametrize('kind, config', [RESNETS[0], DF])
def test_recomputed_blocks_have_the_same_gradients(kind, config, monkeypatch):
    from mmseg.models.backbones import resnet
    calls, checkpoint = [], resnet.cp.checkpoint

    def counted(function, *args, **kwargs):
        calls.append(function)
        return checkpoint(function, *args, **kwargs)

    monkeypatch.setattr(resnet.cp, 'checkpoint', counted)
    torch.manual_seed(0)
    image = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    plain = kind(**config).double().train()
    recomputed = kind(with_cp=True, **config).double().train()
    recomputed.load_state_dict(plain.state_dict())
    for backbone in (plain, recomputed):
        # not a mean, whose gradient through a norm is none
        sum(out.square().mean() for out in backbone(image)).backward()
    assert calls
    for (name, want), got in zip(
            plain.named_parameters(), recomputed.parameters()):
        torch.testing.assert_close(got.grad, want.grad, msg=name)
