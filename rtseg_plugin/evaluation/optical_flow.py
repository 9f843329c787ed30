"""Optical flow between two frames, and labels moved along it.

A flow (H, W, 2) is in pixels, x before y: what is at (x, y) in one frame is
at (x + flow[y, x, 0], y + flow[y, x, 1]) in the other.
"""
import os.path as osp
from typing import NamedTuple, Optional, Tuple

import cv2
import mmcv
import numpy as np
from mmseg.registry import TASK_UTILS

UNKNOWN = 1e9
"""Middlebury's bound: a component beyond it says that the flow is unknown."""

_DIS_PRESETS = dict(
    ultrafast=cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    fast=cv2.DISOPTICAL_FLOW_PRESET_FAST,
    medium=cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)


class Frame(NamedTuple):
    """What a flow backend may look at.

    Attributes:
        path (str): File of the frame, or a name for it.
        image (np.ndarray, optional): BGR, uint8, (H, W, 3).
    """

    path: str
    image: Optional[np.ndarray] = None


def read_flo(path: str) -> np.ndarray:
    """Read a Middlebury .flo file.

    Returns:
        np.ndarray: (H, W, 2), float32.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not one, or is cut off.
    """
    if not osp.isfile(path):
        raise FileNotFoundError(f'{path} does not exist')
    try:
        return mmcv.flowread(path)
    except (OSError, TypeError, ValueError) as error:
        raise ValueError(f'{path} ({osp.getsize(path)} bytes) is no .flo '
                         'file, or is cut off') from error


def resize_flow(flow: np.ndarray, height: int, width: int) -> np.ndarray:
    """The same motion in a frame of another size; unknown stays unknown."""
    if flow.shape[:2] == (height, width):
        return flow
    scale = (width / flow.shape[1], height / flow.shape[0])
    unknown = (np.abs(flow) > UNKNOWN).any(2)
    result = cv2.resize(
        np.where(unknown[..., None], 0, flow) * np.float32(scale),
        (width, height))
    if unknown.any():
        near = cv2.resize(unknown.astype(np.float32), (width, height))
        result[near > 0] = 2 * UNKNOWN
    return result


def warp_labels(labels: np.ndarray,
                flow: np.ndarray,
                outside: int = 255) -> np.ndarray:
    """Labels of the other frame, brought back along the flow.

    Args:
        labels (np.ndarray): (H, W) of the frame that the flow leads to,
            uint8.
        flow (np.ndarray): (H, W, 2), from the frame that is asked for.
        outside (int): Label where the flow leads out of the frame or is
            unknown. Defaults to 255.

    Returns:
        np.ndarray: (H, W), ``labels[y + flow_y, x + flow_x]``, nearest.
    """
    if flow.shape[:2] != labels.shape:
        raise ValueError(
            f'flow of {flow.shape[:2]} for labels of {labels.shape}')
    return cv2.remap(
        labels,
        *_target(flow),
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=outside)


def _target(flow: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Where the flow leads, x and y."""
    height, width = flow.shape[:2]
    # far outside is outside too, and remap takes no coordinates that large
    bound = 4.0 * max(height, width)
    flow = np.clip(flow, -bound, bound)
    return (flow[..., 0] + np.arange(width, dtype=np.float32),
            flow[..., 1] + np.arange(height, dtype=np.float32)[:, None])


def occluded(forward: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """Where the way forth and back does not lead home.

    The usual test: |f + b(x + f)|^2 > 0.01 (|f|^2 + |b(x + f)|^2) + 0.5.

    Args:
        forward (np.ndarray): (H, W, 2), from this frame to the other.
        backward (np.ndarray): (H, W, 2), from the other to this.

    Returns:
        np.ndarray: (H, W), bool; leaving the frame is not counted.
    """
    back = cv2.remap(
        backward,
        *_target(forward),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE)
    missed = np.square(forward + back).sum(2)
    length = np.square(forward).sum(2) + np.square(back).sum(2)
    return missed > 0.01 * length + 0.5


@TASK_UTILS.register_module()
class DISFlow:
    """Flow estimated by OpenCV's dense inverse search.

    `Fast Optical Flow using Dense Inverse Search
    <https://arxiv.org/abs/1603.03590>`_. Nothing to download; about 33 ms for
    512x1024 on two cores.

    Args:
        preset (str): 'ultrafast', 'fast' or 'medium'. Defaults to 'medium'.
    """

    needs_images = True

    def __init__(self, preset: str = 'medium') -> None:
        if preset not in _DIS_PRESETS:
            raise ValueError(
                f'preset must be one of {tuple(_DIS_PRESETS)}, not {preset!r}')
        self.name = f'DIS {preset}'
        self._dis = cv2.DISOpticalFlow.create(_DIS_PRESETS[preset])

    def __call__(self, this: Frame, other: Frame) -> np.ndarray:
        """Flow from one frame to the other, (H, W, 2)."""
        return self._dis.calc(
            cv2.cvtColor(this.image, cv2.COLOR_BGR2GRAY),
            cv2.cvtColor(other.image, cv2.COLOR_BGR2GRAY), None)


@TASK_UTILS.register_module()
class FloFiles:
    """Flow read from .flo files, one per frame and to the next frame.

    For numbers that can be compared with a paper's, from the estimator that
    the paper used, or for the true flow of rendered scenes. The file of a
    frame has the frame's path below ``img_root``, below ``root``, with
    another suffix.

    Args:
        root (str): Folder of the flow files.
        img_root (str): Folder of the frames.
        img_suffix (str): Suffix of the frames. Defaults to
            '_leftImg8bit.png'.
        flow_suffix (str): Suffix of the flow files. Defaults to '_flow.flo'.
        name (str): What to print as the flow's origin. Defaults to
            'precomputed'.
    """

    needs_images = False

    def __init__(self,
                 root: str,
                 img_root: str,
                 img_suffix: str = '_leftImg8bit.png',
                 flow_suffix: str = '_flow.flo',
                 name: str = 'precomputed') -> None:
        self.root = root
        self.img_root = img_root
        self.img_suffix = img_suffix
        self.flow_suffix = flow_suffix
        self.name = name

    def path_of(self, frame: Frame) -> str:
        """Flow file of a frame.

        Raises:
            ValueError: If the frame is not below ``img_root`` or has another
                suffix.
        """
        below = osp.relpath(frame.path, self.img_root)
        if below.startswith(osp.pardir) or not below.endswith(
                self.img_suffix):
            raise ValueError(f'{frame.path} is not a file *{self.img_suffix} '
                             f'below {self.img_root}')
        return osp.join(self.root,
                        below[:-len(self.img_suffix)] + self.flow_suffix)

    def __call__(self, this: Frame, other: Frame) -> np.ndarray:
        """Flow from a frame to the next one, (H, W, 2).

        Raises:
            FileNotFoundError: If there is no flow file.
        """
        return read_flo(self.path_of(this))
