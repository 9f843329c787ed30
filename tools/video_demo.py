"""Segment a video, a folder of frames, a camera or an RTSP address.

Writes an overlay video and a JSON of per-frame latencies per source:

    python tools/video_demo.py clip.mp4 --out demo \\
        --config lmanet-erfnet-s4-r21_stage2_2xb5-50e_cityscapes-512x1024.py \\
        --checkpoint lmanet.pth

Several sources of one size run side by side, one forward for all.
"""
import argparse
import sys

import torch

from rtseg_plugin.apis import VideoInferencer
from rtseg_plugin.utils.host_tools import resolve_config


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        'sources', nargs='+', metavar='SRC',
        help='video file, folder of images, number of a camera, or address')
    parser.add_argument(
        '--config',
        default='lmanet-erfnet-s4-r21_stage2_2xb5-50e_cityscapes-512x1024.py',
        help='a video config, or the name of a recipe')
    parser.add_argument(
        '--checkpoint', help='weights; without them only speed means anything')
    parser.add_argument('--out', help='folder for overlay and latencies')
    parser.add_argument(
        '--device', help='default: a GPU if there is one')
    parser.add_argument('--threads', type=int, help='CPU threads')
    parser.add_argument(
        '--size', type=int, nargs=2, metavar=('H', 'W'),
        help='size to work at; default: as the test pipeline resizes')
    parser.add_argument(
        '--stride', type=int, default=1,
        help='remember every how many frames, default 1')
    parser.add_argument(
        '--on-bad-frame', choices=['hold', 'skip', 'raise'], default='hold',
        help='what comes out for a dropped or damaged frame: the last labels '
        '(default), nothing, or an error')
    parser.add_argument('--opacity', type=float, default=0.5)
    parser.add_argument('--max-frames', type=int)
    parser.add_argument(
        '--warm-up', type=int, default=5,
        help='frames that stay out of the statistics, default 5')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    device = args.device or ('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        inferencer = VideoInferencer(
            resolve_config(args.config), args.checkpoint, device, args.size,
            args.stride, args.on_bad_frame)
        reports = inferencer(
            args.sources, args.out, args.opacity, args.max_frames,
            args.warm_up)
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        sys.exit(f'error: {error}')
    if args.checkpoint is None:
        print('no checkpoint: the labels are those of random weights')
    for report in reports:
        print(f'{report["source"]}: {report["frames"]} frames, '
              f'{len(report["problems"])} of them bad; work size '
              f'{report["work_size"]}, {report["device"]}')
        if report['median_ms'] is not None:
            print('  ms per frame: average {average_ms:.1f}, median '
                  '{median_ms:.1f}, p99 {p99_ms:.1f}, maximum '
                  '{maximum_ms:.1f} ({maximum_over_median:.2f} medians), '
                  'first frame {first_frame_ms:.1f}'.format(**report))
        for problem in report['problems'][:10]:
            print(f'  frame {problem["frame"]}: {problem["problem"]}')


if __name__ == '__main__':
    main()
