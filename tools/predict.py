"""Segment images, videos and streams: overlays, labels and latencies.

    mim run rtseg_plugin predict SRC --model MODEL --checkpoint X --out DIR

SRC is an image, a folder, a pattern, a video file, the number of a camera or
a live address (rtsp://...); several of them run side by side. Ctrl-C stops
it, and what was segmented until then is there.
"""
import argparse
import os
import signal
import sys
import time
from typing import Any, Iterator, Optional

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from rtseg_plugin.apis import FrameResult, Prediction, Segmentor
from rtseg_plugin.apis.recorder import SAVE, Recorder
from rtseg_plugin.apis.segmentor import LIVE_POLICIES
from rtseg_plugin.apis.video_session import BAD_FRAME_POLICIES


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument('sources', nargs='+', metavar='SRC')
    parser.add_argument(
        '--model', required=True,
        help='config, name of a recipe, or folder that export.py wrote')
    parser.add_argument(
        '--checkpoint', help='weights; without them only speed means anything')
    parser.add_argument('--out', help='folder for what is written')
    parser.add_argument(
        '--save', choices=SAVE, default='overlay',
        help='pictures, numbers of the classes, or both')
    parser.add_argument(
        '--video', action='store_true',
        help='the overlays of a folder of images become a video instead of '
        'pictures')
    parser.add_argument('--device', help='default: a GPU if there is one')
    parser.add_argument('--threads', type=int, help='CPU threads')
    parser.add_argument('--precision', choices=['fp32', 'bf16', 'fp16'])
    parser.add_argument(
        '--size', type=int, nargs=2, metavar=('H', 'W'),
        help='size to work at; default: as the test pipeline resizes')
    parser.add_argument(
        '--stride', type=int, default=1,
        help='remember every how many frames, default 1')
    parser.add_argument(
        '--restart-after', type=int, metavar='N',
        help='forget all after N frames; 1: every image by itself')
    parser.add_argument(
        '--on-bad-frame', choices=BAD_FRAME_POLICIES, default='hold',
        help='what comes out for a dropped or damaged frame: the last labels '
        '(default), nothing, or an error')
    parser.add_argument(
        '--live', choices=LIVE_POLICIES, default='latest',
        help='of a live source the newest frame (default) or every one')
    parser.add_argument(
        '--reconnect', type=int, default=5, metavar='N',
        help='attempts to connect again to a live source, default 5; http is '
        'read as a file, without')
    parser.add_argument(
        '--timeout', type=float, default=10., metavar='SECONDS',
        help='silence after which an address is lost, default 10')
    parser.add_argument(
        '--hwaccel', help='device that decodes video files, such as cuda')
    parser.add_argument('--opacity', type=float, default=0.5)
    parser.add_argument('--max-frames', type=int)
    parser.add_argument(
        '--warm-up', type=int, default=5,
        help='frames that stay out of the statistics, default 5')
    parser.add_argument(
        '--engine', choices=['here', 'ray'], default='here',
        help='ray: very many images, each by itself, on several processes or '
        'machines; started again, it goes on where it was killed')
    parser.add_argument(
        '--workers', type=int, default=2, help='of --engine ray, default 2')
    args = parser.parse_args()
    for name in ('video', 'stride', 'restart_after', 'max_frames', 'hwaccel',
                 'on_bad_frame', 'live', 'warm_up', 'timeout', 'reconnect'):
        if args.engine == 'ray' and getattr(args, name) != parser.get_default(
                name):
            parser.error(f'--{name.replace("_", "-")} is for streams: with '
                         '--engine ray every image is by itself')
    if args.video and args.save == 'labels':
        parser.error('--video is of overlays: take --save overlay or both')
    if args.threads is not None and args.threads < 1:
        parser.error(f'--threads must be at least 1, got {args.threads}')
    if not 0 <= args.opacity <= 1:
        parser.error(f'--opacity is from 0 to 1, got {args.opacity}')
    if not args.timeout > 0:
        parser.error(f'--timeout must be above 0, got {args.timeout}')
    for name in ('warm_up', 'reconnect'):
        if getattr(args, name) < 0:
            parser.error(f'--{name.replace("_", "-")} cannot be negative, got '
                         f'{getattr(args, name)}')
    return args


def run_on_ray(args: argparse.Namespace) -> int:
    """Images on Ray Data.

    Returns:
        int: The exit status: 1 if there was a problem with any image.
    """
    from rtseg_plugin.apis.ray_engine import predict_images
    if args.out is None:
        raise ValueError('--engine ray needs --out, where it looks for what '
                         'is done')
    report = predict_images(
        args.sources, args.out, args.save, args.workers, args.opacity,
        model=args.model, checkpoint=args.checkpoint, device=args.device,
        precision=args.precision, size=args.size, threads=args.threads or 1)
    print('{found} images: {done} segmented, {skipped} were there'.format(
        **report))
    for path, problem in report['problems'].items():
        print(f'  {path}: {problem}')
    return int(bool(report['problems']))


