"""Files that are damaged, streams that die, and what is said about them."""
import gc
import os
import socket
import struct
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from rtseg_plugin.apis import (
    BadFrameError,
    SourceError,
    VideoWriter,
    open_source,
    video_sources,
)
from rtseg_plugin.apis.frames import ArraySource, Frame
from rtseg_plugin.apis.prediction import Prediction
from rtseg_plugin.apis.video_sources import LiveSource
from rtseg_plugin.utils.deployed_folder import DeploymentError
from tests.apis.rtsp_server import RTSPServer

SIZE = (64, 96)


def numbered(count, size=SIZE):
    """Frames that show their number as a grey."""
    return [np.full((*size, 3), 3 * i + 40, np.uint8) for i in range(count)]


def number_of(image):
    return round((image.mean() - 37) / 3)


def write_clip(path, count, fps=10, gop=None):
    writer = VideoWriter(path, SIZE, fps)
    if gop is not None:
        writer.stream.codec_context.gop_size = gop
    for frame in numbered(count):
        writer.write(frame)
    writer.close()
    return path


def test_images_in_natural_order(tmp_path):
    for i in (10, 9, 1):
        cv2.imwrite(str(tmp_path / f'f{i}.png'), np.full((8, 8, 3), i, 'u1'))
    source = open_source(tmp_path)
    assert [int(f.image[0, 0, 0]) for f in source] == [1, 9, 10]
    assert source.length == 3
    assert source.still
    empty = tmp_path / 'empty'
    empty.mkdir()
    with pytest.raises(FileNotFoundError, match='no images'):
        open_source(empty)
    with pytest.raises(FileNotFoundError, match='no folder, no file'):
        open_source(tmp_path / 'absent.mp4')
    text = tmp_path / 'text.mp4'
    text.write_text('no video')
    with pytest.raises(SourceError, match='cannot be opened as a video'):
        open_source(text)


def write_huge_png(path):
    """A header of more pixels than OpenCV reads, and nothing behind it."""
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack(
            '>I', zlib.crc32(kind + data))

    header = struct.pack('>IIBBBBB', 40000, 40000, 8, 2, 0, 0, 0)
    path.write_bytes(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header)
                     + chunk(b'IDAT', zlib.compress(b'0')))


def test_an_image_beyond_the_limit_of_opencv_is_a_problem(tmp_path):
    """``cv2.imread`` raises there; the images around it are read."""
    for name in ('a.png', 'c.png'):
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 8, 3), 'u1'))
    write_huge_png(tmp_path / 'b.png')
    problems = [f.problem for f in open_source(tmp_path)]
    assert problems[::2] == [None, None]
    assert problems[1].startswith('no readable image (')
    assert 'CV_IO_MAX_IMAGE_PIXELS' in problems[1]
    mixed = open_source([np.zeros((8, 8, 3), 'u1'), tmp_path / 'b.png'])
    assert [f.image is None for f in mixed] == [False, True]


def test_a_pipe_in_a_folder_is_no_image(tmp_path):
    """Reading one would wait for ever."""
    os.mkfifo(tmp_path / 'a.png')
    (tmp_path / 'b.png').mkdir()
    cv2.imwrite(str(tmp_path / 'c.png'), np.zeros((8, 8, 3), 'u1'))
    for source in (tmp_path, tmp_path / '*.png'):
        frames = list(open_source(str(source)))
        assert [os.path.basename(f.source) for f in frames] == ['c.png']
    with pytest.raises(FileNotFoundError, match='no file'):
        open_source([tmp_path / 'a.png'])


def test_frames_of_a_file_in_order_with_their_times(tmp_path):
    source = open_source(write_clip(tmp_path / 'clip.mp4', 20))
    frames = list(source)
    assert [number_of(f.image) for f in frames] == list(range(20))
    np.testing.assert_allclose([f.time for f in frames], np.arange(20) / 10)
    assert (source.fps, source.length) == (10, 20)
    assert source.decoder == 'PyAV h264 (processor)'
    assert source.ended == 'end of file'


def test_times_begin_where_the_file_does(tmp_path):
    """A transport stream numbers its pictures from elsewhere."""
    clip = write_clip(tmp_path / 'clip.ts', 20)
    source = open_source(clip)
    assert source.stream.start_time > 0
    np.testing.assert_allclose(
        [f.time for f in source], np.arange(20) / 10, atol=1e-4)


