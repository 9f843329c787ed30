"""A student that overtakes its teacher is told so."""
from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import HistoryBuffer

from rtseg_plugin.engine import TeacherScoreHook
from rtseg_plugin.engine.hooks import teacher_score_hook
from rtseg_plugin.models.distillation.teacher import Teacher
from tests.builders import build_model, load_config


@pytest.fixture
def warnings_of(monkeypatch):
    def call(model, miou):
        seen = []
        monkeypatch.setattr(teacher_score_hook, 'print_log',
                            lambda text, **kwargs: seen.append(text))
        TeacherScoreHook().after_val_epoch(
            SimpleNamespace(model=model), dict(mIoU=miou))
        return seen

    return call


def test_compares_with_the_teachers_last_validation(tmp_path, warnings_of):
    config = load_config(
        'sctnet/segformer_mit-b0_1xb12-demo_synthetic-street-128x256.py')
    history = HistoryBuffer([5., 19.9], [1, 1])
    path = tmp_path / 'teacher.pth'
    torch.save(
        dict(state_dict=build_model(config).state_dict(),
             message_hub=dict(log_scalars={
                 'val/mIoU': history,
                 'train/loss': history
             })), path)
    teacher = Teacher(config.model.to_dict(), str(path))
    model = SimpleNamespace(teacher=teacher)
    assert teacher.scores == {}
    teacher.network()
    assert teacher.scores == pytest.approx(dict(mIoU=19.9))
    assert not warnings_of(model, 19.)
    text, = warnings_of(model, 24.4)
    assert 'student (24.40 mIoU)' in text
    assert 'teacher (19.90' in text


def test_silent_without_a_teacher_or_its_figure(warnings_of):
    assert not warnings_of(SimpleNamespace(), 50.)
    teacher = SimpleNamespace(scores={})
    assert not warnings_of(SimpleNamespace(teacher=teacher), 50.)
