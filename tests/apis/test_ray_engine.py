"""Very many images, on a local Ray of two workers."""
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from rtseg_plugin.apis.ray_engine import (
    _images,
    _targets,
    _Worker,
    predict_images,
)
from rtseg_plugin.deployment.export import export
from tests.apis.test_sources import write_huge_png
from tests.builders import run_tool
from tests.deployment.conftest import frame, small  # noqa: F401


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['config', 'folder'])
def test_images_are_done_once(small, tmp_path, kind):  # noqa: F811
    pytest.importorskip('ray')
    model = ('--model', small[0], '--checkpoint', small[1])
    if kind == 'folder':
        pytest.importorskip('onnxscript')
        pytest.importorskip('onnxruntime')
        export(*small, out=tmp_path / 'deployed', format='onnx')
        model = ('--model', tmp_path / 'deployed')
    source, out = tmp_path / 'photos', tmp_path / 'out'
    for i in range(6):
        folder = source / f'{i % 2}'
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f'{i}.png'), frame(i))
    (source / 'broken.jpg').write_bytes(b'no picture')
    run = ('predict.py', source, *model, '--out', out, '--save', 'labels',
           '--engine', 'ray', '--workers', 2)
    done = run_tool(*run)
    assert done.returncode == 1, done.stderr  # one of them is no image
    assert '7 images: 6 segmented, 0 were there' in done.stdout
    assert 'broken.jpg: no readable image' in done.stdout
    written = sorted((out / 'labels').rglob('*.*'))
    assert [str(p.relative_to(out / 'labels')) for p in written] == [
        '0/0.png.png', '0/2.png.png', '0/4.png.png', '1/1.png.png',
        '1/3.png.png', '1/5.png.png'
    ]
    want = {}
    for path in written:
        want[path] = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert want[path].shape == frame().shape[:2]
        assert len(np.unique(want[path])) > 1
    # as after a kill: two are missing, one was being written
    times = {path: path.stat().st_mtime_ns for path in written}
    for path in written[:2]:
        path.unlink()
    part = written[0].with_name(f'.1.part.{written[0].name}')
    part.write_bytes(b'half')
    (source / 'broken.jpg').unlink()
    done = run_tool(*run)
    assert done.returncode == 0, done.stderr
    assert '6 images: 2 segmented, 4 were there' in done.stdout
    for path in written:
        got = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(got, want[path])
        again = path.stat().st_mtime_ns != times[path]
        assert again == (path in written[:2])


def test_an_image_that_cannot_be_segmented_stops_nothing(small,  # noqa: F811
                                                         tmp_path):
    """What an actor does with a batch; needs no Ray."""
    names = ['tiny.png', 'good.png', 'huge.png', 'full.png']
    cv2.imwrite(str(tmp_path / names[0]), frame(0, (4, 4)))
    for name in (names[1], names[3]):
        cv2.imwrite(str(tmp_path / name), frame(1))
    write_huge_png(tmp_path / names[2])
    for kind in ('overlay', 'labels'):  # where a result cannot be written
        (tmp_path / 'out' / kind / 'full.png.png').mkdir(parents=True)
    worker = _Worker(dict(model=small[0], checkpoint=small[1], device='cpu'),
                     opacity=1.)
    done = worker(dict(
        path=[str(tmp_path / name) for name in names],
        kinds=[['overlay', 'labels']] * 4,
        files=[[str(tmp_path / 'out' / kind / f'{name}.png')
                for kind in ('overlay', 'labels')] for name in names]))
    assert 'got 4x4' in done['problem'][0]
    assert done['problem'][1] == ''
    assert done['problem'][2].startswith('no readable image (')
    assert 'full.png.png' in done['problem'][3]
    written = [p for p in (tmp_path / 'out').rglob('*.png') if p.is_file()]
    assert [path.name for path in written] == ['good.png.png'] * 2
    labels = cv2.imread(str(tmp_path / 'out/labels/good.png.png'), 0)
    colours = cv2.imread(str(tmp_path / 'out/overlay/good.png.png'))
    palette = np.array([[3, 2, i] for i in range(5)], np.uint8)
    np.testing.assert_array_equal(colours, palette[labels])


@pytest.mark.parametrize('error, says', [
    (MemoryError(), 'MemoryError'),
    (RuntimeError('DefaultCPUAllocator: not enough memory'),
     'DefaultCPUAllocator: not enough memory')])
def test_an_image_that_takes_too_much_memory_stops_nothing(
        small, tmp_path, monkeypatch, error, says):  # noqa: F811
    worker = _Worker(dict(model=small[0], checkpoint=small[1], device='cpu'),
                     opacity=1.)
    network = worker.segmentor.network
    step = network.step_together

    def full(frames, states):
        if frames[0].shape[0] > 64:
            raise error
        return step(frames, states)

    monkeypatch.setattr(network, 'step_together', full)
    for name, size in (('large.png', (128, 96)), ('small.png', (64, 96))):
        cv2.imwrite(str(tmp_path / name), frame(0, size))
    done = worker(dict(
        path=[str(tmp_path / 'large.png'), str(tmp_path / 'small.png')],
        kinds=[['labels']] * 2,
        files=[[str(tmp_path / 'out' / f'{i}.png')] for i in range(2)]))
    assert done['problem'] == [says, '']
    assert [p.name for p in (tmp_path / 'out').iterdir()] == ['1.png']


