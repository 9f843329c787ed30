"""Video metrics on clips whose figures are known."""
import copy
import json

import cv2
import mmcv
import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope
from mmengine.structures import PixelData
from mmseg.evaluation import IoUMetric
from mmseg.structures import SegDataSample
from PIL import Image

from rtseg_plugin.evaluation import (
    ClipIoUMetric,
    FloFiles,
    StrictVideoConsistency,
    TemporalConsistency,
    VideoConsistency,
    WorkSizeIoUMetric,
)
from rtseg_plugin.evaluation.metrics import video_metric
from rtseg_plugin.evaluation.optical_flow import warp_labels

META = dict(classes=('a', 'b', 'c'))


class _GivenFlow:
    """The same flow for each pair."""

    name = 'given'
    needs_images = False

    def __init__(self, x=0., y=0.):
        self.vector = np.float32([x, y])
        self.shape = None

    def __call__(self, this, other):
        return np.broadcast_to(self.vector, (*self.shape, 2)).copy()


def _frames(preds, truths=None, video='v', first=0, images=None):
    """One data sample per frame, as a network of single frames gives them."""
    for index, pred in enumerate(preds):
        sample = SegDataSample()
        sample.set_metainfo(
            dict(
                video_id=video,
                frame_id=first + index,
                frame_ids=[first + index],
                img_path=f'{video}/{first + index}.png',
                img_paths=[f'{video}/{first + index}.png'],
                img_shape=np.shape(pred)))
        sample.pred_sem_seg = PixelData(data=torch.as_tensor(pred)[None])
        if truths is not None and truths[index] is not None:
            sample.gt_sem_seg = PixelData(
                data=torch.as_tensor(truths[index]).long()[None])
        image = torch.zeros(1, 3, 4, 4)
        if images is not None:
            image = torch.from_numpy(images[index].transpose(2, 0, 1))[None]
        yield dict(inputs=[image]), sample


def _clip(preds, truths=None, video='v', first=0, labelled=None):
    """One data sample for all frames."""
    sample = SegDataSample()
    ids = list(range(first, first + len(preds)))
    paths = [f'{video}/{i}.png' for i in ids]
    sample.set_metainfo(
        dict(
            video_id=video,
            frame_id=ids[-1],
            frame_ids=ids,
            img_path=paths[-1],
            img_paths=paths,
            img_shape=np.shape(preds)[1:]))
    if labelled is not None:
        sample.set_metainfo(dict(labelled=labelled))
    preds = torch.as_tensor(np.asarray(preds))
    sample.pred_sem_seg = PixelData(data=preds[-1:])
    sample.set_data(dict(clip_pred_sem_seg=PixelData(data=preds)))
    if truths is not None:
        truths = torch.as_tensor(np.asarray(truths)).long()
        sample.set_data(dict(clip_gt_sem_seg=PixelData(data=truths)))
        sample.gt_sem_seg = PixelData(data=truths[-1:])
    yield dict(inputs=[torch.zeros(len(ids), 3, 4, 4)]), sample


def _run(metric, *videos):
    metric.dataset_meta = META
    count = 0
    for video in videos:
        for batch, sample in video:
            if isinstance(getattr(metric, 'flow', None), _GivenFlow):
                metric.flow.shape = sample.pred_sem_seg.shape
            metric.process(batch, [sample.to_dict()])
            count += 1
    return metric.evaluate(count)


def test_temporal_consistency_by_hand():
    preds = np.array([[[0, 0, 1, 1]], [[0, 1, 1, 1]]])
    flow = _GivenFlow()
    # a: 1 of 2, b: 2 of 3
    expected = 100 * (1 / 2 + 2 / 3)
    result = _run(TemporalConsistency(flow), _frames(preds))
    assert result == {'mTC': pytest.approx(expected / 2)}
    result = _run(TemporalConsistency(flow, unseen_as_zero=True),
                  _frames(preds))
    assert result == {'mTC': pytest.approx(expected / 3)}
    # one to the right, brought back: 1 1 1 and one from outside, which is
    # left out, or is of class a
    flow = _GivenFlow(x=1)
    result = _run(TemporalConsistency(flow), _frames(preds))
    assert result == {'mTC': pytest.approx(100 * (0 + 1 / 3) / 2)}
    result = _run(TemporalConsistency(flow, outside=0), _frames(preds))
    assert result == {'mTC': pytest.approx(100 * (0 / 3 + 1 / 4) / 2)}


