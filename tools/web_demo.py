"""A page in the browser to try networks on images, clips and the camera.

    mim run rtseg_plugin web_demo
    mim run rtseg_plugin web_demo --model CONFIG=CHECKPOINT --model FOLDER

Without --model it offers the networks that the package brings, which know
the synthetic streets and nothing else. The page needs no connection to the
internet and is seen from this machine alone, unless --host says otherwise.
"""
import argparse
import os
import sys
import tempfile
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import (
    Any,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Tuple,
)

import cv2
import numpy as np

os.environ.setdefault('GRADIO_ANALYTICS_ENABLED', 'False')
os.environ.setdefault('HF_HUB_OFFLINE', '1')
try:
    import gradio as gr
except ImportError:
    sys.exit("error: the page needs gradio: pip install 'rtseg_plugin[web]'")

from rtseg_plugin.apis import Segmentor, SourceError  # noqa: E402
from rtseg_plugin.apis.results import colour_table  # noqa: E402
from rtseg_plugin.apis.video_writer import VideoWriter  # noqa: E402
from rtseg_plugin.utils.packaged_weights import (  # noqa: E402
    packaged_networks,
)

NONE = 'none'
MOST_PIXELS = 4_000_000
"""Larger images are made smaller."""
MOST_LOADED = 3
"""Networks in memory; the one that waited longest leaves."""


class Shown(NamedTuple):
    """An image of a visitor with the labels of a network."""

    frame: np.ndarray
    labels: np.ndarray
    model: str
    milliseconds: float


