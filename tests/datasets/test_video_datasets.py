"""Clips of videos in their several layouts."""
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmseg.registry import DATASETS

from rtseg_plugin.datasets import (
    CamVidSequenceDataset,
    CityscapesSequenceDataset,
    VideoFolderDataset,
    VSPWDataset,
)

from .conftest import frame, label, write

ROOT = Path(__file__).parents[2]
PIPELINE = [
    dict(type='LoadClip'),
    dict(type='LoadClipAnnotations'),
    dict(type='PackClipInputs')
]
DENSE = [
    dict(type='LoadClip'),
    dict(type='LoadClipAnnotations', all_frames=True),
    dict(type='PackClipInputs')
]


def _cityscapes(root, **kwargs):
    return CityscapesSequenceDataset(
        data_root=str(root),
        data_prefix=dict(
            img_path='leftImg8bit_sequence/val', seg_map_path='gtFine/val'),
        **kwargs)


def _infos(dataset):
    return [dataset.get_data_info(index) for index in range(len(dataset))]


def _bgr(number):
    return frame(number)[..., ::-1].transpose(2, 0, 1)


def test_cityscapes_clips(cityscapes_root):
    dataset = _cityscapes(cityscapes_root, pipeline=PIPELINE)
    assert [info['frame_ids'] for info in _infos(dataset)] == [
        [15, 16, 17, 18, 19], [309, 310, 311, 312, 313]
    ]
    item = dataset[1]
    assert item['inputs'].shape == (5, 3, 32, 64)
    for clip_frame, number in zip(item['inputs'], range(309, 314)):
        assert (clip_frame.numpy() == _bgr(number)).all()
    sample = item['data_samples']
    assert sample.video_id == 'bochum/bochum_000000'
    assert sample.frame_id == 313
    assert sample.frame_ids == [309, 310, 311, 312, 313]
    assert sample.img_path == sample.img_paths[-1]
    assert sample.img_path.endswith('bochum_000000_000313_leftImg8bit.png')
    assert (sample.gt_sem_seg.data[0].numpy() == label(313)).all()
    assert 'clip_gt_sem_seg' not in sample


def test_cityscapes_stride_and_snippets(cityscapes_root):
    dataset = _cityscapes(cityscapes_root, clip_length=3, stride=4)
    assert _infos(dataset)[0]['frame_ids'] == [11, 15, 19]
    dataset = _cityscapes(cityscapes_root, clip_length=None, pipeline=DENSE)
    assert [len(info['frame_ids']) for info in _infos(dataset)] == [30, 30]
    sample = dataset[0]['data_samples']
    labels = sample.clip_gt_sem_seg.data
    assert labels.shape == (30, 32, 64)
    assert (labels[19].numpy() == label(19)).all()
    assert sample.labelled == [i == 19 for i in range(30)]
    # frame 29 ends the snippet, the label is not its
    assert 'gt_sem_seg' not in sample


@pytest.mark.parametrize('missing, expected', [
    ('nearest', [15, 15, 18, 18, 19]),
    ('short', [15, 18, 19]),
    ('skip', None),
])
def test_missing_frames(cityscapes_root, tmp_path, missing, expected):
    shutil.copytree(cityscapes_root, tmp_path / 'root')
    for number in (16, 17):
        lost = (
            tmp_path / 'root/leftImg8bit_sequence/val/aachen' /
            f'aachen_000000_{number:06d}_leftImg8bit.png')
        lost.unlink()
    with pytest.raises(
    FileNotFoundError,
            match=r'needs frame 16, .*aachen_000000_000016_leftImg8bit.png'):
        _cityscapes(tmp_path / 'root')
    dataset = _cityscapes(
        tmp_path / 'root', missing=missing, pipeline=PIPELINE)
    if expected is None:
        assert len(dataset) == 1
        return
    assert _infos(dataset)[0]['frame_ids'] == expected
    for clip_frame, number in zip(dataset[0]['inputs'], expected):
        assert (clip_frame.numpy() == _bgr(number)).all()


def test_bad_arguments(cityscapes_root, tmp_path):
    with pytest.raises(ValueError, match='clip_length must be at least 1'):
        _cityscapes(cityscapes_root, clip_length=0)
    with pytest.raises(ValueError, match='missing must be one of'):
        _cityscapes(cityscapes_root, missing='drop')
    with pytest.raises(FileNotFoundError, match='is not a folder'):
        _cityscapes(tmp_path)
    with pytest.raises(TypeError, match='clip_lenght'):
        _cityscapes(cityscapes_root, clip_lenght=3)


