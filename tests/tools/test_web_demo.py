"""The page in the browser: its parts, and the whole in Chromium."""
import importlib.util
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import cv2
import numpy as np
import pytest

from tests.builders import ROOT
from tests.deployment.conftest import CLASSES, small  # noqa: F401
from tests.tools import browser

gr = pytest.importorskip('gradio')

RECIPE = 'rtformer-slim_1xb4-demo_synthetic-street-256x512'


@pytest.fixture(scope='module')
def web():
    path = ROOT / 'tools/web_demo.py'
    spec = importlib.util.spec_from_file_location('web_demo', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def page(web):
    return web.Page(web.Networks([RECIPE], 'cpu', 1), 2.)


@pytest.fixture
def photo(tmp_path):
    frame = np.random.default_rng(0).integers(0, 255, (128, 192, 3), np.uint8)
    path = tmp_path / 'photo.png'
    cv2.imwrite(str(path), frame)
    return path, frame


def test_an_image_and_its_classes(page, photo):
    path, frame = photo
    one, two, picture, _, classes, said = page.image(
        str(path), RECIPE, 'none', 0.5)
    assert two is None
    assert one.labels.shape == frame.shape[:2]
    names = page.networks.class_names(RECIPE)
    counts = np.bincount(one.labels.ravel(), minlength=19)
    percent = [float(words.split()[-2]) for words, _ in classes.choices]
    assert sum(percent) == pytest.approx(100, abs=1)
    assert classes.choices[0][1] == names[counts.argmax()]
    assert set(classes.value) == {names[i] for i in np.unique(one.labels)}
    assert '192 x 128 pixels' in said
    assert ' ms' in said
    # classes that are switched off leave the image as it was
    drawn = page.picture(one, [names[counts.argmax()]], 1.)
    hidden = one.labels != counts.argmax()
    np.testing.assert_array_equal(drawn[hidden], frame[..., ::-1][hidden])
    colour = page.networks.colours(RECIPE)[counts.argmax()][::-1]
    assert (drawn[~hidden] == colour).all()


def test_a_clip_comes_back_playable(page, tmp_path, monkeypatch):
    av = pytest.importorskip('av')
    from rtseg_plugin.apis.video_writer import VideoWriter
    path = tmp_path / 'clip.mp4'
    writer = VideoWriter(path, (64, 96), 10)
    for i in range(30):
        writer.write(np.full((64, 96, 3), 8 * i, np.uint8))
    writer.close()
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path / 'temporary'))
    (tmp_path / 'temporary').mkdir()
    answers = page.video(str(path), RECIPE, 0.5)
    target, said = next(answers)
    with av.open(target) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ('h264',
                                                               'yuv420p')
        frames = sum(1 for _ in container.decode(stream))
        assert float(stream.average_rate) == pytest.approx(10, abs=0.1)
    # two seconds of three
    assert frames in (20, 21)
    assert 'only the first 2 s' in said
    # what a visitor gave is not kept, nor what was made of it
    assert next(answers, None) is None
    assert list((tmp_path / 'temporary').iterdir()) == []


def test_a_camera_has_its_own_stream(page):
    frame = np.zeros((64, 96, 3), np.uint8)
    picture, said, stream = page.camera(frame, RECIPE, 0.5, None)
    assert picture.shape == frame.shape
    assert said.endswith('ms')
    _, _, again = page.camera(frame, RECIPE, 0.5, stream)
    assert again[1] is stream[1]
    _, _, other = page.camera(frame[:32], RECIPE, 0.5, stream)
    assert other[1] is not stream[1]


@pytest.mark.parametrize('data', [b'', b'no image', b'\x89PNG\r\n\x1a\n'])
def test_a_broken_file_gets_a_message(page, tmp_path, data):
    path = tmp_path / 'broken.png'
    path.write_bytes(data)
    with pytest.raises(gr.Error, match='no image, or it is damaged'):
        page.image(str(path), RECIPE, 'none', 0.5)
    with pytest.raises(gr.Error, match='clip') as error:
        next(page.video(str(path), RECIPE, 0.5))
    assert str(tmp_path) not in str(error.value)


def test_a_deployed_folder_is_a_network_too(web, photo, small,  # noqa: F811
                                            tmp_path):
    pytest.importorskip('onnxruntime')
    pytest.importorskip('onnxscript')
    from rtseg_plugin.deployment.export import export
    export(*small, out=tmp_path / 'out')
    page = web.Page(web.Networks([str(tmp_path / 'out')], 'cpu', 1), 2.)
    one, _, _, _, classes, _ = page.image(str(photo[0]), 'out', 'none', 0.5)
    assert set(classes.value) == {CLASSES[i] for i in np.unique(one.labels)}
    picture, _, _ = page.camera(photo[1], 'out', 0.5, None)
    assert picture.shape == photo[1].shape


def test_large_images_are_made_smaller(web, tmp_path):
    path = tmp_path / 'large.png'
    cv2.imwrite(str(path), np.zeros((3000, 4000, 3), np.uint8))
    height, width = web.read_image(str(path)).shape[:2]
    assert height * width <= 1.001 * web.MOST_PIXELS
    assert width / height == pytest.approx(4 / 3, rel=0.01)


def test_names_that_the_page_does_not_offer(page):
    with pytest.raises(gr.Error, match='no network'):
        page.networks.get('/etc/passwd')


def test_a_model_that_is_not_there(web):
    with pytest.raises(SystemExit, match='no file and no recipe'):
        web.main(['--model', 'rtformer-slm'])


