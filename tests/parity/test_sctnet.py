"""SCTNet against the official implementation, through the real converter.

Float32 and float64 runs of the official code agree to 3e-6 on tensors and
6e-6 on scalars, so 1e-5 is the tolerance.
"""
import pytest
import torch
from mmengine.registry import init_default_scope
from mmseg.apis import init_model
from mmseg.registry import MODELS

from rtseg_plugin.utils.key_maps.sctnet import cfblock_rules
from rtseg_plugin.utils.official_weights import convert_state_dict
from tests.builders import CONFIGS, build_model, load_config, run_tool, samples
from tests.parity import cases

RTOL = 1e-5
S_CONFIG = CONFIGS / 'sctnet/sctnet-s-seg50_2xb8-160k_cityscapes-512x1024.py'


def convert(src, dst, *args):
    return run_tool('model_converters/sctnet2mmseg.py', src, dst, *args)


@pytest.fixture(scope='module')
def official(tmp_path_factory):
    """An official training file: teacher, projections and auxiliary head."""
    siam = cases.load('sctnet', 'siam-s')
    state = cases.state(siam)
    state.update(cases.state(cases.load('sctnet', 'sctnet-s')))
    path = tmp_path_factory.mktemp('official') / 'SCTNet-S.pth'
    torch.save(
        dict(
            meta=dict(iter=160000),
            state_dict={f'module.{k}': v for k, v in state.items()}), path)
    return path


def test_network_through_converter(official, tmp_path):
    result = convert(official, tmp_path / 'student.pth')
    assert result.returncode == 0, result.stderr
    assert '258 mapped' in result.stdout
    cfg = load_config(S_CONFIG)
    model = init_model(cfg, str(tmp_path / 'student.pth'), device='cpu')
    case = cases.load('sctnet', 'sctnet-s')
    with torch.no_grad():
        x_out, x2, x3, x5 = model.backbone(cases.inputs(case)['image'])
        logits = model.decode_head([x_out])
    for name, tensor in dict(
            x_out=x_out, x2=x2, x3=x3, x5=x5, logits=logits).items():
        cases.check(tensor, case['outputs'][name], RTOL)


def test_cfblock():
    case = cases.load('sctnet', 'cfblock')
    block = MODELS.build(dict(type='CFBlock', channels=64)).eval()
    block.load_state_dict(
        convert_state_dict(cases.state(case), cfblock_rules()).state_dict)
    x = cases.inputs(case)['x']
    with torch.no_grad():
        cases.check(block.attn(x), case['outputs']['attention'], RTOL)
        cases.check(block(x), case['outputs']['y'], RTOL)


def test_training_branch_through_loss(official, tmp_path):
    """Terms, total and gradients of the alignment, by ``model.loss``."""
    for keep in ('teacher', 'training'):
        result = convert(official, tmp_path / f'{keep}.pth', '--keep', keep)
        assert result.returncode == 0, result.stderr
    init_default_scope('mmseg')
    cfg = load_config(S_CONFIG)
    model = build_model(cfg).eval()
    model.teacher.checkpoint = str(tmp_path / 'teacher.pth')
    state = torch.load(tmp_path / 'training.pth')['state_dict']
    missing, unexpected = model.load_state_dict(state, strict=False)
    # the case lacks the auxiliary head, as an official file may
    assert {k.split('.')[0] for k in missing} == {'auxiliary_head'}
    assert not unexpected

    case = cases.load('sctnet', 'siam-s')
    image = cases.inputs(case)['image']
    losses = model.loss(image, samples(2, (128, 128), 19))
    terms = {k: v for k, v in losses.items() if k.startswith('align')}
    scalars = case['scalars']
    weights = dict(logits=3, decoder=15, stage4=15, stage3=15)
    assert len(terms) == len(weights)
    for name, weight in weights.items():
        want = weight * scalars[f'cwd_{name}']
        got = terms[f'align_{name}.loss_cwd'].item()
        assert got == pytest.approx(want, rel=RTOL)
    total = sum(terms.values())
    assert total.item() == pytest.approx(scalars['total'], rel=RTOL)

    total.backward()
    ours = {
        'backbone.conv1.0.weight':
        model.backbone.stem[0][0].conv.weight,
        'backbone.layer4.attn_l.kv':
        model.backbone.stage4_former1.attn.kernels[0],
        'auxiliary_head.1.convstage4.weight':
        model.alignments[1].projection.weight,
    }
    for name, parameter in ours.items():
        cases.check(parameter.grad, case['outputs'][f'grad:{name}'], RTOL)


def test_teacher_is_a_stock_segformer(official, tmp_path):
    """``--keep teacher`` loads into stock modules and gives their numbers."""
    convert(official, tmp_path / 'teacher.pth', '--keep', 'teacher')
    cfg = load_config(S_CONFIG)
    model = build_model(cfg.model.teacher.config)
    state = torch.load(tmp_path / 'teacher.pth')['state_dict']
    model.load_state_dict(state, strict=True)
    case = cases.load('sctnet', 'siam-s')
    with torch.no_grad():
        logits = model.eval()(cases.inputs(case)['image'], mode='tensor')
    cases.check(logits, case['outputs']['teacher_logits'], RTOL)


def test_cwd_loss():
    case = cases.load('sctnet', 'cwd-loss')
    loss = MODELS.build(dict(type='ChannelWiseDistillationLoss'))
    tensors = cases.inputs(case)
    student = tensors['student'].requires_grad_()
    value = loss(student, tensors['teacher'])
    assert value.item() == pytest.approx(case['scalars']['cwd'], rel=RTOL)
    value.backward()
    cases.check(student.grad, case['outputs']['grad:student'], RTOL)


@pytest.mark.parametrize('wrapper', ['model', 'model_state', None])
def test_converter_takes_wrappers_and_bare_backbones(wrapper, tmp_path):
    state = cases.state(cases.load('sctnet', 'sctnet-s'))
    if wrapper is None:  # an ImageNet file: the backbone without a prefix
        state = {
            k[9:]: v
            for k, v in state.items() if k.startswith('backbone.')
        }
    torch.save({wrapper: state} if wrapper else state, tmp_path / 'src.pth')
    result = convert(tmp_path / 'src.pth', tmp_path / 'dst.pth')
    assert result.returncode == 0, result.stderr
    loaded = torch.load(tmp_path / 'dst.pth')['state_dict']
    backbone = MODELS.build(dict(type='SCTNet'))
    backbone.load_state_dict({
        k[9:]: v
        for k, v in loaded.items() if k.startswith('backbone.')
    })


def test_converter_refuses(official, tmp_path):
    foreign = tmp_path / 'foreign.pth'
    torch.save({'layer1.0.weight': torch.zeros(1)}, foreign)
    cut = tmp_path / 'cut.pth'
    cut.write_bytes(official.read_bytes()[:5000])
    empty = tmp_path / 'empty.pth'
    empty.touch()
    for src, message in ((foreign, 'cannot be placed'), (cut, 'cut off'),
                         (empty, '0 bytes'),
                         (tmp_path / 'none.pth', 'does not exist')):
        result = convert(src, tmp_path / 'dst.pth')
        assert result.returncode == 1
        assert message in result.stderr
    assert not (tmp_path / 'dst.pth').exists()
    assert not list(tmp_path.glob('*.partial'))

    (tmp_path / 'dst.pth').write_text('precious')
    result = convert(official, tmp_path / 'dst.pth')
    assert result.returncode == 1
    assert '--force' in result.stderr
    assert (tmp_path / 'dst.pth').read_text() == 'precious'
