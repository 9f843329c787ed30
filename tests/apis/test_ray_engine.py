"""Very many images, on a local Ray of two workers."""
import cv2
import numpy as np
import pytest

from tests.builders import run_tool
from tests.deployment.conftest import frame, small  # noqa: F401


@pytest.mark.slow
def test_images_are_done_once(small, tmp_path):  # noqa: F811
    pytest.importorskip('ray')
    source, out = tmp_path / 'photos', tmp_path / 'out'
    for i in range(6):
        folder = source / f'{i % 2}'
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f'{i}.png'), frame(i))
    (source / 'broken.jpg').write_bytes(b'no picture')
    run = ('predict.py', source, '--model', small[0], '--checkpoint',
           small[1], '--out', out, '--save', 'labels', '--engine', 'ray',
           '--workers', 2)
    done = run_tool(*run)
    assert done.returncode == 1, done.stderr  # one of them is no image
    assert '7 images: 6 segmented, 0 were there' in done.stdout
    assert 'broken.jpg: no image' in done.stdout
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


def test_without_a_place_to_write(small, tmp_path):  # noqa: F811
    done = run_tool('predict.py', tmp_path, '--model', small[0], '--engine',
                    'ray')
    assert done.returncode == 1
    assert 'needs --out' in done.stderr