def test_temporal_consistency_sums_over_pairs_and_videos():
    rng = np.random.default_rng(0)
    videos = [rng.integers(0, 3, (count, 6, 9)) for count in (5, 1, 3)]
    flow = _GivenFlow(x=-1, y=2)
    both, union = np.zeros(3), np.zeros(3)
    for video in videos:
        for this, other in zip(video, video[1:]):
            for row in range(4):  # rows below lead outside
                for col in range(1, 9):
                    pair = this[row, col], other[row + 2, col - 1]
                    for label in range(3):
                        both[label] += pair == (label, label)
                        union[label] += label in pair
    expected = {'mTC': pytest.approx(100 * np.mean(both / union))}
    for form in (_frames, _clip):
        result = _run(
            TemporalConsistency(flow),
            *(form(video, video=f'v{i}') for i, video in enumerate(videos)))
        assert result == expected


def test_labels_outside_of_the_classes_are_no_class():
    """LMANet's 20th map is a miss of what it should have been."""
    preds = np.array([[[0, 1, 7, 7]], [[0, 7, 1, 7]]])
    result = _run(TemporalConsistency(_GivenFlow()), _frames(preds))
    assert result == {'mTC': pytest.approx(100 * (1 + 0) / 2)}


def test_consistency_of_scenes_with_their_true_flow(tmp_path):
    """A pattern that moves and is predicted right is consistent to 100 %."""
    height, width, speed = 16, 24, 3
    truth = np.random.default_rng(1).integers(0, 3, (height, 60))
    video = [truth[:, 30 - speed * t:30 - speed * t + width] for t in range(5)]
    (tmp_path / 'flow/v').mkdir(parents=True)
    for t in range(4):
        flow = np.zeros((height, width, 2))
        flow[..., 0] = speed
        mmcv.flowwrite(flow, str(tmp_path / f'flow/v/{t}.flo'))
    metric = TemporalConsistency(
        dict(
            type='FloFiles',
            root=str(tmp_path / 'flow'),
            img_root='.',
            img_suffix='.png',
            flow_suffix='.flo'))
    assert isinstance(metric.flow, FloFiles)
    assert _run(metric, _frames(video)) == {'mTC': 100.0}
    still = [video[0]] * 5
    assert _run(metric, _frames(still))['mTC'] < 60