@pytest.mark.parametrize('turns', [1, 2, 3])
def test_a_file_is_turned_as_its_metadata_says(tmp_path, turns):
    path = tmp_path / 'clip.mp4'
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[:32, :48] = 200
    writer = VideoWriter(path, (64, 96))
    for _ in range(3):
        writer.write(picture)
    writer.close()
    data = bytearray(path.read_bytes())
    # the matrix of the track's header: clockwise as displayed
    place = data.index(b'tkhd') + 4 + 4 + 20 + 16
    one = 1 << 16
    cos, sin = [(1, 0), (0, 1), (-1, 0), (0, -1)][turns]
    for i, x in enumerate((cos * one, sin * one, 0, -sin * one, cos * one)):
        data[place + 4 * i:place + 4 * i + 4] = x.to_bytes(
            4, 'big', signed=True)
    path.write_bytes(data)
    image = next(iter(open_source(path))).image
    want = np.rot90(picture, -turns)
    assert image.shape == want.shape
    assert np.abs(image.astype(int) - want).mean() < 5


def test_hardware_falls_back_and_says_so(tmp_path):
    clip = write_clip(tmp_path / 'clip.mp4', 3)
    with pytest.raises(SourceError, match="on no device 'abacus'"):
        open_source(clip, hwaccel='abacus')
    from av.codec.hwaccel import hwdevices_available
    if not hwdevices_available():
        pytest.skip('this PyAV has no hardware decoders at all')
    source = open_source(clip, hwaccel=hwdevices_available()[0])
    assert len(list(source)) == 3
    assert source.decoder.startswith('PyAV h264 (')


def write_texture(path):
    """60 frames with something in them, a whole one every ten."""
    rng = np.random.default_rng(0)
    writer = VideoWriter(path, SIZE)
    writer.stream.codec_context.gop_size = 10
    for _ in range(60):
        writer.write(rng.integers(0, 256, (*SIZE, 3), np.uint8))
    writer.close()
    return path


@pytest.mark.parametrize('seed', range(3))
def test_what_a_damaged_file_still_gives_is_counted(tmp_path, seed):
    """300 bytes flipped in the middle of the pictures."""
    clip = write_texture(tmp_path / 'clip.mp4')
    whole = [f.image for f in open_source(clip)]
    data = bytearray(clip.read_bytes())
    start, end = data.index(b'mdat') + 4, data.index(b'moov')
    third = (end - start) // 3
    rng = np.random.default_rng(seed)
    for place in rng.integers(start + third, end - third, 300):
        data[place] ^= 0xff
    clip.write_bytes(data)
    source = open_source(clip)
    frames = list(source)
    bad = [i for i, f in enumerate(frames) if f.problem is not None]
    assert len(bad) > 5
    assert all('damaged' in frames[i].problem for i in bad)
    # whatever fails in a row, the file is read to its end
    assert bad[0] > 10
    assert bad[-1] < len(frames) - 10
    np.testing.assert_array_equal(frames[-1].image, whole[-1])
    assert source.ended.startswith('end of file')
    if len(frames) < 60:
        assert (f'after {len(frames)} of the 60 frames that it announces'
                in source.ended)


def test_a_film_whose_index_is_damaged_is_no_film(tmp_path):
    clip = write_texture(tmp_path / 'clip.mp4')
    data = bytearray(clip.read_bytes())
    place = data.index(b'moov')
    data[place:place + 40] = bytes(40)
    clip.write_bytes(data)
    with pytest.raises(SourceError, match='cannot be opened as a video'):
        open_source(clip)


def test_a_file_that_is_cut_off(tmp_path):
    clip = write_texture(tmp_path / 'clip.mkv')
    whole = clip.read_bytes()
    clip.write_bytes(whole[:len(whole) // 2])
    source = open_source(clip)
    good = [f for f in source if f.problem is None]
    assert 25 < len(good) < 35
    assert source.ended is not None


def test_no_codec_and_no_picture(tmp_path):
    import av
    path = tmp_path / 'sound.wav'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('pcm_s16le', rate=8000)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 800), np.int16), format='s16', layout='mono')
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(SourceError, match='holds no video'):
        open_source(path)


def test_without_pyav_it_says_what_to_install(tmp_path, monkeypatch):
    clip = write_clip(tmp_path / 'clip.mp4', 3)
    monkeypatch.setitem(__import__('sys').modules, 'av', None)
    with pytest.raises(SourceError, match='pip install av'):
        open_source(clip)
    with pytest.raises(SourceError, match='pip install av'):
        VideoWriter(tmp_path / 'new.mp4', SIZE)
    assert not (tmp_path / 'new.mp4').exists()


