"""Frames to calibrate with, and the accuracy that a config asks for."""
from copy import deepcopy
from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import Tensor
from torch.utils.data import DataLoader, Subset

from ..apis.frames import IMAGES, image_files, read_image
from ..apis.resize import Resize, resize_frame
from ..utils.deployed_folder import DeploymentError
from ..utils.host_tools import cause_of, load_config
from .graph import Normalisation, normalise

# that ranges are taken from, at most
CALIBRATION_IMAGES = 100
Size = Tuple[int, int]
# (image (1, 3, H, W), state) -> (logits (1, C, h, w), state)
Step = Callable[[np.ndarray, Any], Tuple[np.ndarray, Any]]


def _all_over(number: int, frames: int = 1) -> List[int]:
    """Which of so many images or clips: the first may be of one city."""
    chosen = min(number, max(1, CALIBRATION_IMAGES // frames))
    return np.linspace(0, number - 1, chosen).round().astype(int).tolist()


class FolderFrames:
    """Images of a folder in the natural order of their names, one stream.

    Args:
        folder (Path): Where they lie, not in folders of its own.
        size (tuple[int, int]): Height and width that they are resized to.
        how (Normalisation): Of the network.
        video (bool): Whether they follow each other: the first ones then, not
            some from all over the folder.
        resize (Resize, optional): Whose interpolation and backend resize
            them. Defaults to None: bilinear, OpenCV.

    Raises:
        DeploymentError: If there is none, or one cannot be read.
    """

    kind = 'images of a folder'

    def __init__(self, folder: Path, size: Size, how: Normalisation,
                 video: bool, resize: Optional[Resize] = None):
        paths = image_files(folder.iterdir())
        self.size, self.how = tuple(size), how
        self._options = {} if resize is None else dict(
            interpolation=resize.interpolation, backend=resize.backend)
        if not paths:
            raise DeploymentError(
                f'{folder} itself holds no images '
                f'({", ".join(IMAGES)}) to calibrate with')
        self.paths = (paths[:CALIBRATION_IMAGES] if video else
                      [paths[i] for i in _all_over(len(paths))])

    def __len__(self) -> int:
        return len(self.paths)

    def streams(self) -> Iterator[List[np.ndarray]]:
        """The whole folder as one stream, read as it is asked for."""
        yield self._read()

    def _read(self) -> Iterator[np.ndarray]:
        for path in self.paths:
            frame, problem = read_image(str(path))
            if frame is None:
                raise DeploymentError(f'{path} is {problem}')
            frame = resize_frame(frame, self.size, **self._options)
            yield normalise(frame, self.how)


class ConfigFrames:
    """Training images of a config through its test pipeline.

    Not those of validation, whose accuracy is measured, unless the config has
    no others.

    Args:
        cfg (Config): With ``val_dataloader`` or ``test_dataloader``.
        segmentor (nn.Module): Whose data preprocessor is used.
        size (tuple[int, int]): Height and width that they have to have.

    Attributes:
        kind (str): Which images they are, for the report.

    Raises:
        DeploymentError: If there is no data set, or images of another size.
    """

    def __init__(self, cfg: Config, segmentor: torch.nn.Module, size: Size):
        self.segmentor, self.size = segmentor, size
        self.kind = 'validation images, the config names no others'
        loader = deepcopy(_validation_part(cfg, 'dataloader'))
        train = deepcopy((cfg.get('train_dataloader') or {}).get('dataset'))
        if loader is None:
            raise DeploymentError(
                'the config has no data set: calibrate with '
                '--calibration FOLDER of images')
        if train is not None:
            self.kind = 'training images'
            loader.dataset = _each_once(train, loader.dataset.pipeline)
        built = _build_loader(cfg, loader)
        # an image is a clip of one frame
        self.clip_length = len(_frames(segmentor, next(iter(built)), size))
        which = _all_over(len(built.dataset), self.clip_length)
        self.loader = DataLoader(
            Subset(built.dataset, which), collate_fn=built.collate_fn)

    def __len__(self) -> int:
        return self.clip_length * len(self.loader)

    def streams(self) -> Iterator[List[np.ndarray]]:
        """Each clip, or each image as a stream of one frame."""
        for batch in self.loader:
            yield _frames(self.segmentor, batch, self.size)


def _each_once(dataset: Any, pipeline: list) -> Any:
    """A data set through a pipeline, without what repeats or mixes it."""
    while 'dataset' in dataset:  # RepeatDataset and others
        dataset = dataset.dataset
    if 'datasets' in dataset:  # ConcatDataset, which has no pipeline
        dataset.datasets = [_each_once(one, pipeline)
                            for one in dataset.datasets]
    else:
        dataset.pipeline = pipeline
    return dataset


def _validation_part(cfg: Config, name: str) -> Any:
    """Of validation, or of the test where a config has no other."""
    return cfg.get(f'val_{name}') or cfg.get(f'test_{name}')


def _build_loader(cfg: Config, loader: dict) -> Any:
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    loader = dict(
        loader, batch_size=1, num_workers=0, persistent_workers=False)
    try:
        built = Runner.build_dataloader(loader)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DeploymentError(
            f"the config's data set is not there ({error}); name it with "
            '--cfg-options, or give --calibration FOLDER of images and no '
            '--max-drop'
        ) from error
    except ValueError as error:  # BaseDataset's, of an empty list
        if 'need at least one array' not in str(error):
            raise
        raise DeploymentError(
            f"the config's data set is empty: {cause_of(error)}") from error
    if not len(built):
        raise DeploymentError("the config's data set is empty")
    return built


def _frames(segmentor: torch.nn.Module, batch: dict,
            size: Size) -> List[np.ndarray]:
    """Of a batch of one image or clip: frames (1, 3, H, W)."""
    inputs = segmentor.data_preprocessor(batch, False)['inputs']
    have = tuple(inputs.shape[-2:])
    if have != tuple(size):
        raise DeploymentError(
            f"the config's test pipeline gives images of {have[0]}x{have[1]}, "
            f'INT8 is exported for {size[0]}x{size[1]}: give --size {have[0]} '
            f'{have[1]} if all of them have it, or --calibration FOLDER of '
            'images, which are resized, and no --max-drop')
    frames = inputs[0] if inputs.dim() == 5 else inputs
    return [frame[None].numpy() for frame in frames]


class Accuracy(NamedTuple):
    """What a network is worth on a config's validation set.

    Attributes:
        miou (float): mIoU in percent.
        classes (list[float]): IoU of each class, NaN where there is none.
        images (int): How many were labelled.
    """
    miou: float
    classes: List[float]
    images: int


class Validation:
    """A config's validation set and its own mIoU.

    Args:
        cfg (Config): With data loader and evaluator of validation or test.
        segmentor (nn.Module): Whose pre- and post-processing is used.
        size (tuple[int, int]): Height and width that images have to have.

    Raises:
        DeploymentError: If the config has none, or one of another size.
    """

    def __init__(self, cfg: Config, segmentor: torch.nn.Module, size: Size):
        loader = _validation_part(cfg, 'dataloader')
        evaluator = _validation_part(cfg, 'evaluator')
        if loader is None or evaluator is None:
            raise DeploymentError(
                'the config has no validation set and metric to hold '
                '--max-drop with: give --calibration CONFIG of one that has')
        self.segmentor, self.size = segmentor, size
        self.loader = _build_loader(cfg, deepcopy(loader))
        _frames(segmentor, next(iter(self.loader)), size)  # whether they fit
        self.evaluator = Evaluator(deepcopy(evaluator))
        self.evaluator.dataset_meta = self.loader.dataset.metainfo

    def measure(self, step: Step) -> Accuracy:
        """The accuracy of a network.

        Args:
            step (Callable): Takes an image and a state, None before the first
                frame, and gives logits and the next state.

        Returns:
            Accuracy: Of each image; of clips of the frames that the config's
            own test decodes, the last one or all.

        Raises:
            DeploymentError: If the config's metric gives no mIoU, or none
                that is a number.
        """
        images = 0
        for batch in self.loader:
            state: Any = None
            labels: List[List[Tensor]] = []
            frames = _frames(self.segmentor, batch, self.size)
            clip = batch['inputs'][0].dim() == 4
            every = clip and getattr(self.segmentor, 'decode_all', False)
            for number, frame in enumerate(frames, 1):
                logits, state = step(frame, state)
                if every or number == len(frames):
                    results = self._label(logits, frame,
                                          batch['data_samples'])
                    labels.append([one.pred_sem_seg.data for one in results])
            if every:
                self.segmentor.join_frames(results, labels)
            images += len(labels)
            self.evaluator.process(data_samples=results, data_batch=batch)
        classes: Sequence[float] = []
        for metric in self.evaluator.metrics:
            areas = getattr(metric, 'results', None)
            if areas and len(areas[0]) == 4:  # of the host's IoUMetric
                overlap, union = (
                    sum(area[i].double() for area in areas) for i in (0, 1))
                classes = (100 * overlap / union).tolist()
        metrics: Dict[str, float] = self.evaluator.evaluate(
            len(self.loader.dataset))
        names = [name for name in metrics if name.endswith('mIoU')]
        if not names:
            raise DeploymentError(
                f"the config's val_evaluator gives {sorted(metrics)} and no "
                'mIoU to hold --max-drop with')
        miou = float(metrics[names[0]])
        if not np.isfinite(miou):
            raise DeploymentError(
                f'the mIoU of the {images} validation images is {miou}: their '
                'labels name no class of the network')
        return Accuracy(miou, classes, images)

    @torch.no_grad()
    def _label(self, logits: np.ndarray, frame: np.ndarray,
               samples: list) -> list:
        metas = [dict(img_shape=frame.shape[2:])]
        resized = self.segmentor.decode_head.predict_by_feat(
            torch.from_numpy(logits), metas)
        return self.segmentor.postprocess_result(resized, samples)


def calibration_frames(
        calibration: Union[str, Path, Config],
        cfg_options: Optional[dict],
        segmentor: torch.nn.Module,
        how: Normalisation,
        size: Size,
        resize: Optional[Resize] = None
) -> Tuple[Union[FolderFrames, ConfigFrames], Optional[Config]]:
    """What to calibrate with, and the config that can measure accuracy.

    Args:
        calibration (str | Path | Config): A folder of images, or a config.
        cfg_options (dict, optional): Overrides of the config.
        segmentor (nn.Module): The network.
        how (Normalisation): Of the network.
        size (tuple[int, int]): Height and width; images of a folder are
            resized to it, those of a config have to have it.
        resize (Resize, optional): See :class:`FolderFrames`.

    Returns:
        tuple: The frames, and the config or None for a folder.

    Raises:
        DeploymentError: If it is neither, or holds no images.
    """
    if not isinstance(calibration, Config):
        path = Path(calibration)
        if path.is_dir():
            video = getattr(segmentor, 'stateful', False)
            return FolderFrames(path, size, how, video, resize), None
        try:
            calibration = load_config(calibration)
        except OSError as error:
            raise DeploymentError(
                f'--calibration {calibration} is no folder and no config'
            ) from error
    if cfg_options:
        calibration = deepcopy(calibration)
        calibration.merge_from_dict(cfg_options)
    return ConfigFrames(calibration, segmentor, size), calibration
