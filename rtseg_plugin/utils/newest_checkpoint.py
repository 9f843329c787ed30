"""Which checkpoint of a work dir a training resumes."""
import os.path as osp
import re
from glob import escape, glob
from typing import List, Optional

from mmengine.logging import print_log

from .safe_load import UnsafeCheckpointError, check_checkpoint


def _pointed_at(work_dir: str) -> Optional[str]:
    """What ``last_checkpoint`` names, also after the folder was moved."""
    pointer = osp.join(work_dir, 'last_checkpoint')
    if not osp.isfile(pointer):
        return None
    with open(pointer, errors='replace') as file:
        named = file.read().strip()
    for path in (named, osp.join(work_dir, osp.basename(named))):
        if osp.isfile(path):
            return osp.realpath(path)
    return None


def _candidates(work_dir: str) -> List[str]:
    """Checkpoints of a training, the one to resume first.

    That is the one that ``last_checkpoint`` names, unless one of more
    iterations was written after it: the run ended between the two.
    """
    named = _pointed_at(work_dir)
    folders = {osp.realpath(work_dir)} | ({osp.dirname(named)}
                                          if named else set())
    step = {}
    for folder in folders:
        for path in glob(osp.join(escape(folder), '*_*.pth')):
            match = re.fullmatch(r'(?:iter|epoch)_(\d+)\.pth',
                                 osp.basename(path))
            if match:
                step[path] = int(match[1])
    if named is None:
        return sorted(step, key=step.get, reverse=True)
    step.setdefault(named, -1)

    def rank(path: str) -> tuple:
        newer = (step[path] > step[named]
                 and osp.getmtime(path) >= osp.getmtime(named))
        return newer, path == named, step[path]

    return sorted(step, key=rank, reverse=True)


def newest_checkpoint(work_dir: str) -> Optional[str]:
    """Find what to resume, as mmengine's ``find_latest_checkpoint``.

    That one trusts the file ``last_checkpoint``, which may be missing, empty,
    older than the newest checkpoint, of before a move, or name a file that was
    cut off.

    Args:
        work_dir (str): Folder of the training.

    Returns:
        str | None: The newest file that can be read; None if there is none
        of any kind.

    Raises:
        RuntimeError: If there are some, and none can be read.
    """
    reasons = []
    for path in _candidates(work_dir):
        try:
            check_checkpoint(path)
        except (UnsafeCheckpointError, RuntimeError) as error:
            reasons.append(str(error))
            print_log(f'Not resumed: {error}', 'current', level=30)
        else:
            return path
    if reasons:
        raise RuntimeError(f'nothing in {work_dir} can be resumed: '
                           f'{"; ".join(reasons)}')
    return None
