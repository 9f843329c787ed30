import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.runner.checkpoint import get_state_dict

from rtseg_plugin.models.distillation import teacher as teacher_module
from tests.builders import build_model, load_config, samples

SIZE = (64, 96)


def tiny_config():
    """SCTNet-S with the small teacher of the demo."""
    return load_config(
        'sctnet/sctnet-s_1xb4-demo_synthetic-street-256x512.py')


@pytest.fixture
def model():
    torch.manual_seed(0)
    result = build_model(tiny_config())
    result.init_weights()
    return result


def losses_of(model, seed=0):
    torch.manual_seed(seed)
    return model.loss(torch.randn(2, 3, *SIZE), samples(2, SIZE, 19))


def test_every_parameter_learns_and_the_teacher_does_not(model):
    model.train()
    losses = losses_of(model)
    assert [k for k in losses if k.startswith('align')] == [
        'align_decoder.loss_cwd', 'align_logits.loss_cwd',
        'align_stage4.loss_cwd', 'align_stage3.loss_cwd'
    ]
    total, _ = model.parse_losses(losses)
    want = sum(v for k, v in losses.items() if 'loss' in k)
    assert total.item() == pytest.approx(want.item(), rel=1e-6)
    total.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    teacher = model.teacher.network()
    assert not teacher.training
    assert not any(m.training for m in teacher.modules())
    for parameter in teacher.parameters():
        assert not parameter.requires_grad
        assert parameter.grad is None


def test_teacher_keeps_its_numbers(model):
    before = {k: v.clone()
              for k, v in model.teacher.network().state_dict().items()}
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        model.parse_losses(losses_of(model))[0].backward()
        optimizer.step()
    for key, value in model.teacher.network().state_dict().items():
        assert torch.equal(value, before[key]), key


def test_teacher_is_nowhere_in_the_student(model):
    teacher = model.teacher.network()
    ids = {id(m) for m in teacher.modules()}
    assert not any(id(m) in ids for m in model.modules())
    prefixes = {key.split('.')[0] for key in model.state_dict()}
    assert prefixes == {
        'backbone', 'decode_head', 'auxiliary_head', 'alignments'
    }
    assert set(get_state_dict(model)) == set(model.state_dict())
    # an EMA copy shares the frozen network instead of holding a second one
    average = copy.deepcopy(model)
    assert average.teacher.network() is teacher
    model.to(torch.float64)
    assert next(teacher.parameters()).dtype == torch.float32


def test_no_teacher_for_inference():
    cfg = tiny_config()
    cfg.model.teacher.checkpoint = 'no/such/file.pth'
    model = build_model(cfg)
    model.teacher.checkpoint = 'no/such/file.pth'
    model.eval()
    with torch.no_grad():
        model.predict(torch.randn(1, 3, *SIZE), samples(1, SIZE, 19))
        model(torch.randn(1, 3, *SIZE), mode='tensor')
    assert not model.teacher.is_built


def test_building_the_teacher_leaves_the_random_numbers_alone():
    model = build_model(tiny_config())
    torch.manual_seed(3)
    want = torch.randn(4)
    torch.manual_seed(3)
    model.teacher.network()
    assert torch.equal(torch.randn(4), want)


def test_missing_checkpoint_stops_the_run():
    model = build_model(tiny_config())
    model.teacher.checkpoint = 'no/such/file.pth'
    with pytest.raises(FileNotFoundError, match='no/such/file.pth'):
        model.init_weights()
    with pytest.raises(FileNotFoundError, match='no/such/file.pth'):
        losses_of(model)


def test_small_image_is_told_of_the_student(model):
    """Not by the teacher, whose pooling would fail first."""
    with pytest.raises(ValueError, match='SCTNet .* 32x32 .* got 16x16'):
        model.loss(torch.randn(2, 3, 16, 16), samples(2, (16, 16), 19))


def test_no_checkpoint_at_all():
    with pytest.raises(ValueError, match="'random'"):
        build_model(
            Config(
                dict(
                    model=dict(
                        tiny_config().model,
                        teacher=dict(config=dict(type='X'), checkpoint='')))),
            teacher=dict(checkpoint=''))


def test_mismatching_checkpoint_tells_path_and_counts(model, tmp_path):
    state = model.teacher.network().state_dict()
    path = str(tmp_path / 'other.pth')
    for name in list(state)[:7]:
        state[f'wrong.{name}'] = state.pop(name)
    torch.save(dict(state_dict=state), path)
    other = build_model(tiny_config())
    other.teacher.checkpoint = path
    with pytest.raises(RuntimeError) as error:
        other.init_weights()
    message = str(error.value)
    assert path in message
    assert '7 are missing' in message
    assert '7 unexpected' in message

    state = model.teacher.network().state_dict()
    state['decode_head.conv_seg.bias'] = torch.zeros(150)
    torch.save(dict(state_dict=state), path)
    with pytest.raises(RuntimeError, match=r'1 of another shape.*\(150,\)'):
        other.init_weights()