class FakeRay:
    """Notes what is asked of Ray, and says that all is done."""

    def __init__(self, patch, gpus=0):
        self.asked, self.gpus = {}, gpus
        self.data = self
        patch.setitem(sys.modules, 'ray', self)
        patch.setitem(sys.modules, 'ray.data', self)
        patch.delenv('RAY_ADDRESS', raising=False)

    def is_initialized(self):
        return False

    def init(self, **options):
        self.asked.update(init=options)

    def shutdown(self):
        pass

    def cluster_resources(self):
        return dict(CPU=3., GPU=float(self.gpus)) if self.gpus else {}

    def from_items(self, items, override_num_blocks):
        self.items = items
        return self

    def map_batches(self, actor, **options):
        self.asked.update(options)
        return self

    def iter_batches(self, batch_size):
        yield dict(path=[x['path'] for x in self.items],
                   problem=[''] * len(self.items))


def test_what_is_wrong_with_the_model_is_said_before_ray_starts(
        small, tmp_path, monkeypatch):  # noqa: F811
    ray = FakeRay(monkeypatch)
    cv2.imwrite(str(tmp_path / 'a.png'), frame())
    other = torch.load(small[1])
    other['state_dict'] = {f'x.{k}': v for k, v in other['state_dict'].items()}
    torch.save(other, tmp_path / 'other.pth')
    said = []
    for engine in ('here', 'ray'):
        done = run_tool('predict.py', tmp_path, '--model', small[0],
                        '--checkpoint', tmp_path / 'other.pth', '--out',
                        tmp_path / 'out', '--engine', engine)
        assert done.returncode == 1
        said.append(done.stderr)
    assert said[0] == said[1]
    assert said[0].startswith('error: ')
    assert not ray.asked


@pytest.mark.parametrize('device, gpus, runs_on, workers', [
    (None, 0, 'cpu', 3), (None, 2, 'cuda', 2), ('cpu', 2, 'cpu', 3),
    ('cuda', 4, 'cuda', 3)])
@pytest.mark.parametrize('cluster', [False, True])
def test_workers_have_a_gpu_each(small, tmp_path, monkeypatch,  # noqa: F811
                                 device, gpus, runs_on, workers, cluster):
    """Where Ray has some: its machines need not have what this one has."""
    ray = FakeRay(monkeypatch, gpus)
    if cluster:
        monkeypatch.setenv('RAY_ADDRESS', 'elsewhere:6379')
    cv2.imwrite(str(tmp_path / 'a.png'), frame())
    report = predict_images(
        [str(tmp_path)], str(tmp_path / 'out'), model=small[0],
        checkpoint=small[1], device=device, workers=3)
    assert report['done'] == 1
    asked = ray.asked
    assert asked['init']['num_cpus'] == (None if cluster else 3)
    assert asked['fn_constructor_args'][0]['device'] == runs_on
    assert (asked['concurrency'], asked['num_cpus'], asked['num_gpus']) == (
        workers, 1, runs_on == 'cuda')


@pytest.mark.parametrize('device, says', [
    ('cuda', 'is to run on a GPU, and Ray finds none'),
    ('cuda:1', "the device is 'cuda', not 'cuda:1'")])
def test_gpus_that_there_are_not(small, tmp_path, monkeypatch,  # noqa: F811
                                 device, says):
    """Actors would wait for them for ever."""
    ray = FakeRay(monkeypatch)
    cv2.imwrite(str(tmp_path / 'a.png'), frame())
    with pytest.raises(ValueError, match=says):
        predict_images([str(tmp_path)], str(tmp_path / 'out'), model=small[0],
                       checkpoint=small[1], device=device)
    assert 'concurrency' not in ray.asked


def test_a_pipe_among_the_photos_is_no_photo(tmp_path):
    """An actor would wait for it for ever."""
    (tmp_path / 'deep/b.png').mkdir(parents=True)
    os.mkfifo(tmp_path / 'deep' / 'a.png')
    cv2.imwrite(str(tmp_path / 'deep' / 'c.png'), frame())
    found = [below for _, below in _images(str(tmp_path), tmp_path / 'out')]
    assert found == [Path('deep/c.png')]


@pytest.mark.parametrize('out', ['results', '.'])
def test_results_among_the_photos_are_no_photos(tmp_path, out):
    """A second start finds what the first one found."""
    source, root = tmp_path / 'photos', (tmp_path / 'photos' / out).resolve()
    for path in (source / 'a.png', source / 'deep/labels/b.png'):
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), frame())
    first = sorted(below for _, below in _images(str(source), root))
    assert len(first) == 2
    for below in first:
        for _, file in _targets(root, below, 'both'):
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(file, frame())
    assert sorted(b for _, b in _images(str(source), root)) == first


def test_without_a_place_to_write(small, tmp_path):  # noqa: F811
    done = run_tool('predict.py', tmp_path, '--model', small[0], '--engine',
                    'ray')
    assert done.returncode == 1
    assert 'needs --out' in done.stderr
    done = run_tool('predict.py', tmp_path, '--model', small[0], '--engine',
                    'ray', '--max-frames', 3)
    assert done.returncode == 2
    assert '--max-frames is for streams' in done.stderr