def test_a_film_is_h264_and_whole_or_not_there(tmp_path):
    import av
    path = tmp_path / 'new' / 'odd.mp4'
    writer = VideoWriter(path, (65, 97), 29.97)
    writer.write(np.zeros((65, 97, 3), np.uint8))
    assert not path.exists()
    with pytest.raises(ValueError, match='a video of 65x97, this frame is'):
        writer.write(np.zeros((64, 96, 3), np.uint8))
    writer.close()
    writer.close()
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert context.name == 'h264'
        assert context.pix_fmt == 'yuv420p'
        assert (context.height, context.width) == (64, 96)
    with pytest.raises(ValueError, match='2x2'):
        VideoWriter(path, (1, 9))


class FakeLive(LiveSource):
    """Gives what a script says: a number of frames, or a failure."""

    decoder = 'script'

    def __init__(self, script, reconnect=3):
        super().__init__('fake', 'fake', 1., reconnect)
        self.script, self.waits = list(script), []
        self.sleep = self.waits.append
        self.closed = 0
        self.sent = 0
        self._connect()

    def _connect(self):
        if not isinstance(self.script[0], int):
            raise SourceError(self.script.pop(0))

    def _frames(self):
        for _ in range(self.script.pop(0)):
            self.sent += 1
            yield Frame(np.full((*SIZE, 3), self.sent % 200, np.uint8), None,
                        None, self.name)
        self.ended = 'it fell silent'

    def close(self):
        self.closed += 1


def test_a_lost_stream_is_connected_to_again_with_a_limit():
    source = FakeLive([2, 'refused', 'refused', 3, 'a', 'b', 'c', 1])
    problems = [f.problem for f in source]
    assert problems == [
        None, None, 'lost: it fell silent', 'lost: refused', 'lost: refused',
        None, None, None, 'lost: it fell silent', 'lost: a', 'lost: b',
        'lost: c'
    ]
    # waits get longer, and start anew behind a frame
    assert source.waits == [1, 2, 4, 1, 2, 4]
    assert source.ended == (
        'lost (c), and 3 attempts to connect again failed')
    source = FakeLive([2], reconnect=0)
    assert [f.problem for f in source] == [None, None, 'lost: it fell silent']


class Slow:
    """A network that takes a while."""

    stateful, size, classes, palette = False, None, None, None

    def __init__(self, seconds=0.):
        self.seconds = seconds

    def step(self, frame, state=None):
        time.sleep(self.seconds)
        return frame[..., 0].copy(), None


def predicted(source, network, **options):
    from rtseg_plugin.apis import VideoSession
    return Prediction([source], [VideoSession(network)], **options)


class Picky(Slow):
    """A network that takes no small images."""

    def step(self, frame, state=None):
        if min(frame.shape[:2]) < 8:
            raise ValueError(f'too small: got {frame.shape[0]} rows')
        return super().step(frame, state)


@pytest.fixture
def with_an_icon(tmp_path):
    for name, size in (('a', 8), ('b', 4), ('c', 9)):
        cv2.imwrite(str(tmp_path / f'{name}.png'),
                    np.full((size, size, 3), 7, 'u1'))
    return tmp_path


def photos(folder, network, **options):
    from rtseg_plugin.apis import VideoSession
    return Prediction([open_source(folder)],
                      [VideoSession(network, **options)])


@pytest.mark.parametrize('memory', [False, True])
@pytest.mark.parametrize('policy, held', [('hold', 8), ('skip', None)])
def test_an_image_that_the_network_refuses_does_not_end_a_folder(
        with_an_icon, memory, policy, held):
    """Where images do not depend on each other."""
    network = Picky()
    network.stateful = memory
    prediction = photos(with_an_icon, network, on_bad_frame=policy,
                        restart_after=1 if memory else None)
    results = list(prediction)
    assert [r.problem for r in results] == [
        None, 'refused: too small: got 4 rows', None]
    assert [os.path.basename(r.source) for r in results] == [
        'a.png', 'b.png', 'c.png']
    assert [None if r.labels is None else len(r.labels) for r in results] == [
        8, held, 9]
    stream, = prediction.streams
    assert (stream.frames, stream.good, stream.ended) == (3, 2, 'last file')


