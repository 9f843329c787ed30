"""What report counts, draws and refuses."""
import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from rtseg_plugin.apis import load_segmentor
from rtseg_plugin.utils.host_tools import resolve_config
from tests.builders import ROOT, run_tool, write_cityscapes

RECIPE = 'rtformer-slim_1xb4-demo_synthetic-street-256x512'
TOOL = 'analysis_tools/report.py'


@pytest.fixture(scope='module')
def tool():
    import importlib.util
    spec = importlib.util.spec_from_file_location('report',
                                                  ROOT / 'tools' / TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_counts_by_hand(tool):
    counts = tool.Counts(3, worst=1)
    truth = np.array([[0, 0, 1, 255]])
    counts.add(np.array([[.9, .5, .7, .2]]), np.array([[0, 1, 1, 2]]), truth,
               'a', 255)
    counts.add(np.array([[.9, .9, .9, .9]]), np.array([[0, 0, 1, 1]]), truth,
               'b', 255)
    np.testing.assert_array_equal(
        counts.matrix, [[3, 1, 0], [0, 2, 0], [0, 0, 0]])
    np.testing.assert_allclose(
        tool.class_iou(counts.matrix), [3 / 4, 2 / 3, np.nan])
    assert [image.path for image in counts.images] == ['a']
    assert counts.images[0].iou == pytest.approx(0.5)
    found = counts.calibration()
    # .9 four times, all right; .5 once, wrong; .7 once, right
    want = (4 * .1 + 1 * .5 + 1 * .3) / 6
    assert found['error'] == pytest.approx(want)
    assert sum(found['pixels']) == 6


def test_a_probability_of_one_is_in_the_last_bin(tool):
    counts = tool.Counts(2, worst=1)
    counts.add(np.ones((2, 2)), np.zeros((2, 2), int), np.zeros((2, 2), int),
               'a', 255)
    assert counts.bins[0, -1] == 4
    assert counts.calibration()['error'] == 0


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A data set, a checkpoint and the options that lead there."""
    root = tmp_path_factory.mktemp('report')
    write_cityscapes(root / 'data', train=1, val=3)
    torch.manual_seed(0)
    model = load_segmentor(RECIPE)
    checkpoint = root / 'net.pth'
    torch.save(dict(state_dict=model.state_dict()), checkpoint)
    options = [f'test_dataloader.dataset.data_root={root}/data',
               'test_dataloader.num_workers=0',
               'test_dataloader.persistent_workers=False']
    return SimpleNamespace(root=root, checkpoint=checkpoint, options=options)


def test_the_folder_agrees_with_the_metric_of_the_host(trained, tmp_path):
    result = run_tool(TOOL, RECIPE, trained.checkpoint, '--out',
                      tmp_path / 'out', '--device', 'cpu', '--worst', 2,
                      '--cfg-options', *trained.options)
    assert result.returncode == 0, result.stderr
    report = json.loads((tmp_path / 'out/report.json').read_text())
    cfg = Config.fromfile(resolve_config(RECIPE))
    cfg.merge_from_dict(dict(x.split('=') for x in trained.options[:1]))
    cfg.test_dataloader.update(num_workers=0, persistent_workers=False)
    cfg.merge_from_dict(dict(
        load_from=str(trained.checkpoint), work_dir=str(tmp_path / 'work')))
    cfg.visualizer.name = cfg.experiment_name = 'report'
    scores = Runner.from_cfg(cfg).test()
    assert report['miou'] == pytest.approx(scores['mIoU'], abs=0.006)
    assert report['accuracy'] == pytest.approx(scores['aAcc'], abs=0.006)
    assert report['images'] == 3
    assert len(report['worst']) == 2
    assert report['worst'][0]['iou'] <= report['worst'][1]['iou']
    assert len(report['iou']) == 19
    assert 'road' in report['iou']
    matrix = np.array(report['confusion_matrix'])
    assert matrix.sum() == sum(report['calibration']['pixels'])
    for name in ('confusion_matrix.png', 'worst.jpg', 'calibration.png'):
        assert cv2.imread(str(tmp_path / 'out' / name)).std() > 1
    text = (tmp_path / 'out/report.md').read_text()
    assert f'**mIoU {report["miou"]:.2f}**' in text


@pytest.mark.parametrize('change, message', [
    (dict(checkpoint='none.pth'), 'none.pth does not exist'),
    (dict(config='rtformer-slm'), 'no file and no recipe'),
    (dict(options=['test_dataloader.dataset.data_root=nowhere']),
     'nowhere'),
])
def test_what_is_refused(trained, tmp_path, change, message):
    said = dict(config=RECIPE, checkpoint=trained.checkpoint,
                options=trained.options)
    said.update(change)
    result = run_tool(TOOL, said['config'], said['checkpoint'], '--out',
                      tmp_path / 'out', '--device', 'cpu', '--cfg-options',
                      *said['options'])
    assert result.returncode == 1
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_refused(trained, tmp_path):
    result = run_tool(TOOL, RECIPE, trained.checkpoint, '--out', tmp_path)
    assert result.returncode == 1
    assert 'exists' in result.stderr
