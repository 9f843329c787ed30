"""Scripts that delegate to the host's or take the place of one."""
import importlib.util
import json
import os
import re
import shutil
import subprocess
from hashlib import sha256

import cv2
import numpy as np
import pytest
import torch
from matplotlib import pyplot
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from rtseg_plugin.utils.host_tools import resolve_config
from tests.builders import ROOT, run_tool, write_cityscapes
from tests.tools.test_video_tools import load_tool

DEMO = 'sctnet-s_1xb4-demo_synthetic-street-256x512'
TOOLS = ROOT / 'tools'
SCRIPTS = sorted(
    p.relative_to(TOOLS).as_posix() for p in TOOLS.rglob('*.py')
    if "if __name__ == '__main__'" in p.read_text())


@pytest.mark.parametrize('script', SCRIPTS)
def test_every_script_starts(script):
    if 'analyze_logs' in script:
        pytest.importorskip('seaborn')
    result = run_tool(script, '--help')
    assert result.returncode == 0, result.stderr
    assert 'usage:' in result.stdout


def test_analyze_logs_takes_no_config(tmp_path):
    pytest.importorskip('seaborn')
    log = tmp_path / 'scalars.json'
    lines = [
        dict(loss=2.0, iter=10, step=10),
        dict(loss=1.0, iter=20, step=20),
        dict(mIoU=30.0, step=20),
        dict(loss=0.5, iter=30, step=30),
        dict(mIoU=40.0, step=40),
    ]
    log.write_text('\n'.join(map(json.dumps, lines)))
    for key in ('loss', 'mIoU'):
        out = tmp_path / f'{key}.png'
        result = run_tool('analysis_tools/analyze_logs.py', log, '--keys',
                          key, '--out', out, '--backend', 'Agg')
        assert result.returncode == 0, result.stderr
        assert cv2.imread(str(out)).std() > 0
    # named as what it is, not as a config
    result = run_tool('analysis_tools/analyze_logs.py', 'absent.json')
    assert result.returncode == 1
    assert re.search('error: FileNotFoundError: .*absent.json',
                     result.stderr.splitlines()[-1])


def test_a_failed_training_says_its_cause_last(tmp_path):
    (tmp_path / 'leftImg8bit' / 'train').mkdir(parents=True)
    result = run_tool(
        'train.py', DEMO, '--work-dir', tmp_path / 'work', '--cfg-options',
        f'train_dataloader.dataset.data_root={tmp_path}',
        'train_dataloader.num_workers=0',
        'train_dataloader.persistent_workers=False',
        'model.teacher.checkpoint=random')
    assert result.returncode == 1
    assert 'Traceback' in result.stderr
    assert result.stderr.splitlines()[-1].startswith(
        'error: train_dataloader.dataset is empty: there is no image *')


def test_analyze_logs_without_seaborn(monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, 'find_spec',
        lambda name, *args: None if name == 'seaborn' else find_spec(
            name, *args))
    result = run_tool('analysis_tools/analyze_logs.py', 'scalars.json')
    assert result.returncode == 1
    assert "pip install 'rtseg_plugin[optional]'" in result.stderr


def test_publish_a_checkpoint_of_the_runner(tmp_path):
    hub = MessageHub.get_instance('test_publish')
    hub.update_scalar('train/loss', 0.5)
    source = tmp_path / 'iter_2.pth'
    state_dict = {'conv.weight': torch.randn(2, 3)}
    torch.save(
        dict(
            meta=dict(iter=2, dataset_meta=dict(classes=('a', 'b'))),
            state_dict=state_dict,
            optimizer=dict(state={0: torch.zeros(1000)}),
            message_hub=hub.state_dict()), source)
    with pytest.raises(Exception, match='[Ww]eights.only'):
        torch.load(source)
    # a stem of letters that also stand in '.pth'
    result = run_tool('misc/publish_model.py', source, tmp_path / 'depth.pth')
    assert result.returncode == 0, result.stderr
    assert source.is_file()
    written = [p for p in tmp_path.iterdir() if p != source]
    assert len(written) == 1
    match = re.fullmatch(r'depth-([0-9a-f]{8})\.pth', written[0].name)
    digest = sha256(written[0].read_bytes()).hexdigest()
    assert match[1] == digest[:8]
    published = torch.load(written[0], weights_only=True)
    assert set(published) == {'meta', 'state_dict'}
    assert published['meta']['dataset_meta'] == dict(classes=('a', 'b'))
    assert torch.equal(published['state_dict']['conv.weight'],
                       state_dict['conv.weight'])


def test_publish_what_is_no_checkpoint(tmp_path):
    result = run_tool('misc/publish_model.py', tmp_path / 'none.pth', 'x.pth')
    assert result.returncode == 1
    assert 'none.pth does not exist' in result.stderr
    torch.save(dict(weight=torch.ones(1)), tmp_path / 'bare.pth')
    result = run_tool('misc/publish_model.py', tmp_path / 'bare.pth',
                      tmp_path / 'x.pth')
    assert result.returncode == 1
    assert "has no 'state_dict', only ['weight']" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ['bare.pth']