def test_a_photo_that_is_too_thin_is_refused(with_an_icon):
    """Resized with its ratio kept it would have no pixels."""
    from rtseg_plugin.apis.resize import Resize
    cv2.imwrite(str(with_an_icon / 'b.png'), np.zeros((1, 40, 3), 'u1'))
    thin = Resize((16, 16), None, True, 'bilinear', 'cv2')
    results = list(photos(with_an_icon, Slow(), size=thin.size))
    assert [r.problem for r in results] == [
        None, 'refused: 1x40 is too thin: resized it would be 0x16', None]


def test_a_runtime_that_fails_is_not_the_photos_fault(with_an_icon):
    network = Slow()

    def step(frame, state=None):
        raise DeploymentError('onnxruntime cannot run model.onnx: bad_alloc')

    network.step = step
    prediction = photos(with_an_icon, network)
    with pytest.raises(DeploymentError, match='bad_alloc$'):
        list(prediction)
    assert prediction.streams[0].ended.startswith('error: onnxruntime cannot')


def test_an_image_that_is_refused_and_matters_is_an_error(with_an_icon):
    """By the policy, to a memory, and where it is the only one."""
    prediction = photos(with_an_icon, Picky(), on_bad_frame='raise')
    assert next(prediction).problem is None
    with pytest.raises(BadFrameError,
                       match='frame 1 is refused: too small: got 4 rows$'):
        next(prediction)
    network = Picky()
    network.stateful = True
    prediction = photos(with_an_icon, network)
    assert next(prediction).problem is None
    with pytest.raises(ValueError, match='^too small: got 4 rows$'):
        next(prediction)
    with pytest.raises(ValueError, match='^too small: got 4 rows$'):
        next(photos(with_an_icon / 'b.png', Picky()))
    # a film is no folder: all its frames are of one size
    with pytest.raises(ValueError, match='^too small: got 4 rows$'):
        list(predicted(ArraySource(numbered(3, (4, 4))), Picky()))


def test_latest_drops_and_counts_and_all_does_not():
    prediction = predicted(FakeLive([100], 0), Slow(0.005), latest=True)
    results = list(prediction)
    good = [r for r in results if r.problem is None]
    shown = [int(r.labels[0, 0]) for r in good]
    assert shown == sorted(shown)
    assert len(results) < 100
    # the last thing is always seen, and nothing is lost without a count
    assert len(results) + prediction.streams[0].dropped == 101
    prediction = predicted(FakeLive([100], 0), Slow(0.001), latest=False)
    assert len(list(prediction)) == 101
    assert prediction.streams[0].dropped == 0


def test_a_film_of_a_live_source_lasts_as_long(tmp_path, monkeypatch):
    """Frames were left out, and some came late; the clock is the test's."""
    import av

    from rtseg_plugin.apis.recorder import Recorder
    times = [5., 5.04, 6., 6., 9.5, 11.]
    clock = iter([0., *times])
    monkeypatch.setattr(
        video_sources, 'time', SimpleNamespace(monotonic=lambda: next(clock)))
    prediction = predicted(FakeLive([5], 0), Slow(), latest=False)
    recorder = Recorder(prediction.streams, tmp_path)
    seen = []
    for result in prediction:
        recorder.take(result)
        seen.append(result.time)
    recorder.close()
    assert seen == times  # the last one says that it is lost
    with av.open(str(tmp_path / 'fake_overlay.mp4')) as container:
        shown = [frame.time for frame in container.decode(video=0)]
        assert container.duration / av.time_base == pytest.approx(
            6.04, abs=1e-3)  # and one more picture, of 25 a second
    np.testing.assert_allclose(shown, np.array(times) - 5, atol=1e-3)


@pytest.mark.parametrize('name', ['clip.mp4', 'clip.mkv'])
@pytest.mark.parametrize('times', [
    [0., 0.04, 0.08, 1.2, 1.24, 3.],
    [i / 25 for i in range(6)],
])
def test_a_film_of_a_file_is_shown_as_the_file_is(tmp_path, times, name):
    """Of frames that come as they like, and of a rate."""
    import av

    from rtseg_plugin.apis.recorder import Recorder
    uneven = times[-1] == 3.
    writer = VideoWriter(tmp_path / name, SIZE, 25)
    for image, when in zip(numbered(len(times)), times):
        writer.write(image, when if uneven else None)
    writer.close()
    source = open_source(tmp_path / name)
    assert source.uneven is (uneven or name == 'clip.mkv')
    prediction = predicted(source, Slow(), latest=False)
    recorder = Recorder(prediction.streams, tmp_path)
    for result in prediction:
        # what is damaged has none
        recorder.take(result._replace(time=None) if result.index == 2
                      else result)
    recorder.close()
    if uneven:
        times[2] = times[1] + 1 / source.fps
    with av.open(str(tmp_path / 'clip_overlay.mp4')) as container:
        shown = [frame.time for frame in container.decode(video=0)]
    np.testing.assert_allclose(shown, times, atol=1e-3)


