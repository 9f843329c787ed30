"""The host's loading transforms, with errors that name the file.

They keep the host's names, since ``mmseg.apis`` looks for these names in a
test pipeline, and are registered in this package's own registry
(``rtseg_plugin/registry.py``). A pipeline asks for them with
``_scope_='rtseg_plugin'``.
"""
import logging
import os.path as osp
from typing import Optional

import numpy as np
from mmcv.transforms import LoadImageFromFile as HostLoadImageFromFile
from mmengine.logging import print_log
from mmseg.datasets.transforms import LoadAnnotations as HostLoadAnnotations

CHECK = 'mim run rtseg_plugin check_dataset IMAGES MASKS'
_SUSPICIOUS = 8
"""Labels of 0 and 255 alone, of the first ones, that bring a warning."""


class DamagedSampleError(ValueError):
    """An image or a label file that cannot be used; names the file."""


def _size(path: str) -> str:
    return f'{osp.getsize(path)} bytes' if osp.isfile(path) else 'remote'


class LoadImageFromFile(HostLoadImageFromFile):
    """The host's transform; a damaged image raises and names its file.

    Args and keys are those of :class:`mmcv.transforms.LoadImageFromFile`.
    """

    def transform(self, results: dict) -> Optional[dict]:
        """Load ``results['img_path']``.

        Raises:
            FileNotFoundError: If there is no such file.
            DamagedSampleError: If it is empty, cut off or no image.
        """
        path = results['img_path']
        try:
            return super().transform(results)
        except FileNotFoundError:
            raise FileNotFoundError(f'image {path} does not exist') from None
        except Exception as error:
            raise DamagedSampleError(
                f'image {path} ({_size(path)}) cannot be decoded: it is '
                'empty, cut off or no image. Replace the file, or take it '
                'out of the data set') from error


class LoadAnnotations(HostLoadAnnotations):
    """The host's transform; a label that does not fit raises, with its file.

    Masks of 0 and 255 train in silence, since 255 is no class: where the
    first labels with both hold nothing else, a warning says so once.

    Args:
        reduce_zero_label (bool, optional): As the host's.
        num_classes (int, optional): If given, labels must lie below it, or
            be ``ignore_index``.
        ignore_index (int): Label of no class. Defaults to 255.
        backend_args (dict, optional): As the host's.
        imdecode_backend (str): As the host's. Defaults to 'pillow'.
    """

    def __init__(self,
                 reduce_zero_label: Optional[bool] = None,
                 num_classes: Optional[int] = None,
                 ignore_index: int = 255,
                 backend_args: Optional[dict] = None,
                 imdecode_backend: str = 'pillow'):
        super().__init__(
            backend_args=backend_args, imdecode_backend=imdecode_backend)
        # the host's constructor warns of every value, also of its own use
        self.reduce_zero_label = reduce_zero_label
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self._black_and_white = 0

    def _load_seg_map(self, results: dict) -> None:
        path = results['seg_map_path']
        try:
            super()._load_seg_map(results)
        except FileNotFoundError:
            raise FileNotFoundError(f'label {path} does not exist') from None
        except AssertionError:  # of reduce_zero_label, says enough
            raise
        except Exception as error:
            raise DamagedSampleError(
                f'label {path} ({_size(path)}) cannot be decoded: it is '
                'empty, cut off or no image') from error
        label = results['gt_seg_map']
        image_shape = tuple(results['ori_shape'])
        if label.shape != image_shape:
            colours = label.ndim == 3 and label.shape[:2] == image_shape
            raise DamagedSampleError(
                f'label {path} has shape {label.shape}, its image '
                f'{results["img_path"]} has {image_shape}: one label per '
                'pixel is needed, in a file of one channel'
                + (f'. Colours become labels with: {CHECK} --classes '
                   'NAME=R,G,B ... --out DIR' if colours else ''))
        if self.num_classes is None:
            return
        self._look_for_masks_of_0_and_255(label, path)
        wrong = (label >= self.num_classes) & (label != self.ignore_index)
        if wrong.any():
            values = np.unique(label[wrong])[:10].tolist()
            raise DamagedSampleError(
                f'label {path} holds {values}; with {self.num_classes} '
                f'classes labels are 0 to {self.num_classes - 1}, or '
                f'{self.ignore_index} for no class (after '
                f'reduce_zero_label={self.reduce_zero_label}). What your '
                f'masks hold: {CHECK}')

    def _look_for_masks_of_0_and_255(self, label: np.ndarray,
                                     path: str) -> None:
        if self._black_and_white < 0 or self.num_classes < 2:
            return
        black = label == 0
        white = label == self.ignore_index
        if not (black | white).all():
            self._black_and_white = -1  # there are others: never mind
            return
        self._black_and_white += bool(black.any() and white.any())
        if self._black_and_white == _SUSPICIOUS:
            self._black_and_white = -1
            print_log(
                f'{_SUSPICIOUS} labels hold 0 and {self.ignore_index} only, '
                f'{path} for instance, and {self.ignore_index} is no class: '
                'nothing but class 0 is learnt. If it is a class of yours: '
                f'{CHECK} --classes background=0 object={self.ignore_index} '
                '--out DIR', 'current', logging.WARNING)
