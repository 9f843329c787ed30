"""One draw for a clip; packing, caching, order and preprocessing."""
import pickle
import random

import mmcv
import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.models import SegDataPreProcessor
from mmseg.registry import DATA_SAMPLERS, TRANSFORMS
from mmseg.structures import SegDataSample
from torch.utils.data import DataLoader

from rtseg_plugin.datasets import (
    ApplyToClip,
    LoadClip,
    RandomShift,
    VideoFolderDataset,
)
from rtseg_plugin.datasets.transforms import DamagedSampleError
from rtseg_plugin.models import VideoSegDataPreProcessor

from .conftest import frame, label, write

HOST = [
    dict(
        type='RandomResize',
        scale=(64, 32),
        ratio_range=(0.5, 2.0),
        keep_ratio=True),
    dict(type='RandomChoiceResize', scales=[(60, 40), (90, 50), (72, 36)]),
    dict(type='RandomCrop', crop_size=(24, 40), cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomRotate', prob=0.5, degree=20.),
    dict(type='PhotoMetricDistortion'),
    dict(
        type='RandomCutOut',
        prob=0.5,
        n_holes=(1, 3),
        cutout_ratio=[(0.1, 0.2)]),
    dict(type='RandomShift', max_shift=2),
    dict(type='RandomColorJitter'),
]


@TRANSFORMS.register_module()
class _MixedDraws(BaseTransform):
    """Draws in a marked method and outside, from three generators."""

    @cache_randomness
    def _marked(self):
        return np.random.randint(100)

    def transform(self, results):
        drawn = [
            self._marked(),
            np.random.rand(),
            random.random(),
            torch.rand(1).item()
        ]
        results['img'] = results['img'].astype(np.float64) + sum(drawn)
        return results


def _clip(labels, length=4):
    """A clip of one picture repeated, so that equal draws give equal frames.
    """
    return dict(
        img=[frame(3) for _ in range(length)],
        gt_seg_map=[label(3) if index in labels else None
                    for index in range(length)],
        seg_fields=['gt_seg_map'],
        img_shape=(32, 64),
        ori_shape=(32, 64))


@pytest.mark.parametrize('labels', [{3}, {0, 1, 2, 3}, {1}])
def test_one_draw_for_all_frames(labels):
    transform = ApplyToClip(HOST)
    seen = set()
    for seed in range(25):
        np.random.seed(seed)
        random.seed(seed)
        result = transform(_clip(labels))
        first = result['img'][0]
        assert all((image == first).all() for image in result['img'])
        truth = [gt for gt in result['gt_seg_map'] if gt is not None]
        assert len(truth) == len(labels)
        assert all((gt == truth[0]).all() for gt in truth)
        assert first.shape[:2] == truth[0].shape == result['img_shape']
        seen.add(first.tobytes())
    # and another one for the next clip
    assert len(seen) == 25


def test_same_draw_as_the_host_on_the_last_frame():
    """The labelled frame gets what the host's pipeline makes of it alone."""
    transform = ApplyToClip(HOST)
    host = [TRANSFORMS.build(cfg) for cfg in HOST]
    for seed in range(10):
        np.random.seed(seed)
        random.seed(seed)
        result = transform(_clip({3}))
        drawn_next = np.random.rand()
        np.random.seed(seed)
        random.seed(seed)
        still = dict(
            img=frame(3),
            gt_seg_map=label(3),
            seg_fields=['gt_seg_map'],
            img_shape=(32, 64))
        for step in host:
            still = step(still)
        assert (result['img'][-1] == still['img']).all()
        assert (result['gt_seg_map'][-1] == still['gt_seg_map']).all()
        assert result['flip'] == still['flip']
        assert drawn_next == np.random.rand()


def test_dense_labels_that_differ_share_the_crop():
    """The host's crop looks at the label: only one label may decide."""
    transform = ApplyToClip(
        [dict(type='RandomCrop', crop_size=(8, 16), cat_max_ratio=0.6)])
    rng = np.random.default_rng(0)
    for _ in range(20):
        clip = _clip({0, 1, 2, 3})
        clip['gt_seg_map'] = [
            rng.integers(0, 2, (4, 4)).astype(np.uint8).repeat(8, 0).repeat(
                16, 1) for _ in range(4)
        ]
        images = transform(clip)['img']
        assert images[0].shape == (8, 16, 3)
        assert all((image == images[0]).all() for image in images)


def test_draws_inside_and_outside_of_marked_methods():
    result = ApplyToClip([_MixedDraws()])(_clip({3}))
    assert all((image == result['img'][0]).all() for image in result['img'])


def test_random_shift():
    image = np.arange(20, dtype=np.uint8).reshape(4, 5)
    for down, right in ((0, 0), (1, -2), (-2, 2), (2, 1), (-1, -1)):
        shift = RandomShift(pad_val=77)
        shift._draw = lambda draw=(down, right): draw
        result = shift.transform(
            dict(img=image, gt_seg_map=image, seg_fields=['gt_seg_map']))
        for row in range(4):
            for col in range(5):
                source = row - down, col - right
                inside = 0 <= source[0] < 4 and 0 <= source[1] < 5
                assert result['img'][row, col] == (
                    image[source] if inside else 77)
                assert result['gt_seg_map'][row, col] == (
                    image[source] if inside else 255)
    shift = RandomShift()
    draws = np.array([shift._draw() for _ in range(300)])
    assert set(draws[:, 0]) == set(draws[:, 1]) == {-2, -1, 0, 1, 2}


@pytest.fixture
def video(tmp_path):
    for name, count in (('a', 9), ('b', 5), ('c', 7), ('d', 3)):
        for index in range(count):
            write(tmp_path / f'images/{name}/{index:03d}.png', frame(index))
    return tmp_path


def _dataset(root, cache_size=0, **kwargs):
    return VideoFolderDataset(
        data_root=str(root),
        data_prefix=dict(img_path='images'),
        pipeline=[
            dict(type='LoadClip', cache_size=cache_size),
            dict(type='PackClipInputs')
        ],
        **kwargs)


def _count_decodes(monkeypatch):
    decoded = []
    original = mmcv.imfrombytes

    def imfrombytes(*args, **kwargs):
        decoded.append(1)
        return original(*args, **kwargs)

    monkeypatch.setattr(mmcv, 'imfrombytes', imfrombytes)
    return decoded


def test_no_frame_is_decoded_twice(video, monkeypatch):
    decoded = _count_decodes(monkeypatch)
    plain = _dataset(video, clip_length=4)
    expected = [plain[index]['inputs'] for index in range(len(plain))]
    # a repeated first frame counts once: 1 + 2 + 3 + 4 * 6 for video a
    assert len(decoded) == 30 + 14 + 22 + 6
    decoded.clear()
    cached = _dataset(video, cache_size=4, clip_length=4)
    loader = cached.pipeline.transforms[0]
    for index, clip in enumerate(expected):
        assert torch.equal(cached[index]['inputs'], clip)
        assert len(loader._cache) <= 4
    assert len(decoded) == 9 + 5 + 7 + 3


def test_cached_frames_are_not_written_to(video):
    for cache_size in (0, 4):
        loader = LoadClip(cache_size=cache_size)
        info = _dataset(video, clip_length=3).get_data_info(0)
        assert len(set(info['img_paths'])) == 1
        loader.transform(dict(info))['img'][0][:] = 0
        images = loader.transform(dict(info))['img']
        images[0][:] = 0
        assert (images[1] == frame(0)[..., ::-1]).all()


def test_unreadable_and_unequal_frames(video):
    dataset = _dataset(video, clip_length=2)
    file = video / 'images/a/003.png'
    whole = file.read_bytes()
    file.write_bytes(whole[:10])
    with pytest.raises(DamagedSampleError, match='003.png .* cannot be decod'):
        dataset[3]
    file.write_bytes(b'')
    with pytest.raises(DamagedSampleError, match='003.png .* cannot be decod'):
        dataset[3]
    write(file, frame(3, 16, 64))
    with pytest.raises(DamagedSampleError, match='frames of a clip differ'):
        dataset[3]


def test_loader_travels_to_workers(video):
    loader = LoadClip(cache_size=3)
    info = _dataset(video, clip_length=3).get_data_info(4)
    loader.transform(dict(info))
    assert len(loader._cache) == 3
    assert len(pickle.loads(pickle.dumps(loader))._cache) == 0


@pytest.mark.parametrize('num_workers, batch_size', [(1, 1), (2, 1), (3, 2)])
def test_video_sampler(video, num_workers, batch_size):
    dataset = _dataset(video, clip_length=3)
    sampler = DATA_SAMPLERS.build(
        ConfigDict(
            type='VideoSampler',
            num_workers=num_workers,
            batch_size=batch_size),
        default_args=dict(dataset=dataset, seed=0))
    order = list(sampler)
    assert len(sampler) == 24
    assert sorted(order) == list(range(len(dataset)))
    # frames of a video in the order of time
    by_video = {}
    for index in order:
        info = dataset.get_data_info(index)
        by_video.setdefault(info['video_id'], []).append(info['frame_id'])
    assert all(ids == list(range(len(ids))) for ids in by_video.values())

    def changes(order):
        """How often a worker goes on to another video."""
        batches = [
            order[i:i + batch_size] for i in range(0, len(order), batch_size)
        ]
        count = 0
        for worker in range(num_workers):
            videos = [
                dataset.get_data_info(index)['video_id']
                for batch in batches[worker::num_workers] for index in batch
            ]
            count += sum(a != b for a, b in zip(videos, videos[1:]))
        return count

    # at least one for each video that is not the first of its worker
    assert 4 - num_workers <= changes(order) <= 4


@pytest.mark.parametrize('world_size', [1, 2, 3, 6])
def test_video_sampler_gives_whole_videos_to_ranks(video, monkeypatch,
                                                   world_size):
    from rtseg_plugin.datasets import samplers
    dataset = _dataset(video, clip_length=3)
    seen = []
    for rank in range(world_size):
        monkeypatch.setattr(samplers, 'get_dist_info', lambda r=rank:
                            (r, world_size))
        indices = list(samplers.VideoSampler(dataset, num_workers=2))
        seen += [(dataset.get_data_info(index)['video_id'], rank)
                 for index in indices]
    assert len(seen) == len(dataset)
    assert len(set(seen)) == 4


def test_data_loader_with_workers(video):
    dataset = _dataset(video, cache_size=3, clip_length=3)
    sampler = DATA_SAMPLERS.build(
        dict(type='VideoSampler', dataset=dataset, num_workers=2))
    loader = DataLoader(
        dataset, sampler=sampler, num_workers=2, collate_fn=lambda x: x[0])
    count = 0
    for item in loader:
        sample = item['data_samples']
        for image, number in zip(item['inputs'], sample.frame_ids):
            assert (image.numpy() == frame(number)[..., ::-1].transpose(
                2, 0, 1)).all()
        count += 1
    assert count == 24


def _samples(count, dense=0):
    samples = []
    for index in range(count):
        sample = SegDataSample()
        sample.gt_sem_seg = PixelData(
            data=torch.full((1, 20, 30), index, dtype=torch.int64))
        if dense:
            sample.set_data(
                dict(
                    clip_gt_sem_seg=PixelData(
                        data=torch.full((dense, 20, 30), index))))
        sample.set_metainfo(dict(img_shape=(20, 30), ori_shape=(20, 30)))
        samples.append(sample)
    return samples


@pytest.mark.parametrize('training', [True, False])
def test_preprocessor_equals_the_hosts_per_frame(training):
    settings = dict(
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        size=(24, 40),
        pad_val=3,
        test_cfg=dict(size_divisor=16))
    clips = [
        torch.randint(0, 256, (5, 3, 20, 30), dtype=torch.uint8)
        for _ in range(2)
    ]
    ours = VideoSegDataPreProcessor(**settings)(
        dict(inputs=clips, data_samples=_samples(2, dense=5)), training)
    assert ours['inputs'].shape == (2, 5, 3, *((24, 40) if training else
                                               (32, 32)))
    host = SegDataPreProcessor(**settings)
    for index in range(5):
        stills = host(
            dict(
                inputs=[clip[index] for clip in clips],
                data_samples=_samples(2)), training)
        assert torch.equal(ours['inputs'][:, index], stills['inputs'])
    for mine, its in zip(ours['data_samples'], stills['data_samples']):
        assert torch.equal(mine.gt_sem_seg.data, its.gt_sem_seg.data)
        keys = set(its.metainfo) - {'pad_shape'}
        assert all(mine.get(key) == its.get(key) for key in keys)
    if training:
        dense = ours['data_samples'][1].clip_gt_sem_seg.data
        assert dense.shape == (5, 24, 40)
        assert (dense[:, :20, :30] == 1).all()
        assert (dense[:, 20:] == 255).all()
    images = [clip[0] for clip in clips]
    stills = VideoSegDataPreProcessor(**settings)(
        dict(inputs=images, data_samples=_samples(2)), training)
    assert torch.equal(stills['inputs'], ours['inputs'][:, 0])


def test_preprocessor_refuses_clips_that_do_not_stack():
    preprocessor = VideoSegDataPreProcessor(size_divisor=8)
    clips = [torch.zeros(length, 3, 16, 16) for length in (2, 3)]
    with pytest.raises(ValueError, match=r'\[2, 3\] frames: set batch_size=1'):
        preprocessor(dict(inputs=clips, data_samples=_samples(2)), True)
    with pytest.raises(ValueError, match='one size'):
        preprocessor(
            dict(inputs=[torch.zeros(2, 3, 16, 16),
                         torch.zeros(2, 3, 16, 8)]), False)