def test_estimated_flow_at_another_size():
    """Images at half the size of the labels, moved by (4, 2) of its pixels.
    """
    rng = np.random.default_rng(2)
    coarse = rng.integers(0, 255, (12, 20, 3)).astype(np.float32)
    rows, cols = np.mgrid[:96, :160]
    canvas = cv2.resize(coarse, (160, 96), interpolation=cv2.INTER_CUBIC)
    canvas = np.clip(canvas, 0, 255).astype(np.uint8)
    labels = ((rows // 16 + cols // 16) % 3).astype(np.uint8)
    labels = labels.repeat(2, 0).repeat(2, 1)
    images, preds = [], []
    for t in range(3):
        top, left = 20 - 2 * t, 24 - 4 * t
        images.append(canvas[top:top + 64, left:left + 112])
        preds.append(labels[2 * top:2 * top + 128, 2 * left:2 * left + 224])
    metric = TemporalConsistency()
    moving = _run(metric, _frames(preds, images=images))['mTC']
    # DIS is within half a pixel here, which costs the edges of the blocks
    assert moving > 93
    held = _run(metric, _frames(preds[:1] * 3, images=images))['mTC']
    assert held < 80
    masked = TemporalConsistency(mask_occluded=True)
    assert _run(masked, _frames(preds, images=images))['mTC'] > 93
    with pytest.raises(ValueError, match='mask_occluded needs the flow back'):
        TemporalConsistency(_GivenFlow(), mask_occluded=True)


def _reference(videos, n, strict=False):
    """The definition, window by window."""
    values = []
    for preds, truths in videos:
        count = len(preds)
        for start in range(count - n + 1 if strict else count - n):
            pred, truth = preds[start:start + n], truths[start:start + n]
            still = (truth == truth[0]).all(0)
            if strict:
                still &= truth[0] != 255
                kept = still & (pred == truth).all(0)
            else:
                kept = still & (pred == pred[0]).all(0)
            if still.any():
                values.append(kept.sum() / still.sum())
    return 100 * np.mean(values) if values else np.nan


@pytest.fixture(scope='module')
def slow_videos():
    """Labels that seldom change, with void; predictions mostly right."""
    rng = np.random.default_rng(3)
    videos = []
    for count in (20, 8, 9, 31, 3):
        truth = np.zeros((count, 10, 12), np.int64)
        for t in range(1, count):
            change = rng.random((10, 12)) < 0.03
            truth[t] = np.where(change, rng.integers(0, 3, (10, 12)),
                                truth[t - 1])
        truth[:, 0] = 255
        wrong = rng.random(truth.shape) < 0.02
        pred = np.where(wrong, rng.integers(0, 3, truth.shape), truth)
        videos.append((np.where(pred == 255, 1, pred), truth))
    return videos


@pytest.mark.parametrize('form', [_frames, _clip])
def test_video_consistency(slow_videos, form):

    def run(metric):
        return _run(
            metric, *(form(*video, video=f'v{i}')
                      for i, video in enumerate(slow_videos)))

    result = run(VideoConsistency())
    assert list(result) == ['mVC8', 'mVC16']
    for n in (8, 16):
        assert result[f'mVC{n}'] == pytest.approx(_reference(slow_videos, n))
    result = run(StrictVideoConsistency(lengths=(2, 8, 16)))
    assert list(result) == ['mVC2_strict', 'mVC8_strict', 'mVC16_strict']
    for n in (2, 8, 16):
        assert result[f'mVC{n}_strict'] == pytest.approx(
            _reference(slow_videos, n, strict=True))
    long = [video for video in slow_videos if len(video[0]) > 16]
    result = run(VideoConsistency(lengths=(8, ), min_frames=16))
    assert result['mVC8'] == pytest.approx(_reference(long, 8))
    assert np.isnan(run(VideoConsistency(lengths=(40, )))['mVC40'])


def test_video_consistency_by_hand():
    truth = np.array([[[0, 0, 1, 255]], [[0, 0, 1, 255]], [[0, 1, 1, 255]],
                      [[0, 1, 1, 255]]])
    pred = np.array([[[2, 0, 1, 1]], [[2, 0, 0, 1]], [[2, 0, 0, 1]],
                     [[2, 1, 1, 1]]])
    # windows (0, 1) and (1, 2); (2, 3) is the last. Still in truth: all 4,
    # then 0 2 3; constant there: 0 1 3, then all three
    result = _run(VideoConsistency(lengths=(2, )), _frames(pred, truth))
    assert result == {'mVC2': pytest.approx(100 * (3 / 4 + 1) / 2)}
    # not void: 0 1 2, then 0 2, then 0 1 2; right: 1, none, none
    result = _run(StrictVideoConsistency(lengths=(2, )),
                  _frames(pred, truth))
    assert result == {'mVC2_strict': pytest.approx(100 * (1 / 3) / 3)}


def test_video_consistency_needs_all_labels():
    pred = np.zeros((3, 2, 2), np.int64)
    with pytest.raises(ValueError, match='needs a label for every frame'):
        _run(VideoConsistency(), _frames(pred, [pred[0], None, pred[2]]))
    with pytest.raises(ValueError, match='v/1.png has none'):
        _run(VideoConsistency(),
             _clip(pred, pred, labelled=[True, False, True]))
    with pytest.raises(ValueError, match='lengths must be 2 or more'):
        VideoConsistency(lengths=(1, 8))


def test_a_frame_of_void_only_has_a_label():
    """Void is a label of this metric; no pixel stays what it was."""
    pred = np.zeros((4, 2, 2), np.int64)
    truth = pred.copy()
    truth[1] = 255
    for video in (_frames(pred, truth),
                  _clip(pred, truth, labelled=[True] * 4)):
        metric = VideoConsistency(lengths=(2, ))
        assert _run(metric, video) == {'mVC2': pytest.approx(np.nan,
                                                             nan_ok=True)}
    truth[3] = 255
    truth[2] = 255
    assert _run(VideoConsistency(lengths=(2, )),
                _clip(pred, truth)) == {'mVC2': 100.}


def test_more_classes_than_8_bits_hold():
    metric = VideoConsistency()
    metric.dataset_meta = dict(classes=[str(i) for i in range(256)])
    (batch, sample), = _frames(np.zeros((1, 2, 2), np.int64))
    with pytest.raises(ValueError, match='8 bits.*256 classes'):
        metric.process(batch, [sample.to_dict()])


def test_a_gap_ends_a_run(slow_videos):
    pred, truth = slow_videos[3]
    parts = [(pred[:12], truth[:12]), (pred[15:], truth[15:])]
    result = _run(
        VideoConsistency(lengths=(4, )), _frames(*parts[0]),
        _frames(*parts[1], first=15))
    assert result['mVC4'] == pytest.approx(_reference(parts, 4))


def test_order_is_checked():
    rng = np.random.default_rng(4)
    preds = rng.integers(0, 3, (6, 4, 5))
    metric = TemporalConsistency(_GivenFlow())
    frames = list(_frames(preds))
    expected = _run(metric, frames)
    # again: nothing is left of the first time; frames that come twice
    assert _run(metric, frames[:4], frames[2:]) == expected
    with pytest.raises(RuntimeError, match='did not arrive in order'):
        _run(metric, frames[::-1])
    with pytest.raises(RuntimeError, match='VideoSampler'):
        _run(metric, frames[::2], frames[1::2])
    others = list(_frames(preds, video='w'))
    mixed = [item for pair in zip(frames, others) for item in pair]
    assert _run(metric, mixed) == expected
    with pytest.raises(RuntimeError, match=r'max_open \(1\)'):
        _run(TemporalConsistency(_GivenFlow(), max_open=1), mixed)
    with pytest.raises(KeyError, match='needs the video_id'):
        metric.process(dict(inputs=[None]), [dict(pred_sem_seg=None)])


def test_parts_of_a_video_on_two_ranks():
    rng = np.random.default_rng(5)
    preds = rng.integers(0, 3, (9, 4, 5))
    metrics = []
    for part in ((0, 4), (5, 9), (4, 9), (0, 2)):
        metric = TemporalConsistency(_GivenFlow())
        metric.dataset_meta = META
        metric.flow.shape = (4, 5)
        for batch, sample in _frames(preds[slice(*part)], first=part[0]):
            metric.process(batch, [sample.to_dict()])
        metrics.append(list(metric._summaries.items()))
    apart = _run(
        TemporalConsistency(_GivenFlow()), _frames(preds[:4]),
        _frames(preds[5:], first=5))
    both = copy.deepcopy(metrics[0] + metrics[1])
    assert metric.compute_metrics(both) == apart
    # a sampler repeated the first frames to fill up
    padded = copy.deepcopy(metrics[0] + metrics[1] + metrics[3])
    assert metric.compute_metrics(padded) == apart
    with pytest.raises(RuntimeError, match='on one rank'):
        metric.compute_metrics(copy.deepcopy(metrics[0] + metrics[2]))


def test_report(monkeypatch, tmp_path):
    rng = np.random.default_rng(6)
    preds, truths = rng.integers(0, 3, (2, 3, 4, 6, 8))
    truths[0, 1] = 255
    lines = []
    monkeypatch.setattr(video_metric, 'print_log',
                        lambda text, **kwargs: lines.append(text))
    flow = _GivenFlow()
    metric = TemporalConsistency(
        flow, out_file=str(tmp_path / 'tc.json'), num_listed=2)
    host = IoUMetric()
    host.dataset_meta = META
    videos = [
        list(_frames(pred, [
            None if (truth == 255).all() else truth for truth in part
        ], video=f'v{i}')) for i, (pred, part) in enumerate(
            zip(preds, truths))
    ]
    result = _run(metric, *videos)
    for video in videos:
        for batch, sample in video:
            if 'gt_sem_seg' in sample:
                host.process(batch, [sample.to_dict()])
    miou = host.compute_metrics(host.results)['mIoU']
    assert lines[0] == (
        f'mTC: {result["mTC"]:.2f}, mIoU of the same frames: {miou:.2f} '
        '(3 videos, 12 frames, flow: given)')
    report = json.loads((tmp_path / 'tc.json').read_text())
    assert report['metrics']['mTC'] == result['mTC']
    assert report['computed'] == 'TemporalConsistency, flow: given'
    listed = [video['mTC'] for video in report['videos']]
    assert len(listed) == 3
    assert listed == sorted(listed)
    for video in report['videos']:
        index = int(video['video'][1:])
        assert video['frames'] == 4
        assert _run(TemporalConsistency(flow), _frames(
            preds[index])) == {'mTC': pytest.approx(video['mTC'])}
    table = lines[1]
    assert report['videos'][1]['video'] in table
    assert report['videos'][2]['video'] not in table


def test_evaluator_prints_all_beside_the_hosts(slow_videos):
    with DefaultScope.overwrite_default_scope('mmseg'):
        evaluator = Evaluator([
            dict(type='IoUMetric'),
            dict(type='ClipIoUMetric', prefix='clip'),
            dict(type='TemporalConsistency', flow=dict(type='DISFlow')),
            dict(type='VideoConsistency'),
            dict(type='StrictVideoConsistency'),
        ])
    evaluator.dataset_meta = META
    metric = evaluator.metrics[2]
    metric.flow = _GivenFlow()
    metric.flow.shape = (10, 12)
    for index, video in enumerate(slow_videos):
        for batch, sample in _clip(*video, video=f'v{index}'):
            evaluator.process([sample], batch)
    result = evaluator.evaluate(len(slow_videos))
    assert {
        'mIoU', 'clip/mIoU', 'mTC', 'mVC8', 'mVC16', 'mVC8_strict',
        'mVC16_strict'
    } <= set(result)


def test_clip_iou_is_the_hosts_over_all_frames(slow_videos):
    host, clip = IoUMetric(), ClipIoUMetric()
    host.dataset_meta = META
    for preds, truths in slow_videos:
        for batch, sample in _frames(preds, truths):
            host.process(batch, [sample.to_dict()])
    expected = host.compute_metrics(host.results)
    # the host rounds its float32 figures to two places
    expected = pytest.approx(expected, abs=1e-5)
    assert _run(clip, *(_clip(*video) for video in slow_videos)) == expected
    # without the other frames it is the host's
    assert _run(clip, *(_frames(*video) for video in slow_videos)) == expected


@pytest.mark.parametrize('scale', [2, 1.6, 0.5])
def test_work_size_iou(scale):
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 4, (30, 44)).astype(np.uint8)
    truth[truth == 3] = 255
    size = (round(30 / scale), round(44 / scale))
    pred = rng.integers(0, 3, size)
    small = np.array(
        Image.fromarray(truth).resize(size[::-1], Image.NEAREST))
    host = IoUMetric()
    host.dataset_meta = META
    for batch, sample in _frames([pred], [small]):
        host.process(batch, [sample.to_dict()])
    expected = host.compute_metrics(host.results)
    [(batch, sample)] = _frames([pred], [truth])
    result = _run(WorkSizeIoUMetric(), [(batch, sample)])
    assert result == {f'work/{key}': value for key, value in expected.items()}
    del sample.pred_sem_seg
    sample.pred_sem_seg = PixelData(
        data=torch.zeros(1, 30, 44, dtype=torch.int64))
    with pytest.raises(ValueError, match='UseWorkSize'):
        _run(WorkSizeIoUMetric(), [(batch, sample)])


def test_warp_is_what_consistency_uses():
    """Nearest, and not the mean of two ids as in the official evaluation."""
    labels = np.array([[0, 2, 0, 2]], np.uint8)
    flow = np.zeros((1, 4, 2), np.float32)
    flow[..., 0] = 0.5
    assert not (warp_labels(labels, flow) == 1).any()
