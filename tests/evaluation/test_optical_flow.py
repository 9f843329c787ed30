"""Flow files, estimated flow and labels moved along it."""
import cv2
import mmcv
import numpy as np
import pytest

from rtseg_plugin.evaluation.optical_flow import (
    UNKNOWN,
    DISFlow,
    FloFiles,
    Frame,
    occluded,
    read_flo,
    resize_flow,
    warp_labels,
)


def _flow(x, y, height=6, width=8):
    return np.broadcast_to(np.float32([x, y]), (height, width, 2)).copy()


def _texture(height, width, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3))
    return cv2.GaussianBlur(noise.astype(np.uint8), (0, 0), 2)


def test_flo_files(tmp_path):
    flow = np.random.default_rng(0).normal(0, 5, (5, 7, 2)).astype(np.float32)
    path = tmp_path / 'a.flo'
    mmcv.flowwrite(flow, str(path))
    # Middlebury's header: magic, width, height
    assert path.read_bytes()[:12] == (
        b'PIEH' + (7).to_bytes(4, 'little') + (5).to_bytes(4, 'little'))
    assert (read_flo(str(path)) == flow).all()
    whole = path.read_bytes()
    for damaged in (whole[:-8], whole[:20], whole[:9], b'PNG', b''):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match='a.flo .* bytes.*or is cut off'):
            read_flo(str(path))
    with pytest.raises(FileNotFoundError, match='b.flo does not exist'):
        read_flo(tmp_path / 'b.flo')


@pytest.mark.parametrize('x, y', [(0, 0), (2, 1), (-3, 0), (0, -2), (-1, 4)])
def test_warp_labels(x, y):
    labels = np.arange(48, dtype=np.uint8).reshape(6, 8)
    warped = warp_labels(labels, _flow(x, y))
    filled = warp_labels(labels, _flow(x, y), outside=0)
    for row in range(6):
        for col in range(8):
            inside = 0 <= row + y < 6 and 0 <= col + x < 8
            if inside:
                assert warped[row, col] == labels[row + y, col + x]
            else:
                assert (warped[row, col], filled[row, col]) == (255, 0)


def test_warp_labels_rounds_and_knows_the_unknown():
    labels = np.arange(48, dtype=np.uint8).reshape(6, 8)
    assert (warp_labels(labels, _flow(0.4, -0.4)) == labels).all()
    assert (warp_labels(labels, _flow(0.6, 0))[:, :-1] == labels[:, 1:]).all()
    flow = _flow(0, 0)
    flow[2, 3] = 2 * UNKNOWN
    flow[4, 4, 1] = -40000
    warped = warp_labels(labels, flow)
    assert warped[2, 3] == warped[4, 4] == 255
    assert (warped != labels).sum() == 2
    with pytest.raises(ValueError, match='for labels of'):
        warp_labels(labels[:4], flow)


def test_resize_flow():
    flow = _flow(2, 3)
    assert resize_flow(flow, 6, 8) is flow
    np.testing.assert_allclose(resize_flow(flow, 12, 24), _flow(6, 6, 12, 24))
    flow[0, 0] = 2 * UNKNOWN
    larger = resize_flow(flow, 12, 16)
    assert (larger[:2, :2] > UNKNOWN).all()
    np.testing.assert_allclose(larger[4:, 4:], 2 * _flow(2, 3, 8, 12))


def test_dis_flow():
    image = _texture(96, 160)
    backend = DISFlow()
    assert backend.name == 'DIS medium'
    for x, y in ((3, -2), (-6, 4)):
        moved = np.roll(image, (y, x), (0, 1))
        flow = backend(Frame('a', image), Frame('b', moved))
        assert flow.dtype == np.float32
        # a whole-pixel shift of texture: a tenth of a pixel away from edges
        inner = flow[16:-16, 16:-16] - np.float32([x, y])
        assert np.abs(inner).mean() < 0.1
    with pytest.raises(ValueError, match='preset must be one of'):
        DISFlow('slow')


def test_occluded():
    height, width = 20, 40
    forward, backward = _flow(0, 0, height, width), _flow(0, 0, height, width)
    # a block of columns 10-19 moves 5 to the right, over columns 20-24
    forward[:, 10:20, 0] = 5
    backward[:, 15:25, 0] = -5
    hidden = occluded(forward, backward)
    assert hidden[:, 20:25].all()
    assert not hidden[:, :20].any()
    assert not hidden[:, 26:].any()


def test_flow_file_of_a_frame(tmp_path):
    flow = FloFiles(
        str(tmp_path / 'flow'), str(tmp_path / 'leftImg8bit_sequence'))
    folder = tmp_path / 'flow/val/a'
    folder.mkdir(parents=True)
    mmcv.flowwrite(
        _flow(1, 2), str(folder / 'a_000000_000003_flow.flo'))
    stem = tmp_path / 'leftImg8bit_sequence/val/a/a_000000'
    result = flow(
        Frame(f'{stem}_000003_leftImg8bit.png'),
        Frame(f'{stem}_000004_leftImg8bit.png'))
    assert (result == _flow(1, 2)).all()
    with pytest.raises(FileNotFoundError, match='000005_flow.flo'):
        flow(Frame(f'{stem}_000005_leftImg8bit.png'), Frame(''))
    with pytest.raises(ValueError, match='is not a file'):
        flow(Frame(str(tmp_path / 'x_leftImg8bit.png')), Frame(''))
    with pytest.raises(ValueError, match='is not a file'):
        flow(Frame(f'{stem}_000003.png'), Frame(''))
