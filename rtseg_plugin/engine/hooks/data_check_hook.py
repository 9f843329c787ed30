from typing import Iterator, List, Optional, Set

import numpy as np
from mmengine.hooks import Hook
from mmengine.optim import BaseOptimWrapper
from mmengine.runner import Runner
from mmseg.models.decode_heads import STDCHead
from mmseg.models.losses import CrossEntropyLoss, OhemCrossEntropy
from mmseg.registry import HOOKS
from torch import nn

from ...datasets.transforms.relabel_pixels import RelabelPixels
from .unwrapped import unwrapped

KEY = 'train_dataloader.dataset'
# that are read at the most; one with more than one class in it is enough
_LABELS = 64


def _datasets(dataset) -> Iterator:
    """What is inside of wrappers that repeat or join data sets."""
    if hasattr(dataset, 'datasets'):
        for part in dataset.datasets:
            yield from _datasets(part)
    elif hasattr(dataset, 'dataset'):
        yield from _datasets(dataset.dataset)
    else:
        yield dataset


def _labels(dataset, index: int) -> Optional[Set[int]]:
    """Values of an item's label as it is loaded; None if there is none."""
    results = dataset.get_data_info(index)
    for transform in dataset.pipeline.transforms:
        # what is drawn at random comes behind the loading
        if 'gt_seg_map' not in results or isinstance(transform, RelabelPixels):
            results = transform(results)
        if results is None or 'inputs' in results:  # left out, or packed
            return None
    maps = results.get('gt_seg_map')
    maps = maps if isinstance(maps, list) else [maps]
    return {
        int(value)
        for one in maps if one is not None for value in np.unique(one)
    }


def _losses(key: str, loss: Optional[nn.Module]) -> Iterator:
    """Softmax losses of the host, with their keys."""
    if isinstance(loss, nn.ModuleList):
        for i, part in enumerate(loss):
            yield from _losses(f'{key}[{i}]', part)
    elif (isinstance(loss, (CrossEntropyLoss, OhemCrossEntropy))
          and not getattr(loss, 'use_sigmoid', False)
          and not getattr(loss, 'use_mask', False)):
        yield key, loss