def test_a_live_stream_does_not_hold_up_the_others():
    """It says nothing for as long as the test likes."""
    from rtseg_plugin.apis import VideoSession
    gate = threading.Event()

    class Silent(FakeLive):

        def _frames(self):
            gate.wait(30)
            yield from super()._frames()

    opened = [Silent([1], 0), ArraySource(numbered(5))]
    prediction = Prediction(opened, [VideoSession(Slow()) for _ in opened])
    first = [next(prediction) for _ in range(5)]
    assert [r.stream for r in first] == [1] * 5
    gate.set()
    assert [r.stream for r in prediction] == [0, 0]


def test_a_stream_that_is_let_go_ends():
    """Without waiting for the collector of garbage: a camera is free again."""
    source, before = FakeLive([10**9], 0), set(threading.enumerate())
    prediction = predicted(source, Slow(), latest=True)
    next(prediction)
    reader, = set(threading.enumerate()) - before
    gc.disable()
    try:
        del prediction
        reader.join(3)
        assert not reader.is_alive()
        assert source.closed == 1
    finally:
        gc.enable()


def test_a_lost_stream_that_is_stopped_does_not_come_back():
    source = FakeLive([1, 5], 3)
    source.sleep = lambda seconds: LiveSource.sleep(source, 60)
    before = set(threading.enumerate())
    prediction = predicted(source, Slow())
    assert [next(prediction).problem for _ in range(2)] == [
        None, 'lost: it fell silent']
    reader, = set(threading.enumerate()) - before
    prediction.close()
    reader.join(3)
    assert not reader.is_alive()
    assert source.sent == 1
    assert source.script == [5]


class FakeCapture:
    """In place of ``cv2.VideoCapture``: how many frames each opening gives,
    None where it fails."""

    script, opened = (), ()

    def __init__(self, number):
        self.number, self.left = number, self.script.pop(0)
        self.released = False
        self.opened.append(self)

    def isOpened(self):
        return self.left is not None

    def get(self, what):
        assert what == cv2.CAP_PROP_FPS
        return 12.5

    def read(self):
        if not self.left or self.released:
            return False, None
        self.left -= 1
        return True, numbered(self.left + 1)[-1]

    def release(self):
        self.released = True


@pytest.fixture
def captures(monkeypatch):
    monkeypatch.setattr(FakeCapture, 'opened', [])
    monkeypatch.setattr(cv2, 'VideoCapture', FakeCapture)
    return FakeCapture


def test_a_camera_that_is_lost_and_comes_back(captures, monkeypatch):
    monkeypatch.setattr(captures, 'script', [2, None, 1, None, None])
    source = open_source('3', reconnect=2)
    assert (source.name, source.stem, source.live, source.fps) == (
        '3', 'camera3', True, 12.5)
    waits = []
    source.sleep = waits.append
    frames = list(source)
    lost, refused = (f'lost: {why}' for why in (
        'the camera gives no frames', 'camera 3 cannot be opened'))
    assert [f.problem for f in frames] == [
        None, None, lost, refused, None, lost, refused, refused]
    assert [int(f.image[0, 0, 0]) for f in frames if f.problem is None] == [
        43, 40, 40]
    assert source.ended == ('lost (camera 3 cannot be opened), and 2 attempts '
                            'to connect again failed')
    assert waits == [1, 2, 1, 2]
    source.close()
    # let go before it is asked for again, and in the end
    assert [one.number for one in captures.opened] == [3] * 5
    assert all(one.released for one in captures.opened)


def test_a_camera_that_is_not_there(captures, monkeypatch):
    monkeypatch.setattr(captures, 'script', [None])
    with pytest.raises(SourceError, match='^camera 0 cannot be opened$'):
        open_source(0)
    assert len(captures.opened) == 1