def test_what_only_trains_a_teacher_is_skipped(model, tmp_path):
    """Also of one that was distilled itself."""
    state = dict(model.teacher.network().state_dict())
    state['auxiliary_head.conv_seg.bias'] = torch.zeros(19)
    state['alignments.0.projection.bias'] = torch.zeros(64)
    torch.save(dict(state_dict=state), tmp_path / 'teacher.pth')
    other = build_model(tiny_config())
    other.teacher.checkpoint = str(tmp_path / 'teacher.pth')
    other.init_weights()


def test_a_teacher_that_was_distilled_itself(model, tmp_path):
    """By its own config, with the parts that only distilled it."""
    file = str(tmp_path / 'student.pth')
    torch.save(dict(state_dict=get_state_dict(model)), file)
    config = tiny_config()
    config.model.alignments = [
        dict(type='FeatureAlignment', name='logits', student='decode_head',
             teacher='decode_head', loss=dict(type='L2DistillationLoss'))]
    config.model.teacher = dict(config=tiny_config().model)
    other = build_model(config)
    other.teacher.checkpoint = file
    other.init_weights()
    want = model.backbone.state_dict()
    got = other.teacher.network().backbone.state_dict()
    assert all(torch.equal(got[key], want[key]) for key in want)


@pytest.mark.parametrize('change, message', [
    (dict(student='backbone.stage9'), r"no module 'backbone.stage9'.*stage1"),
    (dict(teacher='decode_head.fusion'), r'decode_head.fusion_conv'),
    (dict(student='backbone:7'), r'backbone:0 \(2, 128, 8, 12\)'),
    (dict(student='backbone'), r'backbone:3 \(2, 256, 2, 3\)'),
    (dict(student='decode_head.conv_seg:1'), 'gives one tensor'),
    (dict(student='decode_head'), 'did not run'),
    (dict(student='backbone[2]'), 'names no tensor'),
    (dict(out_channels=7), 'has 7 channels and the teacher 256'),
    (dict(in_channels=None), 'come together'),
])
def test_alignment_names_a_tensor_that_does_not_exist(change, message):
    cfg = tiny_config()
    cfg.model.alignments[1].update(change)
    with pytest.raises(ValueError, match=message):
        losses_of(build_model(cfg))


@pytest.mark.parametrize('student, teacher', [
    (dict(), dict(mean=[0.] * 3, std=[255.] * 3)),
    (dict(), dict(mean=[90., 100., 110.], std=[50., 60., 70.],
                  bgr_to_rgb=True)),
    (dict(mean=None, std=None), dict(mean=[1., 2., 3.], std=[4., 5., 6.])),
    (dict(bgr_to_rgb=False), dict()),
])
def test_teacher_gets_images_as_it_was_trained(student, teacher):
    """Whatever order and normalisation the student's have."""
    cfg = tiny_config()
    cfg.model.data_preprocessor.update(student, size=SIZE)
    cfg.model.teacher.config.data_preprocessor = dict(
        type='SegDataPreProcessor', size=SIZE, **teacher)
    model = build_model(cfg)
    images = torch.randint(
        0, 256, (1, 3, *SIZE), generator=torch.manual_seed(0)).float()

    def prepare(preprocessor):
        data = dict(inputs=list(images), data_samples=samples(1, SIZE, 19))
        return preprocessor(data, training=True)['inputs']

    taps = model._prepare_teacher()
    got = model.teacher.forward(prepare(model.data_preprocessor), taps)
    network = model.teacher.network()
    with torch.no_grad():
        want = network.extract_feat(prepare(network.data_preprocessor))
    torch.testing.assert_close(
        got['backbone:3'], want[3], rtol=1e-3, atol=1e-4)


def test_a_teacher_that_agrees_computes_nothing(model):
    cfg = tiny_config()
    cfg.model.teacher.config.data_preprocessor = cfg.model.data_preprocessor
    other = build_model(cfg)
    images = torch.randn(1, 3, *SIZE)
    got = other.teacher.forward(images, other._prepare_teacher())
    want = model.teacher.forward(images, model._prepare_teacher())
    assert all(torch.equal(got[name], want[name]) for name in want)


def test_two_alignments_of_one_name():
    cfg = tiny_config()
    cfg.model.alignments[2].name = cfg.model.alignments[1].name
    with pytest.raises(ValueError, match="'align_stage4.loss_cwd'.*lost"):
        losses_of(build_model(cfg))
    cfg.model.alignments[0].decoder[1].name = 'decoder'
    with pytest.raises(ValueError, match='two modules of a decoder'):
        build_model(cfg)


