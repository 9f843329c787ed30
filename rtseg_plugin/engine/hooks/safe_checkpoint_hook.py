import os
import os.path as osp
from glob import glob
from io import BytesIO
from pathlib import Path
from typing import List, Optional, Union

import torch
from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

_UNFINISHED = '.partial'


class WholeFileBackend(LocalBackend):
    """Local files that are there whole or not at all."""

    def put(self, obj: Union[bytes, BytesIO], filepath: Union[str,
                                                              Path]) -> None:
        """Write beside the file, then take its place.

        Args:
            obj (bytes | BytesIO): What to write.
            filepath (str | Path): Where to.

        Raises:
            OSError: If it cannot be written; what was there stays.
        """
        unfinished = f'{filepath}{_UNFINISHED}'
        os.makedirs(osp.dirname(osp.abspath(filepath)), exist_ok=True)
        try:
            with open(unfinished, 'wb') as file:
                file.write(obj)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, filepath)
        except OSError as error:
            raise OSError(error.errno, f'{error.strerror}; what was saved '
                          'before is still there', str(filepath)) from error
        finally:
            if osp.exists(unfinished):
                os.remove(unfinished)


register_backend('WholeFileBackend', WholeFileBackend, force=True)


class _RemoveLater:
    """A file backend that forgets files only when it is told to."""

    def __init__(self, backend) -> None:
        self._backend = backend
        self._outdated: List[str] = []

    def __getattr__(self, name: str):
        return getattr(self._backend, name)

    def remove(self, path: str) -> None:
        self._outdated.append(path)

    def flush(self) -> None:
        """Remove for good what was to be removed."""
        while self._outdated:
            path = self._outdated.pop()
            if self._backend.isfile(path):
                self._backend.remove(path)


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """mmengine's hook, such that no moment is without a whole checkpoint.

    A file is written beside its place and then renamed; the ones that it
    replaces go afterwards, where mmengine removes them first. Weights that are
    not finite are not saved: the last good file stays.

    Args:
        backend_args (dict, optional): As of ``CheckpointHook``. Defaults to
            None, local files written as above.
        **kwargs: Other arguments of ``CheckpointHook``.
    """

    def __init__(self, backend_args: Optional[dict] = None, **kwargs) -> None:
        if backend_args is None and '://' not in str(kwargs.get('out_dir')):
            backend_args = dict(backend='WholeFileBackend')
        super().__init__(backend_args=backend_args, **kwargs)

    def before_train(self, runner: Runner) -> None:
        """Find the folder, and tidy up after a run that was killed there."""
        super().before_train(runner)
        self.file_backend = _RemoveLater(self.file_backend)
        if is_main_process():
            for path in glob(osp.join(self.out_dir, f'*.pth{_UNFINISHED}')):
                os.remove(path)

    def _save_checkpoint_with_step(self, runner: Runner, step: int,
                                   meta: dict) -> None:
        check_finite(runner)
        runner.call_hook('gather_random_state')
        super()._save_checkpoint_with_step(runner, step, meta)
        if is_main_process():
            self.file_backend.flush()

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        check_finite(runner)
        super()._save_best_checkpoint(runner, metrics)
        if is_main_process():
            self.file_backend.flush()


def check_finite(runner: Runner) -> None:
    """Raise if the model is no longer one.

    Args:
        runner (Runner): Whose model is to be saved.

    Raises:
        FloatingPointError: If a weight or statistic is infinite or NaN.
    """
    for name, value in runner.model.state_dict().items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            last = runner.message_hub.get_info('last_ckpt') if (
                'last_ckpt' in runner.message_hub.runtime_info) else 'none'
            raise FloatingPointError(
                f'{name} holds NaN or infinity after iteration {runner.iter}: '
                f'the model was not saved, the last good checkpoint is {last}')
