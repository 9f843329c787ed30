"""Loading, transforming and packing of clips.

Between :class:`LoadClip` and :class:`PackClipInputs` ``results['img']`` is a
list of T images (H, W, 3) of one size, oldest first, and
``results['gt_seg_map']``, if there are labels, a list of T maps (H, W) or
None. What the pipeline hands to the network:

- ``inputs`` (T, 3, H, W), uint8,
- ``data_samples.gt_sem_seg`` (1, H, W), the label of the last frame, if it
  has one,
- ``data_samples.clip_gt_sem_seg`` (T, H, W), labels of all frames with 255
  throughout a frame that has none, if any was loaded but the last,
- meta ``video_id`` (str), ``frame_id`` (int, of the last frame), ``frame_ids``
  (list[int]) and ``img_paths`` (list[str]) beside the host's.

A video segmentor answers with ``pred_sem_seg`` (1, H, W), the prediction of
the last frame, and, if it predicts every frame, ``clip_pred_sem_seg``
(T, H, W), a PixelData like the others. The metrics read these names.
"""
import copy
import os
import random
from collections import OrderedDict
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

import mmcv
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmengine.structures import PixelData
from mmseg.datasets.transforms import PackSegInputs
from mmseg.registry import TRANSFORMS

from .checked_loading import (
    DamagedSampleError,
    LoadAnnotations,
    LoadImageFromFile,
)

_IGNORE = 255


@TRANSFORMS.register_module()
class LoadClip(BaseTransform):
    """Load the frames of a clip, from image files or from a video file.

    A frame that occurs twice in a clip is decoded once; with ``cache_size``
    so is one that the clips before have decoded. The cache belongs to one
    worker of the data loader: :class:`VideoSampler` makes clips that overlap
    follow each other there.

    Reads ``img_paths``, or ``video_path`` and ``frame_ids``; adds ``img`` (a
    list), ``img_shape`` and ``ori_shape``.

    Args:
        cache_size (int): Decoded frames to keep. Useful values are 0, where
            clips are drawn at random, and the span of a clip in frames.
            Defaults to 0.
        color_type (str): See :class:`mmcv.LoadImageFromFile`. Defaults to
            'color'.
        imdecode_backend (str): See :class:`mmcv.LoadImageFromFile`. Defaults
            to 'cv2'.
        backend_args (dict, optional): See :class:`mmcv.LoadImageFromFile`.
            Defaults to None.
    """

    def __init__(self,
                 cache_size: int = 0,
                 color_type: str = 'color',
                 imdecode_backend: str = 'cv2',
                 backend_args: Optional[dict] = None) -> None:
        if cache_size < 0:
            raise ValueError(f'cache_size is {cache_size}, not 0 or more')
        self.cache_size = cache_size
        self.loader = LoadImageFromFile(
            color_type=color_type,
            imdecode_backend=imdecode_backend,
            backend_args=backend_args)
        self._cache: 'OrderedDict[str, np.ndarray]' = OrderedDict()
        self._video: Optional[Tuple[int, str, mmcv.VideoReader]] = None

    def __getstate__(self) -> dict:
        return {
            **self.__dict__, '_cache': OrderedDict(),
            '_video': None  # an open video does not travel to a worker
        }

    def transform(self, results: dict) -> dict:
        """Load all frames.

        Raises:
            FileNotFoundError: A frame does not exist.
            DamagedSampleError: A frame cannot be decoded, or has not the size
                of the others.
        """
        paths = results['img_paths']
        images: List[np.ndarray] = []
        for path, frame_id in zip(paths, results['frame_ids']):
            image = self._cache.get(path)
            if image is None:
                image = self._decode(results.get('video_path'), path, frame_id)
            self._cache[path] = image
            self._cache.move_to_end(path)
            images.append(image)
            if image.shape != images[0].shape:
                raise DamagedSampleError(
                    f'the frames of a clip differ in size: {paths[0]} is '
                    f'{images[0].shape}, {path} {image.shape}')
        while len(self._cache) > self.cache_size:
            self._cache.popitem(last=False)
        # a frame that is kept here or in the reader, or is in the clip twice,
        # must not be written to by a transform that works in place
        owned = (
            self.cache_size == 0 and 'video_path' not in results
            and len(set(paths)) == len(paths))
        results['img'] = images if owned else [img.copy() for img in images]
        results['img_shape'] = images[0].shape[:2]
        results['ori_shape'] = images[0].shape[:2]
        return results

    def _decode(self, video_path: Optional[str], path: str,
                frame_id: int) -> np.ndarray:
        if video_path is not None:
            image = self._reader(video_path).get_frame(frame_id)
            if image is None:
                raise DamagedSampleError(
                    f'frame {frame_id} of {video_path} cannot be decoded')
            return image
        return self.loader.transform(dict(img_path=path))['img']

    def _reader(self, path: str) -> mmcv.VideoReader:
        # a capture must not be shared with a forked worker
        if self._video is None or self._video[:2] != (os.getpid(), path):
            self._video = (os.getpid(), path,
                           mmcv.VideoReader(path, cache_capacity=1))
        return self._video[2]

    def __repr__(self) -> str:
        return f'{type(self).__name__}(cache_size={self.cache_size})'