@pytest.fixture(scope='module')
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp('server')
    port = browser.free_port()
    log = (folder / 'log').open('w')
    process = subprocess.Popen(
        [sys.executable, str(ROOT / 'tools/web_demo.py'), '--port', str(port),
         '--model', 'sctnet-s-street', '--model', 'erfnet-memory-street',
         '--threads', '2'],
        env=dict(os.environ, GRADIO_TEMP_DIR=str(folder / 'uploads'),
                 http_proxy='http://127.0.0.1:9',
                 https_proxy='http://127.0.0.1:9', no_proxy='127.0.0.1',
                 TMPDIR=str(folder)),
        cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    address = f'http://127.0.0.1:{port}'
    try:
        browser.wait_for(
            lambda: urllib.request.urlopen(address, timeout=5).status == 200,
            600, f'the page ({(folder / "log").read_text()})')
        yield address
    finally:
        process.terminate()  # SIGINT is ignored in the background
        process.wait(60)


@pytest.fixture(scope='module')
def window(server, tmp_path_factory):
    """A browser, in which nothing comes from elsewhere."""
    if not browser.available():
        pytest.skip('no chromium')
    window = browser.Browser(tmp_path_factory.mktemp('profile'))
    try:
        yield window
        assert all(address.startswith((server, f'blob:{server}', 'data:',
                                       'chrome'))
                   for address in window.addresses())
    finally:
        window.close()


@pytest.mark.slow
def test_an_image_in_a_browser(server, window, tmp_path):
    """The classes, one switched off, and a comparison."""
    street = cv2.imread(str(ROOT / 'docs/images/synthetic_street.jpg'))
    photo = tmp_path / 'street.png'
    cv2.imwrite(str(photo), cv2.resize(street[4:202, 4:402], None, fx=2,
                                       fy=2, interpolation=cv2.INTER_CUBIC))
    pictures = os.environ.get('RTSEG_PICTURES')
    window.go(server)
    browser.wait_for(lambda: window.upload('#image', photo) or True, 60,
                     'the drop zone')
    browser.wait_for(lambda: window.width_of_image('#picture'), 120,
                     'the picture')
    browser.wait_for(lambda: ' ms' in window.text('#times'), 30, 'the time')
    assert ' %' in window.text('#classes')
    if pictures:
        window.picture(tmp_path / 'image.png')
    # a class is switched off: another picture
    source = 'return document.querySelector("#picture img").src'
    before = window.run(source)
    window.click('#classes input[type=checkbox]')
    browser.wait_for(lambda: window.run(source) != before, 60,
                     'the picture without a class')
    # a second network
    window.click('#second input')
    browser.wait_for(lambda: window.click('[role=option]', 'erfnet'), 30,
                     'the choice')
    browser.wait_for(lambda: window.width_of_image('#slider'), 120,
                     'the slider')
    if pictures:
        window.picture(tmp_path / 'compare.png')
        for name in ('image', 'compare'):
            (tmp_path / f'{name}.png').rename(
                f'{pictures}/web_demo_{name}.png')


@pytest.mark.slow
def test_a_clip_in_a_browser(server, window, tmp_path):
    """A broken one gets a message, a good one comes back and plays."""
    pytest.importorskip('av')
    from rtseg_plugin.apis.video_writer import VideoWriter
    writer = VideoWriter(tmp_path / 'clip.mp4', (64, 96), 10)
    for i in range(12):
        writer.write(np.full((64, 96, 3), 20 * i, np.uint8))
    writer.close()
    (tmp_path / 'broken.mp4').write_bytes(b'no clip')
    window.go(server)
    browser.wait_for(lambda: window.click('button[role=tab]', 'clip'), 60,
                     'the tab')
    browser.wait_for(
        lambda: window.upload('#clip', tmp_path / 'broken.mp4') or True,
        60, 'the drop zone for clips')
    said = browser.wait_for(
        lambda: 'cannot be segmented' in window.text('body')
        and window.text('body'), 120, 'a message')
    assert str(tmp_path) not in said
    window.go(server)
    browser.wait_for(lambda: window.click('button[role=tab]', 'clip'), 60,
                     'the tab')
    browser.wait_for(
        lambda: window.upload('#clip', tmp_path / 'clip.mp4') or True,
        60, 'the drop zone for clips')
    browser.wait_for(lambda: '12 frames' in window.text('#clip-times'), 120,
                     'what is said of the clip')
    # it is decoded by the browser and has moved on
    played = ('const v = document.querySelector("#played video");'
              'return v && v.readyState >= 2 && v.currentTime > 0'
              ' ? [v.videoWidth, v.videoHeight, v.duration] : null')
    start = ('const v = document.querySelector("#played video");'
             'if (v) { v.muted = true; v.play(); }')
    width, height, seconds = browser.wait_for(
        lambda: window.run(start) or window.run(played), 120,
        'the clip that plays')
    assert (width, height) == (96, 64)
    assert seconds == pytest.approx(1.2, abs=0.11)


@pytest.mark.slow
def test_the_camera_in_a_browser(server, window):
    """Frame after frame of Chromium's test camera."""
    window.go(server)
    browser.wait_for(lambda: window.click('button[role=tab]', 'camera'), 60,
                     'the tab')
    browser.wait_for(lambda: window.click('#lens button', 'Webcam'), 60,
                     'the camera')
    browser.wait_for(lambda: window.click('#lens button', 'Record'), 60,
                     'the button that starts it')
    browser.wait_for(lambda: window.width_of_image('#live'), 120,
                     'a picture of the camera')
    assert window.text('#live-times').endswith('ms')
    source = 'return document.querySelector("#live img").src'
    before = window.run(source)
    browser.wait_for(lambda: window.run(source) != before, 120,
                     'the next picture')


@pytest.mark.slow
def test_the_server_gives_no_files(server):
    for path in ('/etc/passwd', f'{ROOT}/setup.py'):
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(f'{server}/gradio_api/file={path}',
                                   timeout=30)
        assert error.value.code in (403, 404)