@pytest.fixture
def folders(tmp_path):
    """Videos a/1 (12 frames, gaps in names) and b; every third labelled."""
    for video, count in (('a/1', 12), ('b', 4)):
        for index in range(count):
            name = f'{video}/{index * 10}.png'  # not zero-padded
            write(tmp_path / 'images' / name, frame(index))
            if index % 3 == 0:
                write(tmp_path / 'labels' / name, label(index))
    return tmp_path


def _folder(root, **kwargs):
    return VideoFolderDataset(
        data_root=str(root),
        data_prefix=dict(img_path='images', seg_map_path='labels'),
        **kwargs)


def test_video_folders(folders):
    dataset = _folder(folders, clip_length=3, pipeline=PIPELINE)
    assert [(info['video_id'], info['frame_ids'])
            for info in _infos(dataset)] == [
                ('a/1', [0, 0, 0]), ('a/1', [1, 2, 3]), ('a/1', [4, 5, 6]),
                ('a/1', [7, 8, 9]), ('b', [0, 0, 0]), ('b', [1, 2, 3])
            ]
    item = dataset[3]
    assert (item['inputs'][-1].numpy() == _bgr(9)).all()
    assert (item['data_samples'].gt_sem_seg.data[0].numpy() == label(9)).all()

    dense = _infos(_folder(folders, clip_length=2, all_frames=True))
    assert len(dense) == 16
    assert [path is not None for path in dense[3]['seg_map_paths']
            ] == [False, True]
    assert 'seg_map_path' not in dense[4]
    assert len(_folder(folders, all_frames=True, every=5)) == 4
    short = _infos(_folder(folders, clip_length=3, missing='short'))
    assert short[0]['frame_ids'] == [0]
    assert len(_folder(folders, clip_length=3, missing='skip')) == 4


def test_video_list_and_whole_videos(folders):
    (folders / 'list.txt').write_text('b\n')
    dataset = _folder(
        folders, ann_file='list.txt', clip_length=None, pipeline=DENSE)
    assert len(dataset) == 1
    item = dataset[0]
    assert item['inputs'].shape == (4, 3, 32, 64)
    labels = item['data_samples'].clip_gt_sem_seg.data
    assert (labels[3].numpy() == label(3)).all()
    assert (labels[1:3] == 255).all()
    (folders / 'list.txt').write_text('c\n')
    with pytest.raises(FileNotFoundError, match='no frames of c, listed'):
        _folder(folders, ann_file='list.txt')


def test_a_label_without_frame_is_reported(folders):
    write(folders / 'labels/b/999.png', label(0))
    with pytest.raises(ValueError, match='999.png is the label of frame 999'):
        _folder(folders)


def test_video_files(tmp_path):
    (tmp_path / 'images').mkdir()
    writer = cv2.VideoWriter(
        str(tmp_path / 'images/v.avi'), cv2.VideoWriter.fourcc(*'MJPG'), 25,
        (64, 32))
    # flat frames survive the lossy codec
    for number in range(20):
        writer.write(np.full((32, 64, 3), 10 * number, np.uint8))
    writer.release()
    for number in (3, 11):
        write(tmp_path / f'labels/v/{number:04d}.png', label(number))
    dataset = _folder(
        tmp_path, img_suffix='.avi', clip_length=4, pipeline=PIPELINE)
    # backwards on purpose: seeking
    for index, frame_ids in ((1, [8, 9, 10, 11]), (0, [0, 1, 2, 3])):
        item = dataset[index]
        sample = item['data_samples']
        assert sample.video_id == 'v'
        assert sample.frame_ids == frame_ids
        means = item['inputs'].float().mean((1, 2, 3)).numpy()
        # MJPG at default quality is off by less than 2 on flat frames
        np.testing.assert_allclose(means, 10 * np.array(frame_ids), atol=2)
        assert (sample.gt_sem_seg.data[0].numpy() == label(frame_ids[-1])
                ).all()


