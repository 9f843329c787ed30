"""Look at what a training pipeline makes of a data set.

MMSegmentation's script of this name fails on this stack; this one takes its
arguments, and ``--number``. Of a clip it shows the last frame and its label.
Without a display use ``--not-show`` and ``--output-dir``.
"""
import argparse
import os
import os.path as osp
import sys

from mmengine import DictAction
from mmengine.registry import init_default_scope
from mmengine.utils import track_iter_progress
from mmseg.registry import DATASETS, VISUALIZERS

import rtseg_plugin  # noqa: F401
from rtseg_plugin.utils.host_tools import load_config


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('config', help='config file, or name of a recipe')
    parser.add_argument('--output-dir', help='folder for the pictures')
    parser.add_argument('--not-show', action='store_true')
    parser.add_argument(
        '--show-interval', type=float, default=2, help='seconds per image')
    parser.add_argument('--number', type=int, help='how many, default: all')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    args = parser.parse_args()
    if args.not_show and not args.output_dir:
        parser.error('--not-show needs --output-dir, else nothing happens')
    return args


def main() -> None:
    args = parse_args()
    try:
        cfg = load_config(args.config, args.cfg_options)
        init_default_scope(cfg.get('default_scope', 'mmseg'))
        dataset = DATASETS.build(cfg.train_dataloader.dataset)
    except FileNotFoundError as error:
        sys.exit(f'error: {error}')
    if args.output_dir:
        os.makedirs(args.output_dir, exist_ok=True)
    visualizer = VISUALIZERS.build(cfg.visualizer)
    visualizer.dataset_meta = dataset.metainfo
    number = min(args.number or len(dataset), len(dataset))
    for i in track_iter_progress(range(number)):
        item = dataset[i]
        sample = item['data_samples']
        image = item['inputs']
        if image.dim() == 4:
            image = image[-1]
        # (3, H, W) BGR -> (H, W, 3) RGB
        image = image.permute(1, 2, 0).numpy()[..., ::-1].copy()
        name = osp.splitext(osp.basename(sample.img_path))[0]
        visualizer.add_datasample(
            name=name,
            image=image,
            data_sample=sample,
            draw_gt=True,
            draw_pred=False,
            wait_time=args.show_interval,
            out_file=osp.join(args.output_dir, f'{i:06}_{name}.png')
            if args.output_dir else None,
            show=not args.not_show)


if __name__ == '__main__':
    main()
