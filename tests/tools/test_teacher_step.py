"""What a teacher costs in a step; no time is asserted."""
import json

import pytest

from rtseg_plugin.models.distillation import teacher
from tests.builders import run_tool

DEMO = 'sctnet-s_1xb4-demo_synthetic-street-256x512'


@pytest.mark.slow
def test_both_forms_have_one_loss(tmp_path, monkeypatch):
    monkeypatch.setattr(teacher, 'computes_in_bfloat16', lambda: True)
    done = run_tool(
        'analysis_tools/teacher_step.py', DEMO, '--shape', 64, 128,
        '--precision', 'bf16', '--rounds', 1, '--threads', 1, '--out',
        tmp_path / 'step.json')
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / 'step.json').read_text())
    # the loss, whose teacher's terms are small at the beginning
    assert 0 < result['loss_difference'] < 1e-3
    assert min(result['mebibytes'].values()) > 0
    assert min(result['seconds'].values()) > 0
    assert 'of the plain one' in done.stdout


def test_a_student_without_a_teacher():
    done = run_tool(
        'analysis_tools/teacher_step.py',
        'sctnet-s-plain_1xb8-1k_synthetic-street-256x512')
    assert done.returncode == 1
    assert 'has no teacher' in done.stderr