def parse_args(argv: Optional[List[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        '--model', action='append', metavar='MODEL[=CHECKPOINT]',
        help='a config or name of a recipe with its checkpoint, or a folder '
        'that export wrote; may be given several times (default: the '
        'networks in the package)')
    parser.add_argument(
        '--host', default='127.0.0.1',
        help='address to listen on; 0.0.0.0 shows the page to the network '
        '(default: %(default)s)')
    parser.add_argument('--port', type=int, default=7860)
    parser.add_argument('--device', help='default: a GPU if there is one')
    parser.add_argument('--threads', type=int, help='CPU threads')
    parser.add_argument(
        '--max-upload', type=int, default=64, metavar='MB',
        help='largest file (default: %(default)s)')
    parser.add_argument(
        '--max-seconds', type=float, default=20, metavar='S',
        help='longest part of a clip that is segmented (default: '
        '%(default)s)')
    return parser.parse_args(argv)


class Networks:
    """Networks by the names that the page offers, loaded when asked for."""

    def __init__(self, models: Optional[List[str]], device: Optional[str],
                 threads: Optional[int]):
        self._options = dict(threads=threads)
        self._device = device
        self._known: Dict[str, Tuple[str, Optional[str]]] = {}
        self._loaded: 'OrderedDict[str, Segmentor]' = OrderedDict()
        self._lock = threading.Lock()
        for name in models or sorted(packaged_networks()):
            model, _, checkpoint = name.partition('=')
            label = Path(model).name.removesuffix('.py') or model
            if label in self._known:
                label = name
            self._known[label] = (model, checkpoint or None)
        if not self._known:
            sys.exit('error: this package brings no network; name one with '
                     '--model CONFIG=CHECKPOINT')

    @property
    def names(self) -> List[str]:
        return list(self._known)

    def get(self, name: str) -> Segmentor:
        """A network by a name of the page, and by no other."""
        if name not in self._known:
            raise gr.Error(f'there is no network {name!r} here')
        with self._lock:
            if name not in self._loaded:
                model, checkpoint = self._known[name]
                device = (None if Path(model).is_dir() else self._device)
                self._loaded[name] = Segmentor(
                    model, checkpoint, device=device, **self._options)
                while len(self._loaded) > MOST_LOADED:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(name)
            return self._loaded[name]

    def class_names(self, name: str) -> List[str]:
        segmentor = self.get(name)
        count = segmentor.network.num_classes
        return [str(x) for x in segmentor.classes or
                (f'class {i}' for i in range(count))]

    def colours(self, name: str) -> np.ndarray:
        """(256 or more, 3), BGR."""
        segmentor = self.get(name)
        return colour_table(segmentor.palette, segmentor.network.num_classes)


def read_image(path: Optional[str]) -> np.ndarray:
    """The uploaded image, BGR, upright, not larger than MOST_PIXELS."""
    if not path:
        raise gr.Error('choose an image first')
    data = np.fromfile(path, np.uint8)
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error:
        image = None
    if image is None:
        raise gr.Error('this file is no image, or it is damaged')
    ratio = (MOST_PIXELS / (image.shape[0] * image.shape[1])) ** 0.5
    if ratio < 1:
        image = cv2.resize(image, None, fx=ratio, fy=ratio,
                           interpolation=cv2.INTER_AREA)
    return image


def segment(networks: Networks, name: str, frame: np.ndarray) -> Shown:
    """One image by itself; the time is of the second run, once warm."""
    segmentor = networks.get(name)
    for _ in range(2):
        result = next(iter(segmentor.predict(frame)))
        if result.problem is not None:
            raise gr.Error(f'this image cannot be segmented: '
                           f'{result.problem}')
    return Shown(frame, result.labels, name, 1e3 * result.seconds)


def paint(frame: np.ndarray, labels: np.ndarray, colours: np.ndarray,
          visible: np.ndarray, opacity: float) -> np.ndarray:
    """Colours of the visible classes over a frame, RGB."""
    mixed = cv2.addWeighted(
        colours.take(labels, 0), opacity, frame, 1 - opacity, 0)
    mask = visible.take(labels)[..., None]
    return np.where(mask, mixed, frame)[..., ::-1]


def shares(labels: np.ndarray, names: List[str]) -> List[Tuple[str, str]]:
    """``(class and its share, class)`` of those that are there."""
    counts = np.bincount(labels.ravel(), minlength=len(names))
    order = [i for i in np.argsort(-counts) if counts[i]]
    return [(f'{names[i]} {100 * counts[i] / labels.size:.1f} %', names[i])
            for i in order]


class Page:
    """What the events of the page do."""

    def __init__(self, networks: Networks, max_seconds: float):
        self.networks = networks
        self.max_seconds = max_seconds

    def picture(self, shown: Optional[Shown], chosen: List[str],
                opacity: float) -> Optional[np.ndarray]:
        if shown is None:
            return None
        names = self.networks.class_names(shown.model)
        visible = np.zeros(max(256, len(names)), bool)
        visible[[i for i, name in enumerate(names) if name in chosen]] = True
        return paint(shown.frame, shown.labels,
                     self.networks.colours(shown.model), visible, opacity)

    def image(self, path: Optional[str], first: str, second: str,
              opacity: float) -> Tuple[Any, ...]:
        """An image, by one network or two."""
        frame = read_image(path)
        one = segment(self.networks, first, frame)
        choices = shares(one.labels, self.networks.class_names(first))
        two = None
        if second not in (NONE, first):
            two = segment(self.networks, second, frame)
            have = {name for _, name in choices}
            choices += [
                x for x in shares(two.labels,
                                  self.networks.class_names(second))
                if x[1] not in have]
        chosen = [name for _, name in choices]
        times = [f'{x.model}: {x.milliseconds:.0f} ms'
                 for x in (one, two) if x]
        height, width = frame.shape[:2]
        return (one, two, *self.redraw(one, two, chosen, opacity),
                gr.CheckboxGroup(choices, value=chosen, visible=True),
                f'{width} x {height} pixels. ' + ', '.join(times))

    def redraw(self, one: Optional[Shown], two: Optional[Shown],
               chosen: List[str], opacity: float) -> Tuple[Any, Any]:
        """The picture, or the slider where there are two."""
        first = self.picture(one, chosen, opacity)
        if two is None:
            return (gr.Image(first, visible=True),
                    gr.ImageSlider(None, visible=False))
        second = self.picture(two, chosen, opacity)
        return (gr.Image(first, visible=False),
                gr.ImageSlider((first, second), visible=True,
                               label=f'{one.model} | {two.model}'))

    def video(self, path: Optional[str], name: str, opacity: float,
              progress: Any = gr.Progress()) -> Iterator[Tuple[str, str]]:
        """A clip, as a file that the browser plays."""
        if not path:
            raise gr.Error('choose a clip first')
        # gone when gradio asks for more: it has made a copy by then, which it
        # deletes in its time
        with tempfile.TemporaryDirectory(prefix='rtseg-') as folder:
            yield self._video(path, name, opacity, progress,
                              Path(folder, 'overlay.mp4'))

    def _video(self, path: str, name: str, opacity: float, progress: Any,
               target: Path) -> Tuple[str, str]:
        segmentor = self.networks.get(name)
        writer, seconds, problems = None, [], 0
        begin, fps, previous = time.perf_counter(), 25., None
        cut = False
        try:
            with segmentor.predict(path) as results:
                for result in results:
                    if result.time and previous is not None and writer is None:
                        fps = 1 / max(1e-3, result.time - previous[1])
                    stamp = result.time or result.index / 25
                    if stamp > self.max_seconds:
                        cut = True
                        break
                    if result.labels is None:
                        problems += 1
                        continue
                    problems += result.problem is not None
                    picture = result.overlay(opacity)
                    if previous is None:
                        previous = picture, stamp
                        seconds.append(result.seconds)
                        continue
                    if writer is None:
                        writer = VideoWriter(
                            target, picture.shape[:2], min(fps, 120))
                        writer.write(previous[0])
                    writer.write(picture)
                    seconds.append(result.seconds)
                    progress(min(1, stamp / self.max_seconds),
                             f'frame {result.index}')
            if previous is None:
                raise gr.Error('this clip has no frame that can be read')
            if writer is None:  # of one frame
                writer = VideoWriter(target, previous[0].shape[:2], fps)
                writer.write(previous[0])
            writer.close()
        except (SourceError, OSError, ValueError) as error:
            # without the place where the server keeps uploads
            words = str(error).replace(str(path), 'the clip')
            raise gr.Error(f'this clip cannot be segmented: {words}') \
                from None
        took = time.perf_counter() - begin
        lines = [f'{len(seconds)} frames, {1e3 * np.median(seconds):.0f} ms '
                 f'each, {len(seconds) / took:.1f} per second with decoding '
                 'and drawing']
        if cut:
            lines.append(f'only the first {self.max_seconds:g} s')
        if problems:
            lines.append(f'{problems} frames were damaged')
        return str(target), '; '.join(lines)

    def camera(self, frame: Optional[np.ndarray], name: str, opacity: float,
               stream: Optional[tuple]) -> Tuple[Any, str, Any]:
        """A frame of the visitor's camera; the memory stays theirs."""
        if frame is None:
            return None, '', stream
        segmentor = self.networks.get(name)
        key = (name, frame.shape)
        if stream is None or stream[0] != key:
            stream = (key, segmentor.session())
        frame = np.ascontiguousarray(frame[..., ::-1])
        result = stream[1].feed(frame)
        if result.labels is None:
            return None, str(result.problem), stream
        colours = self.networks.colours(name)
        picture = paint(frame, result.labels, colours,
                        np.ones(len(colours), bool), opacity)
        return picture, f'{1e3 * result.seconds:.0f} ms', stream


def build(networks: Networks, max_seconds: float) -> gr.Blocks:
    """The page."""
    page = Page(networks, max_seconds)
    private = dict(api_visibility='private', concurrency_id='network',
                   concurrency_limit=1)
    with gr.Blocks(title='rtseg_plugin', analytics_enabled=False,
                   delete_cache=(600, 3600)) as blocks:
        gr.Markdown('# Real-time segmentation')
        with gr.Row():
            first = gr.Dropdown(networks.names, value=networks.names[0],
                                label='network', elem_id='network')
            second = gr.Dropdown([NONE, *networks.names], value=NONE,
                                 label='compare with', elem_id='second')
            opacity = gr.Slider(0, 1, 0.5, label='opacity')
        with gr.Tab('image'):
            one, two = gr.State(), gr.State()
            with gr.Row():
                file = gr.Image(
                    sources=['upload', 'webcam', 'clipboard'],
                    label='drop an image', elem_id='image')
                # the file that came, so that a broken one gets our words
                file.preprocess = lambda payload: payload and payload.path
                with gr.Column():
                    picture = gr.Image(label='classes', interactive=False,
                                       elem_id='picture')
                    slider = gr.ImageSlider(visible=False, interactive=False,
                                            elem_id='slider')
                    said = gr.Markdown(elem_id='times')
                    classes = gr.CheckboxGroup(
                        label='classes and their share; switch them off',
                        visible=False, elem_id='classes')
            inputs = [file, first, second, opacity]
            outputs = [one, two, picture, slider, classes, said]
            for event in (file.input, first.change, second.change):
                event(lambda path, *rest: page.image(path, *rest)
                      if path else [gr.skip()] * len(outputs),
                      inputs, outputs, **private)
            for event in (classes.input, opacity.release):
                event(page.redraw, [one, two, classes, opacity],
                      [picture, slider], show_progress='hidden',
                      api_visibility='private')
        with gr.Tab('clip'):
            with gr.Row():
                clip = gr.File(label='drop a clip', file_types=['video'],
                               elem_id='clip')
                played = gr.Video(label='classes', interactive=False,
                                  autoplay=True, elem_id='played')
            clip_said = gr.Markdown(elem_id='clip-times')
            clip.upload(page.video, [clip, first, opacity],
                        [played, clip_said], **private)
        with gr.Tab('camera'):
            stream = gr.State()
            with gr.Row():
                lens = gr.Image(sources=['webcam'], streaming=True,
                                label='camera', elem_id='lens')
                live = gr.Image(label='classes', interactive=False,
                                elem_id='live')
            live_said = gr.Markdown(elem_id='live-times')
            lens.stream(page.camera, [lens, first, opacity, stream],
                        [live, live_said, stream], stream_every=0.1,
                        show_progress='hidden', **private)
    return blocks


def main(argv: Optional[List[str]] = None) -> None:
    args = parse_args(argv)
    networks = Networks(args.model, args.device, args.threads)
    try:
        networks.get(networks.names[0])  # what fails, fails now
    except (OSError, RuntimeError, ValueError) as error:
        sys.exit(f'error: {error}')
    font = ['system-ui', 'sans-serif']  # none is fetched
    blocks = build(networks, args.max_seconds)
    blocks.queue(max_size=16)
    blocks.launch(
        server_name=args.host, server_port=args.port, share=False,
        max_file_size=args.max_upload * 2**20, show_error=True,
        footer_links=[], ssr_mode=False, inbrowser=False,
        enable_monitoring=False, state_session_capacity=50,
        theme=gr.themes.Base(font=font, font_mono=['monospace']))


if __name__ == '__main__':
    main()
