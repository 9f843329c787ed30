"""What the demos read from the output of the commands they run."""
import importlib
import os
import sys

import pytest

from tests.builders import ROOT

OUTPUT = """\
11/21 10:35:40 - mmengine - INFO - per class results:
11/21 10:35:40 - mmengine - INFO -
+-------+-------+-------+
| Class |  IoU  |  Acc  |
+-------+-------+-------+
|  road | 75.41 | 92.77 |
|  wall |  nan  |  nan  |
+-------+-------+-------+
11/21 10:35:40 - mmengine - INFO - mTC: 70.50, mIoU of the same frames: 14.00
lowest mTC of 2 videos:
+-------+--------+------+-------+
| video | frames | mIoU |  mTC  |
+-------+--------+------+-------+
|  a/b  |   20   | 9.10 | 60.00 |
+-------+--------+------+-------+
11/21 10:35:40 - mmengine - INFO - Iter(test) [70/80]    eta: 0:00:01
11/21 10:35:40 - mmengine - INFO - Iter(test) [80/80]    aAcc: 66.6500  mIoU: \
14.7700  mAcc: 22.5200  mTC: 70.5000  mVC8: nan  mVC8_strict: 31.0000  \
data_time: 0.0043  time: 0.0662
"""


@pytest.fixture
def demo(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools/misc'))
    yield importlib.import_module('_demo')
    sys.modules.pop('_demo')


def test_metrics_of_a_test(demo, monkeypatch, tmp_path):
    commands = []
    monkeypatch.setattr(
        demo, 'call', lambda title, *command, log: commands.append(command)
        or OUTPUT)
    found = demo.test('some-config', 'x.pth', tmp_path, 'data/street',
                      'model.neck=None', log=tmp_path / 'log.txt')
    assert found['mIoU'] == 14.77
    assert found['mTC'] == 70.5
    assert found['mVC8'] != found['mVC8']
    assert found['mVC8_strict'] == 31
    assert found['table'].splitlines()[3] == '|  road | 75.41 | 92.77 |'
    assert 'a/b' not in found['table']
    assert 'test_dataloader.dataset.data_root=data/street/' in commands[0]
    assert commands[0][-1] == 'model.neck=None'


def test_training_goes_on_and_is_not_done_twice(demo, monkeypatch, tmp_path):
    commands, work_dir = [], tmp_path / 'work'
    start = tmp_path / 'start.pth'
    start.write_text('first')

    def call(title, *command, log):
        commands.append(command)
        (work_dir / 'last_checkpoint').write_text('iter_7.pth')

    monkeypatch.setattr(demo, 'call', call)

    def train(iterations=7):
        return demo.train('some-config', work_dir, 'data/street',
                          f'load_from={start}', log=tmp_path / 'log.txt',
                          iterations=iterations)

    assert str(train()) == 'iter_7.pth'
    assert '--resume' not in commands[0]
    assert 'train_cfg.max_iters=7' in commands[0]
    (work_dir / 'finished').unlink()  # as if it had been stopped
    train()
    assert '--resume' in commands[1]
    train()
    assert len(commands) == 2
    # other settings, or another start, are another training
    train(iterations=8)
    assert '--resume' not in commands[2]
    os.utime(start, (0, 0))
    train(iterations=8)
    assert '--resume' not in commands[3]
    train(iterations=8)
    assert len(commands) == 4
    # somebody's own training is left alone
    (work_dir / 'settings.json').unlink()
    with pytest.raises(SystemExit, match='is not from this demo'):
        train(iterations=8)
    assert (work_dir / 'last_checkpoint').exists()


def test_a_failing_command_ends_the_demo(demo, tmp_path, capsys):
    with pytest.raises(SystemExit, match='failed, see'):
        demo.call('break', sys.executable, '-c',
                  'print("before"); raise SystemExit(3)',
                  log=tmp_path / 'log.txt')
    assert 'before' in capsys.readouterr().out
    assert (tmp_path / 'log.txt').read_text() == 'before\n'