@TRANSFORMS.register_module()
class LoadClipAnnotations(LoadAnnotations):
    """Load the label of the last frame of a clip, or all labels.

    Reads ``seg_map_paths``; adds ``gt_seg_map``, a list with None for frames
    without a label. After :class:`ApplyToClip` with a resize, as in the
    host's test pipelines, labels keep their own size.

    Args:
        all_frames (bool): Whether to load the labels of all frames that have
            one. Defaults to False.
        num_classes (int, optional): If given, labels must lie below it, or
            be ``ignore_index``.
        ignore_index (int): Label of no class. Defaults to 255.
        reduce_zero_label (bool, optional): As the host's.
        backend_args (dict, optional): As the host's.
        imdecode_backend (str): As the host's. Defaults to 'pillow'.
    """

    def __init__(self,
                 all_frames: bool = False,
                 num_classes: Optional[int] = None,
                 ignore_index: int = _IGNORE,
                 reduce_zero_label: Optional[bool] = None,
                 backend_args: Optional[dict] = None,
                 imdecode_backend: str = 'pillow') -> None:
        super().__init__(
            num_classes=num_classes,
            ignore_index=ignore_index,
            reduce_zero_label=reduce_zero_label,
            backend_args=backend_args,
            imdecode_backend=imdecode_backend)
        self.all_frames = all_frames

    def transform(self, results: dict) -> dict:
        """Load the labels."""
        labels: List[Optional[np.ndarray]] = []
        paths = results.get('seg_map_paths', [])
        for index, path in enumerate(paths):
            if path is None or not (self.all_frames
                                    or index == len(paths) - 1):
                labels.append(None)
                continue
            frame = dict(
                img_path=results['img_paths'][index],
                seg_map_path=path,
                seg_fields=[],
                ori_shape=results['ori_shape'],
                label_map=results.get('label_map'),
                reduce_zero_label=results.get('reduce_zero_label', False))
            labels.append(super().transform(frame)['gt_seg_map'])
        if any(label is not None for label in labels):
            results['gt_seg_map'] = labels
            results['seg_fields'].append('gt_seg_map')
        return results


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
class RandomShift(BaseTransform):
    """Shift image and label by a few pixels along each axis.

    LMANet's augmentation, with one difference: its code fills the uncovered
    edge of the label with class 0 (road) where the shift is negative; here it
    is always ignored.

    Args:
        max_shift (int): Largest shift in pixels; the shift is drawn for each
            axis from -max_shift ... max_shift. Defaults to 2.
        pad_val (float): What the image gets at the uncovered edge. Defaults
            to 0.
        seg_pad_val (int): What the label gets there. Defaults to 255.
    """

    def __init__(self,
                 max_shift: int = 2,
                 pad_val: float = 0,
                 seg_pad_val: int = _IGNORE) -> None:
        if max_shift < 0:
            raise ValueError(f'max_shift is {max_shift}, not 0 or more')
        self.max_shift = max_shift
        self.pad_val = pad_val
        self.seg_pad_val = seg_pad_val

    @cache_randomness
    def _draw(self) -> Tuple[int, int]:
        down, right = np.random.randint(-self.max_shift, self.max_shift + 1, 2)
        return int(down), int(right)

    def transform(self, results: dict) -> dict:
        """Shift ``img`` and all ``seg_fields``."""
        down, right = self._draw()
        results['img'] = _shift(results['img'], down, right, self.pad_val)
        for key in results.get('seg_fields', []):
            results[key] = _shift(results[key], down, right, self.seg_pad_val)
        return results

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(max_shift={self.max_shift}, '
                f'pad_val={self.pad_val}, seg_pad_val={self.seg_pad_val})')


def _shift(array: np.ndarray, down: int, right: int,
           fill: float) -> np.ndarray:
    result = np.full_like(array, fill)
    height, width = array.shape[:2]
    result[max(down, 0):height + min(down, 0),
           max(right, 0):width + min(right, 0)] = array[
               max(-down, 0):height + min(-down, 0),
               max(-right, 0):width + min(-right, 0)]
    return result


@TRANSFORMS.register_module()
class UseWorkSize(BaseTransform):
    """Let predictions keep the size that the network works at.

    The host resizes logits to ``ori_shape``, the size of the file. After this
    transform that is the size of the image as it is, for images and clips;
    labels have to be loaded before the resize, so that they follow it. Used
    with :class:`WorkSizeIoUMetric`.
    """

    def transform(self, results: dict) -> dict:
        """Set ``ori_shape`` to ``img_shape``."""
        results['ori_shape'] = results['img_shape']
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


@TRANSFORMS.register_module()
class PackClipInputs(PackSegInputs):
    """Pack a clip; the module's docstring says what comes out.

    Args:
        meta_keys (Sequence[str]): Keys that become meta of the data sample.
            Defaults to the host's and those of clips.
    """

    def __init__(
        self,
        meta_keys: Sequence[str] = ('img_path', 'seg_map_path', 'ori_shape',
                                    'img_shape', 'pad_shape', 'scale_factor',
                                    'flip', 'flip_direction',
                                    'reduce_zero_label', 'video_id',
                                    'frame_id', 'frame_ids', 'img_paths')
    ) -> None:
        super().__init__(meta_keys=meta_keys)

    def transform(self, results: dict) -> dict:
        """Pack.

        Returns:
            dict: ``inputs`` and ``data_samples``.
        """
        labels = results.get('gt_seg_map', [None])
        still = {
            key: value
            for key, value in results.items()
            if key not in ('img', 'gt_seg_map')
        }
        if labels[-1] is not None:
            still['gt_seg_map'] = labels[-1]
        packed = super().transform(still)
        # (T, H, W, 3) -> (T, 3, H, W)
        clip = np.ascontiguousarray(
            np.stack(results['img']).transpose(0, 3, 1, 2))
        packed['inputs'] = torch.from_numpy(clip)
        known = [label for label in labels if label is not None]
        if len(known) > (labels[-1] is not None):
            blank = np.full_like(known[0], _IGNORE)
            data = np.stack(
                [blank if label is None else label for label in labels])
            packed['data_samples'].set_data(
                dict(clip_gt_sem_seg=PixelData(
                    data=torch.from_numpy(data.astype(np.int64)))))
        return packed
