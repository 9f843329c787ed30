"""Prediction of very many images on Ray Data, on one machine or several."""
import os
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import cv2
import numpy as np

from ..utils.runtimes import need
from .frames import image_files, read_image
from .recorder import SAVE
from .segmentor import Segmentor

# Images that an actor gets at a time; of these alone one may be done twice
# after a kill.
_BATCH = 16


def _images(source: str, out: Path) -> Iterator[Tuple[Path, Path]]:
    """Images below a folder, or one file, with their paths below it.

    What has been written below ``out``, an absolute path, is none of them.
    """
    root = Path(source)
    if root.is_file():
        yield root, Path(root.name)
        return
    if not root.is_dir():
        raise FileNotFoundError(f'{source} is no image and no folder')
    written = {out, *(out / kind for kind in ('overlay', 'labels'))}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders
                      if Path(folder, name).resolve() not in written]
        for path in image_files(Path(folder, name) for name in names):
            yield path, path.relative_to(root)


def _targets(out: Path, below: Path, save: str) -> List[Tuple[str, str]]:
    """(what, file) for each picture of an image."""
    kinds = ('overlay', 'labels') if save == 'both' else (save, )
    # the ending stays, since a.jpg and a.png may lie side by side
    return [(kind, str(out / kind / f'{below}.png')) for kind in kinds]


class _Worker:
    """An actor: a segmentor that stays, and images that come.

    Args:
        options (dict): Of :class:`.Segmentor`.
        opacity (float): Of overlays.
    """

    def __init__(self, options: Dict[str, Any], opacity: float):
        cv2.setNumThreads(1)
        self.segmentor = Segmentor(**options)
        self.opacity = opacity

    def __call__(self, batch: Dict[str, np.ndarray]) -> Dict[str, list]:
        problems = []
        for path, kinds, files in zip(batch['path'], batch['kinds'],
                                      batch['files']):
            problems.append(self._one(path, kinds, files))
        return dict(path=list(batch['path']), problem=problems)

    def _one(self, path: str, kinds: Sequence[str],
             files: Sequence[str]) -> str:
        """Segment one image; a problem does not stop the others."""
        try:
            image, problem = read_image(path)
            if image is None:
                return str(problem)
            # a stream of its own: nothing is remembered of other images
            result, = self.segmentor.predict(image)
            for kind, file in zip(kinds, files):
                result.save(file, kind, self.opacity)
        except Exception as error:  # too small, too large, no place left, ...
            return str(error) or type(error).__name__
        return ''


def predict_images(sources: Sequence[str],
                   out: str,
                   save: str = 'overlay',
                   workers: int = 2,
                   opacity: float = 0.5,
                   **options: Any) -> Dict[str, Any]:
    """Segment all images below some folders, each by itself, on Ray.

    Pictures are written to ``{out}/overlay`` or ``{out}/labels`` under the
    image's path below its source and with ``.png`` behind it; an image whose
    pictures are there is not done again, so that a run that was killed goes
    on when it is started again. Memory does not grow with their number, but
    for the list of their names. Uses the cluster that ``RAY_ADDRESS`` names,
    whose machines see the same files, else starts one on this machine. Where
    Ray has GPUs and the device is not 'cpu', every actor has one for itself.

    Args:
        sources (Sequence[str]): Folders, searched to any depth, and images.
        out (str): Folder for the pictures.
        save (str): 'overlay', 'labels' or 'both'. Defaults to 'overlay'.
        workers (int): Actors, each with a network; no more than there are
            GPUs where they run on these. Defaults to 2.
        opacity (float): Of overlays. Defaults to 0.5.
        **options: Of :class:`.Segmentor`: model, checkpoint, ...

    Returns:
        dict: ``found``, ``skipped`` (done before), ``done``, and ``problems``
        by file.

    Raises:
        FileNotFoundError: If a source does not exist.
        ValueError: If there is no such thing to save, or the device names
            one of several GPUs, or a GPU and Ray has none.
        Exception: What :class:`.Segmentor` raises of the model.
    """
    if save not in SAVE:
        raise ValueError(f'save must be one of {SAVE}, got {save!r}')
    if workers < 1:
        raise ValueError(f'workers must be at least 1, got {workers}')
    ray = need('ray', 'ray[data]', 'ray')
    need('ray.data', 'ray[data]', 'ray')
    device = options.get('device')
    if str(device).startswith('cuda:'):
        raise ValueError('Ray gives each worker a GPU of its own: the device '
                         f"is 'cuda', not {device!r}")
    options['model'] = _absolute(options['model'])
    options['checkpoint'] = _absolute(options.get('checkpoint'))
    root = Path(out).resolve()
    todo: List[Dict[str, Any]] = []
    seen: Dict[str, Path] = {}
    found = 0
    for source in sources:
        for path, below in _images(source, root):
            found += 1
            targets = _targets(root, below, save)
            clash = seen.setdefault(str(below), path)
            if clash != path:
                raise ValueError(f'{clash} and {path} would be written to the '
                                 'same file: predict them one by one')
            if not all(Path(file).is_file() for _, file in targets):
                todo.append(
                    dict(
                        path=str(path.resolve()),
                        kinds=[kind for kind, _ in targets],
                        files=[file for _, file in targets]))
    report: Dict[str, Any] = dict(
        found=found, skipped=found - len(todo), done=0, problems={})
    if not todo:
        return report
    # what is wrong with the model is said here, not by an actor in Ray's words
    model = options['model']
    deployed = isinstance(model, str) and Path(model).is_dir()
    made_for = Segmentor(**(
        options if deployed else dict(options, device='cpu'))).network.device
    started = not ray.is_initialized()
    here = started and not os.environ.get('RAY_ADDRESS')
    if started:
        ray.init(
            num_cpus=workers if here else None,
            include_dashboard=False,
            log_to_driver=False)
    try:
        gpus = int(ray.cluster_resources().get('GPU', 0))
        if deployed:
            device = made_for
        elif device is None:
            device = 'cuda' if gpus else 'cpu'
        on_gpu = device.startswith('cuda')
        if on_gpu and not gpus:
            raise ValueError(f'{model} is to run on a GPU, and Ray finds '
                             'none: the device cpu runs everywhere')
        options['device'] = device
        results = ray.data.from_items(
            todo, override_num_blocks=max(1, min(
                len(todo) // _BATCH, 100 * workers))).map_batches(
            _Worker,
            fn_constructor_args=(options, opacity),
            batch_size=_BATCH,
            concurrency=min(workers, gpus) if on_gpu else workers,
            num_cpus=1,
            num_gpus=int(on_gpu))
        for batch in results.iter_batches(batch_size=None):
            for path, problem in zip(batch['path'], batch['problem']):
                if problem:
                    report['problems'][path] = problem
                else:
                    report['done'] += 1
    finally:
        if started:
            ray.shutdown()
    return report


def _absolute(path: Optional[Any]) -> Any:
    """Actors run elsewhere; a recipe's name stays a name."""
    if isinstance(path, (str, Path)) and Path(path).exists():
        return str(Path(path).resolve())
    return path