def test_rtsp_until_the_server_goes(tmp_path):
    """A server of our own that speaks RTSP over TCP, and then dies."""
    with RTSPServer(numbered(12)) as server:
        source = open_source(server.address, timeout=5., reconnect=1)
        source.sleep = lambda seconds: server.close()
        frames = list(source)
    shown = [number_of(f.image) for f in frames if f.problem is None]
    assert shown == list(range(shown[0], 12))
    assert len(shown) > 8
    assert source.live
    assert source.decoder == 'PyAV h264 (processor)'
    assert [f.problem[:5] for f in frames[-2:]] == ['lost:', 'lost:']
    assert 'and 1 attempts to connect again failed' in source.ended


def test_rtsp_comes_back(tmp_path):
    with RTSPServer(numbered(12)) as server:
        source = open_source(server.address, timeout=5., reconnect=2)
        source.sleep = lambda seconds: None
        frames = []
        for frame in source:
            frames.append(frame)
            if sum(f.problem is not None for f in frames) == 2:
                break
        source.close()
    assert server.sessions >= 2
    problems = [f.problem is not None for f in frames]
    first = problems.index(True)
    assert not all(problems[first:])  # frames behind the first loss


@pytest.mark.parametrize('scheme,speaks', [
    ('rtsp', False), ('rtsp', True), ('http', False)])
def test_an_address_that_plays_dead_is_given_up(scheme, speaks):
    """It accepts and says nothing, or nothing more than its first frames."""
    if speaks:
        with RTSPServer(numbered(12), hang=True) as server:
            source = open_source(server.address, timeout=1., reconnect=0)
            start = time.monotonic()
            frames = list(source)
        assert frames[0].problem is None
        assert frames[-1].problem.startswith('lost:')
        assert source.ended.startswith('lost (')
    else:
        with socket.create_server(('127.0.0.1', 0)) as dead:
            start = time.monotonic()
            with pytest.raises(SourceError, match='cannot be opened'):
                open_source(f'{scheme}://127.0.0.1:{dead.getsockname()[1]}/a',
                            timeout=1.)
    assert time.monotonic() - start < 30


@pytest.mark.parametrize('scheme', ['rtsp', 'http'])
def test_an_address_hides_its_password(scheme):
    """Also one with an @ in it, and tokens behind a question mark."""
    with socket.create_server(('127.0.0.1', 0)) as dead:
        where = f'127.0.0.1:{dead.getsockname()[1]}/a'
        with pytest.raises(SourceError) as error:
            open_source(f'{scheme}://me:se@cret@{where}?token=cret',
                        timeout=0.2)
    assert 'cret' not in str(error.value)
    assert f'{scheme}://{where} cannot be opened' in str(error.value)


def test_a_film_at_an_address_hides_its_token(tmp_path):
    """In the name that reports have, and in that of their files."""
    data = write_clip(tmp_path / 'clip.mp4', 3).read_bytes()

    class Film(BaseHTTPRequestHandler):

        def do_GET(self):
            self.send_response(200)
            self.send_header('Content-Length', str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(('127.0.0.1', 0), Film) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        where = f'127.0.0.1:{server.server_port}/clip.mp4'
        source = open_source(f'http://me:se@cret@{where}?token=cret')
        assert len(list(source)) == 3
        source.close()
        server.shutdown()
    assert (source.name, source.stem) == (f'http://{where}', 'clip')
    assert not source.live


@pytest.mark.slow
def test_two_hours_take_no_more_memory_than_a_minute(tmp_path):
    """30 frames a second of simulated time, with reports being written."""
    from rtseg_plugin.apis.recorder import Recorder

    def resident():
        with open('/proc/self/statm') as file:
            return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')

    frame = np.zeros((16, 16, 3), np.uint8)
    minute, total = 30 * 60, 2 * 60 * 30 * 60
    stream = (None if i % 100 == 7 else frame for i in range(total))
    prediction = predicted(ArraySource(stream), Slow())
    recorder = Recorder(prediction.streams, tmp_path, save='labels')
    recorder._files[0].labels = False  # 216,000 files are not the point
    after_a_minute = None
    for result in prediction:
        recorder.take(result)
        if result.index == 2 * minute:
            after_a_minute = resident()
    report, = recorder.close()
    assert report['frames'] == total
    assert report['bad_frames'] == total // 100
    assert len(report['problems']) == 1000
    assert resident() < 1.01 * after_a_minute
