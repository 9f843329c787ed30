"""The front door: from a trained network to labels."""
from pathlib import Path
from typing import Any, Optional, Tuple

import numpy as np

from ..utils.runtimes import need
from .prediction import Prediction
from .resize import Resize
from .sources import Source, open_sources
from .video_session import VideoSession

LIVE_POLICIES = ('latest', 'all')


class Segmentor:
    """A trained network that segments images, videos and streams.

    .. code-block:: python

        segmentor = Segmentor('sctnet-s-street')
        for result in segmentor.predict('photos'):
            result.save(f'out/{result.index}.png')

    Args:
        model (str | Path | Config): The name of a network that the package
            brings trained, such as 'sctnet-s-street'; a config, its path or
            the name of a recipe; or a folder that
            ``tools/deployment/export.py`` wrote.
        checkpoint (str, optional): Weights for a config. Defaults to None:
            its initial ones, with which only speed means anything.
        device (str, optional): Where a config's network runs; a folder has
            its own. Defaults to None: a GPU if there is one.
        backend (str): What runs it: 'torch' for a config; a folder runs on
            what it was made for. Defaults to 'torch'.
        precision (str, optional): 'fp32', 'bf16' or 'fp16' for a config;
            a folder has its own. Defaults to None: as the weights are.
        size (tuple[int, int], optional): Height and width to work at, to
            which frames are resized; labels always have the size of the
            frame. Defaults to None: the size that a folder was made for, or
            as the config's test pipeline resizes.
        threads (int, optional): CPU threads. Defaults to None: as PyTorch has
            them, or all that the process may use for a folder.

    Attributes:
        config (Config | None): None of a folder.
        network (TorchNetwork | DeployedNetwork): Frames in, labels out.
        classes (list[str] | None): Names of the labels, None where neither
            the checkpoint nor the config's data set knows them.
        palette (list | None): RGB of each, or None.
        interpolation (str): How frames are resized.
        resize_backend (str): What resizes them.

    Raises:
        FileNotFoundError: If there is no such config, checkpoint or folder.
        RuntimeError: If the checkpoint is not of this model, or unreadable.
        ValueError: If arguments do not fit each other.
    """

    def __init__(self,
                 model: Any,
                 checkpoint: Optional[str] = None,
                 device: Optional[str] = None,
                 backend: str = 'torch',
                 precision: Optional[str] = None,
                 size: Optional[Tuple[int, int]] = None,
                 threads: Optional[int] = None):
        self.model, self.checkpoint = model, checkpoint
        self.config: Any = None
        self.network: Any
        self._resize: Optional[Resize] = None
        folder = isinstance(model, (str, Path)) and Path(model).is_dir()
        if folder:
            self._load_folder(checkpoint, device, backend, precision, threads)
        else:
            self._load_config(checkpoint, device, backend, precision, threads)
        self.interpolation, self.resize_backend = 'bilinear', 'cv2'
        if self._resize is not None:
            self.interpolation = self._resize.interpolation
            self.resize_backend = self._resize.backend
        if self.resize_backend == 'pillow':
            need('PIL', 'pillow')
        if size is not None and (len(size) != 2 or min(size) < 1):
            raise ValueError(f'size is a height and a width, got {size}')
        fixed = self.network.size
        if size and fixed and tuple(size) != tuple(fixed):
            raise ValueError(f'{model} was made for {fixed[0]}x{fixed[1]}, '
                             f'not for {size[0]}x{size[1]}')
        size = size or fixed
        self.size: Any = tuple(size) if size else None
        self.classes = self.network.classes
        self.palette = self.network.palette

    def _load_folder(self, checkpoint: Optional[str], device: Optional[str],
                     backend: str, precision: Optional[str],
                     threads: Optional[int]) -> None:
        from .deployed import DeployedNetwork
        if checkpoint is not None:
            raise ValueError(f'{self.model} holds its weights: no checkpoint')
        self.network = DeployedNetwork(self.model, threads)
        has = self.network.metadata
        for name, want, have in (('backend', backend, has['format']),
                                 ('precision', precision, has['precision']),
                                 ('device', device, self.network.device)):
            if want not in (None, 'torch', have):
                raise ValueError(f'{self.model} was made for {name} {have!r}, '
                                 f'not for {want!r}: export it anew')
        if has.get('resize'):  # older folders do not say
            self._resize = Resize(**has['resize'])

    def _load_config(self, checkpoint: Optional[str], device: Optional[str],
                     backend: str, precision: Optional[str],
                     threads: Optional[int]) -> None:
        if backend != 'torch':
            raise ValueError(
                f'a config runs on torch; for {backend!r} export it with '
                'tools/deployment/export.py and give the folder that it '
                'writes')
        import torch
        from mmengine.config import Config

        from ..models.inference import to_inference
        from ..utils.host_tools import load_config
        from ..utils.packaged_weights import packaged_networks
        from .network import load_segmentor, test_resize
        from .torch_network import TorchNetwork
        model = self.model
        if not isinstance(model, Config):
            if checkpoint is None and str(model) in packaged_networks():
                self.checkpoint = str(model)
            self.config = load_config(model)
        else:
            self.config = model
        if threads is not None:
            torch.set_num_threads(threads)
        if device is None:
            device = 'cuda' if torch.cuda.is_available() else 'cpu'
        self.network = TorchNetwork(
            to_inference(load_segmentor(model, checkpoint, device)), precision)
        self._resize = test_resize(self.config)

    def facts(self) -> dict:
        """What runs, for reports."""
        if hasattr(self.network, 'metadata'):
            has = self.network.metadata
            return dict(model=str(self.model), checkpoint=has['checkpoint'],
                        backend=has['format'], precision=has['precision'],
                        device=self.network.device,
                        threads=self.network.threads)
        import torch
        return dict(model=str(self.config.filename),
                    checkpoint=self.checkpoint, backend='torch',
                    precision=self.network.precision or 'fp32',
                    device=str(self.network.device),
                    threads=torch.get_num_threads())

    def work_size(self, frame: np.ndarray) -> Tuple[int, int]:
        """Height and width that the network works at for such a frame.

        Args:
            frame (np.ndarray): (H, W, 3).

        Returns:
            tuple[int, int]: ``size``, or what the first Resize of the
            config's test pipeline makes of it.
        """
        if self.size is not None:
            return self.size
        if self._resize is None:
            return frame.shape[0], frame.shape[1]
        return self._resize.size(frame)

    def session(self, **options: Any) -> VideoSession:
        """A new stream, to feed frame by frame.

        Args:
            **options: Of :class:`VideoSession`.

        Returns:
            VideoSession: On this network.
        """
        return VideoSession(self, **options)

    def predict(self,
                source: Source,
                stride: int = 1,
                on_bad_frame: str = 'hold',
                restart_after: Optional[int] = None,
                live: str = 'latest',
                max_frames: Optional[int] = None,
                hwaccel: Optional[str] = None,
                timeout: float = 10.,
                reconnect: int = 5) -> Prediction:
        """Segment whatever it is, frame by frame.

        Images of a list, folder or pattern are one stream in that order, for
        a network with memory the frames of a video; ``restart_after=1`` makes
        it look at each by itself. Several streams run side by side.

        Args:
            source (Source): An image (H, W, 3), uint8, BGR, or a clip
                (T, H, W, 3); an image file, a folder of images, a pattern
                such as ``'shots/*.png'``; a video file, the number of a
                camera, an address such as rtsp://...; anything that gives
                images one after the other; a list of images, or a list of
                several streams.
            stride (int): See :class:`VideoSession`. Defaults to 1.
            on_bad_frame (str): See :class:`VideoSession`. Defaults to 'hold'.
            restart_after (int, optional): See :class:`VideoSession`.
            live (str): Of a camera or an address, 'latest' drops (and counts)
                frames for which there was no time, 'all' takes every one.
                Defaults to 'latest'.
            max_frames (int, optional): Of each stream. Defaults to None.
            hwaccel (str, optional): A device that decodes video files, such
                as 'cuda'. Defaults to None.
            timeout (float): Seconds of silence after which an address is
                lost. Defaults to 10.
            reconnect (int): How often a live source that is lost is connected
                to again, in a row. Defaults to 5.

        Returns:
            Prediction: An iterator of :class:`FrameResult`, with ``streams``
            that say what became of each source.

        Raises:
            FileNotFoundError: If a source does not exist.
            SourceError: If one cannot be opened or, while iterating, gives no
                good frame.
        """
        if live not in LIVE_POLICIES:
            raise ValueError(f'live must be one of {LIVE_POLICIES}, got '
                             f'{live!r}')
        if max_frames is not None and max_frames < 1:
            raise ValueError('max_frames must be at least 1, got '
                             f'{max_frames}')
        options = dict(stride=stride, on_bad_frame=on_bad_frame,
                       restart_after=restart_after)
        self.session(**options)  # bad arguments before anything is opened
        sources = open_sources(
            source, hwaccel=hwaccel, timeout=timeout, reconnect=reconnect)
        return Prediction(sources, [self.session(**options) for _ in sources],
                          live == 'latest', max_frames)
