"""What a checkpoint is worth, as a page with pictures.

    report CONFIG CHECKPOINT --out DIR

Runs the config's test set once and writes DIR/report.md and report.json: IoU
of each class, the confusion matrix, the images with the lowest IoU beside
their truth, and how far the probabilities can be trusted (reliability and
expected calibration error, https://arxiv.org/abs/1706.04599).
"""
import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

import cv2
import numpy as np
import torch
from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from rich.console import Console
from rich.progress import track

from rtseg_plugin.apis import load_segmentor
from rtseg_plugin.apis.results import colour_table, overlay
from rtseg_plugin.utils.host_tools import load_config
from rtseg_plugin.utils.whole_folder import whole_folder

BINS = 15


class Image(NamedTuple):
    """An image of the test set, once segmented."""

    iou: float
    path: str
    labels: np.ndarray
    truth: np.ndarray


class Counts:
    """What is summed over the test set.

    Args:
        classes (int): Number of classes.
        worst (int): How many images to keep.
    """

    def __init__(self, classes: int, worst: int):
        self.classes, self.worst = classes, worst
        self.matrix = np.zeros((classes, classes), np.int64)
        # pixels, sum of probabilities and of hits, by probability
        self.bins = np.zeros((3, BINS))
        self.images: List[Image] = []
        self.seen = 0

    def add(self, probability: np.ndarray, labels: np.ndarray,
            truth: np.ndarray, path: str, ignore: int) -> None:
        """One image.

        Args:
            probability (np.ndarray): (H, W), of the predicted class.
            labels (np.ndarray): (H, W), predicted.
            truth (np.ndarray): (H, W).
            path (str): Of the image.
            ignore (int): Label of no class.
        """
        valid = truth != ignore
        true, said = truth[valid].astype(np.int64), labels[valid]
        pairs = np.bincount(self.classes * true + said,
                            minlength=self.classes**2)
        matrix = pairs.reshape(self.classes, self.classes)
        self.matrix += matrix
        sure = probability[valid]
        place = np.minimum((sure * BINS).astype(int), BINS - 1)
        for row, weights in zip(self.bins, (None, sure, true == said)):
            row += np.bincount(place, weights, BINS)
        self.seen += 1
        if valid.any():
            self.images.append(Image(
                float(np.nanmean(class_iou(matrix))), path, labels, truth))
            self.images.sort(key=lambda image: image.iou)
            del self.images[self.worst:]

    def calibration(self) -> Dict[str, Any]:
        """Expected calibration error, and the points of the diagram."""
        pixels, sure, hits = self.bins
        with np.errstate(invalid='ignore'):
            sure, hits = sure / pixels, hits / pixels
        gap = np.abs(sure - hits)
        error = np.nansum(gap * pixels) / pixels.sum()
        return dict(error=float(error), pixels=pixels.tolist(),
                    probability=_listed(sure), accuracy=_listed(hits))


def _listed(values: np.ndarray) -> List[Optional[float]]:
    return [None if np.isnan(x) else float(x) for x in values]


def class_iou(matrix: np.ndarray) -> np.ndarray:
    """IoU by class, nan for one that is neither there nor predicted."""
    union = matrix.sum(0) + matrix.sum(1) - matrix.diagonal()
    with np.errstate(invalid='ignore'):
        return matrix.diagonal() / union