def summarise(report: dict) -> str:
    """Lines about one stream."""
    dropped = report['dropped_frames']
    lines = [
        f'{report["source"]}: {report["frames"]} frames, '
        f'{report["bad_frames"]} of them bad'
        f'{f", {dropped} more left out" if dropped else ""}; work size '
        f'{report["work_size"]}, decoded by {report["decoder"]}'
    ]
    if report['median_ms'] is not None:
        lines.append(
            '  ms per frame: average {average_ms:.1f}, median {median_ms:.1f},'
            ' p99 {p99_ms:.1f}, maximum {maximum_ms:.1f} '
            '({maximum_over_median:.2f} medians), first frame '
            '{first_frame_ms:.1f}'.format(**report))
    lines += [f'  frame {x["frame"]}: {x["problem"]}'
              for x in report['problems'][:10]]
    more = report['bad_frames'] - 10
    if more > 0:
        lines.append(f'  and {more} bad frames more')
    return '\n'.join([*lines, f'  ended: {report["ended"]}'])


class Terminal:
    """Ctrl-C of the terminal on standard input, for this process alone.

    Whoever started it by Python's ``subprocess.call``, as ``mim run`` does,
    kills it a quarter of a second after a Ctrl-C that both get. So it becomes
    a process group of its own, the one in the foreground, until it ends.
    Nothing happens where that cannot be: without a terminal, in the
    background, on Windows.
    """

    def __init__(self) -> None:
        self._others: Optional[int] = None
        self._before: dict = {}
        self._take()

    def _take(self) -> None:
        if not hasattr(os, 'tcsetpgrp') or not os.isatty(0):
            return
        group = os.getpgrp()
        try:
            if group == os.getpid() or os.tcgetpgrp(0) != group:
                return
        except OSError:  # a terminal, but not the one of this session
            return
        self._before = {
            # who is not in the foreground gets it for changing that
            signal.SIGTTOU: signal.signal(signal.SIGTTOU, signal.SIG_IGN),
            signal.SIGTSTP: signal.signal(signal.SIGTSTP, self._suspend)
        }
        self._others = group
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())

    def give_back(self) -> None:
        """Put everything back; once more does nothing."""
        if self._others is None:
            return
        try:
            if os.tcgetpgrp(0) == os.getpid():
                os.tcsetpgrp(0, self._others)
            os.setpgid(0, self._others)
        except OSError:  # the others, or the terminal, have gone
            pass
        self._others = None
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _suspend(self, number: int, frame: Any) -> None:
        """Ctrl-Z stops the others too, so that the shell sees it."""
        self.give_back()
        os.killpg(0, signal.SIGTSTP)
        time.sleep(0.1)  # stops in it, until there is fg or bg
        self._take()


class Signals:
    """Ends a loop at Ctrl-C and SIGTERM, but never while it writes."""

    def __init__(self) -> None:
        self.waiting, self.status = False, 0
        self._before = {
            number: signal.signal(number, self._stop)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        self._terminal = Terminal()

    def _stop(self, number: int, frame: Any) -> None:
        self.status = 128 + number
        if self.waiting:
            self.waiting = False
            raise SystemExit(self.status)

    def each(self, results: Prediction) -> Iterator[FrameResult]:
        """Results until a signal comes, also while one is waited for."""
        try:
            while not self.status:
                self.waiting = True
                result = next(results, None)
                self.waiting = False
                if result is None:
                    return
                yield result
        except SystemExit:
            pass
        finally:
            self.waiting = False
            if self.status:
                results.close('interrupted')

    def restore(self) -> None:
        """Put back what was there before."""
        self._terminal.give_back()
        for number, handler in self._before.items():
            signal.signal(number, handler)


def run(args: argparse.Namespace) -> int:
    """Predict and record; a signal ends it early.

    Returns:
        int: The exit status: 128 and the signal's number after one.
    """
    segmentor = Segmentor(args.model, args.checkpoint, args.device,
                          precision=args.precision, size=args.size,
                          threads=args.threads)
    if segmentor.palette is None:
        print('colours are made up: neither the checkpoint nor the data set '
              'of the config names as many as there are classes')
    sources: Any = args.sources if len(args.sources) > 1 else args.sources[0]
    prediction = segmentor.predict(
        sources, args.stride, args.on_bad_frame, args.restart_after,
        args.live, args.max_frames, args.hwaccel, args.timeout,
        args.reconnect)
    recorder = Recorder(
        prediction.streams, args.out, args.save, args.video, args.opacity,
        args.warm_up, segmentor.facts())
    lengths = [stream.length for stream in prediction.streams]
    total = None if None in lengths else sum(
        min(x, args.max_frames or x) for x in lengths)
    bar = Progress(
        BarColumn(), MofNCompleteColumn(),
        TextColumn('frames, {task.fields[fps]:.1f} fps'), TimeElapsedColumn(),
        console=Console(stderr=True))
    error: Optional[Exception] = None
    signals = Signals()
    try:
        with bar:
            task = bar.add_task('', total=total, fps=0.)
            start = time.perf_counter()
            for done, result in enumerate(signals.each(prediction), 1):
                recorder.take(result)
                fps = done / (time.perf_counter() - start)
                bar.update(task, completed=done, fps=fps)
    except Exception as problem:
        error = problem
        prediction.close(f'error: {problem}')
    finally:
        try:
            recorder.close()
        except Exception as problem:  # what could not be written
            error = error or problem
        finally:
            signals.restore()
    if args.checkpoint is None and segmentor.facts()['checkpoint'] is None:
        print('no checkpoint: the labels are those of random weights')
    for report in recorder.reports:
        print(summarise(report))
    if error is not None:
        raise error
    return signals.status


def main() -> None:
    try:
        args = parse_args()
        status = (run_on_ray if args.engine == 'ray' else run)(args)
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        sys.exit(f'error: {error}')
    sys.exit(status)


if __name__ == '__main__':
    main()