class Labelled(list):
    """Label maps as a data set of 19 or 150 classes gives them."""

    ignore_index = 255

    def __init__(self, labels, classes, reduce_zero_label):
        super().__init__(
            dict(data_samples=SegDataSample(
                gt_sem_seg=PixelData(data=torch.from_numpy(label)[None])))
            for label in labels)
        self.METAINFO = dict(classes=tuple(map(str, range(classes))))
        self.reduce_zero_label = reduce_zero_label


@pytest.mark.parametrize('classes, reduced', [(19, False), (150, True)])
def test_confusion_matrix_of_many_classes(classes, reduced):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, (3, 24, 32), np.uint8)
    labels[:, :4] = 255
    predictions = rng.integers(0, classes, (3, 24, 32), np.uint8)
    want = np.zeros((classes, classes), int)
    for true, predicted in zip(labels.ravel(), predictions.ravel()):
        if true != 255:
            want[true, predicted] += 1
    dataset = Labelled(labels, classes, reduced)
    tool = load_tool('confusion_matrix')
    # the metric writes reduced classes plus 1, as they lie on disk
    written = list(predictions + np.uint8(reduced))
    got = tool.calculate_confusion_matrix(dataset, written)
    np.testing.assert_array_equal(got, want)
    with pytest.raises(SystemExit, match='2 predictions, .* 3 images'):
        tool.calculate_confusion_matrix(dataset, written[:2])


@pytest.mark.slow
def test_confusion_matrix_is_drawn(tmp_path, monkeypatch):
    """From files on disk, by the bare name of a recipe."""
    write_cityscapes(tmp_path / 'data', train=1, val=2)
    (tmp_path / 'predictions').mkdir()
    for path in (tmp_path / 'data' / 'gtFine' / 'val').rglob('*.png'):
        shutil.copy2(path, tmp_path / 'predictions')
    save = pyplot.savefig
    monkeypatch.setattr(  # 300 dpi take long
        pyplot, 'savefig', lambda path, **kwargs: save(path, dpi=20))
    pyplot.switch_backend('Agg')
    result = run_tool(
        'analysis_tools/confusion_matrix.py', DEMO, tmp_path / 'predictions',
        tmp_path / 'out', '--cfg-options',
        f'test_dataloader.dataset.data_root={tmp_path}/data')
    texts = [text.get_text() for text in pyplot.gca().texts]
    pyplot.close('all')
    assert result.returncode == 0, result.stderr
    assert (tmp_path / 'out' / 'confusion_matrix.png').stat().st_size > 0
    # row after row; the predictions are the labels, absent classes say -1
    assert len(texts) == 19 * 19
    assert '100.0%' in texts[::20]
    assert set(texts[::20]) <= {'100.0%', '-1%'}
    assert set(np.delete(texts, np.s_[::20])) <= {'0.0%', '-1%'}


def test_print_config_by_bare_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the host's script writes there
    result = run_tool('misc/print_config.py', DEMO, '--cfg-options',
                      'train_cfg.max_iters=7')
    assert result.returncode == 0, result.stderr
    assert 'DistilledEncoderDecoder' in result.stdout
    dumped = Config.fromfile(tmp_path / 'example.py')
    assert dumped.model == Config.fromfile(resolve_config(DEMO)).model
    assert dumped.train_cfg.max_iters == 7


@pytest.mark.skipif(shutil.which('bash') is None, reason='no bash')
@pytest.mark.parametrize('script, args, want', [
    ('dist_train.sh', ['c.py', '2', '--amp'],
     'torchrun .*--nproc_per_node=2 .* {}/train.py c.py --launcher pytorch '
     '--amp'),
    ('dist_test.sh', ['c.py', 'w.pth', '2', '--tta'],
     'torchrun .*--nproc_per_node=2 .* {}/test.py c.py w.pth '
     '--launcher pytorch --tta'),
    ('slurm_train.sh', ['part', 'job', 'c.py', '--amp'],
     'srun -p part --job-name=job .* {}/train.py c.py --launcher=slurm --amp'),
    ('slurm_test.sh', ['part', 'job', 'c.py', 'w.pth', '--tta'],
     'srun -p part --job-name=job .* {}/test.py c.py w.pth --launcher=slurm '
     '--tta'),
])
def test_shell_scripts(tmp_path, script, args, want):
    """What they call, with the launchers replaced by an echo; anywhere."""
    for name in ('torchrun', 'srun'):
        (tmp_path / name).write_text('#!/bin/sh\necho "${0##*/} $*"\n')
        (tmp_path / name).chmod(0o755)
    result = subprocess.run(
        ['bash', str(TOOLS / script), *args],
        env=dict(os.environ, PATH=f'{tmp_path}:{os.environ["PATH"]}'),
        cwd=tmp_path,
        capture_output=True,
        text=True)
    assert result.returncode == 0, result.stderr
    assert re.fullmatch(
        want.format(re.escape(str(TOOLS))), result.stdout.strip())


def test_no_shell_script_is_forgotten():
    assert sorted(p.name for p in TOOLS.rglob('*.sh')) == [
        'dist_test.sh', 'dist_train.sh', 'slurm_test.sh', 'slurm_train.sh']