def test_modules_of_the_teacher_are_found_by_their_path(model, monkeypatch):
    """Without a list of all modules in every iteration."""
    network = model.teacher.network()
    head = network.decode_head
    monkeypatch.setattr(network, 'named_modules', None)
    assert model.teacher.module('decode_head.conv_seg') is head.conv_seg
    with pytest.raises(AttributeError, match='absent'):
        model.teacher.module('absent')


def test_teacher_given_as_the_path_of_a_config(model, tmp_path):
    state = model.teacher.network().state_dict()
    torch.save(dict(state_dict=state), tmp_path / 'teacher.pth')
    cfg = tiny_config()
    teacher = Config(
        dict(model=dict(cfg.model.teacher.config, train_cfg=dict())))
    teacher.dump(tmp_path / 'teacher.py')
    other = build_model(cfg)
    other.teacher.config = str(tmp_path / 'teacher.py')
    other.teacher.checkpoint = str(tmp_path / 'teacher.pth')
    torch.manual_seed(0)
    other.init_weights()
    assert torch.equal(other.teacher.network().decode_head.conv_seg.weight,
                       state['decode_head.conv_seg.weight'])


def test_only_the_shared_decoder_keeps_a_graph(model):
    """The teacher's own pass stores nothing for a backward pass."""
    taps = model._prepare_teacher()
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(
            lambda t: saved.append(t) or t, lambda t: t):
        target = model.teacher.forward(torch.randn(1, 3, *SIZE), taps)
    assert not saved
    for tensor in target.values():
        assert not tensor.requires_grad
        assert not tensor.is_inference()


def test_a_teacher_in_bfloat16_says_nearly_the_same(monkeypatch):
    monkeypatch.setattr(teacher_module, 'computes_in_bfloat16', lambda: True)
    results = []
    for precision in ('fp32', 'bf16'):
        torch.manual_seed(0)
        config = tiny_config()
        config.model.teacher.precision = precision
        model = build_model(config)
        model.init_weights()
        model.train()
        losses = losses_of(model)
        total, _ = model.parse_losses(losses)
        total.backward()  # nothing of the inference mode is in the graph
        results.append({
            k: v.detach() for k, v in losses.items() if k.startswith('align')
        })
    want, got = results
    for key, value in want.items():
        assert got[key].dtype == torch.float32
        torch.testing.assert_close(got[key], value, rtol=2e-2, atol=1e-3)
    assert any(not torch.equal(got[key], want[key]) for key in want)
    config.model.teacher.precision = 'int3'
    with pytest.raises(ValueError, match="is 'fp32' or 'bf16', got 'int3'"):
        build_model(config)


def test_losses_under_autocast_are_computed_in_float32(model):
    """log_softmax of bfloat16 would lose what tells two maps apart."""
    seen = []
    for module in model.alignments.modules():
        if type(module).__name__.endswith('Loss'):
            module.register_forward_pre_hook(
                lambda _, maps: seen.extend(x.dtype for x in maps))
    with torch.autocast('cpu', torch.bfloat16):
        losses_of(model)
    assert set(seen) == {torch.float32}


def _loss_and_gradients(**teacher):
    torch.manual_seed(0)
    cfg = tiny_config()
    cfg.model.teacher.update(teacher)
    model = build_model(cfg)
    model.init_weights()
    model.train()
    terms = losses_of(model)
    total, _ = model.parse_losses(terms)
    total.backward()
    gradient = torch.cat([p.grad.flatten() for p in model.parameters()])
    return terms, total.detach(), gradient


@pytest.mark.parametrize('options, tolerance', [
    (dict(channels_last=True), 1e-4),
    (dict(precision='bf16', channels_last=True), 2e-2),
])
def test_a_faster_teacher_teaches_the_same(options, tolerance, monkeypatch):
    """The loss to 1e-3, and what the student learns of it."""
    monkeypatch.setattr(teacher_module, 'computes_in_bfloat16', lambda: True)
    terms, want, gradient = _loss_and_gradients()
    others, got, other = _loss_and_gradients(**options)
    assert abs(got / want - 1) < 1e-3
    for name, value in terms.items():
        if name.startswith('align'):
            assert others[name].dtype == torch.float32
            assert others[name].item() == pytest.approx(
                value.item(), rel=tolerance)
            assert value > 0
    assert (other - gradient).norm() < tolerance * gradient.norm()


def test_a_processor_without_bfloat16_runs_the_teacher_in_float32(
        monkeypatch):
    monkeypatch.setattr(teacher_module, 'computes_in_bfloat16', lambda: False)
    _, want, _ = _loss_and_gradients()
    _, got, _ = _loss_and_gradients(precision='bf16')
    assert got == want
