"""From a rendered set to labels, by the commands alone."""
import json

import cv2
import numpy as np
import pytest

from tests.builders import run_tool

DEMO = 'sctnet-s_1xb4-demo_synthetic-street-256x512'
FRAMES = 6


def tool(script, *args):
    done = run_tool(script, *args)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def predict(clip, out, *model):
    """Labels of the clip's frames (T, H, W), and the report of the run."""
    said = tool('predict.py', clip, '--out', out, '--save', 'both', '--video',
                '--device', 'cpu', '--threads', 1, '--max-frames', FRAMES,
                '--model', *model)
    assert f'{FRAMES} frames, 0 of them bad' in said
    labels = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
              for path in sorted(out.glob('*_labels/*.png'))]
    report = json.loads(next(out.glob('*_latency.json')).read_text())
    film = cv2.VideoCapture(str(next(out.glob('*_overlay.mp4'))))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == len(labels) == FRAMES
    return np.stack(labels), report


@pytest.mark.slow
def test_train_export_predict(tmp_path):
    """The demo's recipe for two iterations, both exports, one clip."""
    for module in ('onnxruntime', 'onnxscript', 'nncf', 'av'):
        pytest.importorskip(module)
    data, work = tmp_path / 'data', tmp_path / 'work'
    tool('dataset_converters/synthetic_street.py', data, '--train', 2,
         '--val', 2, '--sequences', '--size', '128x256', '--jobs', 1)
    loaders = ('train_dataloader', 'val_dataloader', 'test_dataloader')
    tool('train.py', DEMO, '--work-dir', work, '--cfg-options',
         *(f'{loader}.{option}' for loader in loaders for option in (
             'num_workers=0', 'persistent_workers=False',
             f'dataset.data_root={data}')),
         'train_dataloader.batch_size=2', 'train_cfg.max_iters=2',
         'train_cfg.val_interval=2', 'model.teacher.checkpoint=random',
         # labels of random weights would be one class
         'load_from=rtseg_plugin://sctnet-s-street')
    trained = work / f'{DEMO}.py', work / 'iter_2.pth'
    tool('deployment/export.py', *trained, '--out', tmp_path / 'fp32')
    tool('deployment/export.py', *trained, '--out', tmp_path / 'int8',
         '--format', 'openvino', '--precision', 'int8', '--max-drop', 100)
    clip = next((data / 'leftImg8bit_sequence/val').iterdir())
    model, checkpoint = trained
    want, _ = predict(clip, tmp_path / 'a', model, '--checkpoint', checkpoint)
    assert want.shape == (FRAMES, 128, 256)
    assert len(np.unique(want)) > 4
    got, report = predict(clip, tmp_path / 'b', tmp_path / 'fp32')
    assert report['backend'] == 'onnx'
    # where two classes are all but equal, rounding decides
    assert (got != want).mean() < 1e-3
    got, report = predict(clip, tmp_path / 'c', tmp_path / 'int8')
    assert (report['backend'], report['precision']) == ('openvino', 'int8')
    assert (got != want).mean() < 0.2  # test_learnt.py judges its accuracy
    metadata = json.loads((tmp_path / 'int8/metadata.json').read_text())
    assert metadata['int8']['calibrated_on'] == 'training images'
    assert metadata['int8']['accuracy']['images'] == 2
