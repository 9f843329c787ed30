"""A deployed folder as a network. Imports neither torch nor the host."""
from collections import namedtuple
from pathlib import Path
from typing import Any, Optional, Tuple, Union

import numpy as np

from ..utils.deployed_folder import DeploymentError, read_metadata
from ..utils.label_map import label_map
from ..utils.runtimes import RUNTIMES, available_cpus

__all__ = ['DeployedNetwork', 'DeploymentError']


class DeployedNetwork:
    """What ``tools/deployment/export.py`` wrote, ready to run.

    The same for every network: one without memory gives an empty state.

    Args:
        folder (str | Path): With ``metadata.json`` and the model.
        threads (int, optional): CPU threads; None takes all that this process
            may use. Defaults to None.

    Attributes:
        metadata (dict): As in the folder.
        classes (list[str] | None): Names, None where the export knew none.
        palette (list[list[int]] | None): RGB of each class.
        size (tuple[int, int] | None): Height and width of frames, None where
            any will do that is not below ``minimum``.
        minimum (int): Shortest side that the network takes.
        stateful (bool): Whether frames depend on the frames before them.
        num_classes (int): How many labels there are.
        device (str): Where it runs, 'cpu' or 'cuda'.
        threads (int): CPU threads that are used.

    Raises:
        DeploymentError: If the folder is none, incomplete, changed or of
            another version, or its runtime is not installed.
    """

    def __init__(self,
                 folder: Union[str, Path],
                 threads: Optional[int] = None):
        self.folder = Path(folder)
        self.metadata = metadata = read_metadata(folder)
        if metadata['format'] not in RUNTIMES:
            raise DeploymentError(
                f'{folder} is for {metadata["format"]!r}, this rtseg_plugin '
                f'runs {sorted(RUNTIMES)}')
        self.threads = threads or available_cpus()
        self.classes = metadata['classes']
        self.palette = metadata['palette']
        image = metadata['input']
        self.size = tuple(image['size']) if image['size'] else None
        self.minimum = image['minimum']
        self.stateful = bool(metadata['state'])
        # one map tells a label from the absence of it
        self.num_classes = max(metadata['output']['channels'], 2)
        self.device = 'cuda' if metadata['format'] == 'tensorrt' else 'cpu'
        self._names = [field['name'] for field in metadata['state']]
        self._state_type: Any = namedtuple(  # type: ignore[misc]
            'State', self._names)
        self._tables = self._make_tables()
        self.runtime: Any = RUNTIMES[metadata['format']](
            self.folder / metadata['model'], metadata, self.threads)

    def _make_tables(self) -> np.ndarray:
        """(3, 256), the network's value of each byte of each input channel."""
        values = np.arange(256, dtype=np.float32)
        return np.stack([(values - np.float32(mean)) / np.float32(std)
                         for mean, std in zip(self.metadata['mean'],
                                              self.metadata['std'])])

    def check(self, frame: Any) -> None:
        """Raise ValueError unless the frame is an image of the right size."""
        if (not isinstance(frame, np.ndarray) or frame.dtype != np.uint8
                or frame.ndim != 3 or frame.shape[2] != 3):
            have = (f'{frame.dtype} {frame.shape}' if isinstance(
                frame, np.ndarray) else type(frame).__name__)
            raise ValueError('a frame is a uint8 array (height, width, 3) in '
                             f'the order BGR, got {have}')
        height, width = frame.shape[:2]
        if self.size not in (None, (height, width)):
            raise ValueError(
                f'{self.folder} takes frames of {self.size[0]}x{self.size[1]}'
                f' (height x width), got {height}x{width}: resize them, or '
                f'export with --size {height} {width} or --dynamic')
        if min(height, width) < self.minimum:
            raise ValueError(
                f'{self.folder} takes frames of at least {self.minimum} '
                f'pixels a side, got {height}x{width}: enlarge or pad them')

    def prepare(self, frame: np.ndarray) -> np.ndarray:
        """What the graph takes of a frame.

        Args:
            frame (np.ndarray): (H, W, 3), uint8, BGR.

        Returns:
            np.ndarray: The frame as (1, H, W, 3) where the graph normalises
            it, else normalised, (1, 3, H, W), float32.
        """
        if self.metadata['input']['raw']:
            return np.ascontiguousarray(frame[None])
        step = -1 if self.metadata['channel_order'] == 'rgb' else 1
        image = np.empty((1, 3, *frame.shape[:2]), np.float32)
        for channel, table in enumerate(self._tables):
            np.take(table, frame[..., ::step][..., channel],
                    out=image[0, channel])
        return image

    def empty_state(self) -> Tuple[np.ndarray, ...]:
        """The state before the first frame of a stream: named, all zero."""
        return self._state_type(*(np.zeros(field['shape'], field['dtype'])
                                  for field in self.metadata['state']))

    def run(self,
            frame: np.ndarray,
            state: Optional[tuple] = None) -> Tuple[np.ndarray, tuple]:
        """What the graph gives for a frame.

        Args:
            frame (np.ndarray): (H, W, 3), uint8, BGR.
            state (tuple, optional): What the call for the frame before
                returned; None for the first frame. Defaults to None.

        Returns:
            tuple: Logits (C, h, w) at the network's stride, or labels (H, W)
            where ``metadata['output']['kind']`` is 'labels', and the state
            for the next frame.

        Raises:
            ValueError: If the frame is of another type or size.
        """
        self.check(frame)
        return self.run_prepared(self.prepare(frame), state)

    def run_prepared(
            self,
            image: np.ndarray,
            state: Optional[tuple] = None) -> Tuple[np.ndarray, tuple]:
        """:meth:`run` on what :meth:`prepare` returned."""
        if state is None:
            state = self.empty_state()
        feeds = {self.metadata['input']['name']: image}
        feeds.update(zip(self._names, state))
        output, *after = self.runtime.run(feeds)
        return output[0], self._state_type(*after)

    def labels(self, output: np.ndarray,
               size: Tuple[int, int]) -> np.ndarray:
        """Labels of what :meth:`run` returned.

        Args:
            output (np.ndarray): Of the graph.
            size (tuple[int, int]): Height and width of the frame.

        Returns:
            np.ndarray: (H, W), the argmax of the logits resized to the
            frame, uint8 or int64 for more than 256 classes.
        """
        kind = self.metadata['output']
        if kind['kind'] == 'labels':
            return output
        return label_map(output[None], size, kind['align_corners'],
                         kind['threshold'])[0]

    def step(self,
             frame: np.ndarray,
             state: Optional[tuple] = None) -> Tuple[np.ndarray, tuple]:
        """Labels of the next frame of a stream, or of an image.

        Args:
            frame (np.ndarray): See :meth:`run`.
            state (tuple, optional): See :meth:`run`.

        Returns:
            tuple: Labels (H, W) and the state for the next frame.

        Raises:
            ValueError: If the frame is of another type or size.
        """
        output, state = self.run(frame, state)
        return self.labels(output, frame.shape[:2]), state
