"""Transforms of images for clips: every frame gets the same draws."""
import copy
import random
from contextlib import contextmanager
from typing import (
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS


def _generator_states() -> tuple:
    return (np.random.get_state(), random.getstate(), torch.get_rng_state())


def _set_generator_states(states: tuple) -> None:
    np.random.set_state(states[0])
    random.setstate(states[1])
    torch.set_rng_state(states[2])


class _Repeated:
    """A method that gives out again what it returned at first.

    mmcv's ``cache_random_params`` does the same but leaves the generators
    where they are when it repeats, so that what a transform draws after such
    a method would differ from frame to frame.
    """

    def __init__(self, method: Callable) -> None:
        self.method = method
        self.returned: List[tuple] = []
        self.position = 0

    def __call__(self, *args, **kwargs):
        if self.position == len(self.returned):
            value = self.method(*args, **kwargs)
            self.returned.append((value, _generator_states()))
        value, states = self.returned[self.position]
        _set_generator_states(states)
        self.position += 1
        return value


def _random_methods(
        transform: Callable) -> Iterator[Tuple[BaseTransform, str]]:
    for name in getattr(transform, '_methods_with_randomness', ()):
        # the list is shared by all subclasses of a class that has one
        if hasattr(transform, name):
            yield transform, name
    if isinstance(transform, Iterable):
        for part in transform:
            yield from _random_methods(part)


@contextmanager
def _repeated_draws(transform: Callable) -> Iterator[Callable[[], None]]:
    """Let marked methods repeat themselves after each call of what it gives.
    """
    methods = {}
    for owner, name in _random_methods(transform):
        methods[id(owner), name] = owner, _Repeated(getattr(owner, name))
    for (_, name), (owner, method) in methods.items():
        setattr(owner, name, method)

    def rewind() -> None:
        for _, method in methods.values():
            method.position = 0

    try:
        yield rewind
    finally:
        for (_, name), (owner, _) in methods.items():
            delattr(owner, name)


@TRANSFORMS.register_module()
class ApplyToClip(BaseTransform):
    """Image transforms for clips: one draw for all frames and labels.

    Each transform sees one frame at a time, as an image with its label, and
    repeats for all of them what it drew for the first it saw: its methods
    marked by ``cache_randomness`` return the same values, and where it draws
    elsewhere the generators (NumPy, Python, PyTorch) are set back. The frame
    seen first is the last labelled one, since the host's ``RandomCrop`` looks
    at the label.

    Args:
        transforms (Sequence[dict | BaseTransform]): Transforms of ``img`` and
            ``gt_seg_map``, such as the host's ``RandomResize``,
            ``RandomCrop``, ``RandomFlip``, ``PhotoMetricDistortion`` and
            :class:`RandomShift`.
    """

    def __init__(
            self, transforms: Sequence[Union[dict, BaseTransform]]) -> None:
        self.transforms = [
            TRANSFORMS.build(transform)
            if isinstance(transform, dict) else transform
            for transform in transforms
        ]

    def transform(self, results: dict) -> Optional[dict]:
        """Transform all frames.

        Returns:
            dict | None: None if a transform gave None for a frame.
        """
        for transform in self.transforms:
            results = self._apply(transform, results)
            if results is None:
                return None
        return results

    @staticmethod
    def _apply(transform: BaseTransform, results: dict) -> Optional[dict]:
        images = results['img']
        labels = results.get('gt_seg_map', [None] * len(images))
        lead = max((index for index, label in enumerate(labels)
                    if label is not None),
                   default=len(images) - 1)
        rest = {
            key: value
            for key, value in results.items()
            if key not in ('img', 'gt_seg_map', 'seg_fields')
        }
        others = [index for index in range(len(images)) if index != lead]
        done: Dict[int, dict] = {}
        before = _generator_states()
        with _repeated_draws(transform) as rewind:
            for index in [lead, *others]:
                frame = dict(copy.copy(rest), img=images[index], seg_fields=[])
                if labels[index] is not None:
                    frame.update(
                        gt_seg_map=labels[index], seg_fields=['gt_seg_map'])
                if index != lead:
                    _set_generator_states(before)
                    rewind()
                done[index] = transform(frame)
                if done[index] is None:
                    return None
                if index == lead:
                    after = _generator_states()
        _set_generator_states(after)
        merged = {
            key: value
            for key, value in done[lead].items()
            if key not in ('img', 'gt_seg_map', 'seg_fields')
        }
        merged['seg_fields'] = results.get('seg_fields', [])
        merged['img'] = [done[index]['img'] for index in range(len(images))]
        if 'gt_seg_map' in results:
            merged['gt_seg_map'] = [
                done[index].get('gt_seg_map') for index in range(len(images))
            ]
        return merged

    def __repr__(self) -> str:
        return f'{type(self).__name__}(transforms={self.transforms})'