@HOOKS.register_module()
class DataCheckHook(Hook):
    """Stops a training whose labels do not fit the model, before it begins.

    Without it a head with too few classes ends in ``IndexError: Target 2 is
    out of bounds`` in the loss, and masks of 0 and 255, where 255 is no
    class, train to ``nan``. A few labels are read as the pipeline loads them:
    nothing random is run, so that a training does not depend on this hook.
    """

    def before_run(self, runner: Runner) -> None:
        """Compare heads, classes and labels.

        Args:
            runner (Runner): The runner.

        Raises:
            ValueError: If they do not fit; names the key of the config.
        """
        if not isinstance(runner.optim_wrapper, BaseOptimWrapper):
            return
        heads = self._heads(unwrapped(runner.model))
        for dataset in _datasets(runner.train_dataloader.dataset):
            classes = getattr(dataset, 'metainfo', {}).get('classes')
            for key, head in heads.items():
                self._check_classes(key, head.num_classes, classes)
            if heads and hasattr(dataset, 'pipeline'):
                self._check_labels(dataset, heads)
                self._check_weights(runner, dataset, heads)

    @staticmethod
    def _heads(model: nn.Module) -> dict:
        """Heads that say how many classes they have, by their key."""
        heads = {}
        for key in ('decode_head', 'auxiliary_head'):
            head = getattr(model, key, None)
            parts = {key: head}
            if isinstance(head, nn.ModuleList):
                parts = {f'{key}[{i}]': part for i, part in enumerate(head)}
            # STDC's boundaries are no classes of the data
            heads.update({
                f'model.{name}': part
                for name, part in parts.items() if hasattr(part, 'num_classes')
                and not isinstance(part, STDCHead)
            })
        return heads

    def _check_weights(self, runner: Runner, dataset, heads: dict) -> None:
        """Class weights of the host's losses: their number, ignored labels.

        Its ``CrossEntropyLoss`` looks the weight of an ignored label up too.
        """
        lost = []
        for key, head in heads.items():
            for name, loss in _losses(
                    f'{key}.loss_decode', getattr(head, 'loss_decode', None)):
                if head.out_channels == 1:
                    raise ValueError(
                        f'{name} is a softmax over one channel, which tells '
                        f'nothing apart: set its use_sigmoid=True, or leave '
                        f'{key}.out_channels=1 out')
                if loss.class_weight is None or isinstance(
                        loss.class_weight, str):
                    continue
                number = len(loss.class_weight)
                if number != head.out_channels:
                    raise ValueError(
                        f'{name}.class_weight holds {number} weights, but '
                        f'{key} has {head.out_channels} classes: give it as '
                        'many, or None for none')
                if (isinstance(loss, CrossEntropyLoss)
                        and not 0 <= head.ignore_index < number):
                    lost.append((name, head.ignore_index))
        if not lost:
            return
        name, ignored = lost[0]
        words = (
            f'{", ".join(name for name, _ in lost)}: the CrossEntropyLoss of '
            'MMSegmentation with class_weight stops at pixels of no class '
            f'(IndexError: index {ignored} is out of bounds)')
        way_out = (
            'set its type to ClassWeightedCrossEntropyLoss, which leaves '
            'them out and takes class_weight, loss_weight and loss_name, or '
            'class_weight to None')
        number = min(_LABELS, len(dataset))
        for index in np.linspace(0, len(dataset) - 1, number).astype(int):
            if ignored in (_labels(dataset, int(index)) or ()):
                raise ValueError(f'{words}, which label {index} of {KEY} '
                                 f'holds: {way_out}')
        runner.logger.warning(
            f'{words}. The {number} labels of {KEY} that were read hold '
            'none, but images smaller than the crop are filled up with '
            f'them: {way_out}')

    @staticmethod
    def _check_classes(key: str, number: int,
                       classes: Optional[tuple]) -> None:
        if classes is not None and number < len(classes):
            raise ValueError(
                f'{key}.num_classes is {number}, but {KEY} has '
                f'{len(classes)} classes, so that a label of {number} would '
                f'be out of bounds in the loss: set {key}.num_classes='
                f'{len(classes)}, in every head, or the metainfo of {KEY}')

    def _check_labels(self, dataset, heads: dict) -> None:
        ignored = {head.ignore_index for head in heads.values()}
        seen: List[Set[int]] = []
        number = min(_LABELS, len(dataset))
        for index in np.linspace(0, len(dataset) - 1, number).astype(int):
            values = _labels(dataset, int(index))
            if values is None:
                return
            seen.append(values)
            for key, head in heads.items():
                wrong = sorted(v for v in values - {head.ignore_index}
                               if v >= head.num_classes)
                if wrong:
                    raise ValueError(
                        f'label {index} of {KEY} holds {wrong[:10]}; with '
                        f'{key}.num_classes={head.num_classes} labels are 0 '
                        f'to {head.num_classes - 1}, or {head.ignore_index} '
                        f'for no class ({key}.ignore_index)')
            if len(values - ignored) > 1 or values - ignored - {0}:
                return
        values = set().union(*seen)
        if values & ignored:
            raise ValueError(
                f'the {len(seen)} labels of {KEY} that were read hold only '
                f'{sorted(values)}, and {sorted(values & ignored)} is no '
                'class, so that there is one class or none to learn. If these '
                'are masks of 0 and 255, write 1 for 255 (check_dataset --out '
                "does it), or put dict(type='RelabelPixels', old=255, new=1) "
                f'behind LoadAnnotations in {KEY}.pipeline, and in those of '
                'val_dataloader and test_dataloader')