def test_vspw(tmp_path):
    values = np.tile(
        np.array([0, 1, 124, 255], np.uint8).repeat(8), (16, 1))
    for video in ('1_x', '2_y', '3_z'):
        for number in (141, 156, 171):
            name = f'{number:08d}'
            write(tmp_path / f'data/{video}/origin/{name}.jpg',
                  frame(number, 16, 32))
            write(tmp_path / f'data/{video}/mask/{name}.png', values)
    (tmp_path / 'val.txt').write_text('1_x\n3_z\n')
    dataset = VSPWDataset(
        data_root=str(tmp_path),
        ann_file='val.txt',
        clip_length=2,
        pipeline=DENSE)
    assert len(dataset.metainfo['classes']) == 124
    assert len(dataset) == 6
    sample = dataset[5]['data_samples']
    assert (sample.video_id, sample.frame_ids) == ('3_z', [1, 2])
    expected = np.array([255, 0, 123, 255]).repeat(8)
    assert (sample.gt_sem_seg.data.numpy() == expected).all()
    assert sample.clip_gt_sem_seg.data.shape == (2, 16, 32)


def test_camvid_sequences(tmp_path):
    for number in range(2216, 2221):
        write(tmp_path / f'frames/Seq05VD/Seq05VD_f{number:05d}.png',
              frame(number))
    for number in range(7957, 7960):
        write(tmp_path / f'frames/0016E5/0016E5_{number:05d}.png',
              frame(number))
    write(tmp_path / 'labels/test/Seq05VD_f02220.png', label(1))
    write(tmp_path / 'labels/test/0016E5_07959.png', label(2))
    dataset = CamVidSequenceDataset(
        data_root=str(tmp_path),
        data_prefix=dict(img_path='frames', seg_map_path='labels/test'),
        clip_length=3,
        pipeline=PIPELINE)
    assert [(info['video_id'], info['frame_ids'])
            for info in _infos(dataset)] == [('0016E5', [7957, 7958, 7959]),
                                             ('Seq05VD', [2218, 2219, 2220])]
    assert len(dataset.metainfo['classes']) == 11
    sample = dataset[1]['data_samples']
    assert (sample.gt_sem_seg.data[0].numpy() == label(1)).all()


@pytest.mark.parametrize('base, size, count', [
    ('cityscapes-sequence_512x1024', (512, 1024), 2),
    ('synthetic-street-sequence_256x512', (256, 512), 1),
])
def test_dataset_bases(cityscapes_root, tmp_path, base, size, count):
    (tmp_path / 'gtFine').mkdir()
    for folder in ('leftImg8bit_sequence', 'gtFine'):
        (tmp_path / folder).mkdir(exist_ok=True)
        for split in ('train', 'val'):
            (tmp_path / folder / split).symlink_to(cityscapes_root / folder /
                                                   'val')
    cfg = Config.fromfile(ROOT / f'configs/_base_/datasets/{base}.py')
    for split in ('train', 'val', 'test'):
        dataset = cfg[f'{split}_dataloader'].dataset
        dataset.data_root = str(tmp_path)
        dataset = DATASETS.build(dataset)
        if cfg[f'{split}_dataloader'].dataset.clip_length is None:
            assert len(dataset) == 2
            item = dataset[0]
            assert item['inputs'].shape == (30, 3, *size)
            truth = item['data_samples'].clip_gt_sem_seg.data
            assert truth.shape == (30, 32, 64)
            # one frame of the snippet has a label
            assert (truth != 255).flatten(1).any(1).nonzero().tolist() == [[19]
                                                                          ]
            continue
        assert len(dataset) == count
        item = dataset[0]
        truth = item['data_samples'].gt_sem_seg.data.shape[1:]
        assert item['inputs'].shape[:2] == (5, 3)
        if split == 'train':
            assert item['inputs'].shape[2:] == truth
        else:
            assert item['inputs'].shape[2:] == size
            assert truth == (32, 64)


def test_work_size(cityscapes_root):
    """Labels follow the image to the size at which the host will predict."""
    cfg = Config.fromfile(
        ROOT / 'configs/lmanet/worksize/'
        'lmanet-erfnet-s4-r21-worksize_2xb5-50e_cityscapes-512x1024.py')
    dataset = _cityscapes(
        cityscapes_root, clip_length=2,
        pipeline=cfg.test_dataloader.dataset.pipeline)
    item = dataset[0]
    sample = item['data_samples']
    assert item['inputs'].shape == (2, 3, 512, 1024)
    assert sample.ori_shape == sample.img_shape == (512, 1024)
    expected = label(19).repeat(16, 0).repeat(16, 1)
    assert (sample.gt_sem_seg.data[0].numpy() == expected).all()
