import os
from collections import OrderedDict
from typing import List, Optional, Tuple

import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmseg.registry import TRANSFORMS

from .checked_loading import DamagedSampleError, LoadImageFromFile


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
        imdecode_backend (str): See :class:`mmcv.LoadImageFromFile`. Defaults
            to 'cv2'.
        backend_args (dict, optional): See :class:`mmcv.LoadImageFromFile`.
            Defaults to None.
    """

    def __init__(self,
                 cache_size: int = 0,
                 imdecode_backend: str = 'cv2',
                 backend_args: Optional[dict] = None) -> None:
        if cache_size < 0:
            raise ValueError(f'cache_size is {cache_size}, not 0 or more')
        self.cache_size = cache_size
        self.loader = LoadImageFromFile(
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