def parse_args(argv: Optional[List[str]] = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', metavar='CONFIG')
    parser.add_argument('checkpoint', metavar='CHECKPOINT')
    parser.add_argument('--out', required=True, type=Path, metavar='DIR',
                        help='new folder')
    parser.add_argument('--worst', type=int, default=8, metavar='N',
                        help='images to show (default: %(default)s)')
    parser.add_argument('--device', help='default: a GPU if there is one')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args(argv)


@torch.inference_mode()
def evaluate(model: torch.nn.Module, cfg: Config, worst: int) -> Counts:
    """Run the test set through a model."""
    loader = Runner.build_dataloader(cfg.test_dataloader, seed=0)
    if not len(loader.dataset):
        raise ValueError(f'the test set {loader.dataset.data_root} is empty')
    counts = Counts(model.num_classes, worst)
    ignore = model.decode_head.ignore_index
    for batch in track(loader, 'testing', console=Console(stderr=True),
                       transient=True):
        for sample in model.test_step(batch):
            truth = sample.gt_sem_seg.data.squeeze(0).cpu().numpy()
            logits = sample.seg_logits.data
            labels = sample.pred_sem_seg.data.squeeze(0).cpu().numpy()
            if model.out_channels == 1:
                one = logits.sigmoid()[0]
                probability = torch.maximum(one, 1 - one)
            else:
                probability = logits.softmax(0).amax(0)
            if labels.shape != truth.shape:
                raise ValueError(
                    f'{sample.img_path}: prediction {labels.shape}, truth '
                    f'{truth.shape}; LoadAnnotations stands behind Resize in '
                    'a test pipeline, so that the truth keeps its size')
            counts.add(probability.float().cpu().numpy(), labels, truth,
                       sample.img_path, ignore)
    return counts


def draw_matrix(matrix: np.ndarray, names: List[str], path: Path) -> None:
    """Shares of each true class by predicted class."""
    from matplotlib.figure import Figure
    share = matrix / np.maximum(1, matrix.sum(1, keepdims=True))
    side = max(4, 0.42 * len(names) + 2)
    figure = Figure((side, side), layout='constrained')
    axes = figure.subplots()
    axes.imshow(share, cmap='Blues', vmin=0, vmax=1)
    axes.set(xticks=range(len(names)), yticks=range(len(names)),
             xlabel='predicted', ylabel='true')
    axes.set_xticklabels(names, rotation=90)
    axes.set_yticklabels(names)
    if len(names) <= 30:
        for (i, j), value in np.ndenumerate(share):
            if value >= 0.01:
                axes.text(j, i, f'{100 * value:.0f}', ha='center',
                          va='center', fontsize=7,
                          color='white' if value > 0.5 else 'black')
    figure.savefig(path, dpi=100)


def draw_calibration(found: Dict[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure
    figure = Figure((5, 5), layout='constrained')
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], 'k:', label='as sure as right')
    points = [(x, y) for x, y in zip(found['probability'], found['accuracy'])
              if x is not None]
    axes.plot(*zip(*points), 'o-',
              label=f'expected error {100 * found["error"]:.1f} %')
    axes.set(xlabel='probability of the predicted class',
             ylabel='share of pixels that are right',
             xlim=(0, 1), ylim=(0, 1))
    axes.legend()
    figure.savefig(path, dpi=100)


def draw_worst(images: List[Image], colours: np.ndarray, ignore: int,
               path: Path, width: int = 420) -> None:
    """Rows of image, prediction and truth."""
    rows = []
    for image in images:
        frame = cv2.imread(image.path)
        size = image.labels.shape[::-1]
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        truth = np.where(image.truth == ignore, 255, image.truth)
        row = np.hstack([frame, overlay(frame, image.labels, colours, 0.7),
                         overlay(frame, truth, colours, 0.7)])
        height = round(3 * width * row.shape[0] / row.shape[1])
        row = cv2.resize(row, (3 * width, height),
                         interpolation=cv2.INTER_AREA)
        text = f'{Path(image.path).name}  {100 * image.iou:.1f}'
        for grey, thickness in ((0, 3), (255, 1)):  # white on black
            cv2.putText(row, text, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5,
                        (grey, ) * 3, thickness)
        rows.append(row)
    cv2.imwrite(str(path), np.vstack(rows))


def write(counts: Counts, names: List[str], colours: np.ndarray, ignore: int,
          args: argparse.Namespace) -> float:
    """The folder, whole or not at all; returns the mIoU in percent."""
    iou = 100 * class_iou(counts.matrix)
    pixels = counts.matrix.sum(1)
    accuracy = 100 * counts.matrix.trace() / max(1, counts.matrix.sum())
    mean = float(np.nanmean(iou))
    calibration = counts.calibration()
    order = [i for i in np.argsort(iou) if not np.isnan(iou[i])]
    absent = [name for name, value in zip(names, iou) if np.isnan(value)]
    lines = [
        f'# {Path(args.config).stem}', '',
        f'`{args.checkpoint}` on {counts.seen} images: **mIoU {mean:.2f}**, '
        f'pixel accuracy {accuracy:.2f} %, expected calibration error '
        f'{100 * calibration["error"]:.2f} %.', '',
        '| class | IoU | pixels % | mostly taken for |', '|---|---|---|---|']
    for i in order:
        others = counts.matrix[i].copy()
        others[i] = 0
        most = others.argmax()
        taken = (f'{names[most]} ({100 * others[most] / pixels[i]:.1f} %)'
                 if others[most] else '-')
        lines.append(f'| {names[i]} | {iou[i]:.2f} | '
                     f'{100 * pixels[i] / pixels.sum():.2f} | {taken} |')
    if absent:
        lines += ['', f'Neither there nor predicted: {", ".join(absent)}.']
    lines += [
        '', '## Confusion matrix', '', 'Percent of each true class.', '',
        '![confusion matrix](confusion_matrix.png)', '', '## Worst images',
        '', 'Image, prediction, truth; mean IoU of the classes that are in '
        'one of them.', '', '![worst images](worst.jpg)', '',
        '## Calibration', '', '![calibration](calibration.png)', '']
    with whole_folder(args.out) as work:
        draw_matrix(counts.matrix, names, work / 'confusion_matrix.png')
        draw_calibration(calibration, work / 'calibration.png')
        draw_worst(counts.images, colours, ignore, work / 'worst.jpg')
        (work / 'report.md').write_text('\n'.join(lines), encoding='utf-8')
        (work / 'report.json').write_text(json.dumps(dict(
            config=args.config, checkpoint=args.checkpoint,
            images=counts.seen, miou=mean, accuracy=float(accuracy),
            iou=dict(zip(names, _listed(iou))), calibration=calibration,
            confusion_matrix=counts.matrix.tolist(),
            worst=[dict(image=x.path, iou=100 * x.iou)
                   for x in counts.images]), indent=1))
    return mean


def main(argv: Optional[List[str]] = None) -> None:
    args = parse_args(argv)
    if args.out.exists():
        sys.exit(f'error: {args.out} exists; --out names a new folder')
    device = args.device or ('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        cfg = load_config(args.config, args.cfg_options)
        init_default_scope('mmseg')
        if not os.path.isfile(args.checkpoint):
            raise FileNotFoundError(f'{args.checkpoint} does not exist')
        model = load_segmentor(cfg, args.checkpoint, device)
        counts = evaluate(model, cfg, args.worst)
        meta = model.dataset_meta or {}
        names = [str(x) for x in meta.get('classes') or (
            f'class {i}' for i in range(model.num_classes))]
        mean = write(counts, names, colour_table(
            meta.get('palette'), model.num_classes),
            model.decode_head.ignore_index, args)
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit(f'error: {error}')
    print(f'mIoU {mean:.2f}; wrote {args.out}/report.md')


if __name__ == '__main__':
    main()
